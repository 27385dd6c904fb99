"""The matrix in ``docs/interop.md``, from what a run found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

__all__ = ["PAGE", "Section", "matrix", "stated", "with_matrix"]

PAGE: Final = Path(__file__).parents[2] / "docs" / "interop.md"
_BEGIN: Final = "<!-- written by the tests: begin -->"
_END: Final = "<!-- written by the tests: end -->"

Section = tuple[str, str, Sequence[str], Sequence[str]]
"""A title, a head, the peers and the capabilities; head and capabilities have a cell for each part before a ``; ``."""

Found = Mapping[tuple[str, str], str]
"""By peer and capability: ``yes``, or why not."""


def _table(head: str, peers: Sequence[str], rows: Sequence[str], found: Found, notes: list[str]) -> list[str]:
    heads = head.split("; ")
    lines = [f"| {' | '.join([*heads, *peers])} |", f"{'|---' * len(heads)}|{':-:|' * len(peers)}"]
    for row in rows:
        cells = row.split("; ")
        for peer in peers:
            outcome = found[peer, row]
            if outcome != "yes":
                if outcome not in notes:
                    notes.append(outcome)
                outcome = f"– ({notes.index(outcome) + 1})"
            cells.append(outcome)
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def matrix(sections: Mapping[str, Section], found: Mapping[tuple[str, str, str], str]) -> str:
    """Return the matrix, of what was found by section, peer and capability."""
    notes: list[str] = []
    lines: list[str] = []
    for name, (title, head, peers, rows) in sections.items():
        of_section = {(peer, row): found[name, peer, row] for peer in peers for row in rows}
        lines += [f"## {title}", "", *_table(head, peers, rows, of_section, notes), ""]
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
