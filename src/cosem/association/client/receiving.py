"""What arrives at a client association, and whose it is (IEC 62056-5-3, 7.1 and 7.2).

Base of :class:`~cosem.association.client.association.ClientAssociation`.
"""

from __future__ import annotations

from typing import Any, Final

from cosem.apdu import Apdu, decode
from cosem.apdu.get import GetRequestNormal, GetRequestWithList, GetResponseNormal
from cosem.association.client import routing
from cosem.association.client.exchange import Exchange, Notification
from cosem.association.client.sending import ClientSending
from cosem.association.context import EncodedData
from cosem.association.unconfirmed_blocks import is_unconfirmed
from cosem.errors import (
    CosemError,
    DecodeError,
    ExceptionResponseError,
    ReplayError,
    SecurityError,
    TransportClosed,
)
from cosem.security.policy import ProtectionKind
from cosem.types.enumerations import ServiceErrorCode
from cosem.types.identifiers import InvokeIdAndPriority

__all__ = ["ClientReceiving"]

_REPEATED: Final = (GetRequestNormal, GetRequestWithList)
"""What may be asked again although nobody vouches for an exception-response: it changes nothing."""
_GET_RESPONSE_NORMAL: Final = b"\xc4\x01"
_INVOKE_ID, _CHOICE, _VALUE = 2, 3, 4
"""Where the parts of a get-response-normal stand."""


class ClientReceiving(ClientSending):
    """What a client association does with what arrives."""

    def receive(self, octets: bytes, now: float = 0.0) -> None:
        """Take one whole APDU from the link, and resume whoever waits for it.

        Args:
            octets: The APDU.
            now: Monotonic seconds; what is sent in blocks without acknowledgements must be whole in time.
        """
        self.tick(now)
        tag = octets[0] if octets else 0
        if tag == routing.GENERAL_BLOCK_TRANSFER:
            self._receive_block(octets, now)
            return
        if not self.parameters.keeps_order and tag in routing.ANSWERS_WITH_INVOKE_ID:
            key = routing.key_in(octets)
            if key is not None and self._repeated.is_repetition(key, octets):
                self.findings.append(f"repeated answer dropped: {tag:02X}")
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
            apdu = self._kept(octets) or decode(octets, strict=self.strict, findings=findings)
        except (DecodeError, SecurityError) as error:
            self._undecodable(octets, tag, error)
            return
        if findings:
            self.findings.extend(findings)
        if octets[0] in routing.NOTIFICATION_TAGS:
            self.notifications.append(Notification(apdu, status, tuple(findings)))
            return
        self._route(apdu, octets[0], in_clear=self.protecting and not routing.is_ciphered(tag))

    def _kept(self, octets: bytes) -> Apdu | None:
        """Return a get-response-normal with its value in octets, where whoever waits for it wants that."""
        kept = len(octets) > _VALUE and octets[:2] == _GET_RESPONSE_NORMAL and not octets[_CHOICE]
        if not kept or octets[_INVOKE_ID] & 0x0F not in self._encoded:
            return None
        value: Any = EncodedData(octets[_VALUE:])
        return GetResponseNormal(InvokeIdAndPriority(octets[_INVOKE_ID]), value)

    def _receive_block(self, octets: bytes, now: float) -> None:
        """Take a general block, and what it makes whole."""
        try:
            block = decode(octets)
        except DecodeError as error:
            self._unmatched(f"block: {error}", None)
            return
        if block.block_number and is_unconfirmed(block):  # number 0 aborts, whatever else it says
            message = self._blocks.unconfirmed.take(block, now)
            if message is not None:
                self._receive(message)
            return
        exchange = next(iter(self._waiting.values()), None)
        if exchange is None or not self.general_blocks or exchange.key in ("open", "release"):
            self._unmatched("GeneralBlockTransfer", None)
            return
        before = self._blocks.transferred
        try:
            message, known = self._blocks.take(
                block,
                self.negotiated.server_max_receive_pdu_size,
                keeps_order=self.parameters.keeps_order,
                encrypted=self._encrypts(),
            )
            if exchange.context is not None and self._blocks.transferred != before:
                exchange.context.transferred(self._blocks.transferred)
        except CosemError as error:
            self._fail(exchange, error)
            self._give_up(error)
            return
        except Exception as failure:  # noqa: BLE001 -- of whom the progress was told: it belongs to whoever asked
            self._fail(exchange, failure)
            self._give_up(TransportClosed(f"a transfer in blocks was given up: {failure}"))
            return
        if not known:
            self._unmatched("GeneralBlockTransfer", None)
            return
        self._send_blocks(exchange, anew=self._blocks.moved)
        if message is not None:
            self._blocks.end()
            self._receive(message)

    def _encrypts(self) -> bool:
        """Return whether requests are encrypted, and with them the answers in kind."""
        kinds = getattr(getattr(self.protection, "options", None), "kinds", None)
        return kinds is None or ProtectionKind.ENCRYPTED in kinds

    def _undecodable(self, octets: bytes, tag: int, error: CosemError) -> None:
        """Fail the conversation whose answer cannot be read; all of them where it cannot be told."""
        if isinstance(error, ReplayError) and not self.parameters.keeps_order:
            self._replayed = error
            self.findings.append(f"repeated or overtaken message dropped: {error}")
            return
        key = routing.key_in(octets)
        if tag in routing.NOTIFICATION_TAGS or tag in routing.CIPHERED_NOTIFICATION_TAGS:
            self.findings.append(f"notification dropped: {error}")
        elif key is not None:
            exchange = self._waiting.get(key)
            if exchange is not None:
                if not isinstance(error, SecurityError):
                    self._answered(exchange, key)
                elif key in self._refused:
                    self._late.rest(key, exchange.waits)
                self._advance(exchange, None, error)
            else:
                # What may be forged frees no invoke-id, and says nothing of how this meter counts.
                self._unmatched(f"{octets[0]:02X}", None if isinstance(error, SecurityError) else key)
        elif not self._waiting or tag in routing.REQUESTS:
            self._unmatched(f"{tag:02X}", None)
        else:
            one = len(self._waiting) == 1
            for waiting, exchange in self._waiting.items():
                # The true answers of all but one are still to come; what may have been refused gets none for certain.
                if routing.has_invoke_id(waiting) and not (one and waiting not in self._refused):
                    self._late.rest(waiting, exchange.waits)
            self._fail_waiting(error)

    def _unmatched(self, what: str, invoke_id: int | str | None) -> None:
        """Count what nobody waits for, and free the invoke-id of the request that it answers too late."""
        if invoke_id is not None and invoke_id in self._late:
            self._late.free((invoke_id, *self._refused.answered(invoke_id)))
            self.findings.append(f"late answer dropped: {what}")
            return
        if isinstance(invoke_id, int) and self._waiting:
            self._foreign = invoke_id
        self.unmatched += 1
        self.findings.append(f"answer without request dropped: {what}")

    def _route(self, apdu: Apdu, tag: int, *, in_clear: bool) -> None:
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
            self._fail_oldest(exchange, apdu, tag, in_clear=in_clear)
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
            self._foreign = self._replayed = None
            exchange.answer_begun = routing.goes_on(apdu)
            self._answered(exchange, key)
            self._advance(exchange, apdu)
            return
        self._unmatched(type(apdu).__name__, key)

    def _fail_oldest(self, exchange: Exchange[Any], apdu: Any, tag: int, *, in_clear: bool) -> None:
        """Fail the request that an error without an invoke-id most likely refuses.

        Which of several was meant cannot be told: the true answer to this one may still come.
        """
        error: CosemError
        others = len(self._late) > 0
        if tag == 0xD8:
            begun = exchange.answer_begun or self._blocks.answer_begun
            another = others or len(self._waiting) > 1 or not self.parameters.keeps_order
            error = routing.exception_response(
                apdu, in_clear=in_clear, answer_begun=begun, of_another=another
            )
        else:
            error = routing.confirmed_service_error(apdu)
        exchange.answer_begun = False
        key, refused = exchange.key, self._refused.one_of(self._waiting.keys())
        self._refused.aged(self._late.came_to_something(exchange.number))
        self._late.free(refused)
        if key is not None and routing.has_invoke_id(key) and (others or key not in refused):
            self._late.rest(key, exchange.waits, answered=key in refused)
        if self._was_overtaken(error) and isinstance(exchange.request, _REPEATED):
            self._repeat(exchange)
        else:
            self._advance(exchange, None, error)

    def _was_overtaken(self, error: CosemError) -> bool:
        """Return whether other programs with our keys had used higher counters, and this was certainly refused for it.

        The counter has caught up with them then.
        """
        if not isinstance(error, ExceptionResponseError) or not self.protecting:
            return False
        if error.service_error != ServiceErrorCode.INVOCATION_COUNTER_ERROR:
            return False
        try:
            renewed = getattr(self.protection, "renew_counter", bool)()
        except SecurityError:
            return False  # who sends next is told that the counters cannot be used
        return renewed and not (error.of_another or error.answer_begun)

    def _repeat(self, exchange: Exchange[Any]) -> None:
        self.findings.append("request repeated: another program had used higher invocation counters")
        try:
            self._submit(exchange, exchange.request)
        except Exception as failure:  # noqa: BLE001 -- as for a request that goes for the first time
            self._fail(exchange, failure)

    def _answered(self, exchange: Exchange[Any], key: int | str) -> None:
        """Take note that a request has its answer: others may be refused for certain now, or be too late."""
        self._refused.aged(self._late.came_to_something(exchange.number))
        self._late.free(self._refused.answered(key))

    def _fail_waiting(self, error: CosemError) -> None:
        for exchange in [*self._waiting.values(), *(held for held, _ in self._held.values())]:
            # The one that releases is running, and tells so itself.
            if not getattr(exchange.conversation, "gi_running", False):
                self._advance(exchange, None, error)
