"""TIFF and BigTIFF, written anew: the samples are copied byte for byte, tags by allow-list, everything else is left behind.

Kept: every page and the levels of its pyramid, masks, ICC profiles without text, orientation, resolution.  A file that holds
nothing else, and no byte that no tag refers to, stays as it is.  TIFF 6.0, its Technical Notes, BigTIFF.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from filters import page as paper
from filters.api import STRICT, Cleaning, Fate, FilterError, Finding, ImageInfo, Malformed, Nature, Scrubbed, TooBig, Unsupported
from filters.tiff import blocks, directory, facts, fields, placement, raw, tags, tree
from filters.tiff.blocks import MAX_BLOCKS
from filters.tiff.picture import Picture
from filters.tiff.tree import Page
from filters.tiff.writer import Sheet, Writer

_PADDING = b"\0\xff"
_MAX_PAGES_LOOKED = 64  # pages of which each must look like paper


@dataclass(slots=True)
class _Plan:
    chain: list[Sheet] = field(default_factory=list)
    pages: list[Page] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    def note(self, code: str, where: str, fate: Fate = Fate.REMOVED) -> None:
        self.findings.append(Finding(code, where, fate))

    def dirty(self) -> bool:
        return any(finding.fate is Fate.REMOVED for finding in self.findings)


class Tiff:
    """The scrubber of one of the two names; both read either version."""

    native = False

    def __init__(self, name: str) -> None:
        self.name = name

    def inspect(self, data: bytes) -> ImageInfo:
        """Facts of the largest page.  Raises FilterError."""
        job = _Job(data)
        plan = job.plan()
        found = facts.read(data, job.tree)
        codes = {finding.code for finding in plan.findings if finding.fate is not Fate.KEPT} | found.codes
        pictures = [page.picture for page in plan.pages if page.picture and not page.picture.mask]
        pictures = pictures or [page.picture for page in plan.pages if page.picture]
        largest = max(pictures, key=lambda one: one.width * one.height)
        sheets = all(_paper(data, job.tree.form, page) for page in plan.pages[:_MAX_PAGES_LOOKED])
        return ImageInfo(
            width=largest.width, height=largest.height, bits=max(largest.bits), frames=len(plan.chain),
            orientation=plan.chain[0].kept.turn or found.orientation,
            codes=frozenset(codes | ({paper.CODE} if sheets else set())),
            make=found.make, model=found.model, serial=found.serial, taken=found.taken,
            nature=Nature.PAGE if sheets else Nature.PHOTO, identifiers=facts.patient_numbers(data, job.tree),
        )  # fmt: skip

    def scrub(self, data: bytes, cleaning: Cleaning = STRICT) -> Scrubbed:
        """The same pictures without metadata; the very same object when there was none.  Raises FilterError."""
        job = _Job(data)
        plan = job.plan()
        if not plan.dirty():
            return Scrubbed(data, tuple(plan.findings))
        return Scrubbed(Writer(data, job.tree.form, plan.chain).write(), tuple(plan.findings))

    def residue(self, data: bytes, cleaning: Cleaning = STRICT) -> tuple[Finding, ...]:
        """Everything that a second scrub would still remove; a file that cannot be read is one STUCK finding."""
        try:
            plan = _Job(data).plan()
        except FilterError:
            return (Finding("tiff.unreadable", "file", Fate.STUCK),)
        return tuple(finding for finding in plan.findings if finding.fate is not Fate.KEPT)


class _Job:
    """One walk through one file."""

    def __init__(self, data: bytes) -> None:
        name = raw.raw_kind(data)
        if name:
            raise Unsupported(name)
        self.data = data
        self.tree = tree.read(data)
        self.sifter = fields.Sifter(data, self.tree.form)
        self.blocks = 0

    def plan(self) -> _Plan:
        plan = _Plan()
        stays, gone = tree.keep(self.data, self.tree)
        for page, code in gone:
            plan.note(code, page.where)
        for page in stays:
            plan.chain.append(self._sheet(plan, page))
        self._gaps(plan)
        return plan

    def _sheet(self, plan: _Plan, page: Page) -> Sheet:
        assert page.picture is not None
        found = blocks.read(self.data, self.tree.form, page)
        self.blocks += found.starts.size
        if self.blocks > MAX_BLOCKS:
            raise TooBig("more strips than any picture has")
        kept = self.sifter.sift(page)
        self._note(plan, page, found, kept)
        wide = frozenset(tag for tag, one in page.directory.fields.items() if one.kind in (directory.LONG8, directory.IFD8))
        plan.pages.append(page)
        return Sheet(kept, found, page.picture.tiled, wide, [self._sheet(plan, child) for child in page.children])

    def _note(self, plan: _Plan, page: Page, found: blocks.Blocks, kept: fields.Kept) -> None:
        for code, tag in kept.gone:
            plan.note(code, f"{page.where}@{tag}")
        for code in sorted(found.codes):
            plan.note(code, page.where)
        if not found.told:
            plan.note("tiff.strip-length", page.where)
        if found.old is not None:
            said = {tags.JPEG_Q, tags.JPEG_DC, tags.JPEG_AC, *(() if found.old.file else (tags.JPEG_FILE, tags.JPEG_FILE_LENGTH))}
            wrong = said & page.directory.fields.keys() - found.old.tables.keys()
            for tag in sorted(wrong):
                plan.note("tiff.damaged-tag", f"{page.where}@{tag}")
        if page.directory.untidy:
            plan.note("tiff.gap", page.where)
        if page.loose:
            plan.note("tiff.chain", page.where)
        if kept.profile:
            plan.note("icc.profile", page.where, Fate.KEPT)

    def _gaps(self, plan: _Plan) -> None:
        """No byte outside of what the pages need, and no sample that is something else as well."""
        structure = placement.merged([(0, self.tree.form.header), *directory.spans(self.tree.directories())])
        samples = placement.merged(one for sheet in plan.chain for page in sheet.all() for one in page.blocks.ranges())
        if placement.overlap(structure, samples):
            raise Malformed("samples and tags share bytes")
        if plan.dirty():
            return  # all is written anew anyway
        at = 0
        for start, end in [*placement.merged([*structure, *samples]), (len(self.data), len(self.data))]:
            if start > at and self.data[at:start].strip(_PADDING):
                plan.note("tiff.gap", f"gap@{at}")
                return
            at = end


def _paper(data: bytes, form: directory.Layout, page: Page) -> bool:
    """A bilevel page in the shape of a sheet; fax machines see more columns than rows to the inch."""
    picture = page.picture
    if picture is None:
        return False
    width, height = _square(data, form, page, picture)
    return paper.page_like(ImageInfo(width, height, sum(picture.bits)))


def _square(data: bytes, form: directory.Layout, page: Page, picture: Picture) -> tuple[int, int]:
    """Width and height as if the coarser direction had the resolution of the finer one."""
    across, down = (_ratio(data, form, page, tag) for tag in (tags.X_RESOLUTION, tags.Y_RESOLUTION))
    if not across or not down or not 1 / 4 <= across / down <= 4:
        return picture.width, picture.height
    best = max(across, down)
    return round(picture.width * best / across), round(picture.height * best / down)


def _ratio(data: bytes, form: directory.Layout, page: Page, tag: int) -> float:
    one = page.directory.fields.get(tag)
    if one is None or not one.sound or one.kind != directory.RATIONAL or not one.count:
        return 0.0
    top, bottom = struct.unpack_from(form.order + "II", data, one.start)
    return top / bottom if bottom else 0.0


TIFF, BIGTIFF = Tiff("tiff"), Tiff("bigtiff")
