"""A complete pipeline context for tests: the demo's keys, certificates and policy, built once a session."""

from __future__ import annotations

import dataclasses
import time
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import yaml

from gateway.config import load, policy_files
from gateway.context import Context, build
from gateway.demo.samples import SENDER
from gateway.demo.setup import Ports, prepare
from gateway.identity import Vouches
from gateway.model import Envelope, Received, Recipient

COLLEAGUE = "dr.lee@royal-example.example"
HOSPICE = "dr.rao@hospice-example.example"
STRANGER = "jane@newclinic.example"
FILE_SHARE = "upload@fileshare.example"
AT = float(int(time.time()))  # certificates and agreements of the demo are made for today


@cache
def folder() -> Path:
    """A prepared installation; only read."""
    made = Path(mkdtemp(prefix="clinigate-test-"))
    prepare(made, Ports(2525, 9464, 2526))
    return made


@cache
def context(mode: str = "enforce", **settings: Any) -> Context:
    """The demo's policy with this default mode and these settings of policy.yaml."""
    spec = load(folder() / "clinigate.yaml").context_spec()
    spec["snapshot"] = None
    spec["opening"]["recognise"] = 0  # no process: tests/gateway/test_likeness.py has one
    return build(spec | {"policy": policy(mode, **settings)}, now=lambda: AT)


def policy(mode: str = "enforce", **settings: Any) -> dict[str, str]:
    """The demo's policy files, changed."""
    files = policy_files(folder() / "policies")
    data = yaml.safe_load(files["policy.yaml"])
    data["modes"] = {"default": mode}
    data["settings"] |= {key: dict(value) if isinstance(value, tuple) else value for key, value in settings.items()}
    return files | {"policy.yaml": yaml.safe_dump(data, allow_unicode=True)}


def received(raw: bytes, *recipients: str, sender: str = SENDER, key: str = "4XyZ", **envelope: Any) -> Received:
    """``raw`` as it came in by the demo's listener."""
    told = Envelope(sender, tuple(Recipient(one) for one in recipients or (COLLEAGUE,)), listener="demo", **envelope)
    return Received(told, raw, AT, key)


def vouched_for(made: Context, vouches: str) -> Context:
    """The same context whose listener vouches for something else."""
    spec = made.spec.model_copy(update={"vouches": {"demo": Vouches(vouches)}})
    return dataclasses.replace(made, spec=spec)
