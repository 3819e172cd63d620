"""Every policy that was ever in force here, by digest, in the gateway's state folder; and whether the newest file is broken.

Addresses of patients are left out of what is kept: rolling back neither brings one back that was erased nor loses a new one.
"""

from __future__ import annotations

import gzip
import json
import os
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from policies.load import DOMAINS, Policy
from policies.model import RecipientClass

_LOG: Final = "taken.jsonl"
_BROKEN: Final = "broken.json"
_PATIENTS: Final = re.compile(r"[\"']?patient_addresses[\"']?[ \t]*:")
_NEXT_KEY: Final = re.compile(r"\n[A-Za-z_\"']")


class NotKept(ValueError):
    """The version cannot be kept without keeping an address of a patient."""


@dataclass(frozen=True, slots=True)
class Taken:
    """One time a policy came into force.  ``at``: POSIX seconds; ``why``: start | changed."""

    at: float
    digest: str
    name: str
    why: str


@dataclass(frozen=True, slots=True)
class Broken:
    """The policy in the folder cannot be used since ``at``; ``in_force`` is what holds instead."""

    at: float
    in_force: str
    problems: tuple[str, ...]


class Versions:
    """The folder of versions.  One process writes; anybody who may read it reads."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def keep(self, policy: Policy, files: Mapping[str, str], why: str, at: float) -> None:
        """Keep the files of ``policy``, and note that it came into force.  Raises OSError or NotKept."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o750)
        path = self._path(policy.digest)
        if not path.exists():
            kept = {name: _clean(policy, text) if _base(name) == DOMAINS else text for name, text in files.items()}
            content = json.dumps({"digest": policy.digest, "name": policy.name, "files": kept})
            _write(path, gzip.compress(content.encode(), 6))
        before = self.taken()
        if why == "start" and before and before[-1].digest == policy.digest:
            return
        line = json.dumps({"at": at, "digest": policy.digest, "name": policy.name, "why": why})
        with (self.folder / _LOG).open("a", encoding="utf-8") as log:
            log.write(line + "\n")
            log.flush()
            os.fsync(log.fileno())

    def taken(self) -> tuple[Taken, ...]:
        """Every time a policy came into force, oldest first.  Raises OSError."""
        try:
            lines = (self.folder / _LOG).read_text("utf-8").splitlines()
        except FileNotFoundError:
            return ()
        found = []
        for line in lines:
            try:
                told: dict[str, Any] = json.loads(line)
                found.append(Taken(float(told["at"]), str(told["digest"]), str(told["name"]), str(told["why"])))
            except (ValueError, KeyError, TypeError):
                continue  # cut short by a crash
        return tuple(found)

    def find(self, start: str) -> str:
        """The one digest kept that begins with ``start``.  Raises LookupError with a sentence for people, or OSError."""
        known = sorted(path.name.partition(".")[0] for path in self.folder.glob("*.json.gz"))
        found = [digest for digest in known if digest.startswith(start)]
        if len(found) == 1:
            return found[0]
        what = "several versions begin" if found else "no version that was in force begins"
        raise LookupError(f'{what} with "{start}"; see clinigate policy history')

    def files(self, start: str) -> dict[str, str]:
        """name -> text of the version whose digest begins with ``start``.  Raises LookupError or OSError."""
        path = self._path(self.find(start))
        packed = path.read_bytes()
        try:
            files = json.loads(gzip.decompress(packed))["files"]
        except (ValueError, KeyError, EOFError, gzip.BadGzipFile, zlib.error):
            raise LookupError(f"{path}: this version was damaged on disk") from None
        return {str(name): str(text) for name, text in files.items()}

    def broke(self, problems: Sequence[str], in_force: str, at: float) -> None:
        """Note that the folder's policy cannot be used.  Raises OSError."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o750)
        told = {"at": at, "in_force": in_force, "problems": list(problems)[:50]}
        _write(self.folder / _BROKEN, json.dumps(told).encode())

    def mended(self) -> None:
        """The folder's policy is in force (again).  Raises OSError."""
        (self.folder / _BROKEN).unlink(missing_ok=True)

    def broken(self) -> Broken | None:
        """What is wrong with the folder's policy as the gateway saw it; None if nothing.  Raises OSError."""
        try:
            told = json.loads((self.folder / _BROKEN).read_bytes())
            return Broken(float(told["at"]), str(told["in_force"]), tuple(map(str, told["problems"])))
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return None

    def _path(self, digest: str) -> Path:
        return self.folder / f"{digest}.json.gz"


def patients_of(text: str) -> str:
    """The block ``patient_addresses:`` of a register's text, with the lines that belong to it; "" where there is none."""
    start, end = _block(text)
    return text[start:end]


def with_patients(text: str, block: str) -> str:
    """``text`` with its block of patients' addresses replaced by ``block``."""
    start, end = _block(text)
    rest = text[:start] + text[end:]
    if not block:
        return rest
    return f"{rest}{'' if rest.endswith(chr(10)) else chr(10)}{block}"


def _block(text: str) -> tuple[int, int]:
    head = next((found for at in _lines_with("patient_addresses", text) if (found := _PATIENTS.match(text, at))), None)
    if head is None:
        return len(text), len(text)
    following = _NEXT_KEY.search(text, head.end())
    return head.start(), following.start() + 1 if following else len(text)


def _lines_with(word: str, text: str) -> Iterator[int]:
    """Where the lines begin that hold ``word``: found at the speed of memory, for while this runs no mail is served."""
    at = text.find(word)
    while at >= 0:
        yield text.rfind("\n", 0, at) + 1
        at = text.find(word, at + 1)


def _clean(policy: Policy, text: str) -> str:
    """The register's text without patients; the proof is that none of the addresses known stands in it any more."""
    rest = with_patients(text, "")
    said = rest.lower()
    known = (name for name, entry in policy.register.addresses.items() if entry.cls is RecipientClass.PATIENT)
    if any(name in said for name in known):
        raise NotKept("the register holds an address of a patient outside patient_addresses")
    return rest


def _base(name: str) -> str:
    return name.rpartition("/")[2]


def _write(path: Path, data: bytes) -> None:
    """Whole and safe on disk, or not at all."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with temporary.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    temporary.chmod(0o640)
    temporary.replace(path)
