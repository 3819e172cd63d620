"""What the sandbox gives up before it looks at anything: memory, files, network, other programs (setrlimit(2), seccomp(2))."""

from __future__ import annotations

import ctypes
import platform
import resource
import struct
from typing import Final

_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _FILTER = 38, 22, 2
_LOAD_WORD, _JUMP_IF_EQUAL, _JUMP_IF_AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_X32 = 0x40000000
_ALLOW, _DENY, _KILL = 0x7FFF0000, 0x00050000 | 1, 0x80000000  # EPERM for what is denied
# machine -> (AUDIT_ARCH value, numbers of: socket, socketpair, connect, bind, listen, accept, accept4, execve, execveat, ptrace,
# process_vm_readv, process_vm_writev, pidfd_send_signal, pidfd_open, pidfd_getfd, kill, tkill, fork, vfork, mount, unshare,
# setns, bpf, perf_event_open, io_uring_setup, userfaultfd, keyctl, add_key, unlink, unlinkat, rename, renameat, renameat2,
# mkdir, mkdirat, link, linkat, symlink, symlinkat)
_DENIED: Final[dict[str, tuple[int, tuple[int, ...]]]] = {
    "x86_64": (
        0xC000003E,
        (41, 53, 42, 49, 50, 43, 288, 59, 322, 101, 310, 311, 424, 434, 438, 62, 200, 57, 58, 165, 272, 308, 321, 298, 425, 323,
         250, 248, 87, 263, 82, 264, 316, 83, 258, 86, 265, 88, 266),
    ),
    "aarch64": (
        0xC00000B7,
        (198, 199, 203, 200, 201, 202, 242, 221, 281, 117, 270, 271, 424, 434, 438, 129, 130, 40, 97, 268, 280, 241, 425, 282,
         219, 217, 35, 38, 276, 34, 37, 36),
    ),
}  # fmt: skip


def limit(memory: int, cpu_seconds: int) -> None:
    """Address space in bytes, processor time in seconds; no file can be written, no core is dumped."""
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def no_way_out() -> bool:
    """Deny network, other programs, other processes and changes to the file system; False where the machine is unknown."""
    known = _DENIED.get(platform.machine())
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    if known is None:
        return False
    code = _program(*known)
    buffer = ctypes.create_string_buffer(code, len(code))
    program = struct.pack("HxxxxxxP", len(code) // 8, ctypes.addressof(buffer))
    return bool(libc.prctl(_PR_SET_SECCOMP, _FILTER, ctypes.c_char_p(program), 0, 0) == 0)


def _program(architecture: int, numbers: tuple[int, ...]) -> bytes:
    """Classic BPF over ``struct seccomp_data``: number at offset 0, architecture at 4."""
    lines = [(_LOAD_WORD, 0, 0, 4), (_JUMP_IF_EQUAL, 1, 0, architecture), (_RETURN, 0, 0, _KILL), (_LOAD_WORD, 0, 0, 0)]
    lines += [(_JUMP_IF_AT_LEAST, 0, 1, _X32), (_RETURN, 0, 0, _KILL)]  # the same calls under other numbers
    lines += [(_JUMP_IF_EQUAL, len(numbers) - at, 0, number) for at, number in enumerate(numbers)]
    lines += [(_RETURN, 0, 0, _ALLOW), (_RETURN, 0, 0, _DENY)]
    return b"".join(struct.pack("HBBI", *line) for line in lines)
