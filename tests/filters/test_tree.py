"""The tree: what stands in a file is judged, cleaned and checked like the file itself, and nothing is passed over."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pytest

from filters.api import STRICT, Blocked, Budget, Cleaning, Fate, Finding, ImageInfo, Member, OpaqueReason, Seen, TooBig
from filters.budget import Limits
from filters.registry import OPENERS, SCRUBBERS
from filters.tree import READ_ONLY, SIGNED, Label, Node, Tools, changes, clean, examine, leftover, undecorated
from tests.support.canary_images import photo_jpeg

pytestmark = pytest.mark.unit
PHOTO = photo_jpeg(1, (40, 30))
CLEAN = SCRUBBERS["jpeg"].scrub(PHOTO).data


def zipped(*members: tuple[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members:
            archive.writestr(zipfile.ZipInfo(name), data)
    return out.getvalue()


BOX = zipped(("a", b"b"))  # sniffed as zip; what is in it, the opener below says


@dataclass
class Box:
    """A container whose content the test says."""

    seen: tuple[Seen, ...]
    rebuilds: bool = True
    name: str = "zip"
    native: bool = False

    def open(self, data: bytes, budget: Budget, cleaning: Cleaning = STRICT) -> Iterator[Seen]:
        yield from self.seen

    def rebuild(
        self, data: bytes, changes: Mapping[str, bytes], names: Mapping[str, str], budget: Budget, cleaning: Cleaning = STRICT
    ) -> bytes:
        return b"rebuilt" + b"".join(changes.values())


def box(*seen: Seen, rebuilds: bool = True, **options: object) -> tuple[Node, Tools]:
    tools = Tools(openers={**OPENERS, "zip": Box(seen, rebuilds)}, **options)  # type: ignore[arg-type]  # test options
    return examine(BOX, tools, Budget()), tools


def test_a_picture_in_a_container_is_cleaned_and_its_hash_is_told() -> None:
    node, tools = box(Member("one", PHOTO), Member("two", b"words"))
    done = clean(BOX, node, tools, Budget())
    assert done.data == b"rebuilt" + CLEAN
    assert list(done.hashes) == [node.children[0].sha256]
    assert {where for where, _ in done.removed} == {"1"}


@pytest.mark.parametrize("rebuilds", [True, False])
def test_a_clean_picture_changes_nothing(rebuilds: bool) -> None:
    node, tools = box(Member("one", CLEAN), rebuilds=rebuilds)
    assert not changes(node)
    assert clean(BOX, node, tools, Budget()).data is BOX
    assert node.children[0].clinical


@pytest.mark.parametrize(
    ("seen", "rebuilds", "code"),
    [((), False, READ_ONLY), ((Finding("pdf.signed", "x", Fate.KEPT),), True, SIGNED)],
)
def test_what_cannot_be_changed_is_unreadable_when_it_would_have_to(seen: tuple[Seen, ...], rebuilds: bool, code: str) -> None:
    """Never "cleaned" by leaving it as it is."""
    node, _ = box(Member("one", PHOTO), *seen, rebuilds=rebuilds)
    assert node.children[0].opaque is OpaqueReason.NOT_SUPPORTED
    assert code in node.children[0].codes
    still, _ = box(Member("one", CLEAN), *seen, rebuilds=rebuilds)
    assert still.children[0].opaque is None


@pytest.mark.parametrize("fate", [Fate.REMOVED, Fate.STUCK])
def test_metadata_around_a_clinical_picture_goes_and_around_others_stays(fate: Fate) -> None:
    """P3: a document without a clinical picture is nobody's business."""
    finding = Finding("zip.comment", "end", fate)
    assert changes(box(Member("one", CLEAN), finding)[0])
    assert not changes(box(Member("one", b"words"), finding)[0])
    assert changes(box(Member("one", b"words"), finding)[0], thorough=True)
    assert not changes(box(Member("one", CLEAN), finding, judge=lambda node, data: "decorative.icon" if node.info else None)[0])


def test_what_is_blocked_makes_the_container_unreadable() -> None:
    node, _ = box(Blocked("zip.gap", OpaqueReason.ENCRYPTED), Blocked("zip.gap", OpaqueReason.CORRUPT), Member("one", CLEAN))
    assert node.opaque is OpaqueReason.CORRUPT, "the strictest reason counts"
    assert "zip.gap" in node.codes


def test_an_opaque_member_is_a_node_and_two_of_them_are_not_taken_for_one() -> None:
    node, _ = box(Member("one", b"", opaque=OpaqueReason.ENCRYPTED), Member("two", b"", opaque=OpaqueReason.ENCRYPTED))
    assert [child.opaque for child in node.children] == [OpaqueReason.ENCRYPTED] * 2
    assert len({child.sha256 for child in node.children}) == 2


def test_samples_are_pictures_that_are_never_scrubbed() -> None:
    node, tools = box(Member("one", b"samples", info=ImageInfo(400, 300, 8)))
    assert node.children[0].clinical
    assert clean(BOX, node, tools, Budget()).data is BOX


def test_names_are_given_to_pictures_and_to_what_holds_them() -> None:
    inner = zipped(("Smith.jpg", CLEAN))
    data = zipped(("Smith.zip", inner), ("notes.txt", b"words"))
    node = examine(data, Tools(), Budget())
    done = clean(data, node, Tools(), Budget(), lambda one: f"{one.where.replace('/', '-')}.x")
    with zipfile.ZipFile(io.BytesIO(done.data)) as archive:
        assert archive.namelist() == ["1.x", "notes.txt"]
        with zipfile.ZipFile(io.BytesIO(archive.read("1.x"))) as deeper:
            assert deeper.namelist() == ["1-1.x"]


def test_limits_end_in_unreadable_nodes_and_never_in_an_exception() -> None:
    deep = CLEAN
    for _ in range(10):
        deep = zipped(("x", deep))
    many = zipped(*((str(number), b"words") for number in range(50)))
    one = zipped(("x", PHOTO))
    for data, limits in ((deep, Limits()), (many, Limits(members=20)), (one, Limits(pixels=10)), (many, Limits(total=3))):
        node = examine(data, Tools(), Budget(limits))
        assert OpaqueReason.LIMIT in {found.opaque for found in node.walk()}
    late = examine(one, Tools(), Budget(Limits(), lambda: True))
    assert OpaqueReason.LIMIT in {found.opaque for found in late.walk()}
    with pytest.raises(TooBig):
        Budget(Limits(total=10)).grow(11)


def test_nothing_is_left_after_cleaning_and_something_before() -> None:
    data = zipped(("x", zipped(("y", PHOTO))))
    node = examine(data, Tools(), Budget())
    assert leftover(data, node, Tools())
    made = clean(data, node, Tools(), Budget()).data
    assert not leftover(made, examine(made, Tools(), Budget()), Tools())
    assert leftover(PHOTO, examine(PHOTO, Tools(), Budget()), Tools())
    assert not leftover(CLEAN, examine(CLEAN, Tools(), Budget()), Tools())


def test_too_many_icons_are_pictures_again_also_in_what_cannot_be_changed() -> None:
    tools = {"judge": lambda node, data: "decorative.icon" if node.info else None}
    node, _ = box(Member("one", PHOTO), rebuilds=True, **tools)
    assert undecorated(node, "decorative.icon").children[0].clinical
    fixed, _ = box(Member("one", PHOTO), rebuilds=False, **tools)
    assert undecorated(fixed, "decorative.icon").children[0].opaque is OpaqueReason.NOT_SUPPORTED
    assert undecorated(fixed, "decorative.known-logo") == fixed


def test_a_label_decides_what_a_text_is_and_nothing_else() -> None:
    mail = b"From: a@b.example\r\nSubject: x\r\n\r\nwords\r\n"
    assert examine(mail, Tools(), Budget(), Label("x.eml")).sniffed.format == "eml"
    assert examine(mail, Tools(), Budget(), Label("x.txt")).sniffed.format == "text"
    assert examine(PHOTO, Tools(), Budget(), Label("x.eml", "message/rfc822")).sniffed.format == "jpeg"
