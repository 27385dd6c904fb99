"""Progress of work that knows its end: one line on standard error that goes away, where somebody looks."""

from __future__ import annotations

import sys
from contextlib import suppress
from types import TracebackType
from typing import Final, Self

__all__ = ["Progressing"]

_CLEAR: Final = "\r\x1b[K"
_WIDTH: Final = 30


class Progressing:
    """Shows how much is done; call it with what is done and how much there is.

    Args:
        what: What is counted, in the plural.
    """

    def __init__(self, what: str) -> None:
        self._what = what
        self._shown = -1
        self._wanted = sys.stderr is not None and sys.stderr.isatty()

    def __call__(self, done: int, total: int) -> None:
        """Show the progress, at most once for each of a hundred parts."""
        part = 100 * done // max(total, 1)
        if self._wanted and part != self._shown:
            self._shown = part
            full = _WIDTH * part // 100
            self._write(f"{_CLEAR}[{'=' * full}{' ' * (_WIDTH - full)}] {done:,} of {total:,} {self._what}")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._shown >= 0:
            self._write(_CLEAR)

    @staticmethod
    def _write(text: str) -> None:
        with suppress(OSError):
            sys.stderr.write(text)
            sys.stderr.flush()
