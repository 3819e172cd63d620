"""How often the lists of words and file shares speak up: on ordinary mail, on mail with links, on mail they are made for.

``python -m tests.ordinary.wordrate SEED EACH`` prints the table that stands in docs/ordinary-mail.md.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from random import Random
from typing import Final

from gateway.facts import Opened
from gateway.mime.owntext import own_text
from gateway.mime.words import to_text
from gateway.pipeline import judge
from policies.counsel import FILE_SHARE, SHARE_ONLY
from policies.lists.messengers import NAME_MESSENGER
from tests.ordinary import linkmail
from tests.ordinary.attachments import ORDINARY
from tests.ordinary.kinds import NULL_SENDER, RECIPIENTS, SENDER
from tests.support.contexts import context, received
from tests.support.paths import CORPUS

COLUMNS: Final = ("words of care", "words of referral", "link to a file share", "both: advice", "messenger's name")
KINDS: Final[Mapping[str, Mapping[str, linkmail.Build]]] = {
    "generated ordinary mail": ORDINARY,
    "everyday hospital mail with links": linkmail.ORDINARY,
    "party pictures on a file share": linkmail.SHARED,
    "a patient's pictures on a file share": linkmail.CLINICAL,
    "everyday mail, other sentences": linkmail.FRESH["everyday"],
    "party pictures, other sentences": linkmail.FRESH["social"],
    "a patient's pictures, other sentences": linkmail.FRESH["clinical"],
}
_CARE, _REFERRAL, _LINK, _BOTH, _NAME = COLUMNS


def seen(raw: bytes, sender: str = SENDER) -> frozenset[str]:
    """The columns in which one mail counts."""
    made = context("enforce")
    judged = judge(made, received(raw, RECIPIENTS[3], sender=sender))
    codes = judged.facts[0].codes | frozenset(code for image in judged.facts[0].images for code in image.codes)
    text = _text(judged.opened)
    told = {
        _CARE: made.policy.words.clinical.said(text),
        _REFERRAL: made.policy.words.referral.said(text),
        _LINK: bool(codes & {FILE_SHARE, SHARE_ONLY}),
        _BOTH: FILE_SHARE in codes,
        _NAME: NAME_MESSENGER in codes,
    }
    return frozenset(name for name, found in told.items() if found)


def _text(opened: Opened) -> str:
    texts = [opened.message.text(one) for one in opened.message.fields("Subject")]
    for leaf in opened.leaves:
        if leaf.part.content_type in ("text/plain", "text/html"):
            page = leaf.part.content_type == "text/html"
            texts.append(own_text(to_text(leaf.body, leaf.part.params.get("charset", "utf-8")), page, whole=False))
    return "\n".join(texts)


def generated(kinds: Mapping[str, linkmail.Build], seed: int, each: int) -> Iterator[tuple[bytes, str]]:
    """(mail, envelope sender) of ``each`` mails of every kind."""
    for kind, build in kinds.items():
        rng = Random(f"{seed}:{kind}:words")
        for _ in range(each):
            yield build(rng, (RECIPIENTS[3],)), "" if kind in NULL_SENDER else SENDER


def corpus() -> Iterator[tuple[bytes, str]]:
    """Real mail of other people's test suites, as far as it is there."""
    for path in sorted((CORPUS / "mail").glob("*.eml")):
        yield path.read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"), SENDER


def rate(mails: Iterable[tuple[bytes, str]]) -> tuple[int, Counter[str]]:
    """How many mails, and how many count in each column."""
    number, found = 0, Counter[str]()
    for raw, sender in mails:
        number += 1
        found.update(seen(raw, sender))
    return number, found


def table(seed: int, each: int) -> list[str]:
    """The lines of the table."""
    lines = ["| mail | number | " + " | ".join(COLUMNS) + " |", "|---|---|" + "---|" * len(COLUMNS)]
    for name, kinds in KINDS.items():
        wanted = each * (1 if kinds is ORDINARY else 10)
        lines.append(_row(name, *rate(generated(kinds, seed, wanted))))
    if (CORPUS / "mail").exists():
        lines.append(_row("real mail from mail libraries' tests", *rate(corpus())))
    return lines


def unseen() -> tuple[int, int]:
    """(known as words of care, all) of the sentences that the lists were never mended by."""
    care = context("enforce").policy.words.clinical
    return sum(care.said(sentence) for sentence in linkmail.UNSEEN), len(linkmail.UNSEEN)


def _row(name: str, number: int, found: Counter[str]) -> str:
    return f"| {name} | {number} | " + " | ".join(f"{found[column] / max(number, 1):.1%}" for column in COLUMNS) + " |"


if __name__ == "__main__":
    print("\n".join(table(int(sys.argv[1]), int(sys.argv[2]))))
