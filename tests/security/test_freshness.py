"""What tells a repeated message where no counter of a key at rest does."""

from __future__ import annotations

import pytest

from cosem.errors import LimitError, ReplayError, VerificationError
from cosem.security import freshness
from cosem.security.counters import CounterName, ReplayGuard, VolatileCounter, VolatileCounterStore
from cosem.security.freshness import LAST_TRANSACTION, Freshness
from cosem.security.message_keys import MessageKey
from cosem.security.status import GeneralHeader, KeyUsed, Layer, ProtectionForm
from tests.security.protecting import HEAD_END, METER, SUITE_1, material

K = KeyUsed
KEYS = material(SUITE_1)
UNICAST = KEYS.unicast
SERIES_OF_SERVER = 1 << 63


class Kept:
    """What is at rest, and what was asked of it."""

    def __init__(self) -> None:
        self.families: list[bytes | None] = []
        self.transactions: list[tuple[bytes, bytes, int]] = []

    def counter(self) -> VolatileCounter:
        return VolatileCounter()

    def guard(self, family: bytes | None, title: bytes) -> ReplayGuard:
        self.families.append(family)
        return ReplayGuard(VolatileCounterStore(), CounterName(family or b"", title))

    def guard_within(self, name: CounterName) -> ReplayGuard:
        return ReplayGuard(VolatileCounterStore(), name)

    def take_transaction(self, family: bytes, title: bytes, place: int) -> bool:
        beyond = all(place > before for *key, before in self.transactions if key == [family, title])
        self.transactions.append((family, title, place))
        return beyond


def key(used: KeyUsed = K.WRAPPED, fingerprint: bytes = bytes(32), *, ours: bool = False) -> MessageKey:
    return MessageKey(UNICAST, fingerprint, used, ours=ours)


def signed(transaction_id: bytes | int | None, title: bytes = METER) -> Layer:
    if isinstance(transaction_id, int):
        transaction_id = transaction_id.to_bytes(8, "big")
    header = None if transaction_id is None else GeneralHeader(transaction_id, title)
    return Layer(ProtectionForm.GENERAL_SIGNING, K.SIGNING, None, True, title, None, header)


@pytest.mark.parametrize(
    "guard_of",
    [
        lambda fresh, title: fresh.guard(key(), title, KEYS),
        lambda fresh, title: fresh.guard(key(ours=True), title, KEYS),
        lambda fresh, title: fresh.guard_of_dedicated(bytes(16), title),
    ],
)
def test_each_sender_has_guards_of_its_own(guard_of):
    fresh = Freshness(None)
    guard_of(fresh, METER).accept(9)
    guard_of(fresh, HEAD_END).accept(3)
    with pytest.raises(ReplayError):
        guard_of(fresh, METER).check(9)


def test_each_key_has_guards_of_its_own():
    fresh = Freshness(None)
    fresh.guard(key(fingerprint=b"\x01" * 32), METER, KEYS).accept(9)
    fresh.guard_of_dedicated(b"\x01" * 16, METER).accept(9)
    fresh.guard(key(fingerprint=b"\x02" * 32), METER, KEYS).check(0)
    fresh.guard_of_dedicated(b"\x02" * 16, METER).check(0)
    for guard in (
        fresh.guard(key(fingerprint=b"\x01" * 32), METER, KEYS),
        fresh.guard_of_dedicated(b"\x01" * 16, METER),
    ):
        with pytest.raises(ReplayError):
            guard.check(9)


def test_what_is_at_rest_is_kept_by_the_key_that_makes_keys():
    kept = Kept()
    fresh = Freshness(kept)
    fresh.guard(key(K.WRAPPED), HEAD_END, KEYS)
    fresh.guard(key(K.ONE_PASS), HEAD_END, KEYS)
    fresh.guard(key(K.STATIC_UNIFIED), HEAD_END, KEYS)
    assert kept.families == [
        None,
        b"ONE_PASS " + KEYS.signing_keys[HEAD_END],
        b"STATIC_UNIFIED " + KEYS.agreement_keys[HEAD_END],
    ]
    fresh.guard(key(K.ONE_PASS, ours=True), HEAD_END, KEYS)
    assert len(kept.families) == 3


def test_only_so_many_guards_are_remembered(monkeypatch):
    monkeypatch.setattr(freshness, "_MOST_MESSAGE_KEYS", 2)
    fresh = Freshness(None)
    for count in range(2):
        fresh.guard(key(fingerprint=bytes((count,)) * 32), METER, KEYS)
    with pytest.raises(LimitError) as caught:
        fresh.guard(key(fingerprint=b"\x02" * 32), METER, KEYS)
    assert (caught.value.value, caught.value.bound) == (3, 2)
    fresh.guard(key(fingerprint=b"\x01" * 32), METER, KEYS)


def test_transaction_ids_of_signatures_go_up_in_two_series():
    kept = Kept()
    fresh = Freshness(kept)
    family = b"SIGNING " + KEYS.signing_keys[METER]
    for name, (number, expected) in enumerate(
        [
            (0, (family + b"\x00", METER, 0)),
            (5, (family + b"\x00", METER, 5)),
            (SERIES_OF_SERVER, (family + b"\x01", METER, 0)),
            (SERIES_OF_SERVER | 1, (family + b"\x01", METER, 1)),
            (LAST_TRANSACTION, (family + b"\x00", METER, LAST_TRANSACTION)),
            (SERIES_OF_SERVER | LAST_TRANSACTION, (family + b"\x01", METER, LAST_TRANSACTION)),
        ]
    ):
        fresh.take_signature(signed(number), bytes((name,)), KEYS, counted=False)
        assert kept.transactions[-1] == expected
    assert LAST_TRANSACTION == 0x7FFFFFFFFFFFFFFE
    for number in (LAST_TRANSACTION + 1, SERIES_OF_SERVER | (LAST_TRANSACTION + 1), 5, SERIES_OF_SERVER):
        with pytest.raises(VerificationError, match="after it"):
            fresh.take_signature(signed(number), b"another", KEYS, counted=False)


@pytest.mark.parametrize("transaction_id", [b"", bytes(9), None])
def test_a_signature_in_no_order_is_refused_where_anything_is_at_rest(transaction_id):
    with pytest.raises(VerificationError, match=f"of {len(transaction_id or b'')} octets"):
        Freshness(Kept()).take_signature(signed(transaction_id), b"name", KEYS, counted=False)
    for fresh, counted in ((Freshness(None), False), (Freshness(Kept()), True)):
        fresh.take_signature(signed(transaction_id), b"name", KEYS, counted=counted)
        with pytest.raises(VerificationError, match="received before"):
            fresh.take_signature(signed(transaction_id), b"name", KEYS, counted=counted)


@pytest.mark.parametrize("size", range(1, 9))
def test_a_transaction_id_has_one_to_eight_octets(size):
    kept = Kept()
    Freshness(kept).take_signature(signed(bytes(size - 1) + b"\x07"), b"name", KEYS, counted=False)
    assert kept.transactions[0][2] == 7


def test_a_refused_signature_is_not_remembered():
    kept = Kept()
    fresh = Freshness(kept)
    fresh.take_signature(signed(5), b"first", KEYS, counted=False)
    for _ in range(2):
        with pytest.raises(VerificationError, match="after it"):
            fresh.take_signature(signed(4), b"late", KEYS, counted=False)


def test_answers_to_what_was_asked_here_come_in_any_order():
    fresh = Freshness(Kept())
    for number in (3, 4):
        fresh.note_sent(number.to_bytes(8, "big"))
    fresh.take_signature(signed(4), b"second", KEYS, counted=False)
    fresh.take_signature(signed(3), b"first", KEYS, counted=False)
    with pytest.raises(VerificationError, match="after it"):
        fresh.take_signature(signed(2), b"of nobody", KEYS, counted=False)


def test_only_the_last_of_what_was_asked_is_remembered(monkeypatch):
    monkeypatch.setattr(freshness, "_MOST_TRANSACTIONS", 2)
    fresh = Freshness(Kept())
    for number in (3, 4, 5):
        fresh.note_sent(number.to_bytes(8, "big"))
    fresh.take_signature(signed(9), b"later", KEYS, counted=False)
    for number in (4, 5):
        fresh.take_signature(signed(number), bytes((number,)), KEYS, counted=False)
    with pytest.raises(VerificationError, match="after it"):
        fresh.take_signature(signed(3), b"forgotten", KEYS, counted=False)


def test_only_the_last_signatures_are_remembered(monkeypatch):
    monkeypatch.setattr(freshness, "_MOST_SIGNATURES", 2)
    fresh = Freshness(None)
    for name in (b"1", b"2", b"3"):
        fresh.take_signature(signed(1), name, KEYS, counted=False)
    for name in (b"2", b"3"):
        with pytest.raises(VerificationError):
            fresh.take_signature(signed(1), name, KEYS, counted=False)
    fresh.take_signature(signed(1), b"1", KEYS, counted=False)


def test_who_follows_remembers_what_the_former_did():
    former, fresh = Freshness(Kept()), Freshness(Kept())
    former.guard(key(ours=True), METER, KEYS).accept(9)
    former.take_signature(signed(5), b"name", KEYS, counted=False)
    former.note_sent(bytes(7) + b"\x03")
    fresh.follow(former)
    with pytest.raises(ReplayError):
        fresh.guard(key(ours=True), METER, KEYS).check(9)
    with pytest.raises(VerificationError, match="this signature was received before"):
        fresh.take_signature(signed(6), b"name", KEYS, counted=False)
    fresh.take_signature(signed(8), b"another", KEYS, counted=False)
    fresh.take_signature(signed(3), b"answer", KEYS, counted=False)
