"""The requests of a client association: which wait for answers, which for their turn, and how they go out.

Base of :class:`~cosem.association.client.association.ClientAssociation`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Container
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, TypeVar

from cosem.apdu import Apdu, encode
from cosem.apdu.get import GetRequestNormal, GetRequestWithList
from cosem.association.client import routing
from cosem.association.client.blocks import BlockSettings, ClientBlocks
from cosem.association.client.doing import during
from cosem.association.client.exchange import Exchange, Findings, NotificationQueue, Outgoing, ProtectionLike
from cosem.association.client.late import LateAnswers
from cosem.association.client.opening import ClientAuthenticator
from cosem.association.client.parameters import AssociationParameters, NegotiatedContext
from cosem.association.client.refused import Refused
from cosem.association.client.repeated import RepeatedAnswers
from cosem.association.context import TransferLimits
from cosem.association.control_function import CLIENT_TRANSITIONS, ClientEvent, ControlFunction, State
from cosem.errors import (
    ConfigurationError,
    CosemError,
    ReplayError,
    SecurityError,
    StateError,
    TransportClosed,
    TransportTimeout,
    UnsupportedError,
)
from cosem.types.enumerations import Conformance
from cosem.types.identifiers import InvokeIdAndPriority, LongInvokeIdAndPriority

if TYPE_CHECKING:
    from cosem.association.short_names.table import ShortNameTable

__all__ = ["ClientSending"]

T = TypeVar("T")

_LONG_ATTRIBUTES: Final = frozenset({(7, 2), (15, 2)})
"""Buffers of profiles, and object lists."""
_INVOKE_IDS: Final = 16
_LONG_INVOKE_IDS: Final = 1 << 24


class ClientSending:
    """What a client association knows of its requests; for its arguments see there."""

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
        self._replayed: ReplayError | None = None
        self._repeated = RepeatedAnswers()
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
        self._late = LateAnswers()
        self._refused = Refused()
        self._next_invoke_id = 0
        self._encoded: set[int] = set()
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
            StateError: All 16 are in use, some by open requests.
            TransportClosed: Too many requests were abandoned, and the association is given up.
        """
        for _ in range(_INVOKE_IDS):
            number = self._next_invoke_id
            self._next_invoke_id = (number + 1) % _INVOKE_IDS
            # Where others are open, whoever asks for one more cannot wait until an answer is old.
            apart = self._waiting or self._held or not self._repeated.may_repeat(number)
            if apart and self._is_free(number):
                self._encoded.discard(number)
                return InvokeIdAndPriority.build(number, confirmed=confirmed, high_priority=high_priority)
        if self._waiting or self._held:
            raise StateError(
                "16 requests are open, or were given up and may still be answered (wait for some or ask for fewer at once; "
                "answers are lost, or the meter is slow and needs longer time-outs)",
                "a further request",
            )
        error = TransportClosed(
            f"{len(self._late)} requests were given up, and too little was answered since to tell late answers from new ones: "
            "answers are lost, or the meter is slow and needs longer time-outs; reopen"
        )
        self.lost(error)
        raise error

    def keep_encoded(self, invoke_id: InvokeIdAndPriority) -> None:
        """Let the value in the get-response-normal with this invoke-id stay octets."""
        self._encoded.add(invoke_id.invoke_id)

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
        taken: tuple[Container[int | str], ...] = (self._waiting, self._late, self._held, self._refused)
        return not any(key in each for each in taken)

    def tick(self, now: float, patience: float | None = None) -> None:
        """Take note of the time: invoke-ids of abandoned requests are used again once no answer to them can come.

        Args:
            now: Monotonic seconds, of the clock that :meth:`receive` is told of.
            patience: How long answers are waited for, seconds: to the requests of which nobody has said so yet.
        """
        self._refused.aged(self._late.tick(now, patience))
        if patience is not None:
            for exchange in [*self._waiting.values(), *(held for held, _ in self._held.values())]:
                if exchange.waits is None:
                    exchange.waits = patience

    def next_outgoing(self) -> Outgoing | None:
        """Return the next APDU for the link, or ``None``."""
        if not self._outgoing and self._held:
            self._send_held()
        return self._outgoing.popleft() if self._outgoing else None

    def cancel(self, exchange: Exchange[Any], error: CosemError) -> None:
        """End a conversation that waits in vain; its invoke-id rests until the late answer comes.

        A late answer without an invoke-id, or a late block, could not be told from the next one: the
        association is then given up.
        """
        key = exchange.key
        if key is not None and self._waiting.get(key) is exchange:
            if self._blocks.running or self._cannot_be_told(key):
                self._fail(exchange, error)
                self._give_up(error)
                return
            del self._waiting[key]
            if routing.has_invoke_id(key):
                self._late.rest(key, exchange.waits)
        elif key is not None:
            self._held.pop(key, None)
        exchange.conversation.close()
        if not exchange.done:
            exchange.finish(None, error)

    def timed_out(self, exchange: Exchange[Any], error: TransportTimeout) -> None:
        """Tell a conversation that no answer came; it may ask again, under another invoke-id.

        An answer without an invoke-id could not be told from the next one, nor its blocks from those of the
        next one: after such a request the association is given up.
        """
        key = exchange.key
        if key is None or self._waiting.get(key) is not exchange:
            exchange.steps += key in self._held  # it has not been sent yet: its wait begins anew
            return
        if not self.parameters.keeps_order and self.protecting:
            # A server drops datagrams with counters that are too low in silence: other programs may have used higher ones.
            with suppress(SecurityError):
                getattr(self.protection, "renew_counter", bool)()
        if self._blocks.running and not self._cannot_be_told(key):
            self._ask_for_blocks(exchange, error)
            return
        if self._foreign is not None:
            error = TransportTimeout(
                f"{error}, but one with invoke-id {self._foreign} instead of {key}: allow any_invoke_id for this meter"
            )
            self._foreign = None
        if self._replayed is not None:
            error = TransportTimeout(f"{error}, but what came had been protected before: {self._replayed}")
            self._replayed = None
        if self._cannot_be_told(key):
            self._fail_last(exchange, error)
            self._give_up(error)
            return
        del self._waiting[key]
        exchange.key = None
        self._late.rest(key, exchange.waits)
        self._advance(exchange, None, error)

    def _cannot_be_told(self, key: int | str) -> bool:
        """Return whether a late answer would pass for that of the next request."""
        return self.any_invoke_id or not routing.has_invoke_id(key)

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
            self._fail(exchange, during(error, exchange))

    def _fail(self, exchange: Exchange[Any], error: Exception) -> None:
        """End a conversation with an error that it cannot do anything about."""
        self._forget(exchange)
        exchange.conversation.close()
        if not exchange.done:
            exchange.finish(None, error)

    def _fail_last(self, exchange: Exchange[Any], error: Exception) -> None:
        """End a conversation that can ask nothing more, but may have more to say of what went wrong."""
        final, self_ended = error, exchange.key in ("open", "release")
        self._forget(exchange)
        if not self_ended:
            try:
                exchange.conversation.throw(error)
            except StopIteration:
                pass  # what it makes of it came over an association that is gone now
            except Exception as failure:  # noqa: BLE001 -- it belongs to whoever asked, not to whoever pumps
                final = failure
        self._fail(exchange, final)

    def _clear(self) -> None:
        """Forget what belongs to an association that is over."""
        self.protecting = False
        self.authenticating = False
        if self.protection is not None:
            self.protection.forget()
        self._late.clear()
        self._refused = Refused()
        self._repeated.clear()
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
        exchange.request = request
        if type(request).__name__ not in routing.CONTINUING:
            exchange.subject = request
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
        if type(request).__name__ not in routing.CONTINUING:
            if self.any_invoke_id:
                self._repeated.clear()  # the answer may have any invoke-id
            else:
                self._repeated.asked(key)
        exchange.key = key
        exchange.number = self._late.request()
        if self.general_blocks and not self.authenticating and octets[0] not in (0x60, 0x62):
            limit = self.negotiated.server_max_receive_pdu_size
            if (limit and len(octets) > limit) or self._blocks.settings.always or _has_long_answer(request):
                self._blocks.begin(octets, limit, final_acknowledgement=self._cannot_be_told(key))
                self._waiting[key] = exchange
                self._send_blocks(exchange)
                return
        exchange.steps += 1
        exchange.patience = None
        self._waiting[key] = exchange
        self._outgoing.append(Outgoing(octets))

    def _send_blocks(self, exchange: Exchange[Any], *, anew: bool = True) -> None:
        """Queue the blocks of the transfer, and begin to wait anew where something new has come or was asked for."""
        exchange.steps += anew
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


def _has_long_answer(request: Apdu) -> bool:
    """Return whether an answer is likely to be long: a request in blocks then tells the server our window at once."""
    if isinstance(request, GetRequestNormal):
        descriptor = request.cosem_attribute_descriptor
        return (descriptor.class_id, descriptor.attribute_id) in _LONG_ATTRIBUTES
    return isinstance(request, GetRequestWithList)
