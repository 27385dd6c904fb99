"""The command line: ``cosem VERB ...``, one module of :mod:`cosem.cli.verbs` for each verb."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status; nothing is raised.

    Args:
        arguments: The words after ``cosem``; those of the process by default.

    Returns:
        0 on success, 1 on failure, 2 on wrong usage, 130 when interrupted.
    """
    try:
        from cosem.cli.frame import run
    except KeyboardInterrupt:
        return 130
    return run(arguments)
