"""The strict YAML reader: what it takes, what it refuses, and the lines it knows."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.files.yamlmap import YamlError, dotted, nearest, parse

pytestmark = pytest.mark.unit


def test_lines_of_keys_and_items() -> None:
    """Every key path has the line of its key, every item that of its value."""
    data, lines = parse(b"a: 1\nb:\n  - x: 2020-01-01\n  - y:\n      z: [1, 2]\n", "f.yaml")
    assert data["b"][1] == {"y": {"z": [1, 2]}}
    assert lines[("a",)] == 1
    assert lines[("b", 0, "x")] == 3
    assert lines[("b", 1, "y", "z")] == 5


def test_anchors_and_merge_keys_are_taken() -> None:
    """An anchor may be used again and merged; the mapping's own key wins and is no duplicate."""
    data, _ = parse(b"base: &b {k: 1, l: 2}\nuse:\n  <<: *b\n  k: 3\n", "f.yaml")
    assert data["use"] == {"k": 3, "l": 2}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"a: 1\na: 2\n", "f.yaml:2: a: stands twice (first in line 1)"),
        (b"x: {a: 1, a: 2}", "f.yaml:1: x.a: stands twice"),
        (b"a: [1", "f.yaml:1: this is not valid YAML"),
        (b"a: !!python/name:os.system x", "not valid YAML"),
        (b"a: 1\n---\nb: 2\n", "not valid YAML"),
        (b"a: *nowhere", "not valid YAML"),
        (b"a:\n\tb: 1", "f.yaml:2: this is not valid YAML"),
        (b"a: 1\nb: \xff\n", "f.yaml:2: not UTF-8 text"),
        (b"{[1]: 2}", "f.yaml:1: a key must be a plain word"),
        (b"[" * 40 + b"]" * 40, "nested more than"),
        (b"a: 1\nb: 2020-99-99", "f.yaml:2: b: \"2020-99-99\" is no such date"),
        (b"&a [*a]", "nested more than"),
    ],
)
def test_what_is_refused(text: bytes, expected: str) -> None:
    """Duplicates, tags, several documents, broken text, deep and endless nesting."""
    with pytest.raises(YamlError) as caught:
        parse(text, "f.yaml")
    assert expected in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [b"a:\n   b: 1\n  c: 2\n", b"a:\n - 1\n- 2\n", b"a: 'x\nb: 1\nc: 'y'\n", b"a:\n  b 1\n  c: 2\n"],
)
def test_a_slip_in_a_line_above_is_hinted_at(text: bytes) -> None:
    """The reader names the first line that does not fit, which is seldom the wrong one."""
    with pytest.raises(YamlError, match="and in the lines above for wrong indentation"):
        parse(text, "f.yaml")


def test_only_a_word_that_is_near_is_offered() -> None:
    """A far-fetched guess sends people the wrong way."""
    assert nearest("recipent", ["recipient", "too_many"]) == '; did you mean "recipient"?'
    assert nearest("domain", ["recipient", "too_many"]) == ""


@pytest.mark.parametrize("depth", [9, 200, 4000])
@pytest.mark.slow
def test_a_bomb_of_merge_keys_is_refused_quickly(depth: int) -> None:
    """Nine levels were 430 octets, five seconds and 700 MB before anything was counted."""
    inner = "&a0 {k: 1}"
    for n in range(1, depth):
        inner = f"&a{n} {{<<: [{inner}{f', *a{n - 1}' * 8}]}}"
    began = time.process_time()
    with pytest.raises(YamlError):
        parse(f"x: {inner}".encode(), "f.yaml")
    assert time.process_time() - began < 2
    with pytest.raises(YamlError):
        parse(b"x: &a {<<: *a, k: 1}", "f.yaml")


def test_an_alias_bomb_is_refused_quickly() -> None:
    """Billion laughs: a few lines that would become gigabytes."""
    bomb = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    bomb += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    with pytest.raises(YamlError, match="anchors repeat"):
        parse("\n".join(bomb).encode(), "f.yaml")


def test_empty_text_is_none() -> None:
    """Whether nothing is an error is the caller's business."""
    assert parse(b"# only a comment\n", "f.yaml")[0] is None


def test_words() -> None:
    """Paths and hints as they are printed."""
    assert dotted(("rules", 3, "then")) == "rules[3].then"
    assert nearest("enforc", ["observe", "enforce"]) == '; did you mean "enforce"?'
    assert nearest("qqq", ["observe"]) == ""


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    """Only YamlError ever comes out."""
    try:
        parse(data, "f.yaml")
    except YamlError as error:
        assert str(error).startswith("f.yaml:")
