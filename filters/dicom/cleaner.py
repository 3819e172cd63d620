"""Cleans the elements of a data set at every level of nesting.  Nothing of the input is changed: new elements are made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from filters.api import Fate, Finding, Malformed, Unsupported
from filters.dicom import dates, naming, profile, terms, uids, vr, words
from filters.dicom.element import Element, Item, find, text
from filters.dicom.profile import Act
from filters.metadata import icc

_CODE_VALUES = (0x00080100, 0x00080119, 0x00080120)
_SCHEME, _VERSION, _MEANING = 0x00080102, 0x00080103, 0x00080104
_CODE_TEXTS = frozenset((*_CODE_VALUES, _SCHEME, _VERSION, _MEANING))
_CONTENT, _VALUE_TYPE, _MEASURED = 0x0040A730, 0x0040A040, 0x0040A300
_TELLING = frozenset((0x0040A043, 0x0040A168, _MEASURED, 0x004008EA))  # what a content item says; without it it says nothing
_SHOWABLE = frozenset(("CONTAINER", "CODE", "NUM", "IMAGE", "COMPOSITE", "WAVEFORM", "SCOORD", "SCOORD3D", "TCOORD", "UIDREF"))
_DATED = frozenset(("DATE", "TIME", "DATETIME"))
# SOP classes, of which makers have their own
_CLASSES = frozenset((0x00080016, 0x0008001A, 0x0008001B, 0x00080062, 0x00081150, 0x0008115A))
_ICC = 0x00282000
_PIXEL_GROUPS = frozenset((0x0028, 0x7FE0))
_TOP_ONLY = frozenset(range(0x7FE00001, 0x7FE00040))
_DUMMIES = {**dates.DUMMIES, "PN": "Anonymous", "AS": "000Y", "DS": "0", "IS": "0"}


@dataclass(slots=True)
class Cleaner:
    """One cleaning under one set of options.  ``back``: days by which dates move, 0 to look only."""

    options: frozenset[int]
    key: bytes = field(repr=False)
    back: int = 0
    findings: dict[tuple[str, int], Finding] = field(default_factory=dict)
    dates: list[str] = field(default_factory=list, repr=False)  # all dates that may move, as they stand afterwards

    def clean(self, elements: Sequence[Element], *, top: bool = True) -> list[Element]:
        """The elements that stay.  Raises FilterError."""
        out: dict[int, Element] = {}
        for element in elements:
            if element.tag & 0xFFFF == 0 and not element.tag >> 16 & 1:
                continue  # group lengths: retired, and no longer true
            done = self._element(element, top)
            if done is None:
                continue
            if element.tag in out:
                raise Malformed("an element that stands twice")
            out[element.tag] = done
        return list(out.values())

    def note(self, element: Element, code: str = "", fate: Fate = Fate.REMOVED) -> None:
        """Remember a finding, once for each attribute."""
        code = code or naming.code(element.tag, element.vr)
        self.findings.setdefault((code, element.tag), Finding(code, element.where, fate))

    # ---- one element

    def _element(self, element: Element, top: bool) -> Element | None:
        tag = element.tag
        if profile.gone(tag) or (tag in _TOP_ONLY and not top):
            return self._none(element)
        if not (element.vr == "UN" or vr.fits(tag, element.vr)):
            if tag >> 16 in _PIXEL_GROUPS:
                raise Malformed("value representation of a pixel attribute")
            return self._none(element, "dicom.bad-value")
        kind = vr.guess(tag) if element.vr == "UN" else element.vr
        if (kind == "SQ") != (element.items is not None):
            return self._none(element, "dicom.bad-value")
        return self._done(element, profile.act(tag, kind, self.options), kind)

    def _done(self, element: Element, act: Act, kind: str) -> Element | None:
        if act is Act.REMOVE:
            return self._none(element)
        if act is Act.EMPTY:
            return self._emptied(element)
        if act is Act.DEEPER:
            return self._deeper(element)
        if act is Act.DUMMY:
            return self._dummy(element, kind)
        if act is Act.UID:
            return self._uids(element)
        if act is Act.WORDS:
            return self._words(element, kind)
        if act is Act.SHIFT:
            return self._shifted(element, kind)
        return self._kept(element, kind)

    def _none(self, element: Element, code: str = "") -> Element | None:
        self.note(element, code)
        return None

    def _emptied(self, element: Element) -> Element:
        if not element.value and not element.items:
            return element
        self.note(element)
        return replace(element, value=b"", items=None if element.items is None else [])

    def _dummy(self, element: Element, kind: str) -> Element | None:
        if not element.value:
            return element
        if kind in vr.OPAQUE or kind in ("AT", "FD", "FL", "SL", "SS", "UL", "US"):
            return self._none(element)
        return self._text(element, _DUMMIES.get(kind, "REMOVED"))

    def _text(self, element: Element, wanted: str, code: str = "") -> Element:
        """The element with another text; itself when it says that already."""
        if element.text() == wanted:
            return element
        self.note(element, code)
        blank = b" " if vr.guess(element.tag) in vr.SPACED else b"\0"
        return replace(element, value=wanted.encode("ascii", "replace") + blank * (len(wanted) & 1))

    def _uids(self, element: Element) -> Element:
        old = element.text()
        return self._text(element, "\\".join(self._uid(one.strip(" \0"), element.tag) for one in old.split("\\")))

    def _uid(self, uid: str, tag: int) -> str:
        if not uid or uids.standard(uid) or uids.made(uid) or (tag in _CLASSES and uids.makers(uid)):
            return uid
        return uids.renew(uid, self.key)

    def _words(self, element: Element, kind: str) -> Element | None:
        if kind not in vr.TEXT and kind != "CS":
            return self._done(element, profile.without(element.tag), kind)
        old = element.text()
        kept = words.clean(old)
        if not kept and old:
            return self._done(element, profile.without(element.tag), kind)
        return self._text(element, kept)

    def _shifted(self, element: Element, kind: str) -> Element | None:
        if kind not in vr.DATES:
            return self._done(element, profile.without(element.tag), kind)
        moved = "\\".join(dates.shift(kind, one.strip(" "), self.back) for one in element.text().split("\\"))
        self.dates.append(moved)
        return self._text(element, moved)

    def _kept(self, element: Element, kind: str) -> Element | None:
        if element.fragments is not None:
            return element
        if element.tag == _ICC:
            return self._profile(element)
        if vr.sound(kind, element.value):
            return element
        if kind == "CS" and (kept := _sound_parts(element.text())).strip("\\"):
            return self._text(element, kept, "dicom.bad-value")
        return self._none(element, "dicom.bad-value")

    def _profile(self, element: Element) -> Element | None:
        old = bytes(element.value)
        cleaned = icc.clean(old)
        if cleaned.data is None:
            return self._none(element)
        if cleaned.code:
            self.note(element, cleaned.code)
        return element if cleaned.data is old else replace(element, value=cleaned.data)

    # ---- sequences

    def _deeper(self, element: Element) -> Element | None:
        assert element.items is not None
        done = [self._item(item, element) for item in element.items]
        items = [item for item in done if item is not None]
        if len(items) == len(element.items) and all(new is old for new, old in zip(items, element.items, strict=True)):
            return element
        if element.items and not items:
            return None  # most sequences may be absent, but not empty
        return replace(element, items=items)

    def _item(self, item: Item, parent: Element) -> Item | None:
        elements = item.elements
        if any(element.tag in _CODE_TEXTS for element in elements):
            return self._coded(item, parent)
        if parent.tag == _CONTENT and not self._may_show(text(elements, _VALUE_TYPE)):
            self.note(parent, "dicom.content")
            return None
        done = self.clean(elements, top=False)
        if parent.tag in (_CONTENT, _MEASURED) and _emptied(elements, done):
            self.note(parent, "dicom.content")
            return None
        return _with(item, done)

    def _may_show(self, value_type: str) -> bool:
        dated = bool(self.options & {profile.FULL_DATES, profile.MODIFIED_DATES})
        return value_type in _SHOWABLE or (dated and value_type in _DATED)

    def _coded(self, item: Item, parent: Element) -> Item | None:
        """An item that names a coded term: the term of a public list in that list's wording, or nothing."""
        elements = item.elements
        code = next((told for tag in _CODE_VALUES if (told := text(elements, tag))), "")
        wording = terms.wording(text(elements, _SCHEME), code, text(elements, _MEANING))
        if wording is None:
            self.note(parent, "dicom.code")
            return None
        plain = [element for element in elements if element.tag not in _CODE_TEXTS]
        done = self.clean(plain, top=False)
        for element in elements:
            if element.tag == _MEANING:
                done.append(self._text(element, wording, "dicom.code"))
            elif element.tag == _VERSION and not terms.VERSION.fullmatch(element.text()):
                self.note(element, "dicom.code")
            elif element.tag in _CODE_TEXTS:
                done.append(element)
        return _with(item, sorted(done, key=lambda element: element.tag))


def _sound_parts(value: str) -> str:
    """The values that are code strings, in their places."""
    return "\\".join(part if vr.sound("CS", part.encode("latin-1")) else "" for part in value.split("\\"))


def _emptied(before: Sequence[Element], after: Sequence[Element]) -> bool:
    """A part that the item cannot do without had items and has none."""
    return any(
        element.tag in _TELLING and element.items and not ((now := find(after, element.tag)) and now.items) for element in before
    )


def _with(item: Item, elements: list[Element]) -> Item:
    """The item with these elements; itself when they are its own."""
    if len(elements) == len(item.elements) and all(new is old for new, old in zip(elements, item.elements, strict=True)):
        return item
    return Item(elements, item.undefined)


def _tells(content: Element) -> bool:
    """Something but headings stands in the content of a report."""
    for item in content.items or []:
        below = find(item.elements, _CONTENT)
        if text(item.elements, _VALUE_TYPE) != "CONTAINER" or (below is not None and _tells(below)):
            return True
    return False


def check_content(before: Sequence[Element], after: Sequence[Element]) -> bool:
    """Whether content of a structured report stays.  Raises Unsupported when there was some and none may stay."""
    old, new = find(before, _CONTENT), find(after, _CONTENT)
    if old is None or not old.items:
        return False
    if new is None or not _tells(new):
        raise Unsupported("a report of which nothing may stay")
    return True
