"""What a serial line is set to, how long octets take on it, and why a port cannot be opened."""

from __future__ import annotations

import errno
import os
import re
import socket
from typing import Any, Final

from cosem.errors import ConfigurationError, TransportError, TransportTimeout, UnsupportedError
from cosem.link.base import LineSettings
from cosem.transport.channel import reason_of

__all__ = [
    "DIRECT_LINE",
    "has_line",
    "opening_problem",
    "parse_format",
    "serial_library",
    "settable",
    "settings_of",
    "transmission_time",
]

DIRECT_LINE: Final = LineSettings(9600, 8, "N")
"""How most ports are set on which HDLC is spoken from the start."""


def parse_format(text: str, baud: int) -> LineSettings:
    """Return the settings of a line from its rate and the usual three signs.

    Raises:
        ConfigurationError: They are none, or the rate is not above 0.

    >>> str(parse_format("7e1", 300))
    '300 7E1'
    """
    found = re.fullmatch(r"([78])([NEO])([12])", text.upper())
    if found is None or not 0 < baud <= 4_000_000:
        raise ConfigurationError(
            f"{baud} {text!r} is no rate and format of a line, as 9600 and 8N1, 7E1 or 8E1 are"
        )
    return LineSettings(baud, int(found[1]), found[2], int(found[3]))


def transmission_time(octets: int, line: LineSettings) -> float:
    """Return how many seconds so many octets take on a line.

    >>> transmission_time(30, LineSettings(300, 7, "E"))
    1.0
    """
    bits = 1 + line.data_bits + (line.parity != "N") + line.stop_bits
    return octets * bits / line.baud


def serial_library() -> Any:
    """Return the package `serialx`.

    Raises:
        UnsupportedError: It is not installed.
    """
    try:
        import serialx
    except ImportError:
        raise UnsupportedError(
            "serial ports need the package serialx, which is not installed: pip install 'cosem[serial]'"
        ) from None
    return serialx


def settings_of(line: LineSettings) -> dict[str, Any]:
    """Return settings as `serialx` calls them."""
    return {
        "baudrate": line.baud,
        "byte_size": line.data_bits,
        "parity": line.parity,
        "stopbits": line.stop_bits,
    }


def has_line(target: str) -> bool:
    """Return whether a port has a line to set; a pseudo-terminal would also lose what is on its way."""
    return not re.match(r"/dev/(pts/|ttys\d)", os.path.realpath(target))


def settable(target: str, line: LineSettings) -> LineSettings:
    """Return how a port is opened: a pseudo-terminal knows eight bits without parity only."""
    return line if has_line(target) else DIRECT_LINE


def opening_problem(target: str, line: LineSettings, error: Exception) -> TransportError:
    """Return why a port cannot be opened, in one line that says what to do."""
    if isinstance(error, TimeoutError):
        return TransportTimeout(f"{target} did not answer in time")
    if isinstance(error, FileNotFoundError):
        return TransportError(f"there is no port {target}; {_ports()}")
    if isinstance(error, PermissionError):
        return TransportError(f"you may not use {target}{_who_may(target)}")
    number = getattr(error, "errno", None)
    if number == errno.EBUSY:
        return TransportError(f"{target} is in use by another program")
    if number in {errno.ENOTTY, errno.EISDIR, errno.EINVAL} and not isinstance(error, socket.gaierror):
        return TransportError(f"{target} is no serial port, or cannot be set to {line}")
    return TransportError(f"cannot open {target}: {reason_of(error)}")


def _ports() -> str:
    try:
        found = [each.device for each in serial_library().list_serial_ports()]
    except Exception:  # noqa: BLE001 -- listing is a courtesy; whatever it meets must not hide the error
        found = []
    return f"there are {', '.join(sorted(found)[:8])}" if found else "no serial port is there at all"


def _who_may(target: str) -> str:
    """Return which group may use a port, where the system has groups."""
    try:
        import grp

        group = grp.getgrgid(os.stat(target).st_gid).gr_name  # noqa: PTH116 -- a name of a port, not of a file
    except (ImportError, OSError, KeyError):
        return "; another program may use it"
    return f": join its group with `sudo usermod -aG {group} $USER`, and log in again"
