"""The matrix in ``docs/interop.md``, from what a run found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

__all__ = ["PAGE", "matrix", "stated", "with_matrix"]

PAGE: Final = Path(__file__).parents[2] / "docs" / "interop.md"
_BEGIN: Final = "<!-- written by the tests: begin -->"
_END: Final = "<!-- written by the tests: end -->"

Found = Mapping[tuple[str, str], str]
"""By peer and capability: ``yes``, or why not."""


def _table(head: str, peers: Sequence[str], rows: Sequence[str], found: Found, notes: list[str]) -> list[str]:
    lines = [f"| {head} | {' | '.join(peers)} |", f"|---|{':-:|' * len(peers)}"]
    for row in rows:
        cells = []
        for peer in peers:
            outcome = found[peer, row]
            if outcome != "yes":
                if outcome not in notes:
                    notes.append(outcome)
                outcome = f"– ({notes.index(outcome) + 1})"
            cells.append(outcome)
        lines.append(f"| {row} | {' | '.join(cells)} |")
    return lines


def matrix(sections: Sequence[tuple[str, str, Sequence[str], Sequence[str]]], found: Found) -> str:
    """Return the matrix: for each section a title, a head, the peers and the capabilities."""
    notes: list[str] = []
    lines: list[str] = []
    for title, head, peers, rows in sections:
        lines += [f"## {title}", "", *_table(head, peers, rows, found, notes), ""]
    if notes:
        lines += [f"({number}) {note[0].upper()}{note[1:]}.\n" for number, note in enumerate(notes, 1)]
    return "\n".join(lines).rstrip() + "\n"


def stated() -> str:
    """Return the matrix that the page has."""
    return PAGE.read_text(encoding="utf-8").partition(_BEGIN)[2].partition(_END)[0].strip() + "\n"


def with_matrix(text: str) -> str:
    """Return the page with another matrix."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(_BEGIN)
    return f"{before}{_BEGIN}\n\n{text}\n{_END}{rest.partition(_END)[2]}"
