"""Damaged and hostile office documents: only a FilterError, soon, within the limits."""

from __future__ import annotations

import io
import zipfile
import zlib
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filters.api import STRICT, Budget, Encrypted, FilterError, Finding, Malformed, TooBig, Unsupported
from filters.budget import Limits
from filters.documents import markup
from filters.registry import OPENERS
from filters.sniff import sniff
from tests.support import documents_kit as kit
from tests.support.canary_images import jpeg_with_canaries, photo_jpeg
from tests.support.office_parts import relations
from tests.support.samples.documents import CONTAINERS, docx

pytestmark = pytest.mark.unit


def plain(what: str) -> str:
    return what.replace(" ", "-")


@cache
def sample(name: str) -> bytes:
    return CONTAINERS[name](jpeg_with_canaries("CANARY-picture", size=(40, 24)), "jpg", plain)


# ---- what is refused


def test_signed_documents_are_not_touched() -> None:
    """The finding says so, nothing is promised to be removed, and a rebuild refuses."""
    signatures = {
        "docx": {"_xmlsignatures/sig1.xml": b"<Signature/>"},
        "odt": {"META-INF/documentsignatures.xml": b"<document-signatures><Signature/></document-signatures>"},
    }
    for name, extra in signatures.items():
        data = kit.altered(sample(name), dict(extra))
        codes = {one.code for one in kit.seen(data) if isinstance(one, Finding)}
        assert any(code.endswith(".signed") for code in codes)
        assert kit.removed(data) == set()
        with pytest.raises(Unsupported):
            OPENERS[name].rebuild(data, {}, {}, Budget())


def test_encrypted_opendocument() -> None:
    """The manifest says so."""
    manifest = kit.parts(sample("odt"))["META-INF/manifest.xml"].replace(
        b"</manifest:manifest>", b"<manifest:encryption-data/></manifest:manifest>"
    )
    with pytest.raises(Encrypted):
        kit.seen(kit.altered(sample("odt"), {"META-INF/manifest.xml": manifest}))


@pytest.mark.parametrize("name", CONTAINERS)
def test_entities_are_refused(name: str) -> None:
    """A document type that declares something is a bomb or a thief; a bare one, as LibreOffice writes, is nothing."""
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]>'
    for declared, refused in ((bomb, True), (b'<!DOCTYPE x PUBLIC "-//A//B" "x.dtd">', False)):
        data = sample(name)
        if data.startswith(b"PK"):
            part = next(
                one
                for one in ("word/document.xml", "xl/workbook.xml", "ppt/presentation.xml", "content.xml")
                if one in kit.parts(data)
            )
            data = kit.altered(data, {part: kit.parts(data)[part].replace(b"?>", b"?>" + declared, 1)})
        else:
            data = data.replace(b"?>", b"?>" + declared, 1)
        if refused:
            with pytest.raises(Malformed):
                kit.seen(data)
        else:
            assert kit.members(data)


def test_two_kinds_in_one_package_are_refused() -> None:
    """Word and LibreOffice would show different documents."""
    both = {**kit.parts(sample("odt")), "META-INF/manifest.xml": kit.parts(sample("odt"))["META-INF/manifest.xml"]}
    with pytest.raises(Malformed):
        kit.seen(kit.altered(sample("docx"), dict(both)))


def test_parts_of_one_name_in_other_case_are_refused() -> None:
    """Names of parts are compared without case (ISO 29500-2 6.2.2.3)."""
    with pytest.raises(Malformed):
        kit.seen(kit.altered(sample("docx"), {"WORD/Document.xml": b"<x/>"}))


@pytest.mark.parametrize("target", ("word/document.xml", "docProps/app.xml", "word/media/inner1.jpg", "nowhere.xml"))
@pytest.mark.parametrize("kind", ("extended-properties", "metadata/core-properties", "metadata/thumbnail", "customXml", "people"))
def test_relationships_that_lie(kind: str, target: str) -> None:
    """Symptom: the body, called the properties of the document, was emptied or found unclean for ever.

    Cause: the kind of a relationship was believed.  What a part is says its root element.
    """
    rels = relations(("officeDocument", "word/document.xml", ""), (f"http://example.org/{kind}", target, "")).encode()
    out = kit.cleaned(kit.altered(sample("docx"), {"_rels/.rels": rels}))
    assert kit.removed(out) == set()
    assert "word/document.xml" not in kit.parts(out) or b"Seen in clinic" in kit.parts(out)["word/document.xml"]


def test_a_part_with_two_names_is_refused() -> None:
    """Symptom: two programs showed two documents.  Cause: an extra field gives a part another name than its header."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        for name, content in kit.parts(sample("docx")).items():
            info = zipfile.ZipInfo(name)
            if name == "word/comments.xml":
                other = b"\x01" + zlib.crc32(name.encode()).to_bytes(4, "little") + b"word/document2.xml"
                info.extra = b"up" + len(other).to_bytes(2, "little") + other
            made.writestr(info, content)
    with pytest.raises(Malformed):
        kit.seen(out.getvalue())


@pytest.mark.parametrize("encoding", ("utf-16-le", "utf-16-be"))
def test_parts_in_utf_16(encoding: str) -> None:
    """They are cleaned in their own encoding."""
    mark = b"\xff\xfe" if encoding == "utf-16-le" else b"\xfe\xff"
    part = kit.parts(sample("docx"))["word/comments.xml"].decode().replace('"UTF-8"', '"UTF-16"')
    data = kit.altered(sample("docx"), {"word/comments.xml": mark + part.encode(encoding)})
    out = kit.parts(kit.cleaned(data))["word/comments.xml"]
    assert out.startswith(mark)
    assert "comment-author" not in out[2:].decode(encoding)
    assert 'w:author="Author"' in out[2:].decode(encoding)


def test_namespaces_are_followed_not_prefixes() -> None:
    """Another prefix for the same vocabulary is cleaned, the same prefix for another one is not."""
    part = kit.parts(sample("docx"))["word/comments.xml"]
    other = part.replace(b"w:", b"zz:").replace(b"xmlns:w=", b"xmlns:zz=")
    foreign = b'<x xmlns:w="urn:else" w:author="Dr Example"/>'
    out = kit.parts(kit.cleaned(kit.altered(sample("docx"), {"word/comments.xml": other, "word/any.xml": foreign})))
    assert b"comment-author" not in out["word/comments.xml"]
    assert out["word/any.xml"] == foreign


def test_words_in_the_text_that_look_like_attributes_stay() -> None:
    """Only tags are edited: not text, not CDATA, not comments."""
    text = (
        '<w:r><w:t> w:author="Dr Example" w:rsidR="1"</w:t></w:r>'
        '<!-- <w:p w:author="Dr Example"> --><![CDATA[ <w:p w:rsidR="1"> ]]>'
    )
    document = kit.parts(kit.cleaned(docx(photo_jpeg(1, (48, 32)), "jpg", plain, text)))["word/document.xml"]
    assert text.encode() in document


# ---- damage and bombs


@pytest.mark.parametrize("name", CONTAINERS)
@pytest.mark.slow
def test_damage_raises_nothing_but_filter_errors(name: str) -> None:
    """Cut at many places and with bits flipped."""
    data = sample(name)
    for step in range(0, len(data), max(1, len(data) // 40)):
        flipped = data[:step] + bytes((data[step] ^ 0x55,)) + data[step + 1 :]
        for damaged in (data[:step], flipped):
            try:
                list(OPENERS[sniff(data).format].open(damaged, Budget()))
                OPENERS[sniff(data).format].rebuild(damaged, {}, {}, Budget())
            except FilterError:
                pass


@pytest.mark.parametrize("name", CONTAINERS)
@pytest.mark.parametrize("key", ("part@99999", "part@x", "blob@9", "blob@", "part@0/blob@7", "part@0/blob@x", "../x", ""))
def test_keys_that_no_member_has(name: str, key: str) -> None:
    """A mistake of the caller is an error, not a silent loss."""
    with pytest.raises(Malformed):
        OPENERS[sniff(sample(name)).format].rebuild(sample(name), {key: b"x"}, {}, Budget())


def test_a_bomb_ends_at_the_ratio_of_the_package() -> None:
    """Previews compress a thousandfold and pass; a package that is nothing else does not."""
    zeros = bytes(40 << 20)
    with pytest.raises(TooBig):
        kit.seen(kit.altered(sample("docx"), {"word/media/image2.emf": zeros}))
    with pytest.raises(TooBig):
        list(OPENERS["docx"].open(sample("docx"), Budget(Limits(total=1000))))
    with pytest.raises(TooBig):
        list(OPENERS["docx"].open(sample("docx"), Budget(expired=lambda: True)))


@pytest.mark.parametrize(
    "hostile",
    (
        b"<w:rsids>" * 60_000,
        b'<w:p w:rsidR="1"' * 60_000,
        b' w:rsidR="1"' * 60_000,
        b"<w:a>" * 200_000,
        b"<!--" + b"<" * 500_000,
        b'<a:srcRect l="1"/>' * 30_000,
        b'<v:shape o:gfxdata="AAAA"/>' * 3_000,
        b"data:;base64," * 20_000,
        b"'\"" * 200_000,
    ),
)
@pytest.mark.slow
def test_hostile_xml_takes_linear_time(hostile: bytes) -> None:
    """Whatever it is, it is over at once."""
    content = kit.parts(sample("docx"))["word/document.xml"].replace(b"<w:body>", b"<w:body>" + hostile)
    data = kit.altered(sample("docx"), {"word/document.xml": content, "word/noise.bin": photo_jpeg(5, (400, 300))})
    try:
        kit.seen(data)
        OPENERS["docx"].rebuild(data, {}, {}, Budget(), STRICT)
    except FilterError:
        pass


def test_very_many_relationships_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """All of them about one part."""
    monkeypatch.setattr("filters.documents.ooxml.MAX_RELATIONS", 3000)
    for count, ends in ((2000, False), (4000, True)):
        rows = relations(*[("customXml", "../customXml/item1.xml", "")] * count).encode()
        data = kit.altered(sample("docx"), {"word/_rels/document.xml.rels": rows})
        if ends:
            with pytest.raises(TooBig):
                kit.seen(data)
        else:
            assert kit.members(data)


_PIECES = st.sampled_from(
    (
        b"<",
        b">",
        b"/",
        b"a",
        b"w:p",
        b" w:author=",
        b'"',
        b"'",
        b"<!--",
        b"-->",
        b"<![CDATA[",
        b"]]>",
        b"<?",
        b"?>",
        b" ",
        b"=",
        b"x",
    )
)


@given(st.lists(_PIECES, max_size=60).map(b"".join))
@settings(max_examples=120, deadline=None)
def test_tags_of_anything(text: bytes) -> None:
    """Every tag found lies inside the text, one behind the other; nothing but Malformed is raised."""
    try:
        read = markup.read(b"<r>" + text + b"</r>")
    except Malformed:
        return
    at = 0
    assert len(read.shadow) == len(read.text)
    for tag in markup.tags(read.shadow):
        assert at <= tag.start < tag.end <= len(read.text)
        at = tag.end
    assert read.apply([]) == read.text


@given(st.integers(0, 40), st.binary(min_size=1, max_size=40), st.integers(0, 10**6))
@settings(max_examples=40, deadline=None)
@pytest.mark.slow
def test_parts_with_anything_in_them(number: int, noise: bytes, at: int) -> None:
    """One part of a sound package is damaged: what comes out is clean or nothing comes out."""
    name = tuple(CONTAINERS)[number % 7]
    content = kit.parts(sample(name))
    part = sorted(content)[number % len(content)]
    place = at % (len(content[part]) + 1)
    damaged = content[part][:place] + noise + content[part][place:]
    data = kit.altered(sample(name), {part: damaged})
    try:
        out = kit.cleaned(data)
        assert kit.removed(out) == set()
    except FilterError:
        pass
