"""Step 6: what a decision depends on, gathered once, unknown where it is unknown."""

from __future__ import annotations

import dataclasses
import io
import json
import zipfile
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any

import pytest

from gateway.context import Context
from gateway.facts import Memory
from gateway.pipeline import judge
from policies.model import Facts, Kind, Mode, RecipientClass
from policies.record import to_record
from tests.support.contexts import AT, COLLEAGUE, FILE_SHARE, HOSPICE, STRANGER, context, received
from tests.support.letters import canary_photo, letter

pytestmark = pytest.mark.unit

NHS = "943 476 5919"


def facts(*recipients: str, made: Context | None = None, raw: bytes | None = None, **options: Any) -> tuple[Facts, ...]:
    mail = raw or letter("dr.adams@clinic.example", recipients, pictures=(canary_photo(),), **options)
    return judge(made or context(), received(mail, *recipients)).facts


def remembering(
    disclosed: Callable[[str, str], bool | None] = lambda image, to: None,
    wrote: Callable[[str, Iterable[str]], str | None] = lambda sender, ones: None,
    withdrawn: Callable[[Sequence[str]], bool | None] = lambda numbers: None,
) -> Context:
    return dataclasses.replace(context(), memory=Memory(disclosed, wrote, withdrawn))


def test_there_is_one_set_a_recipient_in_the_order_of_the_envelope() -> None:
    found = facts(STRANGER, COLLEAGUE, FILE_SHARE, HOSPICE)
    assert [one.recipient.cls for one in found] == [
        RecipientClass.UNKNOWN,
        RecipientClass.APPROVED_CLINICAL,
        RecipientClass.DENIED,
        RecipientClass.APPROVED_CLINICAL,
    ]
    assert {one.recipients for one in found} == {4}


def test_time_mode_sender_and_register_are_facts() -> None:
    (one,) = facts(COLLEAGUE)
    assert one.at == datetime.fromtimestamp(AT, UTC)
    assert one.at.tzinfo is UTC
    assert (one.mode, one.sender_domain, one.vouched) == (Mode.ENFORCE, "clinic.example", True)
    assert one.register_version
    assert one.sender_group == "clinical"


def test_methods_say_ok_or_why_not_for_this_recipient() -> None:
    route, smime, nobody = facts(COLLEAGUE, HOSPICE, STRANGER)
    assert route.methods == {"route": "ok", "smime": "smime.no-certificate"}
    assert smime.methods == {"route": "route.none", "smime": "ok"}
    assert set(nobody.methods.values()) == {"route.none", "smime.no-certificate"}


@pytest.mark.parametrize(("answer", "to"), [(True, COLLEAGUE), (False, ""), (None, None)])
def test_what_is_remembered_is_passed_on_and_unknown_stays_unknown(answer: bool | None, to: str | None) -> None:
    """A missing snapshot never turns into "no"."""
    (one,) = facts(COLLEAGUE, made=remembering(lambda *_: answer, lambda *_: to))
    assert one.images[0].disclosed is answer
    assert one.first_time is (None if answer is None else not answer)


def test_memory_is_asked_for_each_recipient_and_image() -> None:
    asked: list[tuple[str, str]] = []

    def disclosed(image: str, to: str) -> bool:
        asked.append((image, to))
        return to == COLLEAGUE

    found = facts(COLLEAGUE, STRANGER, made=remembering(disclosed))
    assert [one.images[0].disclosed for one in found] == [True, False]
    assert {image for image, _ in asked} == {found[0].images[0].sha256}


def test_an_identifier_in_subject_or_file_name_is_a_code_and_is_looked_up() -> None:
    asked: list[list[str]] = []
    made = remembering(withdrawn=lambda numbers: bool(asked.append(list(numbers))) or True)
    (one,) = facts(COLLEAGUE, made=made, subject=f"NHS {NHS} [consent verbal]")
    assert "ident.subject" in one.codes
    assert one.withdrawn is True
    assert ["".join(filter(str.isdigit, number)) for number in asked[0]] == [NHS.replace(" ", "")]
    mail = letter("dr.adams@clinic.example", (COLLEAGUE,), pictures=(canary_photo(),)).replace(b"IMG_0000", b"NHS_9434765919")
    (named,) = facts(COLLEAGUE, made=made, raw=mail)
    assert "ident.file-name" in named.codes


def test_one_in_the_text_is_looked_up_under_a_code_of_its_own() -> None:
    """H-03: between care teams it is normal there, so it must not count as one in the subject does."""
    asked: list[list[str]] = []
    made = remembering(withdrawn=lambda numbers: bool(asked.append(list(numbers))) or False)
    mail = letter("dr.adams@clinic.example", (COLLEAGUE,), pictures=(canary_photo(),))
    at = mail.index(b"text/plain")
    start = mail.index(b"\r\n\r\n", at) + 4
    (one,) = facts(COLLEAGUE, made=made, raw=mail[:start] + b"Her NHS number is 943 476 5919.\r\n" + mail[start:])
    assert "mail.patient-number" in one.codes
    assert not any(code.startswith("ident.") for code in one.codes)
    assert asked == [["9434765919"]]


def test_a_text_that_names_several_patients_refuses_for_none_of_them() -> None:
    """Symptom: a refusal above a quoted list of patients would have counted for each of them, and held their urgent mail."""
    asked: list[list[str]] = []
    made = remembering(withdrawn=lambda numbers: bool(asked.append(list(numbers))) or False)
    mail = letter("dr.adams@clinic.example", (COLLEAGUE,), pictures=(canary_photo(),))
    start = mail.index(b"\r\n\r\n", mail.index(b"text/plain")) + 4
    text = b"Her NHS number is 943 476 5919.\r\n> NHS 401 023 2137 is on the list as well.\r\n"
    (one,) = facts(COLLEAGUE, made=made, raw=mail[:start] + text + mail[start:])
    assert "mail.patient-number" in one.codes
    assert asked == []


def test_without_an_identifier_nobody_is_asked_about_withdrawals() -> None:
    def never(numbers: Sequence[str]) -> bool:
        raise AssertionError("there is nobody to ask about")

    (one,) = facts(COLLEAGUE, made=remembering(withdrawn=never))
    assert one.withdrawn is False


def test_ambiguous_mime_is_one_code_for_the_rules_beside_its_own() -> None:
    mail = letter("dr.adams@clinic.example", (COLLEAGUE,), pictures=(canary_photo(),)).replace(b"From:", b"From :")
    (one,) = facts(COLLEAGUE, raw=mail)
    assert {"mime.ambiguous", "mime.space-before-colon"} <= one.codes


def test_images_and_opaque_parts_are_listed_text_is_not() -> None:
    (one,) = facts(COLLEAGUE)
    assert [(image.part, image.kind, image.format) for image in one.images] == [("1.2", Kind.IDENTIFIABLE_PHOTO, "jpeg")]
    assert one.images[0].pixels == 640 * 480


def test_a_release_brings_its_hold_and_what_was_accepted() -> None:
    mail = received(
        letter("dr.adams@clinic.example", (STRANGER,), pictures=(canary_photo(),)),
        STRANGER,
        release={"accepted": ["domain.unknown"], "hold": "h1", "identity": {"vouched": True, "codes": []}},
    )
    (one,) = judge(context(), mail).facts
    assert (one.released, one.hold_ref) == (frozenset({"domain.unknown"}), "h1")


def test_the_same_message_gives_the_same_facts() -> None:
    """P7: they can be recorded and repeated."""
    assert facts(COLLEAGUE, STRANGER) == facts(COLLEAGUE, STRANGER)


def test_neither_repr_nor_record_names_anybody() -> None:
    """P5: local parts, file names, free words of a statement."""
    found = facts("jane.patient@x.example", subject="[emergency: burn of Mrs Jones, airway]")
    for text in (repr(found), json.dumps([to_record(one) for one in found])):
        for secret in ("jane.patient", "Jones", "airway", "IMG_0000", "dr.adams"):
            assert secret not in text


def test_what_the_sender_encrypted_bears_the_names_the_policy_knows() -> None:
    """The policy's rule for mail the sender encrypted goes by the format; the two packages share no table, so this holds them."""
    from filters.sniffing.der import ENVELOPED
    from filters.sniffing.openpgp import MESSAGE
    from policies.features import SENDER_ENCRYPTED

    assert {ENVELOPED, MESSAGE} == SENDER_ENCRYPTED


def test_a_picture_bears_the_names_of_what_it_stands_in() -> None:
    """A statement about photos.zip is about the pictures in it, however deep."""
    inner, outer = io.BytesIO(), io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("arm.jpg", canary_photo())
    with zipfile.ZipFile(outer, "w") as archive:
        archive.writestr("ward.zip", inner.getvalue())
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = "dr.adams@clinic.example", COLLEAGUE, "photos"
    made.set_content("see attached")
    made.add_attachment(outer.getvalue(), "application", "zip", filename="photos.zip")
    (one,) = facts(COLLEAGUE, raw=made.as_bytes(policy=SMTP))
    picture = next(image for image in one.images if image.format == "jpeg")
    assert (picture.name, picture.inside) == ("arm.jpg", ("ward.zip", "photos.zip"))
    assert all(picture.called(name) for name in ("arm.jpg", "ward.zip", "photos.zip", picture.part))
