"""Replay: equal mail is judged once, and that changes no outcome; the registers' differences count."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import timedelta

import pytest

from filters.catalogue import CODES
from policies.decide import decide
from policies.load import load_policy
from policies.model import Action, Consent, ImageFacts, Kind
from policies.record import from_record, to_record
from policies.replay import Replay, _felt
from policies.vocabulary import INFORMED
from tests.bench.replaying import mails, stricter
from tests.support.policyfacts import NOW, facts, files, image, recipient, shipped, statement

pytestmark = pytest.mark.unit


@pytest.mark.slow
def test_what_is_remembered_is_what_would_be_decided() -> None:
    """A thousand mails of many kinds: the remembered outcome is the policy's own, for both policies."""
    old, new = shipped(), stricter()
    judge = Replay(old, new)
    for one in itertools.islice(mails(seed=11), 1000):
        record = to_record(one)
        pair, again = judge.judge(record), from_record(record)
        assert pair.before.decision == decide(old, again), record
        assert pair.after.decision == decide(new, again), record


def test_no_finding_code_is_forgotten_that_a_feature_looks_at() -> None:
    """Every code of the catalogue beside a photograph and beside the message: where it changes a decision, it is in the key."""
    policy = shipped()
    said = Consent(replace(statement("v", "P1"), identifiable=False))  # type: ignore[type-var]  # "v" is a statement
    plain = {cls: decide(policy, facts(cls, consent=said)) for cls in "AD"}
    named = {code for rule in policy.rules for code in _listed(rule.when.get("codes", []))}
    for code in (*CODES, "ident.subject", "ident.file-name", "ident.metadata", "mail.signed", "mail.attachment"):
        for cls, before in plain.items():
            found = decide(policy, facts(cls, consent=said, images=(image(codes=frozenset({code})),)))
            whole = decide(policy, facts(cls, consent=said, codes=frozenset({code})))
            if before not in (found, whole) or found != before or whole != before:
                assert _felt(code) or code in named, code


def _listed(value: object) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else [str(value)]


def approving(domain: str) -> bytes:
    """The shipped register with one more clinical domain."""
    entry = (
        f"domains:\n  - domain: {domain}\n    status: approved\n    class: clinical\n    organisation: New\n"
        "    purposes: [TREAT, COC]\n    methods: [smime]\n    approved_by: [alice.ig, bob.caldicott]\n"
        "    approved_on: 2026-03-01\n"
        "    agreement: {type: implied-care, owner: ig@example.org, signed: 2026-03-01, expires: 2028-02-28}\n"
    )
    return files()["domains.yaml"].replace(b"domains:\n", entry.encode(), 1)


def test_a_domain_approved_in_the_new_register_counts() -> None:
    """Mail to it was held when it was recorded; under the new policy it would have gone."""
    old, new = shipped(), load_policy({**files(), "domains.yaml": approving("fresh.example")})
    stated = statement("v", "P1")
    fresh = to_record(facts("D", "K3", stated, recipient=recipient("D", domain="fresh.example")))
    other = to_record(facts("D", "K3", stated, recipient=recipient("D", domain="stale.example")))
    judge = Replay(old, new)
    pair = judge.judge(fresh)
    assert (pair.before.decision.action, pair.after.decision.action) == (Action.QUARANTINE, Action.PROTECT)
    assert pair.before.held and not pair.after.held
    assert not judge.judge(other).changed


def test_the_day_of_the_mail_counts_not_today() -> None:
    """An entry that had ended when the mail was sent does not carry it, though it carries other mail."""
    text = approving("fresh.example").replace(b"expires: 2028-02-28}", b"expires: 2026-09-01}", 1)
    old, new = shipped(), load_policy({**files(), "domains.yaml": text})
    judge = Replay(old, new)
    told = {"recipient": recipient("D", domain="fresh.example")}
    late = judge.judge(to_record(facts("D", "K3", statement("v", "P1"), **told)))
    early = judge.judge(to_record(facts("D", "K3", statement("v", "P1"), at=NOW - timedelta(days=90), **told)))
    assert (late.after.held, early.after.held) == (True, False)


def test_modes_make_it_earnest() -> None:
    """A change of mode alone: nothing is decided otherwise, but mail would newly stay."""
    text = files()["policy.yaml"].replace(b"default: observe", b"default: enforce").replace(b"@example.org}", b"@real.example}")
    judge = Replay(shipped(), load_policy({**files(), "policy.yaml": text}))
    pair = judge.judge(to_record(facts("A", "K3")))
    assert pair.before.decision.action is pair.after.decision.action is Action.ASK
    assert pair.changed and pair.after.stays and not pair.before.stays


def test_a_record_that_is_none_is_an_error() -> None:
    """The caller counts it and goes on."""
    judge = Replay(shipped(), shipped())
    for record in ({}, {"version": 99}, {**to_record(facts("A")), "version": 99}, {**to_record(facts("A")), "at": "soon"}):
        with pytest.raises((KeyError, ValueError, TypeError)):
            judge.judge(record)


def test_images_that_are_alike_are_one_in_the_key_but_kinds_are_not() -> None:
    """Two photographs are judged as one; a photograph and an intimate one are not."""
    judge = Replay(shipped(), shipped())
    one, two = image("K3", part="1.2"), image("K3", part="1.3", sha256="1" * 64)
    intimate = ImageFacts(part="1.4", kind=Kind.INTIMATE, sha256="2" * 64, format="jpeg")
    stated = statement("v", "P1")
    alone = judge.judge(to_record(facts("A", "K3", stated, images=(one,))))
    assert judge.judge(to_record(facts("A", "K3", stated, images=(one, two)))) is alone
    assert judge.judge(to_record(facts("A", "K3", stated, images=(one, two, intimate)))).after.decision.kind is Kind.INTIMATE


def test_what_the_patient_was_told_is_recorded_and_decides_nothing() -> None:
    """S0-14: in the record, read again; older records have none; the decision is the same with every word and with none."""
    told = statement("v", "P1", informed=frozenset(INFORMED))
    record = to_record(facts("A", "K3", told))
    assert record["consent"]["statement"]["informed"] == sorted(INFORMED)
    full = from_record(record)
    del record["consent"]["statement"]["informed"]
    assert decide(shipped(), from_record(record)) == decide(shipped(), full)
