"""The secondary station: the server's end of the link of one client and one logical device.

It speaks only when it was given the turn (P), and gives it back with its last
frame (F). After a request it keeps the turn until the application has answered,
or has said that it will not.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from cosem.errors import FrameError
from cosem.link.base import ApduReceived, Connected, Disconnected
from cosem.link.hdlc.address import HdlcAddress
from cosem.link.hdlc.frame import Frame, FrameKind, control_octet, frame_octets
from cosem.link.hdlc.line import NO_FRAME
from cosem.link.hdlc.llc import COMMAND, split_llc
from cosem.link.hdlc.parameters import DEFAULT_PARAMETERS, HdlcParameters, decode_negotiation
from cosem.link.hdlc.states import SECONDARY_TRANSITIONS, SecondaryInput, SecondaryState
from cosem.link.hdlc.window import Window

if TYPE_CHECKING:
    from cosem.link.hdlc.server import HdlcServerLink

__all__ = ["Secondary"]

_INPUTS: Final = {
    FrameKind.DISC: SecondaryInput.DISC,
    FrameKind.I: SecondaryInput.I,
    FrameKind.RR: SecondaryInput.RR_RNR,
    FrameKind.RNR: SecondaryInput.RR_RNR,
    FrameKind.UI: SecondaryInput.UI,
    FrameKind.UNKNOWN: SecondaryInput.INVALID,
}
_OF_SERVERS: Final = {FrameKind.UA, FrameKind.DM, FrameKind.FRMR}
_WITHOUT_INFORMATION: Final = {FrameKind.RR, FrameKind.RNR}  # DISC may carry user data

# Why a frame is rejected: bits of the third octet of FRMR.
_CONTROL_INVALID: Final = 0x01
_INFORMATION_NOT_PERMITTED: Final = 0x03  # always together with the first
_INFORMATION_TOO_LONG: Final = 0x04
_RECEIVE_NUMBER_INVALID: Final = 0x08


class Secondary:
    """One link at the server.

    Args:
        line: The line that it is on.
        client: The client.
        upper: The logical device.
    """

    def __init__(self, line: HdlcServerLink, client: int, upper: int) -> None:
        self.line = line
        self.client = client
        self.upper = upper
        self.state = SecondaryState.NDM
        self.inactive_at: float | None = None
        self.called = HdlcAddress(upper)
        self._window = Window(line.most)
        self._turn = False
        self._rejection = b""

    @property
    def parameters(self) -> HdlcParameters:
        """What was agreed, in the server's view."""
        return self._window.parameters

    # --- for the line ---------------------------------------------------------------------------------

    def take(self, frame: Frame, called: HdlcAddress, now: float, *, refused: bool) -> None:
        """Take a frame that is for this pair.

        Args:
            frame: The frame.
            called: The address to answer from: the one called, in its length.
            now: Monotonic seconds.
            refused: Whether a link must not be set up.
        """
        self.called = called
        kind, final = frame.control.kind, frame.control.final
        silent = (
            kind in {FrameKind.SNRM, FrameKind.DISC} and not final
        )  # without an answer nothing may change
        if silent or kind in _OF_SERVERS:
            self.line.ignored += 1
            return
        if self.line.inactivity_timeout and self.state is not SecondaryState.NDM:
            self.inactive_at = now + self.line.inactivity_timeout
        if kind is FrameKind.SNRM:
            event = SecondaryInput.SNRM_REFUSED if refused else SecondaryInput.SNRM
        else:
            event = _INPUTS[kind]
        reason = self._objection(frame)
        if reason:
            self._rejection = self._frame_reject(frame, reason)
            event = SecondaryInput.INVALID
        self.fire(event, now, frame)

    def fire(self, event: SecondaryInput, now: float, frame: Frame = NO_FRAME) -> None:
        """Move by ``event``; what the table does not know here is dropped."""
        transition = SECONDARY_TRANSITIONS.get((self.state, event))
        if transition is None:
            self.line.ignored += 1
            return
        action, self.state = transition
        act: Callable[[Frame, float], None] = getattr(self, f"_{action}")
        act(frame, now)

    def send(self, message: bytes, now: float) -> bool:
        """Queue a message, and send it if the turn is ours; return whether there is a link."""
        del now
        if self.state is not SecondaryState.NRM:
            return False
        self._window.queue(message)
        if self._turn:
            self._use_turn()
        return True

    def give_turn(self, now: float) -> None:
        """Give the turn back if it was kept for an answer: there is none."""
        del now
        if self._turn:
            self._use_turn()

    # --- inside ---------------------------------------------------------------------------------------

    def _objection(self, frame: Frame) -> int:
        """Return why a frame is not possible here; 0 if it is."""
        control = frame.control
        if control.kind is FrameKind.UNKNOWN:
            return _CONTROL_INVALID
        if control.kind in _WITHOUT_INFORMATION and frame.information:
            return _INFORMATION_NOT_PERMITTED
        if self.state is not SecondaryState.NRM:
            return 0
        if control.kind is FrameKind.I and len(frame.information) > self.parameters.max_info_receive:
            return _INFORMATION_TOO_LONG
        if control.kind in {FrameKind.I, FrameKind.RR, FrameKind.RNR} and not self._window.acknowledge(
            control.receive_number
        ):
            return _RECEIVE_NUMBER_INVALID
        return 0

    def _frame_reject(self, frame: Frame, reason: int) -> bytes:
        window = self._window
        return bytes((frame.control.octet, window.receive << 5 | window.send << 1, reason))

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
        addresses = HdlcAddress(self.client, size=1).octets + self.called.octets
        self.line.put(frame_octets(addresses, control, information, segmented=segmented))

    def _use_turn(self, *, wait: bool = False) -> None:
        """Send what there is, F in the last frame; ``wait`` keeps the turn if there is nothing yet."""
        window = self._window
        if self.line.has_pushes:
            self.line.push(final=False)
        if window.pending and not window.peer_busy:
            burst = window.burst()
            for index, (number, (information, segmented)) in enumerate(burst, 1):
                self._transmit(
                    FrameKind.I,
                    final=index == len(burst),
                    information=information,
                    number=number,
                    segmented=segmented,
                )
        elif wait and not self.line.busy:
            self._turn = True
            return
        else:
            self._transmit(FrameKind.RNR if self.line.busy else FrameKind.RR, final=True)
        self._turn = False

    # --- actions --------------------------------------------------------------------------------------

    def _connect(self, frame: Frame, now: float) -> None:
        try:
            said = decode_negotiation(frame.information)
        except FrameError:
            self.state = SecondaryState.NDM  # nothing was agreed
            self._answer_dm(frame, now)
            return
        agreed = self.line.parameters.answer(said.parameters)
        self._window.reset(agreed)
        self._turn = False
        self._rejection = b""
        self.inactive_at = now + self.line.inactivity_timeout if self.line.inactivity_timeout else None
        self._transmit(FrameKind.UA, final=True, information=agreed.encode())
        self.line.report(Connected(self.client, self.upper, said.user_data))

    def _connect_again(self, frame: Frame, now: float) -> None:
        self._gone("the client sent SNRM again")
        self._connect(frame, now)

    def _disconnect(self, frame: Frame, _now: float) -> None:
        self._transmit(FrameKind.UA, final=True)
        try:
            user_data = decode_negotiation(frame.information).user_data
        except FrameError:
            user_data = b""
        self._gone("the client sent DISC", user_data)

    def _disconnect_with_dm(self, frame: Frame, now: float) -> None:
        self._answer_dm(frame, now)
        self._gone("a new link was refused")

    def _abort(self, _frame: Frame, _now: float) -> None:
        self._gone("the client was silent for too long, or the connection is gone")

    def _gone(self, reason: str, user_data: bytes = b"") -> None:
        self._window.reset(DEFAULT_PARAMETERS)
        self._turn = False
        self.inactive_at = None
        self.line.report(Disconnected(reason, user_data, self.client, self.upper))

    def _answer_dm(self, frame: Frame, _now: float) -> None:
        if frame.control.final:
            self._transmit(FrameKind.DM, final=True)

    def _reject(self, frame: Frame, _now: float) -> None:
        self._turn = False
        if frame.control.final:
            self._transmit(FrameKind.FRMR, final=True, information=self._rejection)

    _reject_again = _reject

    def _take_information(self, frame: Frame, now: float) -> None:
        window, control = self._window, frame.control
        window.peer_busy = False
        delivered = False
        if not self.line.busy:
            accepted = window.accept(control.send_number, frame.information, segmented=frame.segmented)
            if accepted.too_long:
                self._rejection = self._frame_reject(frame, _INFORMATION_TOO_LONG)
                self.fire(SecondaryInput.INVALID, now, frame)
                return
            if accepted.message is not None:
                try:
                    apdu, findings = split_llc(accepted.message, COMMAND)
                except FrameError:
                    self._rejection = self._frame_reject(frame, _CONTROL_INVALID)
                    self.fire(SecondaryInput.INVALID, now, frame)
                    return
                self.line.findings.update(findings)
                self.line.report(ApduReceived(apdu, self.client, self.upper, findings=findings))
                delivered = True
        if control.final:
            self._use_turn(wait=delivered)

    def _take_number(self, frame: Frame, _now: float) -> None:
        self._window.peer_busy = frame.control.kind is FrameKind.RNR
        if frame.control.final:
            self._use_turn()

    def _take_unnumbered(self, frame: Frame, _now: float) -> None:
        self.line.take_unnumbered(frame, (self.upper,))
        if not frame.control.final:
            return
        if self.line.has_pushes:
            self.line.push(final=True)
        elif not frame.information:
            self._transmit(FrameKind.UI, final=True)
