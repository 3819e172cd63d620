"""``clinigate``: the command line of both programs."""

from __future__ import annotations

import typer

from gateway.commands import check, demo, explain, hold, keygen, report, scrub, serve

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # tracebacks with local values could show what a message holds
    help="Outbound email gateway for clinical images.",
)
app.command("serve")(serve.serve)
app.command("check")(check.check)
app.command("explain")(explain.explain)
app.command("scrub")(scrub.scrub)
app.command("keygen")(keygen.keygen)
app.add_typer(hold.app, name="hold")
app.add_typer(report.app, name="report")
app.command("demo")(demo.demo)


def main() -> None:
    """Entry point."""
    app()


if __name__ == "__main__":
    main()
