"""``clinigate serve``: run one of the two programs."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import time
from enum import StrEnum
from typing import Annotated

import typer

from gateway import logs
from gateway.app import Gateway
from gateway.commands.options import DEFAULT_CONFIG, ConfigOption, fail, settings
from gateway.compute.pool import NoWorker
from gateway.config import ConfigError, Settings
from gateway.credentials import with_credentials
from gateway.heap import reuse_large_blocks
from gateway.inbound import activation
from policies.load import PolicyError
from quarantine.database import RecordsVersionError
from quarantine.form.opening import open_form
from quarantine.keys import KeyFileError
from quarantine.outbox import open_outbox
from quarantine.service import Service
from quarantine.stores import StoreError

KEEP_BYTES = 64 * 1024 * 1024  # of freed heap; the next large message uses it


class Program(StrEnum):
    GATEWAY = "gateway"
    QUARANTINE = "quarantine"


def serve(
    program: Annotated[
        Program, typer.Argument(help="gateway: takes and delivers mail.  quarantine: keeps holds, sends notices.")
    ],
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Run the gateway or the quarantine service until SIGTERM."""
    told = with_credentials(settings(config), os.environ)
    reuse_large_blocks(KEEP_BYTES)
    logs.setup(told.log_level)
    try:
        asyncio.run(_gateway(told) if program is Program.GATEWAY else _quarantine(told))
    except (ConfigError, PolicyError) as error:
        fail(*error.problems)
    except NoWorker as error:
        fail(f"no compute process could be started ({error}); its own message stands above", code=1)
    except (OSError, KeyFileError, RecordsVersionError, StoreError, sqlite3.Error, ValueError) as error:
        fail(f"{program.value}: {error}", code=1)


async def _gateway(told: Settings) -> None:
    gateway = Gateway(told)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, gateway.stop)
    await gateway.serve()


async def _quarantine(told: Settings) -> None:
    service = Service(told.quarantine)
    service.run_outbox = open_outbox(told.quarantine, service.records, time.time).run_due
    service.form = open_form(service.desk(), lambda: service.nudge("release"))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, service.stop)
    activation.notify("READY=1", os.environ)
    await service.run()
