# SPDX-License-Identifier: Apache-2.0
"""Documents fail when they lie: what the program has is documented, and works."""

import re
import shlex
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import Final

import pytest

from tools.reference import filled, outdated, pages
from tools.reference_parts import PARTS, error_classes
from undisclosed.cli import COMMANDS
from undisclosed.core.policy import Policy
from undisclosed.core.rules import ALL_RULES
from undisclosed.core.verdict import Action
from undisclosed.formats.configuration import parse_toml
from undisclosed.guard.states import CopyState, HoldEvent, HoldState
from undisclosed.store.settings import ENVIRONMENT, SETTINGS, read
from undisclosed.store.settings_kinds import Kind, Setting

ROOT: Final = Path(__file__).resolve().parent.parent
DOCS: Final = ROOT / "docs"
PAGES: Final = sorted(ROOT.glob("*.md")) + sorted(DOCS.rglob("*.md"))
RECORDS: Final = sorted((DOCS / "adr").glob("[0-9]*.md"))
LINK: Final = re.compile(r"(?<!`)!?\[[^\]]*\]\(([^)\s]+)\)")
HEADING: Final = re.compile(r"^#+ +(.+)$", re.MULTILINE)
FENCE: Final = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def named(path: Path) -> str:
    """A page as people write it."""
    return str(path.relative_to(ROOT))


def text_of(page: str) -> str:
    """A page of the documents."""
    return (DOCS / page).read_text(encoding="utf-8")


def anchors(page: Path) -> set[str]:
    """The anchors that a page's headings make, as code hosts make them."""
    prose = FENCE.sub("", page.read_text(encoding="utf-8"))
    return {
        re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")
        for heading in HEADING.findall(prose)
    }


def console_blocks(page: Path) -> list[tuple[str, str]]:
    """Every command of a page's console blocks, with the output under it."""
    blocks = re.findall(
        r"^```console\n(.*?)^```", page.read_text(encoding="utf-8"), re.M | re.S
    )
    runs = [run for block in blocks for run in re.split(r"^\$ ", block, flags=re.M)]
    return [
        (command, output)
        for run in runs
        if run.strip()
        for command, _, output in [run.partition("\n")]
    ]


def test_the_generated_parts_say_what_the_program_says() -> None:
    assert [named(page) for page in outdated()] == []


def test_every_generated_part_stands_on_some_page() -> None:
    everything = "".join(page.read_text(encoding="utf-8") for page in pages())

    assert [name for name in PARTS if f"generated: {name} -->" not in everything] == []


def test_a_page_that_has_fallen_behind_is_noticed() -> None:
    page = "<!-- generated: hold-states -->\nnothing\n<!-- end -->"

    assert filled(page) != page


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_documented(command: str) -> None:
    assert f"\n## {command}\n" in text_of("reference/cli.md")


@pytest.mark.parametrize("rule", ALL_RULES, ids=lambda rule: rule.name)
def test_every_rule_is_documented(rule: object) -> None:
    assert f"## {getattr(rule, 'name', '')}\n" in text_of("reference/rules.md")


@pytest.mark.parametrize("field", fields(Policy), ids=lambda field: field.name)
def test_every_setting_of_the_policy_is_documented(field: object) -> None:
    assert f"{getattr(field, 'name', '')}" in text_of("reference/policy.md")


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_every_setting_is_documented(setting: object) -> None:
    name = str(getattr(setting, "name", ""))
    section, _, key = name.rpartition(".")

    page = text_of("reference/configuration.md")
    part = page.partition(f"\n## [{section}]\n")[2].partition("\n## ")[0]
    assert f"| `{key}` |" in part


@pytest.mark.parametrize(
    "setting",
    [one for one in SETTINGS if one.default in ("", ())],
    ids=lambda setting: setting.name,
)
def test_a_setting_that_is_empty_by_default_has_an_example(setting: Setting) -> None:
    page = text_of("reference/configuration.md")
    part = page.partition(f"\n## [{setting.section}]\n")[2].partition("\n## ")[0]
    row = next(line for line in part.splitlines() if f"| `{setting.key}` |" in line)

    assert re.search(r"For example `[^`]+`\.", row)


UNITS: Final = re.compile(
    r"\b(?:seconds?|minutes?|hours?|days?|bytes)\b"
    r"|\bhow (?:many|often)\b|^most [a-z ]+|^as long as (?:fewer|no more)\b"
    r"|^the same in\b|^the same for\b|^connections\b",
    re.IGNORECASE,
)
"""How a description says what its number counts."""


@pytest.mark.parametrize(
    "setting",
    [one for one in SETTINGS if one.kind in (Kind.WHOLE, Kind.NUMBER, Kind.NUMBERS)],
    ids=lambda setting: setting.name,
)
def test_a_number_among_the_settings_says_what_it_counts(setting: Setting) -> None:
    is_told = UNITS.search(setting.description) or setting.key.endswith("_percent")

    assert is_told, setting.description


def test_the_examples_of_settings_can_be_used() -> None:
    secrets = {
        "UNDISCLOSED_OPENID_SECRET": "a-secret-of-thirty-two-characters",
        "UNDISCLOSED_TENANT_SECRET": "a-secret-of-thirty-two-characters",
        "UNDISCLOSED_RETURNS_PASSWORD": "secret",
        "UNDISCLOSED_SEEDS_PASSWORD": "secret",
    }
    file = ROOT / "examples" / "settings.toml"
    policy = "[policy]\nown_domains = ['council.example']\n"

    table = parse_toml(file.read_text("utf-8") + policy)

    assert read(table, file, secrets).guard.metrics is not None


def test_every_variable_of_the_environment_is_documented() -> None:
    page = text_of("reference/configuration.md")

    names = [name for names, _ in ENVIRONMENT for name in names.split(", ")]
    assert [name for name in names if f"`{name}`" not in page] == []


@pytest.mark.parametrize("error", error_classes(), ids=lambda error: error.__name__)
def test_every_error_says_in_a_sentence_what_is_wrong(error: type[Exception]) -> None:
    sentence = (error.__doc__ or "").strip().split("\n\n")[0]

    assert f"| `{error.__name__}` |" in text_of("reference/errors.md")
    assert sentence.endswith(".")


@pytest.mark.parametrize(
    "word",
    [*Action, *HoldState, *CopyState, HoldEvent.ESCALATE, HoldEvent.WITHDRAW],
    ids=lambda word: f"{type(word).__name__}-{word.value}",
)
def test_every_word_for_what_becomes_of_a_mail_is_in_the_glossary(word: Action) -> None:
    stem = {"split": "split", "released": "release", "withdrawn": "withdraw"}
    value = stem.get(word.value, word.value.removesuffix("ed"))

    assert re.search(rf"\b{value}", text_of("reference/glossary.md"), re.IGNORECASE)


@pytest.mark.parametrize(
    "never",
    ["whitelist", "blacklist", "leaked", "soft bounce", "hard bounce", "NDR"],
)
def test_a_word_that_is_never_said_is_not_said(never: str) -> None:
    allowed = {DOCS / "reference" / "glossary.md"}
    texts = {*(ROOT / "src").rglob("*.py"), *PAGES} - allowed
    word = re.compile(rf"\b{never}\b", re.IGNORECASE if never.islower() else 0)

    found = [named(path) for path in texts if word.search(path.read_text("utf-8"))]

    assert found == []


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_link_leads_somewhere(page: Path) -> None:
    broken = []
    for link in LINK.findall(FENCE.sub("", page.read_text(encoding="utf-8"))):
        if link.startswith(("http:", "https:", "mailto:")):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)

    assert broken == []


def test_every_page_can_be_reached_from_the_table_of_contents() -> None:
    contents = DOCS / "README.md"
    linked = {
        (DOCS / link.partition("#")[0]).resolve()
        for link in LINK.findall(contents.read_text(encoding="utf-8"))
    }

    pages_of_docs = set(DOCS.rglob("*.md")) - {contents}
    assert sorted(named(page) for page in pages_of_docs - linked) == []


@pytest.mark.parametrize(
    "page",
    [page for page in DOCS.rglob("*.md") if "adr" not in page.parts],
    ids=named,
)
def test_a_page_says_at_its_top_whom_it_is_for(page: Path) -> None:
    title, empty, whom = page.read_text(encoding="utf-8").split("\n")[:3]

    assert title.startswith("# ")
    assert empty == ""
    assert whom.startswith("*For ")


def test_the_records_of_decisions_are_numbered_without_a_gap() -> None:
    numbers = [int(path.name[:4]) for path in RECORDS]

    assert numbers == list(range(1, len(RECORDS) + 1))


@pytest.mark.parametrize("record", RECORDS, ids=lambda path: path.stem)
def test_a_record_of_a_decision_has_its_form(record: Path) -> None:
    text = record.read_text(encoding="utf-8")
    context = text.partition("## Context\n")[2].partition("\n## ")[0]

    assert text.startswith(f"# {int(record.name[:4])}. ")
    assert re.search(r"^Status: (accepted|replaced by \d+)$", text, re.MULTILINE)
    assert HEADING.findall(text)[1:] == [
        "Context",
        "Decision",
        "Consequences",
        "Alternatives",
    ]
    assert "We will " in text.partition("## Decision\n")[2]
    assert len(context.strip().split("\n\n")) <= 3


@pytest.mark.parametrize(
    ("command", "output"),
    [run for run in console_blocks(ROOT / "README.md") if run[1].strip()],
    ids=lambda text: text.split("\n")[0][:40],
)
def test_what_the_readme_shows_is_what_happens(command: str, output: str) -> None:
    program, *arguments = shlex.split(command)
    assert program == "undisclosed"

    done = subprocess.run(
        [sys.executable, "-m", "undisclosed", *arguments],
        cwd=ROOT / "examples",
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stdout == output
    assert done.stderr == ""


def test_the_readme_shows_the_main_use() -> None:
    commands = [command for command, _ in console_blocks(ROOT / "README.md")]

    assert "undisclosed check newsletter.eml" in commands


def test_no_document_names_a_picture_that_is_missing_or_empty() -> None:
    pictures = [
        (page.parent / link)
        for page in PAGES
        for link in LINK.findall(page.read_text(encoding="utf-8"))
        if link.endswith(".png")
    ]

    assert pictures
    assert all(picture.stat().st_size > 1000 for picture in pictures)
