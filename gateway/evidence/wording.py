"""Step 5, beside the statement: what the words of the mail itself say.  Links to file shares, words of care and of referral.

All mail is looked through, so the first look is a plain search of the bytes for links; words are looked up only where a link
leads to a file share, or where a clinical picture is with the mail.  What stands in quoted text below a reply is somebody else's.
Nothing of the text is kept but codes and the names that the list of file shares gives its places.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from filters.identify.urls import places
from gateway.message import Message
from gateway.mime.owntext import own_source, own_text
from gateway.mime.words import to_text
from gateway.opening.leaves import Leaf
from policies.counsel import FILE_SHARE, REFERRAL, SHARE_ONLY
from policies.lists.wordlists import WordLists

_BODY: Final = 262_144  # bytes of one text that are looked through


@dataclass(frozen=True, slots=True)
class Wording:
    """Codes, and of the list of file shares the names of those that links lead to."""

    codes: frozenset[str] = frozenset()
    shares: tuple[str, ...] = ()


NOTHING: Final = Wording()


def wording(
    message: Message, leaves: Sequence[Leaf], lists: WordLists, allowed: Sequence[str], thread: str, numbered: bool
) -> Wording:
    """What the words say.  ``allowed``: the organisation's own shares; ``numbered``: a patient's number was found in the mail."""
    clinical = any(leaf.clinical for leaf in leaves)
    bodies = tuple(_bodies(message, leaves, attached=thread == "forward"))
    shares = sorted({name for leaf in bodies for name in _shares(leaf.body[:_BODY], lists, allowed)})
    if shares and thread == "reply":  # the link that the other side sent, quoted below, is not this sender's
        own = (own_source(_text(leaf), _is_page(leaf)).encode("utf-8", "replace") for leaf in bodies)
        shares = sorted({name for text in own for name in _shares(text, lists, allowed)})
    if not shares and not clinical:
        return NOTHING
    told = "\n".join((*map(message.text, message.fields("Subject")), *(_words(leaf, thread) for leaf in bodies)))
    codes = set()
    if shares:
        codes.add(FILE_SHARE if numbered or clinical or lists.clinical.said(told) else SHARE_ONLY)
    if clinical and lists.referral.said(told):
        codes.add(REFERRAL)
    return Wording(frozenset(codes), tuple(shares))


def _bodies(message: Message, leaves: Sequence[Leaf], attached: bool) -> Iterator[Leaf]:
    """The texts of this mail; of ``attached`` mail too."""
    others = () if attached else tuple(f"{part.path}." for part in message.parts if part.content_type.startswith("message/"))
    for leaf in leaves:
        part = leaf.part
        if others and part.path.startswith(others):
            continue
        if part.content_type in ("text/plain", "text/html") and part.disposition != "attachment" and not part.name:
            yield leaf


def _shares(data: bytes, lists: WordLists, allowed: Sequence[str]) -> Iterator[str]:
    for place in places(data, lists.shares.lists, lists.shares.endings):
        name = lists.shares.name(place.host, place.path, allowed)
        if name is not None:
            yield name


def _text(leaf: Leaf) -> str:
    return to_text(leaf.body[:_BODY], leaf.part.params.get("charset", "utf-8"))


def _is_page(leaf: Leaf) -> bool:
    return leaf.part.content_type == "text/html"


def _words(leaf: Leaf, thread: str) -> str:
    return own_text(_text(leaf), _is_page(leaf), whole=thread == "forward")
