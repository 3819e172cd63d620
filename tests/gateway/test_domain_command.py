"""``clinigate domain``: from proposal to approval by two people, with the file's comments and order kept."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from gateway.cli import app
from gateway.commands.register import domain
from gateway.demo.setup import Ports, prepare
from policies.load import load_policy
from policies.model import RecipientClass
from policies.register import Register

pytestmark = [pytest.mark.unit, pytest.mark.slow]

TODAY = datetime.now(UTC).date()
NEXT_YEAR = TODAY + timedelta(days=365)
FULL = (
    "--organisation", "New Clinic", "--purpose", "TREAT", "--purpose", "COC", "--method", "smime", "--owner", "ig@clinic.example",
    "--expires", str(NEXT_YEAR),
)  # fmt: skip
LAST = "purposes: [TREAT, COC]\n    methods: [smime]\n    agreement"  # of an entry that `propose` wrote
REGISTER = """\
# our partners
domains:
  # the big one
  - domain: royal-example.example   # since 2019
    status: approved
    class: clinical
    purposes: [ TREAT,  COC ]
    methods: [smime]
    expires: {expires}
    approved_by: [alice.ig, bob.caldicott]

  # -- below: small ones --
  - {{domain: small.example, status: proposed, class: clinical, notes: 'it''s small'}}
# who never
denied:
  - evil.example   # a scam
"""


class World:
    """A folder with a policy, and the command line as one person or another."""

    def __init__(self, config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.config = config
        self.path = config.parent / "policies" / "domains.yaml"
        self.path.write_text(REGISTER.format(expires=NEXT_YEAR))
        self._monkeypatch = monkeypatch

    def run(self, *words: str, by: str = "alice", text: str = "") -> Result:
        self._monkeypatch.setattr(domain, "user", lambda: by)
        return CliRunner().invoke(app, [*words, "--config", str(self.config)], input=text)

    def do(self, *words: str, by: str = "alice", text: str = "") -> str:
        done = self.run("domain", *words, by=by, text=text)
        assert done.exit_code == 0, done.output
        return str(done.output)

    def fails(self, *words: str, by: str = "alice", text: str = "") -> str:
        before = self.path.read_text()
        done = self.run("domain", *words, by=by, text=text)
        assert done.exit_code in (1, 2), done.output
        assert self.path.read_text() == before, "refused, so nothing may have changed"
        return str(done.output)

    @property
    def register(self) -> Register:
        folder = self.path.parent
        return load_policy({path.name: path.read_bytes() for path in folder.glob("*.*")}).register

    def standing(self, address: str) -> str:
        return self.register.match(address, today=TODAY).standing


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prepare(tmp_path_factory.mktemp("clinic"), Ports(1, 2, 3))


@pytest.fixture
def world(config: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    freemail = config.parent / "policies" / "freemail.txt"
    text = freemail.read_text()
    yield World(config, monkeypatch)
    freemail.write_text(text)


def test_from_proposal_to_approval_by_two_people(world: World) -> None:
    """One signature is not enough, the same person's second is refused, another's approves."""
    said = world.do("propose", "New-Clinic.example", *FULL)
    assert "new-clinic.example is proposed" in said and "clinigate domain approve new-clinic.example" in said
    assert "smime needs a certificate of each recipient" in said
    assert world.standing("x@new-clinic.example") == "proposed"
    assert "One more, different person" in world.do("approve", "new-clinic.example", by="alice")
    assert world.standing("x@new-clinic.example") == "proposed"
    assert "signed by Alice already" in world.fails("approve", "new-clinic.example", by="Alice")
    assert "is approved." in world.do("approve", "new-clinic.example", by="bob")
    found = world.register.match("x@new-clinic.example", today=TODAY)
    assert (found.cls, found.standing) == (RecipientClass.APPROVED_CLINICAL, "approved")
    assert "is approved already" in world.fails("approve", "new-clinic.example", by="carol")
    text = world.path.read_text()
    assert "approved_by: [alice, bob]" in text and f"approved_on: {TODAY}" in text and "proposed_by: alice" in text


def test_an_approved_entry_that_is_changed_by_hand_needs_two_new_signatures(world: World) -> None:
    """What nobody but its editor has seen opens no way; every place that speaks of it says what to do."""
    world.do("propose", "new-clinic.example", *FULL)
    for one in ("alice", "bob"):
        world.do("approve", "new-clinic.example", by=one)
    said = world.do("show", "new-clinic.example")
    assert "signed by:            alice, bob" in said and "changed since:        no" in said
    text = world.path.read_text()
    world.path.write_text(text.replace(LAST, f"children_allowed: yes\n    {LAST}"))
    assert world.path.read_text() != text
    found = world.register.match("x@new-clinic.example", today=TODAY)
    assert (found.cls, found.standing) == (RecipientClass.UNKNOWN, "changed")
    command = "until two people run `clinigate domain approve new-clinic.example`"
    said = world.do("show", "new-clinic.example")
    assert "stands:               changed" in said and "changed since:        yes" in said and command in said
    assert command in world.run("policy", "check").output
    assert "was changed after it was signed" in world.do("expiring")
    assert "One more, different person" in world.do("approve", "new-clinic.example", by="alice")
    assert world.standing("x@new-clinic.example") == "proposed"
    assert "is approved." in world.do("approve", "new-clinic.example", by="carol")
    found = world.register.match("x@new-clinic.example", today=TODAY)
    assert found.standing == "approved" and found.entry is not None and found.entry.children_allowed
    assert "approved_by: [alice, carol]" in world.path.read_text()


def test_subdomains_are_opened_by_two_people_also_where_one_approves(world: World) -> None:
    """Register 5.3: a reason and a second approver; a countersignature on the next day is too late for that."""
    world.path.write_text(f"approvals: countersigned\n{world.path.read_text()}")
    world.do("propose", "new-clinic.example", *FULL)
    more = f"include_subdomains: true\n    subdomains_reason: one trust\n    {LAST}"
    world.path.write_text(world.path.read_text().replace(LAST, more))
    assert "One more, different person" in world.do("approve", "new-clinic.example", by="alice")
    assert world.standing("x@there.new-clinic.example") == "proposed"
    assert "is approved." in world.do("approve", "new-clinic.example", by="bob")
    assert world.standing("x@there.new-clinic.example") == "approved"


def test_what_says_nothing_of_the_terms_may_be_changed(world: World) -> None:
    """Notes, another order and layout leave the signatures as they are; so do approvers that were written by hand."""
    world.do("propose", "new-clinic.example", *FULL)
    for one in ("alice", "bob"):
        world.do("approve", "new-clinic.example", by=one)
    text = world.path.read_text()
    other = "notes: rang them\n    methods: [ smime ]\n    purposes: [TREAT, COC]\n    agreement"
    world.path.write_text(text.replace(LAST, other))
    assert world.path.read_text() != text
    assert world.standing("x@new-clinic.example") == "approved"
    world.path.write_text(world.path.read_text().replace("[ TREAT,  COC ]", "[TREAT]"))
    assert world.standing("x@royal-example.example") == "approved"


def test_comments_order_and_every_other_byte_stay(world: World) -> None:
    """Only the entry that changes is written anew."""
    world.do("suspend", "small.example", "--reason", "moved")
    text = world.path.read_text()
    before = REGISTER.format(expires=NEXT_YEAR)
    assert text.partition("  - {domain: small")[0] == before.partition("  - {domain: small")[0]
    assert text.endswith("# who never\ndenied:\n  - evil.example   # a scam\n")
    world.do("suspend", "royal-example.example", "--reason", "under review")
    lines = world.path.read_text().splitlines()
    for line in (
        "# our partners",
        "  # the big one",
        "  - domain: royal-example.example   # since 2019",
        "  # -- below: small ones --",
    ):
        assert line in lines
    at = lines.index("  # -- below: small ones --")
    assert lines[at - 1] == "" and lines[at - 2].startswith("    reason: under review (alice, "), "new keys stand in the entry"


def test_suspended_is_stopped_at_once_and_comes_back_by_two_new_signatures(world: World) -> None:
    """The old signatures are told, and void."""
    world.do("suspend", "royal-example.example", "--reason", "breach")
    assert world.standing("x@royal-example.example") == "suspended"
    assert "was approved by alice.ig, bob.caldicott" in world.path.read_text()
    world.do("approve", "royal-example.example", by="alice")
    assert world.standing("x@royal-example.example") == "suspended"
    world.do("approve", "royal-example.example", by="bob")
    assert world.standing("x@royal-example.example") == "approved"


def test_what_is_changed_between_two_signatures_is_not_signed(world: World) -> None:
    """Else the second could approve what the first never saw."""
    world.do("propose", "new-clinic.example", *FULL)
    world.do("approve", "new-clinic.example", by="alice")
    world.path.write_text(world.path.read_text().replace("[TREAT, COC]", "[TREAT, COC, TRAIN]"))
    assert "One more, different person" in world.do("approve", "new-clinic.example", by="bob")
    assert "approved_by: [bob]" in world.path.read_text()
    assert world.standing("x@new-clinic.example") == "proposed"


def test_nobody_signs_what_could_not_be_approved(world: World) -> None:
    """What is missing is said before the first signature."""
    said = world.fails("approve", "small.example")
    assert "needs at least one purpose" in said and "at least one protection method" in said and "an approval ends" in said
    assert "Nothing was changed." in said


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("gmail.com", "freemail"), ("mail.gmail.com", "freemail"), ("nhs.uk", "public ending"), ("co.uk", "public ending"),
        ("clinic.example", "one of your own domains"), ("small.example", "in the register already"), ("a b", "neither a domain"),
        ("github.io", "public ending"), ("anything.ck", "public ending"),
    ],
)  # fmt: skip
def test_what_can_never_be_approved_is_not_even_proposed(world: World, name: str, why: str) -> None:
    """Freemail, public endings, own domains."""
    assert why in world.fails("propose", name)


def test_a_name_like_an_approved_one_is_pointed_out(world: World) -> None:
    """The moment at which a typing slip would become official."""
    assert "looks very like royal-example.example" in world.do("propose", "royal-exampel.example")


def test_a_broken_file_is_told_and_not_touched(world: World) -> None:
    """With its line; nobody's half-finished edit is lost."""
    world.path.write_text(world.path.read_text().replace("class: clinical\n", "class: clinic\n"))
    assert "domains.yaml:6: domains[0].class" in world.fails("approve", "small.example")


def test_show_and_what_is_not_there(world: World) -> None:
    """One line each, everything of one, and a hint for a name that is none of them."""
    assert "royal-example.example  approved" in world.do("show")
    assert "expires:" in world.do("show", "royal-example.example")
    assert json.loads(world.do("show", "--json"))[0]["stands"] == "approved"
    assert "looks like royal-example.example" in world.fails("show", "r0yal-example.example")
    told = " ".join(world.fails("approve", "unheard.example").split())
    assert "`clinigate domain propose unheard.example` puts it there" in told


def test_what_profile_au_asks_for_can_be_proposed_and_seen(world: World, tmp_path: Path) -> None:
    """S4-15: where data are kept and when their privacy policy was read, without an editor, also of a whole list."""
    policy = world.path.parent / "policy.yaml"
    before = policy.read_text()
    told = ("--data-location", "AU", "--privacy-policy-reviewed", str(TODAY))
    csv = tmp_path / "list.csv"
    csv.write_text("domain\nperth.example\n")
    try:
        world.do("suspend", "royal-example.example", "--reason", "says nothing of where")
        policy.write_text(before.replace("profile: uk-strict", "profile: au"))
        world.do("propose", "sydney.example", *FULL, *told)
        terms = ("--purpose", "TREAT", "--method", "smime", "--expires", str(NEXT_YEAR))
        world.do("import", str(csv), "--batch", "b", *terms, *told)
        for who in ("alice", "bob"):
            world.do("approve", "sydney.example", by=who)
            world.do("approve", "--batch", "b", "--yes", by=who)
        assert {world.standing(f"x@{one}.example") for one in ("sydney", "perth")} == {"approved"}
    finally:
        policy.write_text(before)
    shown = world.do("show", "sydney.example")
    assert "data kept in:         AU" in shown and f"privacy policy read:  {TODAY}" in shown
    assert "says nothing of where (alice" in world.do("show", "royal-example.example")


def test_expiring_names_day_and_owner(world: World) -> None:
    """As the daily notice would."""
    assert world.do("expiring") == "Nothing is due.\n"
    soon = str(NEXT_YEAR - timedelta(days=20))
    assert "ends on" in world.do("expiring", "--on", soon)
    assert json.loads(world.do("expiring", "--json", "--on", soon))[0]["key"].endswith("/30")


def test_an_import_is_proposed_and_approved_as_a_batch_by_two(world: World, tmp_path: Path) -> None:
    """Never approved by the import; freemail and public endings left out by name."""
    csv = tmp_path / "list.csv"
    csv.write_text(
        "Organisation Name,ODS Code,Email domain,Valid until\n"
        "Trust One,RA1,one.example,2027-06-30\n"
        '"Trust Two, the second",RA2,two.example; two-also.example,30/06/2027\n'
        "Freemail,X,gmail.com,\nEnding,Y,nhs.uk,\nThere,Z,royal-example.example,\nBlank,V,bad .example,\n"
    )
    terms = ("--purpose", "TREAT", "--method", "smime", "--owner", "ig@clinic.example", "--expires", str(NEXT_YEAR))
    said = world.do("import", str(csv), "--batch", "list-1", "--scheme", "DCB1596", *terms)
    assert "line 4: gmail.com is a freemail domain" in said and "line 5: nhs.uk is a public ending" in said
    assert 'line 7: "bad" is not a whole domain' in said and 'line 7: ".example" is not a domain' in said
    assert "3 proposed, 1 in the register already, 4 not taken" in said
    assert {world.standing(f"x@{name}.example") for name in ("one", "two", "two-also")} == {"proposed"}
    assert "+ two-also.example" in world.do("approve", "--batch", "list-1", by="alice", text="y\n")
    assert world.run("domain", "approve", "--batch", "list-1", by="bob", text="n\n").exit_code == 1
    assert world.standing("x@one.example") == "proposed"
    second = world.do("approve", "--batch", "list-1", "--yes", by="bob")
    assert second.count(" with ") == 1 and "3 with " in second  # symptom: a group for each domain
    assert {world.standing(f"x@{name}.example") for name in ("one", "two", "two-also")} == {"approved"}
    assert dict(world.register.domains["one.example"].assured)["DCB1596"].isoformat() == "2027-06-30"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"", "the file is empty"), (b"a,b\n1,2\n", "no column is called"), (b"domain\n\n", "no row names a domain"),
        (b"domain\ncaf\xe9.example\n", "save it as UTF-8"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_list_is_refused(world: World, tmp_path: Path, text: bytes, why: str) -> None:
    """With a reason instead of a traceback."""
    csv = tmp_path / "list.csv"
    csv.write_bytes(text)
    assert why in " ".join(world.fails("import", str(csv), "--batch", "x").split())


def test_no_list_denies_what_is_approved_behind_anybodys_back(world: World, tmp_path: Path) -> None:
    """Symptom: `domain show` said approved, and every email there was refused: the list of denied names came first."""
    told = tmp_path / "denied.txt"
    told.write_text("royal-example.example\n")
    before = (world.path.parent / "denied.txt").read_text()
    done = world.run("lists", "update", "denied", str(told), "--source", "a test", "--fewer")
    assert done.exit_code == 1 and "royal-example.example is a denied destination" in " ".join(done.output.split())
    assert (world.path.parent / "denied.txt").read_text() == before


def test_lists_are_renewed_and_keep_what_was_written_by_hand(world: World, tmp_path: Path) -> None:
    """And a domain that is approved is not turned into freemail behind anybody's back."""
    told = tmp_path / "free.json"
    told.write_text('["new-mail.example", "ward.nhs.uk", "co.uk"]')
    freemail = world.path.parent / "freemail.txt"
    words = ("lists", "update", "freemail", str(told), "--source", "a test")
    assert world.run(*words, "--show").exit_code == 0
    assert "new-mail.example" not in freemail.read_text()
    short = world.run(*words)  # symptom: a file cut short in its download took 4,441 names away, and the next reload lost them
    assert short.exit_code == 1 and "names would go: is the file whole?" in short.output
    words = (*words, "--fewer")
    done = world.run(*words)
    assert done.exit_code == 0, done.output
    assert "1 new" in done.output
    text = freemail.read_text()
    assert "# Consumer mail" in text and "\ngmail.com\n" in text and "new-mail.example" in text and "# source: a test" in text
    assert "ward.nhs.uk" not in text
    told.write_text("royal-example.example\n")
    refused = world.run(*words)
    assert refused.exit_code == 1 and "royal-example.example is a freemail domain" in refused.output
    assert freemail.read_text() == text
    told.write_bytes("caf\xe9.example\n".encode("latin-1"))
    assert "not UTF-8 text; save it as UTF-8" in " ".join(world.run(*words).output.split())
    told.write_text("<html>not a list</html>\n")
    assert world.run(*words).exit_code == 1
