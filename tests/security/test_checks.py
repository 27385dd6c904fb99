"""What cannot be protected is told before anything depends on it, exactly where protecting would fail."""

from __future__ import annotations

import pytest

from cosem.errors import CosemError, CounterExhausted, KeyMissingError
from cosem.security.context import SecurityContext, Side
from cosem.security.counters import (
    LAST_COUNTER,
    CounterName,
    VolatileCounter,
    VolatileCounterStore,
    check_numbers,
    renew_numbers,
)
from cosem.security.gcm import AesGcmKey
from cosem.security.policy import ProtectionKind, SecurityPolicyV1
from cosem.security.protection import Protection
from cosem.security.status import GeneralHeader, KeyUsed, LayerOptions, ProtectionForm, SecurityOptions
from tests.security.protecting import (
    GET_ANSWER,
    HEAD_END,
    METER,
    SUITE_1,
    guards,
    material,
    octets_that_differ,
)

F, K = ProtectionForm, KeyUsed
LAYERS = [
    LayerOptions(form, key, authenticated, encrypted)
    for form, key in (
        (F.SERVICE_SPECIFIC, K.GLOBAL_UNICAST),
        (F.GENERAL_GLO, K.GLOBAL_UNICAST),
        (F.GENERAL_GLO, K.GLOBAL_BROADCAST),
        (F.GENERAL_DED, K.DEDICATED),
        (F.GENERAL_CIPHERING, K.GLOBAL_UNICAST),
        (F.GENERAL_CIPHERING, K.GLOBAL_BROADCAST),
        (F.GENERAL_CIPHERING, K.WRAPPED),
        (F.GENERAL_CIPHERING, K.ESTABLISHED),
        (F.GENERAL_CIPHERING, K.ONE_PASS),
        (F.GENERAL_CIPHERING, K.STATIC_UNIFIED),
        (F.GENERAL_SIGNING, K.SIGNING),
    )
    for authenticated, encrypted in ((True, True), (True, False), (False, True), (False, False))
]
MISSING = [
    {},
    {"unicast": None},
    {"broadcast": None},
    {"master": None},
    {"signing": None},
    {"agreement": None},
    {"agreement_keys": {}},
    {"agreement_keys": {HEAD_END: b"\x04" + bytes(64)}},
]


def meter(missing, *, left=100, random=True, dedicated=False, **context):
    """Return the protection of a meter that lacks something, and has so many counters left."""
    beginning = LAST_COUNTER + 1 - left
    made = Protection(
        SecurityContext(
            material(SUITE_1, METER, **missing), METER, HEAD_END, Side.SERVER, encryption_only=True, **context
        ),
        VolatileCounter(beginning),
        guards(),
        broadcast_counter=VolatileCounter(beginning),
        broadcast_replay=guards(),
        random=octets_that_differ() if random else None,
    )
    if dedicated:
        made.hold_dedicated_key(bytes(range(16)))
        made.activate_dedicated_key()
    return made


def outcome(call):
    try:
        call()
    except CosemError as error:
        return type(error)
    return None


@pytest.mark.parametrize("dedicated", [False, True])
@pytest.mark.parametrize("random", [False, True])
@pytest.mark.parametrize("missing", MISSING, ids=lambda each: " ".join(each) or "nothing")
@pytest.mark.parametrize(
    "layer", LAYERS, ids=lambda each: f"{each.form.name} {each.key.name} {int(each.kinds)}"
)
def test_a_check_tells_what_protecting_would(layer, missing, random, dedicated):
    options = SecurityOptions((layer,))
    facts = {"random": random, "dedicated": dedicated}
    checked = outcome(lambda: meter(missing, **facts).check(options))
    made = outcome(lambda: meter(missing, **facts).protect(GET_ANSWER, options))
    assert (checked is None) is (made is None)
    if random:  # else two things may be missing, and either be told first
        assert checked == made


@pytest.mark.parametrize("left", [0, 1, 2])
@pytest.mark.parametrize(
    "layer", LAYERS, ids=lambda each: f"{each.form.name} {each.key.name} {int(each.kinds)}"
)
def test_a_check_looks_for_the_number_that_a_layer_takes(layer, left):
    options = SecurityOptions((layer,))
    checked = outcome(lambda: meter({}, left=left).check(options))
    assert checked == outcome(lambda: meter({}, left=left).protect(GET_ANSWER, options))


@pytest.mark.parametrize("left", [0, 1, 2, 3])
def test_what_passes_with_several_layers_can_be_protected(left):
    layers = (LayerOptions(F.GENERAL_GLO), LayerOptions(F.GENERAL_SIGNING, K.SIGNING))
    passed = outcome(lambda: meter({}, left=left).check(SecurityOptions(layers))) is None
    made = outcome(lambda: meter({}, left=left).protect(GET_ANSWER, SecurityOptions(layers))) is None
    assert made or not passed
    assert passed is (left >= 2)


def test_a_check_takes_no_number():
    checking = meter({}, left=1)
    for _ in range(3):
        checking.check(SecurityOptions())
    checking.protect(GET_ANSWER, SecurityOptions())
    with pytest.raises(CounterExhausted):
        checking.check(SecurityOptions())


def test_a_signature_with_a_transaction_id_of_its_own_needs_no_number():
    signed = LayerOptions(F.GENERAL_SIGNING, K.SIGNING, header=GeneralHeader(b"\x07"))
    assert outcome(lambda: meter({}, left=0).check(SecurityOptions((signed,)))) is None


@pytest.mark.parametrize("left", [0, 1, 2, 5])
def test_counters_say_how_many_numbers_are_left(left):
    store = VolatileCounterStore()
    kept = store.counter(CounterName(b"k", METER))
    kept.raise_to(LAST_COUNTER + 1 - max(left, 1))
    if not left:
        kept.next()
    for counter in (VolatileCounter(LAST_COUNTER + 1 - left), kept):
        for count in range(1, 8):
            if count <= left:
                check_numbers(counter, count)
            else:
                with pytest.raises(CounterExhausted):
                    check_numbers(counter, count)


def test_a_counter_that_cannot_tell_is_trusted():
    check_numbers(object(), 1 << 40)
    assert renew_numbers(object()) is False


@pytest.mark.parametrize("others", [False, True])
def test_a_counter_with_a_stock_is_asked_to_renew_it(others):
    class Stocked:
        asked = 0

        def renew(self):
            self.asked += 1
            return others

    counter = Stocked()
    assert renew_numbers(counter) is others
    assert counter.asked == 1


@pytest.mark.parametrize("left", [0, 1])
@pytest.mark.parametrize("form", [F.GENERAL_DED, F.SERVICE_SPECIFIC])
def test_the_dedicated_key_has_numbers_of_its_own(form, left):
    options = SecurityOptions((LayerOptions(form, K.DEDICATED),))
    facts = {"left": left, "dedicated": True}
    checked = outcome(lambda: meter({}, **facts).check(options))
    assert checked == outcome(lambda: meter({}, **facts).protect(GET_ANSWER, options))


@pytest.mark.parametrize("dedicated", [False, True])
@pytest.mark.parametrize("left", [0, 1])
@pytest.mark.parametrize("missing", [{}, {"unicast": None}, {"signing": None}], ids=" ".join)
@pytest.mark.parametrize("signed", [False, True])
def test_what_answers_nothing_is_checked_as_the_context_says(signed, missing, left, dedicated):
    facts = {"left": left, "dedicated": dedicated}
    if signed:
        facts["policy"] = SecurityPolicyV1.DIGITALLY_SIGNED_RESPONSE
    checked = outcome(lambda: meter(missing, **facts).check())
    assert (checked is None) is (outcome(lambda: meter(missing, **facts).protect(GET_ANSWER)) is None)


def test_what_is_told_unasked_has_what_is_demanded_of_it():
    for kinds in (ProtectionKind.AUTHENTICATED, ProtectionKind.SIGNED):
        octets = meter({}).protect_unasked(GET_ANSWER, kinds)
        client = Protection(
            SecurityContext(material(SUITE_1, HEAD_END), HEAD_END, METER, Side.CLIENT),
            VolatileCounter(),
            guards(),
        )
        clear, status = client.unprotect(octets)
        assert clear == GET_ANSWER
        assert kinds in status.kinds


@pytest.mark.parametrize("others", [(False, False), (True, False), (False, True), (True, True)])
def test_counters_are_renewed_together(others):
    class Stocked(VolatileCounter):
        def __init__(self, others):
            super().__init__()
            self.others = others

        def renew(self):
            return self.others

    own, of_group = map(Stocked, others)
    made = Protection(
        SecurityContext(material(), METER, HEAD_END, Side.SERVER),
        own,
        guards(),
        broadcast_counter=of_group,
        broadcast_replay=guards(),
    )
    assert made.renew_counter() is any(others)


def test_keys_can_be_bound_where_somebody_else_holds_the_authentication_key():
    material(unicast=None, bind=lambda octets: AesGcmKey(octets, bytes(16))).check_bound()
    material().check_bound()
    with pytest.raises(KeyMissingError):
        material(unicast=None).check_bound()
