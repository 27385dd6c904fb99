"""Data under protection of its own: every kind and key in both directions, and each departure refused."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from itertools import product

import pytest

from cosem.apdu.ciphered import AgreedKey, IdentifiedKey, WrappedKey
from cosem.errors import (
    ConfigurationError,
    DecodeError,
    KeyMissingError,
    LimitError,
    PolicyError,
    ReplayError,
    SecurityError,
    VerificationError,
)
from cosem.security.counters import (
    CounterName,
    ReplayGuard,
    ReplayMode,
    VolatileCounter,
    VolatileCounterStore,
)
from cosem.security.data_protection import (
    DataLayer,
    counter_name_of_data,
    key_info_of,
    kinds_of_layers,
    kinds_proven,
    prepare_data,
    protect_data,
    unprotect_data,
)
from cosem.security.policy import ProtectionKind
from cosem.security.status import GeneralHeader, KeyUsed
from tests.security.protecting import (
    HEAD_END,
    METER,
    SUITE_0,
    SUITE_1,
    SUITE_2,
    THIRD,
    material,
    octets_that_differ,
)

K = KeyUsed
DATA = bytes.fromhex("0202 1200 0C 0906 0000600100FF")
SIGNATURE = DataLayer(3)
TO_HEAD_END = GeneralHeader(recipient=HEAD_END)


class Received:
    """What was received before: counters by key and sender, and the last transaction-id of each signer."""

    def __init__(self, mode=ReplayMode.STRICT, on_replay=None):
        self.store = VolatileCounterStore()
        self.taken = {}
        self.asked = []
        self.mode, self.on_replay = mode, on_replay

    def guard(self, key, title):
        self.asked.append((key, title))
        return ReplayGuard(self.store, CounterName(key.name.encode(), title), self.mode, self.on_replay)

    def take_transaction(self, title, number):
        if number <= self.taken.get(title, -1):
            return False
        self.taken[title] = number
        return True


def sealed(*layers, suite=SUITE_1, counter=7, broadcast_counter=100, message_counter=200, **changes):
    """Return data that the meter protected, and its layers."""
    counters = (
        None if first is None else VolatileCounter(first)
        for first in (counter, broadcast_counter, message_counter)
    )
    own, broadcast, message = counters
    return protect_data(
        DATA,
        [
            replace(layer, header=replace(TO_HEAD_END, transaction_id=layer.header.transaction_id))
            for layer in layers
        ],
        material(suite, METER, **changes),
        METER,
        own,
        octets_that_differ(),
        broadcast,
        message,
    )


def by_meter(layer, header):
    """Return what the meter makes of one layer with this header."""
    counters = VolatileCounter(), None, None, VolatileCounter()
    return protect_data(DATA, [replace(layer, header=header)], material(SUITE_1, METER), METER, *counters)


def opened(octets, layers, *, suite=SUITE_1, own=HEAD_END, received=None, **changes):
    return unprotect_data(octets, layers, material(suite, own, **changes), own, received or Received())


KEYS = [K.GLOBAL_UNICAST, K.GLOBAL_BROADCAST, K.WRAPPED, K.ONE_PASS, K.STATIC_UNIFIED]


@pytest.mark.parametrize("suite", [SUITE_1, SUITE_2])
@pytest.mark.parametrize(("kind", "key"), [*product((0, 2), KEYS), (3, K.GLOBAL_UNICAST)])
def test_what_one_protects_the_other_reads_once(suite, kind, key):
    octets, layers = sealed(DataLayer(kind, key=key), suite=suite)
    assert (DATA in octets) is (kind != 2)
    (layer,) = layers
    assert (layer.protection_type, layer.key) == (kind, key)
    assert (layer.header.originator, layer.header.recipient) == (METER, HEAD_END)
    received = Received()
    assert opened(octets, layers, suite=suite, received=received) == DATA
    assert received.asked == ([] if kind == 3 else [(key, METER)])
    with pytest.raises(VerificationError if kind == 3 else ReplayError):
        opened(octets, layers, suite=suite, received=received)
    for index in range(len(octets)):
        changed = bytearray(octets)
        changed[index] ^= 0x10
        with pytest.raises((SecurityError, DecodeError)):
            opened(bytes(changed), layers, suite=suite)


@pytest.mark.parametrize(
    "layers",
    [
        (SIGNATURE, DataLayer(2)),
        (DataLayer(2), SIGNATURE),
        (DataLayer(1), DataLayer(0)),
        (DataLayer(1), SIGNATURE, DataLayer(2)),
    ],
)
def test_layers_come_off_in_the_order_in_which_they_were_not_put_on(layers):
    octets, made = sealed(*layers)
    assert [layer.protection_type for layer in made] == [layer.protection_type for layer in layers]
    assert opened(octets, made) == DATA


def test_each_key_has_its_counter_and_a_transaction_id_is_the_number():
    layers = (DataLayer(2), DataLayer(2, key=K.GLOBAL_BROADCAST), SIGNATURE)
    _, made = sealed(*layers)
    assert [int.from_bytes(layer.header.transaction_id, "big") for layer in made] == [7, 100, 200]
    assert {len(layer.header.transaction_id) for layer in made} == {8}
    _, made = sealed(DataLayer(2, key=K.WRAPPED), DataLayer(0), DataLayer(2, key=K.ONE_PASS))
    assert [int.from_bytes(layer.header.transaction_id, "big") for layer in made] == [200, 7, 201]
    octets, _ = sealed(DataLayer(0, key=K.GLOBAL_BROADCAST))
    assert octets[:5] == b"\x11\x00\x00\x00\x64"
    _, (layer,) = sealed(DataLayer(2, GeneralHeader(b"\x01\x02")))
    assert layer.header.transaction_id == b"\x01\x02"


@pytest.mark.parametrize(
    ("layer", "without"),
    [
        (DataLayer(2), "counter"),
        (DataLayer(2, key=K.GLOBAL_BROADCAST), "broadcast_counter"),
        (DataLayer(2, key=K.WRAPPED), "message_counter"),
        (DataLayer(2, key=K.ONE_PASS), "message_counter"),
        (DataLayer(2, key=K.STATIC_UNIFIED), "message_counter"),
        (SIGNATURE, "message_counter"),
        (replace(SIGNATURE, key=K.GLOBAL_BROADCAST), "message_counter"),
    ],
)
def test_nothing_is_protected_without_a_counter_of_its_own(layer, without):
    others = {"counter": None, "broadcast_counter": None, "message_counter": None}
    with pytest.raises(KeyMissingError, match="has no counter"):
        sealed(layer, **{without: None})
    assert sealed(layer, **(others | {without: 3}))[1][0].header.transaction_id == bytes(7) + b"\x03"


@pytest.mark.parametrize(
    ("layer", "missing", "says"),
    [
        (SIGNATURE, "signing", "private signing key"),
        (DataLayer(2), "unicast", "global unicast encryption key"),
        (DataLayer(2, key=K.GLOBAL_BROADCAST), "broadcast", "global broadcast encryption key"),
        (DataLayer(2, key=K.WRAPPED), "master", "master key"),
    ],
)
def test_a_key_that_is_not_known_says_so(layer, missing, says):
    with pytest.raises(KeyMissingError, match=says):
        sealed(layer, **{missing: None})


def test_the_broadcast_key_is_not_the_other():
    octets, layers = sealed(DataLayer(2, key=K.GLOBAL_BROADCAST))
    assert layers[0].key_info == IdentifiedKey(1)
    with pytest.raises(VerificationError):
        opened(octets, layers, broadcast=material(SUITE_1).unicast)


def test_nobody_protects_in_the_name_of_another():
    for originator in (b"", METER):
        by_meter(DataLayer(2), GeneralHeader(originator=originator))
    with pytest.raises(ConfigurationError, match="another one's name"):
        by_meter(DataLayer(2), GeneralHeader(originator=THIRD))


@pytest.mark.parametrize("layers", [(), (DataLayer(1),), (DataLayer(1), DataLayer(1))])
def test_something_authenticates_the_data(layers):
    with pytest.raises(PolicyError):
        sealed(*layers)
    with pytest.raises(PolicyError):
        opened(DATA, layers)


def test_there_are_three_layers_at_most():
    octets, layers = sealed(*[DataLayer(2)] * 3)
    assert opened(octets, layers) == DATA
    with pytest.raises(LimitError) as refused:
        sealed(*[DataLayer(2)] * 4)
    assert (refused.value.value, refused.value.bound) == (4, 3)
    with pytest.raises(LimitError):
        opened(octets, [*layers, layers[0]])


@pytest.mark.parametrize("layer", [DataLayer(0), DataLayer(2), SIGNATURE])
def test_data_is_from_somebody_else_and_for_us_or_nobody_in_particular(layer):
    octets, (made,) = sealed(layer)
    for_another = replace(made, header=replace(made.header, recipient=THIRD))
    with pytest.raises(VerificationError, match="another recipient"):
        opened(octets, [for_another])
    for originator in (HEAD_END, b"", METER[:7], METER + b"\x00"):
        named = replace(made, header=replace(made.header, originator=originator))
        with pytest.raises(VerificationError, match="no originator, or us"):
            opened(octets, [named])
    octets, (made,) = by_meter(layer, GeneralHeader())
    assert made.header.recipient == b""
    assert opened(octets, [made]) == DATA


@pytest.mark.parametrize("size", [0, 1, 63, 64])
def test_a_signature_has_data_before_it(size):
    _, (layer,) = sealed(SIGNATURE)
    with pytest.raises(VerificationError, match="no room"):
        opened(bytes(size), [layer])
    with pytest.raises(VerificationError, match="does not match"):
        opened(bytes(65), [layer])


@pytest.mark.parametrize(("said", "done"), [(0, 2), (2, 0)])
def test_the_parameters_say_how_the_data_is_protected(said, done):
    octets, (layer,) = sealed(DataLayer(done))
    with pytest.raises(VerificationError, match="another way"):
        opened(octets, [replace(layer, protection_type=said)])


@pytest.mark.parametrize("first", [0x80, 0x90, 0xB1, 0x71])
def test_no_other_bit_of_the_security_control_is_set(first):
    octets, layers = sealed(DataLayer(2))
    with pytest.raises(SecurityError):
        opened(bytes((first,)) + octets[1:], layers)


def test_counters_are_looked_at_after_every_tag():
    octets, layers = sealed(DataLayer(2), SIGNATURE, DataLayer(2))
    received = Received()
    name = CounterName(b"GLOBAL_UNICAST", METER)
    with pytest.raises(VerificationError):
        opened(octets, [replace(layers[0], protection_type=0), *layers[1:]], received=received)
    assert (received.asked, received.taken) == ([], {})
    assert opened(octets, layers, received=received) == DATA
    assert received.store.lowest_acceptable(name) == 9
    assert received.taken == {}


def test_a_guard_that_warns_is_told():
    octets, layers = sealed(DataLayer(2))
    told = []
    received = Received(ReplayMode.WARN, lambda *facts: told.append(facts))
    assert [opened(octets, layers, received=received) for _ in range(2)] == [DATA, DATA]
    assert told == [(7, 8)]


def signed(transaction_id):
    return by_meter(SIGNATURE, GeneralHeader(transaction_id, recipient=HEAD_END))


@pytest.mark.parametrize("transaction_id", [bytes(9), bytes(8) + b"\x01"])
def test_a_signature_in_no_order_is_refused(transaction_id):
    with pytest.raises(VerificationError, match="transaction-id of 9 octets"):
        opened(*signed(transaction_id))
    octets, (layer,) = signed(b"\x01")
    nameless = replace(layer.header, transaction_id=b"")
    octets = DATA + material(SUITE_1, METER).signing.sign(nameless.octets + DATA)
    with pytest.raises(VerificationError, match="transaction-id of 0 octets"):
        opened(octets, [replace(layer, header=nameless)])


def test_signatures_are_taken_in_the_order_of_their_transaction_ids():
    received = Received()
    for taken in (b"\x00", b"\x05", b"\x00\x06", b"\x01\x00", b"\xff" * 8):
        assert opened(*signed(taken), received=received) == DATA
        assert received.taken == {METER: int.from_bytes(taken, "big")}
        with pytest.raises(VerificationError, match="received before"):
            opened(*signed(taken), received=received)
    with pytest.raises(VerificationError, match="received before"):
        opened(*signed(b"\x07"), received=received)


@pytest.mark.parametrize(
    ("layers", "in_order"),
    [
        ((DataLayer(2), SIGNATURE), False),
        ((SIGNATURE, DataLayer(2)), False),
        ((DataLayer(1), SIGNATURE), False),
        ((SIGNATURE, DataLayer(1)), True),
        ((SIGNATURE, DataLayer(0)), False),
        ((SIGNATURE,), True),
    ],
)
def test_a_counter_that_somebody_vouches_for_tells_repetitions_of_a_signature_too(layers, in_order):
    octets, made = sealed(*layers)
    received = Received()
    assert opened(octets, made, received=received) == DATA
    assert bool(received.taken) is in_order
    with pytest.raises((VerificationError, ReplayError)):
        opened(octets, made, received=received)


def test_the_broadcast_key_vouches_for_no_counter_beside_a_signature():
    octets, made = sealed(SIGNATURE, DataLayer(2, key=K.GLOBAL_BROADCAST))
    received = Received()
    assert opened(octets, made, received=received) == DATA
    assert received.taken == {METER: 200}


def test_what_proves_somebody():
    by_meter_, by_third = (
        replace(SIGNATURE, header=GeneralHeader(originator=each)) for each in (METER, THIRD)
    )
    group = replace(by_meter_, protection_type=2, key=K.GLOBAL_BROADCAST)
    tag = replace(by_meter_, protection_type=0, key=K.GLOBAL_UNICAST)
    assert kinds_proven([]) == ProtectionKind.NONE
    assert kinds_proven([group]) == ProtectionKind.NONE
    assert kinds_proven([by_third, tag]) == ProtectionKind.AUTHENTICATED
    assert kinds_proven([by_third, tag], THIRD) == ProtectionKind.SIGNED
    assert kinds_proven([replace(by_meter_, key=K.GLOBAL_BROADCAST)]) == ProtectionKind.SIGNED


def test_what_is_prepared_protects_once():
    prepared = prepare_data([DataLayer()], material(SUITE_1, METER), METER, VolatileCounter())
    assert opened(prepared.protect(DATA), prepared.layers) == DATA
    with pytest.raises(ConfigurationError, match="once"):
        prepared.protect(DATA)


def test_the_counters_of_data_are_kept_apart_under_a_name_that_never_changes():
    name = counter_name_of_data(CounterName(bytes(16), METER))
    assert name == CounterName(sha256(b"cosem data protection" + bytes(16)).digest()[:16], METER)


def test_kinds():
    kinds = [DataLayer(number).kinds for number in range(4)]
    every = ProtectionKind.AUTHENTICATED | ProtectionKind.ENCRYPTED | ProtectionKind.SIGNED
    assert kinds == [1, 2, 3, 4]
    assert kinds_of_layers([DataLayer(1), SIGNATURE, DataLayer(0)]) == every
    assert kinds_of_layers([]) == ProtectionKind.NONE
    assert DataLayer() == DataLayer(2, GeneralHeader(), K.GLOBAL_UNICAST, None)


@pytest.mark.parametrize("kind", [-1, 4])
def test_there_are_four_types_of_protection(kind):
    with pytest.raises(ConfigurationError, match="none of 0 to 3"):
        DataLayer(kind)


@pytest.mark.parametrize("key", [K.DEDICATED, K.ESTABLISHED])
def test_keys_of_an_association_protect_no_data(key):
    with pytest.raises(ConfigurationError):
        DataLayer(key=key)


@pytest.mark.parametrize(
    ("key_info_type", "options", "found"),
    [
        (0, 0, (K.GLOBAL_UNICAST, IdentifiedKey(0))),
        (0, 1, (K.GLOBAL_BROADCAST, IdentifiedKey(1))),
        (1, (0, b"wrapped"), (K.WRAPPED, WrappedKey(0, b"wrapped"))),
        (2, (b"\x01", b"data"), (K.ONE_PASS, AgreedKey(b"\x01", b"data"))),
        (2, (b"\x02", b""), (K.STATIC_UNIFIED, AgreedKey(b"\x02", b""))),
    ],
)
def test_key_information(key_info_type, options, found):
    assert key_info_of(key_info_type, options) == found


@pytest.mark.parametrize(
    ("key_info_type", "options"),
    [
        (0, 2),
        (0, -1),
        (0, None),
        (1, 0),
        (2, 1),
        (3, 0),
        (-1, 0),
        (1, (1, b"wrapped")),
        (1, (0, "text")),
        (1, (0,)),
        (1, (0, b"a", b"b")),
        (1, [0, b"wrapped"]),
        (2, (b"\x03", b"data")),
        (2, (b"", b"data")),
        (0, (0, b"wrapped")),
        (1, (b"\x01", b"data")),
        (2, (0, b"data")),
        (3, (0, b"data")),
    ],
)
def test_key_information_that_tells_no_key_is_refused(key_info_type, options):
    with pytest.raises(ConfigurationError, match=f"type {key_info_type}"):
        key_info_of(key_info_type, options)


def test_suite_0_protects_data_too():
    octets, layers = sealed(DataLayer(2), suite=SUITE_0)
    assert opened(octets, layers, suite=SUITE_0) == DATA


# --- keys that two parties share prove nothing of a third -----------------------------------------------


def named(layer, *, peer=None, originator=METER):
    """Open one layer of ``originator``, which has the shared keys, and the pairs of the meter for its own."""
    counters = VolatileCounter(), octets_that_differ(), None, VolatileCounter()
    header = replace(TO_HEAD_END, originator=originator)
    octets, layers = protect_data(
        DATA, [replace(layer, header=header)], material(SUITE_1, METER), originator, *counters
    )
    keys = material(SUITE_1, HEAD_END)
    signing = {**keys.signing_keys, THIRD: keys.signing_keys[METER]}
    agreement = {**keys.agreement_keys, THIRD: keys.agreement_keys[METER]}
    keys = replace(keys, signing_keys=signing, agreement_keys=agreement)
    return unprotect_data(octets, layers, keys, HEAD_END, Received(), peer)


@pytest.mark.parametrize("key", [K.GLOBAL_UNICAST, K.WRAPPED])
def test_a_third_party_under_a_key_that_the_peer_has_is_refused(key):
    layer = DataLayer(2, key=key)
    assert named(layer, peer=METER) == DATA
    assert named(layer) == DATA, "where nobody says who the peer is, it is who protected last"
    with pytest.raises(VerificationError, match="third party"):
        named(layer, peer=METER, originator=THIRD)


@pytest.mark.parametrize("key", [K.ONE_PASS, K.STATIC_UNIFIED])
def test_a_third_party_under_keys_of_its_own_is_taken(key):
    assert named(DataLayer(2, key=key), peer=METER, originator=THIRD) == DATA


def test_a_signature_of_a_third_party_is_taken_beside_a_key_of_the_peer():
    assert named(DataLayer(3, key=K.GLOBAL_UNICAST), peer=METER, originator=THIRD) == DATA


def test_the_peer_is_who_protected_last_and_may_hand_on_what_another_signed():
    counters = VolatileCounter(), octets_that_differ(), None, VolatileCounter()
    header = replace(TO_HEAD_END, originator=THIRD)
    signed, inner = protect_data(
        DATA, [replace(SIGNATURE, header=header)], material(SUITE_1, METER), THIRD, *counters
    )
    around, outer = protect_data(
        signed, [DataLayer(2, header=TO_HEAD_END)], material(SUITE_1, METER), METER, *counters
    )
    keys = material(SUITE_1, HEAD_END)
    keys = replace(keys, signing_keys={**keys.signing_keys, THIRD: keys.signing_keys[METER]})
    assert unprotect_data(around, [*inner, *outer], keys, HEAD_END, Received()) == DATA
