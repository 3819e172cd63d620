"""Secrets from systemd credentials: what was passed is used, what was not stays as the configuration says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from gateway.config import Settings
from gateway.credentials import SECRETS, VARIABLE, with_credentials
from tests.support.configs import walk
from tests.support.paths import ROOT

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def told() -> Settings:
    """The example configuration with every option switched on."""
    text = (ROOT / "systemd" / "clinigate.yaml").read_text()
    return Settings.model_validate(yaml.safe_load(re.sub(r"^(\s*)#(?=\S)", r"\1", text, flags=re.MULTILINE)))


def test_without_credentials_nothing_changes(told: Settings) -> None:
    assert with_credentials(told, {}) is told


def test_every_secret_that_was_passed_is_read_from_there_and_nothing_else_moves(told: Settings, tmp_path: Path) -> None:
    names = ["release.key", "hash.key", "tls-gateway.key", "dkim-clinic.key", "smime-signing.key"]
    for name in names:
        (tmp_path / name).touch()
    found = with_credentials(told, {VARIABLE: str(tmp_path)})
    assert found.keys.release == found.quarantine.release_key == tmp_path / "release.key"
    assert found.keys.hash == found.quarantine.hash_key == tmp_path / "hash.key"
    assert found.listeners[0].tls is not None and found.listeners[0].tls.key == tmp_path / "tls-gateway.key"
    assert found.routes["default"].key == tmp_path / "tls-gateway.key"
    assert found.dkim[0].key == tmp_path / "dkim-clinic.key"
    assert found.smime is not None and found.smime.signing_key == tmp_path / "smime-signing.key"
    assert found.keys.quarantine == told.keys.quarantine and found.quarantine.keys == told.quarantine.keys
    moved = re.compile(re.escape(str(tmp_path)))
    assert len(moved.findall(found.model_dump_json())) == 8
    assert with_credentials(found, {VARIABLE: str(tmp_path)}) == found


def test_the_quarantines_keys_come_from_there_when_the_private_one_does(told: Settings, tmp_path: Path) -> None:
    (tmp_path / "online.key").touch()
    found = with_credentials(told, {VARIABLE: str(tmp_path)})
    assert found.quarantine.keys == tmp_path and found.keys.quarantine == told.keys.quarantine


def test_a_credential_that_is_not_there_is_not_named(told: Settings, tmp_path: Path) -> None:
    assert with_credentials(told, {VARIABLE: str(tmp_path)}) == told


def test_every_option_that_names_a_private_key_can_be_a_credential() -> None:
    """A new option of this kind must be added to SECRETS; certificates and folders are no secrets."""
    paths = {path.rpartition(".")[2] for path, field in walk(Settings) if field.annotation in (Path, Path | None)}
    public = {
        "state", "policy", "release_socket", "store", "keys", "journal", "snapshot", "templates", "quarantine", "folder",
        "certificate", "client_ca", "ca", "certificates", "signing_certificate",
    }  # fmt: skip
    assert paths - public == SECRETS
