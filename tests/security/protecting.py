"""Protections with the keys of the standard's examples, and what their vectors say."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from typing import Any

from cosem.security.agreement import EcdhKey
from cosem.security.context import SecurityContext, Side
from cosem.security.counters import CounterName, ReplayGuard, VolatileCounter, VolatileCounterStore
from cosem.security.gcm import AesGcmKey
from cosem.security.key_wrap import KeyEncryptionKey
from cosem.security.material import SecurityMaterial
from cosem.security.protection import Protection
from cosem.security.signing import EcdsaKey
from cosem.security.suites import SecuritySuite
from tests.vectors import Vector, load, vector

SUITE_0, SUITE_1, SUITE_2 = SecuritySuite
EK, AK = bytes(range(16)), bytes(range(0xD0, 0xE0))
EK_2, AK_2 = bytes(range(32)), bytes(range(0xD0, 0xF0))
GBEK = bytes(range(0xF0, 0x100))
MASTER = bytes.fromhex("00112233445566778899AABBCCDDEEFF")
DEDICATED = MASTER
METER, HEAD_END = bytes.fromhex("4D4D4D0000BC614E"), bytes.fromhex("4D4D4D0000000001")
THIRD = bytes.fromhex("4D4D4D0000000003")
GET = bytes.fromhex("C0010000080000010000FF0200")
GET_ANSWER = bytes.fromhex("C4010000090C07EA0B16071214000000FFC4")

_PAIR = vector("security", "hls7-p256")
SIGNING = {
    HEAD_END: EcdsaKey(SUITE_1, _PAIR.hex("client_private_signing_key")),
    METER: EcdsaKey(SUITE_1, _PAIR.hex("server_private_signing_key")),
}
_STATIC = vector("security", "ka-0e2s")
AGREEMENT = {
    METER: EcdhKey(SUITE_1, _STATIC.hex("u_static_private")),
    HEAD_END: EcdhKey(SUITE_1, _STATIC.hex("v_static_private")),
}


def p384(title: bytes, use: str) -> bytes:
    """Return a private key of 48 octets for tests."""
    return hashlib.sha384(b"not secret " + title + use.encode()).digest()


def material(suite: SecuritySuite = SUITE_0, own: bytes = METER, **changes: Any) -> SecurityMaterial:
    """Return every key that a suite has, as the side with the title ``own`` has them."""
    long = suite is SUITE_2
    ek, ak = (EK_2, AK_2) if long else (EK, AK)
    given: dict[str, Any] = {
        "unicast": AesGcmKey(ek, ak),
        "broadcast": AesGcmKey(ek[::-1], ak) if long else AesGcmKey(GBEK, ak),
        "master": KeyEncryptionKey(MASTER * 2 if long else MASTER),
    }
    if suite is SUITE_1:
        signing, agreement = dict(SIGNING), dict(AGREEMENT)
    elif long:
        signing = {title: EcdsaKey(suite, p384(title, "sign")) for title in (METER, HEAD_END)}
        agreement = {title: EcdhKey(suite, p384(title, "agree")) for title in (METER, HEAD_END)}
    if suite is not SUITE_0:
        given |= {
            "signing": signing[own],
            "agreement": agreement[own],
            "signing_keys": {title: key.public_key for title, key in signing.items()},
            "agreement_keys": {title: key.public_key for title, key in agreement.items()},
        }
    return SecurityMaterial(suite, **(given | changes))


def guards() -> Callable[[bytes], ReplayGuard]:
    """Return replay protection that remembers, as long as the test runs."""
    store = VolatileCounterStore()
    return lambda title: ReplayGuard(store, CounterName(b"k", title))


def octets_that_differ() -> Callable[[int], bytes]:
    """Return what gives other octets each time, and the same in each run."""
    calls = iter(range(1 << 30))

    def give(size: int) -> bytes:
        return hashlib.shake_256(b"test" + next(calls).to_bytes(4, "big")).digest(size)

    return give


def protection(
    own: bytes = METER,
    peer: bytes | None = HEAD_END,
    *,
    keys: SecurityMaterial | None = None,
    suite: SecuritySuite = SUITE_0,
    counter: int = 0x01234567,
    side: Side = Side.SERVER,
    **context: Any,
) -> Protection:
    """Return a protection with the keys of the examples."""
    keys = keys if keys is not None else material(suite, own)
    return Protection(
        SecurityContext(keys, own, peer, side, **context),
        VolatileCounter(counter),
        guards(),
        broadcast_counter=VolatileCounter(counter),
        broadcast_replay=guards(),
        random=octets_that_differ(),
    )


def protected_vectors() -> Iterator[Vector]:
    """Return every vector that is a protected APDU with a tag or signature."""
    for each in load("security"):
        tagged = each.octets and "plaintext" in each.entry and not _without_tag(each)
        if tagged or each.id.startswith("gs-"):
            yield each


_MALFORMED = "gc-nokeyinfo-datetime"
"""Its date-time has 13 octets where its length says 12; test_protected_vectors shows what it is without the odd one."""


def _without_tag(each: Vector) -> bool:
    return each.id.endswith(("-20", "-22")) or each.id == _MALFORMED


def vector_material(each: Vector) -> SecurityMaterial:
    """Return the keys that a vector names, and no others."""
    suite = SUITE_2 if each.id.startswith("suite2") else SUITE_0
    if each.id in ("gc-1e1s", "gc-0e2s") or each.id.startswith("gs-"):
        keys = material(SUITE_1, HEAD_END)
        return SecurityMaterial(
            SUITE_1,
            bind=lambda octets: AesGcmKey(octets, AK),
            agreement=keys.agreement,
            signing_keys={METER: SIGNING[HEAD_END].public_key},  # whose titles are exchanged in that annex
            agreement_keys={METER: AGREEMENT[METER].public_key},
        )
    ak = each.hex("authentication_key")
    names = {"unicast": "encryption_key", "broadcast": "broadcast_key", "dedicated": "dedicated_key"}
    found: dict[str, Any] = {
        key: AesGcmKey(each.hex(name), ak) for key, name in names.items() if name in each.entry
    }
    if "master_key" in each.entry:
        found["master"] = KeyEncryptionKey(each.hex("master_key"))
        found["bind"] = lambda octets: AesGcmKey(octets, ak)
    return SecurityMaterial(suite, **found)


def vector_protection(each: Vector) -> Protection:
    """Return a protection with the keys that a vector names, whose other side is the sender of the vector."""
    made = protection(HEAD_END, METER, keys=vector_material(each))
    if "dedicated_key" in each.entry:
        made._session.dedicated_counter = made._session.counter
    return made
