"""The status page claims nothing that no test of this repository shows."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROWS = [
    [cell.strip() for cell in line.strip("| \n").split("|")]
    for line in (ROOT / "docs" / "status.md").read_text(encoding="utf-8").splitlines()
    if line.startswith("|") and not line.startswith(("|---", "| clause"))
]


def test_every_row_has_its_four_cells() -> None:
    assert len(ROWS) > 150
    assert {len(row) for row in ROWS} <= {3, 4}  # the last cell may be empty


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_what_is_claimed_is_proven(row: list[str]) -> None:
    implemented, proofs = row[2], re.findall(r"`(tests/[^`]+)`", row[3] if len(row) > 3 else "")
    assert (implemented == "no") == (not proofs), "a claim needs a proof, a proof needs a claim"
    for proof in proofs:
        path, _, name = proof.partition("::")
        assert (ROOT / path).exists(), proof
        if name:
            assert re.search(
                rf"^\s*(async )?def {name}\b", (ROOT / path).read_text(encoding="utf-8"), re.MULTILINE
            ), proof


def rows_of(section: str) -> list[list[str]]:
    page = (ROOT / "docs" / "status.md").read_text(encoding="utf-8")
    text = page.split(f"\n## {section}", 1)[1].split("\n## ", 1)[0]
    return [row for row in ROWS if f"| {row[0]} | {row[1]} |" in text]


def test_every_class_and_version_has_its_place_among_the_families() -> None:
    from cosem.classes.registry import CLASSES, title_of

    claimed = {
        (row[0], title, int(class_id), int(version))
        for row in rows_of("Interface classes and OBIS")
        if row[0].islower()
        for title, class_id, versions in re.findall(r"([^;]+) \((\d+) v([\d, ]+)\)", row[1])
        for version in versions.split(",")
    }
    assert {(family, title.strip(), *key) for family, title, *key in claimed} == {
        (family, title_of(class_id), class_id, version)
        for (class_id, version), (family, _) in CLASSES.items()
    }


def test_every_class_that_behaves_has_its_row() -> None:
    from cosem.server.objects.making import _BEHAVIOURS

    numbers = {
        int(number)
        for row in rows_of("What objects of a server do by themselves")
        for number in re.findall(r"\d+", row[0])
    }
    associations, security, protection = {12, 15}, {64}, {30}  # made with the device, not by number
    assert numbers == _BEHAVIOURS.keys() | associations | security | protection


def test_the_page_of_the_mapper_has_every_row_that_is_tested_and_no_other() -> None:
    from tests.association.short_names import test_mapping

    page = (ROOT / "docs" / "explanation" / "mapper.md").read_text(encoding="utf-8")
    rows = [*test_mapping.ROWS, *test_mapping.UNCONFIRMED, *test_mapping.REPORTS]
    assert re.findall(r"`\[(T\d\d [^`]+)\]` \|$", page, re.MULTILINE) == rows
    for test in re.findall(r"`(test_\w+)`", page):
        assert hasattr(test_mapping, test), test
