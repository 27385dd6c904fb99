"""Show the clock of a meter beside that of this computer, or set it.

--set now gives the meter the time of this computer, in the zone of the meter. A time without a zone is local time of
the meter. What the meter then shows is read back.
"""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from cosem.cli.connection import add_connection_options, connected
from cosem.errors import ConfigurationError, ConversionError

if TYPE_CHECKING:
    from cosem.client.blocking import Client
    from cosem.types.date_time import DateTime

__all__ = ["EXAMPLES", "add_arguments", "run"]

EXAMPLES: Final = (
    ("cosem clock sim:", "what time it is there"),
    ("cosem clock sim: --set now --client 1 --password 87654321", "set it by this computer"),
    (
        "cosem clock sim: --set 2026-11-25T12:00 --client 1 --password 87654321 --json",
        "for machines",
    ),
)


def _time(text: str) -> str:
    if text != "now":
        _moment(text)
    return text


def _moment(text: str) -> datetime | DateTime:
    from cosem.types.date_time import DateTime

    try:
        return datetime.fromisoformat(text)
    except ValueError:
        pass
    try:
        return DateTime.parse(text)
    except ConversionError:
        raise ConfigurationError(f"{text!r} is no time; write now or 2026-11-25T12:00+01:00") from None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the verb."""
    from cosem.cli.connection import converter

    add_connection_options(parser)
    parser.add_argument(
        "--set", dest="time", metavar="TIME", type=converter(_time), help="now, or a time in ISO 8601"
    )


def run(options: argparse.Namespace) -> int:
    """Show the clock, or set it."""
    before = None
    with connected(options) as meter:
        shown, here = _read(meter)
        if options.time is not None:
            before = shown
            meter.set_clock(_now(shown) if options.time == "now" else _moment(options.time))
            shown, here = _read(meter)
    ahead = _ahead(shown, here)
    if options.json:
        from cosem.cli.output import plain, print_json

        facts: dict[str, Any] = {
            "time": plain(shown),
            "here": here.isoformat(),
            "seconds_ahead": None if ahead is None else round(ahead, 3),
            "deviation": shown.deviation,
            "status": None if shown.status is None else int(shown.status),
        }
        if before is not None:
            facts["before"] = plain(before)
        print_json(facts)
        return 0
    from cosem.cli.output import human

    if before is not None:
        print(f"was   {human(before)}")
    print(f"meter {human(shown)}{_told(ahead)}")
    return 0


def _read(meter: Client) -> tuple[DateTime, datetime]:
    """Return the time of the meter, and that of this computer in the middle of the question."""
    asked = datetime.now(UTC)
    shown = meter.clock()
    return shown, asked + (datetime.now(UTC) - asked) / 2


def _now(shown: DateTime) -> datetime:
    """Return the present time in the zone that the meter shows; in that of this computer where it shows none."""
    now = datetime.now(UTC)
    try:
        zone = shown.to_datetime().tzinfo
    except ConversionError:
        zone = None
    return now.astimezone(zone)


def _ahead(shown: DateTime, here: datetime) -> float | None:
    """Return how many seconds the meter is ahead; ``None`` where it does not tell its zone, or no moment."""
    try:
        moment = shown.to_datetime()
    except ConversionError:
        return None
    return None if moment.tzinfo is None else (moment - here).total_seconds()


def _told(ahead: float | None) -> str:
    if ahead is None:
        return ", which tells no distance from UTC"
    if abs(ahead) < 1:
        return ", as here"
    return f", {abs(ahead):,.0f} s {'ahead of' if ahead > 0 else 'behind'} this computer"
