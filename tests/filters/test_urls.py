"""Where links lead, however a mail filter has wrapped them; and that looking costs next to nothing."""

from __future__ import annotations

import time
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.identify.urls import Place, places

pytestmark = pytest.mark.unit

HOST, PATH = "files.share.example", "/s/abc"
LINK = f"https://{HOST}{PATH}"
ENDINGS = ("example", "com")


def found(text: str | bytes, host: str = HOST) -> set[Place]:
    data = text.encode() if isinstance(text, str) else text
    return set(places(data, lambda name: name == host, ENDINGS))


@pytest.mark.parametrize(
    "written",
    [
        LINK,
        f"HTTP://{HOST.upper()}{PATH}",
        f"https://{HOST}:443{PATH}",
        f"//{HOST}{PATH}",
        f"see {HOST}{PATH} please",
        f"({HOST}{PATH})",
        f"link:{HOST}{PATH}",
        f'<a href="{LINK}">x</a>',
        f"<a href={LINK}>x</a>",
        f"https:&#47;&#x2F;{HOST}{PATH}",
        f"https://eur01.safelinks.protection.outlook.com/?url={quote(LINK, safe='')}&amp;data=05%7C01",
        f"https://linkprotect.cudasvc.com/url?a={quote(LINK, safe='')}&c=E",
        f"https://secure-web.cisco.com/1abc/{quote(LINK, safe='')}",
        f"https://www.google.com/url?q={LINK}&sa=D",
        f"https://a.example/?u={quote(quote(LINK, safe=''), safe='')}",
        f"https://a.example/?u={quote('https://b.example/?u=' + quote(LINK, safe=''), safe='')}",
        f"https://urldefense.com/v3/__{LINK}__;!!abc",
        "https://urldefense.proofpoint.com/v2/url?u=https-3A__files.share.example_s_abc&d=DwMF",
    ],
)
def test_a_link_is_seen_through_every_wrapping(written: str) -> None:
    """Safe Links, Barracuda, Cisco, Google, Proofpoint, once and twice; in text and in HTML."""
    assert any(one.path.startswith(PATH) for one in found(f"Dear all, {written} bye")), written


def test_a_filter_that_tells_only_the_domain_tells_that() -> None:
    assert found(f"https://protect-eu.mimecast.com/s/9xyz?domain={HOST}") == {Place(HOST)}


@pytest.mark.parametrize(
    "written",
    [
        f"mailto:me@{HOST}",
        f"me@{HOST}/x",
        f"cid:image001@{HOST}",
        f"cid:{HOST}/x",
        f"{HOST}.evil.com/x",
        f"the {HOST} service",
        "a//b",
        "",
    ],
)
def test_what_is_no_link_to_it_is_none(written: str) -> None:
    assert found(written) == set()


def test_nothing_is_read_of_hosts_nobody_asked_about() -> None:
    asked: list[str] = []
    assert not list(places(b"http://a.example/1 http://a.example/2", lambda host: bool(asked.append(host)), ()))
    assert asked == ["a.example"]


@given(st.binary(max_size=400), st.binary(max_size=60))
def test_it_never_raises_and_finds_the_link_in_any_noise(noise: bytes, tail: bytes) -> None:
    """Whatever stands around it, blanks apart: the link is seen, and no host is anything but letters, digits, dots and dashes."""
    data = noise + b" \n" + LINK.encode() + b"\n " + tail
    hosts = {one.host for one in places(data, lambda host: True, ENDINGS)}
    assert HOST in hosts or b"&#" in noise + tail
    assert all(host.isascii() and host == host.lower() and "/" not in host for host in hosts)


@pytest.mark.parametrize(
    "unit", [b"//", b"a.", b"//a.", b"a.com/", b"%3a%2f%2f", b"%25", b"-3A__", b"domain=", b"&#47;", b"a" * 63 + b"."]
)
def test_hostile_text_takes_time_in_proportion_to_its_length(unit: bytes) -> None:
    """256 kB of anything: well below a second on a slow machine."""
    data = (unit * (262_144 // len(unit) + 1))[:262_144]
    start = time.process_time()
    assert sum(1 for _ in places(data, lambda host: True, ENDINGS)) >= 0
    assert time.process_time() - start < 1.5
