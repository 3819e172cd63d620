"""The canary test by formats: every picture in every container in every container, and what is left of its metadata.

Each metadata place of each format has a word of its own.  A file is cleaned with the gateway's own tools, the sandbox among them.
Then no word is left in it, however it is packed, or the file was refused for a reason.  Of the whole product (70,000 files) a
fixed sample is taken: all pairs of containers, and all pictures in turn.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from filters.api import Budget, FilterError
from filters.registry import OPENERS
from filters.tree import Label, Node, Tools, changes, clean, examine
from gateway.opening import attached
from gateway.sandbox import Sandbox, sandboxed
from tests.support.canaries import METADATA, judge
from tests.support.leftovers import words
from tests.support.samples_all import CONTAINERS, EXTENSIONS, PICTURES, Canaries

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

EACH = 1  # pictures of each pair of containers
READ_ONLY = ("msg", "doc-object")  # not written anew: a picture to clean inside is held
KEEP_WORDS = (*READ_ONLY, "tnef", "tnef-property", "tnef-nested")  # what people wrote stays where nothing has to be cleaned
NO_PLACE = ("jxl-naked",)  # a picture that has nowhere to put a word
# A drawing cannot be told from the drawing around it, and sound is no picture of a drawing.
CORRUPT_IN = {"emf-plus": ("emf", "wmf", "m4a", "emf-plus")}


@dataclass(frozen=True)
class Case:
    """A picture in containers, the innermost first."""

    picture: str
    containers: tuple[str, ...]

    def built(self) -> tuple[bytes, str, Canaries]:
        """(file, name, the words in it)."""
        canaries = Canaries()
        data, extension = PICTURES[self.picture](canaries.of(self.picture)), EXTENSIONS[self.picture]
        for name in self.containers:
            data, extension = CONTAINERS[name](data, extension, canaries.of(name)), EXTENSIONS[name]
        return data, f"case.{extension}", canaries

    @property
    def may_be_refused(self) -> bool:
        if any(name in READ_ONLY for name in self.containers):
            return True
        inside = (self.picture, *self.containers)
        return any(inner in CORRUPT_IN.get(outer, ()) for inner, outer in zip(inside, self.containers, strict=False))


@pytest.fixture(scope="module")
def tools() -> Iterator[Tools]:
    sandbox = Sandbox(2_000_000_000, 60.0)
    yield sandboxed(Tools(openers={**OPENERS, **attached.OPENERS}, thorough=True), sandbox)
    sandbox.close()


def refused(node: Node) -> bool:
    """Held for a reason: something in it could not be looked into, or cannot be written anew."""
    return any(one.opaque is not None or (one.fixed and changes(one, thorough=True)) for one in node.walk())


def check(case: Case, tools: Tools) -> bool:
    """Whether it was cleaned; every promise about it is asserted."""
    data, name, canaries = case.built()
    assert case.picture in NO_PLACE or words(data), "the judge sees what was put in"
    node = examine(data, tools, Budget(), Label(name))
    if refused(node):
        assert case.may_be_refused, [(one.where, one.sniffed.format, one.opaque) for one in node.walk() if one.opaque]
        return False
    try:
        made = clean(data, node, tools, Budget()).data
    except FilterError as error:
        assert case.may_be_refused, repr(error)
        return False
    left = {canaries.places[word] for word in words(made)}
    assert {place for place in left if place.partition(":")[0] not in KEEP_WORDS} == set()
    assert left or judge(METADATA)(made) is None
    again = examine(made, tools, Budget(), Label(name))
    assert not again.children or not changes(again, thorough=True), "nothing is left to do"
    assert clean(made, again, tools, Budget()).data is made, "a second cleaning changes nothing"
    return True


def run(cases: list[Case], tools: Tools) -> int:
    """How many were cleaned; all failures are told together."""
    faults, cleaned = [], 0
    for case in cases:
        try:
            cleaned += check(case, tools)
        except AssertionError as error:
            faults.append(f"{case.picture} in {' in '.join(case.containers)}: {str(error)[:300]}")
    assert not faults, "\n".join([f"{len(faults)} of {len(cases)}", *faults[:20]])
    return cleaned


@pytest.mark.parametrize("picture", PICTURES)
def test_a_picture_by_itself(picture: str, tools: Tools) -> None:
    assert check(Case(picture, ()), tools), "no format is refused"


@pytest.mark.parametrize("container", CONTAINERS)
def test_every_picture_in_every_container(container: str, tools: Tools) -> None:
    cases = [Case(picture, (container,)) for picture in PICTURES]
    assert run(cases, tools) >= sum(not case.may_be_refused for case in cases)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("outer", CONTAINERS)
def test_containers_in_containers(outer: str, tools: Tools) -> None:
    """Both orders of every pair, each with a few of the pictures, so that each picture comes in each container at each depth."""
    pictures, column = list(PICTURES), list(CONTAINERS).index(outer)
    cases = [
        Case(pictures[(column * 5 + row * EACH + number) % len(pictures)], (inner, outer))
        for row, inner in enumerate(CONTAINERS)
        for number in range(EACH)
    ]
    assert run(cases, tools) >= sum(not case.may_be_refused for case in cases)
