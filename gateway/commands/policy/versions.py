"""``clinigate policy history`` and ``rollback``: policies that were in force, and one of them had back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final, NamedTuple

import typer

from gateway.commands.options import DEFAULT_CONFIG, ConfigOption, JsonOption, fail, settings
from gateway.commands.policy.keptstopped import Stopped, reopened, stop
from gateway.commands.policy.source import named, versions
from gateway.commands.register.registertext import EditError
from gateway.config import ConfigError, policy_files
from gateway.policyfolder import swap
from gateway.policyfolder.versions import Versions, patients_of, with_patients
from policies.load import DOMAINS, EXTRA, FILES, LISTS, Policy, PolicyError, load_policy
from policies.trial.difference import difference

_REGISTER: Final = (DOMAINS, *LISTS)


class Present(NamedTuple):
    """The policy that says what is stopped now, the text of its register, and what is wrong with the folder's policy."""

    policy: Policy
    register: str
    problems: tuple[str, ...]


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

    The gateway takes it up within seconds. Addresses of patients stay as they are now: versions are kept without them. A domain
    that is suspended or denied now stays so: it takes two signatures to come back.
    """
    folder = settings(config).policy
    named(digest, folder, config)  # ends here if there is no such version, or it is not good any more
    try:
        before = policy_files(folder)
        now = _present(before, config, digest)
        texts, stopped = _stopping(_texts(versions(config).files(digest), before), before, now)
        after = _loaded(before, texts)
        for sentence in _told(now, after, stopped):
            typer.echo(sentence)
        changed = {name: text for name, text in texts.items() if before.get(name) != text}
        if changed and not show:
            swap.replace(folder, changed, before)
    except (PolicyError, ConfigError) as error:
        fail(*error.problems, code=1)
    except EditError as error:
        fail(f"{DOMAINS}: {error}; nothing was changed", code=1)
    except swap.ChangedMeanwhile as error:
        fail(str(error), code=1)
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


def _present(folder: dict[str, str], config: Path, digest: str) -> Present:
    """What holds now: the folder's policy; where that is broken its register beside the old rules, else what is in force."""
    kept = versions(config)
    old = {name.rpartition("/")[2]: text for name, text in kept.files(digest).items()}
    today = {name.rpartition("/")[2]: text for name, text in folder.items()}
    problems: tuple[str, ...] = ()
    for files in (today, {**old, **{name: text for name, text in today.items() if name in _REGISTER}}, _in_force(kept)):
        try:
            policy = load_policy({name: text.encode() for name, text in files.items()})
        except PolicyError as error:
            problems = problems or error.problems
        else:
            return Present(policy, files[DOMAINS], problems)
    raise PolicyError(("The register of today cannot be read, so nobody can say what is stopped now; mend it first:", *problems))


def _in_force(kept: Versions) -> dict[str, str]:
    """The files of the last policy that came into force; none where they were damaged, which no policy can be made of."""
    taken = kept.taken()
    try:
        return {name.rpartition("/")[2]: text for name, text in kept.files(taken[-1].digest).items()} if taken else {}
    except LookupError:
        return {}


def _loaded(before: dict[str, str], texts: dict[str, str]) -> Policy:
    return load_policy({name: text.encode() for name, text in {**before, **texts}.items()})


def _stopping(texts: dict[str, str], before: dict[str, str], now: Present) -> tuple[dict[str, str], tuple[Stopped, ...]]:
    """The files with what is stopped today stopped in them too, and what that is."""
    today = datetime.now(UTC).date()
    names = reopened(now.policy, _loaded(before, texts), today)
    register = next(name for name in texts if name.rpartition("/")[2] == DOMAINS)
    made = texts | {register: stop(texts[register], now.register, names)}
    open_still = reopened(now.policy, _loaded(before, made), today)
    if open_still:
        raise EditError(f"{', '.join(one.name for one in open_still)} would be served again although it is stopped now")
    return made, names


def _told(now: Present, after: Policy, kept: tuple[Stopped, ...]) -> Iterator[str]:
    """What the rollback changes; the files now there may be broken, which is a reason to roll back."""
    if now.problems:
        yield from ("The policy now in the folder is broken:", *now.problems)
    else:
        yield from difference(now.policy, after)
    for one in kept:
        yield f"{one.name} stays {one.status}, as it is now: only new signatures let pictures go there again."


def _when(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).astimezone().strftime("%Y-%m-%d %H:%M")
