"""Reconnect the premises to the supply: remote_reconnect of the switch.

The state is shown and a confirmation asked for; --yes does without. Depending on the control mode, somebody has
to press the button of the meter then: its state is ready for reconnection.
"""

from __future__ import annotations

import argparse
from typing import Final

from cosem.cli.switching import add_switch_arguments, switch

__all__ = ["EXAMPLES", "add_arguments", "run"]

EXAMPLES: Final = (
    ("cosem reconnect sim: --client 1 --password 87654321 --yes", "without asking"),
    ("cosem reconnect sim: 0-0:96.3.10 --client 1 --password 87654321 --yes --json", "for machines"),
    ("cosem reconnect tcp://10.0.0.7 --client 1 --password -", "asks for password and confirmation"),
)
_METHOD: Final = 2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the verb."""
    add_switch_arguments(parser)


def run(options: argparse.Namespace) -> int:
    """Reconnect."""
    return switch(options, _METHOD, "reconnect")
