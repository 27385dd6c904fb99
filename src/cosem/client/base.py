"""What the blocking and the asynchronous client share: everything that neither waits nor sends."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, TypeVar

from cosem.association.control_function import State
from cosem.client.session import Session
from cosem.errors import LinkError, UnsupportedError

if TYPE_CHECKING:
    from cosem.association.client_association import ClientAssociation
    from cosem.association.context import Conversation, ServiceContext
    from cosem.association.parameters import AssociationParameters, NegotiatedContext
    from cosem.transport.timeouts import Timeouts
    from cosem.types.enumerations import Conformance

__all__ = ["ClientBase", "ConnectionLike"]

T = TypeVar("T")


class ConnectionLike(Protocol):
    """What the base needs of a connection of either kind."""

    association: ClientAssociation
    timeouts: Timeouts

    @property
    def lost(self) -> LinkError | None:
        """Why the connection is over."""
        ...


class ClientBase:
    """One association with one logical device of a meter.

    Args:
        connection: Moves the association.
        session: How to treat the meter, and what is known of it.
        peer: How the meter is called in messages.
    """

    def __init__(self, connection: ConnectionLike, session: Session, peer: str) -> None:
        self._association = connection.association
        self._session = session
        self._state_of = connection
        self.peer = peer

    @property
    def parameters(self) -> AssociationParameters:
        """What was asked for."""
        return self._association.parameters

    @property
    def negotiated(self) -> NegotiatedContext:
        """What was agreed on."""
        return self._association.negotiated

    @property
    def conformance(self) -> Conformance:
        """The services that were agreed on."""
        return self._association.negotiated.conformance

    @property
    def associated(self) -> bool:
        """Whether the association stands and its connection was not lost."""
        return self._association.state is State.ASSOCIATED and self._state_of.lost is None

    @property
    def timeouts(self) -> Timeouts:
        """How long to wait; may be set, and holds from the next call on."""
        return self._state_of.timeouts

    @timeouts.setter
    def timeouts(self, timeouts: Timeouts) -> None:
        self._state_of.timeouts = timeouts

    @property
    def findings(self) -> tuple[str, ...]:
        """Deviations from the standard that were tolerated, the newest last; ``strict`` makes them errors."""
        return (
            *self._association.negotiated.findings,
            *self._association.findings,
            *self._session.findings,
        )

    @property
    def notifications_dropped(self) -> int:
        """How many notifications nobody fetched in time."""
        return self._association.notifications_dropped

    def _without_asking(self, operation: Callable[[ServiceContext], Conversation[T]]) -> T:
        """Return what a conversation comes to without a single answer.

        Raises:
            UnsupportedError: It would have to ask the meter.
        """
        conversation = operation(self._association.context())
        try:
            next(conversation)
        except StopIteration as stop:
            return stop.value  # type: ignore[no-any-return]
        conversation.close()
        raise UnsupportedError(
            "an unconfirmed association answers nothing: give the class_id, and a value of cosem.types"
        )

    def __repr__(self) -> str:
        parameters = self._association.parameters
        state = self._association.state.name if self._state_of.lost is None else "LOST"
        return (
            f"<{type(self).__name__} {self.peer} client={parameters.client_sap}"
            f" server={parameters.server_sap} {state}>"
        )
