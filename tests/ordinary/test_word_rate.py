"""The lists of words and file shares on mail: ordinary mail is never advised, a patient's pictures on a file share nearly always.

The figures of docs/ordinary-mail.md; here on other seeds and fewer mails.
"""

from __future__ import annotations

import pytest

from tests.ordinary import linkmail
from tests.ordinary.kinds import KINDS
from tests.ordinary.wordrate import COLUMNS, generated, rate, unseen

pytestmark = pytest.mark.unit

LINK, ADVICE = COLUMNS[2], COLUMNS[3]


def test_ordinary_mail_is_never_advised() -> None:
    """News, rotas, meeting links, social footers, replies below which somebody else's link is quoted."""
    for kinds, each in ((KINDS, 2), (linkmail.ORDINARY, 20), (linkmail.FRESH["everyday"], 20)):
        number, found = rate(generated(kinds, 4711, each))
        assert number >= 20 and found[ADVICE] == found[LINK] == 0


def test_party_pictures_are_seldom_taken_for_a_patients() -> None:
    number, found = rate(generated(linkmail.SHARED, 4711, 40))
    assert found[ADVICE] <= number * 0.3


def test_a_patients_pictures_on_a_file_share_are_found_however_the_link_is_wrapped() -> None:
    number, found = rate(generated(linkmail.CLINICAL, 4711, 40))
    assert found[ADVICE] >= number * 0.9


def test_what_the_page_says_of_unseen_sentences_is_true() -> None:
    """A list that is mended by these sentences says nothing any more: then write others."""
    known, number = unseen()
    assert (known, number) == (7, 16)
