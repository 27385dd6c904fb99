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


def test_the_page_of_the_mapper_has_every_row_that_is_tested_and_no_other() -> None:
    from tests.association.short_names import test_mapping

    page = (ROOT / "docs" / "explanation" / "mapper.md").read_text(encoding="utf-8")
    rows = [*test_mapping.ROWS, *test_mapping.UNCONFIRMED, *test_mapping.REPORTS]
    assert re.findall(r"`\[(T\d\d [^`]+)\]` \|$", page, re.MULTILINE) == rows
    for test in re.findall(r"`(test_\w+)`", page):
        assert hasattr(test_mapping, test), test
