"""A tree in the terminal whose branches open and close: arrow keys, Page keys, Enter; q leaves.

What is shown and what a key does is worked out in :class:`Browser`, which knows no terminal;
:func:`browse` puts it on the screen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from cosem.cli.verbs.tree import Branch

__all__ = ["Browser", "browse"]

_INDENT: Final = "  "


class Browser:
    """Where somebody is in a tree.

    Args:
        root: The tree.
        opening: Called with a branch before it opens for the first time.

    Attributes:
        place: The line that is chosen, from 0 on.
        top: The first line on the screen.
    """

    def __init__(self, root: Branch, opening: Callable[[Branch], None]) -> None:
        self.root = root
        self.place = self.top = 0
        self._opening = opening
        self._seen: set[int] = set()
        root.opened = True
        for branch in root.children:
            branch.opened = True

    def lines(self) -> list[tuple[int, Branch]]:
        """Return the lines that show, each with its depth."""
        return list(self._below(self.root, 0))

    def _below(self, branch: Branch, depth: int) -> Iterator[tuple[int, Branch]]:
        yield depth, branch
        if branch.opened:
            for child in branch.children:
                yield from self._below(child, depth + 1)

    def press(self, key: str, height: int) -> bool:
        """Do what a key means, and return whether to go on.

        Args:
            key: ``up``, ``down``, ``left``, ``right``, ``enter``, ``page up``, ``page down``, ``home``, ``end``, ``quit``.
            height: How many lines the screen has.
        """
        lines = self.lines()
        depth, branch = lines[self.place]
        moves = {
            "up": self.place - 1,
            "down": self.place + 1,
            "page up": self.place - height,
            "page down": self.place + height,
            "home": 0,
            "end": len(lines) - 1,
        }
        if key == "quit":
            return False
        if key == "enter":
            key = "left" if branch.opened else "right"
        if key == "right":
            self._open(branch)
        elif key == "left" and branch.opened and branch.children:
            branch.opened = False
        elif key == "left":
            above = [place for place in range(self.place) if lines[place][0] < depth]
            self.place = above[-1] if above else 0
        else:
            self.place = min(max(moves.get(key, self.place), 0), len(lines) - 1)
        self.top = min(max(self.top, self.place - height + 1), self.place)
        return True

    def _open(self, branch: Branch) -> None:
        if id(branch) not in self._seen:
            self._seen.add(id(branch))
            self._opening(branch)
        branch.opened = bool(branch.children)

    def screen(self, height: int, width: int) -> list[tuple[str, bool]]:
        """Return the lines on the screen, and which of them is chosen."""
        shown = self.lines()[self.top : self.top + height]
        return [
            (_line(depth, branch)[: max(width - 1, 0)], self.top + row == self.place)
            for row, (depth, branch) in enumerate(shown)
        ]


def _line(depth: int, branch: Branch) -> str:
    sign = " " if not branch.children else "-" if branch.opened else "+"
    text = "".join(each if each.isprintable() else "?" for each in branch.text)
    return f"{_INDENT * depth}{sign} {text}"


def browse(root: Branch, opening: Callable[[Branch], None]) -> None:
    """Let somebody look around in a tree.

    Args:
        root: The tree.
        opening: Called with a branch before it opens for the first time.
    """
    import curses

    browser = Browser(root, opening)
    keys = {
        curses.KEY_UP: "up",
        curses.KEY_DOWN: "down",
        curses.KEY_LEFT: "left",
        curses.KEY_RIGHT: "right",
        curses.KEY_PPAGE: "page up",
        curses.KEY_NPAGE: "page down",
        curses.KEY_HOME: "home",
        curses.KEY_END: "end",
        curses.KEY_ENTER: "enter",
        ord("\n"): "enter",
        ord(" "): "enter",
        ord("q"): "quit",
        27: "quit",
    }

    def show(window: Any) -> None:
        curses.curs_set(0)
        while True:
            height, width = window.getmaxyx()
            window.erase()
            for row, (text, chosen) in enumerate(browser.screen(height, width)):
                window.addnstr(row, 0, text, width - 1, curses.A_REVERSE if chosen else 0)
            window.refresh()
            if not browser.press(keys.get(window.getch(), ""), height):
                return

    curses.wrapper(show)
