"""Lists of file shares, of words and of messengers' file names: what they say yes to, and what is wrong with a line."""

from __future__ import annotations

import time

import pytest

from policies.lists.fileshares import read_shares, shares_line
from policies.lists.messengers import messenger
from policies.lists.phraselist import read_phrases
from policies.load import EXTRA, PolicyError, load_policy
from tests.support.paths import ROOT
from tests.support.policyfacts import files

pytestmark = pytest.mark.unit

DATA = ROOT / "policies" / "data"


def shipped(name: str) -> bytes:
    return (DATA / name).read_bytes()


@pytest.mark.parametrize(
    ("host", "path", "name"),
    [
        ("www.dropbox.com", "/s/abc", "dropbox"),
        ("dropbox.com", "", "dropbox"),
        ("photos.app.goo.gl", "/x", "google-photos"),
        ("goo.gl", "/photos/x", "google-photos"),
        ("goo.gl", "/maps/x", None),
        ("drive.google.com", "/file/d/1", "google-drive"),
        ("www.google.com", "/search", None),
        ("we.tl", "/t-1", "wetransfer"),
        ("1drv.ms", "/f/s!A", "onedrive"),
        ("clinic-my.sharepoint.com", "/:f:/g/x", None),
        ("www.icloud.com", "/photos/#0", "icloud"),
        ("support.apple.com", "/icloud", None),
        ("app.box.com", "/s/x", "box"),
        ("www.box.co.uk", "/laptops", None),
        ("notdropbox.com", "/s/x", None),
        ("dropbox.com.evil.example", "/s/x", None),
        ("wa.me", "/447700900123", "whatsapp"),
        ("t.me", "/joinchat", "telegram"),
        ("signal.group", "/#x", "signal"),
        ("www.instagram.com", "/p/abc/", "instagram"),
        ("www.instagram.com", "/clinic", None),
        ("com", "", None),
    ],
)
def test_which_places_are_file_shares(host: str, path: str, name: str | None) -> None:
    """Consumer shares, albums and messengers; not the organisation's SharePoint, not a company page."""
    shares, problems = read_shares(shipped("file-shares.txt"), "file-shares.txt")
    assert problems == ()
    assert shares.name(host, path) == name
    assert shares.lists(host) or name is None


def test_the_organisations_own_share_is_allowed() -> None:
    shares, _ = read_shares(shipped("file-shares.txt"), "file-shares.txt")
    allowed = ("ourtrust.app.box.com", "dropbox.com/team")
    assert shares.name("ourtrust.app.box.com", "/s/x", allowed) is None
    assert shares.name("app.box.com", "/s/x", allowed) == "box"
    assert shares.name("www.dropbox.com", "/team/rota", allowed) is None
    assert shares.name("www.dropbox.com", "/teams/rota", allowed) == "dropbox"


@pytest.mark.parametrize(
    ("text", "clinical", "referral"),
    [
        ("Could you look at this WOUND?", True, False),
        ("X-rays attached", True, False),
        ("photos of the\n patient", True, False),
        ("his leg", True, False),
        ("photos and a picture", False, False),  # two words of one line are one
        ("the patient experience group", False, False),
        ("wounded pride, rashly", False, False),
        ("https://x.example/wound/x-ray.jpg", False, False),  # a link is no text
        ("2WW referral", False, True),
        ("Two week   wait please", False, True),
        ("advice & guidance", False, True),
        ("self-referral", False, True),
        ("preferral", False, False),
        ("", False, False),
    ],
)
def test_what_the_words_say_yes_to(text: str, clinical: bool, referral: bool) -> None:
    care, wrong = read_phrases(shipped("clinical-words.txt"), "clinical-words.txt")
    refer, worse = read_phrases(shipped("referral-words.txt"), "referral-words.txt")
    assert (wrong, worse) == ((), ())
    assert (care.said(text), refer.said(text)) == (clinical, referral)


@pytest.mark.parametrize("unit", ["a.", "photo ", "a/", "://", "wound", "his\n", "-"])
def test_hostile_text_takes_time_in_proportion_to_its_length(unit: str) -> None:
    care, _ = read_phrases(shipped("clinical-words.txt"), "clinical-words.txt")
    text = (unit * 65_536)[:65_536]
    start = time.process_time()
    care.said(text)
    assert time.process_time() - start < 1.5


@pytest.mark.parametrize(
    ("name", "service"),
    [
        ("IMG-20260304-WA0012.jpg", "whatsapp"),
        ("VID-20260304-WA0001.mp4", "whatsapp"),
        ("IMG-20260304-WA0012 (1).jpg", "whatsapp"),
        ("photos/WhatsApp Image 2026-03-04 at 10.20.30.jpeg", "whatsapp"),
        ("WhatsApp Image 2026-03-04 at 10.20.30 PM (2).jpeg", "whatsapp"),
        ("signal-2026-03-04-102030.jpg", "signal"),
        ("signal-2026-03-04-10-20-30-123.jpeg", "signal"),
        ("photo_2026-03-04_10-20-30.jpg", "telegram"),
        ("received_1234567890123456.jpeg", "messenger"),
        ("mmexport1650000000000.jpg", "wechat"),
        ("Snapchat-123456789.jpg", "snapchat"),
        ("IMG_1234.HEIC", None),
        ("IMG_20260304_102030.jpg", None),
        ("image001.png", None),
        ("signal-strength.png", None),
        ("received_orders.pdf", None),
        ("IMG-20260304-WARD4.jpg", None),
        ("", None),
    ],
)
def test_names_that_messengers_give(name: str, service: str | None) -> None:
    assert messenger(name) == service


@pytest.mark.parametrize(
    ("name", "line", "told"),
    [
        ("file-shares.txt", b"not a host at all", 'is not a host, then a name, like "photos.example.com  example-photos"'),
        ("file-shares.txt", b"dropbox", "is not a host"),
        ("file-shares.txt", b"dropbox.com Drop_box", "is not a host"),
        ("clinical-words.txt", b"---", "is no word or phrase of at most 200 letters"),
        ("referral-words.txt", b"x" * 210, "is no word or phrase of at most 200 letters"),
        ("personal-devices.txt", b"*", "would stand for every device; write its make"),
        ("file-shares.txt", b"\xff", "not UTF-8 text"),
    ],
)
@pytest.mark.slow
def test_a_wrong_line_is_told_with_file_and_number(name: str, line: bytes, told: str) -> None:
    with pytest.raises(PolicyError) as caught:
        load_policy({**files(), name: b"# list\n" + line + b"\n"})
    assert len(caught.value.problems) == 1
    where = caught.value.problems[0]
    assert where.startswith(f"{name}:") and told in where


@pytest.mark.slow
def test_another_list_is_another_policy() -> None:
    """P7: what a decision rests on is in the digest."""
    texts = {name: ((DATA / name) if name.endswith(".txt") else ROOT / "policies" / name).read_bytes() for name in EXTRA}
    digests = {load_policy({**files(), **texts, name: texts[name] + b"\n# more\n"}).digest for name in EXTRA}
    assert len(digests | {load_policy({**files(), **texts}).digest}) == len(EXTRA) + 1


def test_a_published_line_is_written_as_ours() -> None:
    assert shares_line(["https://www.Files.Example/"]) == "files.example  files"
    assert shares_line(["icloud.com/photos", "icloud"]) == "icloud.com/photos  icloud"
    assert shares_line(["one", "two", "three"]) is None
