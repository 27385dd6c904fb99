"""The primary station: the client's end of an HDLC link.

The client alone begins: a frame with P hands the turn to the server, one with F
gives it back. What is not acknowledged by then is sent again; what did not
arrive is asked for again by RR with N(R). An I frame is never repeated under a
new number, so that no request is executed twice.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final

from cosem.errors import ConfigurationError, EncodeError, FrameError, StateError
from cosem.link.base import ApduReceived, Connected, Disconnected
from cosem.link.hdlc.address import CLIENT_MANAGEMENT, HdlcAddress
from cosem.link.hdlc.frame import Frame, FrameKind, control_octet, frame_octets
from cosem.link.hdlc.line import LARGEST_MESSAGE, NO_FRAME, Line, earliest
from cosem.link.hdlc.llc import COMMAND, RESPONSE, split_llc, streams_on
from cosem.link.hdlc.parameters import DEFAULT_PARAMETERS, HdlcParameters, Negotiation, decode_negotiation
from cosem.link.hdlc.states import PRIMARY_TRANSITIONS, PrimaryInput, PrimaryState
from cosem.link.hdlc.window import Window

__all__ = ["PARAMETERS_UNREADABLE", "HdlcClientLink"]

PARAMETERS_UNREADABLE: Final = "hdlc-parameters-unreadable"
"""Finding: the information field of UA cannot be read; the defaults are taken."""

_INPUTS: Final = {
    (FrameKind.UA, True): PrimaryInput.UA,
    (FrameKind.DM, True): PrimaryInput.DM,
    (FrameKind.DM, False): PrimaryInput.DM,
    (FrameKind.FRMR, True): PrimaryInput.FRMR,
    (FrameKind.FRMR, False): PrimaryInput.FRMR,
    (FrameKind.I, False): PrimaryInput.I,
    (FrameKind.I, True): PrimaryInput.I_FINAL,
    (FrameKind.RR, False): PrimaryInput.RR_RNR,
    (FrameKind.RR, True): PrimaryInput.RR_RNR_FINAL,
    (FrameKind.RNR, False): PrimaryInput.RR_RNR,
    (FrameKind.RNR, True): PrimaryInput.RR_RNR_FINAL,
    (FrameKind.UI, False): PrimaryInput.UI,
    (FrameKind.UI, True): PrimaryInput.UI_FINAL,
}


class HdlcClientLink(Line):
    """The client's end of one link: one pair of addresses.

    Args:
        client: The client, 1..127; 16 is the public one.
        server: The logical device; 1 is the management logical device.
        physical: The physical device on a line that several share; ``None`` if there is no lower address.
        address_size: Octets of the server's address: 1, 2, 4, or 0 for the shortest that fits.
        parameters: What to propose; the defaults are proposed by an empty SNRM.
        connection: Whether to set up a link (SNRM); without, everything goes in UI frames and nothing is confirmed.
        user_data: What SNRM carries for the application layer of the server.
        response_timeout: Seconds until an answer is asked for again.
        retries: Attempts without progress after the first one, before the link is given up.
        poll_delay: Seconds between two enquiries of a server that has nothing to say yet.
        patience: Seconds for which a server that acknowledged a request is asked for the answer.
        inactivity_timeout: Seconds without a frame after which the link counts as gone; 0: never.
        inter_octet_timeout: Seconds of silence after which an unfinished frame is given up.
        most: Longest message that is taken, octets.

    Raises:
        ConfigurationError: Numbers out of range, or addresses that do not fit.

    >>> link = HdlcClientLink(16, 1, physical=17, address_size=4)
    >>> link.connect(0.0)
    >>> link.data_to_send().hex(" ")
    '7e a0 0a 00 02 00 23 21 93 18 71 7e'
    """

    def __init__(
        self,
        client: int,
        server: int,
        *,
        physical: int | None = None,
        address_size: int = 0,
        parameters: HdlcParameters = DEFAULT_PARAMETERS,
        connection: bool = True,
        user_data: bytes = b"",
        response_timeout: float = 2.0,
        retries: int = 3,
        poll_delay: float = 0.2,
        patience: float = 60.0,
        inactivity_timeout: float = 0.0,
        inter_octet_timeout: float = 1.0,
        most: int = LARGEST_MESSAGE,
    ) -> None:
        super().__init__(inter_octet_timeout=inter_octet_timeout, most=most)
        if min(response_timeout, poll_delay, inter_octet_timeout) <= 0 or retries < 0:
            raise ConfigurationError("time-outs of an HDLC link are above 0, retries 0 or more")
        self.client = HdlcAddress(client, size=1)
        self.server = HdlcAddress(server, physical, address_size)
        self.state = PrimaryState.DISCONNECTED
        self.proposal = parameters
        self._connection = connection
        self._user_data = user_data
        self._window = Window(most)
        self._unconfirmed: deque[bytes] = deque()
        self._addresses = self.server.octets + self.client.octets
        self._response_timeout = response_timeout
        self._retries = retries
        self._poll_delay = poll_delay
        self._patience = patience
        self._inactivity_timeout = inactivity_timeout
        self._timer: float | None = None
        self._inactive_at: float | None = None
        self._attempts = 0
        self._awaited = 0  # answers that the server owes us
        self._patient_until = 0.0
        self._hole = False  # something arrived out of order: ask again
        self._sure = False  # what is missing is known to be missing
        self._hesitate = False  # the turn came back with nothing new: it may be an echo of an earlier one
        self._streams_on = False  # more answers follow the one that came, without being asked for
        self._busy = False
        self._trigger = False
        self._reason = ""

    # --- for the transport ------------------------------------------------------------------------

    @property
    def parameters(self) -> HdlcParameters:
        """What the link works with, in the client's view; the defaults before it is connected."""
        return self._window.parameters

    def connect(self, now: float) -> None:
        """Send SNRM; :class:`~cosem.link.base.Connected` follows, or ``Disconnected`` with the reason.

        Raises:
            StateError: A link is there or on its way.
        """
        if not self._connection:
            self._events.append(Connected())
            return
        self._attempts = 0
        self._reason = ""
        self._ask(PrimaryInput.CONNECT, now)

    def disconnect(self, now: float) -> None:
        """Send DISC; :class:`~cosem.link.base.Disconnected` follows in any case."""
        if self.state is not PrimaryState.RELEASING:
            self._attempts = 0
            self._reason = ""
            self._ask(PrimaryInput.DISCONNECT, now)

    def send(self, apdu: bytes, now: float, *, confirmed: bool = True) -> None:
        """Queue an APDU: confirmed in I frames, cut into segments as agreed; unconfirmed in one UI frame.

        Raises:
            StateError: There is no link; for an unconfirmed APDU: it is being set up or taken down, so that it is
                not known how long a frame may be, or whether there will be another turn to send it.
            EncodeError: An unconfirmed APDU does not fit into one frame.
        """
        message = COMMAND + apdu
        if confirmed and self._connection:
            if self.state not in {PrimaryState.READY, PrimaryState.AWAITING}:
                raise StateError(self.state.name, "send")
            self._window.queue(message)
            self._awaited += 1
            self._patient_until = now + self._patience
        else:
            if self.state in {PrimaryState.CONNECTING, PrimaryState.RELEASING}:
                raise StateError(self.state.name, "send")
            most = self.parameters.max_info_transmit
            if len(message) > most:
                raise EncodeError(
                    f"an unconfirmed APDU of {len(apdu)} octets does not fit into a UI frame of {most}"
                )
            self._unconfirmed.append(message)
        self._proceed(now)

    def trigger_event_notification_sending(self, now: float) -> None:
        """Give the server the turn by an empty UI frame, so that it may send what has happened (7.3.8).

        Raises:
            StateError: The link is being set up or taken down.
        """
        if self.state in {PrimaryState.CONNECTING, PrimaryState.RELEASING}:
            raise StateError(self.state.name, "trigger_event_notification_sending")
        if self.state is PrimaryState.DISCONNECTED:
            self._transmit(FrameKind.UI, final=True)
            return
        self._trigger = True
        self._proceed(now)

    def set_busy(self, now: float, *, busy: bool) -> None:
        """Say whether nothing more can be taken at present: RNR instead of RR."""
        self._busy = busy
        self._proceed(now)

    def deadline(self) -> float | None:
        """Return when :meth:`tick` must be called, or ``None``."""
        return earliest(self._timer, self._silence, self._inactive_at)

    def tick(self, now: float) -> None:
        """Let time-outs happen."""
        self._listen(now)
        if self._timer is not None and now >= self._timer:
            self._timer = None
            if self.state is PrimaryState.READY:
                self._fire(PrimaryInput.SPEAK, now)
            else:
                self._attempt(now, PrimaryInput.TIMEOUT)
        if self._inactive_at is not None and now >= self._inactive_at:
            self._inactive_at = None
            self._fire(PrimaryInput.INACTIVITY, now)

    def receive(self, octets: bytes, now: float) -> None:
        """Take octets from the transport; rubbish is skipped."""
        super().receive(octets, now)
        if self._silence is not None and self._timer is not None and self.state is PrimaryState.AWAITING:
            self._timer = max(self._timer, self._silence)  # an answer is on its way: let it come in

    # --- the machine ------------------------------------------------------------------------------

    def _ask(self, event: PrimaryInput, now: float) -> None:
        if not self._fire(event, now):
            raise StateError(self.state.name, event.name)

    def _fire(self, event: PrimaryInput, now: float, frame: Frame = NO_FRAME) -> bool:
        """Move by ``event``; return ``False`` if the table does not know it here."""
        transition = PRIMARY_TRANSITIONS.get((self.state, event))
        if transition is None:
            return False
        action, state = transition
        if self.state is PrimaryState.AWAITING and state is not self.state:
            self._timer = None
        self.state = state
        act: Callable[[Frame, float], None] = getattr(self, f"_{action}")
        act(frame, now)
        return True

    def _frame(self, frame: Frame, now: float) -> None:
        """Take one good frame."""
        event = _INPUTS.get((frame.control.kind, frame.control.final))
        if event is None or not self._is_for_us(frame):
            self.ignored += 1
            return
        if self._inactivity_timeout and self.state is not PrimaryState.DISCONNECTED:
            self._inactive_at = now + self._inactivity_timeout
        if not self._fire(event, now, frame):
            self.ignored += 1
            return
        self._proceed(now)

    def _is_for_us(self, frame: Frame) -> bool:
        source, destination = frame.source, frame.destination
        if source.is_group:
            return False
        if frame.control.kind is FrameKind.UI and (
            destination.upper == CLIENT_MANAGEMENT or destination.is_all_station
        ):
            return True  # an event goes to the client management process, whoever gave the turn
        return destination == self.client and source.answers(self.server)

    def _proceed(self, now: float) -> None:
        """Use the turn, if it is ours and there is something to do."""
        if self.state in {PrimaryState.READY, PrimaryState.DISCONNECTED}:
            while self._unconfirmed:
                self._transmit(FrameKind.UI, final=False, information=self._unconfirmed.popleft())
        if self.state is not PrimaryState.READY:
            return
        window = self._window
        to_send = self._trigger or (window.pending and not window.peer_busy)
        to_ask = not self._busy and (self._hole or window.incomplete or self._streams_on)
        if self._hesitate and (to_send or to_ask):
            # An answer to everything that comes twice would double every frame, again and again.
            self._timer = self._timer or now + self._poll_delay
        elif to_send or to_ask:
            self._fire(PrimaryInput.SPEAK, now)
        elif window.pending or (self._awaited and not self._busy and now < self._patient_until):
            self._timer = self._timer or now + self._poll_delay
        else:
            self._timer = None

    def _attempt(self, now: float, event: PrimaryInput) -> None:
        """Count an attempt without progress, and try again or give up."""
        self._attempts += 1
        exhausted = self._attempts > self._retries
        self._fire(PrimaryInput.EXHAUSTED if exhausted else event, now)

    def _transmit(
        self,
        kind: FrameKind,
        *,
        final: bool,
        information: bytes = b"",
        number: int = 0,
        segmented: bool = False,
    ) -> None:
        control = control_octet(kind, final=final, receive_number=self._window.receive, send_number=number)
        self._out += frame_octets(self._addresses, control, information, segmented=segmented)

    def _await(self, now: float) -> None:
        self._timer = now + self._response_timeout

    # --- actions ------------------------------------------------------------------------------------

    def _send_snrm(self, _frame: Frame, now: float) -> None:
        self._window.reset(DEFAULT_PARAMETERS)
        proposed = self.proposal != DEFAULT_PARAMETERS or self._user_data
        information = self.proposal.encode(self._user_data) if proposed else b""
        self._transmit(FrameKind.SNRM, final=True, information=information)
        self._await(now)

    def _send_disc(self, _frame: Frame, now: float) -> None:
        self._unconfirmed.clear()
        self._transmit(FrameKind.DISC, final=True)
        self._await(now)

    def _speak(self, _frame: Frame, now: float) -> None:
        """Send what there is to send, P in the last frame; else ask."""
        window = self._window
        self._hole = self._hesitate = self._sure = self._streams_on = False
        if self._trigger:
            self._trigger = False
            self._transmit(FrameKind.UI, final=True)
        elif window.pending and not window.peer_busy:
            self._burst()
        else:
            self._transmit(FrameKind.RNR if self._busy else FrameKind.RR, final=True)
        self._await(now)

    def _burst(self) -> None:
        burst = self._window.burst()
        for index, (number, (information, segmented)) in enumerate(burst, 1):
            self._transmit(
                FrameKind.I,
                final=index == len(burst),
                information=information,
                number=number,
                segmented=segmented,
            )

    def _enquire(self, _frame: Frame, now: float) -> None:
        """Ask what has arrived; every other time repeat instead, for meters that do not know the enquiry."""
        if self._attempts % 2 == 0 and self._window.unacknowledged and not self._window.peer_busy:
            self._burst()
        else:
            self._transmit(FrameKind.RNR if self._busy else FrameKind.RR, final=True)
        self._sure = True  # the answer to an enquiry says what is missing
        self._await(now)

    def _take_information(self, frame: Frame, now: float) -> None:
        window, control = self._window, frame.control
        before = len(window.unacknowledged)
        if not window.acknowledge(control.receive_number):
            self.ignored += 1
            self._checkpoint(now, control.final, progress=False)
            return
        window.peer_busy = False
        progress = len(window.unacknowledged) < before
        if self._busy:
            self._hole = True
            self._checkpoint(now, control.final, progress=progress)
            return
        accepted = window.accept(control.send_number, frame.information, segmented=frame.segmented)
        if accepted.too_long:
            self._reason = "the server sends a message that is longer than is taken"
            self._attempts = 0
            self._fire(PrimaryInput.OVERFLOW, now)
            return
        if not accepted.in_sequence:
            self._hole = True
            self._sure = self._sure or window.is_ahead(control.send_number)
        if accepted.message is not None:
            self._streams_on = streams_on(accepted.message)
            if not self._streams_on:
                self._awaited = max(0, self._awaited - 1)
            self._deliver(accepted.message, frame, confirmed=True)
        self._patient_until = now + self._patience
        self._checkpoint(now, control.final, progress=progress or accepted.in_sequence)

    def _take_number(self, frame: Frame, now: float) -> None:
        window, control = self._window, frame.control
        before, busy = len(window.unacknowledged), window.peer_busy
        if not window.acknowledge(control.receive_number):
            self.ignored += 1
            self._checkpoint(now, control.final, progress=False)
            return
        window.peer_busy = control.kind is FrameKind.RNR
        lacking = len(window.unacknowledged)
        progress = lacking < before or not lacking or busy or window.peer_busy
        self._checkpoint(now, control.final, progress=progress)

    def _checkpoint(self, now: float, final: bool, *, progress: bool) -> None:
        """Take note of progress, and of the turn that has come back or not."""
        if progress:
            self._attempts = 0
            self._hesitate = False
        elif final:
            self._hesitate = not self._sure
            self._sure = False
            self._attempts += 1
            if self._attempts > self._retries:
                self._fire(PrimaryInput.EXHAUSTED, now)
                return
        if self.state is PrimaryState.AWAITING:
            self._await(now)

    def _take_unnumbered(self, frame: Frame, now: float) -> None:
        if self.state is PrimaryState.AWAITING:
            self._await(now)
        taken = self._unnumbered.take(frame)
        if taken is not None and taken[0]:
            self._deliver(taken[0], frame, confirmed=False)

    def _deliver(self, message: bytes, frame: Frame, *, confirmed: bool) -> None:
        try:
            apdu, findings = split_llc(message, RESPONSE)
        except FrameError:
            self.ignored += 1
            return
        self.findings.update(findings)
        source, destination = frame.source.upper, frame.destination.upper
        self._events.append(ApduReceived(apdu, source, destination, confirmed, findings))

    # --- the ends -------------------------------------------------------------------------------------

    def _report_connected(self, frame: Frame, _now: float) -> None:
        try:
            said = decode_negotiation(frame.information)
        except FrameError:
            self.findings[PARAMETERS_UNREADABLE] += 1
            said = Negotiation()
        self._window.reset(self.proposal.answer(said.parameters))
        self._timer = None
        self._attempts = self._awaited = 0
        self._hole = self._trigger = self._hesitate = self._sure = self._streams_on = False
        self._events.append(Connected(user_data=said.user_data))

    def _end(self, reason: str, frame: Frame) -> None:
        self._timer = self._inactive_at = None
        self._window.reset(DEFAULT_PARAMETERS)
        self._unconfirmed.clear()
        self._unnumbered.drop()
        self._awaited = 0
        try:
            user_data = decode_negotiation(frame.information).user_data
        except FrameError:
            user_data = b""
        self._events.append(Disconnected(reason, user_data))

    def _report_released(self, frame: Frame, _now: float) -> None:
        self._end(self._reason or "released", frame)

    def _report_refused(self, frame: Frame, _now: float) -> None:
        self._end("the server refuses the link (DM): it serves another client or is locked", frame)

    def _report_gone(self, frame: Frame, _now: float) -> None:
        self._end("the server has no link (DM): it was lost or timed out", frame)

    def _report_rejected(self, frame: Frame, _now: float) -> None:
        said = frame.information.hex(" ") or "without a reason"
        self._end(f"the server rejected a frame (FRMR {said})", NO_FRAME)

    def _report_silent(self, frame: Frame, _now: float) -> None:
        self._end(f"no usable answer after {self._attempts} attempts", frame)

    def _report_inactive(self, frame: Frame, _now: float) -> None:
        self._end(f"no frame for {self._inactivity_timeout:g} s", frame)
