"""What the blocking and the asynchronous client share: everything that neither waits nor sends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, runtime_checkable

from cosem.association.control_function import State
from cosem.client.session import Session
from cosem.errors import DecodeError, LinkError, ProtocolError, TransportClosed, UnsupportedError

if TYPE_CHECKING:
    from cosem.association.client.association import ClientAssociation, Notification
    from cosem.association.client.parameters import AssociationParameters, NegotiatedContext
    from cosem.association.client.preparation import ClientSecurity
    from cosem.association.context import Conversation, ServiceContext
    from cosem.association.short_names.table import ShortNameTable
    from cosem.transport.aio import AsyncConnection
    from cosem.transport.blocking import BlockingConnection
    from cosem.transport.timeouts import Timeouts
    from cosem.types.enumerations import Conformance

__all__ = ["ClientBase", "ConnectionLike", "Opener", "closed_meanwhile", "not_reopened"]

T = TypeVar("T")


@runtime_checkable
class Followed(Protocol):
    """A protection that can take the place of another one; see :class:`cosem.security.protection.Protection`."""

    def follow(self, former: Any) -> Any:
        """Take over what belongs to the association."""
        ...


class Opener(Protocol):
    """Opens the association of a client anew; it knows where the meter is and what was asked for."""

    security: ClientSecurity | None

    @property
    def asked_for(self) -> AssociationParameters:
        """What was asked for, before security added anything."""
        ...

    def open(self, security: ClientSecurity | None) -> BlockingConnection:
        """Return a new connection with an open association, and keep its security."""
        ...

    async def open_async(self, security: ClientSecurity | None) -> AsyncConnection:
        """Return the same for one event loop."""
        ...


class ConnectionLike(Protocol):
    """What the base needs of a connection of either kind."""

    association: ClientAssociation
    timeouts: Timeouts
    on_notification: Callable[[Notification], None] | None

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
        opener: Opens the association anew.
    """

    def __init__(
        self, connection: ConnectionLike, session: Session, peer: str, opener: Opener | None = None
    ) -> None:
        self._association = connection.association
        self._session = session
        self._state_of = connection
        self._opener = opener
        self._closings = 0
        self.peer = peer
        self.key_entry: str | None = None
        """The entry of the key store that opened the association, if one did; ``keys`` changes that one."""

    @property
    def session(self) -> Session:
        """How to treat the meter, and what is known of it."""
        return self._session

    @property
    def security(self) -> ClientSecurity | None:
        """How the client proves who it is and protects what it sends; ``None`` for a password or nothing."""
        return None if self._opener is None else self._opener.security

    def use_security(self, security: ClientSecurity) -> None:
        """Protect what is sent from now on, and open what comes, with the keys of another security.

        The association goes on: for keys that the meter has just taken. See ``keys.rotate``.

        Raises:
            UnsupportedError: The association is not ciphered.
        """
        former: Any = self._association.protection
        protection: Any = security.prepare(self._opened.asked_for).protection
        if not isinstance(former, Followed) or not isinstance(protection, Followed):
            raise UnsupportedError("the association is not ciphered")
        self._association.protection = protection.follow(former)
        self._opened.security = security

    @property
    def _opened(self) -> Opener:
        """What opened the association.

        Raises:
            UnsupportedError: It was made by hand.
        """
        if self._opener is None:
            raise UnsupportedError("only what cosem.connect opened can be opened anew")
        return self._opener

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

    @property
    def mapper_table(self) -> ShortNameTable | None:
        """The base names that are known; ``None`` where objects have logical names."""
        return self._association.short_names

    def set_mapper_table(self, table: ShortNameTable) -> None:
        """Take other base names: SetMapperTable.request (clause 6.16); nothing is sent.

        Raises:
            ConfigurationError: Objects have logical names in this association.
        """
        self._association.set_mapper_table(table.with_association())
        self._session.forget()

    def _alike(self, notification: Notification) -> tuple[Notification, ...]:
        """Return what a notification is with logical names: a report is one event for each of its variables (table 45).

        A variable without a known base name stays a report; one that is malformed stays as it came, with a finding.
        """
        table = self._association.short_names
        if table is None or type(notification.apdu).__name__ != "InformationReportRequest":
            return (notification,)
        from cosem.association.short_names.reports import event_notifications

        try:
            events = event_notifications(table, notification.apdu)
        except (DecodeError, ProtocolError) as error:
            return (replace(notification, findings=(*notification.findings, f"information-report: {error}")),)
        return tuple(replace(notification, apdu=event) for event in events)

    def _given_alike(
        self, callback: Callable[[Notification], None] | None
    ) -> Callable[[Notification], None] | None:
        """Return a callback that is called as with logical names."""
        if callback is None or self._association.short_names is None:
            return callback

        def give(notification: Notification) -> None:
            for each in self._alike(notification):
                callback(each)

        return give

    def _carry_over(self, former: ConnectionLike, connection: ConnectionLike) -> None:
        """Let a new connection go on as the former one: what was set, and what the meter said that nobody fetched."""
        connection.timeouts = former.timeouts
        connection.on_notification = former.on_notification
        table = former.association.short_names
        if table is not None and connection.association.short_names is not None:
            connection.association.set_mapper_table(table)
        connection.association.notifications.follow(former.association.notifications)

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


def not_reopened(error: BaseException) -> TransportClosed:
    """Return what requests fail with after an association could not be opened anew."""
    interrupted = not isinstance(error, Exception)
    reason = "that was cancelled or interrupted" if interrupted else str(error) or type(error).__name__
    return TransportClosed(f"the association could not be opened anew: {reason}")


def closed_meanwhile() -> TransportClosed:
    """Return the error of an association that was opened anew for a client that was closed in the meantime."""
    return TransportClosed("the client was closed while its association was opened anew")
