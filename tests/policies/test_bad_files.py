"""Every file of tests/bad_policies: refused, with exactly the messages that stand at its head."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

from policies.load import PolicyError, load_policy
from policies.trial.examples import read_examples, run
from tests.support.paths import ROOT
from tests.support.policyfacts import files

pytestmark = pytest.mark.unit

FOLDER = ROOT / "tests" / "bad_policies"
BROKEN = sorted(path for kind in ("policy", "domains", "examples") for path in (FOLDER / kind).glob("*.yaml"))
DAY = date(2026, 11, 22)
PROGRAMMERS = re.compile(r"pydantic|regex|pattern|NoneType|Traceback|\btuple\b|\bdict\b|\bstr\b|\bint\b|\bNone\b|\[key\]")


def good(name: str) -> bytes:
    return (FOLDER / "good" / name).read_bytes()


def problems(path: Path) -> tuple[str, ...]:
    """What is said of one broken file among good ones."""
    kind, text = path.parent.name, path.read_bytes()
    whole = {**files(), "policy.yaml": good("policy.yaml"), "domains.yaml": good("domains.yaml")}
    with pytest.raises(PolicyError) as caught:
        if kind == "examples":
            read_examples(load_policy(whole), "examples.yaml", text, DAY)
        else:
            load_policy({**whole, f"{kind}.yaml": text})
    return caught.value.problems


def _short(line: str) -> str:
    """Without the list of all keys or conditions, which grows with every new one."""
    return re.split(r"; the (?:keys here|conditions) are ", line)[0]


def test_there_are_two_hundred() -> None:
    """And they are all different."""
    assert len(BROKEN) >= 200
    assert len({path.read_bytes() for path in BROKEN}) == len(BROKEN)


def test_what_they_break_is_whole() -> None:
    """The good files load, and the good example holds."""
    policy = load_policy({**files(), "policy.yaml": good("policy.yaml"), "domains.yaml": good("domains.yaml")})
    cases = read_examples(policy, "examples.yaml", good("examples.yaml"), DAY)
    assert [one.faults for one in run(policy, cases)] == [()]


@pytest.mark.parametrize("path", BROKEN, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_each_is_refused_with_its_message(path: Path) -> None:
    """File, line and key, what is wrong and what to write; in words that need no programmer."""
    expected = [line.removeprefix("# expect: ") for line in path.read_text().splitlines() if line.startswith("# expect: ")]
    found = problems(path)
    assert [_short(line) for line in found] == expected
    for line in found:
        file, number, rest = line.split(":", 2)
        assert file == f"{path.parent.name}.yaml" and 1 <= int(number) <= path.read_text().count("\n") + 1
        assert not PROGRAMMERS.search(rest), line
