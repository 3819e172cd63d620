"""``clinigate policy``: for the people who edit the rules.  Checks, shows, explains, tries and compares; changes nothing."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from gateway.commands.options import DEFAULT_CONFIG, ConfigOption, JsonOption, fail
from gateway.commands.policy.replay import replay
from gateway.commands.policy.source import PolicyOption, folder_of, in_folder, named
from gateway.commands.policy.versions import history, rollback
from gateway.commands.register.signing import again
from policies.conditions import WHEN
from policies.decide import decide
from policies.domains.patterns import overlap
from policies.domains.signed import CHANGED
from policies.explain import explain as in_words
from policies.files.yamlmap import nearest
from policies.load import Policy, PolicyError
from policies.model import Rule
from policies.record import from_record
from policies.rules import Ready, holds, words
from policies.trial.difference import Shift, difference, shifts
from policies.trial.examples import Result, read_examples, run
from policies.trial.phrases import rule_lines

app = typer.Typer(no_args_is_help=True, help="For the people who edit the policy: check, show, test, compare, replay, roll back.")
EXAMPLES = "tests"  # folder of the policy folder


@app.command("check")
def check(config: ConfigOption = DEFAULT_CONFIG, policy: PolicyOption = None, as_json: JsonOption = False) -> None:
    """Is the policy right?  Every fault with file, line, key and what to write instead; nothing is put in force by this."""
    found = in_folder(folder_of(policy, config))
    today = datetime.now(UTC).date()
    due = [(entry.domain, entry.expires) for entry in found.register.domains.values() if entry.expires and entry.expires < today]
    told: dict[str, Any] = {
        "version": found.version,
        "digest": found.digest,
        "rules": len(found.rules),
        "in_force": sum(1 for rule in found.rules if holds(rule, found.profiles)),
        "domains": len(found.register.domains),
        "ended": sorted(domain for domain, _ in due),
        "changed": sorted(domain for domain, entry in found.register.domains.items() if entry.status == CHANGED),
    }
    if as_json:
        typer.echo(json.dumps(told, indent=2))
        return
    typer.echo(f"{told['version']} is right: {told['rules']} rules, {told['in_force']} of them under this profile;")
    typer.echo(f"{told['domains']} domains, {len(due)} of them past their end.")
    for domain in told["changed"]:
        typer.echo(again(domain))


@app.command("show")
def show(
    which: Annotated[list[str] | None, typer.Argument(help="Ids or numbers of rules; default: all.")] = None,
    config: ConfigOption = DEFAULT_CONFIG,
    policy: PolicyOption = None,
    recipient: Annotated[
        str | None, typer.Option("--to", help="Only rules for this recipient class: O, A to F, archive.")
    ] = None,
    kind: Annotated[
        str | None, typer.Option(help="Only rules for this kind of picture: K0 to K9, photo (K2 to K7), image (K1 to K9).")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Rules of other profiles too.")] = False,
    as_json: JsonOption = False,
) -> None:
    """The rules in plain words, in their order: the first that fits decides."""
    to, kinds = _wanted("--to", "recipient", recipient), _wanted("--kind", "kind", kind)
    found = in_folder(folder_of(policy, config))
    rules = _chosen(found, which or [])
    shown = [
        (at, rule)
        for at, rule in rules
        if (which or everything or holds(rule, found.profiles)) and _fits(rule, "recipient", to) and _fits(rule, "kind", kinds)
    ]
    if as_json:
        rows = [
            {"number": at, "id": rule.id, "then": rule.then.name, "when": dict(rule.when), "source": rule.source}
            for at, rule in shown
        ]
        typer.echo(json.dumps(rows, indent=2, default=str))
        return
    if not which:
        typer.echo(f"Policy {found.version}; profiles {', '.join(sorted(found.profiles))}.")
        for name, mode in found.modes.items():
            typer.echo(f"Mode of {'everybody else' if name == 'default' else name.replace(':', ' ')}: {mode.value}")
        typer.echo("")
    for at, rule in shown:
        typer.echo("\n".join(rule_lines(at, rule)))
        if not holds(rule, found.profiles):
            typer.echo("   not in force: its profile is not chosen")
    if not which:
        typer.echo("Whatever no rule fits waits for a reviewer.")


@app.command("explain")
def explain(
    what: Annotated[str, typer.Argument(help="Id or number of a rule; or a file: facts (.json), or examples (.yaml).")],
    config: ConfigOption = DEFAULT_CONFIG,
    policy: PolicyOption = None,
) -> None:
    """Explain a rule, or what the policy decides of facts (as `clinigate explain --json` prints them) or of examples, and why."""
    found = in_folder(folder_of(policy, config))
    path = Path(what)
    if path.suffix == ".json" and path.is_file():
        for record in _records(path):
            facts = _facts(path, record)
            typer.echo(in_words(found, facts, decide(found, facts)) + "\n")
    elif path.suffix in (".yaml", ".yml") and path.is_file():
        for result in _run(found, path, path.name):
            typer.echo(f"{result.case.name} (to {result.case.recipient})")
            typer.echo(in_words(found, result.case.facts, result.decision) + "\n")
    elif path.suffix in (".json", ".yaml", ".yml"):
        fail(f"{path}: there is no such file", code=1)
    else:
        _explain_rule(found, what)


def _explain_rule(policy: Policy, what: str) -> None:
    ((at, rule),) = _chosen(policy, [what])
    typer.echo("\n".join(rule_lines(at, rule)))
    if not holds(rule, policy.profiles):
        typer.echo("   not in force: its profile is not chosen")
        return
    earlier = [other.id for _, other in _chosen(policy, [])[: at - 1] if other.then > rule.then and _meet(policy, rule, other)]
    if earlier:
        typer.echo(f"   stricter rules that are tried before it: {', '.join(earlier)}")


def _meet(policy: Policy, one: Rule, other: Rule) -> bool:
    """Is there a recipient class and kind for which both could fit the same mail?"""
    for cell in policy.compiled.values():
        found = {ready.rule.id: ready for ready in cell}
        if one.id in found and other.id in found and _overlap(found[one.id], found[other.id]):
            return True
    return False


def _overlap(one: Ready, other: Ready) -> bool:
    first, second = dict(one.tests), dict(other.tests)
    if not all(first[key] & second[key] for key in first.keys() & second.keys()):
        return False
    return one.domains is None or other.domains is None or overlap(one.domains, other.domains)


@app.command("test")
def test(
    files: Annotated[
        list[Path] | None, typer.Argument(help="Files of examples; default: tests/*.yaml of the policy folder.")
    ] = None,
    config: ConfigOption = DEFAULT_CONFIG,
    policy: PolicyOption = None,
    on: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The day of examples that name none.")] = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Explain each failed example.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Run your own examples, mails in words with the outcome you expect; ends with 1 if one turns out otherwise."""
    folder = folder_of(policy, config)
    found = in_folder(folder)
    paths = files or sorted((folder / EXAMPLES).glob("*.yaml"))
    if not paths:
        fail(f"{folder / EXAMPLES}: no examples there; copy those that are shipped, see docs/policy.md", code=1)
    results = [one for path in paths for one in _run(found, path, str(path), on)]
    failed = [one for one in results if one.faults]
    if as_json:
        typer.echo(json.dumps([_row(one) for one in results], indent=2))
    else:
        for one in failed:
            for fault in one.faults:
                typer.echo(f"{one.case.file}:{one.case.line}: {one.case.name} (to {one.case.recipient}): {fault}")
            if verbose:
                typer.echo(in_words(found, one.case.facts, one.decision) + "\n")
        typer.echo(f"{len(results)} outcomes, {len(results) - len(failed)} as expected, {len(failed)} not")
    raise typer.Exit(1 if failed else 0)


@app.command("diff")
def diff(
    old: Annotated[str, typer.Argument(help="Folder, file or digest of the policy as it was.")],
    new: Annotated[str | None, typer.Argument(help="The same of the new one; default: the policy folder.")] = None,
    config: ConfigOption = DEFAULT_CONFIG,
    policy: PolicyOption = None,
    as_json: JsonOption = False,
) -> None:
    """What changes from one policy to another: in sentences, and which typical mails end otherwise."""
    before = named(old, policy, config)
    after = named(new, policy, config) if new is not None else in_folder(folder_of(policy, config))
    told, moved = difference(before, after), shifts(before, after, datetime.now(UTC))
    if as_json:
        rows = [_shift(one) for one in moved]
        typer.echo(json.dumps({"changes": told, "typical": rows}, indent=2))
        return
    for sentence in told or ("Both say the same.",):
        typer.echo(sentence)
    none = "No typical mail ends otherwise; `clinigate policy replay` tries what was really sent."
    typer.echo("\nOf typical mails:" if moved else f"\n{none}")
    for shift in moved:
        typer.echo(f"- {shift.words}")
        for example in shift.examples:
            typer.echo(f"    {example}")


def _shift(one: Shift) -> dict[str, Any]:
    return {
        "before": one.before.action.name, "rule_before": one.before.rule, "after": one.after.action.name,
        "rule_after": one.after.rule, "count": one.count, "examples": one.examples,
    }  # fmt: skip


def _row(one: Result) -> dict[str, Any]:
    return {
        "file": one.case.file, "line": one.case.line, "name": one.case.name, "recipient": one.case.recipient,
        "action": one.decision.action.name, "rule": one.decision.rule, "faults": one.faults,
    }  # fmt: skip


def _run(policy: Policy, path: Path, name: str, on: datetime | None = None) -> tuple[Result, ...]:
    try:
        return run(policy, read_examples(policy, name, path.read_bytes(), (on or datetime.now(UTC)).date()))
    except PolicyError as error:
        fail(*error.problems)
    except OSError as error:
        fail(f"{path}: {error.strerror}", code=1)


def _chosen(policy: Policy, which: list[str]) -> list[tuple[int, Rule]]:
    """(number from 1, rule) of those named by id or number; of all where none is named."""
    numbered = list(enumerate(policy.rules, 1))
    if not which:
        return numbered
    found = []
    for word in which:
        one = next((pair for pair in numbered if word in (str(pair[0]), pair[1].id, pair[1].id.lower())), None)
        if one is None:
            fail(f'no rule is called "{word}"{nearest(word, [rule.id for rule in policy.rules])}')
        found.append(one)
    return found


def _wanted(option: str, key: str, word: str | None) -> tuple[str, ...]:
    """What an option asks for, in the words of rules; () where it is left out.  An end that says what may be written."""
    if word is None:
        return ()
    known = {one.lower(): one for one in WHEN[key][0]}
    if word.lower() not in known:
        fail(f'{option}: "{word}" is not allowed here; write one of {", ".join(known.values())}{nearest(word, known.values())}')
    return words(known[word.lower()])


def _fits(rule: Rule, key: str, wanted: tuple[str, ...]) -> bool:
    return not wanted or key not in rule.when or not set(wanted).isdisjoint(words(rule.when[key]))


def _records(path: Path) -> list[Any]:
    """Records of facts: one, a list of them, or what ``clinigate explain --json`` prints."""
    try:
        told = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        fail(f"{path}: not JSON ({type(error).__name__})", code=1)
    rows = told if isinstance(told, list) else [told]
    return [row.get("facts", row) if isinstance(row, dict) else row for row in rows]


def _facts(path: Path, record: Any) -> Any:
    try:
        return from_record(record)
    except (KeyError, ValueError, TypeError) as error:
        fail(f"{path}: no record of facts ({type(error).__name__}: {error})", code=1)


app.command("replay")(replay)
app.command("history")(history)
app.command("rollback")(rollback)
