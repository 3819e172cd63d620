"""Mail with links in it: what people in a hospital send every day, and what a clinician sends who puts pictures on a file share.

``ORDINARY`` and ``SHARED`` have no patient in them (``SHARED`` links to file shares all the same), ``CLINICAL`` has.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Final
from urllib.parse import quote

from tests.ordinary.kinds import SENDER, quoted
from tests.ordinary.mime import many, message, part

EVERYDAY: Final = (
    "The rota for next month is out, please tell me by Friday if it does not work for you.",
    "Ward 4 moves to the new building on the 12th; porters will bring the boxes.",
    "Please complete your mandatory training before the end of the month.",
    "The patient experience group meets in room 3, lunch is provided.",
    "Parking permits have to be renewed at the security desk.",
    "Thanks to everybody who helped at the open day, the feedback was lovely.",
    "We are looking for a charge nurse for the day surgery unit.",
    "The canteen closes at two on Thursday because of the fire drill.",
    "Minutes of the last clinical governance meeting are below.",
    "Could you let me have the invoice for the conference?",
    "Theatre 2 is closed for maintenance all week.",
    "Our waiting times for outpatients have come down again, well done all.",
    "Bring your badge when you collect the new phone.",
    "The staff survey takes ten minutes and is anonymous.",
    "Flu jabs for staff are given in occupational health from Monday.",
    "The consultants' meeting is now on Teams.",
    "Please do not leave bicycles in front of the ambulance entrance.",
    "Our charity run is on Sunday, come and cheer.",
    "New uniform sizes can be ordered until Wednesday.",
    "The pathology system will be down between two and four at night.",
    "Congratulations to the medical school on its award.",
    "I will be away next week; Sam covers for me.",
    "The registrar teaching programme for spring is ready.",
    "The coffee machine on level 5 is mended.",
    "Stationery orders have to be in by noon.",
    "The lift in the children's outpatients is being repaired until Friday.",
    "Could somebody cover my Tuesday clinic, I am on jury service.",
    "A reminder that the hand hygiene audit is next week.",
    "Lost: one grey scarf, left in the seminar room.",
    "The new medical secretary starts today, say hello to her.",
    "Interviews for the lead radiographer are on the 3rd.",
    "Volunteers wanted for the patients' library.",
    "The heating in block C is back on.",
    "Please update your contact details for the major incident plan.",
    "Journal club: bring your own lunch.",
    "The chaplain's carol service is at six.",
)
LINKS: Final = (
    "https://teams.microsoft.com/l/meetup-join/19%3ameeting_abc%40thread.v2/0?context=%7b%22Tid%22%3a%22x%22%7d",
    "https://clinic.sharepoint.com/:w:/r/sites/ward/Shared%20Documents/rota.docx?d=w1",
    "https://clinic-my.sharepoint.com/:f:/g/personal/adams_clinic/Ea1b2",
    "https://www.england.nhs.uk/long-read/waiting-times/",
    "https://zoom.us/j/9123456789?pwd=abc",
    "https://www.youtube.com/watch?v=dQw4w9WgXcQ",
    "https://goo.gl/maps/abc123",
    "https://www.google.com/maps/place/Clinic",
    "https://forms.office.com/r/abcd",
    "https://www.surveymonkey.co.uk/r/staff",
    "https://bit.ly/3abcDEF",
    "https://www.bmj.com/content/370/bmj.m2675",
    "https://www.linkedin.com/company/clinic",
    "https://www.facebook.com/clinic",
    "https://twitter.com/clinic",
    "https://www.instagram.com/clinic",
    "https://www.justgiving.com/fundraising/ward4",
    "https://www.eventbrite.co.uk/e/open-day-123",
    "https://support.apple.com/en-gb/icloud",
    "https://www.box.co.uk/laptops",
    "https://outlook.office.com/mail/",
    "http://www.w3.org/TR/html4/",
)
SHARES: Final = (
    "https://www.dropbox.com/scl/fi/8abc/{name}?rlkey=x&dl=0",
    "https://drive.google.com/file/d/1aBcD/view?usp=sharing",
    "https://photos.app.goo.gl/{name}",
    "https://we.tl/t-{name}",
    "https://wetransfer.com/downloads/{name}",
    "https://www.icloud.com/photos/#0{name}",
    "https://1drv.ms/f/s!{name}",
    "https://mega.nz/folder/{name}",
    "https://imgur.com/a/{name}",
    "https://app.box.com/s/{name}",
)
SOCIAL: Final = (
    "Pictures of the charity run are here, help yourselves.",
    "The slides of yesterday's talk are too big for email, so here they are.",
    "Menu and seating plan for the Christmas party.",
    "The new brochure for the open day, please proofread.",
    "Team photos from the away day, tell me if you want yours taken down.",
    "The band's set list for Saturday.",
    "Estates have put the floor plans here.",
    "Draft of the recruitment video.",
    "The conference programme and your travel documents.",
    "Templates for the new letterhead.",
    "Recordings of the study day for those who missed it.",
    "Here are the holiday snaps I promised.",
    "Retirement do: pictures and the speech.",
    "Poster for the fun run, print as many as you like.",
    "Budget spreadsheets for next year.",
    "The choir's recordings from Saturday.",
    "My daughter's wedding photos, if you want to see them.",
    "Logos and fonts for the website.",
)
CARE: Final = (
    "Could you have a look at this wound? It has got worse since Monday.",
    "Here are the pictures of Mr A's leg, taken in clinic today. Is this cellulitis?",
    "X-rays of the wrist are here, what would you do?",
    "Please find the photos of the lesion on her back.",
    "68 year old man with a rash, images here, grateful for your thoughts.",
    "The patient's scan is too big for email, so I have put it here.",
    "Clinical photos before and after the operation.",
    "Her mum sent these of the burn, I have put them in a folder.",
    "Case for Thursday's meeting: biopsy and histology.",
    "The baby's skin, three photos. Do we need to admit?",
    "Post-op pictures for the notes of bed 12.",
    "Link to the ulcer photos as promised, NHS number to follow.",
    "Any idea what these spots are? Two weeks old, on the trunk, no fever.",
    "Pictures from the dressing change this morning, it does not look good to me.",
    "Here is the CT from St Elsewhere, too large to attach.",
    "Would you take this one on your list? Photos of both feet attached below.",
    "She sent me these herself, the stitches have come apart.",
    "Video of the baby's breathing, taken by the mother at home.",
    "Can you tell whether this needs a graft?",
    "Before and after pictures of the scar for the tribunal.",
    "I have scanned the old notes of the gentleman we spoke about.",
    "Endoscopy film from Tuesday for the MDT.",
    "Eye photos, left worse than right, vision 6/18.",
    "The mole we talked about, three views.",
)
# Written later than the first lists, to see how far they carry.
FRESH_EVERYDAY: Final = (
    "The phones on level 2 will be upgraded on Saturday.",
    "Please send your holiday requests for the summer by the 20th.",
    "The nursing conference has room for two more of us.",
    "Can you chase the order for the blood pressure cuffs?",
    "The cleaners found a set of keys in the doctors' mess.",
    "Physiotherapy are moving their gym downstairs.",
    "Our CQC visit went well, thank you for staying late.",
    "The dietitians' cake sale raised 212 pounds.",
    "New lanyards for all junior doctors are at reception.",
    "Ward clerks: please check the printer toner before weekends.",
    "The trust's annual report is on the website.",
    "Do you still have the projector from Friday?",
)
FRESH_SOCIAL: Final = (
    "I uploaded the barbecue pics, some are hilarious.",
    "Training films for the new pumps, password as usual.",
    "The anatomy lecture for the students, 300 MB.",
    "Floor plan and photos of the flat I told you about.",
    "Recipes from the bake-off!",
    "The staff choir's Christmas single, first mix.",
    "Quotes and drawings for the new reception desk.",
    "Five-a-side team picture, who has the original?",
)
FRESH_CARE: Final = (
    "Grateful if you could cast an eye over these, came up overnight on both shins.",
    "I saw him in A&E last night, the films are in the folder.",
    "Is the toe salvageable?",
    "Three pictures of the drain site, it has been leaking since yesterday.",
    "Lady of 82, fell in the garden, see what you make of the forearm.",
    "Here are his blood gases and the chest film.",
    "The dentist sent these of the gum, looks nasty.",
    "Her ear after the piercing, she is allergic to penicillin.",
    "Tick bite with a ring around it, would you treat?",
    "The child we discussed on Monday, marks on the upper arms.",
    "Newborn with a red patch over one eyelid.",
    "Could this be Kaposi's? HIV positive, photos enclosed.",
)
# Written last and never used to mend a list: what the words of care find in sentences nobody had in mind.
UNSEEN: Final = (
    "Photos of the finger from the workshop accident, two hours ago.",
    "He cannot close his mouth since yesterday, short clip attached to the link.",
    "Mrs B's leg again, it is bigger than last week.",
    "What would you put on this? Third day, spreading.",
    "Images for tomorrow's meeting, case 4.",
    "This is the gentleman with the sternal wound.",
    "Please report these slides when you can.",
    "The hernia repair from last month, see the swelling.",
    "Her pupils look different sizes in this light.",
    "Three views of the big toe, no pulse on the left.",
    "Kid swallowed a battery, film is here.",
    "The tattoo has become infected I think.",
    "Fundus pictures from the optician for your clinic.",
    "Skin check, one on the nose worries me.",
    "Stump looks fine to me, do you agree?",
    "Scans from the private hospital, CD would not open.",
)


def _prose(rng: Random, lines: int, of: Sequence[str] = EVERYDAY) -> list[str]:
    return rng.sample(of, lines)


def _share(rng: Random) -> str:
    return rng.choice(SHARES).format(name=base64.b32encode(rng.randbytes(6)).decode().rstrip("=").lower())


def _wrapped(rng: Random, link: str) -> str:
    """As a mail filter rewrites it, or as it is."""
    dashed = link.replace("-", "-2D").replace("_", "-5F").replace(":", "-3A").replace("/", "_")
    return rng.choice((
        link, link, link,
        f"https://eur01.safelinks.protection.outlook.com/?url={quote(link, safe='')}&data=05%7C01&reserved=0",
        f"https://urldefense.proofpoint.com/v2/url?u={dashed}&d=DwMFaQ",
        f"https://urldefense.com/v3/__{link}__;!!abc!def$",
        f"https://linkprotect.cudasvc.com/url?a={quote(link, safe='')}&c=E,1",
        f"https://protect-eu.mimecast.com/s/{rng.getrandbits(40):x}?domain={link.split('/')[2]}",
        link.removeprefix("https://"),
    ))  # fmt: skip


def _mail(rng: Random, to: tuple[str, ...], lines: list[str], links: list[str], subject: str) -> bytes:
    """Text, or text and HTML, quoted-printable or base64; each link under its line."""
    how = rng.choice(("quoted-printable", "base64", "8bit"))
    text = "\n\n".join((*lines, *links)) + "\n"
    if rng.random() < 0.4:
        return message(rng, SENDER, to, subject, part("text/plain; charset=utf-8", text, how))
    page = "".join(f"<p class=MsoNormal>{line}</p>\n" for line in lines)
    shown = [(link.replace("&", "&amp;"), rng.choice(("here", "Link", "open"))) for link in links]
    page += "".join(f'<p><a href="{link}">{word}</a></p>\n' for link, word in shown)
    head = '<html xmlns:o="urn:schemas-microsoft-com:office:office"><head><style>p {margin:0}</style></head>'
    html = f"{head}<body>{page}</body></html>"
    body = many(rng, "alternative", part("text/plain; charset=utf-8", text, how), part("text/html; charset=utf-8", html, how))
    return message(rng, SENDER, to, subject, body)


def everyday(rng: Random, to: tuple[str, ...]) -> bytes:
    """News, rotas, meetings, with one to five links."""
    return _mail(rng, to, _prose(rng, rng.randrange(2, 6)), rng.sample(LINKS, rng.randrange(1, 6)), rng.choice(EVERYDAY)[:40])


def answer(rng: Random, to: tuple[str, ...]) -> bytes:
    """A reply below which somebody else's link to a file share about a patient is quoted."""
    theirs = f"> {rng.choice(CARE)}\n> {_share(rng)}\n"
    text = "\n".join(_prose(rng, 2)) + "\n\nOn Mon, 16 Nov 2026 at 09:00, Dr Lee <dr.lee@royal-example.example> wrote:\n" + theirs
    body = part("text/plain; charset=utf-8", text + quoted(rng), "quoted-printable")
    return message(rng, SENDER, to, "Re: " + rng.choice(EVERYDAY)[:30], body, "In-Reply-To: <a@b.example>")


def social(rng: Random, to: tuple[str, ...]) -> bytes:
    """Party pictures and slides on a file share: a link, and nothing about a patient."""
    lines = [rng.choice(SOCIAL), *_prose(rng, rng.randrange(0, 2))]
    subject = rng.choice(("Photos", "Slides", "Party", "For Saturday", "Re: draft"))
    return _mail(rng, to, lines, [_wrapped(rng, _share(rng))], subject)


def clinical(rng: Random, to: tuple[str, ...]) -> bytes:
    """A patient's pictures on a file share."""
    lines = [rng.choice(("Hi,", "Dear Sam,", "Morning")), rng.choice(CARE), *_prose(rng, rng.randrange(0, 2))]
    subject = rng.choice(("Opinion", "photos", "As discussed", "link", "patient"))
    return _mail(rng, to, lines, [_wrapped(rng, _share(rng))], subject)


def fresh_everyday(rng: Random, to: tuple[str, ...]) -> bytes:
    """As ``everyday``, in sentences of which the lists know nothing."""
    lines = _prose(rng, rng.randrange(2, 6), FRESH_EVERYDAY)
    return _mail(rng, to, lines, rng.sample(LINKS, rng.randrange(1, 6)), rng.choice(FRESH_EVERYDAY)[:40])


def fresh_social(rng: Random, to: tuple[str, ...]) -> bytes:
    """As ``social``."""
    lines = [rng.choice(FRESH_SOCIAL), *_prose(rng, rng.randrange(0, 2), FRESH_EVERYDAY)]
    return _mail(rng, to, lines, [_wrapped(rng, _share(rng))], rng.choice(("Photos", "Study day", "Fwd: website")))


def fresh_clinical(rng: Random, to: tuple[str, ...]) -> bytes:
    """As ``clinical``."""
    lines = [rng.choice(("Hello", "Dear Kim,", "")), rng.choice(FRESH_CARE), *_prose(rng, rng.randrange(0, 2), FRESH_EVERYDAY)]
    return _mail(rng, to, lines, [_wrapped(rng, _share(rng))], rng.choice(("Quick question", "as promised", "see link")))


Build = Callable[[Random, tuple[str, ...]], bytes]
ORDINARY: Final[Mapping[str, Build]] = {"everyday mail with links": everyday, "reply to a shared link": answer}
SHARED: Final[Mapping[str, Build]] = {"party pictures on a file share": social}
CLINICAL: Final[Mapping[str, Build]] = {"a patient's pictures on a file share": clinical}
FRESH: Final[Mapping[str, Mapping[str, Build]]] = {
    "everyday": {"everyday mail, other sentences": fresh_everyday},
    "social": {"party pictures, other sentences": fresh_social},
    "clinical": {"a patient's pictures, other sentences": fresh_clinical},
}
