"""Templates are checked when they are loaded: file, line, what to write.  A second language needs files only."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from quarantine.notices.placeholders import FORBIDDEN, OPTIONAL_FILES, PLACEHOLDERS, REQUIRED, VARIANTS
from quarantine.notices.render import render
from quarantine.notices.settings import Settings, SettingsError, from_options
from quarantine.notices.wording import SHIPPED, TemplateError, _completed, _needed, fill, load
from quarantine.settings import QuarantineSettings
from tests.support.noticeworld import NOW, SETTINGS, asked, meta, refused, settings
from tests.support.paths import ROOT

pytestmark = pytest.mark.unit


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A site's own copy of the templates."""
    return Path(shutil.copytree(SHIPPED, tmp_path / "notices"))


def spoil(folder: Path, file: str, old: str, new: str) -> int:
    """Edit one template; the line the edit stands in."""
    path = folder / "en" / f"{file}.txt"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return text[: text.index(old)].count("\n") + 1


def test_shipped_templates_are_sound() -> None:
    """What is shipped loads."""
    assert load().language("en").name == "en"


@pytest.mark.parametrize("name", sorted(FORBIDDEN))
def test_forbidden_placeholders_are_refused(folder: Path, name: str) -> None:
    """Nothing that shows what an email is about can be put into a notice by editing it."""
    line = spoil(folder, "N-4", "We kept no copy.", f"We kept no copy of {{{name}}}.")
    with pytest.raises(TemplateError, match=rf"^en/N-4\.txt:{line}: \{{{name}\}} may not stand in a notice"):
        load(folder)


@pytest.mark.parametrize(
    ("file", "old", "new", "problem"),
    [
        ("N-1", "{why}", "{whhy}", "{whhy} is not known here; there are:"),
        ("N-1", "{why}", "{clock}", "{clock} is not known here"),
        ("N-1", "{why}", "{why", "a single '{': write {{ for the character itself"),
        ("N-1", "{why}", "why}", "a single '}'"),
        ("N-1", "{answers}", "Words: {answers}", "{answers} makes a list and must stand alone on its line"),
        ("N-1", "[head]", "[heading]", "[heading]: no such part here; there are:"),
        ("N-1", "{why}", "{wyh}", '; did you mean "why"?'),
        ("N-1", "[head]", "[haed]", '; did you mean "head"?'),
        ("N-7", "[retry: text]", "[retyr: text]", '; did you mean "retry"?'),
        ("N-7", "[retry: text]", "[later: text]", "[later: text]: no such variant here; there are: retry, stuck"),
        ("N-1", "[head]", "[line]", "[line] stands here twice; the first is in line"),
        ("N-1", "[subject]\n", "Hello\n[subject]\n", "text before the first part"),
        ("frame", "Sunday\n", "", "[weekdays] needs 7 lines, there are 6"),
        ("frame", "{clock} on", "{sent} on", "{sent} is not known here; there are: clock, day, month, weekday"),
        ("answers", "document = ", "document is ", "a line here is: words = what they mean"),
        ("N-6", "Sent as an emergency: your email of {sent} to {to} (ref {ref})\n", "One\nTwo\n", "[subject] must be one line"),
    ],
)
def test_mistakes_are_told_with_file_and_line(folder: Path, file: str, old: str, new: str, problem: str) -> None:
    """Whoever edits a template is told where and what to write instead."""
    spoil(folder, file, old, new)
    with pytest.raises(TemplateError) as caught:
        load(folder)
    assert re.match(rf"en/{file}\.txt:\d+: ", str(caught.value))
    assert problem in str(caught.value)


def test_the_line_is_the_right_one(folder: Path) -> None:
    """The number is that of the line in the file, comments and blank lines counted."""
    line = spoil(folder, "N-2", "{domains}", "{domainz}")
    with pytest.raises(TemplateError, match=rf"^en/N-2\.txt:{line}: "):
        load(folder)


def test_shipped_templates_lack_nothing() -> None:
    """Every file, and in it every part for every variant: they stand in for what a site's own do not have."""
    for name, files in ((one.name, one.files) for one in load().languages.values()):
        assert set(REQUIRED) <= set(files), name
        for stem, parts in files.items():
            assert _needed(stem, parts) == [], (name, stem)
    assert load().gaps == ()


@pytest.mark.parametrize("file", sorted(REQUIRED))
@pytest.mark.slow
def test_a_file_that_a_site_does_not_have_is_the_shipped_one(folder: Path, file: str) -> None:
    """Who changes one notice keeps one file; of another language the English file stands in, and that is told."""
    shutil.copytree(folder / "en", folder / "cy")
    for name in ("en", "cy"):
        (folder / name / f"{file}.txt").unlink()
    found = load(folder)
    assert found.language("en").files[file] == found.language("cy").files[file] == load().language("en").files[file]
    assert found.gaps == (f"cy/{file}.txt",)


def test_a_part_that_a_site_does_not_have_is_the_shipped_one() -> None:
    """A new version brings a new part: the notices of a site that has its own words still go."""
    shipped = load().language("en").files
    for file, part in ((file, part) for file, parts in REQUIRED.items() for part in parts):
        own = {key: value for key, value in shipped[file].items() if key[1] != part}
        found, missing = _completed({file: own}, shipped)
        assert {key: value for key, value in found[file].items() if key[1] == part} == {
            key: value for key, value in shipped[file].items() if key[1] == part
        }
        assert any(told.startswith(f"{file}.txt: [") for told in missing)


def test_one_file_of_ones_own_is_enough(tmp_path: Path) -> None:
    """The folder holds what is changed, and nothing else."""
    (tmp_path / "notices" / "en").mkdir(parents=True)
    (tmp_path / "notices" / "en" / "N-4.txt").write_text("[line]\nstopped here\n", encoding="utf-8")
    text = render([meta(refused(), asked())], NOW, SETTINGS, load(tmp_path / "notices")).text
    assert "stopped here" in text and "perhaps a description will do" in text and "is waiting" in text


def test_a_folder_without_templates_is_refused(folder: Path) -> None:
    """A misspelt folder would be a language nobody wrote."""
    (folder / "cy").mkdir()
    with pytest.raises(TemplateError, match=r"^cy/N-1\.txt:1: no template is in this folder"):
        load(folder)


def test_empty_part_is_refused(folder: Path) -> None:
    """An emptied part would be a notice that says nothing."""
    spoil(folder, "N-4", "Our rules do not allow this picture to go to this address by email.", "")
    with pytest.raises(TemplateError, match="is empty"):
        load(folder)


def test_foreign_encoding_is_refused(folder: Path) -> None:
    """A file saved as Latin-1 would show broken letters."""
    path = folder / "en" / "N-4.txt"
    path.write_bytes(path.read_bytes() + b"# caf\xe9\n")
    with pytest.raises(TemplateError, match=r"^en/N-4\.txt:1: not UTF-8"):
        load(folder)


def test_byte_order_mark_and_crlf_are_taken(folder: Path) -> None:
    """Templates are edited on Windows."""
    path = folder / "en" / "N-4.txt"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    load(folder)


def test_unknown_file_is_refused(folder: Path) -> None:
    """N1.txt instead of N-1.txt would never be used, and nobody would know."""
    (folder / "en" / "N1.txt").write_text("[subject]\nx\n", encoding="utf-8")
    with pytest.raises(TemplateError, match=r"^en/N1\.txt:1: no notice has this name"):
        load(folder)


def test_empty_folder_is_refused(tmp_path: Path) -> None:
    """No language at all is an error, not silence."""
    with pytest.raises(ValueError, match="no language folder"):
        load(tmp_path)


def test_a_second_language_needs_files_only(folder: Path) -> None:
    """A folder with translated files and a setting: words, dates, reasons."""
    shutil.copytree(folder / "en", folder / "cy")
    for file, old, new in (
        ("N-1", "is waiting. It has not been sent yet.", "yn aros."),
        ("frame", "Tuesday", "Dydd Mawrth"),
        ("answers", "the patient said yes when you talked", "dywedodd y claf ie"),
    ):
        path = folder / "cy" / f"{file}.txt"
        path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    (folder / "cy" / "reasons.txt").write_text("[sentences]\nconsent.missing = Nid oedd cydsyniad i'w weld.\n", encoding="utf-8")
    outcome = meta(asked(reasons=["consent.missing"]))
    text = render([outcome], NOW, settings(language="cy"), load(folder)).text
    assert "yn aros." in text and "Dydd Mawrth" in text and "dywedodd y claf ie" in text
    assert "Nid oedd cydsyniad i'w weld." in text and "We could not see" not in text
    assert '<html lang="cy">' in render([outcome], NOW, settings(language="cy"), load(folder)).html
    assert "is waiting" in render([outcome], NOW, SETTINGS, load(folder)).text


def test_language_that_is_not_there_names_those_that_are() -> None:
    """A mistyped language is found at start."""
    with pytest.raises(KeyError, match="no notice templates for language 'xx'; there are: en"):
        load().language("xx")


def test_edited_words_are_used(folder: Path) -> None:
    """What the IG team writes is what is sent."""
    spoil(folder, "frame", "Questions: {ig_contact}.", "Ask us: {ig_contact}, {{any}} time.")
    assert "Ask us: IG team, ext. 4410, {any} time." in render([meta(asked())], NOW, SETTINGS, load(folder)).text


def test_line_with_nothing_to_say_is_left_out() -> None:
    """A placeholder without value takes its whole line with it: no half sentences."""
    assert fill("Within {review_hours}.", {"review_hours": ""}) is None
    assert fill("{{x}} {a}", {"a": "b"}) == "{x} b"


@pytest.mark.parametrize(
    "change",
    [{"ig_address": ""}, {"domain": " "}, {"on_call_address": "a b@c"}, {"timezone": "Mars/Olympus"}, {"digest_hour": 24}],
)
def test_settings_are_checked(change: dict[str, object]) -> None:
    """What notices cannot do without is asked for at start, by name."""
    with pytest.raises(SettingsError, match=f"notices: .*{'digest' if 'digest_hour' in change else next(iter(change))}"):
        settings(**change)


def test_settings_from_the_configuration() -> None:
    """The service's options become the notices' settings."""
    options = QuarantineSettings.model_validate(
        {
            "organisation": "Example Hospital",
            "review_hours": "4 working hours",
            "languages": {"ysbyty.example": "cy"},
            "addresses": {
                "sender": "gate@Example.org", "ig": "ig@example.org", "mail_admin": "mail@example.org",
                "postmaster": "postmaster@example.org", "on_call": "call@example.org", "on_call_contact": "ext. 1",
            },
        }
    )  # fmt: skip
    made = from_options(options)
    assert (made.domain, made.review_hours) == ("example.org", "4 working hours")
    assert made.language_of("dr.jones@ysbyty.example") == "cy"
    assert [made.mailbox(role) for role in ("ig", "on-call", "mail-admin", "postmaster", "anybody")] == [
        "ig@example.org", "call@example.org", "mail@example.org", "postmaster@example.org", "ig@example.org",
    ]  # fmt: skip


def test_every_offered_word_of_the_policy_has_a_meaning() -> None:
    """A sender should not have to guess what a word says; the emergency word has its own paragraph."""
    offered = set(re.findall(r"'(\[[^']+\])'", (ROOT / "policies" / "default.yaml").read_text(encoding="utf-8")))
    assert offered
    language = load().language("en")
    for word in offered:
        assert "emergency" in word or language.meaning(word.replace("{address}", "ADDRESS")), word


def test_documentation_is_current() -> None:
    """docs/notices.md names every placeholder with its meaning, every file, every variant."""
    text = (ROOT / "docs" / "notices.md").read_text(encoding="utf-8")
    for name, placeholder in PLACEHOLDERS.items():
        flag = "list" if placeholder.many else "left out" if placeholder.optional else ""
        assert f"| `{{{name}}}` | {placeholder.meaning} | {flag} |" in text, name
    assert len(re.findall(r"^\| `\{", text, re.M)) == len(PLACEHOLDERS)
    for name in FORBIDDEN:
        assert f"`{{{name}}}`" in text, name
    for file in (*REQUIRED, *OPTIONAL_FILES):
        assert f"| `{file}`" in text, file
    for variants in VARIANTS.values():
        for variant in filter(None, variants):
            assert f"`{variant}`" in text, variant


def test_settings_never_show_the_zone_in_comparison() -> None:
    """Two equal settings are equal."""
    assert Settings("d.example", "a@d.example", "b@d.example") == Settings("d.example", "a@d.example", "b@d.example")
