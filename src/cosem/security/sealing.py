"""Layers of protection put around APDUs (IEC 62056-5-3, 5.3.7; later editions, 9.2.7.2)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from cosem.apdu import encode
from cosem.apdu.ciphered import GeneralCiphering, GeneralSigning
from cosem.codec.axdr import encode_length, encoded_length_size
from cosem.errors import ConfigurationError, CounterExhausted, KeyMissingError
from cosem.security.context import Counter, SecuritySession, Side
from cosem.security.counters import LAST_COUNTER, check_numbers
from cosem.security.envelope import DEDICATED_TAGS, GLOBAL_TAGS, associated_fields, seal_content, wrapped_in
from cosem.security.material import SignatureInput
from cosem.security.message_keys import (
    MessageKey,
    RandomOctets,
    check_message_key,
    fingerprint_of,
    identified_key,
    key_info_size,
    make_message_key,
    signing_key,
)
from cosem.security.status import GeneralHeader, KeyUsed, LayerOptions, ProtectionForm, SecurityOptions
from cosem.security.suites import TAG_SIZE, SecurityControl

if TYPE_CHECKING:
    from cosem.security.gcm import GcmKey

__all__ = ["INITIATE_TAGS", "check_seal", "overhead", "seal", "take_number"]

Brought: TypeAlias = dict[bytes, MessageKey]
"""Keys that a message brings, by recipient."""

INITIATE_TAGS: Final = frozenset({0x01, 0x08})
_WITH_DEDICATED_KEY: Final = b"\x01\x01"
_MESSAGE_KEYS: Final = frozenset({KeyUsed.WRAPPED, KeyUsed.ONE_PASS, KeyUsed.STATIC_UNIFIED})
_TRANSACTION_ID_SIZE: Final = 8


def seal(
    apdu: bytes, options: SecurityOptions, session: SecuritySession, random: RandomOctets | None
) -> bytes:
    """Return an APDU with every layer of ``options`` around it.

    The Initiate APDUs never go under the dedicated key; an InitiateRequest that carries one is
    authenticated and encrypted, whatever the options say.

    Raises:
        CounterExhausted: The key must be changed.
        KeyMissingError: A key is not known.
        ConfigurationError: The options cannot be carried out.
    """
    if not apdu:
        raise ConfigurationError("an APDU without octets")
    initiate = apdu[0] in INITIATE_TAGS
    secret = apdu[:2] == _WITH_DEDICATED_KEY
    if secret and not any(layer.form is not ProtectionForm.GENERAL_SIGNING for layer in options.layers):
        raise ConfigurationError("a dedicated key is sent encrypted only")
    brought: Brought = {}
    for layer in reversed(options.layers):
        applied = _of_initiate(layer, secret=secret) if initiate else layer
        apdu = _seal_layer(apdu, applied, session, random, brought)
    # Established only now: an outer layer of this very message cannot use a key that is inside it.
    if brought:
        session.established_by_us.update(brought)
    return apdu


def check_seal(options: SecurityOptions, session: SecuritySession, random: RandomOctets | None) -> None:
    """Refuse what :func:`seal` could not do with any APDU, before anything depends on it; no number is taken.

    Raises:
        CounterExhausted: Not enough numbers are left.
        KeyMissingError: A key is not known.
        VerificationError: The public key of the recipient is none.
        ConfigurationError: The options cannot be carried out.
        SecurityError: The counter cannot be used.
    """
    # Several layers may take their numbers from one counter, which then must have as many.
    counters = [counter for layer in options.layers if (counter := _counter_of(layer, session, random))]
    for counter in counters:
        check_numbers(counter, len(counters))


def _counter_of(layer: LayerOptions, session: SecuritySession, random: RandomOctets | None) -> Counter | None:
    """Return the counter that a layer takes a number of, if it does; refuse it where a key is missing."""
    if layer.form is ProtectionForm.GENERAL_SIGNING:
        signing_key(session.material)
        return None if layer.header.transaction_id else session.message_counter()
    if layer.form is not ProtectionForm.GENERAL_CIPHERING:
        return _key_and_counter(layer.key, session)[1]
    if not (layer.authenticated or layer.encrypted):
        return session.counter
    if layer.key not in _MESSAGE_KEYS:
        return _known_key(layer, session)[1]
    check_message_key(layer.key, _recipient(layer.header, session), session.material, random)
    return session.message_counter()


def overhead(size: int, options: SecurityOptions, session: SecuritySession) -> int:
    """Return how many octets :func:`seal` adds to an APDU of ``size`` octets that has a service-specific form."""
    length = size
    inner = True
    for layer in reversed(options.layers):
        length += _overhead(length, layer, session, specific=inner)
        inner = False
    return length - size


def _of_initiate(layer: LayerOptions, *, secret: bool) -> LayerOptions:
    """Return a layer as it is applied to an Initiate APDU."""
    if layer.key is KeyUsed.DEDICATED:
        layer = replace(layer, key=KeyUsed.GLOBAL_UNICAST)  # which makes general-glo of general-ded
    if secret and layer.form is not ProtectionForm.GENERAL_SIGNING:
        layer = replace(layer, authenticated=True, encrypted=True)
    return layer


def _seal_layer(
    apdu: bytes,
    layer: LayerOptions,
    session: SecuritySession,
    random: RandomOctets | None,
    brought: Brought,
) -> bytes:
    form = layer.form
    if form is ProtectionForm.GENERAL_SIGNING:
        return _sign(apdu, layer, session)
    if form is ProtectionForm.GENERAL_CIPHERING:
        return _general_ciphering(apdu, layer, session, random, brought)
    title = session.context.system_title
    key, counter = _key_and_counter(layer.key, session)
    control = _control(layer, session)
    content = seal_content(key, control, title, take_number(counter), apdu, b"")
    dedicated = layer.key is KeyUsed.DEDICATED
    if form is ProtectionForm.SERVICE_SPECIFIC:
        tag = (DEDICATED_TAGS if dedicated else GLOBAL_TAGS).get(apdu[0])
        if tag is not None:
            return wrapped_in(tag, content)
    return wrapped_in(0xDC if dedicated else 0xDB, content, title)


def _control(layer: LayerOptions, session: SecuritySession) -> SecurityControl:
    general = layer.form is ProtectionForm.GENERAL_CIPHERING
    return SecurityControl.build(
        session.material.suite,
        authenticated=layer.authenticated,
        encrypted=layer.encrypted,
        broadcast=layer.key is KeyUsed.GLOBAL_BROADCAST and not general,
    )


def _key_and_counter(key: KeyUsed, session: SecuritySession) -> tuple[GcmKey, Counter]:
    """Return a key that both sides have, and its counter."""
    material = session.material
    found: GcmKey | None
    counter: Counter | None
    if key is KeyUsed.DEDICATED:
        found, counter = material.dedicated, session.dedicated_counter
    elif key is KeyUsed.GLOBAL_BROADCAST:
        found, counter = material.broadcast, session.broadcast_counter
    else:
        found, counter = material.unicast, session.counter
    if found is None or counter is None:
        raise KeyMissingError(
            f"no {key.value} is known" if found is None else f"the {key.value} has no counter"
        )
    return found, counter


def take_number(counter: Counter) -> int:
    """Return the next value of a counter; whatever it says, none beyond the range is used."""
    value = counter.next()
    if not 0 <= value <= LAST_COUNTER:
        raise CounterExhausted("the invocation counter is at its end: the key must be changed")
    return value


def _completed(header: GeneralHeader, number: int, session: SecuritySession) -> GeneralHeader:
    """Return a header with what is empty filled in; the originator is always we."""
    return replace(
        header,
        transaction_id=header.transaction_id or _own_transaction(number, session),
        originator=session.context.system_title,
        recipient=_recipient(header, session),
    )


def _recipient(header: GeneralHeader, session: SecuritySession) -> bytes:
    return header.recipient or session.peer_title or b""


def _own_transaction(number: int, session: SecuritySession) -> bytes:
    """Return a transaction-id that the other side does not choose, too: what is signed twice alike is refused."""
    if session.context.side is Side.SERVER:
        number |= 1 << (8 * _TRANSACTION_ID_SIZE - 1)
    return number.to_bytes(_TRANSACTION_ID_SIZE, "big")


def _general_ciphering(
    apdu: bytes,
    layer: LayerOptions,
    session: SecuritySession,
    random: RandomOctets | None,
    brought: Brought,
) -> bytes:
    interpretation = session.context.interpretation
    if not (layer.authenticated or layer.encrypted):
        header = _completed(layer.header, take_number(session.counter), session)
        content = bytes((session.material.suite,)) + apdu
        return encode(GeneralCiphering(*header.fields, None, content))
    if layer.key in _MESSAGE_KEYS:
        known = None
        # One counter for whatever key comes with a message: C(0e,2s) gives the same key again for the same
        # transaction-id, and a nonce must not repeat even then.
        counter = session.message_counter()
    else:
        known, counter = _known_key(layer, session)
    number = take_number(counter)
    chosen = number
    if layer.key is KeyUsed.STATIC_UNIFIED and random is not None and not layer.header.transaction_id:
        # A fresh nonce of the agreement makes another key of each message, so that no key is used for long.
        chosen = int.from_bytes(random(_TRANSACTION_ID_SIZE), "big") >> 1
    header = _completed(layer.header, chosen, session)
    info: Any
    if known is None:
        octets, info = make_message_key(layer.key, header, session.material, random, interpretation)
        key = session.material.bound(octets)
        brought[header.recipient] = MessageKey(key, fingerprint_of(octets), layer.key, ours=True)
    else:
        key, info = known, identified_key(layer.key)
    further = associated_fields(header.octets, header, interpretation)
    content = seal_content(key, _control(layer, session), header.originator, number, apdu, further)
    return encode(GeneralCiphering(*header.fields, info, content))


def _known_key(layer: LayerOptions, session: SecuritySession) -> tuple[GcmKey, Counter]:
    """Return the key of a message that brings none, and its counter."""
    key = layer.key
    if key is KeyUsed.ESTABLISHED:
        established = session.established_for_sending(_recipient(layer.header, session))
        if established is not None:
            return established.key, session.message_counter()
        key = KeyUsed.GLOBAL_UNICAST
    return _key_and_counter(key, session)


def _sign(apdu: bytes, layer: LayerOptions, session: SecuritySession) -> bytes:
    signer = signing_key(session.material)
    number = 0 if layer.header.transaction_id else take_number(session.message_counter())
    header = _completed(layer.header, number, session)
    if not layer.header.transaction_id:
        session.freshness.note_sent(header.transaction_id)
    with_length = session.context.interpretation.signature_input is SignatureInput.CONTENT_WITH_LENGTH
    length = encode_length(len(apdu)) if with_length else b""
    signature = signer.sign(header.octets + length + apdu)
    return encode(GeneralSigning(*header.fields, apdu, signature))


def _overhead(size: int, layer: LayerOptions, session: SecuritySession, *, specific: bool) -> int:
    """Return how many octets a layer adds to ``size`` octets."""
    if layer.form is ProtectionForm.GENERAL_SIGNING:
        signature = session.material.suite.signature_size
        return (
            1
            + _header_size(layer, session)
            + encoded_length_size(size)
            + encoded_length_size(signature)
            + signature
        )
    protected = layer.authenticated or layer.encrypted
    added = 1 + (4 if protected else 0) + (TAG_SIZE if layer.authenticated else 0)
    around = 1 + encoded_length_size(size + added)
    if layer.form is ProtectionForm.GENERAL_CIPHERING:
        key = layer.key if protected else KeyUsed.ESTABLISHED
        around += _header_size(layer, session) + key_info_size(key, session.material.suite)
    elif not (specific and layer.form is ProtectionForm.SERVICE_SPECIFIC):
        around += 1 + len(session.context.system_title)
    return around + added


def _header_size(layer: LayerOptions, session: SecuritySession) -> int:
    return len(_completed(layer.header, 0, session).octets)
