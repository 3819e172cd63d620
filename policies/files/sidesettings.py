"""Models of policy.yaml for what is mostly advised, seldom held: links to file shares, cameras, referrals, many emails."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from policies.files.strict import Strict, Word

KindName = Literal["K2", "K3", "K4", "K5", "K6", "K7"]
Handling = Literal["ignore", "warn", "hold"]
Personal = Literal["allow", "warn", "hold"]


class FileLinks(Strict):
    """An email that links to a file share and speaks of a patient (S2-1)."""

    then: Literal["ignore", "advice", "hold"] = Field(
        "advice",
        description="advice: it goes and its sender is told; hold: it waits for the sender's word that no patient is in it.",
    )
    allowed: tuple[str, ...] = Field(
        (), description="Your own shares at such a service, host or host/path, for instance ourtrust.app.box.com."
    )


class DeviceTerms(Strict):
    """What a picture's device means; each word may be left out."""

    unregistered: Handling | None = Field(None, description="A camera that is not in devices.yaml.")
    unknown: Handling | None = Field(None, description="No camera is named.")
    personal: Personal | None = Field(None, description="A kind of phone or tablet that people carry privately.")


class DevicesPolicy(Strict):
    """Who may photograph with what (S2-9, S2-10, S3-21).  warn: a line in the notice that is sent anyway; it never asks."""

    unregistered: Handling = Field(
        "warn", description="A camera that is not in devices.yaml; as long as none is registered this is not told."
    )
    unknown: Handling = Field("ignore", description="No camera is named: hidden data are gone, as after a messenger.")
    personal: Personal = Field("warn", description="A kind of phone or tablet that people carry privately.")
    kinds: dict[KindName, DeviceTerms] = Field(
        default_factory=dict, description="By kind of picture; can only be stricter than what holds otherwise."
    )
    groups: dict[Word, DeviceTerms] = Field(
        default_factory=dict, description="By sender group; takes the place of the words above."
    )


class Referral(Strict):
    """A referral with a picture to a health service that takes referrals electronically (S1-40).  Never a hold."""

    then: Literal["advice", "ignore"] = Field("advice", description="Whether the sender is told of the other way.")
    domains: tuple[str, ...] = Field(
        ("nhs.uk", "nhs.net"),
        description="Domains of such services, with all below them; an approved organisation may say so in its own entry "
        "(e_referral).",
    )


class Aggregation(Strict):
    """Several emails with pictures of one patient to one outside recipient: pieced together they may tell who it is (S3-29)."""

    mails: int = Field(3, ge=2, le=100, description="So many emails with new pictures, this one included, are the finding.")
    days: int = Field(30, ge=1, le=90, description="Within so many days.")

