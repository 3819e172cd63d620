"""The register read entry by entry is the register read whole, whatever it says; and it is quick."""

from __future__ import annotations

from time import process_time

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from policies.domains import blocks, registerfile
from policies.domains.plainentry import PlainReader
from policies.files.yamlmap import YamlError, parse
from policies.load import PolicyError, load_policy
from tests.support.policyfacts import files

pytestmark = pytest.mark.unit

ENTRY = """\
  - domain: {name}.example
    status: approved
    class: clinical
    organisation: {{name: Clinic {name}, country: GB-ENG, ids: {{ods: X7}}}}
    purposes: [TREAT, COC]
    methods: [smime]
    agreement: {{type: implied-care, owner: ig@example.org, signed: 2026-03-01, expires: 2028-02-28}}
    approved_by: [alice.ig, bob.caldicott]
    approved_on: 2026-03-01
"""
STRANGE = """\
  - domain: "quoted.example"   # with a comment
    status: proposed
    class: clinical
    notes: |
      several
      lines
    organisation:
      name: 'It''s: a name'
    methods: [route]
    transport: {verify: dane, min_version: "1.3", on_failure: smime}
    encryption: {smime: {anchors: [root.pem], bound_to: domain}}
"""
TOKENS = [*"ab1 .:-[]{},'\"#&*!|>\n\t~y", "- ", ": ", "no", "2026-01-01", "1_0", "0x1", "1e3"]
PIECES = st.lists(st.sampled_from(TOKENS), max_size=12).map("".join)


def register(text: str) -> bytes:
    return ("# a comment\ndomains:\n" + text).encode()


@given(
    st.lists(st.tuples(st.sampled_from(["domain", "status", "notes", "methods", "agreement"]), PIECES), min_size=1, max_size=4)
)
def test_a_plainly_read_entry_is_what_the_yaml_reader_reads(lines: list[tuple[str, str]]) -> None:
    """Where the quick reader gives an answer, it is the YAML reader's."""
    block = "  - " + "\n    ".join(f"{name}: {value}" for name, value in lines) + "\n"
    found = PlainReader().read(block)
    if found is not None:
        assert [found] == parse(block.encode(), "x")[0]


@given(
    st.recursive(
        st.sampled_from(["a", "no", "2026-01-01", "7", "1.5", "null", "a b", "Null", "on", "x.y", "1e3", "0o7", "1_0", "it's"]),
        lambda inner: (
            st.lists(inner, max_size=3).map(lambda some: f"[{', '.join(some)}]")
            | st.dictionaries(st.sampled_from(["k", "name", "ids"]), inner, max_size=3).map(
                lambda some: "{" + ", ".join(f"{key}: {value}" for key, value in some.items()) + "}"
            )
        ),
        max_leaves=8,
    )
)
def test_lists_and_tables_on_one_line_too(value: str) -> None:
    """Nested as deep as entries are."""
    block = f"  - notes: {value}\n"
    found = PlainReader().read(block)
    if found is not None:
        assert [found] == parse(block.encode(), "x")[0]


def test_the_quick_reader_reads_what_the_program_writes() -> None:
    """Else it would be no use."""
    assert PlainReader().read(ENTRY.format(name="a")) == yaml.safe_load(ENTRY.format(name="a"))[0]


@pytest.mark.parametrize(
    "text",
    [
        ENTRY.format(name="a") + ENTRY.format(name="b"),
        STRANGE + ENTRY.format(name="a"),
        STRANGE + STRANGE.replace("quoted", "other"),
    ],
)
@pytest.mark.slow
def test_both_ways_give_the_same_register(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Content, digest and all."""
    given_files = {**files(), "domains.yaml": register(text + "denied: [evil.example]\n")}
    quick = load_policy(given_files)
    assert quick.register.known is not None
    monkeypatch.setattr(registerfile, "_by_entry", lambda *_: None)
    whole = load_policy(given_files)
    assert whole.register.known is None
    assert (quick.digest, quick.register) == (whole.digest, whole.register)


@pytest.mark.parametrize(
    "text",
    [
        "  - {domain: a.example, notes: 'x\n  - domain: b.example\n    status: proposed'}\n",  # an entry within a quote
        "  - domain: a.example\n    notes: 'x\n  -\n    domain: b.example'\n",
        "  - &one {domain: a.example, status: proposed, class: clinical}\n  - *one\n",
        "  - domain: a.example\n---\n",
    ],
)
def test_entries_that_only_seem_to_be_some_are_read_whole(text: str) -> None:
    """Where cutting would read another register than the YAML reader, nothing is cut."""
    pieces = blocks.cut(register(text).decode(), "domains")
    if pieces is None:
        return
    found = blocks.read(pieces.blocks, "x")
    try:
        expected = parse(register(text), "x")[0]["domains"]
    except YamlError:
        expected = None
    assert found is None or found == expected


def test_only_what_changed_is_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """And the result is as if all had been read."""
    before = load_policy({**files(), "domains.yaml": register("".join(ENTRY.format(name=f"n{at}") for at in range(50)))})
    text = register("".join(ENTRY.format(name=f"n{at}" if at != 7 else "new") for at in range(50)))
    asked: list[int] = []
    real = blocks.read
    monkeypatch.setattr(registerfile, "read", lambda some, file: asked.append(len(some)) or real(some, file))
    after = load_policy({**files(), "domains.yaml": text}, before.register.known)
    assert asked == [1]
    assert after.register == load_policy({**files(), "domains.yaml": text}).register
    assert after.digest != before.digest


def test_what_is_known_is_forgotten_when_the_lists_change() -> None:
    """A domain that became freemail is refused although its entry did not change."""
    text = register(ENTRY.format(name="a"))
    known = load_policy({**files(), "domains.yaml": text}).register.known
    lists = files()["freemail.txt"] + b"a.example\n"
    with pytest.raises(PolicyError, match=r"a\.example is a freemail domain"):
        load_policy({**files(), "domains.yaml": text, "freemail.txt": lists}, known)


def test_a_changed_entry_of_many_is_read_in_no_time() -> None:
    """A hundredth of the promised size, far below a hundredth of the promised two seconds."""
    text = register("".join(ENTRY.format(name=f"n{at}") for at in range(1000)))
    known = load_policy({**files(), "domains.yaml": text}).register.known
    start = process_time()
    load_policy({**files(), "domains.yaml": text.replace(b"Clinic n7,", b"Clinic m7,")}, known)
    assert process_time() - start < 1.0
