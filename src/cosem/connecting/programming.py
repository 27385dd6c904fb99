r"""Programming mode of IEC 62056-21: single registers of a meter of mode C or E, read and written as text.

::

    with program("serial:///dev/ttyUSB0", password="00000000") as meter:
        print(meter.read("1.8.0"))
        meter.write("0.9.2", "261125")
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

from cosem.connecting.text_port import TextPort, text_address
from cosem.errors import ConfigurationError, CosemError, ProtocolError, RemoteError
from cosem.transport.observing import Observer

if TYPE_CHECKING:
    from cosem.link.iec62056_21 import Answered, Command, DataSet, Identification
    from cosem.transport.url import Address

__all__ = ["Programming", "ProgrammingRefused", "program"]

_WORD: Final = re.compile(r"[ -\'*-~]*")
"""Printable, without brackets: they end a value."""
_PASSWORD: Final = re.compile(rb"(\x01P[12]\x02\()([^)]*)(\)\x03)(.?)", re.DOTALL)
_PASSWORD_BEGUN: Final = re.compile(rb"\x01(?:P(?:[12](?:\x02(?:\([^)]{0,64}(?:\)\x03?)?)?)?)?)?\Z")
_BREAK: Final = "B0"
_LEVELS: Final = (1, 2)

Password = str | Callable[[str], str]
"""The password, or what makes it of the operand that the meter gives (P0)."""


class ProgrammingRefused(RemoteError):
    """A meter refuses a command of programming mode; the mode goes on, unless the meter has ended it.

    Args:
        command: What was asked for, for example ``R1 1.8.0()``; never a password.
        error: What the meter says, for example ``ER01``; empty if it says nothing.
        ended: Whether it has ended programming mode.
    """

    def __init__(self, command: str, error: str = "", *, ended: bool = False) -> None:
        super().__init__(command, error)
        self.command = command
        self.error = error
        self.ended = ended

    def __reduce__(self) -> tuple[object, ...]:
        return _refused, (self.command, self.error, self.ended)

    def __str__(self) -> str:
        said = f": the meter says {self.error}" if self.error else ""
        return (
            f"{self.command} is refused{said}{'; the meter has ended programming mode' if self.ended else ''}"
        )


def _refused(command: str, error: str, ended: bool) -> ProgrammingRefused:
    return ProgrammingRefused(command, error, ended=ended)


class Programming:
    """A meter in programming mode; made by :func:`program`.

    Attributes:
        identification: What the meter answered to the sign-on.
        operand: What it gave for the password (P0); empty if nothing.
    """

    def __init__(self, port: TextPort, identification: Identification, operand: str) -> None:
        self._port = port
        self.identification = identification
        self.operand = operand
        self._ended = False

    def read(self, address: str, *, formatted: bool = False, data: str = "") -> tuple[DataSet, ...]:
        """Return the data sets that a meter answers for an address (R1).

        Where the meter leaves the address out, the data sets get the one that was asked for.

        Args:
            address: As the meter has it, for example ``1.8.0`` or ``0001``.
            formatted: Whether the address is one of the structured kind (R2, formatted communication).
            data: What stands in the brackets; some meters take how many octets are wanted.

        Raises:
            ProgrammingRefused: The meter refuses.
            ProtocolError: It answers something else, or for another address.
            ConfigurationError: The address or the data are no text that can be sent.
            TransportError: It does not answer.
        """
        name = "R2" if formatted else "R1"
        what = f"{name} {address}({data})"
        answered = self._command(name, f"{_text(address)}({_text(data)})", what, address)
        if answered.answer.more:
            raise ProtocolError(f"{what}: the answer comes in parts, which are not put together")
        if not answered.data_sets:
            raise ProtocolError(f"{what}: the answer {answered.answer.data[:40]!r} holds no value")
        if answered.data_sets[0].address:
            return answered.data_sets
        return tuple(replace(each, address=each.address or address) for each in answered.data_sets)

    def write(self, address: str, value: str, *, formatted: bool = False) -> None:
        """Write a value (W1, or W2 with ``formatted``).

        Args:
            address: As the meter has it.
            value: As the meter has it, with ``*UNIT`` where it wants one.
            formatted: As for :meth:`read`.

        Raises:
            ProgrammingRefused: The meter refuses.
            ProtocolError: It answers something else.
            ConfigurationError: The address or the value is no text that can be sent.
            TransportError: It does not answer.
        """
        name = "W2" if formatted else "W1"
        self._acknowledged(name, f"{_text(address)}({_text(value)})", f"{name} {address}", address)

    def log_in(self, password: Password, level: int = 1) -> None:
        """Give a password (P1 or P2).

        Raises:
            ProgrammingRefused: It is wrong.
            ConfigurationError: It is no text that can be sent, or there is no such level.
            TransportError: The meter does not answer.
        """
        if level not in _LEVELS:
            raise ConfigurationError(f"passwords have the levels 1 and 2, not {level}")
        given = password if isinstance(password, str) else password(self.operand)
        if not _WORD.fullmatch(given):
            raise ConfigurationError("a password is printable text without brackets")
        self._acknowledged(f"P{level}", f"({given})", f"P{level}: the password")

    def close(self) -> None:
        """End programming mode (B0), and close the port."""
        try:
            if not self._ended:
                self._ended = True
                self._port.machine.leave(self._port.clock())
                self._port.send()
        except CosemError:
            pass  # the meter leaves by itself after a while
        finally:
            self._port.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _acknowledged(self, name: str, data: str, what: str, address: str = "") -> None:
        answer = self._command(name, data, what, address).answer
        if answer.name or answer.data:
            raise ProtocolError(f"{what}: the answer is no acknowledgement")

    def _command(self, name: str, data: str, what: str, address: str) -> Answered:
        from cosem.link.iec62056_21 import Answered, Command

        command: Command = Command(name, data)
        port = self._port
        port.doing = what
        port.take_what_came()
        port.machine.command(command, port.clock())
        while not isinstance(event := port.event(), Answered):
            pass
        answer = event.answer
        named = event.data_sets[0].address if event.data_sets else ""
        if address and named and not _same(address, named):
            port.machine.doubt()
            raise ProtocolError(f"{what}: the answer is that of {named!r}")
        if answer.name == _BREAK:
            self._ended = True
            raise ProgrammingRefused(what, ended=True)
        if answer.error:
            raise ProgrammingRefused(what, answer.error)
        return event


def program(
    url: str,
    *,
    password: Password | None = None,
    level: int = 1,
    timeout: float = 120.0,
    clock: Callable[[], float] = time.monotonic,
    observing: Callable[[Address], Observer] | None = None,
) -> Programming:
    r"""Return a meter in programming mode, logged in if there is a password; closing it ends the mode.

    Args:
        url: As for :func:`cosem.read_out`.
        password: What the meter wants; a function gets its operand (P0) and returns what is sent. ``None`` to give
            none: many meters let be read without.
        level: 1 or 2: as P1 or P2.
        timeout: Most seconds for all of it, until it is closed.
        clock: Monotonic seconds.
        observing: Returns who watches the octets on the line; a password comes there as stars.

    Raises:
        ConfigurationError: The URL is no such port, an option means nothing, or the password cannot be sent.
        ProgrammingRefused: The password is wrong.
        TransportError: The port cannot be opened, or the meter does not answer as it must; says why.
    """
    from cosem.link.iec62056_21 import Identified, ProgrammingReady

    address = text_address(url, timeout, "programming mode", {})
    observer = None if observing is None else _WithoutPasswords(observing(address))
    port = TextPort(
        address, "programming", "programming mode", timeout=timeout, clock=clock, observer=observer
    )
    try:
        port.machine.start(clock())
        while not isinstance(event := port.event(), ProgrammingReady):
            if isinstance(event, Identified):
                identification = event.identification
        meter = Programming(port, identification, event.operand)
    except BaseException:
        with suppress(CosemError):  # the mode may be on already
            port.machine.leave(clock())
            port.send()
        port.close()
        raise
    if password is not None:
        try:
            meter.log_in(password, level)
        except BaseException:
            meter.close()
            raise
    return meter


def _same(asked: str, named: str) -> bool:
    """Return whether two addresses mean the same: medium and channel may be left out in one of them."""
    from cosem.link.iec62056_21 import logical_name

    one, other = logical_name(asked), logical_name(named)
    if one is None or other is None:
        return asked.strip().casefold() == named.strip().casefold()
    return other in (one, logical_name(asked, other.a, other.b)) or logical_name(named, one.a, one.b) == one


def _text(text: str) -> str:
    if not _WORD.fullmatch(text):
        raise ConfigurationError(f"{text!r} is no printable text without brackets")
    return text


class _WithoutPasswords(Observer):
    """Hands on what is on the line, passwords as stars: also where the meter repeats what it hears."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        self._held = b""

    def octets_sent(self, octets: bytes) -> None:
        """Hand on what goes to the meter."""
        self._observer.octets_sent(_masked(octets))

    def octets_received(self, octets: bytes) -> None:
        """Hand on what came from the meter."""
        from cosem.link.iec62056_21 import without_parity

        octets = self._held + octets
        begun = _PASSWORD_BEGUN.search(without_parity(octets))
        end = len(octets) if begun is None else begun.start()
        octets, self._held = octets[:end], octets[end:]
        if octets:
            self._observer.octets_received(_masked(octets))


def _masked(octets: bytes) -> bytes:
    """Return octets in which each password is stars, and its block check, which would tell of it."""
    from cosem.link.iec62056_21 import without_parity

    found = list(_PASSWORD.finditer(without_parity(octets)))
    for each in found:
        for group in (2, 4):
            start, stop = each.span(group)
            octets = octets[:start] + b"*" * (stop - start) + octets[stop:]
    return octets
