"""Find out how a meter is reached, and say the URL to use.

At a serial port it tries a sign-on (mode E), then HDLC from the start at the usual rates; over TCP the wrapper, HDLC,
and a sign-on; each with addresses in one, two and four octets. An association is tried with logical names, then with
short names. Nothing is written to the meter. What the URL says already, for example ?baud=9600 or ?physical=17, is not
varied.
"""

from __future__ import annotations

import argparse
import re
import sys
from typing import TYPE_CHECKING, Final

from cosem.cli.connection import converter, quiet_logging
from cosem.cli.recording import add_record_option, recording_each
from cosem.types.text import printable

if TYPE_CHECKING:
    from cosem.connecting.probing import ProbeReport, ProbeStep

__all__ = ["EXAMPLES", "add_arguments", "run"]

EXAMPLES: Final = (
    ("cosem probe sim:", "the demonstration meter"),
    ("cosem probe sim: --json", "each step, for machines"),
    ("cosem probe /dev/ttyUSB0", "an optical head"),
    ("cosem probe tcp://10.0.0.7:4059", "a meter or a modem in the network"),
)
_LIMIT: Final = 90.0
_MOST_SECONDS: Final = 86_400


def _seconds(text: str) -> float:
    from cosem.errors import ConfigurationError

    if not re.fullmatch(r"[0-9]{1,6}(\.[0-9]+)?", text) or not 0 < float(text) <= _MOST_SECONDS:
        raise ConfigurationError(f"{text!r} is no number of seconds above 0, up to {_MOST_SECONDS}")
    return float(text)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the verb."""
    parser.add_argument(
        "target", metavar="PORT|URL", help="/dev/ttyUSB0, COM3, HOST[:4059], or the URL of a meter"
    )
    parser.add_argument(
        "--limit",
        metavar="SECONDS",
        type=converter(_seconds),
        default=_LIMIT,
        help="stop after so long (default 90)",
    )
    add_record_option(parser)


def run(options: argparse.Namespace) -> int:
    """Probe, and say each step as it ends."""
    from cosem.connecting.probing import probe

    with quiet_logging(), recording_each(options.record) as observing:
        report = probe(
            options.target,
            limit=options.limit,
            on_step=None if options.json else _show,
            observing=observing,
        )
    if options.json:
        _print_json(report)
    else:
        _conclude(report)
    return 0 if report.url is not None else 1


def _show(step: ProbeStep) -> None:
    detail = f", {printable(step.detail)}" if step.detail else ""
    print(f"{step.tried}: {step.outcome}{detail} ({step.seconds:.1f} s)")
    sys.stdout.flush()


def _conclude(report: ProbeReport) -> None:
    if report.url is None:
        why = "" if report.complete else " in the time that was allowed"
        print(f"no meter answered{why}")
    elif report.associated:
        print(f"use {report.url}")
    else:
        print(f"use {report.url}; the meter wants another client, password or key")


def _print_json(report: ProbeReport) -> None:
    from cosem.cli.output import print_json

    said = report.identification
    print_json(
        {
            "url": report.url,
            "associated": report.associated,
            "complete": report.complete,
            "identification": None
            if said is None
            else {"manufacturer": said.manufacturer, "mode": said.mode, "baud": said.baud, "text": said.text},
            "steps": [
                {
                    "tried": step.tried,
                    "outcome": str(step.outcome),
                    "detail": step.detail,
                    "seconds": step.seconds,
                }
                for step in report.steps
            ],
        }
    )
