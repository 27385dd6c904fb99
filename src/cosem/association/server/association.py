"""The server's side of one application association, without I/O (IEC 62056-5-3, 7.1.2, 7.2, 7.3).

There is one for each triple of connection, client address and server address.
:meth:`ServerAssociation.process` takes one APDU and is a generator: it yields
:mod:`~cosem.association.server.indications`, is sent their outcomes, and returns the
APDUs to send. Every failure of a request ends in an answer of the standard or in
silence; only a broken application process can make it raise.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from cosem.apdu import decode, encode
from cosem.apdu.failure import ConfirmedServiceError
from cosem.association.control_function import SERVER_TRANSITIONS, ControlFunction, ServerEvent, State
from cosem.association.server.block_transfer import (
    ServerBlocks,
    block_received,
    in_blocks_if_long,
    takes_blocks,
)
from cosem.association.server.context import NO_CONTEXT, ServerContext
from cosem.association.server.demands import Demands, refuses_clear
from cosem.association.server.forgeries import not_genuine
from cosem.association.server.groups import is_for_group
from cosem.association.server.indications import AbortIndication, Indication
from cosem.association.server.notifications import notification_confirmed
from cosem.association.server.opening import opening
from cosem.association.server.profile import AssociationProfile, ServerLimits, ServerProtection
from cosem.association.server.refusals import (
    NOT_ALLOWED,
    NOT_DECIPHERED,
    NOT_PROTECTED,
    NOT_SUPPORTED,
    SHORT_NAME_REQUESTS,
    TOO_LONG,
    counter_error,
    without_association,
)
from cosem.association.server.releasing import releasing
from cosem.association.server.request_tags import (
    ANSWERS,
    CIPHERED_REQUESTS,
    CLASS_BIT_TAGS,
    REQUESTS,
    SILENT_REQUESTS,
    wants_no_answer,
)
from cosem.association.server.room import longest_in_one
from cosem.association.server.transfers import Transfers
from cosem.errors import ConfigurationError, DecodeError, LimitError, PolicyError, ReplayError, SecurityError
from cosem.types.enumerations import AssociationStatus, Conformance, ServiceErrorGroup

if TYPE_CHECKING:
    from cosem.apdu.common import CosemAttributeDescriptor
    from cosem.association.server.profile import ServerAuthenticator
    from cosem.association.short_names.table import ShortNameTable
    from cosem.types.data import DataValue
    from cosem.types.identifiers import InvokeIdAndPriority

__all__ = ["Processing", "ServerAssociation", "Service"]

Processing: TypeAlias = Generator[Indication, Any, list[bytes]]
"""Yields indications, is sent their outcomes, returns the octets of the APDUs to send."""
Service: TypeAlias = Generator[Indication, Any, bytes | None]
"""As :data:`Processing`, for one service: returns the octets of its clear answer, or ``None``."""

_AARQ, _RLRQ, _READ_REQUEST, _GET_REQUEST, _ACTION_REQUEST, _EXCEPTION = 0x60, 0x62, 0x05, 0xC0, 0xC3, 0xD8
_BLOCK, _NOTIFICATION_CONFIRM, _ACCESS_REQUEST = 0xE0, 0x10, 0xD9
_ACSE: Final = frozenset({0x60, 0x61, 0x62, 0x63})
_SILENT: Final = frozenset(bytes((tag,)) for tag in SILENT_REQUESTS)
_HANDLERS: Final[dict[int, str]] = {
    0x05: "cosem.association.server.services.read:read",
    0x06: "cosem.association.server.services.write:write",
    0x16: "cosem.association.server.services.write:unconfirmed_write",
    0xC0: "cosem.association.server.services.get:get",
    0xC1: "cosem.association.server.services.set:set_",
    0xC3: "cosem.association.server.services.action:action",
    0xD9: "cosem.association.server.services.access:access",
}
"""The services by tag of the request: module and function, imported when first asked for."""
_NOTHING: Final = b""
"""In place of an answer: the request is dropped."""
_handlers: Final[dict[int, Callable[..., Service]]] = {}


def _handler(tag: int) -> Callable[..., Service] | None:
    handler = _handlers.get(tag)
    if handler is None and (where := _HANDLERS.get(tag)) is not None:
        module, _, name = where.partition(":")
        handler = _handlers[tag] = getattr(import_module(module), name)
    return handler


class ServerAssociation:
    """One application association, seen from the server.

    Args:
        profiles: What is supported for this pair of addresses; none means that every AARQ is refused.
        limits: What it may cost.

    Attributes:
        client_sap: Address of the client.
        server_sap: Address of the logical device.
        profile: The profile in force, or the first one.
        context: What was agreed on.
        status: non-associated, pending (HLS passes 3 and 4 to come) or associated.
        security_status: What protected the request that is being processed; ``None`` for nothing.
        ignored: APDUs that were dropped without an answer.
        forgeries: Requests since the last genuine one that could not be deciphered.
    """

    __slots__ = (
        "attempt",
        "authenticator",
        "blocks",
        "client_sap",
        "context",
        "control",
        "demands",
        "forgeries",
        "keeps_order",
        "ignored",
        "limits",
        "pending_until",
        "profile",
        "profiles",
        "protection",
        "security_status",
        "server_sap",
        "transfers",
    )

    def __init__(
        self,
        profiles: Sequence[AssociationProfile],
        *,
        client_sap: int = 16,
        server_sap: int = 1,
        limits: ServerLimits | None = None,
    ) -> None:
        self.profiles = profiles
        self.client_sap = client_sap
        self.server_sap = server_sap
        self.limits = limits or ServerLimits()
        self.profile: AssociationProfile | None = profiles[0] if profiles else None
        self.context: ServerContext = NO_CONTEXT
        self.attempt: object = None
        self.demands = Demands()
        self.transfers = Transfers(self.limits, self.demands)
        self.blocks = ServerBlocks(self.limits)
        self.authenticator: ServerAuthenticator | None = None
        self.protection: ServerProtection | None = None
        self.security_status: Any = None
        self.pending_until: float | None = None
        self.ignored = 0
        self.forgeries = 0
        self.keeps_order = True
        self.control = ControlFunction(SERVER_TRANSITIONS)
        self.control.fire(ServerEvent.CREATED)
        for profile in profiles:
            if profile.pre_established:
                self.profile = profile
                self.context = ServerContext.of_pre_established(profile)
                if profile.protection is not None:
                    self.protection = profile.protection(profile.client_system_title)
                self.control.fire(ServerEvent.PRE_ESTABLISHED)
                break

    # --- what it is --------------------------------------------------------------------------------

    @property
    def state(self) -> State:
        """Where the control function stands."""
        return self.control.state

    @property
    def status(self) -> AssociationStatus:
        """association_status of the Association object."""
        if self.control.state is not State.ASSOCIATED:
            return AssociationStatus.NON_ASSOCIATED
        pending = self.pending_until is not None
        return AssociationStatus.ASSOCIATION_PENDING if pending else AssociationStatus.ASSOCIATED

    @property
    def pre_established(self) -> bool:
        """Whether it exists without having been opened."""
        return self.profile is not None and self.profile.pre_established

    def agreed(self, bit: Conformance) -> bool:
        """Return whether a service or feature was agreed on."""
        return bool(self.context.conformance & bit)

    @property
    def short_names(self) -> ShortNameTable:
        """The short names of the objects that this client sees."""
        given = None if self.profile is None else self.profile.short_names
        if given is not None:
            return given()
        from cosem.association.short_names.table import initial_table

        return initial_table()

    @property
    def max_answer_size(self) -> int:
        """Longest clear answer, octets from its tag on; 0 means no limit: general blocks make one piece of any."""
        return longest_in_one(self)

    def answers(self, invoke_id: InvokeIdAndPriority) -> bool:
        """Return whether a request of this service class is answered."""
        if not self.context.confirmed:
            return False
        return invoke_id.confirmed or (self.profile is not None and self.profile.answer_class_bit_0)

    def executes(self, invoke_id: InvokeIdAndPriority) -> bool:
        """Return whether a request is executed: an unconfirmed association has no confirmed services."""
        return self.context.confirmed or not invoke_id.confirmed

    def is_urgent(self, octets: bytes) -> bool:
        """Return whether an APDU asks to be served before others that wait, and that was agreed on.

        What is ciphered is served in its turn: its priority is not known before, and its
        invocation counter must not overtake.
        """
        place = 2 if octets[0] in CLASS_BIT_TAGS else 1 if octets[0] == _ACCESS_REQUEST else len(octets)
        return (
            len(octets) > place and octets[place] >= 0x80 and self.agreed(Conformance.PRIORITY_MGMT_SUPPORTED)
        )

    # --- time and the lower layer ------------------------------------------------------------------

    def deadline(self) -> float | None:
        """Return when :meth:`tick` must be called, or ``None``."""
        deadlines = self.pending_until, self.transfers.deadline(), self.blocks.deadline()
        ends = [end for end in deadlines if end is not None]
        return min(ends, default=None)

    def tick(self, now: float) -> AbortIndication | None:
        """Give up what takes too long: long transfers, and an association whose HLS passes do not end."""
        self.transfers.expire(now)
        self.blocks.expire(now)
        if self.pending_until is not None and self.pending_until <= now:
            return self.abort("the authentication was not completed in time")
        return None

    def abort(self, reason: str) -> AbortIndication | None:
        """Take note that the lower layer is gone or that the association must end.

        Returns:
            What to tell the application process; ``None`` where there was no association.
        """
        if self.control.state in (State.INACTIVE, State.IDLE) or self.pre_established:
            self.transfers.clear()
            self.blocks.clear()
            return None
        self.control.fire(ServerEvent.ABORT_INDICATION)
        self.forget()
        return AbortIndication(reason)

    def forget(self) -> None:
        """Drop what belongs to an association that is over: keys, challenges, transfers."""
        self.context = NO_CONTEXT
        self.attempt = None
        self.authenticator = None
        self.protection = None
        self.security_status = None
        self.pending_until = None
        self.forgeries = 0
        self.transfers.clear()
        self.blocks.clear()

    # --- octets in, octets out ---------------------------------------------------------------------

    def process(self, octets: bytes, now: float, *, confirmed: bool = True) -> Processing:
        """Take one APDU.

        Args:
            octets: The APDU, from its tag on.
            now: Monotonic seconds.
            confirmed: Whether the link lets the server answer: False for UI frames.

        Yields:
            Indications; see :mod:`cosem.association.server.indications` for the outcomes to send.

        Returns:
            The APDUs to send.
        """
        if not octets or octets[0] in ANSWERS:
            self.ignored += 1
            return []
        self.security_status = None
        tag = octets[0]
        if tag == _BLOCK and takes_blocks(self):
            return (yield from block_received(self, octets, now, confirmed=confirmed))
        if tag == _NOTIFICATION_CONFIRM:
            return (yield from notification_confirmed(octets))
        if self.keeps_order or tag not in CIPHERED_REQUESTS:  # a datagram may be an old one
            self.blocks.end()  # what is no block ends the exchange in blocks
        answer: bytes | None
        try:
            if tag == _AARQ:
                answer = yield from opening(self, octets, now, confirmed=confirmed)
            elif tag == _RLRQ:
                answer = yield from releasing(self, octets)
            else:
                answer = yield from self.request(octets, now)
        except SecurityError as error:  # an AARE or RLRE that cannot be protected
            aborted = self.abort(str(error))
            if aborted is not None:
                yield aborted
            answer = NOT_PROTECTED
        if answer is None or not confirmed:
            return []
        return [answer] if tag in _ACSE else in_blocks_if_long(self, answer, now)

    def request(self, octets: bytes, now: float, *, whole: bool = False) -> Service:
        """Run a request that is no ACSE APDU.

        Args:
            octets: The request.
            now: Monotonic seconds.
            whole: Whether it was joined of blocks: it may then be longer than one APDU.
        """
        tag = octets[0]
        silent = self._is_silent(octets)
        if self.control.state is not State.ASSOCIATED or self.profile is None:
            if tag not in REQUESTS and tag not in CIPHERED_REQUESTS:
                self.ignored += 1
                return None
            return None if silent or is_for_group(octets) else without_association(tag)
        if not self.context.confirmed:
            silent = True
        limit = self.profile.max_receive_pdu_size
        if limit and len(octets) > limit and not whole:
            return None if silent or is_for_group(octets) else self._refusal(tag, TOO_LONG)
        if tag in CIPHERED_REQUESTS:
            protected = octets
            octets, refusal = self._deciphered(octets)
            if refusal is not None:
                silent = silent or is_for_group(protected)
            if refusal == _NOTHING:
                self.ignored += 1
                if whole:
                    self.blocks.end()
                return None
            if not whole:
                self.blocks.end()
            if refusal is NOT_DECIPHERED and self.protection is not None:
                return (yield from not_genuine(self, silent=silent))
            if refusal is not None:
                return None if silent else refusal
            # A group is never answered, and who holds its key is no single client.
            if getattr(self.security_status, "broadcast", False):
                if not wants_no_answer(octets):
                    self.ignored += 1
                    return None
                silent = True
            silent = silent or self._is_silent(octets)
            tag = octets[0] if octets else 0
        elif self.profile.protected_only or refuses_clear(self.protection):
            return None if silent else NOT_ALLOWED
        if tag == _NOTIFICATION_CONFIRM:
            yield from notification_confirmed(octets)
            return None
        context, protection, status = self.context, self.protection, self.security_status
        # Keys may change while it is served: the answer goes out under those of its request.
        choose = getattr(protection, "answering", None)
        answering: Any = protection if choose is None else choose(status)
        answer = yield from self._running(self._service(tag, octets, now), status, silent=silent)
        if self.context is not context and self.context is not NO_CONTEXT:
            return None  # an association that was opened meanwhile: this is no answer of it
        if answer is None or silent:
            return None
        if protection is None or answer[0] == _EXCEPTION:
            return answer  # exception-responses go in clear
        options = self.demands.options(status, protection)
        try:
            if options is False:
                return answer
            return protection.protect(answer) if options is None else answering.protect(answer, options)
        except SecurityError:
            # It could be protected before, and must not go out in clear. What was done is not told as refused.
            return NOT_PROTECTED if tag == _GET_REQUEST else None

    def _deciphered(self, octets: bytes) -> tuple[bytes, bytes | None]:
        """Return the clear octets of a protected request; or the answer that refuses it."""
        if self.protection is None:
            return b"", NOT_DECIPHERED
        try:
            clear, self.security_status = self.protection.unprotect(octets)
        except ReplayError as error:
            # A datagram comes twice, or late: its client waits for other answers, and would take this for one of them.
            return b"", counter_error(error) if self.keeps_order else _NOTHING
        except PolicyError:
            return b"", NOT_ALLOWED
        except (SecurityError, DecodeError):
            return b"", NOT_DECIPHERED
        self.forgeries = 0
        return clear, None

    def _is_silent(self, request: bytes) -> bool:
        """Return whether nothing is answered to a request, whatever becomes of it."""
        if request[:1] in _SILENT:
            return True
        return len(request) > 2 and request[0] in CLASS_BIT_TAGS and not self._class_is_answered(request[2])

    def _running(self, service: Service, status: Any, *, silent: bool) -> Service:
        """Run a service under its own security status, whatever else is served while it waits."""
        outcome = None
        self.demands.begin()
        try:
            # Looked at before anything is done: what was done must never be told as refused.
            protection = None if silent else self.protection
            if protection is not None and not self.demands.are_possible(status, protection):
                return NOT_PROTECTED
            while True:
                self.security_status = status
                self.demands.resume(status)
                outcome = yield service.send(outcome)
        except StopIteration as stop:
            answer: bytes | None = stop.value
            return answer
        finally:
            self.demands.end()
            service.close()

    def _class_is_answered(self, invoke_id: int) -> bool:
        return bool(invoke_id & 0x40) or (self.profile is not None and self.profile.answer_class_bit_0)

    def _service(self, tag: int, octets: bytes, now: float) -> Service:
        """Decode a clear request and run its service."""
        if tag in ANSWERS:
            return None
        handler = _handler(tag)
        short_names = self.profile is not None and self.profile.application_context.short_names
        if self.pending_until is not None and tag != (_READ_REQUEST if short_names else _ACTION_REQUEST):
            return self._refusal(tag, NOT_ALLOWED)
        if handler is None or short_names is (tag >= 0xC0):
            return self._refusal(tag, NOT_SUPPORTED)
        try:
            request = decode(octets, findings=[])
        except LimitError:
            return self._refusal(tag, TOO_LONG)
        except DecodeError:
            return self._refusal(tag, NOT_ALLOWED)
        try:
            return (yield from handler(self, request, now))
        except ConfigurationError:  # the client's PDU size leaves no room for one octet in a block
            return self._refusal(tag, TOO_LONG)

    def _refusal(self, tag: int, otherwise: bytes) -> bytes | None:
        """Return the confirmedServiceError of a request by short names, or the exception-response given."""
        service = SHORT_NAME_REQUESTS.get(tag)
        if service is None or self.profile is None or not self.profile.application_context.short_names:
            return otherwise
        error = 1 if otherwise is TOO_LONG else 2
        return encode(ConfirmedServiceError(service, ServiceErrorGroup.SERVICE, error))

    # --- what the server sends by itself -------------------------------------------------------------

    def event_notification(
        self,
        descriptor: CosemAttributeDescriptor,
        value: DataValue,
        time: bytes | None = None,
        *,
        longest: int = 0,
        kinds: int = 0,
    ) -> list[bytes]:
        """Return the APDUs of EventNotification.request; allowed with and without an association (figure 10).

        One, or its general blocks where it is longer than the client takes and those were agreed on.

        Args:
            descriptor: The attribute.
            value: Its value.
            time: When it happened, the 12 octets of a date-time.
            longest: Longest APDU that the link carries unconfirmed, octets; 0 for no limit.
            kinds: What an access right demands of it besides the policy, a number of ``ProtectionKind``.

        Raises:
            UnsupportedError: The association did not agree on it, or cannot protect it so, or the client or the
                link takes no APDU so long.
            SecurityError: It cannot be protected.
            StateError: The association is being made or released, or the client has not yet proved who it is.
            EncodeError: The value is of no COSEM type.
        """
        from cosem.association.server.reports import event_notification

        return event_notification(self, descriptor, value, time, longest, kinds)

    def information_report(
        self,
        items: Sequence[tuple[int | CosemAttributeDescriptor, DataValue]],
        time: bytes | None = None,
        *,
        longest: int = 0,
        kinds: int = 0,
    ) -> list[bytes]:
        """Return the APDUs of InformationReport.request; allowed with and without an association (figure 10).

        One, or its general blocks where it is longer than the client takes and those were agreed on.

        Args:
            items: What is reported: short names, or attributes that have some; and the values.
            time: When it happened, the 12 octets of a date-time; goes out as GeneralizedTime.
            longest: Longest APDU that the link carries unconfirmed, octets; 0 for no limit.
            kinds: What an access right demands of it besides the policy, a number of ``ProtectionKind``.

        Raises:
            UnsupportedError: The association did not agree on it, or cannot protect it so, or the client or the
                link takes no APDU so long.
            SecurityError: It cannot be protected.
            StateError: The association is being made or released, or the client has not yet proved who it is.
            ConfigurationError: An attribute has no short name.
            EncodeError: A value is of no COSEM type, or the time is no moment.
        """
        from cosem.association.server.reports import information_report

        return information_report(self, items, time, longest, kinds)
