"""Draws the control functions from the tables that the code runs, so that drawing and code cannot differ.

The directive ``control-function`` takes the name of a module attribute that holds a table
``{(state, event): state}`` and puts an SVG drawing and the table itself into the page.
"""

from __future__ import annotations

import importlib
import math
from collections import defaultdict
from html import escape
from typing import Any

from docutils import nodes
from docutils.parsers.rst import Directive

RADIUS = 190
BOX = (150, 40)


class ControlFunction(Directive):
    """``.. control-function:: package.module:TABLE``."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        module, _, attribute = self.arguments[0].partition(":")
        table = getattr(importlib.import_module(module), attribute)
        arrows = defaultdict(list)
        for (state, event), target in table.items():
            arrows[spoken(state), spoken(target_state(target))].append(spoken(event))
        return [nodes.raw("", drawing(arrows), format="html"), listing(arrows)]


def target_state(target: Any) -> Any:
    """Return the state of an entry: tables may give the state alone or the state among other facts."""
    if isinstance(target, tuple):
        return target[0]
    return getattr(target, "state", target)


def spoken(name: Any) -> str:
    """Return a member of an enumeration as the standard would print it."""
    return str(getattr(name, "name", name)).replace("_", " ")


def drawing(arrows: dict[tuple[str, str], list[str]]) -> str:
    """Return an SVG with the states on a circle and a numbered arrow for each pair of states."""
    states = list(dict.fromkeys(state for pair in arrows for state in pair))
    middle, place = RADIUS + 110, {}
    for index, state in enumerate(states):
        angle = 2 * math.pi * index / len(states) - math.pi / 2
        place[state] = (middle + RADIUS * 1.15 * math.cos(angle), RADIUS + 50 + RADIUS * math.sin(angle))
    head = (
        f'<svg viewBox="0 0 {2 * middle} {2 * RADIUS + 100}" role="img" style="max-width:44rem" '
        'font-family="sans-serif" font-size="12" fill="currentColor" stroke="none">'
        '<defs><marker id="tip" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" '
        'orient="auto-start-reverse"><path d="M0 0L10 5L0 10z"/></marker></defs>'
    )
    parts = [head]
    for number, (source, target) in enumerate(arrows, 1):
        parts.append(arrow(number, place[source], place[target]))
    for state, (x, y) in place.items():
        parts.append(
            f'<rect x="{x - BOX[0] / 2:.0f}" y="{y - BOX[1] / 2:.0f}" width="{BOX[0]}" height="{BOX[1]}" rx="8" '
            'fill="var(--color-background-secondary, #eee)" stroke="currentColor"/>'
            f'<text x="{x:.0f}" y="{y + 4:.0f}" text-anchor="middle">{escape(state)}</text>'
        )
    return "".join([*parts, "</svg>"])


def arrow(number: int, start: tuple[float, float], stop: tuple[float, float]) -> str:
    """Return one numbered arrow, bent to its left so that the way back is another line."""
    (x1, y1), (x2, y2) = start, stop
    if start == stop:
        x, y = x1 + BOX[0] / 2, y1
        path, (tx, ty) = f"M{x:.0f} {y - 8:.0f}c45 -25 45 41 0 16", (x + 40, y + 4)
    else:
        dx, dy = x2 - x1, y2 - y1
        size = math.hypot(dx, dy)
        bend_x, bend_y = (x1 + x2) / 2 + 40 * dy / size, (y1 + y2) / 2 - 40 * dx / size
        (ax, ay), (bx, by) = edge(start, (bend_x, bend_y)), edge(stop, (bend_x, bend_y))
        path = f"M{ax:.0f} {ay:.0f}Q{bend_x:.0f} {bend_y:.0f} {bx:.0f} {by:.0f}"
        tx, ty = (ax + 2 * bend_x + bx) / 4, (ay + 2 * bend_y + by) / 4
    return (
        f'<path d="{path}" fill="none" stroke="currentColor" marker-end="url(#tip)"/>'
        f'<circle cx="{tx:.0f}" cy="{ty:.0f}" r="10" fill="var(--color-background-primary, #fff)" '
        f'stroke="currentColor"/><text x="{tx:.0f}" y="{ty + 4:.0f}" text-anchor="middle">{number}</text>'
    )


def edge(centre: tuple[float, float], towards: tuple[float, float]) -> tuple[float, float]:
    """Return where the line from the centre of a box to a point leaves the box."""
    dx, dy = towards[0] - centre[0], towards[1] - centre[1]
    scale = min(
        BOX[0] / 2 / abs(dx) if dx else math.inf,
        BOX[1] / 2 / abs(dy) if dy else math.inf,
    )
    return centre[0] + dx * scale, centre[1] + dy * scale


def listing(arrows: dict[tuple[str, str], list[str]]) -> nodes.Node:
    """Return the transitions as a table, numbered as in the drawing."""
    table = nodes.table()
    group = nodes.tgroup(cols=4)
    table += group
    for width in (6, 20, 20, 54):
        group += nodes.colspec(colwidth=width)
    head, body = nodes.thead(), nodes.tbody()
    group += head
    group += body
    head += row("", "from", "to", "moved by")
    for number, ((source, target), events) in enumerate(arrows.items(), 1):
        body += row(str(number), source, target, ", ".join(dict.fromkeys(events)))
    return table


def row(*cells: str) -> nodes.row:
    """Return one row of text cells."""
    made = nodes.row()
    for cell in cells:
        entry = nodes.entry()
        entry += nodes.paragraph(text=cell)
        made += entry
    return made


def setup(app: Any) -> dict[str, Any]:
    """Register the directive."""
    app.add_directive("control-function", ControlFunction)
    return {"parallel_read_safe": True}
