"""What disconnecting and reconnecting have in common: the question before, the state before and after."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any, Final

from cosem.cli.connection import add_connection_options, connected, logical_name
from cosem.errors import ConfigurationError

if TYPE_CHECKING:
    from cosem.classes.standard.disconnect_control import ControlState
    from cosem.client.blocking import Client
    from cosem.types.logical_name import LogicalName

__all__ = ["add_switch_arguments", "switch"]

_CLASS: Final = 70
_OUTPUT, _STATE = 2, 3
_DEFAULT: Final = "0-0:96.3.10"


def add_switch_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of both verbs."""
    add_connection_options(parser)
    parser.add_argument(
        "name",
        metavar="OBIS",
        nargs="?",
        type=logical_name,
        help=f"the Disconnect control object (default {_DEFAULT})",
    )
    parser.add_argument("--yes", action="store_true", help="do it without asking")


def switch(options: argparse.Namespace, method: int, verb: str) -> int:
    """Ask, call the method, and show what the switch says afterwards.

    Raises:
        ConfigurationError: Nobody can be asked, or the answer is no.
        ActionError: The meter refused.
    """
    from cosem.types.logical_name import LogicalName

    name = options.name or LogicalName(_DEFAULT)
    if not options.yes and (sys.stdin is None or not sys.stdin.isatty()):
        raise ConfigurationError(f"nobody is here to confirm: --yes says to {verb} without asking")
    with connected(options) as meter:
        before = _state(meter, name)
        if not options.yes and not _confirmed(meter, before, verb):
            raise ConfigurationError(f"not confirmed: nothing was done, the switch is {_word(before)}")
        meter.call(name, method, class_id=_CLASS)
        after = _state(meter, name)
        output = meter.get(name, _OUTPUT, class_id=_CLASS)
    if options.json:
        from cosem.cli.output import print_json

        facts: dict[str, Any] = {
            "obis": str(name),
            "before": _word(before),
            "state": _word(after),
            "output": bool(output),
        }
        print_json(facts)
    else:
        print(f"{_word(after)} (was {_word(before)}); the supply is {'on' if output else 'off'}")
    return 0


def _state(meter: Client, name: LogicalName) -> ControlState:
    from cosem.classes.standard.disconnect_control import ControlState

    value: Any = meter.get(name, _STATE, class_id=_CLASS)
    return ControlState(int(value))


def _word(state: ControlState) -> str:
    return str(state.name).lower().replace("_", " ")


def _confirmed(meter: Client, before: ControlState, verb: str) -> bool:
    """Ask on standard error, so that standard output stays what was asked for."""
    print(f"{verb} {meter.peer}, which is {_word(before)} now? [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in {"y", "yes"}
