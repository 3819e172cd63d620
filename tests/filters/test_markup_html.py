"""filters.markup.html: every picture a browser would load from a page is a member or blocked, and only payloads change."""

from __future__ import annotations

import base64
import re
import time
from html.parser import HTMLParser
from urllib.parse import quote_from_bytes, unquote_to_bytes

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filters.api import Blocked, Budget, Fate, FilterError, Finding, Malformed, Member, OpaqueReason, TooBig
from filters.budget import Limits
from filters.markup.html import HTML, XML
from filters.text import embedded

pytestmark = pytest.mark.unit

JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + bytes(range(256)) * 4
NEW = JPEG[:500] + b"new"
B64 = base64.b64encode(JPEG)
LINES = base64.encodebytes(JPEG).replace(b"\n", b"\r\n")
PERCENT = quote_from_bytes(JPEG, safe="").encode()


def opened(data: bytes) -> tuple[list[Member], list[Blocked], list[Finding]]:
    seen = list(HTML.open(data, Budget()))
    return tuple([one for one in seen if isinstance(one, kind)] for kind in (Member, Blocked, Finding))


CLEAN = {
    "double": b'<img src="data:image/jpeg;base64,%s">' % B64,
    "single": b"<img src='data:image/jpeg;base64,%s'>" % B64,
    "bare": b"<img src=data:image/jpeg;base64,%s alt=x>" % B64,
    "bare-last": b"<img src=data:image/jpeg;base64,%s>" % B64,
    "case": b'<IMG SRC="DATA:IMAGE/JPEG;BASE64,%s">' % B64,
    "blanks": b'<img src=" \r\n data:image/jpeg;base64,%s">' % B64,
    "lines": b'<img src="data:image/jpeg;base64,%s">' % LINES,
    "line-references": b'<image href="data:image/jpeg;base64,%s"/>' % LINES.replace(b"\r\n", b"&#10;"),
    "percent-in-base64": b'<img src="data:image/jpeg;base64,%s">' % B64.replace(b"/", b"%2F").replace(b"+", b"%2B"),
    "percent": b'<img src="data:image/jpeg,%s">' % PERCENT,
    "url": b'<p style="background:url(data:image/jpeg;base64,%s)">' % B64,
    "url-quoted": b'<style>p{background:url( "data:image/jpeg;base64,%s" )}</style>' % B64,
    "url-reference": b'<p style="background:url(&quot;data:image/jpeg;base64,%s&quot;)">' % B64,
    "srcset": b'<img srcset="data:image/jpeg;base64,%s 2x">' % B64,
    "srcset-first": b'<img srcset="data:image/jpeg;base64,%s 1x, a.jpg 2x">' % B64,
    "srcset-second": b'<img srcset="a.jpg 1x, data:image/jpeg;base64,%s 2x">' % B64,
    "srcdoc": b'<iframe srcdoc="<img src=&quot;data:image/jpeg;base64,%s&quot;>"></iframe>' % B64,
    "object": b'<object data="data:image/jpeg;base64,%s"></object>' % B64,
    "background": b'<td background="data:image/jpeg;base64,%s">' % B64,
    "parameter": b'<img src="data:image/jpeg;charset=utf-8;base64,%s">' % B64,
    "no-type": b'<img src="data:;base64,%s">' % B64,
    "octets": b'<img src="data:application/octet-stream;base64,%s">' % B64,
    "comment": b'<!--[if mso]><img src="data:image/jpeg;base64,%s"><![endif]-->' % B64,
    "unpadded": b'<img src="data:image/jpeg;base64,%s">' % B64.rstrip(b"="),
    "xml-text": b"<photo>data:image/jpeg;base64,%s</photo>" % B64,
}


@pytest.mark.parametrize("page", CLEAN.values(), ids=CLEAN)
def test_a_picture_in_a_uri_is_a_member_and_only_its_payload_changes(page: bytes) -> None:
    """What stands before and behind the payload keeps its bytes; the new picture is read back the same way."""
    page = b"<!DOCTYPE html>\n<!-- generator -->" + page + b"<p>R&amp;D &nbsp; caf\xc3\xa9</p>"
    members, blocked, _ = opened(page)
    assert [member.data for member in members] == [JPEG] and blocked == []
    rebuilt = HTML.rebuild(page, {members[0].key: NEW}, {}, Budget())
    assert [member.data for member in opened(rebuilt)[0]] == [NEW] and opened(rebuilt)[1] == []
    head = re.split(rb"(?i)data:", page)[0]
    tail = page[page.index(b"<p>R&amp;D") :]
    assert rebuilt.startswith(head) and rebuilt.endswith(tail)
    assert HTML.rebuild(page, {}, {}, Budget()) is page


HIDDEN = {
    "scheme-reference": b'<img src="&#100;ata:image/jpeg;base64,%s">' % B64,
    "colon-reference": b'<img src="data&colon;image/jpeg;base64,%s">' % B64,
    "comma-reference": b'<img src="data:image/jpeg;base64&comma;%s">' % B64,
    "letter-reference": b'<img src="data:image/jpeg;base64,&#47;%s">' % B64[1:],
    "scheme-newline": b'<img src="da\nta:image/jpeg;base64,%s">' % B64,
    "url-alphabet": b'<img src="data:image/jpeg;base64,%s">' % B64.replace(b"/", b"_").replace(b"+", b"-"),
    "garbage": b'<img src="data:image/jpeg;base64,%s!">' % B64,
    "padding-inside": b'<img src="data:image/jpeg;base64,%s==%s">' % (B64[:400], B64[400:]),
    "base64-not-last": b'<img src="data:image/jpeg;base64;x=y,%s">' % B64,
    "css-escape": b'<style>p{background:url("data\\3a image/jpeg;base64,%s")}</style>' % B64,
    "utf-16": f'<img src="data:image/jpeg;base64,{B64.decode()}">'.encode("utf-16"),
    "utf-7": b"+ADw-img src=+ACI-data:image/jpeg;base64,%s+ACI-" % B64,
    "script": b"<html><script>var d=atob('%s');new Blob([d])</script>" % B64,
    "script-joined": b"<script>a='data:image/jpeg;base64,'+'%s';document.write(a)</script>" % B64,
    "json": b'<script>{"src":"data:image\\/jpeg;base64,%s"}</script>' % B64.replace(b"/", b"\\/"),
    "open-quote": b'<img src="data:image/jpeg;base64,%s' % B64,
    "bare-text": b"<p>data:image/jpeg;base64, %s</p>" % B64,
}


@pytest.mark.parametrize("page", HIDDEN.values(), ids=HIDDEN)
def test_what_cannot_be_replaced_is_blocked(page: bytes) -> None:
    """Exactly as strict as the text reader alone: the page is held."""
    members, blocked, _ = opened(page)
    assert blocked and not any(member.data == JPEG for member in members)
    assert {one.code for one in blocked} == {one.code for one in embedded(page, html=True) if one.opaque}


def test_a_clean_picture_does_not_hide_another_one() -> None:
    page = b"<html>" + CLEAN["double"] + HIDDEN["garbage"]
    members, blocked, _ = opened(page)
    assert len(members) == 1 and blocked[0].reason is OpaqueReason.NOT_SUPPORTED


def test_two_readings_of_one_payload_are_no_member() -> None:
    """A browser cuts at "#", other programs do not."""
    members, blocked, _ = opened(b'<img src="data:image/jpeg,%s#%s">' % (PERCENT, PERCENT))
    assert members == [] and blocked


def test_drawings_in_plain_letters_are_members() -> None:
    """Style sheets carry icons as text; what stands in them is looked at in the page as well."""
    page = b"<style>a{b:url(\"data:image/svg+xml;utf8,<svg xmlns='http://www.w3.org/2000/svg' fill='#fff'/>\")}</style>"
    members, blocked, _ = opened(page)
    assert members[0].data == b"<svg xmlns='http://www.w3.org/2000/svg' fill='#fff'/>" and members[0].inline and not blocked
    rebuilt = HTML.rebuild(page, {members[0].key: b'<svg xmlns="http://www.w3.org/2000/svg"/>'}, {}, Budget())
    assert opened(rebuilt)[0][0].data == b'<svg xmlns="http://www.w3.org/2000/svg"/>'
    page = page.replace(b" fill", b" onload='eval(1)' fill")
    assert [one.code for one in opened(page)[1]] == ["html.script"]


def test_tracking_pixels_are_members_and_links_are_not_inline() -> None:
    pixel = b"R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"
    page = b'<img src="data:image/gif;base64,%s"><a href="data:image/jpeg;base64,%s">x</a>' % (pixel, B64)
    members, blocked, _ = opened(page)
    assert [member.inline for member in members] == [True, False] and not blocked
    assert members[0].media_type == "image/gif"


def test_a_word_package_beside_a_drawing_is_a_member() -> None:
    package = b"PK\x03\x04" + bytes(200)
    page = b'<v:shape o:gfxdata="%s"></v:shape>' % base64.encodebytes(package).replace(b"\n", b"&#xA;")
    members, blocked, _ = opened(page)
    assert [member.data for member in members] == [package] and not blocked


def test_names_in_the_head_are_noted_and_kept() -> None:
    page = b'<html><head><meta name="author" content="Jane Doe"></head><body>x</body></html>'
    _, blocked, findings = opened(page)
    assert [(one.code, one.fate) for one in findings] == [("html.author", Fate.KEPT)] and not blocked
    assert "Jane" not in repr(findings)


def test_fonts_and_unknown_data_do_not_hold_a_page() -> None:
    """Only what is called a picture, or is recognised by its bytes, is a member."""
    font = base64.b64encode(b"\x93\x01\x02\x03" * 200)
    page = b"<style>@font-face{src:url(data:application/x-thing;base64,%s)}</style>" % font
    assert opened(page)[:2] == ([], [])


def test_unknown_keys_are_refused() -> None:
    with pytest.raises(Malformed):
        HTML.rebuild(CLEAN["double"], {"uri@1": b"x"}, {}, Budget())


def test_members_are_paid_for() -> None:
    with pytest.raises(TooBig):
        list(HTML.open(CLEAN["double"], Budget(Limits(total=100))))


def test_xml_is_read_the_same_way() -> None:
    data = b"<?xml version='1.0'?><record photo='data:image/jpeg;base64,%s'/>" % B64
    assert [one.data for one in XML.open(data, Budget()) if isinstance(one, Member)] == [JPEG]


# ---- an independent reader

_PLAIN = re.compile(r"(?is)data:[^,]*,.*")


class Browser(HTMLParser):
    """What the attributes and style sheets of a page load, read with the standard library's parser."""

    def __init__(self) -> None:
        super().__init__()
        self.loaded: list[bytes] = []

    def handle_starttag(self, tag, attrs) -> None:
        for name, value in attrs:
            if value is None:
                continue
            if name == "srcset":
                for one in re.findall(r"(?i)data:[^\s]+", value):
                    self._load(one)
            elif name == "style":
                self._sheet(value)
            else:
                self._load(value)

    def handle_data(self, data) -> None:
        if self.cdata_elem == "style":
            self._sheet(data)

    def _sheet(self, text: str) -> None:
        for one in re.findall(r"""url\(\s*(?:"([^"]*)"|'([^']*)'|([^)"']*))\s*\)""", text):
            self._load("".join(one))

    def _load(self, value: str) -> None:
        """As the URL and Fetch standards say."""
        value = re.sub(r"[\t\r\n]", "", value.strip())
        match = re.fullmatch(r"(?is)data:([^,]*),([^#]*).*", value)
        if match is None:
            return
        body = unquote_to_bytes(match[2])
        if re.search(r"(?i);\s*base64\Z", match[1]):
            letters = re.sub(rb"[\t\n\f\r ]", b"", body)
            letters = re.sub(rb"={1,2}\Z", b"", letters) if len(letters) % 4 == 0 else letters
            if not re.fullmatch(rb"[A-Za-z0-9+/]*", letters) or len(letters) % 4 == 1:
                return
            body = base64.b64decode(letters + b"=" * (-len(letters) % 4))
        self.loaded.append(body)


@pytest.mark.parametrize("page", [*CLEAN.values(), *HIDDEN.values()], ids=[*CLEAN, *HIDDEN])
def test_every_picture_another_parser_loads_is_a_member_or_the_page_is_held(page: bytes) -> None:
    members, blocked, _ = opened(page)
    browser = Browser()
    browser.feed(page.decode("latin-1"))
    seen = {member.data for member in members}
    assert blocked or all(body in seen for body in browser.loaded if body.startswith(b"\xff\xd8"))


PIECES = [
    b"<img src=",
    b'"',
    b"'",
    b" ",
    b">",
    b"data:",
    b"image/jpeg",
    b";base64",
    b",",
    B64,
    b"&quot;",
    b"url(",
    b")",
    b"&#10;",
    b"=",
    b"<style>",
    b"</style>",
    b"<p style=",
    b"srcset=",
    b" 2x",
    b"\r\n",
    b"<!--",
    b"-->",
    b"%2F",
    b"\\",
    b"x",
    b"&#47;",
    B64[:200],
    b'<img src="data:image/jpeg;base64,',
    b"<p style='a:url(data:image/jpeg;base64,",
]


@given(st.lists(st.sampled_from(PIECES), max_size=14))
@settings(max_examples=150, deadline=None)
def test_no_mixture_of_marks_hides_a_picture_from_us_alone(pieces: list[bytes]) -> None:
    """Whatever a whole JPEG in a page looks like, either we hold it in our hands or the page is held."""
    page = b"<html>" + b"".join(pieces)
    members, blocked, _ = opened(page)
    browser = Browser()
    browser.feed(page.decode("latin-1"))
    browser.close()
    seen = {member.data for member in members}
    assert blocked or all(body in seen for body in browser.loaded if body.startswith(JPEG[:100]))
    rebuilt = HTML.rebuild(page, {member.key: member.data for member in members}, {}, Budget())
    assert [member.data for member in opened(rebuilt)[0]] == [member.data for member in members]
    assert opened(rebuilt)[1] == blocked


@given(st.binary(max_size=400))
def test_no_bytes_make_it_raise_anything_else(noise: bytes) -> None:
    for data in (noise, b'<img src="data:image/png;base64,' + noise + b'">'):
        try:
            list(HTML.open(data, Budget()))
        except FilterError:
            pass


@pytest.mark.parametrize(
    "piece",
    [b'"data:image/png;base64,', b"url(data:,", b"=data:,", b"&quot;data:,\\", b"'data:,", b",data:,x ", b">data:;base64,A"],
)
@pytest.mark.slow
def test_hostile_repetitions_cost_linear_time(piece: bytes) -> None:
    page = b"<html>" + piece * (200_000 // len(piece))
    start = time.process_time()
    try:
        list(HTML.open(page, Budget()))
    except FilterError:
        pass
    assert time.process_time() - start < 4
