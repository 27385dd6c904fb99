"""Read the demonstration meter as if it were a real one, and say what happens.

A simulated household meter is started in this process. It is then reached through TCP, with the associations and
services of the standard: identity, clock, registers with their units, and a day of load profile in blocks. The
association is that of a head-end: both sides prove to have the keys (HLS-GMAC), and every message is encrypted and
authenticated. The keys are those of the demonstration, which everybody knows.
"""

from __future__ import annotations

import argparse
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from cosem.cli.output import can_show, console, human
from cosem.cli.recording import Observers, add_record_option, recorded
from cosem.transport.observing import Observer

if TYPE_CHECKING:
    from cosem.client.blocking import Client
    from cosem.client.profile_table import ProfileTable
    from cosem.client.results import Reading, Result

__all__ = ["EXAMPLES", "add_arguments", "run"]

EXAMPLES: Final = (
    ("cosem demo", "see it work"),
    ("cosem demo --json", "the same for machines"),
)
_IDENTITY: Final = ("0-0:42.0.0", "0-0:96.1.0", "1-0:0.2.0")
_REGISTERS: Final = (
    "1-0:1.8.0",
    "1-0:1.8.1",
    "1-0:1.8.2",
    "1-0:2.8.0",
    "1-0:1.7.0",
    "1-0:32.7.0",
    "1-0:52.7.0",
    "1-0:72.7.0",
    "1-0:14.7.0",
)
_PROFILE: Final = "1-0:99.1.0"
_IMPORT, _EXPORT = "1-0:1.8.0", "1-0:2.8.0"
_HALF_HOURS: Final = 48


class _Counter(Observer):
    """Counts what a day of load profile costs."""

    def __init__(self) -> None:
        self.messages = 0
        self.octets = 0

    def apdu_received(self, apdu: bytes) -> None:
        self.octets += len(apdu)
        self.messages += 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the verb."""
    add_record_option(parser)


def run(options: argparse.Namespace) -> int:
    """Start the meter, read it, and show what came."""
    from cosem.cli.connection import quiet_logging
    from cosem.connecting.demonstration import DEMONSTRATION_CLIENT
    from cosem.server import demonstration_meter, serve_in_thread

    counter = _Counter()
    options.client, options.server = DEMONSTRATION_CLIENT, None
    with (
        quiet_logging(),
        serve_in_thread(demonstration_meter()) as options.url,
        recorded(options, ()) as recorder,
    ):
        observer = Observers([counter] if recorder is None else [counter, recorder])
        if options.json:
            with _connected(options.url, observer) as meter:
                _as_json(options.url, meter)
            return 0
        _say("A simulated meter of a household now listens at", options.url)
        with _connected(options.url, observer) as meter:
            _tell(meter, counter)
    _farewell()
    return 0


def _connected(url: str, observer: Observer) -> Client:
    """Return the client that has keys."""
    from cosem.connecting import connect
    from cosem.connecting.demonstration import DEMONSTRATION_CLIENT, demonstration_security

    return connect(url, client=DEMONSTRATION_CLIENT, security=demonstration_security(), observer=observer)


def _tell(meter: Client, counter: _Counter) -> None:
    """Read what a newcomer wants to see, step by step."""
    agreed = meter.negotiated
    size = agreed.server_max_receive_pdu_size
    print(
        f"An association with it is open, as client {meter.parameters.client_sap}, which manages the meter. Both\n"
        f"sides have proved that they hold the keys, by high level security with GMAC;\n"
        f"every message is encrypted and authenticated (AES-GCM-128). The keys are those\n"
        f"of the demonstration, and no secret. Both agreed on {len(meter.conformance.names())} services, and on\n"
        f"messages of up to {size:,} octets."
    )
    _heading("Who are you?", "three objects, one request")
    _show_values(meter.read_many(_IDENTITY))

    _heading("What time is it?", "the clock, 0-0:1.0.0")
    clock = meter.clock()
    print(f"{human(clock)}")

    _heading("What does it measure?", "registers, with the unit that the meter gives")
    _show_values(meter.read_many(_REGISTERS))

    counter.messages = counter.octets = 0
    table = _yesterday(meter, clock)
    _heading("How was yesterday?", f"load profile {_PROFILE}, one row every quarter of an hour")
    how = f"in {counter.messages} messages" if counter.messages != 1 else "in one message"
    print(f"{len(table)} rows, {counter.octets:,} octets {how}, {_selected(table)}.\n")
    _plot(table)
    print()
    _table_of_day(table)


def _yesterday(meter: Client, clock: Any) -> ProfileTable:
    """Return the rows of yesterday by the clock of the meter, both midnights included."""
    midnight = clock.to_datetime().replace(tzinfo=None, hour=0, minute=0, second=0, microsecond=0)
    return meter.profile(_PROFILE).read(since=midnight - timedelta(days=1), until=midnight)


def _selected(table: ProfileTable) -> str:
    if table.selected_by == "range":
        return "chosen in the meter by their time"
    return (
        "chosen in the meter by their number" if table.selected_by == "entry" else "chosen here from all rows"
    )


def _say(text: str, emphasis: str) -> None:
    colour = console()
    if colour is None:
        print(f"{text} {emphasis}.")
        return
    from rich.text import Text

    colour.print(Text.assemble(text, " ", (emphasis, "cyan"), "."))


def _heading(question: str, explanation: str) -> None:
    colour = console()
    if colour is None:
        print(f"\n{question} ({explanation})")
        return
    from rich.text import Text

    colour.print(Text.assemble("\n", (question, "bold yellow"), ("  " + explanation, "dim")))


def _show_values(results: list[Result[Reading]]) -> None:
    from cosem.cli.verbs.read import show_readings

    show_readings(results)


def _steps(table: ProfileTable, key: str) -> list[Decimal]:
    """Return what each quarter of an hour added to a total."""
    totals = table.column(key)
    return [Decimal(after - before) for before, after in pairwise(totals)]


def _plot(table: ProfileTable) -> None:
    from cosem.cli.plot import columns

    watts = [float(step) * 4 for step in _steps(table, _IMPORT)]
    if len(watts) < 2:
        return
    blocks = can_show("▁█│└─")
    rows = columns(watts, width=_HALF_HOURS, height=5, blocks=blocks)
    halves = [sum(watts[index : index + 2]) / 2 for index in range(0, len(watts), 2)]
    labels = [f"{max(halves):,.0f} W", *[""] * (len(rows) - 1)]
    side, corner, line = ("│", "└", "─") if blocks else ("|", "+", "-")
    colour = console()
    for label, row in zip(labels, rows, strict=True):
        _bar(colour, f"{label:>9} {side}", row.rstrip())
    print(f"{'0':>9} {corner}{line * len(rows[0])}")
    hours = "".join(f"{hour:<6}" for hour in range(0, 24, 3))
    print(f"{'':>11}{hours}24 o'clock")


def _bar(colour: Any, label: str, row: str) -> None:
    if colour is None:
        print(f"{label}{row}")
        return
    from rich.text import Text

    colour.print(Text.assemble((label, "dim"), (row, "green")))


def _table_of_day(table: ProfileTable) -> None:
    """Write what was imported and exported in parts of the day."""
    from cosem.cli.output import Column, print_table

    clock = table.layout.clock
    moments = table.column(clock) if clock is not None else []
    imported, exported = table.column(_IMPORT), table.column(_EXPORT)
    unit = next(column.unit for column in table.columns if column.key == _IMPORT)
    rows = []
    for first in range(0, len(table) - 1, 12):
        last = min(first + 12, len(table) - 1)
        rows.append(
            (
                f"{_hour(moments[first])} to {_hour(moments[last])}",
                human(imported[last] - imported[first]),
                human(exported[last] - exported[first]),
            )
        )
    rows.append(("the whole day", human(imported[-1] - imported[0]), human(exported[-1] - exported[0])))
    print_table(
        (
            Column("yesterday"),
            Column(f"imported, {unit}", right=True),
            Column(f"exported, {unit}", right=True),
        ),
        rows,
    )


def _hour(moment: Any) -> str:
    return f"{moment:%H:%M}" if isinstance(moment, datetime) else human(moment)


def _farewell() -> None:
    print(
        "\nNext, on the same meter:\n"
        "  cosem objects sim:                          everything that it has\n"
        "  cosem read sim: 1-0:1.8.0 --json            one value, for programs\n"
        "  cosem profile sim: 1-0:99.1.0 --last 7d     a week as a table\n"
        "  cosem get -vv sim: 0-0:1.0.0                every octet explained\n"
        "  cosem read sim: 1-0:1.8.0 --client 2 --keys demo\n"
        "                                              ciphered, as it was just now\n"
        "A real one: tcp://HOST instead of sim:"
    )


def _as_json(url: str, meter: Client) -> None:
    from cosem.cli.facts import reading_facts
    from cosem.cli.output import plain, print_json
    from cosem.cli.profiles import profile_facts

    clock = meter.clock()
    print_json(
        {
            "url": url,
            "client": meter.parameters.client_sap,
            "authentication": "HLS-GMAC",
            "protection": "authenticated encryption",
            "services": list(meter.conformance.names()),
            "identity": [reading_facts(result.value) for result in meter.read_many(_IDENTITY)],
            "clock": plain(clock),
            "registers": [reading_facts(result.value) for result in meter.read_many(_REGISTERS)],
            "profile": profile_facts(_yesterday(meter, clock)),
        }
    )
