"""``clinigate device``: the register of clinical cameras, with comments and order of the file kept."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from filters.api import FilterError, ImageInfo
from filters.registry import SCRUBBERS
from filters.sniff import sniff
from gateway.commands.options import DEFAULT_CONFIG, ConfigOption, JsonOption, fail
from gateway.commands.register.devicetext import DeviceText
from gateway.commands.register.folder import current, day, edit, opened
from policies.lists.devices import CODES, DeviceModel
from policies.load import DEVICES

app = typer.Typer(no_args_is_help=True, help="Register the cameras that may take clinical pictures, and retire them.")
Picture = Annotated[Path | None, typer.Option(help="A picture it took: make, model and serial number are read from it.")]
_LONGEST = 200_000_000  # bytes of a picture that is read here


@app.command("add")
def add(
    name: Annotated[str, typer.Argument(metavar="ID", help="Name of the device, for instance the number on its label.")],
    owner: Annotated[str, typer.Option(help="Person or team that answers for it.")],
    config: ConfigOption = DEFAULT_CONFIG,
    picture: Picture = None,
    make: Annotated[str, typer.Option(help="Maker, for instance Canon.")] = "",
    model: Annotated[str, typer.Option(help="Model, for instance EOS 850D.")] = "",
    serial: Annotated[str, typer.Option(help="Serial number of the body; without one every device of this model counts.")] = "",
    location: Annotated[str, typer.Option(help="Where it is kept.")] = "",
    first: Annotated[str, typer.Option("--from", help="First day on which it counts, like 2026-03-01.")] = "",
    until: Annotated[str, typer.Option(help="Last day on which it counts.")] = "",
    notes: Annotated[str, typer.Option(help="Free text for colleagues.")] = "",
) -> None:
    """Add a camera, by what its pictures say of it or by a picture itself. The picture is not kept."""
    if picture is not None:
        info = _read(picture)
        make, model, serial = make or info.make, model or info.model, serial or info.serial
        if not (make and model):
            fail(f"{picture}: it does not say which camera took it; take the file as it came from the camera", code=1)
    if not (make and model):
        fail("name a --picture, or --make and --model")
    told: dict[str, Any] = {"make": make, "model": model, "serial": serial, "owner": owner, "location": location}
    told |= {"from": day(first), "until": day(until), "notes": notes}
    entry = {"id": name, **{key: value for key, value in told.items() if value}}

    def work(text: DeviceText) -> list[str]:
        text.add(entry)
        said = f"{name} is registered: {make} {model}, " + (f"serial number {serial}." if serial else "no serial number.")
        careful = "Careful: without a serial number every device of this model counts, private ones too."
        return [said] if serial else [said, careful]

    edit(opened(config), DEVICES, DeviceText, work)


@app.command("retire")
def retire(
    name: Annotated[str, typer.Argument(metavar="ID", help="Name of the device.")],
    config: ConfigOption = DEFAULT_CONFIG,
    reason: Annotated[str, typer.Option(help="Why; kept in its notes.")] = "",
    on: Annotated[str, typer.Option(help="Day, like 2026-11-30; today if left out.")] = "",
) -> None:
    """Take a camera out of use. Its entry stays, so that it is known what it was."""
    last = day(on) or datetime.now(UTC).date()

    def work(text: DeviceText) -> list[str]:
        text.retire(name, last, reason)
        return [f"{name} does not count from {last} on."]

    edit(opened(config), DEVICES, DeviceText, work)


@app.command("list")
def list_(config: ConfigOption = DEFAULT_CONFIG, as_json: JsonOption = False) -> None:
    """Every camera of the register and whether it counts today."""
    policy, today = current(opened(config)), datetime.now(UTC).date()
    devices = sorted((one for found in policy.devices.entries.values() for one in found), key=lambda one: one.id.casefold())
    if as_json:
        rows = [one.model_dump(mode="json", by_alias=True) | {"counts": _standing(one, today) == "in use"} for one in devices]
        typer.echo(json.dumps(rows, indent=2))
        return
    for one in devices:
        serial = f" {one.serial}" if one.serial else ""
        place = f", {one.location}" if one.location else ""
        typer.echo(f"{one.id}: {one.make} {one.model}{serial}; {one.owner}{place}; {_standing(one, today)}")
    if not devices:
        typer.echo("No camera is registered.")


@app.command("show")
def show(
    picture: Annotated[Path, typer.Argument(help="A picture as it came from the camera.", exists=True, dir_okay=False)],
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """What a picture says of its camera, and how that one stands in the register."""
    info, policy, today = _read(picture), current(opened(config)), datetime.now(UTC).date()
    named = " ".join(filter(None, (info.make, info.model))) or "no camera named"
    typer.echo(f"{named}{f', serial number {info.serial}' if info.serial else ''}")
    code = policy.devices.standing(info.make, info.model, info.serial, today)
    found = policy.devices.find(info.make, info.model, info.serial, today)
    typer.echo(f"{code}: {CODES[code]}" + (f" It is {found.id}, {found.owner}." if found is not None else ""))


def _standing(one: DeviceModel, today: date) -> str:
    if one.retired is not None and one.retired <= today:
        return f"retired on {one.retired}"
    if one.from_ is not None and today < one.from_:
        return f"counts from {one.from_} on"
    if one.until is not None and one.until < today:
        return f"ended on {one.until}"
    return "in use"


def _read(picture: Path) -> ImageInfo:
    try:
        if picture.stat().st_size > _LONGEST:
            fail(f"{picture}: larger than {_LONGEST // 1_000_000} MB", code=1)
        data = picture.read_bytes()
        name = sniff(data).format
        if name not in SCRUBBERS:
            fail(f"{picture}: no picture that can be read here", code=1)
        return SCRUBBERS[name].inspect(data)
    except OSError as error:
        fail(f"{picture}: {error.strerror}", code=1)
    except FilterError as error:
        fail(f"{picture}: {error.reason.value}", code=1)
