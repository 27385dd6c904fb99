"""Read what a meter shows as text (IEC 62056-21, modes A to D), through an optical head or a converter.

The meter is called at 300 baud 7E1, says who it is, agrees on a rate and sends its readout. The exit status is 1 where
the readout is empty.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any, Final

from cosem.cli.connection import quiet_logging
from cosem.cli.recording import add_record_option, recording_each
from cosem.transport.observing import Observer
from cosem.types.text import printable

if TYPE_CHECKING:
    from cosem.link.iec62056_21 import DataSet
    from cosem.transport.recording import Recorder

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
            observing=None if observing is None else lambda address: _AsText(observing(address)),
        )
    said = readout.identification
    if options.json:
        print_json(
            {
                "manufacturer": said.manufacturer,
                "identification": said.text,
                "mode": said.mode,
                "checked": readout.checked,
                "values": [_facts(each) for each in readout.data_sets],
            }
        )
    else:
        checked = "" if readout.checked else "; no block check"
        print(f"{printable(f'{said.manufacturer} {said.text}')}, mode {said.mode}{checked}")
        print_table(
            (Column("address"), Column("value", right=True), Column("unit")),
            [
                tuple(map(printable, (each.address, value.text, value.unit)))
                for each in readout.data_sets
                for value in each.values
            ],
        )
    return 0 if readout.data_sets else 1


class _AsText(Observer):
    """Records a readout: text without secrets, of which no part is a frame."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    def octets_sent(self, octets: bytes) -> None:
        """Record what goes to the meter."""
        self._recorder.text(octets, sent=True)

    def octets_received(self, octets: bytes) -> None:
        """Record what came from the meter."""
        self._recorder.text(octets, sent=False)


def _facts(each: DataSet) -> dict[str, Any]:
    name = each.logical_name
    return {
        "address": each.address,
        "obis": None if name is None else str(name),
        "values": [{"text": value.text, "value": value.number, "unit": value.unit} for value in each.values],
    }
