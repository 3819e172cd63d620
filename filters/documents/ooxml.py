"""Word, Excel, PowerPoint and Visio files (ISO 29500): pictures wherever they stand, and the traces of people and places."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from typing import Final

from filters.api import Blocked, Budget, Cleaning, Fate, Member, TooBig
from filters.documents import evidence, fields, markup, names, ooxmlrules, properties, rules
from filters.documents.codes import CROPPED, HEADER_FOOTER
from filters.documents.markup import Edit, Markup
from filters.documents.office import Office
from filters.documents.package import Package, Plan
from filters.documents.relations import MAX_RELATIONS, TYPES_PART, Relation, Types, relations, rels_of, source_of, types

_SIGNATURE: Final = "digital-signature-xmlsignature+xml"
_CELLS: Final = ("spreadsheetml.worksheet+xml", "spreadsheetml.sharedstrings+xml", "spreadsheetml.calcchain+xml",
                 "spreadsheetml.pivotcacherecords+xml")  # fmt: skip
_CELL_FOLDERS: Final = ("xl/worksheets/sheet", "xl/sharedstrings.xml", "xl/calcchain.xml")
_PICTURES: Final = frozenset(("image", "hdphoto", "video", "media"))
# Types of binary parts that hold no picture, unless its signature stands in them.
_KNOWN: Final = (
    "printersettings", "obfuscatedfont", "fontdata", "font-ttf", "opentype", "vbaprojectsignature", "application/vnd.ms-excel.",
    "customproperty", "legacydiagramtext", "legacydoctextinfo", "application/binary",
)  # fmt: skip

# kind of relationship, folder of parts -> (code, choice of the policy); parts that go as a whole
_PARTS: Final = (
    ("custom-properties", "docprops/custom", "ooxml.properties", "properties"),
    ("customxml", "customxml/", "ooxml.custom-data", "properties"),
    ("printersettings", "", "ooxml.printer", "properties"),
    ("thumbnail", "docprops/thumbnail", "ooxml.thumbnail", "previews"),
    ("hdphoto", "", "ooxml.original", "previews"),
    ("people", "word/people", "ooxml.authors", "authors"),
    ("changesinfo", "ppt/changesinfos/", "ooxml.revisions", "revisions"),
    ("revisioninfo", "ppt/revisioninfo", "ooxml.revisions", "revisions"),
    ("", "[trash]/", "ooxml.revisions", "revisions"),  # ISO 29500-2 7.3.7: what a program once freed
)
_AUTHOR_LISTS: Final = ("commentauthors", "authors")
_CONNECTED: Final = ("connections", "querytable", "mailmergesource", "mailmergeheadersource", "mailmergerecipientdata")


class _Reading:
    """One package: its types, its relationships, and the layout's words about pictures."""

    def __init__(self, data: bytes, budget: Budget, cleaning: Cleaning) -> None:
        self.package = Package(data, budget)
        self.budget = budget
        self.cleaning = cleaning
        listed = self.package.part(TYPES_PART)
        self.types = types(listed) if listed is not None else Types({}, {}, {})
        self.relations = self._relations()
        self.to: dict[str, list[Relation]] = {}
        self.by_source: dict[str, list[Relation]] = {}
        for one in self.relations:
            self.by_source.setdefault(one.source, []).append(one)
            if not one.external:
                self.to.setdefault(one.target, []).append(one)
        self.cropped = set[str]()  # parts

    def _relations(self) -> list[Relation]:
        found: list[Relation] = []
        for name in self.package.index:
            if source_of(name) is not None and (text := self.package.part(name)) is not None:
                found += relations(name, text)
                if len(found) > MAX_RELATIONS:
                    raise TooBig("limit of relationships")
        return found

    def cells(self, name: str) -> bool:
        return self.types.of(name).endswith(_CELLS) or name.startswith(_CELL_FOLDERS)

    def is_xml(self, name: str) -> bool:
        return name.endswith((".xml", ".rels", ".vml")) or self.types.of(name).endswith("xml")

    # ---- the plan

    def plan(self) -> Plan:
        plan = Plan()
        if any(self.types.of(name).endswith(_SIGNATURE) or name.startswith("_xmlsignatures/sig") for name in self.package.index):
            plan.signed = "ooxml.signed"
        self._rules(plan)
        self._properties(plan)
        self._parts(plan)
        self._fields(plan)
        self._links(plan)
        for name, index in self.package.index.items():
            if self.types.of(name) == "application/vnd.ms-excel.comments":
                plan.note("ooxml.binary-part", index, Fate.STUCK)
        for target in sorted(self.cropped):
            plan.note("ooxml.cropped-picture", self.package.index[target], Fate.KEPT)
        return plan

    def _rules(self, plan: Plan) -> None:
        """What goes from the XML; the layout's words about pictures are read on the way."""
        table, sheets = ooxmlrules.rules(self.cleaning), ooxmlrules.sheet_rules(self.cleaning)
        printed = {one.source for one in self.relations if one.kind == "printersettings"}
        for name, index in self.package.index.items():
            cells = self.cells(name)
            if not self.is_xml(name) or name.endswith(".rels") or (cells and name not in printed):
                continue
            text = self.package.markup(index)
            if text is None:
                continue
            found = rules.edits(text, sheets if cells else table, ooxmlrules.SPACES, self.budget)
            for code, edit in found:
                plan.edit(code, index, edit)
            if name.startswith("xl/") and "comments" in name:
                plan.edit("ooxml.authors", index, *rules.spoken(text, [edit for _, edit in found], self.budget))
            if not cells:
                self._cropped(name, text)

    def _cropped(self, name: str, text: Markup) -> None:
        ids = set(evidence.cropped_ids(text, self.budget))
        if ids:
            own = (one for one in self.by_source.get(name, ()) if one.id in ids and not one.external)
            self.cropped |= {one.target for one in own if one.target in self.package.index}

    def _properties(self, plan: Plan) -> None:
        """Core and extended properties are emptied: programs expect the parts."""
        if not self.cleaning.properties:
            return
        for name, index in self.package.index.items():
            for folder, kind, root, emptied in properties.PARTS:
                text = self.package.markup(index) if self._is(name, kind, folder) else None
                if text is None or markup.root(text.text) != root:
                    continue
                if (new := emptied(text)) is not None:
                    plan.contents[index] = new
                    plan.note("ooxml.properties", index)
                break

    def _is(self, name: str, kind: str, folder: str) -> bool:
        if folder and name.startswith(folder) and source_of(name) is None:
            return True
        return any(one.kind == kind for one in self.to.get(name, ()))

    def _parts(self, plan: Plan) -> None:
        """Parts that go as a whole, with every word about them; one that is still spoken of stays."""
        goes = self._doomed()
        for name, code in goes.items():
            if not any(self._spoken(one, plan) for one in self.to.get(name, ()) if one.source not in goes):
                plan.drop.add(self.package.index[name])
                plan.note(code, self.package.index[name])
            elif code in ("ooxml.printer", "ooxml.authors") or name.startswith("customxml/"):
                plan.note(code, self.package.index[name], Fate.STUCK)
        dropped = {self.package.names[index] for index in plan.drop}
        plan.drop |= {self.package.index[rels] for name in dropped if (rels := rels_of(name)) in self.package.index}
        dropped = {self.package.names[index] for index in plan.drop}
        for name in dropped:
            for one in self.to.get(name, ()):
                if one.source not in dropped:
                    plan.edits.setdefault(self.package.index[one.rels], []).append(Edit(one.start, one.end, b""))
        if TYPES_PART in self.package.index:
            plan.edits.setdefault(self.package.index[TYPES_PART], []).extend(self.types.without(dropped))

    def _doomed(self) -> dict[str, str]:
        """Part -> code."""
        out: dict[str, str] = {}
        for kind, folder, code, choice in _PARTS:
            if getattr(self.cleaning, choice):
                out.update({name: code for name in self.package.index if self._is(name, kind, folder)})
        if self.cleaning.authors and not any("comment" in one.kind and one.kind != "commentauthors" for one in self.relations):
            out.update({name: "ooxml.authors" for name in self.package.index if self._author_list(name)})
        return out

    def _author_list(self, name: str) -> bool:
        return name.startswith("ppt/") and any(one.kind in _AUTHOR_LISTS for one in self.to.get(name, ()))

    def _spoken(self, relation: Relation, plan: Plan) -> bool:
        """Whether the source of a relationship still names it once the plan is carried out."""
        index = self.package.index.get(relation.source)
        if index is None or not relation.id:
            return False
        if not self.is_xml(relation.source):
            return relation.id.encode("utf-16-le") in self.package.content(index)
        text = self.package.markup(index)
        if text is None:
            return True
        edits = sorted(plan.edits.get(index, []))
        starts = [edit.start for edit in edits]
        for at in _places(text.text, relation.id, self.budget):
            before = bisect_right(starts, at) - 1
            if before < 0 or edits[before].end <= at:
                return True
        return False

    def _fields(self, plan: Plan) -> None:
        """Where properties go, fields of the text go on showing what they show."""
        if not any(code == "ooxml.properties" for code, _ in plan.notes):
            return
        for name, index in self.package.index.items():
            text = self.package.markup(index) if name.startswith("word/") and self.is_xml(name) else None
            if text is not None and b"instr" in text.shadow:
                plan.edits.setdefault(index, []).extend(fields.freed(text, ooxmlrules.SPACES, self.budget))

    def _links(self, plan: Plan) -> None:
        """Links into somebody's computer; where colleagues may follow them, into a file server, they stay."""
        number = 0
        for one in self.relations:
            index = self.package.index[one.rels]
            if one.kind in _CONNECTED:
                plan.note("ooxml.data-connection", index, Fate.KEPT)
            if not one.external or index in plan.drop:
                continue
            template = one.kind == "attachedtemplate" and one.target != "Normal.dotm"
            if not template and not names.local(one.target):
                continue
            number += 1
            if one.kind == "hyperlink" and names.network(one.target):
                plan.note("ooxml.local-path", index, Fate.KEPT)
            elif self.cleaning.properties:
                new = "Normal.dotm" if one.kind == "attachedtemplate" else f"removed-{number}{_extension(one.target)}"
                plan.edit("ooxml.local-path", index, Edit(one.value, one.close, new.encode()))

    # ---- members

    def seen(self, index: int, plan: Plan) -> Iterator[Member | Blocked]:
        """What one part holds."""
        name = self.package.names[index]
        text = self._large(index) if self.cells(name) else self.package.markup(index) if self.is_xml(name) else None
        if text is not None:
            yield from self.package.inside(index, text)
            return
        preview = index in plan.drop and plan.notes.get(("ooxml.thumbnail", index)) is not None
        if preview and not plan.signed and self.package.preview(index):
            return
        kind = self.types.of(name)
        codes, inline = self._evidence(name)
        known = name.startswith("[trash]/") or any(word in kind for word in _KNOWN)
        member = self.package.member(index, kind, inline, codes, known)
        if member is not None:
            yield member

    def _large(self, index: int) -> Markup | None:
        """Cells are not kept in memory once they were looked through."""
        return self.package.fresh(index)

    def _evidence(self, name: str) -> tuple[frozenset[str], bool]:
        """(codes, whether it is shown on a page)."""
        shown = [one for one in self.to.get(name, ()) if one.kind in _PICTURES]
        codes = {CROPPED} if name in self.cropped else set[str]()
        if shown and all(evidence.FURNITURE.search(one.source) for one in shown):
            codes.add(HEADER_FOOTER)
        return frozenset(codes), bool(shown)


def _places(text: bytes, id: str, budget: Budget) -> Iterator[int]:
    for quote in (b'"', b"'"):
        word = quote + id.encode() + quote
        at = text.find(word)
        while at >= 0:
            budget.tick()
            yield at
            at = text.find(word, at + 1)


def _extension(target: str) -> str:
    stem, dot, end = target.rpartition(".")
    return f".{end}" if dot and stem and len(end) <= 5 and end.isascii() and end.isalnum() else ""


DOCX, XLSX, PPTX, VSDX, OOXML = (Office(name, _Reading) for name in ("docx", "xlsx", "pptx", "vsdx", "ooxml"))
