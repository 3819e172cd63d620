"""One POST from the page answers, once; everything else is told what is true and what works, and changes nothing."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest

from quarantine.answers.model import FORM, REPLY, Answer
from quarantine.answers.secrets import Secrets
from quarantine.model import State
from tests.support.formkit import REASON, FormWorld, field_of, nonce_of, secret_of, words
from tests.support.quarantine_kit import PEER, SENDER, Gate, hex_id

pytestmark = pytest.mark.unit
PATIENT = "mary.smith@mailbox.example"


@pytest.fixture
def form(tmp_path: Path) -> FormWorld:
    return FormWorld(tmp_path)


def terms(form: FormWorld, name: str = "hold") -> dict[str, Any]:
    told: dict[str, Any] = json.loads(form.row(name).release or "{}")
    return told


def test_an_answer_releases_and_leads_back_to_the_link(form: FormWorld) -> None:
    """Post, redirect, get: "reload" and "back" send nothing again."""
    path = form.hold()
    got = form.answer(path, "VERBAL")
    assert (got.status_code, got.headers["location"].partition("?")[0]) == (303, path)
    assert form.row().state is State.RELEASING
    assert terms(form)["statement"] == "[consent verbal]"
    assert "We are sending it now" in words(form.client.get(path).text)
    assert form.nudged == 1


async def test_the_true_outcome_is_told_when_it_is_known(form: FormWorld) -> None:
    """From the answer to "passed on", with the gateway's side of the release listening."""
    path = form.hold()
    form.answer(path, "WRITTEN")
    gate = Gate(form.world.release_key, form.world.clock)
    server = await gate.start(form.world.settings.release_socket)
    await form.world.releaser().run(form.world.now)
    server.close()
    assert gate.seen[0]["statement"] == "[consent written]"
    told = words(form.client.get(path).text)
    assert "It has been passed on" in told and PEER in told and "has now been sent." in told


def test_the_ticks_are_recorded_and_missing_ones_are_a_reminder(form: FormWorld) -> None:
    """S0-14: part of the statement; a tick that is missing never blocks."""
    path = form.hold()
    got = form.answer(path, "VERBAL", told=["purpose", "withdrawal", "people", "nonsense"])
    assert terms(form)["informed"] == ["people", "purpose", "withdrawal"]
    told = words(form.client.get(got.headers["location"]).text)
    assert "You did not tick these." in told and "how long it is kept" in told and "who will see it" not in told


def test_all_ticks_need_no_reminder(form: FormWorld) -> None:
    path = form.hold()
    ticks = ["purpose", "people", "storage", "period", "other-use", "withdrawal"]
    got = form.answer(path, "VERBAL", told=ticks)
    assert got.headers["location"] == f"{path}?left="


def test_ticks_belong_to_a_patients_yes_only(form: FormWorld) -> None:
    """Whoever ticked and then chose NOT PATIENT has told nobody anything."""
    path = form.hold()
    got = form.answer(path, "NOT PATIENT", told=["purpose"])
    assert "informed" not in terms(form) and got.headers["location"] == f"{path}?left="


def test_an_emergency_needs_a_reason_of_ten_letters(form: FormWorld) -> None:
    path = form.hold()
    name = field_of(form.client.get(path).text, "EMERGENCY")
    short = form.answer(path, "EMERGENCY", **{name: "too short"})
    assert short.status_code == 422 and form.row().state is State.ASKED
    assert "Write why it cannot wait" in words(short.text) and ">too short</textarea>" in short.text
    assert form.answer(path, "EMERGENCY", **{name: REASON}).status_code == 303
    assert form.row().state is State.RELEASING


def test_asking_ig_hands_the_decision_over(form: FormWorld) -> None:
    path = form.hold()
    form.answer(path, "ASK IG")
    assert form.row().state is State.QUARANTINED
    assert "It waits for a decision" in words(form.client.get(path).text)


def test_delete_deletes(form: FormWorld) -> None:
    path = form.hold()
    form.answer(path, "DELETE")
    assert form.row().state is State.DELETED
    assert "It was deleted" in words(form.client.get(path).text)


def test_an_address_is_typed_again_and_a_wrong_one_is_asked_for_again(form: FormWorld) -> None:
    """Patients as recipients: the address typed twice (once in the email, once here); what was typed is kept."""
    path = form.hold(recipients=(PATIENT,), cls="C", answers=["[to patient {address}]"])
    name = field_of(form.client.get(path).text, "TO PATIENT")
    got = form.answer(path, "TO PATIENT", **{name: "mary.smyth@mailbox.example"})
    assert got.status_code == 422 and form.row().state is State.ASKED
    assert 'value="mary.smyth@mailbox.example"' in got.text and "This is not the address" in words(got.text)
    assert form.answer(path, "TO PATIENT", **{name: f" {PATIENT.upper()} "}).status_code == 303
    assert terms(form)["statement"] == f"[to patient {PATIENT}]"


def test_an_approval_number_has_a_digit(form: FormWorld) -> None:
    path = form.hold(answers=["[consent written, research, ref NUMBER-1]"])
    word, name = "WRITTEN RESEARCH", ""
    page = form.client.get(path).text
    word = page.partition('id="answer-0" value="')[2].partition('"')[0]
    name = field_of(page, word)
    assert form.answer(path, word, **{name: "pending"}).status_code == 422
    assert form.answer(path, word, **{name: "IRAS/312"}).status_code == 303
    assert terms(form)["statement"] == "[consent written, research, ref IRAS/312]"


@pytest.mark.parametrize("twice", [["VERBAL", "DELETE"], ["DELETE", "VERBAL"]])
def test_two_answers_at_once_are_none(form: FormWorld, twice: list[str]) -> None:
    """The first of two was taken, whichever it was."""
    path = form.hold()
    sent = {"nonce": nonce_of(form.client.get(path).text), "answer": twice}
    assert form.client.post(path, data=sent).status_code == 422
    assert form.row().state is State.ASKED


def test_nothing_chosen_or_something_not_offered_is_asked_again(form: FormWorld) -> None:
    path = form.hold()
    for word in ("", "RELEASE", "consent verbal", "HELP", "VERBAL\x00"):
        got = form.answer(path, word)
        assert got.status_code == 422 and "Choose one answer." in words(got.text), word
    assert form.row().state is State.ASKED


def test_a_double_click_answers_once(form: FormWorld) -> None:
    """Two POSTs at the same moment: one release, both are led to the same page."""
    path = form.hold()
    nonce = nonce_of(form.client.get(path).text)
    codes: list[int] = []

    def click() -> None:
        codes.append(form.browser().post(path, data={"nonce": nonce, "answer": "VERBAL"}).status_code)

    clicks = [threading.Thread(target=click) for _ in range(4)]
    for one in clicks:
        one.start()
    for one in clicks:
        one.join()
    assert codes == [303] * 4
    moves = [line.event for line in form.world.records.transitions(hex_id("hold"))]
    assert moves.count("release") == 1


def test_an_answer_that_comes_while_another_is_taken_sees_it(form: FormWorld) -> None:
    """The hold is read inside the transaction that answers: the second is told that it is spent, not that something broke."""
    path, seen = form.hold(), []
    answers, records = form.office.answers, form.world.records
    begin = records.transaction

    def first_another() -> Any:  # the other device is quicker by a moment
        if not seen:
            seen.append(1)
            answers.answer(secret_of(path), Answer("DELETE", way=FORM), form.world.now)
        return begin()

    records.transaction = first_another  # type: ignore[method-assign]  # the moment in between
    told = answers.answer(secret_of(path), Answer("VERBAL", way=FORM), form.world.now)
    records.transaction = begin  # type: ignore[method-assign]
    assert told.outcome == "spent" and form.row().state is State.DELETED


def test_a_second_device_cannot_change_an_answer(form: FormWorld) -> None:
    path = form.hold()
    form.answer(path, "DELETE")
    late = form.browser(("203.0.113.9", 4)).post(path, data={"nonce": "x" * 32, "answer": "VERBAL"})
    assert late.status_code == 403
    page = form.browser().get(path)
    assert "It was deleted" in page.text and form.row().state is State.DELETED


def test_the_back_button_after_an_answer_sends_nothing_again(form: FormWorld) -> None:
    """The old page is still on the screen; its button leads to what is true now."""
    path = form.hold()
    nonce = nonce_of(form.client.get(path).text)
    form.client.post(path, data={"nonce": nonce, "answer": "ASK IG"})
    again = form.client.post(path, data={"nonce": nonce, "answer": "VERBAL"})
    assert again.status_code == 303
    assert form.row().state is State.QUARANTINED


@pytest.mark.parametrize("event", ["reviewer", "deadline"])
def test_what_somebody_else_decided_meanwhile_stands(form: FormWorld, event: str) -> None:
    path = form.hold()
    nonce = nonce_of(form.client.get(path).text)
    if event == "reviewer":
        from quarantine import ops

        ops.refuse(form.world.desk(), form.row().ref, "ig1", "domain.not-approved")
    else:
        form.world.now = form.row().deadline + 1
    got = form.client.post(path, data={"nonce": nonce, "answer": "VERBAL"})
    assert got.status_code == 303
    assert form.row().state is (State.REFUSED if event == "reviewer" else State.ASKED)
    title = "It was not sent" if event == "reviewer" else "The time is over"
    assert f"<h1>{title}</h1>" in form.client.get(path).text


def test_one_answer_is_for_every_hold_of_the_message(form: FormWorld) -> None:
    """Settled: the sender is asked once per message, never per image or recipient."""
    path = form.hold("one", message="same")
    form.hold("two", recipients=("dr.rao@royal.example",), message="same")
    form.answer(path, "VERBAL")
    assert {form.row(name).state for name in ("one", "two")} == {State.RELEASING}


def test_a_secret_of_the_reply_address_opens_nothing_here(form: FormWorld) -> None:
    """It stands in mail logs; the link's stands in browsers: one does not serve the other way."""
    path = form.hold()
    reply = Secrets(form.world.release_key).make(hex_id("hold"), SENDER, REPLY)
    assert form.client.get(path.replace(secret_of(path), reply)).status_code == 404


def test_the_senders_address_can_be_asked_for(tmp_path: Path) -> None:
    """confirm_sender: a link alone, found in a browser's history, is then not enough."""
    form = FormWorld(tmp_path, confirm_sender=True)
    path = form.hold()
    assert SENDER not in form.client.get(path).text
    for typed in ("", "somebody@own.example", PEER):
        got = form.answer(path, "VERBAL", **{"from": typed})
        assert got.status_code == 422 and "not the address that the email came from" in words(got.text)
    assert form.row().state is State.ASKED
    assert form.answer(path, "VERBAL", **{"from": f" {SENDER.upper()} "}).status_code == 303
    assert form.row().state is State.RELEASING


def test_history_and_audit_say_that_it_came_by_the_form(form: FormWorld) -> None:
    path = form.hold()
    form.answer(path, "EMERGENCY", **{field_of(form.client.get(path).text, "EMERGENCY"): REASON})
    audit = form.world.settings.audit.read_text()
    assert '"form"' in audit and "EMERGENCY" in audit
    assert "airway" not in audit and SENDER not in audit and secret_of(path) not in audit


def test_a_mail_that_is_answered_by_reply_needs_no_form(form: FormWorld) -> None:
    """Whichever comes first counts; the other is told so."""
    path = form.hold()
    reply = Secrets(form.world.release_key).make(hex_id("hold"), SENDER, REPLY)
    form.office.answers.answer(reply, Answer("VERBAL", by=SENDER, way=REPLY), form.world.now)
    assert "We are sending it now" in words(form.client.get(path).text)


def test_a_word_that_reaches_only_some_says_so_and_the_rest_is_asked_again(form: FormWorld) -> None:
    """Two people, two rules: VERBAL is enough for one of them; nobody is left to think that the other has it."""
    path = form.hold("one", message="same")
    form.hold("two", recipients=("dr.rao@royal.example",), message="same", answers=["[not a patient image]"])
    page = words(form.client.get(path).text)
    assert f"VERBAL the patient said yes when you talked It goes to {PEER} only." in page
    assert "NOT PATIENT it is not a picture of a patient It goes" not in page
    got = form.answer(path, "VERBAL")
    after = words(form.client.get(got.headers["location"]).text)
    assert "Your answer is in. Somebody still waits; the list says who." in after and 'value="VERBAL"' not in after
    form.answer(path, "NOT PATIENT")
    assert {form.row(name).state for name in ("one", "two")} == {State.RELEASING}
