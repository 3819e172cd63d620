"""The lists of words and places that the text of an email is held against, all together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from policies.lists.fileshares import Shares, read_shares
from policies.lists.phraselist import Phrases, read_phrases

FILE_SHARES: Final = "file-shares.txt"
CLINICAL_WORDS: Final = "clinical-words.txt"
REFERRAL_WORDS: Final = "referral-words.txt"
WORD_LISTS: Final = (FILE_SHARES, CLINICAL_WORDS, REFERRAL_WORDS)


@dataclass(frozen=True, slots=True)
class WordLists:
    """Empty lists find nothing."""

    shares: Shares = field(default_factory=Shares, repr=False)
    clinical: Phrases = field(default_factory=Phrases, repr=False)
    referral: Phrases = field(default_factory=Phrases, repr=False)


def read_word_lists(files: Mapping[str, bytes], problems: list[str]) -> WordLists:
    """The lists among ``files`` (by base name); what is wrong goes into ``problems`` as printable lines."""
    shares, wrong = read_shares(files[FILE_SHARES], FILE_SHARES) if FILE_SHARES in files else (Shares(), ())
    problems += wrong
    found: dict[str, Phrases] = {}
    for name in (CLINICAL_WORDS, REFERRAL_WORDS):
        found[name], wrong = read_phrases(files[name], name) if name in files else (Phrases(), ())
        problems += wrong
    return WordLists(shares, found[CLINICAL_WORDS], found[REFERRAL_WORDS])
