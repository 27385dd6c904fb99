"""Transaction-ids that we choose, and what is remembered of keys and signatures within and across associations."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cosem.errors import ReplayError, VerificationError
from cosem.security.context import SecurityContext, Side
from cosem.security.counters import CounterName, ReplayGuard, VolatileCounter, VolatileCounterStore
from cosem.security.protection import Protection
from cosem.security.status import GeneralHeader, KeyUsed, LayerOptions, ProtectionForm, SecurityOptions
from tests.security.protecting import GET, GET_ANSWER, HEAD_END, METER, SUITE_1, material

F, K = ProtectionForm, KeyUsed
SIGNED = LayerOptions(F.GENERAL_SIGNING, K.SIGNING)


class Kept:
    """What is at rest, as far as a test needs it: counters by sender, and the transaction-ids of signatures."""

    def __init__(self, sent: int = 0) -> None:
        self.sent = VolatileCounter(sent)
        self.store = VolatileCounterStore()
        self.taken: dict[tuple[bytes, bytes], int] = {}
        self.asked: list[tuple[bytes | None, bytes]] = []

    def counter(self) -> VolatileCounter:
        return self.sent

    def guard(self, family: bytes | None, title: bytes) -> ReplayGuard:
        self.asked.append((family, title))
        return ReplayGuard(self.store, CounterName(family or b"", title))

    def guard_within(self, name: CounterName) -> ReplayGuard:
        return ReplayGuard(VolatileCounterStore(), name)

    def take_transaction(self, family: bytes, title: bytes, place: int) -> bool:
        if place <= self.taken.get((family, title), -1):
            return False
        self.taken[family, title] = place
        return True


def side(own: bytes, kept: Kept | None = None, *, random=None, counter: int = 7) -> Protection:
    client = own == HEAD_END
    context = SecurityContext(
        material(SUITE_1, own),
        own,
        METER if client else HEAD_END,
        Side.CLIENT if client else Side.SERVER,
        in_kind=False,
    )
    store = VolatileCounterStore()
    return Protection(
        context,
        VolatileCounter(counter),
        lambda title: ReplayGuard(store, CounterName(b"global", title)),
        message_counters=kept,
        random=random,
    )


def options(*layers: LayerOptions) -> SecurityOptions:
    return SecurityOptions(layers)


def transaction_of(octets: bytes) -> bytes:
    return octets[2 : 2 + octets[1]]


@pytest.mark.parametrize(
    "layer", [SIGNED, LayerOptions(F.GENERAL_CIPHERING), LayerOptions(F.GENERAL_CIPHERING, K.WRAPPED)]
)
def test_a_transaction_id_is_the_number_of_the_message_in_the_series_of_its_side(layer):
    random = b"\xff".__mul__
    assert transaction_of(side(HEAD_END, random=random).protect(GET, options(layer))) == bytes(7) + b"\x07"
    octets = side(METER, random=random).protect(GET_ANSWER, options(layer))
    assert transaction_of(octets) == b"\x80" + bytes(6) + b"\x07"


def test_a_static_agreement_takes_the_nonce_of_its_key_at_random_but_for_the_bit_of_its_side():
    layer = LayerOptions(F.GENERAL_CIPHERING, K.STATIC_UNIFIED)
    client, server = side(HEAD_END, random=b"\xff".__mul__), side(METER, random=b"\xff".__mul__)
    assert transaction_of(client.protect(GET, options(layer))) == b"\x7f" + b"\xff" * 7
    assert transaction_of(server.protect(GET, options(layer))) == b"\xff" * 8
    zeros = side(HEAD_END, random=bytes).protect(GET, options(layer))
    assert transaction_of(zeros) == bytes(8)


def test_a_static_agreement_needs_no_random_octets():
    layer = LayerOptions(F.GENERAL_CIPHERING, K.STATIC_UNIFIED)
    octets = side(HEAD_END).protect(GET, options(layer))
    assert transaction_of(octets) == bytes(7) + b"\x07"
    assert side(METER).unprotect(octets)[0] == GET


def test_what_comes_under_a_key_that_we_made_here_begins_anew_and_under_theirs_does_not():
    kept = Kept()
    kept.store.accept(CounterName(b"", METER), 1000)
    client = side(HEAD_END, kept, random=b"\xa5".__mul__)
    server = side(METER, counter=5)
    server.unprotect(client.protect(GET, options(LayerOptions(F.GENERAL_CIPHERING, K.WRAPPED))))
    answer = server.protect(GET_ANSWER, options(LayerOptions(F.GENERAL_CIPHERING, K.ESTABLISHED)))
    assert client.unprotect(answer)[0] == GET_ANSWER
    assert kept.asked == []
    with pytest.raises(ReplayError):
        client.unprotect(answer)
    theirs = side(METER, random=b"\x5a".__mul__, counter=5)
    wrapped = options(LayerOptions(F.GENERAL_CIPHERING, K.WRAPPED))
    with pytest.raises(ReplayError):
        client.unprotect(theirs.protect(GET_ANSWER, wrapped))
    assert kept.asked == [(None, METER)]


def test_the_transaction_id_of_a_request_is_not_one_that_its_server_chose():
    kept = Kept()
    server = side(METER, kept)
    header = GeneralHeader(bytes(7) + b"\x05")
    client = side(HEAD_END)
    clear, status = server.unprotect(client.protect(GET, options(replace(SIGNED, header=header))))
    assert clear == GET
    server.protect(GET_ANSWER, status)
    with pytest.raises(VerificationError, match="received before"):
        server.unprotect(client.protect(GET + b"\x00", options(replace(SIGNED, header=header))))
    assert list(kept.taken.values()) == [5]
