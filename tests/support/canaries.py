"""Two kinds of canary and the judge that finds them again: in metadata (``CANARY-``) and in what people write (``KANARI-``).

The judge is the shared oracle, which looks through base64 at three alignments, quoted-printable, percent, hex, uuencode, yEnc,
UTF-16, archives and CMS.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import ModuleType

from tests.support.needs import needs_path
from tests.support.paths import CANARY_ORACLE

METADATA, WORDS = "CANARY-", "KANARI-"
Judge = Callable[[bytes], str | None]


@cache
def judge(mark: str = METADATA) -> Judge:
    """bytes -> how ``mark`` still stands in them ("raw", "b64>raw" ...), or None."""
    spec = importlib.util.spec_from_file_location(f"canary_oracle_{mark[:1]}", needs_path(CANARY_ORACLE))
    assert spec is not None
    assert spec.loader is not None
    module: ModuleType = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.C = mark.encode()  # type: ignore[attr-defined]  # what it looks for, and the same in base64
    module.P = module.pats()  # type: ignore[attr-defined]
    found: Judge = module.leak
    return found


def stray(folders: list[Path], mark: str, skip: Callable[[Path], bool] = lambda path: False) -> list[str]:
    """Every file below ``folders`` in whose bytes ``mark`` stands, with how."""
    found = []
    for folder in folders:
        for path in sorted(folder.rglob("*")) if folder.is_dir() else [folder]:
            if path.is_file() and not path.is_symlink() and not skip(path):
                how = judge(mark)(path.read_bytes())
                if how is not None:
                    found.append(f"{path}: {how}")
    return found
