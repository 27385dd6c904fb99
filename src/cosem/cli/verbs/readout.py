"""Read what a meter shows as text (IEC 62056-21, modes A to D), through an optical head or a converter.

The meter is called at 300 baud 7E1, says who it is, agrees on a rate and sends its readout. The exit status is 1 where
the readout is empty.
"""

from __future__ import annotations

import argparse
from typing import Final

from cosem.cli.connection import quiet_logging
from cosem.cli.data_sets import AsText, facts_of, rows_of
from cosem.cli.recording import add_record_option, recording_each
from cosem.types.text import printable

__all__ = ["EXAMPLES", "add_arguments", "run"]

EXAMPLES: Final = (
    ("cosem readout serial:///dev/ttyUSB0", "an optical head"),
    ("cosem readout tcp://10.0.0.7:7000 --json", "a converter in the network"),
    ("cosem readout serial:///dev/ttyUSB0 --listen", "a meter that sends by itself (mode D)"),
)
_SECONDS: Final = 120.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the verb."""
    parser.add_argument(
        "url", metavar="URL", help="serial:///dev/ttyUSB0, rfc2217://HOST:PORT or tcp://HOST:PORT"
    )
    parser.add_argument(
        "--listen", action="store_true", help="do not call: the meter sends by itself (mode D)"
    )
    parser.add_argument(
        "--limit", metavar="SECONDS", type=float, default=_SECONDS, help="stop after so long (default 120)"
    )
    add_record_option(parser)


def run(options: argparse.Namespace) -> int:
    """Read out, and show each data set."""
    from cosem.cli.output import Column, print_json, print_table
    from cosem.connecting.reading_out import read_out

    with quiet_logging(), recording_each(options.record) as observing:
        readout = read_out(
            options.url,
            listen=options.listen,
            timeout=options.limit,
            observing=None if observing is None else lambda address: AsText(observing(address)),
        )
    said = readout.identification
    if options.json:
        print_json(
            {
                "manufacturer": said.manufacturer,
                "identification": said.text,
                "mode": said.mode,
                "checked": readout.checked,
                "values": [facts_of(each) for each in readout.data_sets],
            }
        )
    else:
        checked = "" if readout.checked else "; no block check"
        print(f"{printable(f'{said.manufacturer} {said.text}')}, mode {said.mode}{checked}")
        print_table(
            (Column("address"), Column("value", right=True), Column("unit")),
            rows_of(readout.data_sets),
        )
    return 0 if readout.data_sets else 1
