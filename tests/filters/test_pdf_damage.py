"""PDF that lies, loops, nests or swells: a FilterError within the limits, never anything else."""

from __future__ import annotations

import zlib
from time import perf_counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from filters.api import Blocked, Budget, FilterError, Malformed, TooBig, Unsupported
from filters.budget import Limits
from filters.pdf import lexer, rawscan, streams
from filters.pdf.lexer import Lexer, Name, Ref, Word
from filters.pdf.opener import PDF
from tests.fuzz import pdf as harness
from tests.support.canary_images import photo_jpeg
from tests.support.samples.pdf import CONTAINERS, HEADER, Paper, drawn, image, page, samples

pytestmark = pytest.mark.unit


def everything(data: bytes, budget: Budget | None = None) -> None:
    for _ in PDF.open(data, budget or Budget()):
        pass


def survives(data: bytes) -> None:
    """Only FilterErrors come out."""
    try:
        everything(data)
        PDF.rebuild(data, {}, {}, Budget())
    except FilterError:
        pass


# ---- damage


def test_every_truncation_is_a_filter_error_or_an_answer() -> None:
    data = CONTAINERS["pdf"](photo_jpeg(1, (16, 12), gps=False), "jpg", lambda what: f"CANARY-{what}")
    for cut in range(0, len(data), 97):
        survives(data[:cut])


@given(st.data())
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_random_damage_raises_nothing_else(data: st.DataObject) -> None:
    base = bytearray(data.draw(st.sampled_from(harness.seeds())))
    for _ in range(data.draw(st.integers(1, 5))):
        at = data.draw(st.integers(0, len(base) - 1))
        if data.draw(st.booleans()):
            base[at] ^= 1 << data.draw(st.integers(0, 7))
        else:
            base[at : at + data.draw(st.integers(0, 20))] = data.draw(st.binary(max_size=12))
    harness.one(bytes(base))


@given(st.binary(max_size=200))
@settings(max_examples=200, deadline=None)
def test_the_lexer_and_the_scan_read_anything(data: bytes) -> None:
    reader = Lexer(data)
    try:
        for _ in range(300):
            reader.value()
    except Malformed:
        pass
    rawscan.scan(data, Budget())


# ---- loops and depth


@pytest.mark.parametrize(
    "body",
    [
        "<< /Type /Pages /Kids [1 0 R] /Count 1 >>",
        "<< /Type /Pages /Kids [2 0 R] /Count 1 /Parent 1 0 R >>",
        "1 0 R",
        "[" * 5000 + "]" * 5000,
        "<< /A " * 3000 + ">>" * 3000,
        "<< /Length 1 0 R >>\nstream\nx\nendstream",
        "<< /Type /ObjStm /N 99999999 /First 9 /Length 1 >>\nstream\nx\nendstream",
    ],
)
def test_loops_and_nesting_end(body: str) -> None:
    paper = Paper()
    paper.add(body)
    paper.add("<< /Type /Catalog /Pages 1 0 R >>")
    paper.trailer = "/Root 2 0 R"
    survives(paper.write())


def test_forms_that_draw_each_other_end() -> None:
    paper = Paper()
    both = "/Resources << /XObject << /A 1 0 R /B 2 0 R >> >>"
    for _ in range(2):
        paper.packed(b"/A Do /B Do " * 50, f"/Type /XObject /Subtype /Form /BBox [0 0 1 1] {both}")
    page(paper, b"/A Do", "/XObject << /A 1 0 R >>")
    start = perf_counter()
    everything(paper.write())
    assert perf_counter() - start < 3


def test_trees_of_names_that_loop_end() -> None:
    paper = Paper()
    tree = paper.add("<< /Kids [1 0 R] >>")
    stream = paper.packed(b"x", "/Type /EmbeddedFile")
    paper.add(f"<< /Type /Filespec /F (a) /EF << /F {stream} 0 R >> >>")
    page(paper, b"", "", catalog=f"/Names << /EmbeddedFiles {tree} 0 R >>")
    with pytest.raises(Malformed):
        PDF.rebuild(paper.write(), {}, {"file 2 0": "new.txt"}, Budget())


# ---- bombs


def test_a_stream_that_swells_is_too_big() -> None:
    paper = Paper()
    bomb = zlib.compress(bytes(12 << 20), 9)
    paper.stream(bomb, "/Filter /FlateDecode")
    page(paper, b"", "")
    with pytest.raises(TooBig):
        everything(paper.write())


def test_filters_upon_filters_are_too_big() -> None:
    paper = Paper()
    paper.stream(
        zlib.compress(zlib.compress(zlib.compress(bytes(30 << 20), 9), 9), 9), "/Filter [/FlateDecode /FlateDecode /FlateDecode]"
    )
    page(paper, b"", "")
    with pytest.raises(TooBig):
        everything(paper.write())


@pytest.mark.parametrize("kind", ["ObjStm", "XRef"])
def test_packed_objects_are_weighed_before_the_library_unpacks_them(kind: str) -> None:
    paper = Paper()
    entries = "/N 1 /First 4" if kind == "ObjStm" else "/W [1 2 1] /Size 9"
    paper.stream(zlib.compress(bytes(12 << 20), 9), f"/Type /{kind} {entries} /Filter /FlateDecode")
    page(paper, b"", "")
    with pytest.raises(TooBig):
        everything(paper.write())


def test_samples_are_never_unpacked() -> None:
    """A blank page of 20 megapixels costs its stored bytes only."""
    paper = Paper()
    data = zlib.compress(bytes(20 << 20), 9)
    paper.stream(
        data, "/Subtype /Image /Width 5120 /Height 4096 /ColorSpace /DeviceGray /BitsPerComponent 8 /Filter /FlateDecode"
    )
    page(paper, b"", "/XObject << /Im0 1 0 R >>")
    everything(paper.write(), Budget(Limits(total=1 << 20)))


def test_too_many_pictures_are_a_limit() -> None:
    paper = Paper()
    for number in range(60):
        samples(paper, 20 + number, 20)
    page(paper, b"", "")
    with pytest.raises(TooBig):
        everything(paper.write(), Budget(Limits(members=50)))


def test_a_file_of_nothing_but_objects_ends_in_time() -> None:
    data = HEADER + b"1 0 obj\n" * 50_000 + b"startxref\n0\n%%EOF"
    start = perf_counter()
    survives(data)
    assert perf_counter() - start < 10


@pytest.mark.parametrize(
    "word", [b"obj ", b"1 0 obj << >> stream\n", b"BI /W 1 /H 1 ID ", b"%" * 40, b"( ", b"<<", b"xref 0 1 ", b"\xff\xd8\xff "]
)
def test_scans_are_linear(word: bytes) -> None:
    """Four times the input must not cost sixteen times the time."""
    paper = Paper()
    paper.packed(word * (100_000 // len(word)))
    page(paper, b"/Im0 Do " + word * 20_000, "/XObject << /Im0 99 0 R >>")
    raw = paper.write() + word * (200_000 // len(word))
    start = perf_counter()
    survives(raw)
    assert perf_counter() - start < 6


# ---- the parts


def test_values_are_read_as_the_standard_writes_them() -> None:
    text = rb"<< /A#42 12 /C [1 0 R -3 .5 (a\)b(c)) <4 1> true] % remark" + b"\n/D << /E /F >> >>"
    assert dict(lexer.dictionary(text, 0)) == {
        "AB": 12,
        "C": [Ref(1, 0), -3, 0.5, rb"a\)b(c)", b"A", Word(b"true")],
        "D": {"E": Name("F")},
    }


def test_filters_are_undone() -> None:
    plain = b"abcabcabc" * 50 + bytes(range(256))
    cases = {
        "ASCIIHexDecode": plain.hex().encode() + b">",
        "RunLengthDecode": b"".join(
            bytes((len(part) - 1,)) + part for part in (plain[i : i + 100] for i in range(0, len(plain), 100))
        )
        + b"\x80",
        "FlateDecode": zlib.compress(plain)[:-4],  # without its checksum, as some writers leave it
        "LZWDecode": lzw(plain),
    }
    for name, raw in cases.items():
        assert streams.unwrap(raw, (name,), Budget()) == plain
    with pytest.raises(Unsupported):
        streams.unwrap(b"", ("Oink",), Budget())


def lzw(data: bytes) -> bytes:
    """ISO 32000-2, 7.4.4, by the book."""
    table = {bytes((i,)): i for i in range(256)}
    out, width, word = [(256, 9)], 9, b""
    for i in range(len(data)):
        longer = word + data[i : i + 1]
        if longer in table:
            word = longer
            continue
        out.append((table[word], width))
        table[longer] = len(table) + 2
        width = max(9, (len(table) + 2).bit_length())
        word = data[i : i + 1]
    out += [(table[word], width), (257, max(9, (len(table) + 3).bit_length()))]
    bits = "".join(f"{code:0{size}b}" for code, size in out)
    return int(bits.ljust(-(-len(bits) // 8) * 8, "0"), 2).to_bytes(-(-len(bits) // 8), "big")


def test_an_undecodable_stream_is_blocked_not_overlooked() -> None:
    paper = Paper()
    paper.stream(b"abc", "/Filter /Oink")
    image(paper, photo_jpeg(1, (40, 24)))
    page(paper, b"", "")
    assert any(isinstance(one, Blocked) for one in PDF.open(paper.write(), Budget()))


def test_a_header_that_stands_late_shifts_the_table() -> None:
    """Offsets count from the header or from the front of the file; both ways no object is taken for hidden."""
    data = b"\n" * 100 + drawn(photo_jpeg(1, (40, 24)))
    assert not [one for one in PDF.open(data, Budget()) if getattr(one, "code", "") == "pdf.hidden-stream"]


# ---- found by mutation


def test_a_string_that_holds_the_end_of_an_object_is_no_gap() -> None:
    """Symptom: after a rebuild "pdf.comment" was still there.  Cause: the scan ended the object inside its own string."""
    for words in ("endobj", "x\nendobj\n7 0 obj\n<<", "\nendstream endobj % note"):
        paper = Paper()
        page(paper, b"q Q", "", f"/Annots [<< /Subtype /Text /Rect [0 0 9 9] /Contents ({words}) >>]")
        paper.trailer += f" /Odd ({words})"
        harness.one(paper.write())
        again = PDF.rebuild(paper.write(), {}, {}, Budget())
        assert not [one for one in PDF.open(again, Budget()) if getattr(one, "code", "") == "pdf.comment"]


def test_numbers_where_tables_belong() -> None:
    """Symptom: AttributeError.  Cause: /XObject and /Resources were asked whether they are indirect, being numbers."""
    for resources in ("/XObject 5", "/XObject [1 2]", "/XObject (a)", "/XObject null"):
        paper = Paper()
        page(paper, b"/Im0 Do", resources)
        harness.one(paper.write())
        harness.one(paper.write().replace(f"/Resources << {resources} >>".encode(), b"/Resources 7"))


def test_a_version_of_many_digits_is_no_comment() -> None:
    harness.one(drawn(photo_jpeg(1, (16, 12), gps=False)).replace(b"%PDF-1.7", b"%PDF-2147483648.3"))


def test_a_document_that_cannot_be_read_again_is_not_written() -> None:
    """Symptom: a rebuilt file that no reader opens.  Cause: the tree of pages was lost with a damaged table."""
    paper = Paper()
    paper.add("<< /Type /Catalog /Pages 9 0 R >>")
    paper.trailer = "/Root 1 0 R"
    with pytest.raises(FilterError):
        PDF.rebuild(paper.write(), {}, {}, Budget())
