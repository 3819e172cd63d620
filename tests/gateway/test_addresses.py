"""Paths and parameters of MAIL and RCPT: what passes can be repeated to a next hop without forging anything."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.inbound import replies as say
from gateway.inbound.addresses import is_helo, parse_path, require_ascii
from gateway.inbound.parameters import mail_parameters, rcpt_parameters, unxtext, xforward

pytestmark = pytest.mark.unit

ALL = frozenset({"SIZE", "8BITMIME", "SMTPUTF8", "DSN"})


@pytest.mark.parametrize(
    ("text", "address", "rest"),
    [
        ("<>", "", ""),
        ("<> SIZE=1", "", "SIZE=1"),
        ("<a@b.example>", "a@b.example", ""),
        (" <a@b.example>  BODY=7BIT ", "a@b.example", "BODY=7BIT"),
        ("<Jo.O'Neil+x=y@B.Example>", "Jo.O'Neil+x=y@B.Example", ""),
        ('<"a b>\\"@"@b.example>', '"a b>\\"@"@b.example', ""),
        ("<@r1.example,@r2.example:a@b.example>", "a@b.example", ""),
        ("<a@[192.0.2.1]>", "a@[192.0.2.1]", ""),
        ("<a@[IPv6:2001:db8::1]>", "a@[IPv6:2001:db8::1]", ""),
        ("<a@EXCH_01.local>", "a@EXCH_01.local", ""),
        ("<postmaster>", "postmaster", ""),
        ("<jürgen@bücher.example>", "jürgen@bücher.example", ""),
        (f"<{'l' * 64}@b.example>", "l" * 64 + "@b.example", ""),
    ],
)
def test_good_paths(text: str, address: str, rest: str) -> None:
    assert parse_path(text) == (address, rest)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a@b.example",
        "<a@b.example",
        "<a>",
        "<@b.example>",
        "<a@>",
        "<a@b..example>",
        "<a@-b.example>",
        "<a..b@c.example>",
        "<.a@b.example>",
        "<a@b.example>x",
        "<a@b.example><c@d.example>",
        "<a b@c.example>",
        "<a@b c.example>",
        '<"a@b.example>',
        "<a\rb@x.example>",
        "<a@b.example\0>",
        '<"a\rRCPT TO:<x@y>"@x.example>',
        '<"a\nb"@x.example>',
        "<a@b\x7f.example>",
        "<a\udc80@b.example>",
        "<a\x85@b.example>",
        "<a@[300.1.1.1]>",
        "<a@[192.0.2.1>",
        "<a@[IPv6:::g]>",
        "<a@[x]>",
        "<<a@b.example>>",
        "<@r1.example a@b.example>",
        f"<{'l' * 65}@b.example>",
        f"<a@{'d' * 64}.example>",
        f"<a@{'.'.join(['d' * 60] * 5)}>",
        f"<{'é' * 33}@b.example>",
    ],
)
def test_bad_paths_are_refused(text: str) -> None:
    with pytest.raises(say.Refused) as refused:
        parse_path(text)
    assert refused.value.reply == say.BAD_ADDRESS


@given(st.text(st.characters(exclude_categories=())))
def test_nothing_that_passes_could_end_a_command(text: str) -> None:
    """P2: no control character, no lone surrogate, no unquoted angle bracket survives."""
    for candidate in (text, f"<{text}>", f"<{text}@b.example>", f"<a@{text}>"):
        try:
            address, _ = parse_path(candidate)
        except say.Refused:
            continue
        address.encode()
        assert not re.search(r"[\x00-\x1f\x7f-\x9f]", address)
        assert not re.search(r"[<>]", re.sub(r'"(?:[^"\\]|\\.)*"', "", address))


def test_non_ascii_needs_the_parameter() -> None:
    with pytest.raises(say.Refused) as refused:
        require_ascii("jürgen@b.example")
    assert refused.value.reply == say.NEEDS_UTF8
    require_ascii("j@b.example")


@pytest.mark.parametrize("name", ["mail.example", "[192.0.2.1]", "[IPv6:2001:db8::1]", "WIN_HOST"])
def test_helo_names(name: str) -> None:
    assert is_helo(name)


@pytest.mark.parametrize("name", ["", "a b", "a(comment)", 'a"b', "é.example", "x" * 256, "a\tb"])
def test_helo_that_could_forge_a_trace_line_is_refused(name: str) -> None:
    assert not is_helo(name)


def test_dsn_values_keep_their_case() -> None:
    """RFC 3461 4.4: ENVID and ORCPT go back to the sender as they came (aiosmtpd upper-cases them)."""
    mail = mail_parameters("size=10 ret=hdrs ENVID=QQ314159+2Bab AUTH=<> body=8bitmime smtputf8", ALL)
    assert (mail.size, mail.ret, mail.envid, mail.body, mail.smtputf8) == (10, "HDRS", "QQ314159+2Bab", "8BITMIME", True)
    rcpt = rcpt_parameters("notify=success,Delay ORCPT=rfc822;Bob+2Bx@Example.org", ALL, utf8=False)
    assert (rcpt.notify, rcpt.orcpt) == ("SUCCESS,DELAY", "rfc822;Bob+2Bx@Example.org")
    assert rcpt_parameters("ORCPT=utf-8;jürgen@b.example", ALL, utf8=True).orcpt == "utf-8;jürgen@b.example"


@pytest.mark.parametrize(
    "text",
    [
        "SIZE",
        "SIZE=",
        "SIZE=-1",
        "SIZE=1x",
        "SIZE=" + "9" * 21,
        "SIZE=1 SIZE=2",
        "BODY=BINARYMIME",
        "BODY",
        "SMTPUTF8=1",
        "RET=ALL",
        "RET",
        "ENVID",
        "ENVID=a+2b",
        "ENVID=a+",
        "ENVID=" + "x" * 101,
        "ENVID=a=b",
        "ENVID=é",
        "AUTH",
        "AUTH=a+zz",
        "SIZE=1\t",
        "=x",
        "S!ZE=1",
    ],
)
def test_malformed_mail_parameters_are_501(text: str) -> None:
    with pytest.raises(say.Refused) as refused:
        mail_parameters(text, ALL)
    assert refused.value.reply == say.BAD_PARAMETER


@pytest.mark.parametrize(
    "text",
    [
        "NOTIFY",
        "NOTIFY=NEVER,DELAY",
        "NOTIFY=SUCCESS,SUCCESS",
        "NOTIFY=SOON",
        "ORCPT=bob",
        "ORCPT=rfc822;",
        "ORCPT=rfc822;a b",
        "ORCPT=rfc822;jürgen@b.example",
        "ORCPT=rfc822;" + "x" * 500,
    ],
)
def test_malformed_rcpt_parameters_are_501(text: str) -> None:
    with pytest.raises(say.Refused) as refused:
        rcpt_parameters(text, ALL, utf8=False)
    assert refused.value.reply in (say.BAD_PARAMETER, say.UNKNOWN_PARAMETER)


@pytest.mark.parametrize("text", ["FOO=1", "REQUIRETLS", "MT-PRIORITY=3", "CLINIGATE-RELEASE=x"])
def test_parameters_not_announced_are_555(text: str) -> None:
    with pytest.raises(say.Refused) as refused:
        mail_parameters(text, ALL)
    assert refused.value.reply == say.UNKNOWN_PARAMETER
    with pytest.raises(say.Refused):
        mail_parameters("RET=FULL", frozenset({"SIZE"}))


def test_xforward_is_decoded() -> None:
    """XFORWARD_README: xtext, [UNAVAILABLE] means not known, names in any case."""
    assert xforward("name=pc.example ADDR=192.0.2.7 IDENT=4Yx+2B1 HELO=[UNAVAILABLE] SOURCE=LOCAL") == {
        "NAME": "pc.example",
        "ADDR": "192.0.2.7",
        "IDENT": "4Yx+1",
        "HELO": "",
        "SOURCE": "LOCAL",
    }


@pytest.mark.parametrize(
    "text", ["", "FOO=1", "NAME=a+0D+0AX", "NAME=a+00", "IDENT=a+20b", "NAME=" + "x" * 256, "NAME=+FF", "NAME=é"]
)
def test_bad_xforward_is_refused(text: str) -> None:
    with pytest.raises(say.Refused):
        xforward(text)


@given(st.text())
def test_xtext_round_trip(text: str) -> None:
    """Whatever decodes was encoded so; control characters never come out."""
    encoded = "".join(chr(b) if 33 <= b <= 126 and b not in b"+=" else f"+{b:02X}" for b in text.encode("utf-8", "surrogatepass"))
    plain = unxtext(encoded)
    assert plain is None or plain == text
    assert plain is None or not re.search(r"[\x00-\x1f\x7f-\x9f]", plain)
