"""``clinigate domain``: the register of domains from proposal to expiry, with comments and order of the file kept."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from gateway.commands.options import DEFAULT_CONFIG, ConfigOption, JsonOption, fail, user
from gateway.commands.register import domainshow
from gateway.commands.register.folder import current, day, edit, opened, utf8
from gateway.commands.register.registertext import EditError, RegisterText
from gateway.commands.register.signing import NotSigned, again, sign, suspend
from policies.domains.expiry import due_warnings
from policies.domains.importing import CsvError, Row, read_csv, sift
from policies.domains.signed import CHANGED
from policies.load import DOMAINS, Policy
from policies.register import a_label, plain_local, public_suffix, split_address

app = typer.Typer(no_args_is_help=True, help="Propose, approve, suspend and show domains that may get pictures.")
Domain = Annotated[str, typer.Argument(help="The domain, or one address.")]
Domains = Annotated[list[str] | None, typer.Argument(help="Domains, or single addresses.")]
Class = Annotated[str, typer.Option("--class", help="What kind of organisation: clinical, social-care, research, legal ...")]
Organisation = Annotated[str, typer.Option(help="Name of the organisation.")]
Purposes = Annotated[list[str] | None, typer.Option("--purpose", help="A use it shall be approved for, like TREAT.")]
Methods = Annotated[list[str] | None, typer.Option("--method", help="A protection method, the preferred one first.")]
Route = Annotated[str, typer.Option(help="Next-hop route of the method route.")]
Owner = Annotated[str, typer.Option(help="Address of who answers for it on your side; gets the warnings.")]
Expires = Annotated[str, typer.Option(help="Last day of the approval, like 2028-02-28.")]
Agreement = Annotated[str, typer.Option(help="Kind of agreement: implied-care, dsa, contract ...")]
Signed = Annotated[str, typer.Option(help="Day on which the agreement was signed.")]
Located = Annotated[str, typer.Option("--data-location", help="Country where they keep pictures, like AU; profile au needs it.")]
PolicyRead = Annotated[
    str, typer.Option("--privacy-policy-reviewed", help="Day on which you read their privacy policy; profile au needs it.")
]


@app.command("propose")
def propose(
    domain: Domain,
    config: ConfigOption = DEFAULT_CONFIG,
    class_: Class = "clinical",
    organisation: Organisation = "",
    purpose: Purposes = None,
    method: Methods = None,
    route: Route = "",
    owner: Owner = "",
    expires: Expires = "",
    agreement: Agreement = "implied-care",
    signed: Signed = "",
    data_location: Located = "",
    privacy_policy_reviewed: PolicyRead = "",
    notes: Annotated[str, typer.Option(help="Free text for colleagues.")] = "",
) -> None:
    """Add a domain as proposed. Nothing is sent there as approved before two people have approved it.

    Freemail domains, public endings and your own domains are refused. A name that looks like one you approved already is said.
    """
    folder, name = opened(config), _name(domain)
    entry: dict[str, Any] = {"address" if "@" in name else "domain": name, "status": "proposed", "class": class_}
    entry |= _told({"organisation": organisation, "purposes": purpose, "methods": method, "route": route})
    basis = _told({
        "owner": owner, "signed": day(signed), "expires": day(expires), "privacy_policy_reviewed": day(privacy_policy_reviewed),
    })  # fmt: skip
    entry |= {"agreement": {"type": agreement, **basis}} if basis else {}
    entry |= _located(data_location)
    entry |= {"proposed_by": user(), "proposed_on": _today()} | _told({"notes": notes})

    def work(text: RegisterText) -> list[str]:
        if text.entry(name) is not None:
            raise EditError(f"{name} is in the register already; see `clinigate domain show {name}`")
        text.add([entry])
        similar = folder.policy().register.match(f"x@{name.rpartition('@')[2]}", today=_today()).lookalike_of
        warned = [f"Careful: it looks very like {similar}, which is approved. Is it spelt right?"] if similar else []
        if "smime" in (method or ()):
            warned.append("smime needs a certificate of each recipient in `smime: certificates:`; mail without one is held.")
        return [f"{name} is proposed.", *warned, f"Next: two people run `clinigate domain approve {name}`."]

    edit(folder, DOMAINS, RegisterText, work, NotSigned)


@app.command("approve")
def approve(
    domains: Domains = None,
    config: ConfigOption = DEFAULT_CONFIG,
    batch: Annotated[str, typer.Option(help="Approve every proposal of one import instead of single domains.")] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Sign a batch without being asked.")] = False,
) -> None:
    """Sign proposals. Each needs two different people: run it once each, under your own login.

    What you sign is recorded with your login name and the day. If an entry is changed between the two signatures the first one is
    void; if it is changed afterwards both are, until two people sign it anew. A batch is shown as one list, then signed as a
    whole; what was changed since by hand is not in it unnoticed.
    """
    folder = opened(config)
    if bool(domains) == bool(batch):
        fail("name the domains to approve, or a --batch")
    names = [_name(one) for one in domains or ()]

    def work(text: RegisterText) -> list[str]:
        chosen = names
        if batch:
            waiting = [entry for entry in text.in_batch(batch) if entry.get("status") == "proposed"]
            if not waiting:
                raise EditError(f"nothing of batch {batch} waits for approval")
            typer.echo("\n".join(domainshow.batch_lines(waiting)))
            if not yes:
                typer.confirm(f"Sign these {len(waiting)} as {user()}?", abort=True)
            chosen = [domainshow.entry_name(entry) for entry in waiting]
        needed = folder.policy().register.signatures
        told = [_sign(text, name, needed) for name in chosen]
        trial = RegisterText(text.text)  # nobody signs what could not be approved
        for name in chosen:
            trial.change(name, _as_if_approved)
        folder.policy(**{DOMAINS: trial.text})
        return told

    edit(folder, DOMAINS, RegisterText, work, NotSigned)


@app.command("suspend")
def suspend_(
    domain: Domain,
    reason: Annotated[str, typer.Option(help="Why; shown to colleagues.")],
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Stop a domain at once, without grace. One person may do this; approving it again takes two."""
    name = _name(domain)

    def work(text: RegisterText) -> list[str]:
        text.change(name, lambda entry: suspend(entry, reason, user(), _today()))
        return [f"{name} is suspended. Mail with pictures for it is held from the next reload on."]

    edit(opened(config), DOMAINS, RegisterText, work, NotSigned)


@app.command("show")
def show(
    domain: Annotated[str, typer.Argument(help="A domain or address; left out: all of them.")] = "",
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """How a domain stands today and what was agreed, or a list of all."""
    folder = opened(config)
    policy = current(folder)
    rows = domainshow.rows(policy.register, _today(), a_label(domain) or domain.lower() if domain else "")
    if domain and not rows:
        found = policy.register.match(domain if "@" in domain else f"x@{domain}", today=_today())
        like = f" It looks like {found.lookalike_of}, which is approved." if found.lookalike_of else ""
        fail(f"{domain} is not in the register (class {found.cls.value}).{like}", code=1)
    text = RegisterText(folder.files[DOMAINS])
    rows = [row | domainshow.signatures(text.entry(row["name"]) or {}) for row in rows]
    if as_json:
        typer.echo(json.dumps(rows, indent=2, default=str))
        return
    typer.echo("\n".join(domainshow.lines(rows, whole=bool(domain))))
    for row in rows:
        if row["stands"] == CHANGED:
            typer.echo(again(row["name"]))


@app.command("expiring")
def expiring(
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
    on: Annotated[str, typer.Option(help="As seen on another day, like 2027-01-31.")] = "",
) -> None:
    """What is due: approvals that end within 60, 30 and 7 days or have ended, reviews, assurance, missing second signatures."""
    due = due_warnings(current(opened(config)).register, day(on) or _today())
    if as_json:
        typer.echo(json.dumps([domainshow.due_row(one) for one in due], indent=2, default=str))
        return
    for one in due:
        typer.echo(f"{one.sentence}  Owner: {one.owner or 'nobody is named; IG'}")
    if not due:
        typer.echo("Nothing is due.")


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="CSV with headings; one is the domain.", exists=True, dir_okay=False)],
    batch: Annotated[str, typer.Option(help="A name for this import, used to approve it.")],
    config: ConfigOption = DEFAULT_CONFIG,
    class_: Class = "clinical",
    purpose: Purposes = None,
    method: Methods = None,
    route: Route = "",
    owner: Owner = "",
    expires: Expires = "",
    scheme: Annotated[str, typer.Option(help="What the list attests, for instance DCB1596.")] = "",
    data_location: Located = "",
    privacy_policy_reviewed: PolicyRead = "",
) -> None:
    """Add the domains of an accredited list as proposed, never as approved; those in the register already stay as they are.

    Columns are known by their headings: domain, organisation, ODS code, valid until. Freemail and public endings are named and
    left out. Then two people run `clinigate domain approve --batch NAME`.
    """
    folder = opened(config)
    common = _told({"purposes": purpose, "methods": method, "route": route, "expires": day(expires)}) | _located(data_location)
    basis = _told({"owner": owner, "privacy_policy_reviewed": day(privacy_policy_reviewed)})

    def work(text: RegisterText) -> list[str]:
        rows = read_csv(utf8(file))
        register = current(folder).register
        sifted = sift(rows, register, _never(rows, folder.policy()))
        made = [_imported(row, class_, common, basis, scheme, file.name, batch) for row in sifted.new]
        text.add(made)
        told = [f"not taken, {why}" for why in sifted.refused]
        told.append(f"{len(made)} proposed, {len(sifted.there)} in the register already, {len(sifted.refused)} not taken")
        return [*told, f"Next: two people run `clinigate domain approve --batch {batch}`."]

    edit(folder, DOMAINS, RegisterText, work, CsvError)


def _imported(
    row: Row, class_: str, common: dict[str, Any], basis: dict[str, Any], scheme: str, evidence: str, batch: str
) -> dict[str, Any]:
    organisation = {"name": row.organisation or row.domain, **({"ids": {"ods": row.ods}} if row.ods else {})}
    entry: dict[str, Any] = {"domain": row.domain, "status": "proposed", "class": class_, "organisation": organisation, **common}
    if basis:
        entry["agreement"] = {"type": "implied-care", **basis}
    if scheme:
        until = {"valid_until": row.until} if row.until else {}
        entry["assurance"] = [{"scheme": scheme, "status": "accredited", **until, "checked": _today(), "evidence": evidence}]
    return entry | {"proposed_by": user(), "proposed_on": _today(), "batch": batch}


def _never(rows: list[Row], policy: Policy) -> dict[str, str]:
    """Domain -> why it can never be approved."""
    register, found = policy.register, {}
    for row in rows:
        name = row.domain
        if a_label(name) is None:
            found[name] = f'"{name}" is not a domain'
        elif "." not in name:
            found[name] = f'"{name}" is not a whole domain'
        elif public_suffix(name, register.suffixes) == name:
            found[name] = f"{name} is a public ending"
        elif register.listed_freemail(name):
            found[name] = f"{name} is a freemail domain"
        elif name in register.own:
            found[name] = f"{name} is one of your own domains"
    return found


def _sign(text: RegisterText, name: str, needed: int) -> str:
    done: list[bool] = []
    try:
        text.change(name, lambda entry: done.append(sign(entry, user(), _today(), needed)))
    except NotSigned as error:
        raise NotSigned(f"{name} {error}") from None
    if done[0]:
        return f"{name} is approved."
    return f"{name}: your signature is recorded. One more, different person must run `clinigate domain approve {name}`."


def _as_if_approved(entry: Any) -> None:
    entry["status"] = "approved"
    entry["approved_by"] = ["the first", "the second"]


def _name(word: str) -> str:
    local, domain = split_address(word)
    label = a_label(domain)
    if label is None:
        fail(f'"{word}" is neither a domain nor an address', code=1)
    return f"{plain_local(local)}@{label}" if local else label


def _located(country: str) -> dict[str, Any]:
    return {"jurisdiction": {"data_location": country}} if country else {}


def _told(values: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value}


def _today() -> date:
    return datetime.now(UTC).date()
