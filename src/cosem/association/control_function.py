"""The control functions of figures 9 and 10: where one application association stands.

Each side is a table. What the figures draw, and what they leave open and we
complete, stands side by side; a pair that is not in the table is an error and
changes nothing. Data services do not move the control function: they are allowed
in ASSOCIATED, and the loops that the figures draw on IDLE are listed too.

(IEC 62056-5-3, 7.1.1 and 7.1.2)
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, auto
from types import MappingProxyType
from typing import Final, Generic, TypeVar

from cosem.errors import StateError

__all__ = [
    "CLIENT_TRANSITIONS",
    "SERVER_TRANSITIONS",
    "ClientEvent",
    "ControlFunction",
    "ServerEvent",
    "State",
    "diagram",
]


class State(Enum):
    """States of the control function, of either side."""

    INACTIVE = auto()
    IDLE = auto()
    ASSOCIATION_PENDING = auto()
    ASSOCIATED = auto()
    ASSOCIATION_RELEASE_PENDING = auto()


class ClientEvent(Enum):
    """What moves the client's side: service primitives, and what the lower layer says."""

    CREATED = auto()
    PRE_ESTABLISHED = auto()
    OPEN_REQUEST = auto()
    OPEN_CONFIRM_OK = auto()
    OPEN_CONFIRM_NOK = auto()
    DATA_SERVICE = auto()
    EVENT_NOTIFICATION_INDICATION = auto()
    TRIGGER_EVENT_NOTIFICATION_SENDING_REQUEST = auto()
    RELEASE_REQUEST = auto()
    RELEASE_CONFIRM = auto()
    ABORT_INDICATION = auto()
    DELETED = auto()


class ServerEvent(Enum):
    """What moves the server's side: service primitives, and what the lower layer says."""

    CREATED = auto()
    PRE_ESTABLISHED = auto()
    OPEN_INDICATION = auto()
    OPEN_RESPONSE_OK = auto()
    OPEN_RESPONSE_NOK = auto()
    DATA_SERVICE = auto()
    EVENT_NOTIFICATION_REQUEST = auto()
    INFORMATION_REPORT_REQUEST = auto()
    RELEASE_INDICATION = auto()
    RELEASE_RESPONSE = auto()
    ABORT_INDICATION = auto()
    DELETED = auto()


S, C, V = State, ClientEvent, ServerEvent

CLIENT_TRANSITIONS: Final[Mapping[tuple[State, ClientEvent], State]] = MappingProxyType(
    {
        (S.INACTIVE, C.CREATED): S.IDLE,
        (S.IDLE, C.PRE_ESTABLISHED): S.ASSOCIATED,
        (S.IDLE, C.OPEN_REQUEST): S.ASSOCIATION_PENDING,
        (S.IDLE, C.RELEASE_REQUEST): S.IDLE,
        (S.IDLE, C.TRIGGER_EVENT_NOTIFICATION_SENDING_REQUEST): S.IDLE,
        (S.IDLE, C.EVENT_NOTIFICATION_INDICATION): S.IDLE,
        (S.ASSOCIATION_PENDING, C.OPEN_CONFIRM_OK): S.ASSOCIATED,
        (S.ASSOCIATION_PENDING, C.OPEN_CONFIRM_NOK): S.IDLE,
        (S.ASSOCIATED, C.DATA_SERVICE): S.ASSOCIATED,
        (S.ASSOCIATED, C.EVENT_NOTIFICATION_INDICATION): S.ASSOCIATED,
        (S.ASSOCIATED, C.TRIGGER_EVENT_NOTIFICATION_SENDING_REQUEST): S.ASSOCIATED,
        (S.ASSOCIATED, C.RELEASE_REQUEST): S.ASSOCIATION_RELEASE_PENDING,
        (S.ASSOCIATION_RELEASE_PENDING, C.RELEASE_CONFIRM): S.IDLE,
        # The lower layer may go at any time; an abort finds nothing to end in IDLE (ours).
        **{(state, C.ABORT_INDICATION): S.IDLE for state in State if state is not S.INACTIVE},
        **{(state, C.DELETED): S.INACTIVE for state in State if state is not S.INACTIVE},
    }
)
"""The client's side (figure 9)."""

SERVER_TRANSITIONS: Final[Mapping[tuple[State, ServerEvent], State]] = MappingProxyType(
    {
        (S.INACTIVE, V.CREATED): S.IDLE,
        (S.IDLE, V.PRE_ESTABLISHED): S.ASSOCIATED,
        (S.IDLE, V.OPEN_INDICATION): S.ASSOCIATION_PENDING,
        (S.IDLE, V.RELEASE_INDICATION): S.IDLE,
        (S.IDLE, V.EVENT_NOTIFICATION_REQUEST): S.IDLE,
        (S.IDLE, V.INFORMATION_REPORT_REQUEST): S.IDLE,
        (S.ASSOCIATION_PENDING, V.OPEN_RESPONSE_OK): S.ASSOCIATED,
        (S.ASSOCIATION_PENDING, V.OPEN_RESPONSE_NOK): S.IDLE,
        (S.ASSOCIATED, V.DATA_SERVICE): S.ASSOCIATED,
        (S.ASSOCIATED, V.EVENT_NOTIFICATION_REQUEST): S.ASSOCIATED,
        (S.ASSOCIATED, V.INFORMATION_REPORT_REQUEST): S.ASSOCIATED,
        (S.ASSOCIATED, V.RELEASE_INDICATION): S.ASSOCIATION_RELEASE_PENDING,
        (S.ASSOCIATION_RELEASE_PENDING, V.RELEASE_RESPONSE): S.IDLE,
        # The lower layer may go at any time; an abort finds nothing to end in IDLE (ours).
        **{(state, V.ABORT_INDICATION): S.IDLE for state in State if state is not S.INACTIVE},
        **{(state, V.DELETED): S.INACTIVE for state in State if state is not S.INACTIVE},
    }
)
"""The server's side (figure 10)."""

EventT = TypeVar("EventT", bound=Enum)


class ControlFunction(Generic[EventT]):
    """Where one application association stands. No I/O, no clock.

    Args:
        transitions: :data:`CLIENT_TRANSITIONS` or :data:`SERVER_TRANSITIONS`.

    >>> control = ControlFunction(CLIENT_TRANSITIONS)
    >>> control.fire(ClientEvent.CREATED).name, control.fire(ClientEvent.OPEN_REQUEST).name
    ('IDLE', 'ASSOCIATION_PENDING')
    """

    __slots__ = ("_transitions", "state")

    def __init__(self, transitions: Mapping[tuple[State, EventT], State]) -> None:
        self._transitions = transitions
        self.state = State.INACTIVE

    def fire(self, event: EventT) -> State:
        """Move by ``event`` and return the new state.

        Raises:
            StateError: The table has no such transition; nothing was changed.
        """
        state = self._transitions.get((self.state, event))
        if state is None:
            raise StateError(self.state.name, event.name)
        self.state = state
        return state


def diagram(transitions: Mapping[tuple[State, EventT], State]) -> str:
    """Return a table as the text of a Mermaid state diagram, events of the same arrow together."""
    arrows: dict[tuple[str, str], list[str]] = {}
    for (state, event), target in transitions.items():
        arrows.setdefault((state.name, target.name), []).append(event.name)
    lines = [f"    {start} --> {stop}: {', '.join(events)}" for (start, stop), events in arrows.items()]
    return "\n".join(["stateDiagram-v2", "    [*] --> INACTIVE", *lines, ""])
