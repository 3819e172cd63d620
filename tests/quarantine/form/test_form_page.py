"""The page behind a link: it says what happened to whom and what can be answered, and shows nothing of what the email holds."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from policies.vocabulary import INFORMED
from quarantine.model import State, Transition
from quarantine.notices.placeholders import TICKS
from quarantine.records.holds import Change
from quarantine.settings import QuarantineSettings
from tests.support.formkit import OFFERS, FormWorld, field_of, words
from tests.support.quarantine_kit import MONDAY, PEER, SENDER, hex_id
from tests.support.readability import grade

pytestmark = pytest.mark.unit
PATIENT = "mary.smith@mailbox.example"


@pytest.fixture
def form(tmp_path: Path) -> FormWorld:
    return FormWorld(tmp_path)


def test_it_says_what_happened_to_whom_when_and_until_when(form: FormWorld) -> None:
    path = form.hold(delivered=("dr.rao@royal.example",))
    told = words(form.client.get(path).text)
    assert "Your email to 1 of 2 people is waiting. It has not been sent to them yet." in told
    assert f"{PEER}: waiting, not sent yet" in told
    assert "dr.rao@royal.example: passed on at 12:00" in told
    assert f"Sent 12:00. Reference: {form.row().ref}" in told
    assert "Why: We could not see whether the patient agreed" in told
    assert "At 12:00 on Tuesday 24 November we delete the waiting copy" in told
    assert "Own Clinic" in told


def test_every_offered_answer_is_there_with_what_it_means_in_the_notices_words(form: FormWorld) -> None:
    page = form.client.get(form.hold()).text
    told = words(page)
    for word in ("VERBAL", "WRITTEN", "PARENT", "NOT PATIENT", "EMERGENCY", "ASK IG", "DELETE"):
        assert f'value="{word}"' in page
    assert "VERBAL the patient said yes when you talked" in told
    assert "PARENT the person with parental responsibility said yes when you talked" in told


def test_asking_ig_and_deleting_are_possible_when_no_word_can_send_it(form: FormWorld) -> None:
    """P6: a hold whose rule offers nothing still has a way on."""
    page = form.client.get(form.hold(answers=[])).text
    assert re.findall(r'name="answer" id="answer-\d+" value="([^"]+)"', page) == ["ASK IG", "DELETE"]
    assert "No answer of yours can send this one." in words(page)
    assert "told-purpose" not in page


def test_the_emergency_comes_after_the_other_words_and_has_its_box(form: FormWorld) -> None:
    page = form.client.get(form.hold(answers=list(reversed(OFFERS)))).text
    values = re.findall(r'name="answer" id="answer-\d+" value="([^"]+)"', page)
    assert values[-3:] == ["EMERGENCY", "ASK IG", "DELETE"]
    name = field_of(page, "EMERGENCY")
    assert re.search(rf'<textarea id="{name}" name="{name}"[^>]*maxlength="200"', page)
    assert "at least 10 letters" in words(page)


def test_each_word_asks_for_exactly_what_it_needs(form: FormWorld) -> None:
    """No answer leads to a second question: what the tag needs stands beside its word."""
    answers = ["[to patient {address}]", "[consent written, research, ref NUMBER-1]", "[consent verbal]"]
    page = form.client.get(form.hold(recipients=(PATIENT,), cls="C", answers=answers)).text
    names = {word: field_of(page, word) for word in re.findall(r'id="answer-\d+" value="([^"]+)"', page)}
    assert len([name for name in names.values() if name]) == 2
    assert f'name="{names["TO PATIENT"]}" type="email"' in page
    assert names["VERBAL"] == ""


def test_the_checklist_asks_what_the_patient_was_told(form: FormWorld) -> None:
    """S0-14, S1-6, S1-42 to S1-44, S3-9: purpose, who sees it, storage, how long, no other use, can withdraw."""
    page = form.client.get(form.hold()).text
    assert re.findall(r'name="told" id="[^"]+" value="([^"]+)"', page) == [code for code in TICKS if code != "reassured"]
    assert "checked" not in page  # nothing is ticked or chosen beforehand
    assert "You can send it without a tick." in words(page)


def test_reassurance_is_asked_for_intimate_pictures(form: FormWorld) -> None:
    """S1-10."""
    page = form.client.get(form.hold(answers=["[consent verbal, intimate]"])).text
    assert 'value="reassured"' in page


def test_no_checklist_where_no_patient_agreed_to_anything(form: FormWorld) -> None:
    page = form.client.get(form.hold(answers=["[not a patient image]", "[document]"])).text
    assert 'name="told"' not in page


def test_a_patients_address_is_never_shown(form: FormWorld) -> None:
    path = form.hold(recipients=(PATIENT,), cls="C", answers=["[to patient {address}]", f"[to patient {PATIENT}, parent]"])
    page = form.client.get(path).text
    assert "mary" not in page and "mailbox.example" not in page
    assert "the patient&#39;s address" in page
    answered = form.answer(path, "TO PATIENT", **{field_of(page, "TO PATIENT"): "somebody@else.example"})
    assert "mary" not in answered.text
    form.answer(path, "DELETE")
    assert "mary" not in form.client.get(path).text


def test_nothing_of_the_email_is_shown(form: FormWorld) -> None:
    """P5: no subject, file name, picture or body, on any page; nor the sender's address, which may be asked for."""
    path = form.hold()
    pages = [form.client.get(path).text, form.answer(path, "").text, form.answer(path, "VERBAL").text, form.client.get(path).text]
    for page in pages:
        assert "CANARY" not in page and SENDER not in page


@pytest.mark.parametrize(
    ("state", "title"),
    [
        (State.RELEASING, "We are sending it now"), (State.RELEASED, "It has been passed on"),
        (State.QUARANTINED, "It waits for a decision"), (State.REFUSED, "It was not sent"), (State.EXPIRED, "The time is over"),
        (State.DELETED, "It was deleted"), (State.DEFERRED, "This has been answered"),
    ],
)  # fmt: skip
def test_a_link_that_is_spent_says_what_is_now_true(form: FormWorld, state: State, title: str) -> None:
    """Whoever decided it: the sender on another device, a reviewer, the deadline."""
    path = form.hold()
    row, note = form.row(), Transition(hex_id("hold"), 1, MONDAY, "x", "ASKED", state.value, "ig1", "ig", "x")
    form.world.records.advance(row, note, Change(), closed=False)
    got = form.client.get(path)
    assert got.status_code == 200
    assert f"<h1>{title}</h1>" in got.text
    assert "<form" not in got.text
    assert "A link works once." in words(got.text)


def test_a_hold_past_its_deadline_is_not_asked_about(form: FormWorld) -> None:
    path = form.hold()
    form.world.now = form.row().deadline + 1
    assert "<h1>The time is over</h1>" in form.client.get(path).text


def test_the_page_says_whether_it_opens_from_outside(tmp_path: Path) -> None:
    """Settled: the web form says whether it is reachable off-site."""
    inside, outside = FormWorld(tmp_path / "a"), FormWorld(tmp_path / "b", offsite=True)
    assert "works on your organisation's network only" in words(inside.client.get(inside.hold()).text)
    assert "also works from outside your organisation's network" in words(outside.client.get(outside.hold()).text)


def test_the_case_of_a_link_does_not_matter(form: FormWorld) -> None:
    """Some mail programs show links in capitals."""
    path = form.hold()
    base, _, secret = path.rpartition("/")
    assert form.client.get(f"{base}/{secret.upper()}").status_code == 200


class _Outline(HTMLParser):
    """Ids, label targets, described-by targets, headings and whatever would load something."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.targets: list[str] = []
        self.fields: list[str] = []
        self.loads: list[str] = []
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        self.tags.append(tag)
        self.ids += [told["id"]] if "id" in told else []
        self.targets += told.get("for", "").split() + told.get("aria-describedby", "").split()
        if tag in ("input", "textarea") and told.get("type") != "hidden":
            self.fields.append(told["id"])
        self.loads += [told[name] for name in ("src", "href", "action", "style", "onclick") if name in told]


def test_every_field_has_a_label_and_nothing_foreign_is_loaded(form: FormWorld) -> None:
    """Works without scripts; a screen reader can name every field."""
    path = form.hold()
    page = _Outline()
    page.feed(form.answer(path, "EMERGENCY").text)
    assert len(page.ids) == len(set(page.ids))
    assert set(page.targets) <= set(page.ids)
    assert set(page.fields) <= set(page.targets)
    assert "script" not in page.tags and "img" not in page.tags and page.tags.count("h1") == 1
    assert all(one.startswith(("/clinigate/style-", "data:,", "#")) for one in page.loads)


def test_values_are_escaped(tmp_path: Path) -> None:
    """An address may hold what HTML takes for markup (RFC 5321 quoted local part)."""
    form = FormWorld(tmp_path)
    evil = '"<script>alert(1)</script>"@evil.example'
    page = form.client.get(form.hold(recipients=(evil,))).text
    assert "<script" not in page and "&lt;script&gt;" in page


def test_another_language_needs_files_only(tmp_path: Path) -> None:
    """A folder of templates is enough; the page says its language."""
    import shutil

    from quarantine.notices.wording import SHIPPED

    shutil.copytree(SHIPPED / "en", tmp_path / "texts" / "en")
    shutil.copytree(SHIPPED / "en", tmp_path / "texts" / "cy")
    words_of_it = tmp_path / "texts" / "cy" / "form.txt"
    words_of_it.write_text(words_of_it.read_text("utf-8").replace("Your email is waiting", "Mae eich e-bost yn aros"), "utf-8")
    for options in ({"language": "cy"}, {"languages": {"own.example": "cy"}}):
        form = FormWorld(tmp_path / next(iter(options)), world={"templates": tmp_path / "texts", **options})
        page = form.client.get(form.hold()).text
        assert '<html lang="cy">' in page and "<h1>Mae eich e-bost yn aros</h1>" in page


@pytest.mark.parametrize(
    ("form", "problem"),
    [
        ({"url": "http://answers.own.example"}, "https"), ({"url": "https://a.example/?x=1"}, "https"),
        ({"url": "https://user@a.example/"}, "https"), ({"url": "https://a.example/ü"}, "path"), ({"url": "answers"}, "https"),
        ({"url": "https://a.example", "host": "0.0.0.0"}, "add tls"), ({"host": "127.0.0.1"}, "url"),
        ({"url": "https://a.example:99999/"}, "ort"), ({"url": "https://a.example", "colour": "red"}, "colour"),
    ],
)  # fmt: skip
def test_an_address_that_links_could_not_use_is_refused_at_load(form: dict[str, str], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        QuarantineSettings.model_validate({
            "form": form,
            "addresses": dict.fromkeys(("sender", "ig", "mail_admin", "postmaster", "on_call"), "a@own.example"),
        })  # fmt: skip


def test_the_ticks_are_the_words_of_the_statement() -> None:
    """What the form ticks is what ``informed`` of a consent statement may hold, in the same order."""
    assert TICKS == INFORMED


def test_a_twelve_year_old_can_read_it(form: FormWorld) -> None:
    """Same plain words as the notices: Flesch-Kincaid grade 7 or less, on every page."""
    path = form.hold(answers=[*OFFERS, "[consent verbal, intimate]"])
    asked = words(form.client.get(path).text.replace("</", ". </"))
    over = words(form.client.get(path[:-1]).text.replace("</", ". </"))
    form.answer(path, "VERBAL")
    told = words(form.client.get(path).text.replace("</", ". </"))
    for page in (asked, over, told):
        assert grade(page) <= 7.0
