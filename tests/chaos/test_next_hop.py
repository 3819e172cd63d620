"""The next hop is dead, slow, silent, rude or mad; our answers are those of docs/replies.md and nothing is lost."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from gateway.demo.samples import COLLEAGUE, FILE_SHARE, STRANGER
from tests.support.aftermath import addresses, both_listeners, of_sender, sealed
from tests.support.canaries import judge
from tests.support.installation import Installation, free_port
from tests.support.letters import DOMAIN, canary_photo, letter
from tests.support.mta import Dialogue, Queued, attempt, persist
from tests.support.troublesome import DROP, GARBAGE, HANG, Troublesome

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

OTHER = "dr.other@royal-example.example"
THREE = (COLLEAGUE, STRANGER, FILE_SHARE)
TIMEOUT = 1.0
RECEIVED_AT = re.compile(rb"\r\n [A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} [\d:]{8} [+]0000\r\n")  # each try is received anew


@pytest.fixture(scope="module")
def hop(site: Installation) -> Iterator[Troublesome]:
    yield site.hop  # type: ignore[attr-defined]  # put there by ``site``


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    made = Installation(tmp_path_factory.mktemp("hop"), mailbox=False, limits={"deadline_seconds": 10})
    both_listeners(made, made.ports.gateway, free_port())
    route = {"host": "127.0.0.1", "port": made.ports.mailbox, "timeout": TIMEOUT}
    made.configure(routes={"default": route, "secure": route})
    with Troublesome(made.ports.mailbox) as hop:
        made.hop = hop  # type: ignore[attr-defined]  # for the fixture above
        try:
            made.start("gateway")
            yield made
        finally:
            made.close()


def port(site: Installation, protocol: str) -> int:
    return int(next(one["port"] for one in site.settings()["listeners"] if one["protocol"] == protocol))


def queued(name: str, recipients: tuple[str, ...], pictures: int = 1) -> Queued:
    sender = f"{name}@{DOMAIN}"
    return Queued(f"Q{name}", sender, recipients, letter(sender, recipients, pictures=(canary_photo(),) * pictures))


def copies(hop: Troublesome, message: Queued, recipient: str) -> int:
    """How many copies the next hop took; none with a canary."""
    leak = judge()
    mine = [mail for mail in hop.taken[recipient] if f"From: <{message.sender}>".encode() in mail]
    assert all(leak(mail) is None for mail in mine)
    return len(mine)


# manners -> code for one photo to one recipient: rows temporary, permanent, unknown of docs/replies.md with others = none
SINGLE = [
    ({"rcpt": "450 4.2.0 greylisted"}, 450),
    ({"rcpt": "550 5.1.1 no such user <dr.lee@royal-example.example>"}, 550),
    ({"mail": "451 4.3.0 not now"}, 451),
    ({"data": "452 4.3.1 full"}, 452),
    ({"final": "452 4.3.1 full"}, 452),
    ({"final": "554 5.7.1 spam"}, 554),
    ({"final": "421 4.3.2 closing"}, 451),
    ({"final": DROP}, 451),
    ({"final": GARBAGE}, 451),
    ({"connect": "554 5.7.1 go away"}, 451),
    ({"connect": GARBAGE}, 451),
    ({"mail": DROP}, 451),
    ({"mail": GARBAGE}, 451),
    ({"rcpt": HANG}, 451),
]


@pytest.mark.parametrize("protocol", ["SMTP", "LMTP"])
@pytest.mark.parametrize(
    ("manners", "code"), SINGLE, ids=lambda value: str(value) if isinstance(value, int) else "-".join(*value.items())
)
def test_one_recipient_gets_the_next_hops_word_and_comes_back(
    site: Installation, hop: Troublesome, manners: dict[str, str], code: int, protocol: str
) -> None:
    """The codes of the next hop are passed on, its text never; what was not taken is taken when it behaves again."""
    name = f"{protocol}.{SINGLE.index((manners, code))}".lower()
    message = queued(name, (COLLEAGUE,))
    with hop.behaving(manners):
        assert attempt(port(site, protocol), protocol, message) == {COLLEAGUE: code}
    assert copies(hop, message, COLLEAGUE) == 0
    if code < 500:
        assert persist(port(site, protocol), protocol, message) == {COLLEAGUE: 250}
        assert copies(hop, message, COLLEAGUE) == 1
    assert sealed(site) == [] or of_sender(sealed(site), message.sender) == []


@pytest.mark.parametrize(
    ("manners", "lmtp"),
    [({"rcpt": "450 4.2.0 greylisted"}, 450), ({"final": DROP}, 451), ({"final": "452 4.3.1 full"}, 452)],
    ids=["rcpt", "drop", "final"],
)
def test_with_others_terminal_smtp_defers_and_lmtp_comes_back(
    site: Installation, hop: Troublesome, manners: dict[str, str], lmtp: int
) -> None:
    """docs/replies.md: rows temporary and unknown with others = some."""
    name = "some" + "".join(filter(str.isalnum, str(manners).lower()))[:20]
    over_smtp, over_lmtp = queued(f"{name}.smtp", THREE), queued(f"{name}.lmtp", THREE)
    with hop.behaving(manners):
        assert attempt(port(site, "SMTP"), "SMTP", over_smtp) == dict.fromkeys(THREE, 250)
        answers = attempt(port(site, "LMTP"), "LMTP", over_lmtp)
        assert answers == {COLLEAGUE: lmtp, STRANGER: 250, FILE_SHARE: 250}
    held = {hold.meta["action"]: addresses(hold) for hold in of_sender(sealed(site), over_smtp.sender)}
    assert held == {"QUARANTINE": [STRANGER], "DEFERRED": [COLLEAGUE]}
    assert persist(port(site, "LMTP"), "LMTP", over_lmtp, answers) == dict.fromkeys(THREE, 250)
    assert copies(hop, over_lmtp, COLLEAGUE) == 1
    assert [addresses(hold) for hold in of_sender(sealed(site), over_lmtp.sender)] == [[STRANGER]]


def test_one_of_two_is_refused_for_good(site: Installation, hop: Troublesome) -> None:
    """docs/replies.md: permanent, others = some: over SMTP a failure report of ours, over LMTP the upstream's."""
    over_smtp, over_lmtp = queued("half.smtp", (COLLEAGUE, OTHER)), queued("half.lmtp", (COLLEAGUE, OTHER))
    with hop.behaving({f"rcpt {OTHER}": "550 5.1.1 no such user"}):
        assert attempt(port(site, "SMTP"), "SMTP", over_smtp) == {COLLEAGUE: 250, OTHER: 250}
        assert attempt(port(site, "LMTP"), "LMTP", over_lmtp) == {COLLEAGUE: 250, OTHER: 550}
    assert copies(hop, over_smtp, COLLEAGUE) == copies(hop, over_lmtp, COLLEAGUE) == 1
    assert copies(hop, over_smtp, OTHER) == copies(hop, over_lmtp, OTHER) == 0


def test_an_answer_lost_twice_ends_in_a_hold_and_two_copies_at_most(site: Installation, hop: Troublesome) -> None:
    """RFC 1047, docs/replies.md ``spent``: taken, reply lost, twice; a third sending could be a second duplicate."""
    message = queued("spent", (COLLEAGUE,))
    with hop.behaving({"final": f"{DROP} taken"}):
        assert attempt(port(site, "LMTP"), "LMTP", message) == {COLLEAGUE: 451}
        assert attempt(port(site, "LMTP"), "LMTP", message) == {COLLEAGUE: 451}
    assert attempt(port(site, "LMTP"), "LMTP", message) == {COLLEAGUE: 250}
    assert copies(hop, message, COLLEAGUE) == 2
    taken = [mail for mail in hop.taken[COLLEAGUE] if message.sender.encode() in mail]
    assert len({RECEIVED_AT.sub(b"\r\n", mail, count=1) for mail in taken}) == 1, "the same bytes, the same Message-ID"
    (hold,) = of_sender(sealed(site), message.sender)
    assert hold.meta["rule"] == "delivery-unknown"


def test_a_slow_next_hop_holds_up_nobody_else_and_silence_ends_at_the_limit(site: Installation, hop: Troublesome) -> None:
    """A next hop that never answers the dot: 451 within the deadline; the message may have arrived and is noted so."""
    message = queued("silent", (COLLEAGUE,))
    with ThreadPoolExecutor(1) as pool:
        with hop.behaving({"final": HANG}):
            started = time.monotonic()
            silent = pool.submit(attempt, port(site, "SMTP"), "SMTP", message)
            while not any(message.sender.encode() in mail for mail in hop.seen):
                time.sleep(0.05)
        assert attempt(port(site, "SMTP"), "SMTP", queued("meanwhile", (COLLEAGUE,), 0)) == {COLLEAGUE: 250}
        assert time.monotonic() - started < 5
        assert silent.result(30) == {COLLEAGUE: 451}
    assert persist(port(site, "SMTP"), "SMTP", message) == {COLLEAGUE: 250}
    assert copies(hop, message, COLLEAGUE) == 1


def test_while_the_circuit_is_open_mail_is_answered_451_at_mail_and_it_closes_by_itself(
    site: Installation, hop: Troublesome
) -> None:
    """DESIGN section 2: what could not be answered is better not begun; one probe later mail flows again."""
    hop.stop()
    text = queued("circuit", (COLLEAGUE,), 0)
    for _ in range(3):
        assert attempt(port(site, "SMTP"), "SMTP", text) == {COLLEAGUE: 451}
    with Dialogue(port(site, "SMTP"), "SMTP") as wire:
        wire.hello()
        code, said = wire.say(f"MAIL FROM:<{text.sender}>")
        assert (code, said.split(" ")[0]) == (451, "4.4.1")
    hop.start()
    assert persist(port(site, "SMTP"), "SMTP", text, seconds=20) == {COLLEAGUE: 250}
    assert copies(hop, text, COLLEAGUE) == 1


def test_no_word_of_the_next_hop_reaches_the_client_or_the_log(site: Installation, hop: Troublesome) -> None:
    """Its texts may name people (docs/replies.md, whose)."""
    message = queued("whose", (COLLEAGUE,))
    with hop.behaving({"rcpt": "550 5.1.1 SECRETWORD is not here"}), Dialogue(port(site, "SMTP"), "SMTP") as wire:
        wire.hello(message.ident)
        wire.say(f"MAIL FROM:<{message.sender}>")
        wire.say(f"RCPT TO:<{COLLEAGUE}>")
        wire.say("DATA")
        wire.send(message.data + b".\r\n")
        code, said = wire.reply()
    assert code == 550
    assert "SECRETWORD" not in said
    assert "SECRETWORD" not in site.log("gateway")
