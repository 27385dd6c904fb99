"""Protection of the APDUs of one association, at the client and at the server (IEC 62056-5-3, 5.3.7).

:class:`Protection` puts layers around APDUs and takes them off. It knows keys, titles,
counters and policy, and nothing of services: an association hands it octets and gets
octets, together with a :class:`~cosem.security.status.SecurityStatus`.

What it promises: octets are returned only after every tag and signature that is there
was verified, the counter is new, the sender is the peer, and the policy is met. A
layer that is encrypted without a tag is refused unless that was asked for.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from cosem.apdu import decode
from cosem.errors import KeyMissingError, LimitError, PolicyError, SecurityError, VerificationError
from cosem.security.context import Counter, ReplayProtections, SecurityContext, SecuritySession, Side
from cosem.security.envelope import Envelope, is_protected, read_envelope
from cosem.security.opening import Opened, open_layer
from cosem.security.policy import lacking
from cosem.security.sealing import overhead, seal
from cosem.security.status import KeyUsed, LayerOptions, ProtectionForm, SecurityOptions, SecurityStatus

if TYPE_CHECKING:
    from cosem.security.message_keys import RandomOctets

__all__ = ["Protection"]

_NOTIFICATIONS: Final = frozenset({b"\x0f", b"\xc2", b"\x18"})
_KEYS_OF_THIRD_PARTIES: Final = frozenset({KeyUsed.ONE_PASS, KeyUsed.STATIC_UNIFIED, KeyUsed.SIGNING})


class Protection:
    """Protects and unprotects the APDUs of one association.

    Args:
        context: Keys, titles and policy.
        counter: Gives the counters of the global unicast key, and of keys that come with messages.
        replay: Returns the replay protection of a sender under the global unicast key, by system title.
        broadcast_counter: As ``counter``, for the global broadcast key.
        broadcast_replay: As ``replay``, for the global broadcast key.
        random: Returns random octets, for keys that are wrapped or agreed on by C(1e,1s).
    """

    def __init__(
        self,
        context: SecurityContext,
        counter: Counter,
        replay: ReplayProtections,
        *,
        broadcast_counter: Counter | None = None,
        broadcast_replay: ReplayProtections | None = None,
        random: RandomOctets | None = None,
    ) -> None:
        self._session = SecuritySession(context, counter, replay, broadcast_counter, broadcast_replay)
        self._random = random
        self._options = context.options.strengthened(context.sent_kinds)
        self._dedicated_options: SecurityOptions | None = None
        self._required = int(context.received_kinds)

    @property
    def context(self) -> SecurityContext:
        """Keys, titles and policy."""
        return self._session.context

    @property
    def options(self) -> SecurityOptions:
        """How an APDU is protected that answers nothing."""
        return self._dedicated_options or self._options

    # --- what the association learns on its way ----------------------------------------------------

    @property
    def peer_title(self) -> bytes | None:
        """System title of the other side, as far as it is known."""
        return self._session.peer_title

    def learn_peer_title(self, title: bytes) -> None:
        """Take the system title in the AARQ or AARE.

        Raises:
            SecurityError: It is none, our own, or another one than is known.
        """
        self._session.learn_title(title)

    def hold_dedicated_key(self, octets: bytes) -> None:
        """Take the dedicated key in the InitiateRequest; it is not used before :meth:`activate_dedicated_key`.

        Raises:
            ConfigurationError: It has not the length of the suite.
        """
        self._session.hold_dedicated_key(octets)

    def activate_dedicated_key(self) -> None:
        """Use the dedicated key that is held: the association is open, with HLS after the fourth pass."""
        self._session.activate_dedicated_key()
        if self._session.material.dedicated is not None:
            layers = tuple(_dedicated(layer) for layer in self._options.layers)
            self._dedicated_options = SecurityOptions(layers)

    def forget(self) -> None:
        """Drop every key that belongs to this association alone: it is over."""
        self._session.forget()
        self._dedicated_options = None

    # --- out -----------------------------------------------------------------------------------------

    def protect(self, apdu: bytes, options: SecurityOptions | SecurityStatus | None = None) -> bytes:
        """Return the protected octets of a clear APDU.

        Args:
            apdu: The clear octets.
            options: How; a status asks for an answer in kind; ``None`` for what the context says.

        Raises:
            CounterExhausted: The key must be changed before anything else is sent.
            KeyMissingError: A key is not known.
            ConfigurationError: The options cannot be carried out.
        """
        return seal(apdu, self._chosen(options), self._session, self._random)

    def overhead(self, size: int, options: SecurityOptions | SecurityStatus | None = None) -> int:
        """Return how many octets the protection adds to a clear APDU of ``size`` octets; exact.

        It is meant for services with a service-specific form; the others take 9 octets more where the
        options say service-specific.
        """
        return overhead(size, self._chosen(options), self._session)

    def _chosen(self, options: SecurityOptions | SecurityStatus | None) -> SecurityOptions:
        if options is None:
            return self.options
        if isinstance(options, SecurityStatus):
            options = options.answer()
        return options.strengthened(self.context.sent_kinds)

    # --- in ------------------------------------------------------------------------------------------

    def unprotect(self, apdu: bytes) -> tuple[bytes, SecurityStatus]:
        """Return the clear octets of a protected APDU and what was found.

        Raises:
            VerificationError: A tag or signature does not match, or the sender is another one.
            ReplayError: It is genuine, and its counter was used before.
            PolicyError: It is genuine, and has less protection than is demanded.
            KeyMissingError: A key is not known.
            DecodeError: It is not laid out as the standard says.
            LimitError: It has too many layers.
        """
        context = self.context
        taken: list[Opened] = []
        findings: list[str] = []
        clear = apdu
        while True:
            if len(taken) == context.most_layers:
                raise LimitError("layers of protection", len(taken) + 1, context.most_layers)
            envelope = read_envelope(clear)
            opened = self._open(envelope, outermost=not taken, findings=findings)
            taken.append(opened)
            findings += opened.findings
            clear = opened.clear
            if not clear or not is_protected(clear[0]) or self._is_for_another(clear):
                break
        # Counters are looked at only after every tag: who has no key learns nothing of counters. The innermost
        # layer was made first, and has the lowest counter.
        for opened in reversed(taken):
            self._count(opened)
        if findings and context.strict:
            raise SecurityError(findings[0])
        status = SecurityStatus(tuple([opened.layer for opened in taken]), tuple(findings))
        self._enforce(status, clear)
        return clear, status

    def _open(self, envelope: Envelope, *, outermost: bool, findings: list[str]) -> Opened:
        session, context = self._session, self.context
        title = self._sender(envelope, outermost=outermost, findings=findings)
        control = envelope.control
        unverifiable = control is not None and control & 0x30 == 0x20
        if unverifiable and not context.encryption_only:
            raise PolicyError("the APDU is encrypted without an authentication tag")
        material = session.material
        opened = open_layer(
            envelope,
            material,
            title,
            context.system_title,
            context.interpretation,
            session.established_for_receiving(title),
        )
        if unverifiable:
            decode(opened.clear, findings=[])  # the only hint that the key stream is the right one
        return opened

    def _count(self, opened: Opened) -> None:
        """Refuse a layer whose counter was used before, and take note of one that is new."""
        layer = opened.layer
        if layer.invocation_counter is not None:
            guard = self._session.guard(layer.key, layer.system_title, opened.fingerprint)
            guard.check(layer.invocation_counter)
            guard.accept(layer.invocation_counter)
        if opened.key is not None:
            self._session.established_by_peer[layer.system_title] = (opened.key, opened.fingerprint)

    def _sender(self, envelope: Envelope, *, outermost: bool, findings: list[str]) -> bytes:
        """Return the title of who applied a layer, after the check that it may be who it says."""
        own, peer, title = self.context.system_title, self._session.peer_title, envelope.title
        if envelope.header is not None and envelope.header.recipient not in (b"", own):
            raise VerificationError("the message is for another recipient")
        if not title:
            if peer is None:
                raise KeyMissingError("the system title of the sender is not known")
            if title is not None:
                findings.append("system-title-empty")
            return peer
        if title == own:
            raise VerificationError("the message says that we sent it")
        if (
            peer is not None
            and title != peer
            and (outermost or not self._third_party_may_use(envelope, title))
        ):
            raise VerificationError("the system title is not that of the other side of the association")
        return title

    def _third_party_may_use(self, envelope: Envelope, title: bytes) -> bool:
        """Return whether a layer of a third party proves that it was the third party.

        Keys that the peer has too prove nothing of the kind. A layer without protection proves nothing
        either, and claims nothing.
        """
        control = envelope.control
        if envelope.key in _KEYS_OF_THIRD_PARTIES or (control is not None and not control.protected):
            return True
        return (
            envelope.key is KeyUsed.ESTABLISHED and self._session.established_for_receiving(title) is not None
        )

    def _is_for_another(self, apdu: bytes) -> bool:
        """Return whether an inner layer is for another party, and is therefore handed up as it is."""
        try:
            header = read_envelope(apdu).header
        except SecurityError:
            return False
        return header is not None and header.recipient not in (b"", self.context.system_title)

    def _enforce(self, status: SecurityStatus, clear: bytes) -> None:
        """Check what was found against what is demanded."""
        kinds = int(status.kinds)
        if not kinds:
            # One changed bit makes security control 00 of 10: an empty envelope must not pass for a protected one.
            raise PolicyError("no layer of the message protects it")
        if self._required & ~kinds:
            missing = lacking(status.kinds, self.context.received_kinds)
            raise PolicyError(f"the message is not {' and not '.join(missing.names)}")
        if status.broadcast and self.context.side is Side.CLIENT and clear[:1] not in _NOTIFICATIONS:
            raise PolicyError("an answer under the broadcast key, which others have too")


def _dedicated(layer: LayerOptions) -> LayerOptions:
    """Return a layer under the dedicated key, if it is one under the global unicast key."""
    if layer.key is not KeyUsed.GLOBAL_UNICAST:
        return layer
    if layer.form is ProtectionForm.SERVICE_SPECIFIC:
        return replace(layer, key=KeyUsed.DEDICATED)
    if layer.form is ProtectionForm.GENERAL_GLO:
        return replace(layer, key=KeyUsed.DEDICATED, form=ProtectionForm.GENERAL_DED)
    return layer
