r"""Readouts: what a meter of modes A to D (IEC 62056-21) says as text, through an optical head or a converter.

::

    readout = cosem.read_out("serial:///dev/ttyUSB0")
    print(readout.identification.text, [str(each) for each in readout.data_sets])
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from cosem.connecting.links import MODE_E_OPTIONS, sign_on
from cosem.connecting.profiles import profile_of
from cosem.errors import ConfigurationError, TransportError, TransportTimeout
from cosem.transport.timeouts import Timeouts
from cosem.transport.url import parse_url

if TYPE_CHECKING:
    from cosem.link.iec62056_21 import ReadoutReceived, SignOn
    from cosem.transport.channel import Channel
    from cosem.transport.observing import Observer
    from cosem.transport.url import Address

__all__ = ["read_out"]

_OPTIONS: Final = (MODE_E_OPTIONS - {"echo"}) | {"baud", "format"}
_ON_LINE: Final = frozenset({"serial", "rfc2217"})
_LONGEST: Final = 86_400
_MODE_D_BAUD: Final = "2400"


def read_out(
    url: str,
    *,
    listen: bool = False,
    timeout: float = 120.0,
    clock: Callable[[], float] = time.monotonic,
    observing: Callable[[Address], Observer] | None = None,
) -> ReadoutReceived:
    r"""Return the readout of a meter: it is called, agrees on a rate, and says all that it shows.

    Args:
        url: ``serial:///dev/ttyUSB0``, ``rfc2217://host:port``, or ``tcp://host:port`` of a converter. Its query may
            hold ``device``, ``max_baud``, ``wake_up``, ``emulate_parity``, ``baud`` and ``format``, which mean what
            they do after ``mode_e=1``.
        listen: Whether to wait for a meter that sends by itself (mode D, 2400 baud unless ``baud`` says another
            rate), and not to call.
        timeout: Most seconds for all of it: at 300 baud a long readout takes minutes.
        clock: Monotonic seconds.
        observing: Returns who watches the octets on the line.

    Returns:
        The identification of the meter and its data sets, and whether a block check stood behind them.

    Raises:
        ConfigurationError: The URL is no such port, or an option means nothing.
        TransportTimeout: The readout is not whole in time.
        TransportError: The port cannot be opened, or the meter does not answer as it must; says why.
    """
    if not 0 < timeout <= _LONGEST:
        raise ConfigurationError(f"timeout {timeout} is outside 0..{_LONGEST} seconds")
    address = parse_url(url)
    if address.scheme not in {"tcp", "hdlc+tcp", *_ON_LINE}:
        raise ConfigurationError(f"{address} has no readout: serial:, rfc2217: and tcp: do")
    if unknown := sorted(address.options.keys() - _OPTIONS):
        raise ConfigurationError(
            f"{', '.join(unknown)}: means nothing for a readout; {', '.join(sorted(_OPTIONS))} do"
        )
    usual = {"baud": _MODE_D_BAUD} if listen else {}
    address = replace(address, options={**usual, **address.options, "mode_e": "1"})
    machine = sign_on(address, "readout", line_control=address.scheme in _ON_LINE)
    end = clock() + timeout
    observer = None if observing is None else observing(address)
    channel = profile_of(address).channel(address, Timeouts(connect=min(10.0, timeout)))
    try:
        (machine.listen if listen else machine.start)(clock())
        return _read(machine, channel, end, clock, observer)
    finally:
        channel.close()


def _read(
    machine: SignOn, channel: Channel, end: float, clock: Callable[[], float], observer: Observer | None
) -> ReadoutReceived:
    """Move octets between the machine and the port until there is a readout."""
    from cosem.link.iec62056_21 import Failed, ReadoutReceived

    while True:
        _send(machine, channel, observer)
        event = machine.next_event()
        if isinstance(event, ReadoutReceived):
            return event
        if isinstance(event, Failed):
            raise TransportError(f"no readout: {event.reason}")
        if event is not None:
            continue
        now = clock()
        if now >= end:
            raise TransportTimeout("the readout was not whole in the time that was allowed")
        timer = machine.deadline()
        until = end if timer is None else min(timer, end)
        try:
            octets = channel.receive(until - now) if until > now else b""
        except TransportTimeout:
            octets = b""
        if octets:
            if observer is not None:
                observer.octets_received(octets)
            machine.receive(octets, clock())
        else:
            machine.tick(clock())


def _send(machine: SignOn, channel: Channel, observer: Observer | None) -> None:
    """Send what is due, and set the line where it changes."""

    def send() -> None:
        if octets := machine.data_to_send():
            if observer is not None:
                observer.octets_sent(octets)
            channel.send(octets)

    send()
    while (line := machine.next_line()) is not None:
        set_line = getattr(channel, "set_line", None)
        if set_line is not None:
            set_line(line)
        send()
