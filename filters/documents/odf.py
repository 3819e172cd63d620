"""OpenDocument files (ODF 1.3): texts, sheets, presentations and drawings in a ZIP package."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import unquote

from filters.api import Blocked, Budget, Cleaning, Encrypted, Fate, Member
from filters.documents import evidence, odfrules, rules, svm
from filters.documents.codes import CROPPED, HEADER_FOOTER
from filters.documents.markup import Edit, Markup, attributes, element_end, tags
from filters.documents.office import Office
from filters.documents.package import Package, Plan

_MIMETYPE_MOST: Final = 200  # bytes of the name of a type
_MANIFEST, _SIGNATURES = "meta-inf/manifest.xml", "meta-inf/documentsignatures.xml"
_META: Final = re.compile(r"(?:^|/)meta\.xml$")
_BODY: Final = re.compile(r"(?:^|/)(?:content|styles|settings)\.xml$")
_HREF: Final = re.compile(rb"href\s*+=\s*+(?:\"([^\"<]*+)\"|'([^'<]*+)')")
# Parts that hold no picture, unless its signature stands in them.
_KNOWN: Final = ("layout-cache", "configurations2/accelerator/")
# folder of parts -> (code, choice of the policy); parts that go as a whole
_PARTS: Final = (
    ("thumbnails/", "odf.thumbnail", "previews"),
    ("versions/", "odf.versions", "revisions"),
    ("versionlist.xml", "odf.versions", "revisions"),
)


class _Reading:
    """One package, its manifest, and the layout's words about pictures."""

    def __init__(self, data: bytes, budget: Budget, cleaning: Cleaning) -> None:
        self.package = Package(data, budget)
        self.budget = budget
        self.cleaning = cleaning
        self.types: dict[str, str] = {}
        self.places: dict[str, tuple[int, int]] = {}
        self._manifest()
        self.cropped = set[str]()  # parts, as every mention of them below
        self.body = set[str]()
        self.furniture = set[str]()

    def _manifest(self) -> None:
        """Types of the parts (ODF 1.3 part 2 3.2).  Raises Encrypted."""
        text = self.package.part(_MANIFEST)
        for tag in tags(text.shadow) if text is not None else ():
            local = tag.name.rpartition(b":")[2]
            if local == b"encryption-data":
                raise Encrypted("OpenDocument")
            if text is None or tag.closing or local != b"file-entry":
                continue
            found = {one.name.rpartition(b":")[2]: text.text[one.value : one.close] for one in attributes(text.shadow, tag)}
            name = _path("", found.get(b"full-path", b""))
            self.types[name] = found.get(b"media-type", b"").decode("latin-1").lower()
            self.places[name] = (tag.start, element_end(text.shadow, tag)[1])

    # ---- the plan

    def plan(self) -> Plan:
        plan = Plan()
        signatures = self.package.part(_SIGNATURES)
        if signatures is not None and b"Signature" in signatures.shadow:
            plan.signed = "odf.signed"
        fields = self._properties(plan)
        table = odfrules.rules(self.cleaning, fields)
        for name, index in self.package.index.items():
            if not name.endswith(".xml") or name.startswith("meta-inf/") or _META.search(name):
                continue
            if (text := self.package.markup(index)) is None:
                continue
            for code, edit in rules.edits(text, table, odfrules.SPACES, self.budget):
                plan.edit(code, index, edit)
            if _BODY.search(name):
                self._layout(name, text)
        self._parts(plan)
        for name in sorted(self.cropped & self.package.index.keys()):
            plan.note("odf.cropped-picture", self.package.index[name], Fate.KEPT)
        return plan

    def _properties(self, plan: Plan) -> bool:
        """Whether there were any."""
        found = False
        for name, index in self.package.index.items():
            text = self.package.markup(index) if self.cleaning.properties and _META.search(name) else None
            edit = emptied(text) if text is not None else None
            if edit is not None:
                plan.edit("odf.properties", index, edit)
                found = True
        return found

    def _parts(self, plan: Plan) -> None:
        """Parts that go as a whole, and their lines in the manifest."""
        for start, code, choice in _PARTS:
            for name, index in self.package.index.items():
                if name.startswith(start) and getattr(self.cleaning, choice):
                    plan.drop.add(index)
                    plan.note(code, index)
        gone = {self.package.names[index] for index in plan.drop}
        manifest = self.package.index.get(_MANIFEST)
        if manifest is not None and gone:
            places = [place for name, place in self.places.items() if name in gone or f"{name}/" in ("thumbnails/", "versions/")]
            plan.edits.setdefault(manifest, []).extend(Edit(*place, b"") for place in places)

    def _layout(self, name: str, text: Markup) -> None:
        folder = name.rpartition("/")[0]
        _, clipped = evidence.clipped_hrefs(text, frozenset())
        self.cropped |= {_path(folder, href.encode()) for href in clipped}
        hrefs = {_path(folder, found[1] or found[2] or b"") for found in _HREF.finditer(text.shadow)}
        if name.endswith("content.xml"):
            self.body |= hrefs
        elif name.endswith("styles.xml"):
            self.furniture |= hrefs

    # ---- members

    def seen(self, index: int, plan: Plan) -> Iterator[Member | Blocked]:
        """What one part holds."""
        name = self.package.names[index]
        text = self.package.markup(index) if name.endswith((".xml", ".rdf")) else None
        if text is not None:
            yield from self.package.inside(index, text)
            return
        preview = name.startswith("thumbnails/") and index in plan.drop and not plan.signed
        if preview and self.package.preview(index):
            return
        if name == "mimetype" and self.package.archive.entries[index].size <= _MIMETYPE_MOST:
            return
        codes = {CROPPED} if name in self.cropped else set[str]()
        if name in self.furniture and name not in self.body:
            codes.add(HEADER_FOOTER)
        shown = name in self.body or name in self.furniture
        member = self.package.member(index, self.types.get(name, ""), shown, frozenset(codes), name.startswith(_KNOWN))
        if member is not None and not svm.plain(member.data, self.budget):
            yield member


def emptied(text: Markup) -> Edit | None:
    """The edit after which ``office:meta`` holds nothing; None when it holds nothing."""
    for tag in tags(text.shadow):
        if tag.name.rpartition(b":")[2] == b"meta" and not tag.closing and not tag.empty:
            close, _ = element_end(text.shadow, tag)
            return Edit(tag.end, close, b"") if text.text[tag.end : close].strip() else None
    return None


def _path(folder: str, href: bytes) -> str:
    """A reference as a part's name, in lower case."""
    path = unquote(href.decode("utf-8", "replace")).lower().partition("#")[0].removeprefix("./")
    return (f"{folder}/{path}" if folder and not path.startswith("/") else path).strip("/")


ODT, ODS, ODP, ODG = (Office(name, _Reading) for name in ("odt", "ods", "odp", "odg"))
