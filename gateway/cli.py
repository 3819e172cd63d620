"""``clinigate``: the command line of both programs."""

from __future__ import annotations

import typer

from gateway.commands.alarm import alarm
from gateway.commands.check import check
from gateway.commands.consent.app import app as consent
from gateway.commands.daily import daily
from gateway.commands.demo import demo
from gateway.commands.disclosed.case import case
from gateway.commands.disclosed.disclosures import disclosures
from gateway.commands.disclosed.match import match
from gateway.commands.emergency import app as emergency
from gateway.commands.explain import explain
from gateway.commands.hold import app as hold
from gateway.commands.keygen import keygen
from gateway.commands.learnlogo import learn_logo
from gateway.commands.policy.app import app as policy
from gateway.commands.register.device import app as device
from gateway.commands.register.domain import app as domain
from gateway.commands.register.lists import app as lists
from gateway.commands.report import app as report
from gateway.commands.scrub import scrub
from gateway.commands.serve import serve

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # tracebacks with local values could show what a message holds
    help="Outbound email gateway for clinical images.",
)
app.command("serve")(serve)
app.command("check")(check)
app.command("explain")(explain)
app.command("scrub")(scrub)
app.command("learn-logo")(learn_logo)
app.command("keygen")(keygen)
app.command("match")(match)
app.add_typer(hold, name="hold")
app.add_typer(consent, name="consent")
app.add_typer(emergency, name="emergency")
app.add_typer(report, name="report")
app.add_typer(policy, name="policy")
app.add_typer(domain, name="domain")
app.add_typer(device, name="device")
app.add_typer(lists, name="lists")
app.command("disclosures")(disclosures)
app.command("case")(case)
app.command("alarm")(alarm)
app.command("daily")(daily)
app.command("demo")(demo)


def main() -> None:
    """Entry point."""
    app()


if __name__ == "__main__":
    main()
