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

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, TypeVar

from cosem.apdu import Apdu, decode, encode
from cosem.association import routing
from cosem.association.client_blocks import BlockSettings, ClientBlocks
from cosem.association.client_context import ClientContext
from cosem.association.context import Conversation, TransferLimits
from cosem.association.control_function import CLIENT_TRANSITIONS, ClientEvent, ControlFunction, State
from cosem.association.exchange import (
    Exchange,
    Findings,
    Notification,
    NotificationQueue,
    Outgoing,
    ProtectionLike,
)
from cosem.association.opening import ClientAuthenticator, opening
from cosem.association.parameters import AssociationParameters, NegotiatedContext
from cosem.association.releasing import releasing
from cosem.association.unconfirmed_blocks import is_unconfirmed
from cosem.errors import (
    ConfigurationError,
    CosemError,
    DecodeError,
    ProtocolError,
    SecurityError,
    StateError,
    TransportClosed,
    TransportTimeout,
    UnsupportedError,
)
from cosem.types.enumerations import Conformance
from cosem.types.identifiers import InvokeIdAndPriority, LongInvokeIdAndPriority

if TYPE_CHECKING:
    from cosem.apdu.notification import DataNotification
    from cosem.association.short_names.table import ShortNameTable

__all__ = ["ClientAssociation", "Exchange", "Findings", "Notification", "Outgoing", "ProtectionLike"]

T = TypeVar("T")

_AUTHENTICATING: Final = "ASSOCIATED, but not yet authenticated"
_INVOKE_IDS: Final = 16
_LONG_INVOKE_IDS: Final = 1 << 24


class ClientAssociation:
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

    def __init__(
        self,
        parameters: AssociationParameters,
        *,
        protection: ProtectionLike | None = None,
        authenticator: ClientAuthenticator | None = None,
        transfer_limits: TransferLimits | None = None,
        most_notifications: int = 256,
        strict: bool = False,
        any_invoke_id: bool = False,
        block_transfer: BlockSettings | None = None,
    ) -> None:
        if parameters.mechanism.value > 1 and authenticator is None:
            raise ConfigurationError(f"{parameters.mechanism} needs keys or a secret")
        if parameters.application_context.ciphered and protection is None:
            raise ConfigurationError(f"application context {parameters.application_context} needs keys")
        self.parameters = parameters
        self.protection = protection
        self.authenticator = authenticator
        self.transfer_limits = transfer_limits or TransferLimits()
        self.strict = strict
        self.any_invoke_id = any_invoke_id
        self._foreign: int | None = None
        self.control = ControlFunction(CLIENT_TRANSITIONS)
        self.negotiated = NegotiatedContext(Conformance(0))
        self.notifications = NotificationQueue(most_notifications)
        self.unmatched = 0
        self.findings = Findings()
        self.protecting = False
        self.lost_by: CosemError | None = None
        self.authenticating = False
        self.short_names: ShortNameTable | None = None
        self._outgoing: deque[Outgoing] = deque()
        self._waiting: dict[int | str, Exchange[Any]] = {}
        self._held: dict[int | str, tuple[Exchange[Any], Apdu]] = {}
        self._late: set[int | str] = set()
        self._next_invoke_id = 0
        self._next_long_invoke_id = 0
        self._blocks = ClientBlocks(block_transfer or BlockSettings(), self.transfer_limits)
        self.control.fire(ClientEvent.CREATED)
        if parameters.pre_established:
            self.control.fire(ClientEvent.PRE_ESTABLISHED)
            self.negotiated = NegotiatedContext(parameters.proposed_conformance)
            self.protecting = protection is not None
        if parameters.application_context.short_names:
            from cosem.association.short_names.table import initial_table

            self.short_names = initial_table()

    @property
    def state(self) -> State:
        """Where the control function stands."""
        return self.control.state

    @property
    def notifications_dropped(self) -> int:
        """How many notifications nobody fetched in time."""
        return self.notifications.dropped

    @property
    def general_blocks(self) -> bool:
        """Whether long APDUs go in general blocks, and requests one at a time."""
        return bool(self.negotiated.conformance & Conformance.GENERAL_BLOCK_TRANSFER)

    @property
    def max_request_size(self) -> int:
        """Longest clear request, octets from its tag on; 0 means no limit: general blocks make one piece of any."""
        limit = self.negotiated.server_max_receive_pdu_size
        if self.general_blocks:
            return 0
        if not limit or self.protection is None or not self.protecting:
            return limit
        return max(1, limit - self.protection.overhead(limit))

    def new_invoke_id(self, *, confirmed: bool = True, high_priority: bool = False) -> InvokeIdAndPriority:
        """Return an invoke-id that no open or abandoned request has.

        Raises:
            StateError: All 16 are in use.
        """
        for _ in range(_INVOKE_IDS):
            number = self._next_invoke_id
            self._next_invoke_id = (number + 1) % _INVOKE_IDS
            if self._is_free(number):
                return InvokeIdAndPriority.build(number, confirmed=confirmed, high_priority=high_priority)
        raise StateError("16 requests are open or were abandoned", "a further request")

    def new_long_invoke_id(
        self, *, self_descriptive: bool = False, break_on_error: bool = False, high_priority: bool = False
    ) -> LongInvokeIdAndPriority:
        """Return a long invoke-id that no open or abandoned request has."""
        while not self._is_free(routing.long_key(self._next_long_invoke_id)):
            self._next_long_invoke_id = (self._next_long_invoke_id + 1) % _LONG_INVOKE_IDS
        number = self._next_long_invoke_id
        self._next_long_invoke_id = (number + 1) % _LONG_INVOKE_IDS
        return LongInvokeIdAndPriority.build(
            number,
            self_descriptive=self_descriptive,
            break_on_error=break_on_error,
            confirmed=True,
            high_priority=high_priority,
        )

    def _is_free(self, key: int | str) -> bool:
        return key not in self._waiting and key not in self._late and key not in self._held

    def set_mapper_table(self, table: ShortNameTable) -> None:
        """Take another mapping table: SetMapperTable.request (6.16); a local service, nothing is sent.

        Raises:
            ConfigurationError: Objects have logical names in this association.
        """
        if not self.parameters.application_context.short_names:
            raise ConfigurationError("an association with logical names has no mapping table")
        self.short_names = table

    # --- conversations -------------------------------------------------------------------------

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
        self, service: Callable[[ClientContext], Conversation[T]], *, high_priority: bool = False
    ) -> Exchange[T]:
        """Begin a service.

        Args:
            service: Makes the conversation of what it is told about this association.
            high_priority: Asks the server to answer before others, if that was agreed on.

        Raises:
            StateError: There is no association, or its two sides have not yet proved who they are.
            UnsupportedError: The association is an unconfirmed one: nothing would ever be answered.
        """
        self._require_association()
        if not self.parameters.confirmed:
            raise UnsupportedError("an unconfirmed association has unconfirmed services only")
        if high_priority and not self.negotiated.conformance & Conformance.PRIORITY_MGMT_SUPPORTED:
            high_priority = False
        return self._begin(Exchange(service(ClientContext(self, high_priority=high_priority))))

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
            raise StateError(self.state.name, "a confirmation")
        confirm = DataNotificationConfirm(notification.long_invoke_id_and_priority, date_time)
        self._outgoing.append(Outgoing(self._protected(encode(confirm)), confirmed=False))

    def _require_association(self) -> None:
        if self.state is not State.ASSOCIATED:
            raise StateError(self.state.name, "a data service")
        if self.authenticating:
            raise StateError(_AUTHENTICATING, "a data service")

    def context(self, *, high_priority: bool = False) -> ClientContext:
        """Return what a conversation may know of this association."""
        return ClientContext(self, high_priority=high_priority)

    def cancel(self, exchange: Exchange[Any], error: CosemError) -> None:
        """End a conversation that waits in vain; its invoke-id rests until the late answer comes."""
        key = exchange.key
        if key is not None and self._waiting.get(key) is exchange:
            if self._blocks.running:
                self._fail(exchange, error)
                self._give_up(error)
                return
            del self._waiting[key]
            if routing.has_invoke_id(key):
                self._late.add(key)
        elif key is not None:
            self._held.pop(key, None)
        exchange.conversation.close()
        if not exchange.done:
            exchange.finish(None, error)

    def timed_out(self, exchange: Exchange[Any], error: TransportTimeout) -> None:
        """Tell a conversation that no answer came; it may ask again, under another invoke-id.

        An answer without an invoke-id could not be told from the next one: after such a
        request the association is given up.
        """
        key = exchange.key
        if key is None or self._waiting.get(key) is not exchange:
            exchange.steps += key in self._held  # it has not been sent yet: its wait begins anew
            return
        if self._blocks.running:
            self._ask_for_blocks(exchange, error)
            return
        if self._foreign is not None:
            error = TransportTimeout(
                f"{error}, but one with invoke-id {self._foreign} instead of {key}: allow any_invoke_id for this meter"
            )
            self._foreign = None
        if not routing.has_invoke_id(key) or self.any_invoke_id:
            self._fail(exchange, error)
            self._give_up(error)
            return
        del self._waiting[key]
        exchange.key = None
        self._late.add(key)
        self._advance(exchange, None, error)

    def _ask_for_blocks(self, exchange: Exchange[Any], error: TransportTimeout) -> None:
        """Let the transfer repeat itself; give the association up when that was in vain too often."""
        try:
            again = self._blocks.timed_out()
        except CosemError as failure:
            self._fail(exchange, failure)
            self._give_up(failure)
            return
        if again:
            self._send_blocks(exchange)
        else:
            self._fail(exchange, error)
            self._give_up(error)

    def _give_up(self, error: CosemError) -> None:
        self.lost(TransportClosed(f"{error}; a late answer could not be told from the next one"))

    def lost(self, error: CosemError) -> None:
        """Take note that the lower layer is gone: COSEM-ABORT.indication; every conversation fails."""
        self.lost_by = error
        if self.state not in (State.INACTIVE, State.IDLE):
            self.control.fire(ClientEvent.ABORT_INDICATION)
        self._clear()
        for exchange in [*self._waiting.values(), *(held for held, _ in self._held.values())]:
            self._fail(exchange, error)

    def _fail(self, exchange: Exchange[Any], error: Exception) -> None:
        """End a conversation with an error that it cannot do anything about."""
        self._forget(exchange)
        exchange.conversation.close()
        if not exchange.done:
            exchange.finish(None, error)

    def _clear(self) -> None:
        """Forget what belongs to an association that is over."""
        self.protecting = False
        self.authenticating = False
        if self.protection is not None:
            self.protection.forget()
        self._late.clear()
        self._blocks.clear()
        self._outgoing.clear()

    def _begin(self, exchange: Exchange[T]) -> Exchange[T]:
        self._advance(exchange, None)
        return exchange

    def _advance(self, exchange: Exchange[Any], answer: Apdu, error: CosemError | None = None) -> None:
        """Resume a conversation and send what it yields."""
        conversation = exchange.conversation
        try:
            request = conversation.send(answer) if error is None else conversation.throw(error)
            self._submit(exchange, request)
        except StopIteration as stop:
            self._forget(exchange)
            exchange.finish(stop.value, None)
        except Exception as failure:  # noqa: BLE001 -- it belongs to whoever asked, not to whoever pumps
            self._forget(exchange)
            conversation.close()
            exchange.finish(None, failure)

    def _submit(self, exchange: Exchange[Any], request: Apdu) -> None:
        """Send a request, or keep it until others have their answers."""
        self._forget(exchange)
        key = routing.key_of(request)
        if key in self._waiting or key in self._held:
            raise StateError("another request waits", f"a further {type(request).__name__}")
        if self._waiting and self.general_blocks and key != "release":
            exchange.key = key
            self._held[key] = exchange, request
            return
        self._send(exchange, key, request)

    def _send(self, exchange: Exchange[Any], key: int | str, request: Apdu) -> None:
        octets = self._octets_of(request)
        exchange.key = key
        if self.general_blocks and not self.authenticating and octets[0] not in (0x60, 0x62):
            limit = self.negotiated.server_max_receive_pdu_size
            if (limit and len(octets) > limit) or self._blocks.settings.always:
                self._blocks.begin(octets, limit)
                self._waiting[key] = exchange
                self._send_blocks(exchange)
                return
        exchange.steps += 1
        exchange.patience = None
        self._waiting[key] = exchange
        self._outgoing.append(Outgoing(octets))

    def _send_blocks(self, exchange: Exchange[Any]) -> None:
        """Queue the blocks of the transfer, and begin to wait anew."""
        exchange.steps += 1
        exchange.patience = self._blocks.settings.patience
        self._outgoing.extend(map(Outgoing, self._blocks.outgoing()))

    def _send_held(self) -> None:
        """Send the request that has waited longest for its turn; urgent ones go first."""
        while self._held and not self._waiting:
            urgent = (
                key
                for key, (_, request) in self._held.items()
                if getattr(request, "invoke_id_and_priority", None)
                and request.invoke_id_and_priority.high_priority
            )
            key = next(urgent, next(iter(self._held)))
            exchange, request = self._held.pop(key)
            try:
                self._send(exchange, key, request)
            except Exception as failure:  # noqa: BLE001 -- as for a request that goes at once
                self._fail(exchange, failure)

    def _octets_of(self, request: Apdu) -> bytes:
        """Return the octets of a request as it goes out."""
        octets = encode(request)
        if octets[0] in (0x60, 0x62):
            return octets  # ACSE APDUs carry their protection inside
        limit = self.max_request_size
        if limit and len(octets) > limit:
            raise UnsupportedError(f"the request has {len(octets)} octets, the server takes {limit}")
        return self._protected(octets)

    def _protected(self, octets: bytes) -> bytes:
        if self.protection is None or not self.protecting:
            return octets
        return self.protection.protect(octets)

    def _forget(self, exchange: Exchange[Any]) -> None:
        key = exchange.key
        if key is not None and self._waiting.get(key) is exchange:
            del self._waiting[key]
            self._blocks.end()
        elif key is not None:
            self._held.pop(key, None)
        exchange.key = None

    # --- octets out and in ------------------------------------------------------------------------

    def next_outgoing(self) -> Outgoing | None:
        """Return the next APDU for the link, or ``None``."""
        if not self._outgoing and self._held:
            self._send_held()
        return self._outgoing.popleft() if self._outgoing else None

    def receive(self, octets: bytes, now: float = 0.0) -> None:
        """Take one whole APDU from the link, and resume whoever waits for it.

        Args:
            octets: The APDU.
            now: Monotonic seconds; what is sent in blocks without acknowledgements must be whole in time.
        """
        tag = octets[0] if octets else 0
        if tag == routing.GENERAL_BLOCK_TRANSFER:
            self._receive_block(octets, now)
            return
        self._receive(octets)

    def _receive(self, octets: bytes) -> None:
        status = None
        tag = octets[0] if octets else 0
        try:
            if self.protection is not None and self.protecting and routing.is_ciphered(tag):
                octets, status = self.protection.unprotect(octets)
            elif self.protecting and tag not in routing.ANSWERS_IN_CLEAR | routing.NOTIFICATION_TAGS:
                raise SecurityError("the server answered without protection")
            findings: list[str] = []
            apdu = decode(octets, strict=self.strict, findings=findings)
        except (DecodeError, SecurityError) as error:
            self._undecodable(octets, tag, error)
            return
        if findings:
            self.findings.extend(findings)
        if octets[0] in routing.NOTIFICATION_TAGS:
            self.notifications.append(Notification(apdu, status, tuple(findings)))
            return
        self._blocks.end()  # what is no block ends the exchange in blocks
        self._route(apdu, octets[0])

    def _receive_block(self, octets: bytes, now: float) -> None:
        """Take a general block, and what it makes whole."""
        try:
            block = decode(octets)
        except DecodeError as error:
            self._unmatched(f"block: {error}", None)
            return
        if is_unconfirmed(block):
            message = self._blocks.unconfirmed.take(block, now)
            if message is not None:
                self._receive(message)
            return
        exchange = next(iter(self._waiting.values()), None)
        if exchange is None or not self.general_blocks or exchange.key in ("open", "release"):
            self._unmatched("GeneralBlockTransfer", None)
            return
        try:
            message, known = self._blocks.take(block, self.negotiated.server_max_receive_pdu_size)
        except CosemError as error:
            self._fail(exchange, error)
            self._give_up(error)
            return
        if not known:
            self._unmatched("GeneralBlockTransfer", None)
            return
        self._send_blocks(exchange)
        if message is not None:
            self._blocks.end()
            self._receive(message)

    def _undecodable(self, octets: bytes, tag: int, error: CosemError) -> None:
        """Fail the conversation whose answer cannot be read; all of them where it cannot be told."""
        key = routing.key_in(octets)
        if tag in routing.NOTIFICATION_TAGS or tag in routing.CIPHERED_NOTIFICATION_TAGS:
            self.findings.append(f"notification dropped: {error}")
        elif key is not None:
            exchange = self._waiting.get(key)
            if exchange is not None:
                self._advance(exchange, None, error)
            else:
                self._unmatched(f"{octets[0]:02X}", key)
        elif not self._waiting or tag in routing.REQUESTS:
            self._unmatched(f"{tag:02X}", None)
        else:
            if len(self._waiting) > 1:  # the true answers of all but one are still to come
                self._late.update(filter(routing.has_invoke_id, self._waiting))
            self._fail_waiting(error)

    def _unmatched(self, what: str, invoke_id: int | str | None) -> None:
        """Count what nobody waits for, and free the invoke-id of the request that it answers too late."""
        if invoke_id in self._late:
            self._late.remove(invoke_id)
            self.findings.append(f"late answer dropped: {what}")
            return
        if isinstance(invoke_id, int) and self._waiting:
            self._foreign = invoke_id
        self.unmatched += 1
        self.findings.append(f"answer without request dropped: {what}")

    def _route(self, apdu: Apdu, tag: int) -> None:
        """Give an answer to the conversation that owns it."""
        if tag in routing.REQUESTS:
            # An echo of the line, or a peer that is no server: never the answer to anything.
            self._unmatched(type(apdu).__name__, None)
            return
        if tag in (0xD8, 0x0E):
            # Neither has an invoke-id: they end the oldest open request, of the service if one is named.
            oldest = next(iter(self._waiting.values()), None)
            exchange = (
                self._waiting.get(routing.SERVICES.get(apdu.service, ""), oldest) if tag == 0x0E else oldest
            )
            if exchange is None:
                self.unmatched += 1
                return
            error = routing.exception_response(apdu) if tag == 0xD8 else routing.confirmed_service_error(apdu)
            self._advance(exchange, None, error)
            return
        key = routing.key_of(apdu)
        exchange = self._waiting.get(key)
        if exchange is None and self.any_invoke_id and isinstance(key, int) and len(self._waiting) == 1:
            only, exchange = next(iter(self._waiting.items()))
            if isinstance(only, int):
                self.findings.append(f"invoke-id-not-echoed: {only} was asked for, {key} answered")
            else:
                exchange = None
        if exchange is not None:
            self._foreign = None
            self._advance(exchange, apdu)
            return
        self._unmatched(type(apdu).__name__, key)

    def _fail_waiting(self, error: CosemError) -> None:
        for exchange in [*self._waiting.values(), *(held for held, _ in self._held.values())]:
            # The one that releases is running, and tells so itself.
            if not getattr(exchange.conversation, "gi_running", False):
                self._advance(exchange, None, error)

    # --- what the opening and the release tell -----------------------------------------------------

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
