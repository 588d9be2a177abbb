"""The operator's guide, held against the code: what its tables list, where links lead, that its commands can be typed."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from sft.model.access import ROLE_PERMISSIONS, Permission, Reach, Role
from sft.model.rights import ASKED_RIGHTS, About
from tests.guide_tables import bounds, codes
from tests.typed import SAMPLES, parse

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.glob("*.md"))
README = (ROOT / "README.md").read_text("utf-8")
REFERENCE = (DOCS / "reference.md").read_text("utf-8")
SITE = (DOCS / "site" / "mkdocs.yml").read_text("utf-8")
# A line of a block: who types it, then what.
TYPED = re.compile(r"^(?:\w*\$|#) (.*)$")
RENEW = "python -m tests.guide_tables writes the tables of the reference anew"
PIPES = re.compile(r" [>|] | && |; ")


def _table(heading: str) -> list[str]:
    part = REFERENCE.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    return [line for line in part.splitlines() if line.startswith("| ")][1:]


def _anchor(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")


def _anchors(page: Path) -> set[str]:
    return {_anchor(each) for each in re.findall(r"^#+ (.*)$", page.read_text("utf-8"), re.MULTILINE)}


def test_the_reference_has_every_error_as_the_code_has_it() -> None:
    assert _table("Codes of errors") == codes(), RENEW


def test_the_reference_has_every_limit_as_the_code_has_it() -> None:
    assert _table("Limits") == bounds(), RENEW


def test_the_reference_has_the_exit_statuses_of_the_readme_which_are_those_of_the_code() -> None:
    rows = README.partition("| status | means")[2].split("\n\n")[0].splitlines()
    assert _table("Exit statuses") == [line for line in rows if line.startswith("| ")]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_each_link_of_a_page_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text("utf-8")):
        if "://" not in target:
            name, _, anchor = target.partition("#")
            found = page.parent / name if name else page
            assert found.is_file(), target
            assert not anchor or anchor in _anchors(found), target


def test_the_site_has_every_page_once() -> None:
    assert sorted(re.findall(r": ([\w-]+\.md)$", SITE, re.MULTILINE)) == [page.name for page in PAGES]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_a_page_says_to_type_can_be_typed(page: Path) -> None:
    text = page.read_text("utf-8")
    lines = [
        found[1]
        for block in re.findall(r"```console\n(.*?)```", text, re.DOTALL)
        for line in block.splitlines()
        if (found := TYPED.match(line))
    ]
    lines += re.findall(r"^    (sftd? .*)$", text, re.MULTILINE)
    for line in lines:
        words = shlex.split(PIPES.split(line)[0].partition("  #")[0])
        if words and words[0] in {"sft", "sftd"}:
            parse([SAMPLES.get(word, word) for word in words])
    for named in re.findall(r"`(sftd? [^`]*)`", text):
        words = shlex.split(" ".join(named.split()))
        parse([SAMPLES.get(word, word) for word in words], whole=False)


# Of each row of the table of rights what it speaks of; "their own" is what a permission reaches that reaches one's own.
RIGHTS = {
    "list and get": {
        Permission.FILE_LIST, Permission.FILE_READ, Permission.USER_LIST, Permission.LOG_READ,
    },
    "replace, rename": {Permission.FILE_WRITE, Permission.FILE_DELETE},
    "see who downloaded": {Permission.DOWNLOAD_READ},
    "invite, add": {Permission.INVITATION_MANAGE, Permission.USER_MANAGE, Permission.ROLE_CHANGE},
}  # fmt: skip


def test_the_table_of_rights_is_that_of_the_code() -> None:
    page = (DOCS / "rights.md").read_text("utf-8")
    reached = {"yes": Reach.ALL, "everybody's": Reach.ALL, "their own": Reach.OWN, "no": None}
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in page.splitlines() if line.startswith("| ")
    ]
    table = {row[0]: dict(zip((Role.ADMIN, Role.MAINTAINER, Role.GUEST), row[1:], strict=True)) for row in rows[1:6]}
    for begins, permissions in RIGHTS.items():
        (cells,) = [cells for row, cells in table.items() if row.startswith(begins)]
        for role, cell in cells.items():
            assert {ROLE_PERMISSIONS[role].get(each) for each in permissions} == {reached[cell]}, (begins, role)


def test_the_page_of_rights_has_every_act_that_can_be_asked_about() -> None:
    page = (DOCS / "rights.md").read_text("utf-8")
    cells = page.partition("| about a path")[2].splitlines()[2].strip("|").split("|")
    named = [re.findall(r"`([\w-]+)`", cell) for cell in cells]
    assert named == [[act for act, right in ASKED_RIGHTS.items() if right.about is about] for about in About]
