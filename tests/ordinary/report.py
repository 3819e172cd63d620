"""Makes docs/ordinary-mail.md: how much ordinary mail is held, by kind of mail and class of recipient.

python -m tests.ordinary.report SEED EACH > docs/ordinary-mail.md
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Mapping
from random import Random
from typing import Final

from gateway.pipeline import judge
from policies.model import Action
from tests.ordinary import wordrate
from tests.ordinary.attachments import ORDINARY, PAGES, UNSURE, Build
from tests.ordinary.kinds import NULL_SENDER, OWN, SENDER
from tests.support.contexts import context, received

# Class of recipient (docs/policy.md) -> an address of it in the demo's register, which has none of class B.
CLASSES: Final[Mapping[str, str]] = {
    "O own": f"sister.jones@{OWN}",
    "A partner": "dr.lee@royal-example.example",
    "C patient": "mary.smith@gmail.com",
    "D unknown": "jane@newclinic.example",
    "E private": "pat42@outlook.com",
}
WAITING: Final = (Action.ASK, Action.QUARANTINE, Action.REFUSE)
# ruff: noqa: E501 - lines of a table and of a page
_HEAD = """# Ordinary mail

How much mail without a clinical picture is held, by kind and class of recipient. Made by
`python -m tests.ordinary.report {seed} {each}`: {total} generated emails of {kinds} kinds, one recipient each, default policy, `enforce`. Another
seed makes other emails.
"""
_NOTES = """
- Scanned pages are documents (K9): protected to partners without a question, delivered to patients. For the classes D and E the policy asks
  for one word (`[document]`); see [The policy](policy.md).
- Photographs of places and colleagues look like any photograph. They are held at first sight outside the organisation. What helps:
  `clinigate learn-logo FILE` for a picture that is sent again and again (a portrait in a signature, a soft JPEG logo), a sender group
  `non-clinical` for communications, estates and HR (they are advised, not stopped), the word `[not a patient image]` for a single email.
- Into a file with a password nobody can look: the sender is asked once whether a patient's picture is in it.
- What counts as decoration, and how often that is right: [Decorative or clinical](decorative.md).

## Words and links

How often the [lists of words and file shares](policy.md#file-shares-cameras-referrals) speak up. Only the two together are advice, and advice
holds nothing. Made by `python -m tests.ordinary.wordrate {words_seed} {words_each}`.

{words}

- Words of care alone are no finding. The generated mail is made of a list of words that has many of them in it; the everyday mail is made
  of sentences that a hospital sends.
- Believe these figures for plain cases only: the sentences behind them have served to mend the lists. Of {unseen_all} sentences about patients
  written last and never used, {unseen_known} were known. The list is advice for the plain case, no net.
- Of party pictures on a file share some are called a patient's, because a word of the rest of the mail fits: the sender gets one note a
  month.
- Links behind a shortening service (bit.ly) are not seen, nor is a link whose filter tells the domain alone where only a part of that domain
  is a share (Mimecast, iCloud).
- Looking costs 17 µs for 2 kB of HTML and 130 µs for 20 kB (text: 14 and 112 µs), 1.5 to 4.2 % of what such a mail takes in all
  (`python -m tests.bench.wording`).
"""


def subject_tag(raw: bytes) -> bytes:
    """The same mail, addressed to a patient by the words that clinicians are taught."""
    return raw.replace(b"\r\nSubject: ", f"\r\nSubject: [to patient {CLASSES['C patient']}] ".encode(), 1)


def held(kind: str, raw: bytes, group: str) -> bool:
    """Does the recipient of this class wait for it?"""
    raw = subject_tag(raw) if group.startswith("C") else raw
    sender = "" if kind in NULL_SENDER else SENDER
    judged = judge(context("enforce"), received(raw, CLASSES[group], sender=sender))
    return any(one.action in WAITING for one in judged.decisions)


def table(kinds: Mapping[str, Build], seed: int, each: int) -> dict[str, Counter[str]]:
    """Kind -> class -> how many of ``each`` were held."""
    found = {kind: Counter[str]() for kind in kinds}
    for kind, build in kinds.items():
        rng = Random(f"{seed}:{kind}:report")
        for group, address in CLASSES.items():
            found[kind][group] = sum(held(kind, build(rng, (address,)), group) for _ in range(each))
    return found


def _rows(title: str, found: Mapping[str, Counter[str]], each: int) -> list[str]:
    lines = [f"\n## {title}\n", "| kind | " + " | ".join(CLASSES) + " |", "|---|" + "---|" * len(CLASSES)]
    for kind, counts in found.items():
        lines.append(f"| {kind} | " + " | ".join(f"{counts[group] / each:.0%}" for group in CLASSES) + " |")
    total = sum(sum(counts.values()) for counts in found.values())
    lines.append(f"\nHeld: {total} of {len(found) * len(CLASSES) * each} ({total / (len(found) * len(CLASSES) * each):.1%}).")
    return lines


def main(seed: int, each: int) -> None:
    """Prints the page."""
    parts = {"No clinical picture": ORDINARY, "Scanned pages": PAGES, "Photographs, and what nobody can see": UNSURE}
    kinds = sum(map(len, parts.values()))
    print(_HEAD.format(seed=seed, each=each, kinds=kinds, total=kinds * each * len(CLASSES)), end="")
    for title, each_kind in parts.items():
        print("\n".join(_rows(title, table(each_kind, seed, each), each)))
    words_seed, words_each = seed + 7, 20
    lines = "\n".join(wordrate.table(words_seed, words_each))
    known, unseen = wordrate.unseen()
    print(
        _NOTES.format(words_seed=words_seed, words_each=words_each, words=lines, unseen_known=known, unseen_all=unseen), end=""
    )


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
