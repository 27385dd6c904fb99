"""Protection of the APDUs of one association, at the client and at the server (IEC 62056-5-3, 5.3.7).

:class:`Protection` puts layers around APDUs and takes them off. It knows keys, titles,
counters and policy, and nothing of services: an association hands it octets and gets
octets, together with a :class:`~cosem.security.status.SecurityStatus`.

What it promises: octets are returned only after every tag and signature that is there
was verified, the counter is new, the sender is the peer, and the policy is met. A
layer that is encrypted without a tag is refused unless that was asked for.
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple, Self

from cosem.apdu import decode
from cosem.errors import LimitError, PolicyError, SecurityError, VerificationError
from cosem.security.context import (
    Counter,
    ReplayProtection,
    ReplayProtections,
    SecurityContext,
    SecuritySession,
    Side,
)
from cosem.security.counters import check_numbers, renew_numbers
from cosem.security.envelope import (
    DEDICATED_TAGS,
    GLOBAL_TAGS,
    SERVICE_SPECIFIC_TAGS,
    Envelope,
    is_protected,
    last_octet_string,
    read_envelope,
    seal_content,
    wrapped_in,
)
from cosem.security.freshness import MessageCounters
from cosem.security.gcm import GcmKey
from cosem.security.opening import Opened, open_layer
from cosem.security.policy import ProtectionKind, lacking
from cosem.security.sealing import INITIATE_TAGS, check_seal, overhead, seal, take_number
from cosem.security.sender import is_for_another, refuse_octets_behind, sender_of
from cosem.security.status import (
    KeyUsed,
    Layer,
    LayerOptions,
    ProtectionForm,
    SecurityOptions,
    SecurityStatus,
)
from cosem.security.suites import TAG_SIZE, SecurityControl

if TYPE_CHECKING:
    from cosem.security.message_keys import RandomOctets

__all__ = ["Protection"]

_KEYS_OF_BOTH: Final = frozenset({KeyUsed.GLOBAL_UNICAST, KeyUsed.DEDICATED})
_A_AND_E: Final = 0x30
_LEAST: Final = 5 + TAG_SIZE
"""Octets of a content that encrypts nothing."""
_NOTIFICATIONS: Final = frozenset({b"\x0f", b"\xc2", b"\x18"})


class Protection:
    """Protects and unprotects the APDUs of one association.

    Args:
        context: Keys, titles and policy.
        counter: Gives the counters of the global unicast key.
        replay: Returns the replay protection of a sender under the global unicast key, by system title.
        broadcast_counter: As ``counter``, for the global broadcast key.
        broadcast_replay: As ``replay``, for the global broadcast key.
        message_counters: Gives those of keys that come with messages, of dedicated keys, and of signatures;
            see :class:`~cosem.security.freshness.MessageCounters`.
        random: Returns random octets, for keys that are wrapped or agreed on.
    """

    def __init__(
        self,
        context: SecurityContext,
        counter: Counter,
        replay: ReplayProtections,
        *,
        broadcast_counter: Counter | None = None,
        broadcast_replay: ReplayProtections | None = None,
        message_counters: MessageCounters | None = None,
        random: RandomOctets | None = None,
    ) -> None:
        self._session = SecuritySession(
            context, counter, replay, broadcast_counter, broadcast_replay, message_counters
        )
        self._random = random
        self._options = context.options.strengthened(context.sent_kinds)
        self._dedicated_options: SecurityOptions | None = None
        self._required = int(context.received_kinds)
        self._known: dict[int, _Known] = {}
        self._prepared: dict[tuple[int, KeyUsed], _Prepared] = {}

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
        self._start_anew()

    def hold_dedicated_key(self, octets: bytes) -> None:
        """Take the dedicated key in the InitiateRequest; it is not used before :meth:`activate_dedicated_key`.

        Raises:
            ConfigurationError: It has not the length of the suite.
        """
        self._session.hold_dedicated_key(octets)

    def activate_dedicated_key(self) -> None:
        """Use the dedicated key that is held: the association is open, with HLS after the fourth pass."""
        self._session.activate_dedicated_key()
        self._prefer_dedicated_key()

    def _prefer_dedicated_key(self) -> None:
        if self._session.material.dedicated is not None:
            layers = tuple(_dedicated(layer) for layer in self._options.layers)
            self._dedicated_options = SecurityOptions(layers)
        self._start_anew()

    def follow(self, former: Protection) -> Self:
        """Take the place of another protection in an association that goes on: keys or policy have changed.

        Args:
            former: That of the same association until now; it is used no more.
        """
        self._session.follow(former._session)
        self._prefer_dedicated_key()
        return self

    def renew_counter(self) -> bool:
        """Go on after what other programs have sent with the same keys; return whether they have.

        For a peer that answers invocation-counter-error. Only our own store is asked, so that a forged answer costs
        nothing; no number goes back.

        Raises:
            SecurityError: The store cannot be used.
        """
        session = self._session
        renewed = [renew_numbers(each) for each in (session.counter, session.broadcast_counter)]
        return any(renewed)

    def forget(self) -> None:
        """Drop every key that belongs to this association alone: it is over."""
        self._session.forget()
        self._dedicated_options = None
        self._start_anew()

    def _start_anew(self) -> None:
        """Drop what was concluded from keys and titles that have changed."""
        self._known.clear()
        self._prepared.clear()

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
        key = _usual_key(self.options if options is None else options)
        if key is not None and apdu:
            prepared = self._prepared.get((apdu[0], key)) or self._prepare(apdu[0], key)
            if prepared is not None:
                tag, control, title, gcm_key, counter = prepared
                content = seal_content(gcm_key, control, title, take_number(counter), apdu, b"")
                return wrapped_in(tag, content)
        return seal(apdu, self._chosen(options), self._session, self._random)

    def protect_unasked(self, apdu: bytes, kinds: ProtectionKind) -> bytes:
        """Return the protected octets of an APDU that answers nothing, such as a notification.

        Args:
            apdu: The clear octets.
            kinds: What it must have besides what the context says; as for :meth:`protect`, also what is raised.
        """
        return self.protect(apdu, self.options.strengthened(kinds))

    def _prepare(self, clear_tag: int, key: KeyUsed) -> _Prepared | None:
        """Return what the usual protection of a service takes; ``None`` where something is not as usual."""
        session, dedicated = self._session, key is KeyUsed.DEDICATED
        tag = (DEDICATED_TAGS if dedicated else GLOBAL_TAGS).get(clear_tag)
        gcm_key = session.material.dedicated if dedicated else session.material.unicast
        counter = session.dedicated_counter if dedicated else session.counter
        if tag is None or clear_tag in INITIATE_TAGS or gcm_key is None or counter is None:
            return None
        if ProtectionKind.SIGNED in self.context.sent_kinds:
            return None
        control = SecurityControl.build(session.material.suite, authenticated=True, encrypted=True)
        prepared = _Prepared(tag, control, self.context.system_title, gcm_key, counter)
        self._prepared[clear_tag, key] = prepared
        return prepared

    def check(self, options: SecurityOptions | SecurityStatus | None = None) -> None:
        """Refuse what :meth:`protect` could not do, before anything depends on it; no counter is taken.

        Args:
            options: As for :meth:`protect`.

        Raises:
            CounterExhausted: Not enough counters are left.
            KeyMissingError: A key is not known.
            VerificationError: The public key of the peer is none.
            ConfigurationError: The options cannot be carried out.
        """
        key = _usual_key(self.options if options is None else options)
        if key is not None and ProtectionKind.SIGNED not in self.context.sent_kinds:
            session, dedicated = self._session, key is KeyUsed.DEDICATED
            counter = session.dedicated_counter if dedicated else session.counter
            there = session.material.dedicated if dedicated else session.material.unicast
            if counter is not None and there is not None:
                check_numbers(counter, 1)
                return
        check_seal(self._chosen(options), self._session, self._random)

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
        if apdu and apdu[0] in SERVICE_SPECIFIC_TAGS:
            usual = self._unprotect_as_before(apdu)
            if usual is not None:
                return usual
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
            if not clear or not is_protected(clear[0]) or is_for_another(clear, context.system_title):
                break
        # Counters are looked at only after every tag: who has no key learns nothing of counters. The innermost
        # layer was made first, and has the lowest counter.
        counted = {
            opened.layer.system_title for opened in taken if opened.layer.invocation_counter is not None
        }
        for opened in reversed(taken):
            self._count(opened, counted)
        if findings and context.strict:
            raise SecurityError(findings[0])
        status = SecurityStatus(tuple([opened.layer for opened in taken]), tuple(findings))
        self._enforce(status, clear)
        if len(taken) == 1 and status.form is ProtectionForm.SERVICE_SPECIFIC:
            self._remember(apdu[0], clear[0], status)
        return clear, status

    def _unprotect_as_before(self, apdu: bytes) -> tuple[bytes, SecurityStatus] | None:
        """Open one more APDU of a form that was opened before in this association.

        Everything that was decided then holds still: suite, key, sender, policy. What is left to check is
        what each message has of its own: tag, service within, counter. Where anything is wrong with it the
        long way is gone, which says what.
        """
        content = last_octet_string(apdu, 1)
        known = self._known.get(apdu[0] << 8 | content[0]) if len(content) > _LEAST else None
        if known is None:
            return None
        clear_tag, key, control, title, guard, used = known
        octets = content[1:5]
        try:
            clear = key.open(control, title + octets, content[5:])
        except VerificationError:
            return None
        if clear[0] != clear_tag:
            return None
        counter = int.from_bytes(octets, "big")
        guard.check(counter)
        guard.accept(counter)
        layer = Layer(ProtectionForm.SERVICE_SPECIFIC, used, control, True, title, counter)
        return clear, SecurityStatus((layer,))

    def _remember(self, tag: int, clear_tag: int, status: SecurityStatus) -> None:
        """Take note that an APDU with tag and encryption, under a key of the two sides, was in order."""
        layer, material = status.layers[0], self._session.material
        key = material.dedicated if layer.key is KeyUsed.DEDICATED else material.unicast
        control = layer.control
        if control is None or key is None or control & _A_AND_E != _A_AND_E or status.broadcast:
            return
        guard = self._session.guard(layer.key, layer.system_title)
        self._known[tag << 8 | control] = _Known(
            clear_tag, key, control, layer.system_title, guard, layer.key
        )

    def _open(self, envelope: Envelope, *, outermost: bool, findings: list[str]) -> Opened:
        session, context = self._session, self.context
        title = sender_of(envelope, session, outermost=outermost, findings=findings)
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
        elif control is not None and control & 0x30 == 0x10:
            refuse_octets_behind(opened.clear)
        return opened

    def _count(self, opened: Opened, counted: Container[bytes]) -> None:
        """Refuse a layer that was received before, and take note of one that is new."""
        session, layer, brought = self._session, opened.layer, opened.brought
        title = layer.system_title
        if layer.invocation_counter is not None:
            guard = session.guard(layer.key, title, brought)
            guard.check(layer.invocation_counter)
            guard.accept(layer.invocation_counter)
        elif layer.control is None:
            session.freshness.take_signature(
                layer, title + opened.signature, session.material, counted=title in counted
            )
        if brought is not None and not brought.ours:
            session.established_by_peer[title] = brought

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
        if status.broadcast and self.context.side is Side.SERVER and not self.context.broadcast:
            raise PolicyError("a request under the broadcast key, which others have too")


class _Known(NamedTuple):
    """What was decided of APDUs with one tag and one security control octet."""

    clear_tag: int
    key: GcmKey
    control: SecurityControl
    title: bytes
    guard: ReplayProtection
    used: KeyUsed


class _Prepared(NamedTuple):
    """What the usual protection of one service takes."""

    tag: int
    control: SecurityControl
    title: bytes
    key: GcmKey
    counter: Counter


def _usual_key(options: SecurityOptions | SecurityStatus) -> KeyUsed | None:
    """Return the key of the usual protection: one layer, service-specific, with tag and encryption."""
    if len(options.layers) != 1:
        return None
    layer = options.layers[0]
    if layer.form is not ProtectionForm.SERVICE_SPECIFIC or layer.key not in _KEYS_OF_BOTH:
        return None
    if isinstance(layer, Layer):
        return layer.key if layer.control is not None and layer.control & _A_AND_E == _A_AND_E else None
    return layer.key if layer.authenticated and layer.encrypted else None


def _dedicated(layer: LayerOptions) -> LayerOptions:
    """Return a layer under the dedicated key, if it is one under the global unicast key."""
    if layer.key is not KeyUsed.GLOBAL_UNICAST:
        return layer
    if layer.form is ProtectionForm.SERVICE_SPECIFIC:
        return replace(layer, key=KeyUsed.DEDICATED)
    if layer.form is ProtectionForm.GENERAL_GLO:
        return replace(layer, key=KeyUsed.DEDICATED, form=ProtectionForm.GENERAL_DED)
    return layer
