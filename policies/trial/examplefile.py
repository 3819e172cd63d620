"""The models of ``tests/*.yaml`` in the policy folder: mails in words, and what must become of them.  Source of the schema."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from policies.files.settings import ActionWord

PICTURES: Final = (
    "photo", "x-ray", "page", "locked-file", "damaged-file", "unknown-file", "large-file", "unsupported-picture", "logo",
)  # fmt: skip
PictureWord = Literal[
    "photo", "x-ray", "page", "locked-file", "damaged-file", "unknown-file", "large-file", "unsupported-picture", "logo"
]
SenderWord = Literal["person", "machine", "null", "auto", "list"]
ScopeWord = Literal["record", "teaching", "research", "publication"]


def _several(value: object) -> object:
    """One stands for a list of one; a word for a table that holds no more than it."""
    return [value] if isinstance(value, str | dict) else value


def _picture(value: object) -> object:
    return {"kind": value} if isinstance(value, str) else value


def _outcome(value: object) -> object:
    return {"then": value} if isinstance(value, str) else value


def _outcomes(value: object) -> object:
    """One outcome for every recipient stands under ""."""
    return {"": value} if isinstance(value, str) or (isinstance(value, dict) and "then" in value) else value


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class Picture(_Strict):
    """One attachment."""

    kind: PictureWord = Field(description="What it is.")
    name: str = Field("", description="File name; a patient's number in it is found as in real mail only if `found` says so.")
    found: tuple[str, ...] = Field((), description="Finding codes of the file, like exif.gps or ident.file-name.")
    had: bool | None = Field(False, description="The recipient already has this picture under live consent.")


class Outcome(_Strict):
    """What must become of one recipient's copy; what is left out is not looked at."""

    then: ActionWord = Field(description="The action.")
    rule: str | None = Field(None, description="Id of the rule that must decide.")
    reasons: tuple[str, ...] = Field((), description="Reason codes that must be among the told ones.")


OnePicture = Annotated[Picture, BeforeValidator(_picture)]
OneOutcome = Annotated[Outcome, BeforeValidator(_outcome)]
Outcomes = Annotated[dict[str, OneOutcome], BeforeValidator(_outcomes)]
Words = Annotated[tuple[str, ...], BeforeValidator(_several)]
Scopes = Annotated[tuple[ScopeWord, ...], BeforeValidator(_several)]
Pictures = Annotated[tuple[OnePicture, ...], BeforeValidator(_several)]


class Example(_Strict):
    """One mail, and what must become of it."""

    name: str = Field(min_length=1, description="What the example shows, in a sentence.")
    to: Words = Field(min_length=1, description="Recipients: addresses, domains, or own (a colleague); one or a list.")
    expect: Outcomes = Field(min_length=1, description="The action, or what it is for each recipient of `to`.")
    sender: str = Field("", alias="from", description="Sender's address: chooses the sender group. Left out: ungrouped.")
    kind_of_sender: SenderWord = Field("person", description="Who or what sends.")
    vouched: bool = Field(True, description="The sender's identity is certain.")
    pictures: Pictures = Field((), description="Pictures and other files, one or a list.")
    subject: str = Field("", max_length=998, description="Subject, with the consent words as senders write them.")
    text: str = Field("", max_length=2000, description="First line of the text.")
    header: str = Field("", max_length=998, description="Clinical-Image-Consent field.")
    thread: Literal["new", "reply", "forward"] = Field("new", description="A new mail, a reply or a forwarded one.")
    first_time: bool | None = Field(False, description="The sender writes to these recipients for the first time.")
    withdrawn: bool | None = Field(
        False, description="The patient's refusal or withdrawal is on file; null: could not be looked up."
    )
    limited_to: Scopes = Field((), description="Uses the patient has left, one or a list; left out: no limit is on file.")
    found: tuple[str, ...] = Field((), description="Finding codes of the message, like mail.signed or ident.subject.")
    protection: tuple[str, ...] | None = Field(
        None, description="Protection methods that can serve; left out: all that the recipient's entry names."
    )
    day: date | None = Field(None, description="Day on which it is sent; left out: today, so that an entry's end shows.")


class ExamplesModel(_Strict):
    """One file under tests/ of the policy folder."""

    examples: tuple[Example, ...] = Field(min_length=1, description="The examples.")
