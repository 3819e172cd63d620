"""``clinigate policy history`` and ``rollback``: policies that were in force, and one of them had back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import typer

from gateway import policyswap
from gateway.commands.options import DEFAULT_CONFIG, ConfigOption, JsonOption, fail, settings
from gateway.commands.policysource import named, versions
from gateway.config import ConfigError, policy_files
from gateway.policyversions import patients_of, with_patients
from policies.load import DOMAINS, EXTRA, FILES, Policy, PolicyError, load_policy
from policies.register import stands
from policies.trial.difference import difference


def history(config: ConfigOption = DEFAULT_CONFIG, as_json: JsonOption = False) -> None:
    """Every policy that came into force here, newest first, and whether the one in the folder is broken."""
    kept = versions(config)
    try:
        taken, broken = kept.taken(), kept.broken()
    except OSError as error:
        fail(f"{kept.folder}: {error.strerror}; run this as a user who may read the gateway's state", code=1)
    if as_json:
        rows = {"taken": [asdict(one) for one in reversed(taken)], "broken": asdict(broken) if broken else None}
        typer.echo(json.dumps(rows, indent=2))
        return
    if broken is not None:
        typer.echo(f"The policy in the folder is broken since {_when(broken.at)}; {broken.in_force[:12]} is still in force:")
        for problem in broken.problems:
            typer.echo(f"  {problem}")
    for one in reversed(taken):
        typer.echo(f"{_when(one.at)}  {one.digest[:12]}  {one.name}{'  (gateway started)' if one.why == 'start' else ''}")
    if not taken:
        typer.echo("No policy has been in force yet: the gateway has not run here.")


def rollback(
    digest: Annotated[str, typer.Argument(help="Start of the digest of the version to have back; see `history`.")],
    config: ConfigOption = DEFAULT_CONFIG,
    show: Annotated[bool, typer.Option("--show", help="Only say what would change.")] = False,
) -> None:
    """Put a version that was in force back into the policy folder, all of its files at once, after checking it.

    The gateway takes it up within seconds. Addresses of patients stay as they are now: versions are kept without them.
    """
    folder = settings(config).policy
    named(digest, folder, config)  # ends here if there is no such version, or it is not good any more
    try:
        before = policy_files(folder)
        texts = _texts(versions(config).files(digest), before)
        after = load_policy({name: text.encode() for name, text in {**before, **texts}.items()})
        for sentence in _told(before, after):
            typer.echo(sentence)
        changed = {name: text for name, text in texts.items() if before.get(name) != text}
        if changed and not show:
            policyswap.replace(folder, changed)
    except (PolicyError, ConfigError) as error:
        fail(*error.problems, code=1)
    except OSError as error:
        fail(f"{error.filename or folder}: {error.strerror}; nothing was changed", code=1)
    if not changed:
        typer.echo("The folder holds this version already.")
        return
    done = "would be replaced" if show else "replaced; the gateway takes it up within seconds"
    typer.echo(f"{', '.join(sorted(changed))} {done}. Version {after.digest[:12]}.")


def _texts(version: dict[str, str], before: dict[str, str]) -> dict[str, str]:
    """The files of a version under their names in the folder, with today's addresses of patients."""
    places = {name.rpartition("/")[2]: name for name in before}
    ours = (*FILES, *EXTRA)
    texts = {places.get(base, base): text for name, text in version.items() if (base := name.rpartition("/")[2]) in ours}
    register = places.get(DOMAINS, DOMAINS)
    block = patients_of(before.get(register, ""))
    return texts | {register: with_patients(texts[register], block)}


def _told(before: dict[str, str], after: Policy) -> tuple[str, ...]:
    """What the rollback changes; the files now there may be broken, which is a reason to roll back."""
    try:
        now = load_policy({name: text.encode() for name, text in before.items()})
    except PolicyError as error:
        return ("The policy now in the folder is broken:", *error.problems)
    return (*difference(now, after), *_opened(now, after))


def _opened(now: Policy, after: Policy) -> Iterator[str]:
    """Domains that were stopped and that the old register would serve again, although nobody signs."""
    today = datetime.now(UTC).date()
    old = {**after.register.domains, **after.register.addresses}
    served = {name for name, entry in old.items() if stands(entry, today, after.register.grace) in {"approved", "grace"}}
    for name, entry in (*now.register.domains.items(), *now.register.addresses.items()):
        if name in served and (stopped := stands(entry, today, now.register.grace)) in {"suspended", "denied"}:
            yield f"Careful: {name} is {stopped} now. With that version pictures go there again, without new signatures."


def _when(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).astimezone().strftime("%Y-%m-%d %H:%M")
