"""ZIP archives as containers: every file in them is a member.  Untouched members keep their compressed bytes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from filters.api import STRICT, Budget, Cleaning, Fate, FilterError, Finding, Malformed, Member, Seen, TooBig
from filters.archives import systemfiles, zips
from filters.archives.aside import worth
from filters.archives.zips import Archive, Entry

_DEEPEST = 64  # folders of one path that are looked at


@dataclass(frozen=True, slots=True)
class Zip:
    """The opener for ZIP and for packages that need no more care than ZIP."""

    name: str = "zip"
    native: bool = False
    rebuilds: bool = True

    def open(self, data: bytes, budget: Budget, cleaning: Cleaning = STRICT) -> Iterator[Seen]:
        """Every file, and what stands between the files if it could be a picture.  Raises FilterError."""
        archive = zips.read(data)
        yield from archive.findings
        for start, end in archive.hidden:
            if worth(data[start:end]):
                budget.member()
                yield Member(f"bytes@{start}", data[start:end])
        for entry in archive.entries:
            budget.tick()
            if not entry.directory:
                budget.member()
                yield _member(archive, entry, budget)

    def rebuild(
        self,
        data: bytes,
        changes: Mapping[str, bytes],
        names: Mapping[str, str],
        budget: Budget,
        cleaning: Cleaning = STRICT,
    ) -> bytes:
        """The archive without comments, extra fields, times and system files.

        ``names`` are whole paths; folders that hold nothing any more go with the names that made them.  Raises FilterError.
        """
        archive = zips.read(data)
        keys = {f"member@{entry.index}": entry.index for entry in archive.entries if not entry.directory}
        beside = {f"bytes@{start}" for start, _ in archive.hidden}
        if not (changes.keys() | names.keys()) <= keys.keys() | beside:
            raise Malformed("no such member")
        new = {keys[key]: content for key, content in changes.items() if key in keys}
        called = {keys[key]: name for key, name in names.items() if key in keys}
        drop = {entry.index for entry in archive.entries if entry.index not in new and _system_file(archive, entry, budget)}
        if called:
            drop |= _deserted(archive, called, drop)
        return zips.rewrite(archive, new, drop, called)


def _member(archive: Archive, entry: Entry, budget: Budget) -> Member | Finding:
    key = f"member@{entry.index}"
    try:
        content = zips.decode(archive, entry, budget)
    except TooBig:
        raise
    except FilterError as error:
        return Member(key, b"", entry.name, opaque=error.reason)
    if systemfiles.is_one(entry.name, content):
        return Finding(systemfiles.CODE, key, Fate.REMOVED)
    return Member(key, content, entry.name)


def _system_file(archive: Archive, entry: Entry, budget: Budget) -> bool:
    """Whether ``open`` told of this member as a system file."""
    if entry.encrypted or not systemfiles.called_so(entry.name):
        return False
    try:
        return systemfiles.is_one(entry.name, zips.decode(archive, entry, budget))
    except TooBig:
        raise
    except FilterError:
        return False  # ``open`` showed it as a member that could not be got out


def _deserted(archive: Archive, names: Mapping[int, str], gone: set[int]) -> set[int]:
    """Directories in which no member stands any more once ``names`` are given."""
    lived: set[str] = set()
    for entry in archive.entries:
        if not entry.directory and entry.index not in gone:
            lived |= _folders(names.get(entry.index, entry.name))
    before: set[str] = set()
    for index in names:
        before |= _folders(archive.entries[index].name)
    return {entry.index for entry in archive.entries if entry.directory and entry.name in before - lived}


def _folders(name: str) -> set[str]:
    """All folders above ``name``, each with its slash."""
    parts = name.split("/")[:-1][:_DEEPEST]
    return {"/".join(parts[: depth + 1]) + "/" for depth in range(len(parts))}


ZIP, JAR, EPUB, XPS = Zip("zip"), Zip("jar"), Zip("epub"), Zip("xps")
