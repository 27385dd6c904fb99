"""Disconnect the premises from the supply: remote_disconnect of the switch.

The state is shown and a confirmation asked for; --yes does without. Whoever lives there sits in the dark then.
"""

from __future__ import annotations

import argparse
from typing import Final

from cosem.cli.switching import add_switch_arguments, switch

__all__ = ["EXAMPLES", "add_arguments", "run"]

EXAMPLES: Final = (
    ("cosem disconnect sim: --client 1 --password 87654321 --yes", "without asking"),
    ("cosem disconnect sim: 0-0:96.3.10 --client 1 --password 87654321 --yes --json", "for machines"),
    ("cosem disconnect tcp://10.0.0.7 --client 1 --password -", "asks for password and confirmation"),
)
_METHOD: Final = 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the verb."""
    add_switch_arguments(parser)


def run(options: argparse.Namespace) -> int:
    """Disconnect."""
    return switch(options, _METHOD, "disconnect")
