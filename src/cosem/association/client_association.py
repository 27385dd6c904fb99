"""The client's side of one application association, without I/O (IEC 62056-5-3, 7.1 and 7.2).

It runs any number of conversations at once. Each yields an APDU; the association
gives it its invoke-id, protects and encodes it, and hands the octets to whoever
pumps. What arrives is unprotected, decoded, and given to the conversation that
waits for it; what the server sends by itself goes to :attr:`~ClientAssociation.notifications`;
what nobody waits for is counted, and never taken for the answer to something else.
"""

# ruff: noqa: SLF001 -- an Exchange is moved by its association alone, and both live here

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Generic, Protocol, TypeVar

from cosem.apdu import Apdu, decode, encode
from cosem.association.context import Conversation, TransferLimits
from cosem.association.control_function import CLIENT_TRANSITIONS, ClientEvent, ControlFunction, State
from cosem.association.opening import ClientAuthenticator, opening
from cosem.association.parameters import AssociationParameters, NegotiatedContext
from cosem.association.releasing import releasing
from cosem.codec.data import decode_data
from cosem.codec.reader import Reader
from cosem.errors import (
    ConfigurationError,
    ConfirmedServiceErrorReceived,
    CosemError,
    DecodeError,
    ExceptionResponseError,
    ProtocolError,
    SecurityError,
    StateError,
    TransportClosed,
    TransportTimeout,
    UnsupportedError,
)
from cosem.types.enumerations import ConfirmedServiceErrorChoice, Conformance, describe_service_error
from cosem.types.identifiers import InvokeIdAndPriority

if TYPE_CHECKING:
    from cosem.apdu.failure import ConfirmedServiceError, ExceptionResponse
    from cosem.association.short_names.table import ShortNameTable
    from cosem.types.data import DataValue

__all__ = ["ClientAssociation", "Exchange", "Findings", "Notification", "Outgoing", "ProtectionLike"]

T = TypeVar("T")

_NOTIFICATION_TAGS: Final = frozenset({0x0F, 0xC2, 0x18})
_CIPHERED_NOTIFICATION_TAGS: Final = frozenset({0xCA, 0xD2, 0x38, 0x58})
_FIRST_CIPHERED, _GENERAL_TAGS = 0x21, frozenset({0xDB, 0xDC, 0xDD, 0xDF})
_ANSWERS_WITH_INVOKE_ID: Final = frozenset({0xC4, 0xC5, 0xC7})
_REQUESTS: Final = frozenset({0x01, 0x05, 0x06, 0x16, 0x60, 0x62, 0xC0, 0xC1, 0xC3, 0xD9})
_AUTHENTICATING: Final = "ASSOCIATED, but not yet authenticated"
_INVOKE_IDS: Final = 16


class ProtectionLike(Protocol):
    """What the association needs of :class:`cosem.security.protection.Protection`."""

    def protect(self, apdu: bytes) -> bytes:
        """Return the protected octets of a clear APDU."""
        ...

    def unprotect(self, apdu: bytes) -> tuple[bytes, Any]:
        """Return the clear octets of a protected APDU and what was verified."""
        ...

    def overhead(self, size: int) -> int:
        """Return how many octets the protection adds to a clear APDU of ``size`` octets."""
        ...

    def learn_peer_title(self, title: bytes) -> None:
        """Take the system title in the AARE.

        Raises:
            SecurityError: It is none, or another one than is known.
        """
        ...

    def hold_dedicated_key(self, octets: bytes) -> None:
        """Take the dedicated key in the InitiateRequest, for later."""
        ...

    def activate_dedicated_key(self) -> None:
        """Use the dedicated key from now on."""
        ...

    def forget(self) -> None:
        """Drop every key that belongs to this association alone."""
        ...


@dataclass(frozen=True, slots=True)
class Outgoing:
    """Octets for the link.

    Args:
        octets: One APDU, protected as it must be.
        confirmed: Whether an answer is expected: I frames in HDLC, UI frames otherwise.
    """

    octets: bytes
    confirmed: bool = True


@dataclass(frozen=True, slots=True)
class Notification:
    """What the server sent without being asked.

    Args:
        apdu: EventNotificationRequest, InformationReportRequest or DataNotification.
        security_status: What protected it; ``None`` for nothing.
        findings: Deviations from the standard.
    """

    apdu: Apdu
    security_status: Any = None
    findings: tuple[str, ...] = ()


class Findings(list[str]):
    """Deviations from the standard, the newest ones."""

    _MOST = 64

    def append(self, finding: str) -> None:
        """Take one more; the oldest goes when there are too many."""
        super().append(finding)
        del self[: -self._MOST]

    def extend(self, findings: Iterable[str]) -> None:
        """Take more."""
        super().extend(findings)
        del self[: -self._MOST]


class Exchange(Generic[T]):
    """One conversation on its way.

    Attributes:
        done: Whether it has ended.
        steps: How many requests it has sent.
        on_done: Called once when it ends.
    """

    __slots__ = ("_conversation", "_error", "_key", "_value", "done", "on_done", "steps")

    def __init__(self, conversation: Conversation[T]) -> None:
        self._conversation = conversation
        self._key: int | str | None = None
        self._value: Any = None
        self._error: Exception | None = None
        self.done = False
        self.steps = 0
        self.on_done: Callable[[Exchange[T]], None] | None = None

    def result(self) -> T:
        """Return what the conversation returned.

        Raises:
            CosemError: What it raised.
            StateError: It has not ended.
        """
        if not self.done:
            raise StateError("running", "result")
        if self._error is not None:
            raise self._error
        return self._value  # type: ignore[no-any-return]

    def _finish(self, value: Any, error: Exception | None) -> None:
        self._value, self._error, self.done = value, error, True
        if self.on_done is not None:
            self.on_done(self)


class _Context:
    """What one conversation knows of the association."""

    __slots__ = ("_association", "_high_priority")

    def __init__(self, association: ClientAssociation, *, high_priority: bool) -> None:
        self._association = association
        self._high_priority = high_priority

    @property
    def conformance(self) -> Conformance:
        return self._association.negotiated.conformance

    @property
    def max_request_size(self) -> int:
        return self._association.max_request_size

    @property
    def transfer_limits(self) -> TransferLimits:
        return self._association.transfer_limits

    @property
    def short_names(self) -> ShortNameTable | None:
        return self._association.short_names

    def set_mapper_table(self, table: ShortNameTable) -> None:
        self._association.set_mapper_table(table)

    def value(self, octets: bytes) -> DataValue:
        findings: list[str] = []
        value = decode_data(octets, strict=self._association.strict, findings=findings)
        self._association.findings.extend(findings)
        return value

    def reader(self, octets: bytes) -> Reader:
        association = self._association
        return Reader(octets, strict=association.strict, findings=association.findings)

    def new_invoke_id(self, *, confirmed: bool = True) -> InvokeIdAndPriority:
        return self._association.new_invoke_id(confirmed=confirmed, high_priority=self._high_priority)


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

    Attributes:
        lost_by: Why the lower layer is gone or given up; ``None`` while it is not.
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
        self.notifications: deque[Notification] = deque(maxlen=most_notifications)
        self.notifications_dropped = 0
        self.unmatched = 0
        self.findings = Findings()
        self.protecting = False
        self.lost_by: CosemError | None = None
        self.authenticating = False
        self.short_names: ShortNameTable | None = None
        self._outgoing: deque[Outgoing] = deque()
        self._waiting: dict[int | str, Exchange[Any]] = {}
        self._late: set[int] = set()
        self._next_invoke_id = 0
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
    def max_request_size(self) -> int:
        """Longest clear request, octets from its tag on; 0 means no limit."""
        limit = self.negotiated.server_max_receive_pdu_size
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
            if number not in self._waiting and number not in self._late:
                return InvokeIdAndPriority.build(number, confirmed=confirmed, high_priority=high_priority)
        raise StateError("16 requests are open or were abandoned", "a further request")

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
        self, service: Callable[[_Context], Conversation[T]], *, high_priority: bool = False
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
        return self._begin(Exchange(service(_Context(self, high_priority=high_priority))))

    def send_unconfirmed(self, service: Callable[[_Context], Apdu]) -> None:
        """Send a request to which no answer comes.

        Raises:
            StateError: As :meth:`start`.
            UnsupportedError: It was not agreed on, or the request is longer than the server takes.
        """
        self._require_association()
        octets = self._octets_of(service(_Context(self, high_priority=False)))
        self._outgoing.append(Outgoing(octets, confirmed=False))

    def _require_association(self) -> None:
        if self.state is not State.ASSOCIATED:
            raise StateError(self.state.name, "a data service")
        if self.authenticating:
            raise StateError(_AUTHENTICATING, "a data service")

    def context(self, *, high_priority: bool = False) -> _Context:
        """Return what a conversation may know of this association."""
        return _Context(self, high_priority=high_priority)

    def cancel(self, exchange: Exchange[Any], error: CosemError) -> None:
        """End a conversation that waits in vain; its invoke-id rests until the late answer comes."""
        key = exchange._key
        if key is not None and self._waiting.get(key) is exchange:
            del self._waiting[key]
            if isinstance(key, int):
                self._late.add(key)
        exchange._conversation.close()
        if not exchange.done:
            exchange._finish(None, error)

    def timed_out(self, exchange: Exchange[Any], error: TransportTimeout) -> None:
        """Tell a conversation that no answer came; it may ask again, under another invoke-id.

        An answer without an invoke-id could not be told from the next one: after such a
        request the association is given up.
        """
        key = exchange._key
        if key is None or self._waiting.get(key) is not exchange:
            return
        if self._foreign is not None:
            error = TransportTimeout(
                f"{error}, but one with invoke-id {self._foreign} instead of {key}: allow any_invoke_id for this meter"
            )
            self._foreign = None
        if not isinstance(key, int) or self.any_invoke_id:
            self._fail(exchange, error)
            self.lost(TransportClosed(f"{error}; a late answer could not be told from the next one"))
            return
        del self._waiting[key]
        exchange._key = None
        self._late.add(key)
        self._advance(exchange, None, error)

    def lost(self, error: CosemError) -> None:
        """Take note that the lower layer is gone: COSEM-ABORT.indication; every conversation fails."""
        self.lost_by = error
        if self.state not in (State.INACTIVE, State.IDLE):
            self.control.fire(ClientEvent.ABORT_INDICATION)
        self._clear()
        for exchange in list(self._waiting.values()):
            self._fail(exchange, error)

    def _fail(self, exchange: Exchange[Any], error: CosemError) -> None:
        """End a conversation with an error that it cannot do anything about."""
        self._forget(exchange)
        exchange._conversation.close()
        if not exchange.done:
            exchange._finish(None, error)

    def _clear(self) -> None:
        """Forget what belongs to an association that is over."""
        self.protecting = False
        self.authenticating = False
        if self.protection is not None:
            self.protection.forget()
        self._late.clear()
        self._outgoing.clear()

    def _begin(self, exchange: Exchange[T]) -> Exchange[T]:
        self._advance(exchange, None)
        return exchange

    def _advance(self, exchange: Exchange[Any], answer: Apdu, error: CosemError | None = None) -> None:
        """Resume a conversation and send what it yields."""
        conversation = exchange._conversation
        try:
            request = conversation.send(answer) if error is None else conversation.throw(error)
            octets = self._octets_of(request)
        except StopIteration as stop:
            self._forget(exchange)
            exchange._finish(stop.value, None)
        except Exception as failure:  # noqa: BLE001 -- it belongs to whoever asked, not to whoever pumps
            self._forget(exchange)
            conversation.close()
            exchange._finish(None, failure)
        else:
            self._forget(exchange)
            key = _key_of(request)
            if key in self._waiting:
                conversation.close()
                exchange._finish(
                    None, StateError("another request waits", f"a further {type(request).__name__}")
                )
                return
            exchange._key = key
            exchange.steps += 1
            self._waiting[key] = exchange
            self._outgoing.append(Outgoing(octets))

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
        key = exchange._key
        if key is not None and self._waiting.get(key) is exchange:
            del self._waiting[key]
        exchange._key = None

    # --- octets out and in ------------------------------------------------------------------------

    def next_outgoing(self) -> Outgoing | None:
        """Return the next APDU for the link, or ``None``."""
        return self._outgoing.popleft() if self._outgoing else None

    def receive(self, octets: bytes) -> None:
        """Take one whole APDU from the link, and resume whoever waits for it."""
        status = None
        tag = octets[0] if octets else 0
        try:
            if (self.protection is not None and _is_ciphered(tag)) and self.protecting:
                octets, status = self.protection.unprotect(octets)
            elif self.protecting and tag not in (0x61, 0x63, 0xD8, 0x0E) and tag not in _NOTIFICATION_TAGS:
                raise SecurityError("the server answered without protection")
            findings: list[str] = []
            apdu = decode(octets, strict=self.strict, findings=findings)
        except (DecodeError, SecurityError) as error:
            self._undecodable(octets, tag, error)
            return
        if findings:
            self.findings.extend(findings)
        if octets[0] in _NOTIFICATION_TAGS:
            self.notifications_dropped += len(self.notifications) == self.notifications.maxlen
            self.notifications.append(Notification(apdu, status, tuple(findings)))
            return
        self._route(apdu, octets[0])

    def _undecodable(self, octets: bytes, tag: int, error: CosemError) -> None:
        """Fail the conversation whose answer cannot be read; all of them where it cannot be told."""
        if tag in _NOTIFICATION_TAGS or tag in _CIPHERED_NOTIFICATION_TAGS:
            self.findings.append(f"notification dropped: {error}")
        elif octets[:1] and octets[0] in _ANSWERS_WITH_INVOKE_ID and len(octets) > 2:
            exchange = self._waiting.get(octets[2] & 0x0F)
            if exchange is not None:
                self._advance(exchange, None, error)
            else:
                self._unmatched(f"{octets[0]:02X}", octets[2] & 0x0F)
        elif not self._waiting or tag in _REQUESTS:
            self._unmatched(f"{tag:02X}", None)
        else:
            if len(self._waiting) > 1:  # the true answers of all but one are still to come
                self._late.update(key for key in self._waiting if isinstance(key, int))
            self._fail_waiting(error)

    def _unmatched(self, what: str, invoke_id: int | str | None) -> None:
        """Count what nobody waits for, and free the invoke-id of the request that it answers too late."""
        if isinstance(invoke_id, int) and invoke_id in self._late:
            self._late.discard(invoke_id)
            self.findings.append(f"late answer dropped: {what}")
            return
        if isinstance(invoke_id, int) and self._waiting:
            self._foreign = invoke_id
        self.unmatched += 1
        self.findings.append(f"answer without request dropped: {what}")

    def _route(self, apdu: Apdu, tag: int) -> None:
        """Give an answer to the conversation that owns it."""
        if tag in _REQUESTS:
            # An echo of the line, or a peer that is no server: never the answer to anything.
            self._unmatched(type(apdu).__name__, None)
            return
        if tag in (0xD8, 0x0E):
            # Neither has an invoke-id: they end the oldest open request, of the service if one is named.
            oldest = next(iter(self._waiting.values()), None)
            exchange = self._waiting.get(_SERVICES.get(apdu.service, ""), oldest) if tag == 0x0E else oldest
            if exchange is None:
                self.unmatched += 1
                return
            error = _exception_response(apdu) if tag == 0xD8 else _confirmed_service_error(apdu)
            self._advance(exchange, None, error)
            return
        key = _key_of(apdu)
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
        for exchange in list(self._waiting.values()):
            # The one that releases is running, and tells so itself.
            if not getattr(exchange._conversation, "gi_running", False):
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

            self.short_names = initial_table(negotiated.vaa_name)
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


def _is_ciphered(tag: int) -> bool:
    """Return whether an APDU with this tag is protected."""
    return tag in _GENERAL_TAGS or _FIRST_CIPHERED <= tag < 0x60 or 0xC8 <= tag < 0xD8


def _key_of(apdu: Apdu) -> int | str:
    """Return what pairs an answer with its request: the invoke-id where there is one."""
    invoke_id = getattr(apdu, "invoke_id_and_priority", None)
    if invoke_id is not None:
        return int(invoke_id) & 0x0F
    long_invoke_id = getattr(apdu, "long_invoke_id_and_priority", None)
    if long_invoke_id is not None:
        return f"long {int(long_invoke_id) & 0xFFFFFF}"
    name = type(apdu).__name__
    return _PAIRS.get(name, name)


_PAIRS: Final = {
    "AARQ": "open",
    "AARE": "open",
    "RLRQ": "release",
    "RLRE": "release",
    "ReadRequest": "read",
    "ReadResponse": "read",
    "WriteRequest": "write",
    "WriteResponse": "write",
}

_SERVICES: Final = {ConfirmedServiceErrorChoice.READ: "read", ConfirmedServiceErrorChoice.WRITE: "write"}


def _exception_response(apdu: ExceptionResponse) -> ExceptionResponseError:
    return ExceptionResponseError(apdu.state_error, apdu.service_error, apdu.invocation_counter)


def _confirmed_service_error(apdu: ConfirmedServiceError) -> ConfirmedServiceErrorReceived:
    words = f"{apdu.service}, {describe_service_error(apdu.error_group, apdu.error)}"
    return ConfirmedServiceErrorReceived(apdu.service, apdu.error_group, apdu.error, words)
