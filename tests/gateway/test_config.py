"""clinigate.yaml: every option says what it is for, every mistake is told with its line and what to write instead."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway.config import ConfigError, Settings, is_loopback, load, policy_files
from gateway.inbound.limits import MEMORY_FACTOR
from policies.load import EXTRA
from tests.support.configs import walk
from tests.support.installation import merged
from tests.support.paths import ROOT

pytestmark = pytest.mark.unit

BAD = sorted((ROOT / "tests" / "bad_config").glob("*.yaml"))
GOOD: dict[str, Any] = {
    "hostname": "gateway.clinic.example",
    "listeners": [{"name": "mta", "port": 10024}],
    "routes": {"default": {"port": 10025}},
    "keys": {"quarantine": "/keys", "release": "/keys/release.key", "hash": "/keys/hash.key"},
    "quarantine": {
        "addresses": {role: f"{role}@clinic.example" for role in ("sender", "ig", "mail_admin", "postmaster", "on_call")}
    },
}


def told(folder: Path, **change: Any) -> Settings:
    """The smallest good configuration, changed."""
    path = folder / "clinigate.yaml"
    path.write_text(yaml.safe_dump(merged(GOOD, change)))
    return load(path)


def faults(folder: Path, **change: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        told(folder, **change)
    return str(caught.value)


# -- options ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("option", [path for path, _ in walk(Settings)])
def test_every_option_says_what_it_is_for(option: str) -> None:
    """Its own description, or that of its section."""
    field = dict(walk(Settings))[option]
    said = field.description or getattr(field.annotation, "__doc__", "") or ""
    assert len(said.split()) >= 2, option


def test_the_smallest_configuration_loads_with_the_promised_defaults(tmp_path: Path) -> None:
    made = told(tmp_path)
    assert (made.listeners[0].protocol, made.listeners[0].kind, made.listeners[0].host) == ("LMTP", "relay", "127.0.0.1")
    assert made.listeners[0].vouches == "nothing", "who vouches says so"
    assert made.limits.deadline_seconds == 240
    assert made.routes["default"].host == "127.0.0.1"
    assert made.metrics.host == "127.0.0.1"


# -- broken configurations -------------------------------------------------------------------------------------------------


def test_there_are_enough_of_them() -> None:
    assert len(BAD) >= 25


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_a_broken_configuration_is_told_with_line_and_what_to_write(path: Path) -> None:
    """The first lines of each file, after "# ", are what must be said of it: exactly these, ``line: key: words``."""
    expected = re.findall(r"^# (\d+: .+)$", path.read_text(), re.MULTILINE)
    assert expected
    with pytest.raises(ConfigError) as caught:
        load(path)
    assert [problem.removeprefix(f"{path}:") for problem in caught.value.problems] == expected


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_no_message_speaks_the_language_of_the_library(path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load(path)
    assert not re.search(r"pydantic|should be|valid tuple|instance of|NoneType|validat", str(caught.value), re.I)


def test_a_file_that_is_not_there_or_not_text_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"clinigate\.yaml: cannot be read: No such file"):
        load(tmp_path / "clinigate.yaml")
    with pytest.raises(ConfigError, match=r"cannot be read: Is a directory"):
        load(tmp_path)
    (tmp_path / "clinigate.yaml").write_bytes(b"hostname: \xff\xfe\n")
    with pytest.raises(ConfigError, match=r"clinigate\.yaml:1: not UTF-8"):
        load(tmp_path / "clinigate.yaml")


def test_yaml_cannot_run_anything(tmp_path: Path) -> None:
    (tmp_path / "clinigate.yaml").write_text("hostname: !!python/object/apply:os.system ['true']\n")
    with pytest.raises(ConfigError):
        load(tmp_path / "clinigate.yaml")


# -- loopback, TLS, networks -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost"])
def test_loopback_needs_no_tls(tmp_path: Path, host: str) -> None:
    assert is_loopback(host)
    told(tmp_path, listeners=[{"name": "mta", "port": 1, "host": host}], routes={"default": {"host": host, "port": 25}})


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "10.0.0.1", "mail.clinic.example", "localhost.evil.example", ""])
def test_anything_else_does(tmp_path: Path, host: str) -> None:
    """A name that only looks like loopback is none."""
    assert not is_loopback(host)
    assert "give it tls (mutual)" in faults(tmp_path, listeners=[{"name": "mta", "port": 1, "host": host}])
    assert "needs tls: verified" in faults(tmp_path, routes={"default": {"host": host, "port": 25}})
    tls = {"certificate": "/c", "key": "/k", "client_ca": "/ca"}
    told(tmp_path, listeners=[{"name": "mta", "port": 1, "host": host, "tls": tls}])
    told(tmp_path, routes={"default": {"host": host, "port": 25, "tls": "verified"}})


def test_a_network_written_by_one_of_its_hosts_is_that_network(tmp_path: Path) -> None:
    """Symptom: the configuration loaded and the listener did not start ("has host bits set").  Cause: read loosely here and
    strictly there."""
    made = told(tmp_path, listeners=[{"name": "mta", "port": 1, "trusted": ["10.1.2.3/16", "fd00::1/8", "192.0.2.7"]}])
    assert made.listeners[0].trusted == ("10.1.0.0/16", "fd00::/8", "192.0.2.7/32")


def test_the_largest_message_must_fit_into_memory(tmp_path: Path) -> None:
    """Otherwise it is told 452 at each try until its sender's mail system gives up."""
    size = 40_000_000
    needed = int(size * MEMORY_FACTOR)
    assert f"write {needed} or more" in faults(tmp_path, limits={"message_bytes": size, "memory_bytes": needed - 1})
    told(tmp_path, limits={"message_bytes": size, "memory_bytes": needed})


def test_what_a_compute_process_is_told_names_private_keys_by_path_only(tmp_path: Path) -> None:
    (tmp_path / "smime.key").write_text("PRIVATE")
    smime = {"certificates": "/c", "signing_certificate": "/s.pem", "signing_key": str(tmp_path / "smime.key")}
    dkim = [{"domain": "Clinic.Example", "selector": "s", "key": str(tmp_path / "smime.key")}]
    made = told(tmp_path, policy=str(tmp_path / "none"), smime=smime, dkim=dkim, trusted_hosts=["MX.clinic.example"])
    spec = made.context_spec()
    assert "PRIVATE" not in str(spec)
    assert spec["dkim"][0]["domain"] == "clinic.example"
    assert spec["trusted_hosts"] == ["mx.clinic.example"]
    assert spec["smime"]["signing_key"] == str(tmp_path / "smime.key")


# -- the policy folder -----------------------------------------------------------------------------------------------------


def test_the_policy_folder_is_read_without_tests_and_what_editors_leave(tmp_path: Path) -> None:
    """Symptom: a policy saved in an editor was "broken" for a moment.  Cause: the editor's lock file beside it was read too."""
    for name in ("policy.yaml", "lists/free.txt", "tests/case.yaml", ".policy.yaml", "policy.yaml~", "notes.md", "#policy.yaml#"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    (tmp_path / ".#policy.yaml").symlink_to("alice@host.1234")
    found = {name: text for name, text in policy_files(tmp_path).items() if name not in EXTRA}
    assert found == {"policy.yaml": "policy.yaml", "lists/free.txt": "lists/free.txt"}


def test_what_an_older_folder_lacks_is_taken_as_it_ships(tmp_path: Path) -> None:
    """A list that came with a later version is in force after an upgrade; the folder's own goes before, an empty one too."""
    (tmp_path / "policy.yaml").write_text("policy")
    (tmp_path / "clinical-words.txt").write_text("# none\n")
    found = policy_files(tmp_path)
    assert set(EXTRA) < set(found)
    assert found["clinical-words.txt"] == "# none\n"
    assert "dropbox.com" in found["file-shares.txt"]


def test_a_folder_without_a_policy_gets_nothing_beside(tmp_path: Path) -> None:
    assert policy_files(tmp_path) == {}


def test_a_policy_file_that_is_no_text_is_told_without_its_bytes(tmp_path: Path) -> None:
    (tmp_path / "policy.yaml").write_bytes(b"secret \xff")
    with pytest.raises(ConfigError, match="not UTF-8 text") as caught:
        policy_files(tmp_path)
    assert "secret" not in str(caught.value)
