"""Real Postfix over the preferred link, LMTP: a fate for each recipient, nobody passes for another, nothing leaves in clear."""

from __future__ import annotations

import re
import smtplib
import uuid
from collections.abc import Iterator
from email.policy import SMTPUTF8

import pytest

from gateway.demo.pictures import photo
from gateway.demo.samples import COLLEAGUE, FILE_SHARE, SENDER, STRANGER
from tests.support.installation import until
from tests.support.postfix_site import (
    INTERNATIONAL,
    LMTP,
    MAPPED,
    OTHER,
    Site,
    around,
    identity,
    mail,
    pictures,
    states,
    unchanged,
)

pytestmark = pytest.mark.e2e

lmtp = pytest.mark.parametrize("site", [LMTP], indirect=True)


@pytest.fixture(scope="module")
def site(request: pytest.FixtureRequest) -> Iterator[Site]:
    with around(request.param) as made:
        yield made


# -- the preferred link -------------------------------------------------------------------------------------------------


@lmtp
def test_three_recipients_three_fates(site: Site) -> None:
    """Delivered, held, refused: each recipient has an answer of its own, the sender one notice."""
    message = mail("Case [consent verbal]", photo(25))
    site.submit(message.as_bytes(), [COLLEAGUE, STRANGER, FILE_SHARE])
    site.lands(identity(message), COLLEAGUE)
    event = site.event(site.queue_id(identity(message)))
    assert states(event) == {COLLEAGUE: "delivered", STRANGER: "held", FILE_SHARE: "refused"}
    notice = site.lands(FILE_SHARE, SENDER)
    assert all(person.encode() in notice for person in (COLLEAGUE, STRANGER, FILE_SHARE))
    site.mta.await_queue(0)
    assert not site.found(identity(message), STRANGER) and not site.found(identity(message), FILE_SHARE)


@lmtp
def test_nobody_sends_as_somebody_else(site: Site) -> None:
    """The envelope sender must be the login's own: this is what lets the listener vouch for it."""
    with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        site.submit(mail("Spoofed").as_bytes(), [COLLEAGUE], sender=SENDER, login=OTHER)
    assert refused.value.recipients[COLLEAGUE][0] == 553


@lmtp
def test_a_statement_under_another_from_does_not_count(site: Site) -> None:
    """A vouched envelope sender with another author in From: the statement is not believed, the picture is held."""
    message = mail("Second opinion [consent verbal]", photo(26), author=OTHER)
    site.submit(message.as_bytes(), [COLLEAGUE])
    event = site.event(site.queue_id(identity(message)))
    assert event["recipients"][0]["state"] == "held"
    assert "identity.from-differs" in event["record"]["identity"]["codes"]


@lmtp
def test_mail_by_another_door_is_filtered_and_vouched_for_by_nobody(site: Site) -> None:
    """Port 25 and sendmail(1) reach the listener that vouches for nothing, whatever sender they claim."""
    by_port, by_program = (mail(f"{door} [consent verbal]", photo(27)) for door in ("port 25", "sendmail"))
    with smtplib.SMTP("127.0.0.1", site.mta.ports[25], timeout=30) as client:
        client.sendmail(SENDER, [COLLEAGUE], by_port.as_bytes())
    site.mta.command(
        "sendmail", "-i", "-f", SENDER, COLLEAGUE, text=by_program.as_bytes().replace(b"\r\n", b"\n").decode("ascii")
    )
    assert site.event(site.queue_id(identity(by_port)))
    # Postfix names no IDENT for mail of its own sendmail(1): the digest of the message is the key then.
    events = until(
        lambda: two if len(two := [one for one in site.clinigate.events() if one["listener"] == "other"]) == 2 else [],
        "two events",
    )
    for event in events:
        assert event["recipients"][0]["state"] == "held"
        assert event["record"]["identity"]["codes"] == ["identity.not-vouched"]


@lmtp
def test_eight_bit_text_passes_as_it_is(site: Site) -> None:
    message = mail("Befund")
    data = message.as_bytes().partition(b"\r\n\r\n")[0].replace(b"7bit", b"8bit").replace(b"us-ascii", b"utf-8")
    data += "\r\n\r\nDie Bläschen jucken – größer als gestern.\r\n".encode()
    site.submit(data, [STRANGER], options=["BODY=8BITMIME"])
    unchanged(site.lands(identity(message), STRANGER), data)


@lmtp
def test_internationalised_addresses_pass(site: Site) -> None:
    """SMTPUTF8: the recipient's address and the header in UTF-8."""
    message = mail("Grüße")
    data = message.as_bytes(policy=SMTPUTF8)
    assert "Grüße".encode() in data
    site.submit(data, [INTERNATIONAL], options=["SMTPUTF8", "BODY=8BITMIME"])
    unchanged(site.lands(identity(message), INTERNATIONAL), data)


@lmtp
def test_delivery_reports_are_asked_for_across_the_filter(site: Site) -> None:
    """NOTIFY, RET, ENVID and ORCPT (RFC 3461) survive both hops: the success report comes from the last one."""
    message, envid = mail("Report, please"), uuid.uuid4().hex
    site.submit(
        message.as_bytes(),
        [STRANGER],
        options=["RET=HDRS", f"ENVID={envid}"],
        rcpt_options=["NOTIFY=SUCCESS,FAILURE", f"ORCPT=rfc822;{STRANGER.upper()}"],
    )
    site.lands(identity(message), STRANGER)
    report = site.lands(envid, SENDER)
    assert b"Action: delivered" in report and f"Original-Recipient: rfc822;{STRANGER.upper()}".encode() in report
    assert report.count(b"Action: ") == 1 and b"please see attached" not in report


@lmtp
def test_addresses_are_rewritten_before_the_filter_and_not_after(site: Site) -> None:
    """What comes back from the gateway is final: maps are not applied again, headers are not completed."""
    message = mail("Mapped")
    site.submit(message.as_bytes(), [MAPPED[0]])
    site.lands(identity(message), MAPPED[1])
    final = message.as_bytes().replace(b"To: ", b"Cc: bare\r\nTo: ", 1)
    with smtplib.SMTP("127.0.0.1", site.mta.ports[10026], timeout=30) as client:
        client.sendmail(SENDER, [MAPPED[0]], final)
    assert site.lands(identity(message), MAPPED[0]).endswith(final)


@lmtp
def test_the_secure_route_goes_to_the_recipients_domain_and_nowhere_else(site: Site) -> None:
    """As shipped: no other transport takes it, although Postfix would deliver this domain by itself."""
    entry = f"127.0.0.1:{site.mta.ports[10027]}/inet/content_filter"
    before = site.mta.command("postconf", "-P", entry).strip().partition(" = ")[2]
    shipped = re.search(
        r"-o content_filter=(clinigate-secure\S*)", (site.mta.folder / "systemd/postfix/master.cf.clinigate").read_text()
    )
    assert shipped
    message = mail("By name [consent verbal]", photo(32))
    try:
        site.mta.command("postconf", "-P", f"{entry}={shipped[1]}")
        site.mta.reload()
        site.clinigate.restart("gateway")  # its kept connections are served as before the reload
        site.submit(message.as_bytes(), [COLLEAGUE])
        lookup = rf"postfix/secure/smtp\[\d+\]: (\w+): to=<{COLLEAGUE}>.*unable to look up host royal-example.example"
        until(lambda: re.search(lookup, site.mta.log()), "the look-up of the recipient's domain")  # which nobody has
        assert not site.found(identity(message), COLLEAGUE)
    finally:
        site.mta.command("postsuper", "-d", "ALL")  # deferred or reported, as the resolver says
        site.mta.command("postconf", "-P", f"{entry}={before}")
        site.mta.reload()
        site.clinigate.restart("gateway")


@lmtp
def test_the_secure_route_waits_rather_than_sends_in_clear(site: Site) -> None:
    """A next hop whose certificate does not name it gets nothing: the mail stays in the queue."""
    policy = site.mta.config / "tls_policy"
    before = policy.read_text()
    message = mail("Wrong certificate [consent verbal]", photo(28))
    try:
        policy.write_text(before.replace("mx.royal-example.example", "mx.elsewhere.example"))
        site.mta.reload()
        site.submit(message.as_bytes(), [COLLEAGUE])
        site.mta.await_queue(1, "Server certificate not verified")
        waiting = site.mta.queued()[0]["queue_id"]
        site.mta.documented("bypass-queued")  # takes only what waits for the filter
        assert [row["queue_id"] for row in site.mta.await_queue(1, "Server certificate not verified")] == [waiting]
        assert not site.found(identity(message), COLLEAGUE)
    finally:
        policy.write_text(before)
        site.mta.reload()
    site.mta.command("postqueue", "-f")
    site.lands(identity(message), COLLEAGUE)


@lmtp
def test_filtered_mail_that_is_requeued_is_refused_as_a_loop(site: Site) -> None:
    """Why the how-to says to requeue nothing after a bypass: it ends in a report, not in a flood, and not at the recipient."""
    policy = site.mta.config / "tls_policy"
    before = policy.read_text()
    message = mail("Requeued [consent verbal]", photo(30))
    try:
        policy.write_text(before.replace("mx.royal-example.example", "mx.elsewhere.example"))
        site.mta.reload()
        site.submit(message.as_bytes(), [COLLEAGUE])
        (row,) = site.mta.await_queue(1, "Server certificate not verified")
        site.mta.command("postsuper", "-r", str(row["queue_id"]))
        site.mta.command("postqueue", "-f")
        report = site.lands("554 5.4.6", SENDER)
        assert COLLEAGUE.encode() in report and b"image/jpeg" not in report
        site.mta.await_queue(0)
        assert not site.found(identity(message), COLLEAGUE)
    finally:
        policy.write_text(before)
        site.mta.reload()


@lmtp
def test_the_bypass_is_one_line_and_so_is_its_undoing(site: Site) -> None:
    """Drill: gateway dead, one line, new and waiting mail leave unfiltered; one line, and mail is filtered again."""
    waiting, fresh, after = (mail(f"{when} the bypass", photo(29)) for when in ("Before", "During", "After"))
    site.clinigate.stop("gateway")
    try:
        site.submit(waiting.as_bytes(), [COLLEAGUE])
        site.mta.await_queue(1, "Connection refused")
        site.mta.documented("bypass")
        site.submit(fresh.as_bytes(), [COLLEAGUE])
        assert pictures(site.lands(identity(fresh), COLLEAGUE)) == [photo(29)]
        site.mta.documented("bypass-queued")
        assert pictures(site.lands(identity(waiting), COLLEAGUE)) == [photo(29)]
        site.mta.await_queue(0)
    finally:
        site.clinigate.start("gateway")
        site.mta.documented("undo")
    site.submit(after.as_bytes(), [COLLEAGUE])
    event = site.event(site.queue_id(identity(after)))
    assert event["recipients"][0]["state"] == "held"
    assert not site.found(identity(after), COLLEAGUE)
    assert all(len(site.found(identity(one), COLLEAGUE)) == 1 for one in (waiting, fresh))


@lmtp
def test_postfix_has_nothing_to_say_against_the_snippet(site: Site) -> None:
    """No parameter is misspelt, unused or given twice; what gateway and Postfix allow each other fits together."""
    assert site.mta.command("postfix", "check") == ""
    for options in (["-n"], ["-M"], ["-P"]):
        assert "warning:" not in site.mta.command("postconf", *options)
    assert not [line for line in site.mta.log().splitlines() if "fatal:" in line or "overriding" in line or "unused" in line]
    limits = site.clinigate.settings()["limits"]
    assert int(site.mta.command("postconf", "-h", "message_size_limit")) >= limits["message_bytes"] * 1.4
    assert int(site.mta.command("postconf", "-h", "clinigate-lmtp_destination_recipient_limit")) == limits["recipients"]
    assert "next hop       ok" in site.clinigate.cli("check")
    site.mta.command("postconf", "-P", f"127.0.0.1:{site.mta.ports[25]}/inet/content_filter=")  # "Other doors": also the MX
    site.mta.reload()
    incoming = mail("From outside", photo(31))
    with smtplib.SMTP("127.0.0.1", site.mta.ports[25], timeout=30) as client:
        client.sendmail("patient@freemail.example", [SENDER], incoming.as_bytes())
    assert pictures(site.lands(identity(incoming), SENDER)) == [photo(31)]
