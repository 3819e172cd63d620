"""filters.markup.svg: what draws nothing goes, what draws keeps its bytes, pictures inside are members."""

from __future__ import annotations

import base64
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filters.api import Blocked, Budget, Fate, FilterError, Finding, Malformed, Member, Nature, TooBig, Unsupported
from filters.catalogue import CODES
from filters.markup.svg import SVG, drawing
from filters.sniff import sniff
from tests.support.samples import markup

pytestmark = pytest.mark.unit

NS = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + bytes(range(256)) * 4
URI = "data:image/jpeg;base64," + base64.b64encode(JPEG).decode()


def drawn(inner: str, root: str = "") -> bytes:
    return f"<svg {NS}{root}>{inner}</svg>".encode()


def opened(data: bytes) -> tuple[list[Member], list[Blocked], list[Finding]]:
    seen = list(SVG.open(data, Budget()))
    return tuple([one for one in seen if isinstance(one, kind)] for kind in (Member, Blocked, Finding))


def cleaned(data: bytes) -> bytes:
    """The rebuilt drawing, which has to be clean and stable."""
    found = {one.code for one in opened(data)[2] if one.fate is Fate.REMOVED}
    out = SVG.rebuild(data, {}, {}, Budget())
    assert found <= CODES.keys() and bool(found) == (out is not data)
    assert [one for one in opened(out)[2] if one.fate is Fate.REMOVED] == []
    assert SVG.rebuild(out, {}, {}, Budget()) is out
    return out


def test_no_canary_survives_and_the_drawing_keeps_its_bytes() -> None:
    names: list[str] = []

    def place(what: str) -> str:
        names.append(what)
        return f"CANARY{len(names)}END"

    data = markup.svg(place, URI)
    assert sniff(data).format == "svg"
    out = cleaned(data)
    assert [what for number, what in enumerate(names, 1) if f"CANARY{number}END".encode() in out] == []
    for piece in (
        b'<defs><linearGradient id="fade"><stop offset="0" stop-color="#fff"/><stop offset="1"/></linearGradient></defs>\n',
        b'<rect class="shown" width="80" height="40" fill="url(#fade)"/>',
        b'<text x="100" y="50">Drawn</text>',
        b'<path d="M0 50 L90 90 Z"/>',
        URI.encode(),
    ):
        assert piece in data and piece in out


KEPT = {
    "plain": drawn("<path d='M0 0L9 9'/>"),
    "style": drawn("<style>.a{fill:red}#b > .c{stroke:#fff}</style><g class='a' id='b'><path class='c' d='M0 0'/></g>"),
    "references": drawn("<g id='a'/><use xlink:href='#a'/><path id='m1' fill='url(#m1)' d='M0 0'/>"),
    "entities": drawn("<text>a &amp; b &#169; &lt;</text>"),
    "cdata": drawn("<style><![CDATA[ .a > .b { fill: url(#x) } ]]></style>"),
    "text": drawn("<text x='1'>Left <tspan dy='2'>eye</tspan> <a>lens</a></text>"),
    "animation": drawn("<rect id='r'><animate attributeName='x' begin='r.click' from='0' to='9' dur='1s'/></rect>"),
    "filter": drawn("<filter id='f'><feGaussianBlur in='SourceGraphic' stdDeviation='2'/></filter><g filter='url(#f)'/>"),
    "quoted-url": drawn("<g id='S' style='fill:url(&quot;#S&quot;)'/>"),
    "prefixed": b"<svg:svg xmlns:svg='http://www.w3.org/2000/svg'><svg:path d='M0 0'/></svg:svg>",
    "doctype": b'<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">' + drawn(""),
    "declaration": b'\xef\xbb\xbf<?xml version="1.0" encoding="utf-8" standalone="no"?>\r\n' + drawn("<g/>"),
    "latin-1": b'<?xml version="1.0" encoding="ISO-8859-1"?>' + drawn("<text>Z</text>").replace(b"Z", b"\xe4"),
    "utf-16": f'<?xml version="1.0" encoding="UTF-16"?><svg {NS}><text>ä</text></svg>'.encode("utf-16"),
    "no-namespace": b"<svg viewBox='0 0 1 1'><path d='M0 0'/></svg>",
    "font": drawn("<style>@font-face{font-family:x;src:url(data:font/woff;base64,d09GRgABAAAAAA==)}</style>"),
    "switch": drawn("<switch><g systemLanguage='de'/><g/></switch>"),
}


@pytest.mark.parametrize("data", KEPT.values(), ids=KEPT)
def test_a_drawing_of_nothing_but_drawing_is_the_very_same_object(data: bytes) -> None:
    assert SVG.rebuild(data, {}, {}, Budget()) is data
    assert opened(data)[1:] == ([], [])


GONE = {
    "comment": ("<!-- x --><g/>", "<g/>", "svg.comment"),
    "title": ("<title>Jane</title><g/>", "<g/>", "svg.description"),
    "script": ("<script>alert(1)</script>", "", "svg.script"),
    "prefixed-script": ("<s:script xmlns:s='http://www.w3.org/2000/svg'>1</s:script>", "", "svg.script"),
    "handler": ("<g onclick='alert(1)'/>", "<g/>", "svg.script"),
    "script-link": ("<a xlink:href='java&#115;cript:x()'><g/></a>", "<a><g/></a>", "svg.script"),
    "animated-link": ("<a><set attributeName='xlink:href' to='http://x'/></a>", "<a></a>", "svg.script"),
    "animated-handler": ("<set attributeName='onclick' to='x()'/>", "", "svg.script"),
    "other-file": ("<image href='photo.jpg'/>", "<image/>", "svg.external-reference"),
    "other-drawing": ("<use href='a.svg#x'/>", "<use/>", "svg.external-reference"),
    "other-paint": ("<g fill='url(http://x/y.svg#z)'/>", "<g fill='none'/>", "svg.external-reference"),
    "style-import": ("<style>@import 'http://x/y.css'; .a{}</style>", "<style> .a{}</style>", "svg.external-reference"),
    "style-string": (
        "<g style='a:image-set(\"http://x/y\" 1x)'/>",
        "<g style='a:image-set(none 1x)'/>",
        "svg.external-reference",
    ),
    "style-comment": ("<style>.a/* Jane */.b{}</style>", "<style>.a/**/.b{}</style>", "svg.comment"),
    "split-comment": (
        "<style>/* <![CDATA[ */ .a{fill:red} /* ]]> */</style>",
        "<style>/**/<![CDATA[ .a{fill:red} /**/]]></style>",
        "svg.comment",
    ),
    "editor": ("<g xmlns:i='http://x' i:label='Jane'/>", "<g/>", "svg.editor-data"),
    "editor-property": ("<g style='fill:red;-inkscape-font:Jane;x:1'/>", "<g style='fill:red;x:1'/>", "svg.editor-data"),
    "id": ("<g id='Jane_Doe'/>", "<g/>", "svg.name"),
    "class": ("<g class='Jane'/>", "<g/>", "svg.name"),
    "data": ("<g data-name='Jane'/>", "<g/>", "svg.attribute"),
    "stray": ("<g>Jane<path d='M0 0'/></g>", "<g><path d='M0 0'/></g>", "svg.stray-text"),
    "instruction": ("<?xml-stylesheet href='http://x'?>", "", "svg.instruction"),
    "foreign": (
        "<switch><foreignObject><p xmlns='x'>Jane</p></foreignObject><g/></switch>",
        "<switch><g/></switch>",
        "svg.foreign-object",
    ),
    "nested": ("<metadata><a><b>Jane</b></a><!-- x --></metadata><g/>", "<g/>", "svg.metadata"),
    "base": ("<g xml:base='http://jane/'/>", "<g/>", "svg.external-reference"),
}


@pytest.mark.parametrize(("inner", "left", "code"), GONE.values(), ids=GONE)
def test_what_draws_nothing_goes_and_the_rest_keeps_its_bytes(inner: str, left: str, code: str) -> None:
    data = drawn(inner)
    out = cleaned(data)
    assert code in {one.code for one in opened(data)[2]}
    assert out == drawn(left)


@pytest.mark.parametrize(
    ("inner", "left"),
    [
        ("<style>@import 'x' .a{fill:red}</style><g class='a'/>", "<style>{fill:red}</style><g/>"),
        ("<g id='a' mask='url(http://x/#a)'/>", "<g mask='none'/>"),
    ],
)
def test_what_goes_refers_to_nothing(inner: str, left: str) -> None:
    """Symptom: a second cleaning removed more.  Cause: names were looked for in what the first one had cut out."""
    assert cleaned(drawn(inner)) == drawn(left)


def test_idle_attributes_of_the_root_go() -> None:
    data = drawn(
        "<svg x='1' overflow='visible'/>", " x='0' y='0' overflow='visible' preserveAspectRatio='xMidYMid' space='preserve'"
    )
    assert cleaned(data) == drawn("<svg x='1' overflow='visible'/>")
    assert b"hidden" in cleaned(drawn("", " overflow='hidden' preserveAspectRatio='none'"))


def test_entities_of_old_programs_are_written_out() -> None:
    data = (
        b'<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "x" [<!ENTITY ns "http://www.w3.org/2000/svg">'
        b'<!ENTITY ad "http://ns.adobe.com/x"><!ENTITY st "fill:red">]>'
        b'<svg xmlns="&ns;" xmlns:i="&ad;"><g i:layer="y" style="&st;"/></svg>'
    )
    assert cleaned(data) == b'<svg xmlns="http://www.w3.org/2000/svg"><g style="fill:red"/></svg>'
    assert drawing(data).nature is Nature.DRAWING


def test_pictures_are_members_wherever_they_stand() -> None:
    """In image, feImage, presentation attributes, style attributes and style sheets."""
    places = (
        f"<image xlink:href='{URI}'/>",
        f"<filter id='f'><feImage href='{URI}'/></filter>",
        f"<g style='mask:url({URI})'/>",
        f"<g cursor='url({URI})'/>",
        f'<style>.a{{background:url("{URI}")}}</style>',
        f"<style><![CDATA[.a{{background:url({URI})}}]]></style>",
        "<image href='data:image/jpeg;base64,{}'/>".format(base64.encodebytes(JPEG).decode().replace("\n", "&#10;")),
    )
    for inner in places:
        data = drawn(inner)
        members, blocked, _ = opened(data)
        assert [one.data for one in members] == [JPEG] and not blocked, inner[:40]
        out = SVG.rebuild(data, {members[0].key: JPEG[:300]}, {}, Budget())
        assert [one.data for one in opened(out)[0]] == [JPEG[:300]]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-32"])
def test_wide_drawings_are_cleaned_in_their_own_encoding(encoding: str) -> None:
    mark = "\ufeff" if encoding == "utf-16-be" else ""
    text = mark + f"<svg {NS}><!-- Jane --><image href='{URI}'/><text>ä</text></svg>"
    data = text.encode(encoding)
    members = opened(data)[0]
    assert [one.data for one in members] == [JPEG]
    out = SVG.rebuild(data, {}, {}, Budget())
    assert out == text.replace("<!-- Jane -->", "").encode(encoding)


def test_pictures_spelt_oddly_are_blocked() -> None:
    for inner in (f"<image href='&#100;{URI[1:]}'/>", f"<image href='{URI}!'/>", f"<text>{URI[23:]}</text>"):
        assert opened(drawn(inner))[1]


REFUSED = {
    "bomb": (b'<!DOCTYPE svg [<!ENTITY a "%s">]>' % (b"x" * 10_000) + drawn("&a;" * 10_000), TooBig),
    "laughs": (
        b'<!DOCTYPE svg [<!ENTITY a "lol">%s]>'
        % b"".join(b'<!ENTITY %c "%s">' % (98 + i, b"&%c;" % (97 + i) * 10) for i in range(12))
        + drawn("<text>&m;</text>"),
        (TooBig, Malformed),
    ),
    "endless": (b'<!DOCTYPE svg [<!ENTITY a "&a;">]>' + drawn("<text>&a;</text>"), Malformed),
    "undeclared": (drawn("<text>&nbsp;</text>"), Malformed),
    "external-entity": (b'<!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]>' + drawn("<text>&x;</text>"), Malformed),
    "parameter-entity": (b'<!DOCTYPE svg [<!ENTITY % x "y"> %x;]>' + drawn(""), Unsupported),
    "default-attribute": (b'<!DOCTYPE svg [<!ATTLIST svg onload CDATA "x()">]>' + drawn(""), Unsupported),
    "truncated": (drawn("<g>")[:-6], Malformed),
    "crossed": (drawn("<g><a></g></a>"), Malformed),
    "two-roots": (drawn("") + drawn(""), Malformed),
    "tail": (drawn("") + b"Jane", Malformed),
    "twice": (drawn("<g fill='a' fill='b'/>"), Malformed),
    "bare-attribute": (drawn("<g fill=a/>"), Malformed),
    "other-root": (b"<html xmlns='http://www.w3.org/1999/xhtml'><svg/></html>", Malformed),
    "deep": (b"<svg>" + b"<g>" * 5000 + b"</g>" * 5000 + b"</svg>", TooBig),
    "css-escape": (drawn("<style>.a{b:u\\72l(http://x)}</style>"), Unsupported),
    "css-reference": (drawn("<style>.a{b:&#117;rl(http://x)}</style>"), Unsupported),
    "encoding": (b"<?xml version='1.0' encoding='utf-7'?>" + drawn(""), Unsupported),
    "not-the-encoding": (b"<?xml version='1.0' encoding='utf-8'?><svg>\xff</svg>", Malformed),
    "control": (drawn("<g/>\x01"), Malformed),
}


@pytest.mark.parametrize(("data", "error"), REFUSED.values(), ids=REFUSED)
def test_what_programs_read_differently_is_refused(data: bytes, error: type[FilterError]) -> None:
    with pytest.raises(error) as caught:
        list(SVG.open(data, Budget()))
    assert "Jane" not in str(caught.value)


@pytest.mark.parametrize(
    ("root", "size"),
    [
        (" width='80' height='40px'", (80, 40)),
        (" width='1in' height='2.54cm'", (96, 96)),
        (" viewBox='0 0 24 48'", (24, 48)),
        (" width='1' height='1' viewBox='0,0,2000,1000'", (2000, 1000)),
        (" width='100%'", (300, 150)),
        (" width='99999999999999' height='nan'", (300, 150)),
        ("", (300, 150)),
    ],
)
def test_the_size_of_a_drawing(root: str, size: tuple[int, int]) -> None:
    """The larger of what is stated and the view box: nobody makes a drawing a tracking pixel by saying so."""
    info = drawing(drawn("<g/>", root))
    assert (info.width, info.height) == size and info.nature is Nature.DRAWING


def test_every_truncation_and_many_flips_raise_nothing_else() -> None:
    data = bytearray(markup.svg(lambda what: "C-" + what.replace(" ", "")))
    for at in range(0, len(data), 7):
        flipped = bytes(data[:at]) + bytes((data[at] ^ 1 << at % 8,)) + bytes(data[at + 1 :])
        for broken in (bytes(data[:at]), flipped):
            try:
                out = SVG.rebuild(broken, {}, {}, Budget())
            except FilterError:
                continue
            assert SVG.rebuild(out, {}, {}, Budget()) is out


PIECES = [
    "<g>",
    "</g>",
    "<g/>",
    "<!--",
    "-->",
    "<![CDATA[",
    "]]>",
    "<style>",
    "</style>",
    "/*",
    "*/",
    "url(",
    ")",
    '"',
    "'",
    " id='a'",
    "<text>",
    "</text>",
    "&amp;",
    "&quot;",
    "x",
    " style='",
    "#a",
    ";",
    "\\",
    "<metadata>",
    "</metadata>",
    "@import ",
    "//",
    "data:,x",
    f"<image href='{URI[:60]}'/>",
    "<a xlink:href='#a'>",
    "</a>",
    "<?x?>",
    "<path class='b' d='M0 0'/>",
    ".b{}",
]


@given(st.lists(st.sampled_from(PIECES), max_size=12))
@settings(max_examples=150, deadline=None)
def test_any_mixture_is_refused_or_stable(pieces: list[str]) -> None:
    data = drawn("".join(pieces))
    try:
        out = cleaned(data)
    except FilterError:
        return
    assert len(out) <= len(data) + 2 * len(pieces) * 4


def test_comments_without_end_behind_entities_cost_linear_time() -> None:
    data = b'<!DOCTYPE svg [<!ENTITY a "b">]>' + b"<!--" * 100_000
    start = time.process_time()
    with pytest.raises(Malformed):
        list(SVG.open(data, Budget()))
    assert time.process_time() - start < 4


@pytest.mark.parametrize(
    "inner",
    [
        "<g/>",
        "<g id='a' fill='url(#a)'/>",
        "<!-- x -->",
        "<style>/*",
        "<style>.a{b:url(",
        "&amp;",
        "<g xmlns:a='b'/>",
        "<a href='x'/>",
    ],
)
def test_hostile_repetitions_cost_linear_time(inner: str) -> None:
    data = drawn(inner * (200_000 // len(inner)))
    start = time.process_time()
    try:
        list(SVG.open(data, Budget()))
    except FilterError:
        pass
    assert time.process_time() - start < 4
