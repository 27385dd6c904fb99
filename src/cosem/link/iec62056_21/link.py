"""Mode E as a communication profile: the sign-on first, then HDLC on the same port.

:class:`ModeEClientLink` and :class:`ModeEServerLink` wrap the HDLC stations. A
pump of a serial port must also carry out the changes of the line: after it has
sent what ``data_to_send()`` gave and all of it is out, it asks ``next_line()``.
"""

from __future__ import annotations

import re
from collections import deque
from enum import Enum, auto

from cosem.errors import ConfigurationError
from cosem.link.base import Disconnected, LinkEvent
from cosem.link.hdlc import HdlcClientLink, HdlcServerLink
from cosem.link.iec62056_21.events import Failed, HdlcReady
from cosem.link.iec62056_21.line_queue import LineQueue
from cosem.link.iec62056_21.messages import (
    DEFAULT_LINE,
    MODE_C_BAUD,
    Identification,
    LineSettings,
    data_message,
    option_select,
    without_parity,
)
from cosem.link.iec62056_21.sign_on import SignOn
from cosem.link.iec62056_21.states import SignOnState

__all__ = ["ModeEClientLink", "ModeEServerLink"]


class ModeEClientLink:
    """The client's end: signs on in mode E, then speaks HDLC.

    Args:
        hdlc: The HDLC link to set up.
        sign_on: The sign-on; its ``want`` is ``"hdlc"``.
    """

    def __init__(self, hdlc: HdlcClientLink, sign_on: SignOn | None = None) -> None:
        self.hdlc = hdlc
        self.sign_on = SignOn() if sign_on is None else sign_on
        if self.sign_on.want != "hdlc":
            raise ConfigurationError("a link over mode E needs a sign-on that wants hdlc")
        self._events: deque[LinkEvent] = deque()

    @property
    def identification(self) -> Identification | None:
        """What the meter answered to the sign-on."""
        return self.sign_on.identification

    @property
    def _signed_on(self) -> bool:
        return self.sign_on.state is SignOnState.HDLC

    def connect(self, now: float) -> None:
        """Sign on, then connect; :class:`~cosem.link.base.Connected` follows, or ``Disconnected`` with the reason."""
        self.sign_on.start(now)

    def disconnect(self, now: float) -> None:
        """Disconnect; the line goes back to where a sign-on begins."""
        self.hdlc.disconnect(now)

    def send(self, apdu: bytes, now: float, *, confirmed: bool = True) -> None:
        """Queue an APDU."""
        self.hdlc.send(apdu, now, confirmed=confirmed)

    def receive(self, octets: bytes, now: float) -> None:
        """Take octets from the transport; rubbish is skipped."""
        if self._signed_on:
            self.hdlc.receive(octets, now)
            return
        self.sign_on.receive(octets, now)
        self._go_on(now)

    def data_to_send(self) -> bytes:
        """Return the octets to send before the line changes next, and forget them."""
        octets = self.sign_on.data_to_send()
        if octets or self.sign_on.line_is_due or not self._signed_on:
            return octets
        return self.hdlc.data_to_send()

    def next_line(self) -> LineSettings | None:
        """Return how to set the line once all octets are out, or ``None`` if it stays."""
        return self.sign_on.next_line()

    def next_event(self) -> LinkEvent | None:
        """Return the oldest event, or ``None``."""
        if self._events:
            return self._events.popleft()
        event = self.hdlc.next_event()
        if isinstance(event, Disconnected):
            self.sign_on.reset_line()
        return event

    def deadline(self) -> float | None:
        """Return when :meth:`tick` must be called, or ``None``."""
        return self.hdlc.deadline() if self._signed_on else self.sign_on.deadline()

    def tick(self, now: float) -> None:
        """Let time-outs happen."""
        if self._signed_on:
            self.hdlc.tick(now)
            return
        self.sign_on.tick(now)
        self._go_on(now)

    def _go_on(self, now: float) -> None:
        while (event := self.sign_on.next_event()) is not None:
            if isinstance(event, Failed):
                self._events.append(Disconnected(f"mode E sign-on failed: {event.reason}"))
            elif isinstance(event, HdlcReady):
                self.hdlc.connect(now)
                self.hdlc.receive(event.octets, now)


class _ServerState(Enum):
    LISTENING = auto()
    OFFERED = auto()
    HDLC = auto()


class ModeEServerLink:
    """The server's end: answers the sign-on, then speaks HDLC; also hears HDLC that comes without a sign-on.

    Args:
        hdlc: The HDLC line behind it.
        identification: What is answered to the sign-on; with the escape ``"2"`` for mode E.
        address: Device address that is answered to besides the empty one.
        readout: Text of data sets for clients that select a readout instead.
        emulate_parity: Whether the port only knows eight bits without parity.
        line_control: Whether there is a line to set; ``False`` over TCP.
        option_timeout: Seconds for which the client may take to select, and for which it may begin HDLC.
        line: How the line is set for the sign-on, 300 baud 7E1 by the standard.
    """

    def __init__(
        self,
        hdlc: HdlcServerLink,
        identification: Identification,
        *,
        address: str = "",
        readout: str = "",
        emulate_parity: bool = False,
        line_control: bool = True,
        option_timeout: float = 5.0,
        line: LineSettings = DEFAULT_LINE,
    ) -> None:
        self.hdlc = hdlc
        self.identification = identification
        self._address = address
        self._readout = readout
        self._option_timeout = option_timeout
        self._state = _ServerState.LISTENING
        self._buffer = bytearray()
        self._linked = False
        self._out = LineQueue(emulate_parity=emulate_parity, line_control=line_control)
        self._start = line
        self._out.set(line)
        self._timer: float | None = None

    def send(self, apdu: bytes, source: int, destination: int, now: float, *, confirmed: bool = True) -> None:
        """Queue an APDU."""
        self.hdlc.send(apdu, source, destination, now, confirmed=confirmed)

    def unconfirmed_size(self, source: int, destination: int) -> int:
        """Return the longest APDU that can be sent unconfirmed; 0: any."""
        return self.hdlc.unconfirmed_size(source, destination)

    def unconfirmed_room(self) -> int | None:
        """Return how many more unconfirmed APDUs can wait for the turn; ``None``: none has to."""
        return self.hdlc.unconfirmed_room()

    def give_turn(self, source: int, destination: int, now: float) -> None:
        """Give the turn back: an APDU gets no answer."""
        self.hdlc.give_turn(source, destination, now)

    def receive(self, octets: bytes, now: float) -> None:
        """Take octets from the transport; rubbish is skipped."""
        if self._state is not _ServerState.HDLC and octets[:1] == b"\x7e":
            self._state, self._timer = _ServerState.HDLC, None  # HDLC without a sign-on
        if self._state is _ServerState.HDLC:
            self._timer = None
            self.hdlc.receive(octets, now)
            self._linked = self._linked or bool(self.hdlc.links)
            return
        self._buffer += without_parity(octets)
        del self._buffer[:-256]
        while (stop := self._buffer.find(b"\n")) >= 0:
            line = bytes(self._buffer[: stop + 1])
            del self._buffer[: stop + 1]
            self._line(line, now)

    def _line(self, line: bytes, now: float) -> None:
        called = re.search(rb"/\?([0-9A-Za-z ]{0,32})!\r?\n", line)
        selected = re.search(rb"\x06(.)(.)(.)\r?\n", line)
        if called is not None:
            if called[1].decode("ascii").lstrip("0") in {"", self._address.lstrip("0")}:
                self._out.send(self.identification.encode())
                self._state, self._timer = _ServerState.OFFERED, now + self._option_timeout
        elif selected is not None and self._state is _ServerState.OFFERED:
            protocol, character, mode = (each.decode("latin-1") for each in selected.groups())
            baud = MODE_C_BAUD.get(character, 0)
            if not 0 < baud <= self.identification.baud:
                return
            if (protocol, mode) == ("2", "2") and self.identification.hdlc:
                self._out.set(LineSettings(baud))
                self._out.send(option_select("2", character, "2"))
                self._out.set(LineSettings(baud, 8, "N"))
                self._state, self._timer = _ServerState.HDLC, now + self._option_timeout
            elif (protocol, mode) == ("0", "0"):
                self._out.set(LineSettings(baud))
                self._out.send(data_message(f"{self._readout}!\r\n"))
                self._back()

    def _back(self) -> None:
        """Listen for a sign-on again."""
        self._state, self._timer = _ServerState.LISTENING, None
        self._out.set(self._start)

    def data_to_send(self) -> bytes:
        """Return the octets to send before the line changes next, and forget them."""
        if self._out:
            return self._out.data_to_send()
        octets = self.hdlc.data_to_send()
        if self._linked and not self.hdlc.links:
            self._linked = False
            self._back()
        return octets

    def next_line(self) -> LineSettings | None:
        """Return how to set the line once all octets are out, or ``None`` if it stays."""
        return self._out.next_line()

    def next_event(self) -> LinkEvent | None:
        """Return the oldest event, or ``None``."""
        return self.hdlc.next_event()

    def deadline(self) -> float | None:
        """Return when :meth:`tick` must be called, or ``None``."""
        times = [time for time in (self._timer, self.hdlc.deadline()) if time is not None]
        return min(times, default=None)

    def tick(self, now: float) -> None:
        """Let time-outs happen."""
        self.hdlc.tick(now)
        if self._timer is not None and now >= self._timer:
            self._back()

    def close(self, now: float) -> None:
        """Take note that the physical connection is gone."""
        self.hdlc.close(now)
