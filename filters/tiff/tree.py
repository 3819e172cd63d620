"""All directories of a TIFF: the chain of pages, their children (SubIFDs, TIFF Technical Note 1), and which of them stay."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from filters.api import Malformed, TooBig
from filters.tiff import directory, picture, tags
from filters.tiff.directory import Directory, Layout, Purse
from filters.tiff.picture import Picture

_MAX_DEPTH = 4  # of children of children
# ImageDescription of the label or the whole glass, as Aperio, Philips, Ventana and Leica write it.
_LABEL = re.compile(rb"(?i)^\s*(label|macro|thumbnail)([ _]image)?\s*\0*$|\n(label|macro)\s+\d+x\d+")
_MAX_LABEL = 4096
_INFO = (tags.EXIF_POINTER, tags.GPS_POINTER, tags.INTEROP_POINTER)


@dataclass(slots=True)
class Page:
    """One directory with its children.  ``where`` is its place ("IFD0", "Sub1"); ``picture`` is None when it has none."""

    directory: Directory
    where: str
    picture: Picture | None = None
    children: list[Page] = field(default_factory=list)
    loose: bool = False  # its pointer to the next page leads nowhere

    def walk(self) -> Iterator[Page]:
        """This page and all below it."""
        yield self
        for child in self.children:
            yield from child.walk()


@dataclass(slots=True)
class Tree:
    """``chain`` are the pages; ``info`` directories without a picture by their nature (EXIF, GPS), tag -> directory."""

    form: Layout
    chain: list[Page] = field(default_factory=list)
    info: dict[int, Directory] = field(default_factory=dict)
    others: list[Directory] = field(default_factory=list)

    def pages(self) -> Iterator[Page]:
        """Every page at every depth."""
        for page in self.chain:
            yield from page.walk()

    def directories(self) -> Iterator[Directory]:
        """Every directory that was found."""
        for page in self.pages():
            yield page.directory
        yield from self.others


class _Walker:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.form = directory.layout(data)
        self.purse = Purse()
        self.seen: set[int] = set()
        self.tree = Tree(self.form)
        self.children = 0

    def walk(self) -> Tree:
        at = directory.first(self.data, self.form)
        while at:
            one = None if at in self.seen else self._read(at)  # a loop ends the chain
            if one is None:
                if not self.tree.chain or not (at in self.seen or directory.nothing(self.data, at, self.form)):
                    raise Malformed("directory outside the file")
                self.tree.chain[-1].loose = True
                break
            self.tree.chain.append(Page(one, f"IFD{len(self.tree.chain)}"))
            at = one.next
        if not self.tree.chain:
            raise Malformed("no directory")
        for page in self.tree.chain:
            self._children(page, 1)
        return self.tree

    def _read(self, at: int) -> Directory | None:
        found = directory.read(self.data, at, self.form, self.purse)
        if found is not None:
            self.seen.add(at)
        return found

    def _children(self, page: Page, depth: int) -> None:
        self._notes(page.directory)
        one = page.directory.fields.get(tags.SUB_IFDS)
        if one is None:
            return
        if depth > _MAX_DEPTH:
            raise Malformed("directories nested too deep")
        for at in directory.numbers(self.data, self.form, one)[: directory.MAX_DIRECTORIES + 1].tolist():
            if at and at not in self.seen:
                self._family(page, at, depth)

    def _family(self, page: Page, at: int, depth: int) -> None:
        """A child and those chained to it; some writers list the same ones in both ways."""
        first = True
        while at and at not in self.seen:
            child = self._read(at)
            if child is None and first:
                raise Malformed("directory outside the file")
            if child is None:
                page.children[-1].loose = True
                return
            self.children += 1
            page.children.append(Page(child, f"Sub{self.children}"))
            self._children(page.children[-1], depth + 1)
            at, first = child.next, False

    def _notes(self, one: Directory) -> None:
        """EXIF, GPS and interoperability directories: for facts only, so what cannot be read is left out."""
        for tag in _INFO:
            entry = one.fields.get(tag)
            places = directory.numbers(self.data, self.form, entry)[:1].tolist() if entry else []
            if not places or places[0] in self.seen:
                continue
            self.seen.add(places[0])
            found = directory.read(self.data, places[0], self.form, self.purse)
            if found is not None:
                self.tree.others.append(found)
                self.tree.info.setdefault(tag, found)
                if tag == tags.EXIF_POINTER:
                    self._notes(found)


def read(data: bytes) -> Tree:
    """Every directory of the file.  Raises Malformed, TooBig."""
    tree = _Walker(data).walk()
    total = 0
    for page in tree.pages():
        if picture.has_samples(page.directory):
            page.picture = picture.read(data, tree.form, page.directory)
            total += page.picture.bytes
    if total > picture.MAX_SAMPLES:
        raise TooBig("more samples than any picture has")
    return tree


@dataclass(slots=True)
class _Sieve:
    """Which pages stay: the full pictures, masks, and levels of their pyramids."""

    data: bytes = field(repr=False)
    full: list[Picture]
    gone: list[tuple[Page, str]] = field(default_factory=list)

    def sift(self, pages: list[Page], child: bool) -> list[Page]:
        kept: list[Page] = []
        for page in pages:
            children, code = self.sift(page.children, True), self._fate(page, child)
            if code:
                self.gone.append((page, code))
                kept += children  # the picture itself may stand below its own thumbnail
            else:
                kept.append(Page(page.directory, page.where, page.picture, children, page.loose))
        return kept

    def _fate(self, page: Page, child: bool) -> str:
        """The code by which a page goes, "" when it stays."""
        if page.picture is None:
            return "tiff.preview" if tags.JPEG_FILE in page.directory.fields else "tiff.directory"
        if not self.full or (not page.picture.reduced and not self._slide_label(page)):
            return ""
        whole = page.picture.tiled or not child  # below a page stand levels in tiles, and previews in strips
        return "" if whole and any(_level(page.picture, one) for one in self.full) else "tiff.thumbnail"

    def _slide_label(self, page: Page) -> bool:
        """Scanners of slides photograph the paper label too.  Only beside a picture in tiles, and never one in tiles itself."""
        text = page.directory.fields.get(tags.DESCRIPTION)
        if page.picture is None or page.picture.tiled or text is None or not any(one.tiled for one in self.full):
            return False
        return text.sound and _LABEL.search(self.data[text.start : min(text.end, text.start + _MAX_LABEL)]) is not None


def keep(data: bytes, tree: Tree) -> tuple[list[Page], list[tuple[Page, str]]]:
    """(the pages of the output with their children, what goes with its code).  Raises Malformed when nothing would stay."""
    full = [page.picture for page in tree.pages() if page.picture and not page.picture.reduced and not page.picture.mask]
    sieve = _Sieve(data, full)
    stays = sieve.sift(tree.chain, False)
    if not stays:
        raise Malformed("no picture")
    return stays, sieve.gone


def _level(small: Picture, full: Picture) -> bool:
    """A mask's level is judged by its size alone: its full mask is not among the full pictures."""
    return small.halves(full) if small.mask else small.level_of(full)
