"""The sign-on as a table: (state, what happens) to (action, next state).

What is not in the table is ignored: noise, echoes, late messages.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, auto
from types import MappingProxyType
from typing import Final

__all__ = ["SIGN_ON_TRANSITIONS", "SignOnInput", "SignOnState"]


class SignOnState(Enum):
    """Where the client stands."""

    IDLE = auto()
    WAKING = auto()
    """The wake-up is out; the meter needs a pause."""
    CALLING = auto()
    """The sign-on is out."""
    ANSWERING = auto()
    """Identified; the reaction time runs before the option select."""
    CONFIRMING = auto()
    """Mode E is selected; the meter repeats it at the new rate."""
    SETTLING = auto()
    """The line becomes 8N1; then HDLC begins."""
    READING = auto()
    """The meter sends its readout."""
    PROMPTING = auto()
    """Programming mode is selected; the meter sends its operand (P0)."""
    PROGRAMMING = auto()
    """In programming mode; commands may be given."""
    CLEARING = auto()
    """A command waits for answers to earlier ones that may still come."""
    COMMANDING = auto()
    """A command is out."""
    HDLC = auto()
    """The line belongs to HDLC."""
    DONE = auto()
    """The readout has come, or programming mode has ended."""
    FAILED = auto()


class SignOnInput(Enum):
    """What happens."""

    START = auto()
    START_WITH_WAKE_UP = auto()
    LISTEN = auto()
    """Begin without a call: mode D sends when its button is pressed."""
    IDENTIFIED = auto()
    """An identification that calls for an option select."""
    READOUT_FOLLOWS = auto()
    """An identification of mode A or B: the readout comes without being selected."""
    UNSUITABLE = auto()
    """An identification without what is wanted."""
    DUE = auto()
    """The time of this state is over, as planned."""
    HDLC_SELECTED = auto()
    READOUT_SELECTED = auto()
    PROGRAMMING_SELECTED = auto()
    CONFIRMATION = auto()
    MESSAGE = auto()
    """A whole data or command message."""
    ACKNOWLEDGED = auto()
    DAMAGED = auto()
    """A message with a wrong block check."""
    REPEAT_ASKED = auto()
    """NAK: the meter wants to hear again what was sent last."""
    COMMAND = auto()
    BREAK = auto()
    TIMEOUT = auto()
    EXHAUSTED = auto()


S, I = SignOnState, SignOnInput  # noqa: E741 -- as short as in the other tables

SIGN_ON_TRANSITIONS: Final[Mapping[tuple[SignOnState, SignOnInput], tuple[str, SignOnState]]] = (
    MappingProxyType(
        {
            **{
                (state, event): entry
                for state in (S.IDLE, S.DONE, S.FAILED, S.HDLC)
                for event, entry in (
                    (I.START, ("call", S.CALLING)),
                    (I.START_WITH_WAKE_UP, ("wake_up", S.WAKING)),
                    (I.LISTEN, ("listen", S.CALLING)),
                )
            },
            (S.WAKING, I.DUE): ("call", S.CALLING),
            (S.CALLING, I.IDENTIFIED): ("identify", S.ANSWERING),
            (S.CALLING, I.READOUT_FOLLOWS): ("follow", S.READING),
            (S.CALLING, I.UNSUITABLE): ("fail", S.FAILED),
            (S.CALLING, I.TIMEOUT): ("call", S.CALLING),
            (S.CALLING, I.EXHAUSTED): ("fail", S.FAILED),
            (S.ANSWERING, I.HDLC_SELECTED): ("select", S.CONFIRMING),
            (S.ANSWERING, I.READOUT_SELECTED): ("select", S.READING),
            (S.ANSWERING, I.PROGRAMMING_SELECTED): ("select", S.PROMPTING),
            (S.CONFIRMING, I.CONFIRMATION): ("settle", S.SETTLING),
            (S.CONFIRMING, I.TIMEOUT): ("settle", S.SETTLING),  # tolerated unless a confirmation is demanded
            (S.CONFIRMING, I.EXHAUSTED): ("fail", S.FAILED),
            (S.SETTLING, I.DUE): ("hand_over", S.HDLC),
            (S.READING, I.MESSAGE): ("take_readout", S.DONE),
            (S.READING, I.DAMAGED): ("repeat", S.READING),
            (S.READING, I.EXHAUSTED): ("fail", S.FAILED),
            (S.PROMPTING, I.MESSAGE): ("take_prompt", S.PROGRAMMING),
            (S.PROMPTING, I.ACKNOWLEDGED): ("take_prompt", S.PROGRAMMING),
            (S.PROMPTING, I.DAMAGED): ("repeat", S.PROMPTING),
            (S.PROMPTING, I.REPEAT_ASKED): ("repeat", S.PROMPTING),  # the option select was at another rate
            (S.PROMPTING, I.EXHAUSTED): ("fail", S.FAILED),
            (S.PROMPTING, I.BREAK): ("send_break", S.DONE),  # the meter may be in the mode already
            (S.PROGRAMMING, I.COMMAND): ("clear", S.CLEARING),
            **{
                (state, event): (action, state)
                for state in (S.PROGRAMMING, S.CLEARING)
                for event, action in (
                    (I.MESSAGE, "count_late"),
                    (I.ACKNOWLEDGED, "skip"),
                    (I.DAMAGED, "skip"),
                    (I.REPEAT_ASKED, "skip"),
                )
            },
            (S.PROGRAMMING, I.BREAK): ("send_break", S.DONE),
            (S.CLEARING, I.DUE): ("send_command", S.COMMANDING),
            (S.CLEARING, I.EXHAUSTED): ("abandon", S.FAILED),
            (S.CLEARING, I.BREAK): ("send_break", S.DONE),
            (S.COMMANDING, I.MESSAGE): ("take_answer", S.PROGRAMMING),
            (S.COMMANDING, I.ACKNOWLEDGED): ("take_answer", S.PROGRAMMING),
            (S.COMMANDING, I.DAMAGED): ("repeat", S.COMMANDING),
            (S.COMMANDING, I.REPEAT_ASKED): ("resend", S.COMMANDING),
            (S.COMMANDING, I.TIMEOUT): ("send_command", S.COMMANDING),
            (S.COMMANDING, I.EXHAUSTED): ("abandon", S.FAILED),
            (S.COMMANDING, I.BREAK): ("send_break", S.DONE),
        }
    )
)
"""The client of modes A to E."""
