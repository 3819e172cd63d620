"""Documents and schemas that are generated are current, and say everything."""

from __future__ import annotations

import json
import re

import pytest
import yaml

from policies.files.reference import TABLES, fill
from policies.files.schema import MODELS, schema, text
from policies.vocabulary import BASES, BYPASSES, CAPACITIES, FORMS, GIVERS, INFORMED, SCOPES, STATUSES
from tests.support.paths import ROOT
from tests.support.policyfacts import files, shipped

pytestmark = pytest.mark.unit

DOCUMENT = (ROOT / "docs" / "policy.md").read_text(encoding="utf-8")


def test_the_tables_of_the_document_are_current() -> None:
    """docs/policy.md holds every table as the code makes it today (mend: policies.files.reference.fill)."""
    assert set(re.findall(r"<!-- table: (\w+) -->", DOCUMENT)) == set(TABLES)
    assert fill(DOCUMENT) == DOCUMENT


def test_the_document_names_every_word_of_the_header() -> None:
    """Statuses, forms, givers, scopes, bases and the rest stand in the document."""
    for word in (*STATUSES, *FORMS, *GIVERS, *SCOPES, *BASES, *BYPASSES, *CAPACITIES, *INFORMED):
        assert f"`{word}`" in DOCUMENT, word


@pytest.mark.parametrize("name", MODELS)
def test_the_schemas_are_current(name: str) -> None:
    """policies/schema/*.json are what the models say today (mend: policies.files.schema.text)."""
    assert (ROOT / "policies" / "schema" / name).read_text(encoding="utf-8") == text(name)


def test_the_schema_knows_every_condition_of_the_shipped_rules() -> None:
    """An editor with the schema accepts what the loader accepts."""
    conditions = schema("policy.json")["$defs"]["RuleModel"]["properties"]["when"]["properties"]
    for rule in shipped().rules:
        assert rule.when.keys() <= conditions.keys()
    json.dumps(yaml.safe_load(files()["policy.yaml"]), default=str)


def test_reading_a_decision_needs_no_dictionary() -> None:
    """Sentences for people are short and hold no code words."""
    from policies.reasons import REASONS

    for code, sentence in REASONS.items():
        assert sentence.endswith(".") and len(sentence.split()) <= 26, code
        assert not re.search(r"\b(MIME|SMTP|S/MIME|TLS|opaque|metadata)\b", sentence), code


def test_the_icon_numbers_are_the_filters_own() -> None:
    """The policy's numbers and their defaults are those of the decorative filter, which may not be imported by policies."""
    from dataclasses import asdict

    from filters.decorative import DecorativeSettings
    from policies.files.settings import DecorativeModel

    assert DecorativeModel.model_validate({}).model_dump() == asdict(DecorativeSettings())
