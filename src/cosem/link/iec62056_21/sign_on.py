"""The client's sign-on of IEC 62056-21, modes A to E, as a machine without I/O.

The machine queues octets and, between them, changes of the line: whoever pumps
it sends what :meth:`SignOn.data_to_send` gives, waits until it is out, then sets
the line as :meth:`SignOn.next_line` says, and so on until neither has any more.
"""

from __future__ import annotations

import re
from collections import deque
from typing import Final

from cosem.errors import ConfigurationError, FrameError, StateError
from cosem.link.iec62056_21.events import (
    Answered,
    Failed,
    HdlcReady,
    Identified,
    ProgrammingReady,
    ReadoutReceived,
    SignOnEvent,
)
from cosem.link.iec62056_21.late_answers import LateAnswers
from cosem.link.iec62056_21.line_queue import LineQueue
from cosem.link.iec62056_21.messages import (
    ACK,
    BREAK,
    DEFAULT_LINE,
    EOT,
    ETX,
    MODE_C_BAUD,
    NAK,
    SOH,
    STX,
    Command,
    Identification,
    LineSettings,
    command_message,
    option_select,
    parse_message,
    sign_on_message,
    without_parity,
)
from cosem.link.iec62056_21.readout import parse_data_sets
from cosem.link.iec62056_21.states import SIGN_ON_TRANSITIONS, SignOnInput, SignOnState

__all__ = ["SignOn"]

WAKE_UP_SECONDS: Final = 2.2
"""NUL octets for 2.1 to 2.3 seconds wake a meter that runs on a battery."""
WAKE_UP_PAUSE: Final = 1.6
"""Between the last NUL and the sign-on, 1.5 to 1.7 seconds."""
_LARGEST_MESSAGE: Final = 0x10000
_SILENCE: Final = 2
"""Response time-outs without an octet, after which no late answer comes any more: repetitions are one apart."""
_LONGEST_CLEARING: Final = 10
"""Response time-outs in which a line must become silent."""

_WANTED: Final = {
    "hdlc": ("2", "2", SignOnInput.HDLC_SELECTED),
    "readout": ("0", "0", SignOnInput.READOUT_SELECTED),
    "programming": ("0", "1", SignOnInput.PROGRAMMING_SELECTED),
}


_IN_MESSAGES: Final = frozenset(
    {
        SignOnState.READING,
        SignOnState.PROMPTING,
        SignOnState.PROGRAMMING,
        SignOnState.CLEARING,
        SignOnState.COMMANDING,
    }
)


class SignOn:
    r"""The client of one port.

    Args:
        want: ``"hdlc"`` (mode E), ``"readout"`` (modes A to D) or ``"programming"``.
        address: Device address; empty calls whoever is there.
        most_baud: The fastest rate to agree to.
        wake_up: Whether to wake a meter that sleeps.
        emulate_parity: Whether the port only knows eight bits without parity: then the parity bit is computed.
        line_control: Whether there is a line to set; ``False`` over TCP.
        confirmation: Whether the meter must repeat the option select of mode E; many do not, or garbled.
        response_timeout: Seconds until the sign-on is repeated.
        retries: How often it is.
        settle: Seconds that meter and port get for a change of the line.
        character_timeout: Seconds of silence that end a message, 1.5 by the standard.
        line: How the line is set for the sign-on, 300 baud 7E1 by the standard; some ports have one fixed rate.

    >>> machine = SignOn()
    >>> machine.start(0.0)
    >>> str(machine.next_line())
    '300 7E1'
    >>> machine.data_to_send()
    b'/?!\r\n'
    """

    def __init__(
        self,
        want: str = "hdlc",
        *,
        address: str = "",
        most_baud: int = 19200,
        wake_up: bool = False,
        emulate_parity: bool = False,
        line_control: bool = True,
        confirmation: bool = False,
        response_timeout: float = 3.0,
        retries: int = 3,
        settle: float = 0.2,
        character_timeout: float = 1.5,
        line: LineSettings = DEFAULT_LINE,
    ) -> None:
        if want not in _WANTED:
            raise ConfigurationError(f"{want!r} is none of {', '.join(_WANTED)}")
        self.want = want
        self.state = SignOnState.IDLE
        self.identification: Identification | None = None
        self._offered = Identification("XXX", "0")
        self._call = sign_on_message(address)
        self._most_baud = most_baud
        self._wakes_up = wake_up
        self._listening = False
        self._confirmation = confirmation
        self._response_timeout = response_timeout
        self._retries = retries
        self._settle = settle
        self._character_timeout = character_timeout
        self.line = line
        self._out = LineQueue(emulate_parity=emulate_parity, line_control=line_control)
        self._events: deque[SignOnEvent] = deque()
        self._buffer = bytearray()
        self._timer: float | None = None
        self._attempts = 0
        self._baud_character = "0"
        self._command = Command("B0")
        self._message: tuple[Command, bool] = (Command(""), True)
        self._reason = ""
        self._late = LateAnswers(_SILENCE * response_timeout, character_timeout)
        self._clear_until = 0.0

    # --- for the transport ------------------------------------------------------------------------

    def start(self, now: float) -> None:
        """Call the meter.

        Raises:
            StateError: The machine is at work.
        """
        self._attempts = 0
        self._ask(SignOnInput.START_WITH_WAKE_UP if self._wakes_up else SignOnInput.START, now)

    def listen(self, now: float) -> None:
        """Wait for a readout that comes by itself, at the rate that the line has (mode D: 2400 baud).

        Raises:
            StateError: The machine is at work.
        """
        self._ask(SignOnInput.LISTEN, now)

    def command(self, command: Command, now: float) -> None:
        """Give a command in programming mode; :class:`Answered` follows.

        It waits while answers to earlier commands may still come: answers do not say what they answer. Only what
        reads is repeated when no answer comes; anything else may have been done, and ends the mode.

        Raises:
            StateError: Not in programming mode, or a command is out.
            ConfigurationError: It is no command.
        """
        command_message(command)
        if self.state is SignOnState.PROGRAMMING:
            self._command, self._attempts, self._reason = command, 0, ""
        self._ask(SignOnInput.COMMAND, now)

    def doubt(self) -> None:
        """Take back that the last answer was one: it is of another command, and the right one may still come."""
        self._late.asked()

    def leave(self, now: float) -> None:
        """End programming mode (B0), also while it is being entered.

        Raises:
            StateError: Not in programming mode.
        """
        self._ask(SignOnInput.BREAK, now)

    def data_to_send(self) -> bytes:
        """Return the octets to send before the line changes next, and forget them."""
        return self._out.data_to_send()

    def next_line(self) -> LineSettings | None:
        """Return how to set the line once all octets are out, or ``None`` if it stays."""
        return self._out.next_line()

    @property
    def line_is_due(self) -> bool:
        """Whether the line must be set, or octets sent, before anything else is sent."""
        return bool(self._out)

    def reset_line(self) -> None:
        """Queue the way back to 300 baud 7E1, or where else a sign-on begins."""
        self._out.set(self.line)

    def next_event(self) -> SignOnEvent | None:
        """Return the oldest event, or ``None``."""
        return self._events.popleft() if self._events else None

    def deadline(self) -> float | None:
        """Return when :meth:`tick` must be called, or ``None``."""
        return self._timer

    def tick(self, now: float) -> None:
        """Let time pass."""
        if self._timer is None or now < self._timer:
            return
        self._timer = None
        if self.state in {SignOnState.WAKING, SignOnState.SETTLING}:
            self._fire(SignOnInput.DUE, now)
        elif self.state is SignOnState.ANSWERING:
            self._fire(_WANTED[self.want][2], now)
        elif self.state is SignOnState.CLEARING:
            self._go_on_when_free(now)
        elif self.state is SignOnState.READING and self._buffer:
            self._end_of_silence(now)
        elif self.state is SignOnState.PROMPTING and self._buffer[-1:] == bytes((ACK,)):
            self._buffer.clear()
            self._message = (Command(""), True)
            self._fire(SignOnInput.ACKNOWLEDGED, now)
        elif self.state is SignOnState.COMMANDING and not self._repeatable:
            self._reason = "the meter does not answer; the command may have been done all the same"
            self._fire(SignOnInput.EXHAUSTED, now)
        else:
            self._attempt(now, "the meter does not answer")

    def receive(self, octets: bytes, now: float) -> None:
        """Take octets from the transport."""
        if self.state is SignOnState.HDLC:
            raise StateError(self.state.name, "receive")
        self._buffer += octets if self.state is SignOnState.SETTLING else without_parity(octets)
        del self._buffer[:-_LARGEST_MESSAGE]
        if octets:
            self._late.heard(now)
        while self._look(now):
            pass
        if not octets:
            return
        if self.state in {SignOnState.READING, SignOnState.PROMPTING}:
            self._timer = now + self._character_timeout
        elif self.state is SignOnState.COMMANDING:  # what came may be an echo
            self._timer = max(self._timer or now, now + self._character_timeout)
        elif self.state is SignOnState.CLEARING:
            self._go_on_when_free(now)

    # --- what comes -----------------------------------------------------------------------------------

    def _look(self, now: float) -> bool:
        """Take one message from the buffer, if the state waits for one and it is whole."""
        if self.state is SignOnState.CALLING:
            return self._look_for_identification(now)
        if self.state is SignOnState.CONFIRMING:
            found = re.search(rb"\x06(...)\r?\n", self._buffer, re.DOTALL)
            if found is None:
                return False
            if found[1] == f"2{self._baud_character}2".encode("ascii"):
                del self._buffer[: found.end()]
                return self._fire(SignOnInput.CONFIRMATION, now)
            del self._buffer[: found.start() + 1]
            return True
        return self.state in _IN_MESSAGES and self._look_for_message(now)

    def _look_for_identification(self, now: float) -> bool:
        start = self._buffer.find(b"/")
        if start < 0:
            self._buffer.clear()
            return False
        stop = self._buffer.find(b"\n", start)
        if stop < 0:
            del self._buffer[:start]
            return False
        line = self._buffer[start : stop + 1].decode("latin-1")
        try:
            identification = Identification.parse(line)
        except FrameError:  # noise, or our own call: optical heads repeat what they send
            del self._buffer[: start + 1]
            return True
        del self._buffer[: stop + 1]
        self.identification = self._offered = identification
        self._events.append(Identified(identification))
        if self.want == "hdlc" and not identification.hdlc:
            self._reason = f"{line.strip()} offers no HDLC (no \\2): mode {identification.mode} only"
            return self._fire(SignOnInput.UNSUITABLE, now)
        if self.want == "readout" and (identification.mode in "AB" or self._listening):
            return self._fire(SignOnInput.READOUT_FOLLOWS, now)
        if identification.mode in "AB":
            self._reason = f"{line.strip()} offers a readout only (mode {identification.mode})"
            return self._fire(SignOnInput.UNSUITABLE, now)
        return self._fire(SignOnInput.IDENTIFIED, now)

    def _look_for_message(self, now: float) -> bool:
        buffer = self._buffer
        start = next((at for at, octet in enumerate(buffer) if octet in {SOH, STX, ACK, NAK}), -1)
        if start < 0:
            return False
        if buffer[start] in {ACK, NAK}:
            if self.state is SignOnState.READING:
                del buffer[: start + 1]
                return True
            if self.state is SignOnState.PROMPTING and buffer[start] == ACK:
                return self._look_for_select(start)
            event = SignOnInput.ACKNOWLEDGED if buffer[start] == ACK else SignOnInput.REPEAT_ASKED
            del buffer[: start + 1]
            self._message = (Command(""), True)
            return self._fire(event, now)
        stop = next((at for at in range(start, len(buffer)) if buffer[at] in {ETX, EOT}), -1)
        if stop < 0 or stop + 2 > len(buffer):
            return False
        octets = bytes(buffer[start : stop + 2])
        del buffer[: stop + 2]
        try:
            self._message = (parse_message(octets), True)
        except FrameError as error:
            self._reason = error.problem
            return self._fire(SignOnInput.DAMAGED, now)
        if self.state is SignOnState.COMMANDING and self._message[0] == self._command:
            return True  # an optical head repeats what it sends
        return self._fire(SignOnInput.MESSAGE, now)

    def _look_for_select(self, start: int) -> bool:
        """Skip the option select that an optical head repeats; an acknowledgement alone is told by the silence after it."""
        selected = option_select(_WANTED[self.want][0], self._baud_character, _WANTED[self.want][1])
        come = bytes(self._buffer[start : start + len(selected)])
        if come == selected:
            del self._buffer[: start + len(selected)]
            return True
        if selected.startswith(come):
            return False
        del self._buffer[: start + 1]
        return True

    @property
    def _repeatable(self) -> bool:
        """Whether the command can be given twice without harm."""
        return self._command.name.startswith("R")

    def _go_on_when_free(self, now: float) -> None:
        """Send the command that waits, once nothing is to come that is not its answer."""
        begun = any(octet in {SOH, STX} for octet in self._buffer)
        free_at = self._late.free_at(begun=begun)
        if now >= free_at:
            self._late.none()
            self._fire(SignOnInput.DUE, now)
        elif now >= self._clear_until:
            self._reason = "octets come on and on"
            self._fire(SignOnInput.EXHAUSTED, now)
        else:
            self._timer = min(free_at, self._clear_until)

    def _end_of_silence(self, now: float) -> None:
        """Take a readout that ended without ETX and block check, as some of mode A and D do."""
        text = self._buffer.decode("latin-1")
        self._buffer.clear()
        if "!" in text and "\x02" not in text:
            self._message = (Command("", text), False)
            self._fire(SignOnInput.MESSAGE, now)
        else:
            self._attempt(now, "the readout was cut off")

    # --- the machine ------------------------------------------------------------------------------------

    def _ask(self, event: SignOnInput, now: float) -> None:
        if not self._fire(event, now):
            raise StateError(self.state.name, event.name)

    def _fire(self, event: SignOnInput, now: float) -> bool:
        transition = SIGN_ON_TRANSITIONS.get((self.state, event))
        if transition is None:
            return False
        action, self.state = transition
        getattr(self, f"_do_{action}")(now)
        return True

    def _attempt(self, now: float, reason: str) -> None:
        """Try again where the table knows how, or give up."""
        self._attempts += 1
        self._reason = self._reason or reason
        confirming = self.state is SignOnState.CONFIRMING
        give_up = self._confirmation if confirming else self._attempts > self._retries
        if give_up or not self._fire(SignOnInput.TIMEOUT, now):
            self._fire(SignOnInput.EXHAUSTED, now)

    # --- actions ------------------------------------------------------------------------------------------

    def _do_wake_up(self, now: float) -> None:
        self._out.set(self.line)
        self._out.send(bytes(round(WAKE_UP_SECONDS * self.line.baud / 10)))
        self._timer = now + WAKE_UP_SECONDS + WAKE_UP_PAUSE

    def _do_call(self, now: float) -> None:
        self._buffer.clear()
        self._reason = ""
        self._listening = False
        self._out.set(self.line)
        self._out.send(self._call)
        self._timer = now + self._response_timeout

    def _do_listen(self, now: float) -> None:
        del now
        self._buffer.clear()
        self._listening = True
        self._timer = None

    def _do_identify(self, now: float) -> None:
        offered = [
            (baud, character)
            for character, baud in MODE_C_BAUD.items()
            if baud <= min(self._offered.baud, max(self._most_baud, 300))
        ]
        self._baud_character = max(offered)[1]
        self._timer = now + self._offered.reaction_time

    def _do_follow(self, now: float) -> None:
        if self._offered.mode == "B" and not self._listening:
            self._out.set(LineSettings(self._offered.baud))
        self._attempts = 0
        self._timer = now + self._response_timeout

    def _do_select(self, now: float) -> None:
        protocol, mode, _ = _WANTED[self.want]
        self._out.send(option_select(protocol, self._baud_character, mode))
        self._out.set(LineSettings(MODE_C_BAUD[self._baud_character]))
        self._buffer.clear()
        self._attempts = 0
        self._timer = now + self._response_timeout

    def _do_settle(self, now: float) -> None:
        self._out.set(LineSettings(MODE_C_BAUD[self._baud_character], 8, "N"))
        self._timer = now + self._settle

    def _do_hand_over(self, now: float) -> None:
        del now
        self._events.append(HdlcReady(bytes(self._buffer)))
        self._buffer.clear()

    def _do_take_readout(self, now: float) -> None:
        del now
        message, checked = self._message
        self._timer = None
        self._events.append(ReadoutReceived(self._offered, parse_data_sets(message.data), checked))

    def _do_take_prompt(self, now: float) -> None:
        del now
        self._late.none()
        self._late.reaction_time = self._offered.reaction_time
        self._timer = None
        self._events.append(ProgrammingReady(self._message[0].data.strip("()")))

    def _do_clear(self, now: float) -> None:
        self._clear_until = now + _LONGEST_CLEARING * self._response_timeout
        self._go_on_when_free(now)

    def _do_count_late(self, now: float) -> None:
        """Count an answer that comes when none is waited for; a command is what an optical head repeats."""
        del now
        if not self._message[0].name:
            self._late.answered()

    def _do_skip(self, now: float) -> None:
        """Forget what comes when nothing is waited for, and may be noise."""
        del now
        self._reason = ""

    def _do_send_command(self, now: float) -> None:
        self._buffer.clear()
        self._out.send(command_message(self._command))
        self._late.asked()
        # what is not repeated may take as long as all repetitions of what is
        self._timer = now + self._response_timeout * (1 if self._repeatable else self._retries + 1)

    def _do_abandon(self, now: float) -> None:
        """End a mode in which nothing can be relied on any more."""
        self._out.send(BREAK)
        self._do_fail(now)

    def _do_take_answer(self, now: float) -> None:
        del now
        self._timer = None
        self._late.answered()
        message = self._message[0]
        self._events.append(Answered(message, parse_data_sets(message.data)))

    def _do_send_break(self, now: float) -> None:
        del now
        self._timer = None
        self._out.send(BREAK)
        self._out.set(self.line)

    def _do_repeat(self, now: float) -> None:
        """Ask for the last message again."""
        self._attempts += 1
        if self._attempts > self._retries:
            self._fire(SignOnInput.EXHAUSTED, now)
            return
        self._out.send(bytes((NAK,)))
        self._late.asked()
        self._timer = now + self._response_timeout

    def _do_resend(self, now: float) -> None:
        """Send the command again: the meter did not understand it."""
        self._attempts += 1
        self._reason = "the meter does not understand the command (NAK)"
        if self._attempts > self._retries:
            self._fire(SignOnInput.EXHAUSTED, now)
        else:
            self._do_send_command(now)

    def _do_fail(self, now: float) -> None:
        del now
        self._timer = None
        self._out.set(self.line)
        self._events.append(Failed(self._reason))
