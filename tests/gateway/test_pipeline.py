"""Steps 2-10: what leaves, what stays, and what happens when a step fails."""

from __future__ import annotations

import email
import io
import re
import zipfile
from collections.abc import Callable
from email import policy as email_policy
from email.message import EmailMessage

import pytest
from PIL import Image

from gateway import pipeline
from gateway.demo.pictures import logo, photo
from gateway.demo.samples import CONSENT_HEADER, SAMPLES, SENDER, Sample, disguised, picture, signature_logo
from gateway.exitcheck import Cleared, Original
from gateway.model import Plan
from gateway.pipeline import plan
from tests.support.contexts import COLLEAGUE, FILE_SHARE, HOSPICE, STRANGER, context, received, vouched_for

pytestmark = pytest.mark.unit

TAGGED = "Second opinion [consent verbal]"


def run(sample: Sample, *recipients: str, subject: str | None = None, mode: str = "enforce", sender: str = SENDER) -> Plan:
    return plan(context(mode), received(sample.build(subject), *(recipients or sample.recipients), sender=sender))


def only(made: Plan) -> bytes:
    """The bytes of the one copy of a plan that holds and refuses nothing."""
    assert len(made.copies) == 1
    assert not made.holds
    assert not made.refusals
    return made.copies[0].data.data


def images(data: bytes) -> list[bytes]:
    message = email.message_from_bytes(data, policy=email_policy.SMTP)
    return [
        part.get_payload(decode=True) for part in message.walk() if part.get_content_maintype() == "image" or part.get_filename()
    ]


def pixels(data: bytes) -> tuple[tuple[int, int], bytes]:
    with Image.open(io.BytesIO(data)) as picture_:
        return picture_.size, picture_.tobytes()


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda one: one.name)
@pytest.mark.slow
def test_every_recipient_has_exactly_one_fate(sample: Sample) -> None:
    """P8: copies, holds and refusals together name every recipient once."""
    made = run(sample)
    named = [index for group in (*made.copies, *made.holds, *made.refusals) for index in group.recipients]
    assert sorted(named) == list(range(len(sample.recipients)))


@pytest.mark.slow
def test_image_free_mail_gains_one_received_line_and_nothing_else() -> None:
    """P3."""
    for sample in SAMPLES:
        if sample.name in ("plain text", "signature logo only"):
            raw = sample.build()
            made = plan(context(), received(raw, STRANGER))
            data = only(made)
            assert data.endswith(raw)
            assert data.removesuffix(raw).startswith(b"Received: from ")
            assert data.removesuffix(raw).count(b"\r\nReceived:") == 0
            assert made.plain
            assert isinstance(made.copies[0].data, Cleared)


def test_a_scrubbed_photo_keeps_its_pixels_and_loses_what_the_phone_hid() -> None:
    """P4."""
    data = only(run(Sample("photo", (COLLEAGUE,), TAGGED, attach=(picture(1),))))
    (sent,) = images(data)
    assert pixels(sent) == pixels(photo(1))
    assert b"Sample Owner" not in sent
    assert b"GPS" not in sent
    with Image.open(io.BytesIO(sent)) as opened:
        assert dict(opened.getexif()) == {0x0112: 6}, "orientation stays, nothing else does"


def test_tag_line_and_header_go_out_and_other_tags_stay() -> None:
    """domain/03 3.7: the statement is for the gateway; [secure] and the like are for whoever comes next."""
    sample = Sample(
        "all",
        (COLLEAGUE,),
        "x",
        body="Consent: verbal\n\nText.\n",
        attach=(picture(2),),
        headers={"Clinical-Image-Consent": CONSENT_HEADER},
    )
    message = email.message_from_bytes(
        only(run(sample, subject="[secure] Case 12 [consent verbal] ABC-1")), policy=email_policy.SMTP
    )
    assert message["Subject"] == "[secure] Case 12 ABC-1"
    assert message["Clinical-Image-Consent"] is None
    text = message.get_body(("plain",))
    assert text is not None
    assert "onsent" not in text.get_content()
    assert "Text." in text.get_content()


def test_attachment_names_become_neutral_and_numbered() -> None:
    """S4-10: no patient and no date in a name, but a reference."""

    def named(message: EmailMessage) -> None:
        message.add_attachment(photo(3), "image", "jpeg", filename="Mrs Jones 12-03-1950.jpg")

    message = email.message_from_bytes(
        only(run(Sample("names", (COLLEAGUE,), TAGGED, attach=(named, picture(4))))), policy=email_policy.SMTP
    )
    names = [part.get_filename() for part in message.walk() if part.get_filename()]
    assert [name[-9:] for name in names] == ["-1of2.jpg", "-2of2.jpg"]
    assert not any("Jones" in name for name in names)
    assert b"Jones" not in message.as_bytes()


def test_an_image_under_a_false_name_is_found() -> None:
    """Sniffed by bytes, whatever the label says."""
    data = only(run(Sample("lie", (COLLEAGUE,), TAGGED, attach=(disguised,))))
    assert b"Sample Owner" not in b"".join(images(data))


@pytest.mark.slow
def test_parts_that_need_not_change_stay_the_same_bytes() -> None:
    """P3: a logo beside the photo is decorative and stays byte-identical, its base64 too."""
    sample = Sample("mixed", (COLLEAGUE,), TAGGED, attach=(signature_logo, picture(5)))
    raw, data = sample.build(), only(run(sample))
    encoded = email.message_from_bytes(raw).get_payload()
    assert encoded
    assert logo() in images(data)


def test_three_recipients_three_fates() -> None:
    made = run(Sample("three", (COLLEAGUE, STRANGER, FILE_SHARE), TAGGED, attach=(picture(6),)))
    assert [copy.recipients for copy in made.copies] == [(0,)]
    assert [(hold.recipients, hold.rule, hold.key) for hold in made.holds] == [((1,), "UNKNOWN", "review")]
    assert [(refusal.recipients, refusal.rule) for refusal in made.refusals] == [((2,), "F-DENIED")]


def test_two_recipients_of_one_route_share_one_copy() -> None:
    made = run(Sample("two", (COLLEAGUE,), TAGGED, attach=(picture(6),)), COLLEAGUE, "nurse@royal-example.example")
    assert [copy.recipients for copy in made.copies] == [(0, 1)]


def test_ciphertext_is_one_recipients_own_and_bears_a_neutral_subject() -> None:
    made = run(Sample("smime", (HOSPICE,), "Mrs Jones [consent verbal]", attach=(picture(7),)))
    data = only(made)
    assert b"Subject: Secure message" in data
    assert b"Jones" not in data
    assert b"Content-Type: application/pkcs7-mime" in data


def test_a_certificate_that_is_missing_holds_instead_of_sending_in_the_clear() -> None:
    """P2: every method of the decision failed, so on_failure decides, never less."""
    made = run(Sample("smime", (HOSPICE,), TAGGED, attach=(picture(7),)), "nobody@hospice-example.example")
    assert not made.copies
    assert made.holds[0].action == "QUARANTINE"
    assert "smime.no-certificate" in made.holds[0].reasons


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda raw: raw.replace(b"From: Dr Adams <dr.adams@clinic.example>", b"From: Eve <eve@clinic.example>"), "From differs"),
        (lambda raw: b"Resent-From: x@clinic.example\r\n" + raw, "resent"),
        (lambda raw: b"Auto-Submitted: auto-forwarded\r\n" + raw, "by a machine"),
    ],
    ids=["from", "resent", "auto"],
)
def test_a_statement_that_nobody_vouches_for_does_not_count(change: Callable[[bytes], bytes], why: str) -> None:
    """DESIGN section 2, identity."""
    raw = change(Sample("spoof", (COLLEAGUE,), TAGGED, attach=(picture(8),)).build())
    made = plan(context(), received(raw))
    assert not made.copies, why
    assert not made.record["identity"]["vouched"]


def test_a_listener_that_vouches_for_nothing_makes_statements_worthless() -> None:
    raw = Sample("no", (COLLEAGUE,), TAGGED, attach=(picture(8),)).build()
    assert not plan(vouched_for(context(), "nothing"), received(raw)).copies
    assert plan(vouched_for(context(), "envelope-sender"), received(raw)).copies


def test_observe_sends_the_original_and_records_the_decision() -> None:
    """A fresh install observes: the original bytes go whatever happens."""
    sample = Sample("observe", (STRANGER,), "no statement", attach=(picture(9),))
    raw = sample.build()
    made = plan(context("observe"), received(raw, STRANGER))
    assert only(made).endswith(raw)
    assert isinstance(made.copies[0].data, Original)
    assert made.record["recipients"][0]["decided"] == "ASK"
    assert made.record["recipients"][0]["mode"] == "observe"


@pytest.mark.slow
def test_advise_strips_and_sends() -> None:
    made = run(Sample("advise", (STRANGER,), "no statement", attach=(picture(10),)), mode="advise")
    data = only(made)
    assert b"Sample Owner" not in b"".join(images(data))
    assert made.copies[0].method == "advise"


def test_the_record_names_nobody_and_holds_no_text() -> None:
    """P5: ids, codes, domains and keyed hashes only."""
    sample = Sample(
        "record", (COLLEAGUE, STRANGER), "Mrs Jones NHS 943 476 5919 [emergency: bleeding heavily now]", attach=(picture(11),)
    )
    text = repr(run(sample).record)
    for secret in ("Jones", "9434765919", "943 476", "bleeding", "dr.lee", "jane@", "IMG_", SENDER):
        assert secret not in text
    assert run(sample).record["patients"], "the identifier is kept as a keyed hash"


# -- step 12: a step that raises ---------------------------------------------------------------------------------------

STAGES = ("parse", "open_leaves", "statements", "identify", "gather", "decide", "record")


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_that_raises_holds_in_enforce_and_passes_in_observe(stage: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """P2: a stage that fails means hold, never "no finding"; in observe the original goes."""

    def broken(*_args: object, **_kwargs: object) -> None:
        raise RuntimeError("the secret of Mrs Jones")

    monkeypatch.setattr(pipeline, stage, broken)
    raw = SAMPLES[0].build()
    made = plan(context(), received(raw))
    assert not made.copies
    assert (made.holds[0].rule, made.holds[0].recipients) == ("internal-error", (0,))
    assert "Jones" not in repr(made.record)
    seen = plan(context("observe"), received(raw))
    assert seen.copies[0].data.data.endswith(raw)
    assert not seen.holds


@pytest.mark.parametrize("broken", ["scrub", "residue"])
def test_a_scrubber_that_fails_or_lies_is_held_by_the_exit_check(broken: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """P2: the exit check sees the bytes that would leave."""
    from filters.api import Malformed, Scrubbed
    from filters.registry import SCRUBBERS

    honest = SCRUBBERS["jpeg"]

    class Liar:
        name = "jpeg"
        native = False
        inspect = honest.inspect
        residue = honest.residue

        def scrub(self, data: bytes, cleaning: object = None) -> Scrubbed:
            if broken == "scrub":
                raise Malformed("made up")
            return Scrubbed(data)  # claims to be done and is not

    monkeypatch.setitem(SCRUBBERS, "jpeg", Liar())  # type: ignore[index]  # a dict behind its read-only type
    made = plan(context(), received(SAMPLES[0].build()))
    assert not made.copies
    assert made.holds[0].reasons[0] == ("scrub.failed" if broken == "scrub" else "exit.residue")


def test_a_splice_that_loses_an_edit_is_held(monkeypatch: pytest.MonkeyPatch) -> None:
    from gateway.finishing import finish

    monkeypatch.setattr(finish, "replace_body", lambda *_: [])
    made = plan(context(), received(SAMPLES[0].build()))
    assert not made.copies
    assert "exit.unknown-leaf" in made.holds[0].reasons


# -- what becomes of the statement outside (domain/03 3.7) ----------------------------------------------------------------


def outside(consent_out: str) -> email.message.EmailMessage:
    """The copy that goes to an approved domain over its route under this setting."""
    sample = Sample("out", (COLLEAGUE,), TAGGED, attach=(picture(1),), headers={"Clinical-Image-Consent": CONSENT_HEADER})
    made = plan(context("enforce", header_out=(("A", consent_out),)), received(sample.build()))
    return email.message_from_bytes(only(made), policy=email_policy.SMTP)


def test_keep_leaves_header_and_tag_as_they_are() -> None:
    message = outside("keep")
    assert message["Clinical-Image-Consent"] == CONSENT_HEADER
    assert "[consent verbal]" in message["Subject"]


def test_pseudonymise_reduces_the_field_to_what_is_no_health_fact() -> None:
    message = outside("pseudonymise")
    assert message["Clinical-Image-Consent"] == "given; v=1; purpose=COC; scope=record"
    assert "consent" not in message["Subject"]


@pytest.mark.slow
def test_remove_and_inside_take_it_out() -> None:
    for setting in ("remove", "inside"):
        message = outside(setting)
        assert message["Clinical-Image-Consent"] is None
        assert "consent" not in message["Subject"]


# -- releases ------------------------------------------------------------------------------------------------------------


def released(sample: Sample, *accepted: str, statement: str | None = None) -> Plan:
    raw = sample.build()
    first = plan(context(), received(raw, *sample.recipients))
    payload = {
        "release": "h-1",
        "hold": "h",
        "accepted": list(accepted),
        "statement": statement,
        "identity": first.record["identity"],
    }
    return plan(context(), received(raw, *sample.recipients, release=payload))


def test_a_release_without_protection_needs_that_to_be_accepted_by_name() -> None:
    """Peers' complaint 15: a released message must not be held for ever; nor may it leak by an implied consent."""
    sample = Sample("unknown", (STRANGER,), TAGGED, attach=(picture(6),))
    again = released(sample, "domain.unknown")
    assert again.holds[0].reasons[0] == "protect.no-method"
    made = released(sample, "domain.unknown", "protect.no-method")
    assert b"Sample Owner" not in only(made)
    assert made.copies[0].route == "default"


def test_a_release_can_bring_the_statement_that_was_missing() -> None:
    sample = Sample("ask", (COLLEAGUE,), "no statement", attach=(picture(6),))
    assert run(sample).holds[0].action == "ASK"
    made = released(sample, statement="given; v=1; form=verbal; purpose=COC")
    assert made.copies[0].method == "route"


def test_a_release_never_passes_a_denied_destination_or_a_refusal() -> None:
    """DESIGN section 4: never to denied destinations or against a refusal."""
    share = Sample("f", (FILE_SHARE,), TAGGED, attach=(picture(6),))
    assert not released(share, "domain.denied", "guard", "protect.no-method").copies
    said_no = Sample("no", (COLLEAGUE,), "x [consent refused]", attach=(picture(6),))
    assert not released(said_no, "consent.refused", "guard", "protect.no-method").copies


def test_a_release_vouches_for_nobody_anew() -> None:
    sample = Sample("spoof", (COLLEAGUE,), TAGGED, attach=(picture(6),), headers={"Resent-From": "x@clinic.example"})
    assert not released(sample).copies


# -- containers ----------------------------------------------------------------------------------------------------------


def _zip(name: str, *members: tuple[str, bytes]) -> tuple[str, bytes]:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for called, body in members:
            archive.writestr(called, body)
    return name, out.getvalue()


def carrying(name: str, body: bytes, subject: str = TAGGED) -> bytes:
    message = EmailMessage(policy=email_policy.SMTP)
    message["From"], message["To"], message["Subject"] = SENDER, COLLEAGUE, subject
    message.set_content("Dear colleague,\nplease see attached.\n")
    message.add_attachment(body, "application", "octet-stream", filename=name)
    return message.as_bytes()


def test_a_photo_two_archives_deep_leaves_clean_under_neutral_names() -> None:
    raw = carrying(*_zip("John Smith.zip", ("notes.txt", b"as agreed"), _zip("inner.zip", ("John Smith knee.jpg", photo()))))
    data = only(plan(context(), received(raw)))
    (attached,) = images(data)
    assert b"Smith" not in data
    with zipfile.ZipFile(io.BytesIO(attached)) as outer:
        assert outer.testzip() is None
        text, inner = outer.namelist()
        assert (text, outer.read(text)) == ("notes.txt", b"as agreed")
        with zipfile.ZipFile(io.BytesIO(outer.read(inner))) as archive:
            (name,) = archive.namelist()
            sent = archive.read(name)
    assert re.fullmatch(r"img-[0-9A-Z-]+-1of1-\d\.jpg", name)
    assert b"Sample Owner" not in sent
    assert pixels(sent) == pixels(photo())


def test_a_container_without_a_clinical_picture_passes_byte_for_byte() -> None:
    raw = carrying(*_zip("papers.zip", ("a.txt", b"words"), ("b.csv", b"1,2\n3,4\n5,6\n")), subject="Papers")
    made = plan(context(), received(raw, STRANGER))
    assert only(made).endswith(raw)


def test_a_photo_in_a_container_asks_and_is_recorded_like_a_loose_one() -> None:
    made = plan(context(), received(carrying(*_zip("a.zip", ("b.jpg", photo())), subject="Knee")))
    assert [hold.action for hold in made.holds] == ["ASK"]
    (image,) = made.record["images"]
    assert (image["part"], image["kind"], image["format"]) == ("1.2/1", "K3", "jpeg")


@pytest.mark.parametrize("bad", [photo()[:3000], b"8BPS\0\1" + bytes(90)], ids=["truncated", "psd"])
def test_what_cannot_be_looked_into_inside_a_container_holds_it(bad: bytes) -> None:
    made = plan(context(), received(carrying(*_zip("a.zip", ("b.jpg", photo()), ("c.jpg", bad)))))
    assert not made.copies
    assert [hold.action for hold in made.holds] == ["QUARANTINE"]
