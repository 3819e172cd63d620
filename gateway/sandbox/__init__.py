"""Where C code decodes what strangers sent: a child process that can be lost without losing anything (DESIGN section 7)."""

from gateway.sandbox.parent import Sandbox, pixels, sandboxed

__all__ = ["Sandbox", "pixels", "sandboxed"]
