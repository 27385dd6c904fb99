"""The client's side of one application association, without I/O (IEC 62056-5-3, 7.1 and 7.2).

It runs any number of conversations at once. Each yields an APDU; the association
gives it its invoke-id, protects and encodes it, cuts it into general blocks where it must,
and hands the octets to whoever pumps. What arrives is joined, unprotected, decoded, and given to
the conversation that waits for it; what the server sends by itself goes to
:attr:`~ClientAssociation.notifications`; what nobody waits for is counted, and never taken for the
answer to something else.

General blocks carry no invoke-id. Where they were agreed on there is one request under way at
a time, and the others wait for their turn.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, TypeVar

from cosem.apdu import Apdu, encode
from cosem.association.client.context import ClientContext
from cosem.association.client.exchange import Exchange, Findings, Notification, Outgoing, ProtectionLike
from cosem.association.client.opening import opening
from cosem.association.client.parameters import NegotiatedContext
from cosem.association.client.receiving import ClientReceiving
from cosem.association.client.releasing import releasing
from cosem.association.context import Conversation, Progress, no_progress
from cosem.association.control_function import ClientEvent, State
from cosem.errors import ConfigurationError, ProtocolError, StateError, UnsupportedError
from cosem.types.enumerations import Conformance

if TYPE_CHECKING:
    from cosem.apdu.notification import DataNotification
    from cosem.association.short_names.table import ShortNameTable

__all__ = ["ClientAssociation", "Exchange", "Findings", "Notification", "Outgoing", "ProtectionLike"]

T = TypeVar("T")

_AUTHENTICATING: Final = "ASSOCIATED, but not yet authenticated"
_RELEASED: Final = "there is no association (never opened, released, or the client was closed)"
_RELEASING: Final = "the association is being released (the client is being closed)"


class ClientAssociation(ClientReceiving):
    """One application association, seen from the client.

    Args:
        parameters: What to ask for.
        protection: Protects and unprotects APDUs, where the application context has ciphering.
        authenticator: Runs the HLS passes, where the mechanism has them.
        transfer_limits: Bounds of long transfers.
        most_notifications: How many are kept until they are fetched; the oldest are dropped and counted.
        strict: Whether tolerated deviations from the standard are errors.
        any_invoke_id: Whether the answer to the one open request may have another invoke-id: some meters
            answer with 0, or with that of an earlier request. One request at a time is then all there
            can be, and a request without an answer ends the association.
        block_transfer: Windows and patience of general block transfers.

    Attributes:
        lost_by: Why the lower layer is gone or given up; ``None`` while it is not.
        notifications: What the server sent by itself and nobody has fetched yet.
        short_names: The mapping table (6.16); ``None`` where objects have logical names.
    """

    def set_mapper_table(self, table: ShortNameTable) -> None:
        """Take another mapping table: SetMapperTable.request (6.16); a local service, nothing is sent.

        Raises:
            ConfigurationError: Objects have logical names in this association.
        """
        if not self.parameters.application_context.short_names:
            raise ConfigurationError("an association with logical names has no mapping table")
        self.short_names = table

    def open(self) -> Exchange[NegotiatedContext]:
        """Begin COSEM-OPEN; with HLS the exchange ends after the fourth pass.

        Raises:
            StateError: There is an association already, or it is pre-established.
        """
        self.control.fire(ClientEvent.OPEN_REQUEST)
        return self._begin(Exchange(opening(self)))

    def release(self) -> Exchange[bool]:
        """Begin COSEM-RELEASE by RLRQ; the result is whether the server answered with reason normal.

        Without an association it is sent all the same (figure 9): a server that still has one lets go of it.

        Raises:
            StateError: The association is being made or released, or it is pre-established.
        """
        if self.parameters.pre_established:
            raise StateError("a pre-established association", "COSEM-RELEASE.request")
        if self.authenticating:
            raise StateError(_AUTHENTICATING, "COSEM-RELEASE.request")
        self.control.fire(ClientEvent.RELEASE_REQUEST)
        return self._begin(Exchange(releasing(self)))

    def start(
        self,
        service: Callable[[ClientContext], Conversation[T]],
        *,
        high_priority: bool = False,
        progress: Progress = no_progress,
    ) -> Exchange[T]:
        """Begin a service.

        Args:
            service: Makes the conversation of what it is told about this association.
            high_priority: Asks the server to answer before others, if that was agreed on.
            progress: Told of the octets that block transfers have moved so far, those of all its requests.

        Raises:
            StateError: There is no association, or its two sides have not yet proved who they are.
            UnsupportedError: The association is an unconfirmed one: nothing would ever be answered.
        """
        self._require_association()
        if not self.parameters.confirmed:
            raise UnsupportedError("an unconfirmed association has unconfirmed services only")
        if high_priority and not self.negotiated.conformance & Conformance.PRIORITY_MGMT_SUPPORTED:
            high_priority = False
        context = ClientContext(self, high_priority=high_priority, progress=progress)
        return self._begin(Exchange(service(context), context))

    def send_unconfirmed(self, service: Callable[[ClientContext], Apdu]) -> None:
        """Send a request to which no answer comes.

        Raises:
            StateError: As :meth:`start`.
            UnsupportedError: It was not agreed on, or the request is longer than the server takes.
        """
        self._require_association()
        octets = self._octets_of(service(ClientContext(self, high_priority=False)))
        limit = self.negotiated.server_max_receive_pdu_size
        if self.general_blocks and limit and len(octets) > limit:
            from cosem.association.block_transfer import cut_unconfirmed

            for block in cut_unconfirmed(octets, limit):
                self._outgoing.append(Outgoing(encode(block), confirmed=False))
            return
        self._outgoing.append(Outgoing(octets, confirmed=False))

    def confirm_notification(self, notification: DataNotification, date_time: bytes = b"") -> None:
        """Tell the server that a DataNotification has arrived (push_operation_method 2 wants that).

        Args:
            notification: What arrived.
            date_time: When, 12 octets, or none.

        Raises:
            StateError: There is no association.
        """
        from cosem.apdu.notification import DataNotificationConfirm

        if self.state is not State.ASSOCIATED:
            raise StateError(self._no_association(), "a confirmation")
        confirm = DataNotificationConfirm(notification.long_invoke_id_and_priority, date_time)
        self._outgoing.append(Outgoing(self._protected(encode(confirm)), confirmed=False))

    def _no_association(self) -> str:
        """Return the state; in words where its name tells nothing to whoever asks while another one closes the client."""
        if self.state is State.ASSOCIATION_RELEASE_PENDING:
            return _RELEASING
        return _RELEASED if self.state is State.IDLE else self.state.name

    def _require_association(self) -> None:
        if self.state is not State.ASSOCIATED:
            raise StateError(self._no_association(), "a data service")
        if self.authenticating:
            raise StateError(_AUTHENTICATING, "a data service")

    def context(self, *, high_priority: bool = False) -> ClientContext:
        """Return what a conversation may know of this association."""
        return ClientContext(self, high_priority=high_priority)

    def opened(self, negotiated: NegotiatedContext, *, authenticating: bool = False) -> None:
        """Take what was agreed on: COSEM-OPEN.confirm(OK).

        Args:
            negotiated: What the server agreed to.
            authenticating: Whether the HLS passes 3 and 4 are still to come: until then there are no services.
        """
        self.negotiated = negotiated
        self.authenticating = authenticating
        if self.short_names is not None and not self.short_names.complete:
            from cosem.association.short_names.table import initial_table

            self.short_names = self.short_names.extended(initial_table(negotiated.vaa_name))
        self.protecting = self.protection is not None and self.parameters.application_context.ciphered
        self.control.fire(ClientEvent.OPEN_CONFIRM_OK)

    def refused(self) -> None:
        """Take note that there is no association: COSEM-OPEN.confirm(NOK)."""
        self._clear()
        if self.state is State.ASSOCIATION_PENDING:
            self.control.fire(ClientEvent.OPEN_CONFIRM_NOK)
        elif self.state is State.ASSOCIATED:
            self.control.fire(ClientEvent.ABORT_INDICATION)

    def released(self) -> None:
        """Take note that the association is over: COSEM-RELEASE.confirm."""
        self._clear()
        if self.state is State.ASSOCIATION_RELEASE_PENDING:
            self.control.fire(ClientEvent.RELEASE_CONFIRM)
            self._fail_waiting(ProtocolError("the association was released"))

    def use_dedicated_key(self) -> None:
        """Use the dedicated key, if one was sent: both sides have proved who they are (7.2.4)."""
        key = self.parameters.dedicated_key
        if key is not None and self.protection is not None:
            self.protection.hold_dedicated_key(key)
            self.protection.activate_dedicated_key()

    def authenticated(self) -> None:
        """Take note that both sides have proved who they are."""
        self.authenticating = False

    def send_without_answer(self, apdu: Apdu) -> None:
        """Send an ACSE APDU of an unconfirmed association."""
        self._outgoing.append(Outgoing(encode(apdu), confirmed=False))
