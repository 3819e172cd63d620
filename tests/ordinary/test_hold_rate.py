"""At most 0.5 % of ordinary mail is held, and what is not held leaves as it came.  Measured on generated mail.

``python -m tests.ordinary.test_hold_rate SEED EACH`` prints the rate of each kind, also of those known to be stopped.
"""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from random import Random

import pytest

from gateway.pipeline import judge, plan
from policies.model import Action
from tests.ordinary.attachments import ALL, ORDINARY, PAGES
from tests.ordinary.kinds import KINDS, RECIPIENTS, SENDER, STOPPED, Mail, mails, signature
from tests.ordinary.report import WAITING
from tests.support.contexts import context, received
from tests.support.needs import needs

pytestmark = pytest.mark.unit

SEED, EACH = 20261116, 30
MOST = 0.005


def held(mail: Mail) -> bool:
    """Does any recipient not get this mail, or get it changed?"""
    judged = judge(context("enforce"), received(mail.raw, *mail.recipients, sender=mail.sender))
    return any(one.action is not Action.DELIVER for one in judged.decisions)


def rates(seed: int, each: int, kinds: Mapping[str, Callable[[Random, tuple[str, ...]], bytes]] = KINDS) -> dict[str, float]:
    """Of each kind the share that is held, refused or protected."""
    stopped = Counter(mail.kind for mail in mails(seed, each, kinds) if held(mail))
    return {kind: stopped[kind] / each for kind in kinds}


def test_the_same_seed_gives_the_same_mail() -> None:
    assert mails(1, 2) == mails(1, 2) != mails(2, 2)


def test_there_are_at_least_ten_kinds() -> None:
    assert len(KINDS) >= 10


@pytest.mark.slow
def test_ordinary_mail_is_not_held() -> None:
    """At most 0.5 % over all kinds, to own staff, partners, strangers, private and denied addresses alike."""
    found = rates(SEED, EACH)
    assert sum(found.values()) / len(found) <= MOST, {kind: rate for kind, rate in found.items() if rate}


@pytest.mark.slow
def test_mail_with_ordinary_attachments_is_not_held() -> None:
    """At most 0.5 % of 420 emails of 30 kinds: letters, slides, charts, screenshots, archives, dictations, threads."""
    assert len(ORDINARY) >= 30 and len(ALL) >= 37
    found = rates(SEED + 2, 14, ORDINARY)
    assert sum(found.values()) / len(found) <= MOST, {kind: rate for kind, rate in found.items() if rate}


@pytest.mark.slow
@pytest.mark.parametrize("kind", PAGES)
def test_a_scanned_letter_waits_for_nothing_on_its_way_to_a_partner(kind: str) -> None:
    """A page is no photograph: protected or delivered, without a question."""
    for number in range(4):
        raw = PAGES[kind](Random(f"{SEED}:{number}"), RECIPIENTS[:3])
        judged = judge(context("enforce"), received(raw, *RECIPIENTS[:3], sender=SENDER))
        assert not any(one.action in WAITING for one in judged.decisions), kind


def test_a_generated_signature_is_one_to_openssl(tmp_path: Path) -> None:
    """The hand-made SignedData parses; else its mail would be ordinary for us alone."""
    needs("openssl")
    made = tmp_path / "smime.p7s"
    made.write_bytes(signature(Random(1)))
    done = subprocess.run(["openssl", "cms", "-cmsout", "-print", "-inform", "DER", "-in", made], capture_output=True, text=True)
    assert done.returncode == 0 and "pkcs7-signedData" in done.stdout


def test_ordinary_mail_leaves_byte_for_byte() -> None:
    """One copy, the same for all, that differs by one Received line and nothing else (P3)."""
    for mail in mails(SEED + 1, 3):
        made = plan(context("enforce"), received(mail.raw, *mail.recipients, sender=mail.sender))
        assert (len(made.copies), made.holds, made.refusals) == (1, (), ()), mail.kind
        assert made.copies[0].data.data.endswith(mail.raw), mail.kind
        assert made.plain, mail.kind


if __name__ == "__main__":
    seed, each = int(sys.argv[1]), int(sys.argv[2])
    found = rates(seed, each)
    for kind, rate in (found | rates(seed, each, STOPPED)).items():
        print(f"{kind:26} {rate:7.2%}" + (" (not counted)" if kind in STOPPED else ""))
    print(f"{'all':26} {sum(found.values()) / len(found):7.2%} of {each * len(found)}")
