"""Checks of settings on file shares, cameras and referrals that their shapes cannot make: names that must exist."""

from __future__ import annotations

from collections.abc import Iterator

from policies.files.settings import PolicyModel
from policies.files.yamlmap import KeyPath, nearest
from policies.register import a_label

Fault = tuple[KeyPath, str]


def side_faults(policy: PolicyModel) -> Iterator[Fault]:
    """(key path, what is wrong) of each fault."""
    settings, groups = policy.settings, (*policy.sender_groups, "ungrouped")
    for name in settings.devices.groups:
        if name not in groups:
            what = f'no sender group is called "{name}"; there are {", ".join(groups)}{nearest(name, groups)}'
            yield ("settings", "devices", "groups", name), what
    for at, domain in enumerate(settings.referral.domains):
        if a_label(domain) is None or "." not in domain:
            yield ("settings", "referral", "domains", at), f'"{domain}" is not a domain name'
    for at, place in enumerate(settings.file_links.allowed):
        host = place.partition("/")[0]
        if a_label(host) is None or "." not in host or "://" in place:
            yield ("settings", "file_links", "allowed", at), f'"{place}" is no host or host/path, like ourtrust.app.box.com'
