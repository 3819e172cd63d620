"""What the words of a mail say: links to file shares, words of care and of referral.  Only its sender's own words count."""

from __future__ import annotations

import json
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any

import pytest

from gateway.mime.owntext import own_source, own_text
from gateway.pipeline import judge, plan
from tests.support.contexts import COLLEAGUE, STRANGER, context, received
from tests.support.letters import canary_photo, letter

pytestmark = pytest.mark.unit

SENDER = "dr.adams@clinic.example"
SECRET = "vanilla-canary"
LINK = f"https://www.dropbox.com/s/{SECRET}/leg.jpg"
CARE = "could you look at this wound?"
QUOTED = f"On Mon, 16 Nov 2026 at 09:00, Dr Lee <dr.lee@royal-example.example> wrote:\n> {CARE}\n> {LINK}\n"


def said(body: str, subject: str = "hello", pictures: tuple[bytes, ...] = (), **headers: str) -> set[str]:
    """The codes of one mail to a stranger that are about its words."""
    raw = letter(SENDER, (STRANGER,), subject, body=body, pictures=pictures, headers=headers)
    codes = judge(context(), received(raw, STRANGER)).facts[0].codes
    return {code for code in codes if code.startswith(("link.", "mail.referral"))}


def page(body: str, text: str = "hello") -> bytes:
    """Text and HTML."""
    message = EmailMessage(policy=SMTP)
    message["From"], message["To"], message["Subject"] = SENDER, STRANGER, "hello"
    message["Message-ID"] = "<page@clinic.example>"
    message.set_content(text)
    message.add_alternative(
        f"<html><head><style>p {{color: red}} /* wound */</style></head><body>{body}</body></html>", subtype="html"
    )
    return message.as_bytes()


def of_page(body: str, text: str = "hello") -> set[str]:
    judged = judge(context(), received(page(body, text), STRANGER))
    return {code for code in judged.facts[0].codes if code.startswith("link.")}


@pytest.mark.parametrize(
    ("body", "codes"),
    [
        (f"{CARE}\n{LINK}\n", {"link.file-share"}),
        (f"{CARE}\ndropbox.com/s/x\n", {"link.file-share"}),
        (f"party menu\n{LINK}\n", {"link.share-only"}),
        (f"NHS number 943 476 5919\n{LINK}\n", {"link.file-share"}),
        (f"{CARE}\nhttps://clinic.sharepoint.com/sites/x\n", set()),
        (f"{CARE}\n", set()),
        (f"{CARE}\nwrite to upload@dropbox.com\n", set()),
    ],
)
def test_a_link_and_words_of_care_together_are_the_finding(body: str, codes: set[str]) -> None:
    assert said(body) == codes


def test_the_subjects_words_count_and_a_picture_is_care_enough() -> None:
    assert said(f"see {LINK}\n", subject="wound photos") == {"link.file-share"}
    assert said(f"more here: {LINK}\n", pictures=(canary_photo(),)) == {"link.file-share"}


def test_what_is_quoted_below_a_reply_is_somebody_elses() -> None:
    """The link came from the other side: nobody is told off for it.  Passed on to a third person it is the sender's own doing."""
    assert said(f"Thanks, will do.\n\n{QUOTED}", subject="Re: leg") == set()
    assert said(f"{CARE}\n{LINK}\n\n{QUOTED}", subject="Re: leg") == {"link.file-share"}
    assert said(f"The menu: {LINK}\n\n{QUOTED}", subject="Re: party") == {"link.share-only"}
    assert said(f"See below.\n\n{QUOTED}", subject="Fwd: leg") == {"link.file-share"}


@pytest.mark.parametrize(
    ("body", "codes"),
    [
        (f'<p>{CARE}</p><a href="{LINK}">here</a>', {"link.file-share"}),
        (f'<p>c&#111;uld you look at this wo<b>und</b>? lesion</p><a href="{LINK}">x</a>', {"link.file-share"}),
        (f'<p>party menu</p><a href="{LINK}">here</a>', {"link.share-only"}),  # the word in the style sheet is not seen
        ('<p>wound</p><a href="mailto:x@dropbox.com">mail</a><img src="cid:dropbox.com/x">', set()),
        (
            f'<p>{CARE}</p><a href="https://eur01.safelinks.protection.outlook.com/?url=https%3A%2F%2Fwww.dropbox.com'
            '%2Fs%2Fx&amp;data=05">x</a>',
            {"link.file-share"},
        ),
    ],
)
def test_html_is_read_as_it_is_seen(body: str, codes: set[str]) -> None:
    assert of_page(body) == codes


def test_a_referral_needs_its_words_and_a_picture() -> None:
    photo = (canary_photo(),)
    assert said("Referral, please see this patient.\n") == set()
    assert said("Please see this patient, 2WW.\n", pictures=photo) == {"mail.referral"}
    assert said("Rota attached.\n", subject="Advice and guidance", pictures=photo) == {"mail.referral"}
    assert said("Here it is.\n", pictures=photo) == set()


def test_an_attached_mails_words_are_not_the_senders() -> None:
    inner = EmailMessage(policy=SMTP)
    inner["From"], inner["Subject"] = "dr.lee@royal-example.example", "leg"
    inner.set_content(f"{CARE} {LINK}")
    outer = EmailMessage(policy=SMTP)
    outer["From"], outer["To"], outer["Subject"] = SENDER, STRANGER, "Re: leg"
    outer["Message-ID"] = "<outer@clinic.example>"
    outer.set_content("As you asked.")
    outer.add_attachment(inner)
    judged = judge(context(), received(outer.as_bytes(), STRANGER))
    assert not any(code.startswith("link.") for code in judged.facts[0].codes)


def test_the_record_keeps_the_services_name_and_nothing_of_the_link() -> None:
    made = plan(context(), received(letter(SENDER, (STRANGER,), body=f"{CARE} {LINK} https://we.tl/{SECRET}\n"), STRANGER))
    assert made.record["shares"] == ["dropbox", "wetransfer"]
    told = json.dumps(made.record)
    assert SECRET not in told and "https" not in told and "wound" not in told


def test_the_organisations_own_share_is_no_finding() -> None:
    raw = letter(SENDER, (STRANGER,), body=f"{CARE} https://ourtrust.app.box.com/s/x\n")
    made: Any = context(file_links=(("allowed", ("ourtrust.app.box.com",)),))
    assert not any(code.startswith("link.") for code in judge(made, received(raw, STRANGER)).facts[0].codes)
    assert "link.file-share" in judge(context(), received(raw, STRANGER)).facts[0].codes


def test_image_free_mail_with_advice_still_goes_plain_and_unchanged() -> None:
    """P3: one copy, the same bytes but for a Received line, by the short way; the note is beside."""
    raw = letter(SENDER, (STRANGER, COLLEAGUE), body=f"{CARE} {LINK}\n")
    made = plan(context(), received(raw, STRANGER, COLLEAGUE))
    assert made.plain and len(made.copies) == 1 and not made.holds and not made.refusals
    assert made.copies[0].data.data.endswith(raw)
    assert [line["notice"] for line in made.record["recipients"]] == ["N-3-note", "N-3-note"]


def test_text_is_cut_where_the_quoting_begins() -> None:
    text = "mine\n\n> theirs"
    assert own_text(text, page=False, whole=False).strip() == "mine"
    assert "theirs" in own_text(text, page=False, whole=True)
    html = '<p>mine &amp; ours</p><script>x</script><blockquote type="cite">theirs</blockquote>'
    assert own_text(html, page=True, whole=False).split() == ["mine", "&", "ours"]
    assert "theirs" in own_text(html, page=True, whole=True)
    assert "theirs" not in own_source(html, page=True)
