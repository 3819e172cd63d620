"""Any facts at all, for Hypothesis: what a decision must stand whatever mail comes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from hypothesis import strategies as st

from policies.conditions import OPAQUE
from policies.model import (
    Carrier,
    Consent,
    ConsentStatus,
    DomainEntry,
    Facts,
    ImageFacts,
    Kind,
    Mode,
    OnFile,
    Problem,
    RecipientClass,
    RecipientFacts,
    Statement,
)
from policies.reasons import REASONS
from policies.vocabulary import BASES, BYPASSES, CAPACITIES, FORMS, GIVERS, INFORMED, PURPOSE_ROWS, PURPOSES, SCOPES

MAYBE = st.sampled_from([None, True, False])
SEEN = [
    "mime.ambiguous", "mail.signed", "ident.subject", "text.nhs-number", "exif.gps", "dicom.burned-in", "container.signed",
    "recipient.lookalike-address", "recipient.other-name", "recipient.many", "recipient.open-list", "recipient.mailbox",
]  # fmt: skip
CODES = st.frozensets(st.sampled_from(SEEN), max_size=2)


def optional(values: Any) -> Any:
    return st.none() | st.sampled_from(list(values))


STATEMENTS = st.builds(
    Statement,
    status=st.sampled_from(ConsentStatus),
    carrier=st.sampled_from(Carrier),
    form=optional(FORMS),
    given_by=optional(GIVERS),
    purpose=optional(PURPOSES),
    scope=st.frozensets(st.sampled_from(SCOPES), max_size=2),
    informed=st.frozensets(st.sampled_from(INFORMED), max_size=2),
    dated=st.sampled_from([None, date(2026, 11, 1), date(2022, 11, 1)]),
    basis=optional(BASES),
    bypass=optional(BYPASSES),
    capacity=optional(CAPACITIES),
    intimate=st.booleans(),
    identifiable=st.booleans(),
    child=st.booleans(),
    deceased=st.booleans(),
    patient=optional(["p-1"]),
    record=optional(["REC-1"]),
    policy=optional(["POL-1"]),
    part=optional(["1.2", "photo.jpg", "no-such-part"]),
    reason=optional(["short", "long enough a reason", "   padded   "]),
    to_patient=st.booleans(),
    checked=st.booleans(),
    confirms=optional(["someone@there.example", "other@there.example"]),
    fresh=st.booleans(),
)

ON_FILE = st.builds(
    OnFile,
    status=st.sampled_from(["refused", "withdrawn", "limited"]),
    since=st.none() | st.just(date(2026, 11, 12)),
    uses=st.frozensets(st.sampled_from(sorted(PURPOSE_ROWS)), max_size=3),
)

IMAGES = st.builds(
    ImageFacts,
    part=st.sampled_from(["1.1", "1.2", "1.3/1"]),
    kind=st.sampled_from(Kind),
    sha256=st.just("0" * 64),
    format=st.sampled_from(["jpeg", "cms-enveloped", "zip", ""]),
    codes=CODES,
    opaque=optional(OPAQUE) | st.just("something new"),
    decorative=optional(["decorative.icon"]),
    disclosed=MAYBE,
    on_file=st.none() | ON_FILE,
    looked_up=st.booleans(),
    modality=optional(["CR", "XC"]),
    name=st.sampled_from(["", "photo.jpg"]),
)

ENTRIES = st.builds(
    DomainEntry,
    domain=st.just("there.example"),
    status=st.just("approved"),
    cls=st.sampled_from(RecipientClass),
    purposes=st.frozensets(st.sampled_from(sorted(PURPOSES)), max_size=3),
    methods=st.lists(st.sampled_from(["route", "smime", "pickup"]), unique=True).map(tuple),
    max_recipients=st.none() | st.integers(1, 3),
    max_sensitivity=st.sampled_from(["R", "V"]),
    children_allowed=st.booleans(),
)

RECIPIENTS = st.builds(
    RecipientFacts,
    cls=st.sampled_from(RecipientClass),
    domain=st.just("there.example"),
    entry=st.none() | ENTRIES,
    lookalike_of=optional(["approved.example"]),
    own_private=st.booleans(),
    local=st.just("someone"),
    standing=st.sampled_from(["", "approved", "grace", "expired", "suspended", "proposed", "denied", "invalid"]),
)

FACTS = st.builds(
    Facts,
    at=st.just(datetime(2026, 11, 22, tzinfo=UTC)),
    mode=st.sampled_from(Mode),
    sender_domain=st.just("example.org"),
    sender_group=st.sampled_from(["clinical", "ungrouped"]),
    sender_kind=st.sampled_from(["person", "machine", "null", "auto", "list"]),
    vouched=st.booleans(),
    recipient=RECIPIENTS,
    recipients=st.integers(1, 5),
    consent=st.builds(
        Consent,
        statement=st.none() | STATEMENTS.map(lambda one: replace(one, part=None)),
        per_part=st.lists(STATEMENTS, max_size=2).map(tuple),
        problems=st.sampled_from([(), (Problem("consent.bare-tag", "secret word"),)]),
        ignored=st.sampled_from([(), ("consent.inherited-tag",)]),
    ),
    images=st.lists(IMAGES, max_size=3, unique_by=lambda one: one.part).map(tuple),
    codes=CODES,
    methods=st.dictionaries(st.sampled_from(["route", "smime", "pickup"]), st.sampled_from(["ok", "smime.expired"]), max_size=3),
    thread=st.sampled_from(["new", "reply", "forward"]),
    withdrawn=MAYBE,
    on_file=st.none() | ON_FILE,
    first_time=MAYBE,
    released=st.frozensets(st.sampled_from(sorted(REASONS)), max_size=4),
)
