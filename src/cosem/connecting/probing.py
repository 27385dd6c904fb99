r"""Finding out how a meter is reached: sign-on, rates, lengths of addresses, wrapper; each step is told.

::

    report = probe("/dev/ttyUSB0", on_step=lambda step: print(step.tried, step.outcome, step.detail))
    report.url  # "serial:///dev/ttyUSB0?mode_e=1", for cosem.connect()

Nothing is written to a meter: it is called, a link is set up and taken down, and at the end
an association is opened for the client and its name is read.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from cosem.connecting.links import sign_on
from cosem.connecting.probe_addresses import forms_of_address, in_words, options_of, url_of, with_options
from cosem.connecting.probe_association import is_of_names, name_in_words
from cosem.connecting.probe_report import Outcome, ProbeReport, ProbeStep
from cosem.connecting.profiles import profile_of
from cosem.errors import (
    AssociationRefused,
    ConfigurationError,
    CosemError,
    LinkError,
    TransportError,
    TransportTimeout,
)
from cosem.link.base import LineSettings
from cosem.transport.timeouts import Timeouts
from cosem.transport.url import Address, parse_url

if TYPE_CHECKING:
    from cosem.client.blocking import Client
    from cosem.link.hdlc import Frame, HdlcAddress
    from cosem.link.iec62056_21 import Identification
    from cosem.transport.channel import Channel
    from cosem.transport.observing import Observer

__all__ = ["Outcome", "ProbeReport", "ProbeStep", "probe"]

_BAUD: Final = (9600, 19200, 115200, 38400, 57600, 4800, 2400, 1200, 300)
"""Rates of ports that speak HDLC from the start, the usual ones first."""
_LONGEST_SILENCE: Final = 0.6
"""Seconds for which a meter on a line may think before its first octet; and through a network:"""
_LONGEST_SILENCE_OF_NETWORK: Final = 2.0
_SIGN_ON_SECONDS: Final = 7.0
_WRAPPER_SECONDS: Final = 3.0
_OF_ASSOCIATIONS: Final = {"client", "server", "short_names"}
"""Options of a URL that are no matter of the profile."""


def probe(
    target: str,
    *,
    limit: float = 90.0,
    on_step: Callable[[ProbeStep], object] | None = None,
    observing: Callable[[Address], Observer] | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> ProbeReport:
    """Find out how a meter is reached.

    Args:
        target: A port as ``/dev/ttyUSB0`` or ``COM3``, a ``host:port``, or any URL of
            :func:`cosem.connecting.connect`; what its query says is not varied, for example ``baud`` or ``physical``.
        limit: Most seconds that it may take.
        on_step: Called with each step when it has ended.
        observing: Returns who watches the next connection that is tried.
        clock: Monotonic seconds.

    Raises:
        ConfigurationError: It is no such target.
    """
    if re.fullmatch(r"/.*|COM\d+", target.strip(), re.IGNORECASE):
        target = f"serial:{'//' if target.strip().startswith('/') else ''}{target.strip()}"
    address = parse_url(target)
    if address.scheme != "sim":
        return _Probe(address, limit, on_step, clock, observing).run()
    from importlib import import_module

    # Imported by name: this module is above both client and server, which do not know each other.
    threads, meters = map(import_module, ("cosem.server.threads", "cosem.connecting.simulated"))
    with threads.serve_in_thread(meters.simulated(address.path)) as url:
        served = replace(parse_url(url), options=address.options)
        report = _Probe(served, limit, on_step, clock, observing).run()
    if report.url is None:
        return report
    return replace(report, url=url_of(replace(address, options=parse_url(report.url).options)))


class _LimitReached(Exception):
    """No time is left."""


class _Probe:
    """One search: a list of steps, the channel that is open, and the time that is left."""

    def __init__(
        self,
        address: Address,
        limit: float,
        on_step: Callable[[ProbeStep], object] | None,
        clock: Callable[[], float],
        observing: Callable[[Address], Observer] | None,
    ) -> None:
        unknown = address.options.keys() - profile_of(address).options - _OF_ASSOCIATIONS
        if unknown:
            raise ConfigurationError(f"probing {address} cannot use the option {', '.join(sorted(unknown))}")
        self._address = address
        self._on_line = address.scheme in {"serial", "rfc2217"}
        self._clock = clock
        self._end = clock() + limit
        self._on_step = on_step
        self._steps: list[ProbeStep] = []
        self._began = clock()
        self._channel: Channel | None = None
        self._observing = observing
        self._observer: Observer | None = None
        self._heard = 0
        self._pushes = False
        self._client = address.number("client", 16)
        self._server = address.number("server", 1)
        self._identification: Identification | None = None

    def run(self) -> ProbeReport:
        """Try everything until something answers."""
        complete = True
        found: Address | None = None
        associated = False
        try:
            found = next(self._candidates(), None)
            self._close()
            if found is not None:
                found, associated = self._verified(found)
        except _LimitReached:
            complete = found is not None
            if not complete:
                self._step("the rest", Outcome.FAILED, "the time that was allowed is over")
        except TransportError as error:  # the port or the host itself: nothing else can be tried
            self._step(f"opening {self._address}", Outcome.FAILED, str(error))
        finally:
            self._close()
        url = None if found is None else url_of(found)
        return ProbeReport(url, associated, tuple(self._steps), self._identification, complete)

    def _candidates(self) -> Iterator[Address]:
        """Yield each address at which the meter answered."""
        options, scheme = self._address.options, self._address.scheme
        if scheme in {"tcp", "udp"}:
            yield from self._wrapper()
        if scheme == "udp" or options.get("framing") == "wrapper":
            return
        wanted = self._address.truth("mode_e") if "mode_e" in options else None
        if self._on_line and wanted is not False:
            yield from self._mode_e()
        if wanted is not True:
            yield from self._direct()
        if not self._on_line and wanted is not False:
            yield from self._mode_e()

    # --- what is tried ------------------------------------------------------------------------------

    def _wrapper(self) -> Iterator[Address]:
        self._begin()
        tried = f"wrapper, client {self._client}, server {self._server}"
        self._open(self._address)  # if nobody is there at all, it ends here
        self._close()
        timeouts = Timeouts(answer=_WRAPPER_SECONDS, connect=min(5.0, self._left()), release=0.5)
        try:
            self._connect(self._address, timeouts=timeouts, retries=0).close()
        except TransportTimeout:
            self._step(tried, Outcome.SILENT)
        except LinkError as error:
            self._step(tried, Outcome.SILENT, str(error))
        except CosemError as error:
            self._step(tried, Outcome.REFUSED, str(error))
            yield self._address
        else:
            self._step(tried, Outcome.ANSWERED)
            yield self._address

    def _direct(self) -> Iterator[Address]:
        """HDLC without a sign-on."""
        base = self._over_tcp()
        if not self._on_line:
            yield from self._addresses(base, "HDLC over TCP", None)
            return
        channel = self._open(base)
        baud = base.number("baud", 0)
        rates = (baud,) if baud else _BAUD if getattr(channel, "has_line", True) else _BAUD[:1]
        for rate in rates:
            address = base if rate == 9600 and not baud else with_options(base, baud=rate)
            line = LineSettings(rate, 8, "N")
            self._set_line(line)
            yield from self._addresses(address, f"HDLC at {rate} baud", line)

    def _mode_e(self) -> Iterator[Address]:
        """A sign-on, then HDLC at the rate that the meter offers."""
        if self._on_line or "emulate_parity" in self._address.options:
            variants: tuple[dict[str, Any], ...] = ({},)
        else:
            variants = ({}, {"emulate_parity": 1})  # a converter may know eight bits only
        for more in variants:
            address = with_options(self._over_tcp(), mode_e=1, **more)
            self._open(address)
            line = self._sign_on(address)
            if line is not None:
                yield from self._addresses(address, f"HDLC after the sign-on, at {line.baud} baud", line)
            if self._identification is not None:
                return

    def _over_tcp(self) -> Address:
        """Return the address for HDLC, where the one that is given names no framing."""
        return replace(self._address, scheme="hdlc+tcp") if self._address.scheme == "tcp" else self._address

    def _sign_on(self, address: Address) -> LineSettings | None:
        """Sign on, and return how the line is set then; ``None`` if the meter does not go over to HDLC."""
        from cosem.link.iec62056_21 import Failed, HdlcReady, Identified

        self._begin()
        machine = sign_on(address, line_control=self._on_line)
        tried = f"sign-on of mode E{f' at {machine.line}' if self._on_line else ''}"
        machine.start(self._clock())
        end = min(self._clock() + _SIGN_ON_SECONDS, self._end)
        line, detail = machine.line, ""
        while self._clock() < end:
            self._send(machine.data_to_send())
            while (following := machine.next_line()) is not None:
                line = following
                self._set_line(line)
                self._send(machine.data_to_send())
            event = machine.next_event()
            if isinstance(event, Identified):
                self._identification = event.identification
                end = min(end + _SIGN_ON_SECONDS, self._end)
            elif isinstance(event, HdlcReady):
                said = self._identification
                detail = f"the meter is {said.encode().decode().strip()}" if said else ""
                self._step(tried, Outcome.ANSWERED, f"{detail}: HDLC at {line.baud} baud")
                return line
            elif isinstance(event, Failed):
                if self._identification is not None:
                    self._step(tried, Outcome.REFUSED, event.reason)
                    return None
                break
            elif event is None:
                timer = machine.deadline()
                octets = self._receive(end if timer is None else min(timer, end))
                if octets:
                    machine.receive(octets, self._clock())
                else:
                    machine.tick(self._clock())
        self._step(tried, Outcome.SILENT, self._rubbish())
        return None

    def _addresses(self, address: Address, how: str, line: LineSettings | None) -> Iterator[Address]:
        """Set up a link with each form of address, and yield those that are answered."""
        for called in forms_of_address(address, self._server):
            self._begin()
            tried = f"{how}, {in_words(called)}"
            try:
                answer = self._set_up_again(called, line)
            except LinkError as error:
                self._step(tried, Outcome.SILENT, str(error))
                continue
            if answer is None:
                self._step(tried, Outcome.SILENT, self._rubbish())
                continue
            detail = self._refusal(answer)
            refused = bool(detail)
            found = answer.source
            if found.lower not in {None, called.lower}:
                detail = f"{detail}{'; ' if detail else ''}the meter calls itself {in_words(found)}"
            self._step(tried, Outcome.REFUSED if refused else Outcome.ANSWERED, detail)
            yield with_options(address, **options_of(found))
            return

    def _refusal(self, answer: Frame) -> str:
        """Return how an answer to SNRM refuses the link; empty if it is set up."""
        from cosem.link.hdlc import FrameKind

        if answer.control.kind is FrameKind.DM:
            return f"client {self._client} is refused (DM)"
        if answer.control.kind is FrameKind.FRMR:
            return f"SNRM of client {self._client} is rejected (FRMR {answer.information.hex(' ') or 'without a reason'})"
        return ""

    def _set_up_again(self, called: HdlcAddress, line: LineSettings | None) -> Frame | None:
        """Set up a link; once more if an earlier attempt has cost the connection, as some converters have it."""
        try:
            return self._set_up(called, line)
        except LinkError:
            self._close()
        try:
            return self._set_up(called, line)
        except LinkError:
            self._close()
            raise

    def _set_up(self, called: HdlcAddress, line: LineSettings | None) -> Frame | None:
        """Send SNRM; return UA, DM or FRMR of whoever answers, and take the link down again."""
        from cosem.link.hdlc import CONTROLS, Frame, FrameKind, FrameParser, HdlcAddress, encode_frame
        from cosem.transport.serial import transmission_time

        client = HdlcAddress(self._client, size=1)
        answers = {FrameKind.UA, FrameKind.DM, FrameKind.FRMR}
        wait = _LONGEST_SILENCE_OF_NETWORK if line is None else _LONGEST_SILENCE + transmission_time(60, line)
        answer: Frame | None = None
        to = called
        self._open(self._over_tcp())
        if line is not None:
            self._set_line(line)
        for control in (CONTROLS[0x93], CONTROLS[0x53]):  # SNRM, DISC
            parser = FrameParser()
            self._send(encode_frame(Frame(to, client, control)))
            end, heard = self._clock() + wait, None
            while heard is None and (octets := self._receive(min(end, self._end))):
                for frame in parser.feed(octets):
                    if frame.destination != client or frame.control.kind not in answers:
                        self._pushes = self._pushes or frame.control.kind in {FrameKind.UI, FrameKind.I}
                    elif frame.source.upper == called.upper:
                        heard = frame
            if answer is None:
                answer = heard
            if answer is None or answer.control.kind is not FrameKind.UA:
                break
            to = answer.source
        return answer

    def _verified(self, found: Address) -> tuple[Address, bool]:
        """Return how an association is opened at what was found, and whether one was."""
        refusal = self._verify(found, f"association for client {self._client}")
        if refusal is None or "short_names" in found.options or not is_of_names(refusal):
            return found, refusal is None
        by_short_names = with_options(found, short_names=1)
        refusal = self._verify(by_short_names, f"association for client {self._client}, by short names")
        if refusal is None:
            return by_short_names, True
        known = isinstance(refusal, AssociationRefused) and not is_of_names(refusal)
        return by_short_names if known else found, False

    def _verify(self, found: Address, tried: str) -> CosemError | None:
        """Open an association, and read who the meter is; return why there is none."""
        self._begin()
        left = self._left()
        timeouts = Timeouts(answer=min(10.0, left), transfer=min(20.0, left), connect=min(40.0, left))
        try:
            with self._connect(found, timeouts=timeouts) as meter:
                detail = name_in_words(meter)
        except CosemError as error:
            refused = isinstance(error, AssociationRefused)
            self._step(tried, Outcome.REFUSED if refused else Outcome.FAILED, str(error))
            return error
        self._step(tried, Outcome.ANSWERED, detail)
        return None

    # --- octets ---------------------------------------------------------------------------------------

    def _connect(self, address: Address, **options: Any) -> Client:
        from cosem.connecting import connect

        observer = None if self._observing is None else self._observing(address)
        return connect(url_of(address), observer=observer, **options)

    def _open(self, address: Address) -> Channel:
        if self._channel is None:
            timeouts = Timeouts(connect=min(5.0, self._left()))
            self._channel = profile_of(address).channel(address, timeouts)
            self._observer = None if self._observing is None else self._observing(address)
        return self._channel

    def _close(self) -> None:
        if self._channel is not None:
            self._channel.close()
            self._channel = None

    def _send(self, octets: bytes) -> None:
        if octets:
            self._heard = 0
            channel = self._open(self._over_tcp())
            if self._observer is not None:
                self._observer.octets_sent(octets)
            channel.send(octets)

    def _set_line(self, line: LineSettings) -> None:
        set_line = getattr(self._channel, "set_line", None)
        if set_line is not None:
            set_line(line)

    def _receive(self, until: float) -> bytes:
        """Return what comes; nothing if nothing came until then."""
        left = until - self._clock()
        if left <= 0:
            return b""
        try:
            octets = self._open(self._over_tcp()).receive(left)
        except TransportTimeout:
            return b""
        self._heard += len(octets)
        if self._observer is not None and octets:
            self._observer.octets_received(octets)
        return octets

    def _rubbish(self) -> str:
        if self._pushes:
            return "frames come that nobody asked for: the port pushes, and cosem listen shows what"
        return f"{self._heard} octets came that are no answer" if self._heard else ""

    # --- steps and time -------------------------------------------------------------------------------

    def _left(self) -> float:
        left = self._end - self._clock()
        if left <= 0:
            raise _LimitReached
        return left

    def _begin(self) -> None:
        self._left()
        self._began = self._clock()
        self._heard = 0

    def _step(self, tried: str, outcome: Outcome, detail: str = "") -> None:
        step = ProbeStep(tried, outcome, detail, round(self._clock() - self._began, 3))
        self._steps.append(step)
        if self._on_step is not None:
            self._on_step(step)
