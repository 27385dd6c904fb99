"""A port on which a sign-on of IEC 62056-21 goes on as text: octets between its machine and the line."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from cosem.connecting.links import MODE_E_OPTIONS, sign_on
from cosem.connecting.profiles import profile_of
from cosem.errors import ConfigurationError, TransportError, TransportTimeout
from cosem.transport.timeouts import Timeouts
from cosem.transport.url import parse_url
from cosem.types.text import counted

if TYPE_CHECKING:
    from cosem.link.iec62056_21 import SignOnEvent
    from cosem.transport.observing import Observer
    from cosem.transport.url import Address

__all__ = ["TextPort", "text_address"]

_OPTIONS: Final = (MODE_E_OPTIONS - {"echo"}) | {"baud", "format"}
_ON_LINE: Final = frozenset({"serial", "rfc2217"})
_LONGEST: Final = 86_400


def text_address(url: str, timeout: float, what: str, usual: dict[str, str]) -> Address:
    """Return the address of a port on which a meter talks text.

    Args:
        url: As for :func:`cosem.read_out`.
        timeout: Seconds that all of it may take.
        what: What is wanted, for errors.
        usual: Options that hold unless the URL has them.

    Raises:
        ConfigurationError: The URL is no such port, an option means nothing, or the time is out of range.
    """
    if not 0 < timeout <= _LONGEST:
        raise ConfigurationError(f"timeout {timeout} is outside 0..{_LONGEST} seconds")
    address = parse_url(url)
    if address.scheme not in {"tcp", "hdlc+tcp", *_ON_LINE}:
        raise ConfigurationError(f"{address} has no {what}: serial:, rfc2217: and tcp: do")
    if unknown := sorted(address.options.keys() - _OPTIONS):
        raise ConfigurationError(
            f"{', '.join(unknown)}: means nothing for a {what}; {', '.join(sorted(_OPTIONS))} do"
        )
    return replace(address, options={**usual, **address.options, "mode_e": "1"})


class TextPort:
    """A machine of the sign-on, and the port on which it works.

    Args:
        address: The port.
        want: ``"readout"`` or ``"programming"``.
        what: The same in words, for errors.
        timeout: Most seconds for all of it.
        clock: Monotonic seconds.
        observer: Watches the octets on the line.

    Attributes:
        doing: What is being asked for, for errors; empty while the meter is called.

    Raises:
        TransportError: The port cannot be opened.
    """

    def __init__(
        self,
        address: Address,
        want: str,
        what: str,
        *,
        timeout: float,
        clock: Callable[[], float],
        observer: Observer | None,
    ) -> None:
        self.machine = sign_on(address, want, line_control=address.scheme in _ON_LINE)
        self.clock = clock
        self._what = what
        self._timeout = timeout
        self._end = clock() + timeout
        self._heard = 0
        self.doing = ""
        self._observer = observer
        self._channel = profile_of(address).channel(address, Timeouts(connect=min(10.0, timeout)))

    def event(self) -> SignOnEvent:
        """Return the next thing that happens.

        Raises:
            TransportTimeout: Nothing did in time.
            TransportError: The meter does not answer as it must, or the port is gone.
        """
        from cosem.link.iec62056_21 import Failed

        machine, clock = self.machine, self.clock
        while True:
            self.send()
            event = machine.next_event()
            if isinstance(event, Failed):
                raise TransportError(f"{self.doing or f'no {self._what}'}: {event.reason}")
            if event is not None:
                return event
            now = clock()
            if now >= self._end:
                raise TransportTimeout(self._lateness())
            timer = machine.deadline()
            until = self._end if timer is None else min(timer, self._end)
            try:
                octets = self._channel.receive(until - now) if until > now else b""
            except TransportTimeout:
                octets = b""
            if octets:
                self._take(octets)
            else:
                machine.tick(clock())

    def take_what_came(self) -> None:
        """Give the machine what came since it was last listened to; nothing is waited for."""
        with suppress(TransportTimeout):
            while self.clock() < self._end and (octets := self._channel.receive(0.0)):
                self._take(octets)

    def _take(self, octets: bytes) -> None:
        self._heard += len(octets)
        if self._observer is not None:
            self._observer.octets_received(octets)
        self.machine.receive(octets, self.clock())

    def _lateness(self) -> str:
        """Return what there was of it until the time was over."""
        allowed = f"in the time that was allowed, {self._timeout:g} s"
        if self.doing:
            return f"{self.doing}: no answer {allowed}"
        if not self._heard:
            return f"no {self._what}: nothing was heard {allowed}"
        return f"the {self._what} was not done {allowed}: {counted(self._heard, 'octet')} came"

    def send(self) -> None:
        """Send what is due, and set the line where it changes."""
        self._send_octets()
        while (line := self.machine.next_line()) is not None:
            set_line = getattr(self._channel, "set_line", None)
            if set_line is not None:
                set_line(line)
            self._send_octets()

    def _send_octets(self) -> None:
        if octets := self.machine.data_to_send():
            if self._observer is not None:
                self._observer.octets_sent(octets)
            self._channel.send(octets)

    def close(self) -> None:
        """Close the port."""
        self._channel.close()
