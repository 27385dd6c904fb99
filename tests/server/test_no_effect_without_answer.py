"""Nothing is done before it is sure that its answer can be protected as policy, right and request demand."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import pytest

from cosem.apdu import decode, encode
from cosem.apdu.access import AccessRequest, AccessRequestAction, AccessRequestSet
from cosem.apdu.action import ActionRequestNormal, ActionRequestWithList
from cosem.apdu.common import (
    CosemAttributeDescriptor,
    CosemAttributeDescriptorWithSelection,
    CosemMethodDescriptor,
)
from cosem.apdu.get import GetRequestNormal
from cosem.apdu.set import SetRequestNormal, SetRequestWithList
from cosem.association.client.parameters import ALL_SERVICES_LN
from cosem.errors import CounterExhausted, SecurityError
from cosem.security.context import SecurityContext
from cosem.security.counters import (
    LAST_COUNTER,
    CounterName,
    ReplayGuard,
    VolatileCounter,
    VolatileCounterStore,
    check_numbers,
)
from cosem.security.key_material import Key, PrivateKey, PublicKey
from cosem.security.material import material_of
from cosem.security.policy import SecurityPolicyV1
from cosem.security.protection import Protection
from cosem.security.requests import public_key_of
from cosem.security.status import KeyUsed, LayerOptions, ProtectionForm, SecurityOptions
from cosem.security.suites import SecuritySuite
from cosem.server import (
    AccessMode,
    AccessRights,
    DataObject,
    HeldSecurity,
    LogicalDevice,
    RegisterObject,
    secured_profile,
)
from cosem.store.message_counters import KeptMessageCounters
from cosem.store.reserved_counter import ReservedCounter
from cosem.types.data import DoubleLongUnsigned, Integer, OctetString
from cosem.types.enumerations import AuthenticationMechanism, Conformance, DataAccessResult
from cosem.types.identifiers import InvokeIdAndPriority, LongInvokeIdAndPriority
from cosem.types.logical_name import LogicalName
from tests.client.secured import KEYS, pairs
from tests.server.driver import process

SUITE = SecuritySuite(1)
NAME, FREE = LogicalName("1.0.1.8.0.255"), LogicalName("0.0.96.1.0.255")
ID = InvokeIdAndPriority.build(1, confirmed=True, high_priority=False)
LONG_ID = LongInvokeIdAndPriority.build(1, confirmed=True)
SIGNED = AccessMode.READ | AccessMode.WRITE | AccessMode.SIGNED_RESPONSE
VALUE, OTHER = DoubleLongUnsigned(7), DoubleLongUnsigned(9)
_AGREEMENT = {"client": PrivateKey(b"\x53" * 32), "meter": PrivateKey(b"\x64" * 32)}
ATTRIBUTE, FREE_ATTRIBUTE = CosemAttributeDescriptor(3, NAME, 2), CosemAttributeDescriptor(1, FREE, 2)
RESET = CosemMethodDescriptor(3, NAME, 1)
ONE_PASS = SecurityOptions((LayerOptions(ProtectionForm.GENERAL_CIPHERING, KeyUsed.ONE_PASS),))
STATIC = SecurityOptions((LayerOptions(ProtectionForm.GENERAL_CIPHERING, KeyUsed.STATIC_UNIFIED),))
WRAPPED = SecurityOptions((LayerOptions(ProtectionForm.GENERAL_CIPHERING, KeyUsed.WRAPPED),))
WITH_SIGNATURE = SecurityOptions(
    (LayerOptions(ProtectionForm.GENERAL_GLO), LayerOptions(ProtectionForm.GENERAL_SIGNING, KeyUsed.SIGNING))
)
NEW_KEY = Key(bytes(range(70, 86)))
NOT_PROTECTED = bytes.fromhex("D80103")


def both_sides():
    """Return the keys of client and meter, with those of key agreement."""
    sides = pairs(SUITE)
    public = {side: PublicKey(public_key_of(SUITE, key)) for side, key in _AGREEMENT.items()}
    return [
        replace(keys, key_agreement=_AGREEMENT[own], peer_key_agreement=public[other])
        for keys, own, other in zip(sides, ("client", "meter"), ("meter", "client"), strict=True)
    ]


class Meter:
    """A meter and its client without a network."""

    def __init__(
        self, of_meter, of_client, policy=SecurityPolicyV1.NOTHING, most=0, rights=None, conformance=None
    ):
        self.store = VolatileCounterStore()
        self.held = HeldSecurity(of_meter, policy=policy, counters=self.store)
        self.register = RegisterObject(NAME, value=VALUE, scaler_unit=(0, 30))
        self.data = DataObject(FREE, value=OctetString(b"OLD"))
        self.device = LogicalDevice("MMM12345678", objects=[self.register, self.data])
        self.rights = rights or AccessRights.full()
        self.rights.allow(FREE, 2, AccessMode.READ | AccessMode.WRITE)
        self.rights.allow(NAME, 2, AccessMode.READ | AccessMode.WRITE)
        profile = secured_profile(
            AuthenticationMechanism.LOWEST, self.held, client_sap=1, pre_established=True, client_max_receive_pdu_size=most,
            conformance=(ALL_SERVICES_LN if conformance is None else conformance) & ~Conformance.GENERAL_BLOCK_TRANSFER,
        )  # fmt: skip
        self.device.add_association(profile, self.rights)
        self.association = self.device.association(1)
        received = VolatileCounterStore()
        context = SecurityContext(
            material_of(of_client),
            bytes(of_client.client_title),
            bytes(of_client.server_title),
            in_kind=False,
        )
        self.protection = Protection(
            context, VolatileCounter(), lambda title: ReplayGuard(received, CounterName(b"k", title)),
            random=lambda size: bytes(range(1, size + 1)),
        )  # fmt: skip

    def ask(self, request, options=None):
        """Return the answer in clear, and what it was protected by."""
        octets = encode(request)
        octets = octets if options is None else self.protection.protect(octets, options)
        answer = process(self.device, self.association, octets)
        if answer[0] in (0xC4, 0xC5, 0xC7, 0xD8, 0xDA):
            return answer, None
        return self.protection.unprotect(answer)

    @property
    def untouched(self):
        return self.register.stored(2) == VALUE and self.data.stored(2) == b"OLD"

    def leave(self, numbers):
        """Leave the meter so many invocation counters of its unicast key, and of what brings its own key."""
        counted = self.held.counted()
        for counter in (counted.counter(), KeptMessageCounters(counted).counter()):
            counter.raise_to(LAST_COUNTER)
            if not numbers:
                counter.next()


DOING = {
    "set": SetRequestNormal(ID, ATTRIBUTE, None, OTHER),
    "set in a list": SetRequestWithList(ID, (CosemAttributeDescriptorWithSelection(ATTRIBUTE),), (OTHER,)),
    "action": ActionRequestNormal(ID, RESET, Integer(0)),
    "action in a list": ActionRequestWithList(ID, (RESET,), (Integer(0),)),
    "access": AccessRequest(
        LONG_ID, b"", (AccessRequestSet(ATTRIBUTE), AccessRequestAction(RESET)), (OTHER, Integer(0))
    ),
}
RESULTS = {
    "set": lambda answer: {int(answer.result)},
    "set in a list": lambda answer: {int(each) for each in answer.result},
    "action": lambda answer: {int(answer.single_response.result)},
    "action in a list": lambda answer: {int(each.result) for each in answer.list_of_responses},
    "access": lambda answer: {int(each.result) for each in answer.access_response_specification},
}


def without(**missing):
    of_client, of_meter = both_sides()
    return replace(of_meter, **missing), of_client


@pytest.mark.parametrize("doing", DOING)
@pytest.mark.parametrize("suite_1", [False, True])
def test_a_right_whose_answer_cannot_be_signed_lets_nothing_happen(doing, suite_1):
    of_meter, of_client = without(signing=None) if suite_1 else (KEYS, KEYS)
    meter = Meter(of_meter, of_client)
    meter.rights.allow(NAME, 2, SIGNED).allow_method(NAME, 1, AccessMode.READ | AccessMode.SIGNED_RESPONSE)
    answer, _ = meter.ask(DOING[doing], SecurityOptions())
    assert RESULTS[doing](decode(answer)) == {int(DataAccessResult.SCOPE_OF_ACCESS_VIOLATED)}
    assert meter.untouched


@pytest.mark.parametrize("signed", [False, True])
def test_no_answer_to_a_request_in_clear_goes_out_under_keys_that_were_replaced(signed):
    of_client, of_meter = both_sides()
    meter = Meter(of_meter, of_client)
    meter.rights.allow(NAME, 2, SIGNED if signed else AccessMode.READ | AccessMode.ENCRYPTED_RESPONSE)
    request = GetRequestNormal(ID, ATTRIBUTE, None)
    assert decode(meter.ask(request, SecurityOptions())[0]).result == VALUE
    meter.held.change_keys(encryption=NEW_KEY)
    answer = process(meter.device, meter.association, encode(request))
    with pytest.raises(SecurityError):
        meter.protection.unprotect(answer)
    renewed = Meter(of_meter, replace(of_client, encryption=NEW_KEY))
    clear, status = renewed.protection.unprotect(answer)
    assert decode(clear).result == VALUE
    assert status.signed is signed


def test_an_answer_goes_out_under_the_keys_of_its_request_whatever_comes_meanwhile():
    of_client, of_meter = both_sides()
    meter = Meter(of_meter, of_client)
    octets = meter.protection.protect(encode(GetRequestNormal(ID, ATTRIBUTE, None)), SecurityOptions())
    running = meter.association.request(octets, 0.0)
    indication = next(running)
    meter.held.change_keys(encryption=NEW_KEY)
    meter.association.protection.answering(None)  # as when a request in clear comes
    with pytest.raises(StopIteration) as stopped:
        running.send(meter.device.resolve(meter.association, indication))
    clear, _ = meter.protection.unprotect(stopped.value.value)
    assert decode(clear).result == VALUE


def test_the_items_beside_one_that_cannot_be_answered_are_done_and_told():
    meter = Meter(*without(signing=None))
    meter.rights.allow(NAME, 2, SIGNED)
    items = tuple(CosemAttributeDescriptorWithSelection(each) for each in (FREE_ATTRIBUTE, ATTRIBUTE))
    answer, status = meter.ask(SetRequestWithList(ID, items, (OctetString(b"NEW"), OTHER)), SecurityOptions())
    assert decode(answer).result == (DataAccessResult.SUCCESS, DataAccessResult.SCOPE_OF_ACCESS_VIOLATED)
    assert status.kinds == SecurityOptions().kinds
    assert meter.register.stored(2) == VALUE
    assert meter.data.stored(2) == b"NEW"


IN_KIND = {
    "a signature, without our signing key": ({"signing": None}, WITH_SIGNATURE),
    "one-pass, without our signing key": ({"signing": None}, ONE_PASS),
    "one-pass, without the key of the client": ({"peer_key_agreement": None}, ONE_PASS),
}


@pytest.mark.parametrize("doing", DOING)
@pytest.mark.parametrize("case", IN_KIND)
def test_a_request_that_cannot_be_answered_in_kind_does_nothing(case, doing):
    missing, options = IN_KIND[case]
    meter = Meter(*without(**missing))
    answer, _ = meter.ask(DOING[doing], options)
    assert answer == NOT_PROTECTED
    assert meter.untouched


@pytest.mark.parametrize("options", [WITH_SIGNATURE, ONE_PASS, STATIC, WRAPPED, SecurityOptions()])
@pytest.mark.parametrize("doing", DOING)
def test_with_all_keys_it_is_done_and_answered_in_kind(options, doing):
    meter = Meter(*without())
    answer, status = meter.ask(DOING[doing], options)
    assert [layer.key for layer in status.layers] == [layer.key for layer in options.layers]
    assert RESULTS[doing](decode(answer)) == {0}
    assert not meter.untouched


@pytest.mark.parametrize("doing", DOING)
@pytest.mark.parametrize("options", [SecurityOptions(), WRAPPED])
def test_without_a_counter_for_the_answer_nothing_is_done(doing, options):
    meter = Meter(*without())
    meter.leave(0)
    answer, _ = meter.ask(DOING[doing], options)
    assert answer == NOT_PROTECTED
    assert meter.untouched


def test_the_last_counter_is_used():
    meter = Meter(*without())
    meter.leave(1)
    answer, status = meter.ask(DOING["set"], SecurityOptions())
    assert decode(answer).result is DataAccessResult.SUCCESS
    assert status.layers[0].invocation_counter == LAST_COUNTER
    answer, _ = meter.ask(DOING["set"], SecurityOptions())
    assert answer == NOT_PROTECTED


def test_a_clear_request_that_the_policy_cannot_answer_does_nothing():
    meter = Meter(*without(signing=None), policy=SecurityPolicyV1(0x80))
    answer, _ = meter.ask(DOING["set"])
    assert answer == NOT_PROTECTED
    assert meter.untouched


def test_what_wants_no_answer_is_done_all_the_same():
    meter = Meter(*without(signing=None))
    unconfirmed = InvokeIdAndPriority.build(1, confirmed=False, high_priority=False)
    octets = meter.protection.protect(
        encode(SetRequestNormal(unconfirmed, ATTRIBUTE, None, OTHER)), WITH_SIGNATURE
    )
    meter.rights.allow(NAME, 2, AccessMode.READ | AccessMode.WRITE)
    assert process(meter.device, meter.association, octets) is None
    assert meter.register.stored(2) == OTHER


def test_an_answer_without_room_is_refused_before_the_method_is_called():
    """A one-pass answer has more than 60 octets besides the clear ones."""
    without_blocks = ALL_SERVICES_LN & ~Conformance.BLOCK_TRANSFER_WITH_ACTION
    for conformance in (ALL_SERVICES_LN, without_blocks):
        meter = Meter(*without(), most=60, conformance=conformance)
        meter.rights.allow_method(NAME, 1, AccessMode.READ)
        meter.register.put("value", OTHER)
        answer, _ = meter.ask(DOING["action"], ONE_PASS)
        assert answer == bytes.fromhex("D80104")
        assert meter.register.stored(2) == OTHER


def test_a_right_never_makes_an_answer_too_long_for_what_was_done_before():
    meter = Meter(*without(), most=60)
    meter.rights.allow(NAME, 2, SIGNED)
    items = tuple(CosemAttributeDescriptorWithSelection(each) for each in (FREE_ATTRIBUTE, ATTRIBUTE))
    answer, _ = meter.ask(SetRequestWithList(ID, items, (OctetString(b"NEW"), OTHER)), SecurityOptions())
    assert decode(answer).result == (DataAccessResult.SUCCESS, DataAccessResult.SCOPE_OF_ACCESS_VIOLATED)
    assert meter.register.stored(2) == VALUE


class _Lost(VolatileCounterStore):
    """A store whose disk is full."""

    def reserve(self, name, count, least=0):
        raise SecurityError("no room is left on the device")


def test_a_counter_that_is_reserved_ahead_reserves_before_it_says_yes():
    name = CounterName(b"k", b"MMM00001")
    with pytest.raises(SecurityError):
        check_numbers(ReservedCounter(_Lost(), name), 1)
    store = VolatileCounterStore()
    counter = ReservedCounter(store, name)
    counter.next()
    check_numbers(counter, 30)
    assert [counter.next() for _ in range(40)] == list(range(1, 41))
    counter.raise_to(LAST_COUNTER - 1)
    check_numbers(counter, 2)
    with pytest.raises(CounterExhausted):
        check_numbers(counter, 3)
    assert [counter.next(), counter.next()] == [LAST_COUNTER - 1, LAST_COUNTER]
    with pytest.raises(CounterExhausted):
        check_numbers(counter, 1)


@pytest.mark.parametrize(
    ("missing", "options"),
    [
        ({"peer_key_agreement": None}, STATIC),
        ({"key_agreement": None}, STATIC),
        ({"peer_key_agreement": None}, ONE_PASS),
        ({"signing": None}, ONE_PASS),
        ({"master": None}, WRAPPED),
        ({"broadcast": None}, SecurityOptions((LayerOptions(key=KeyUsed.GLOBAL_BROADCAST),))),
        ({}, SecurityOptions((LayerOptions(key=KeyUsed.DEDICATED),))),
    ],
)
def test_what_the_check_refuses_is_what_protecting_refuses(missing, options):
    meter = Meter(*without(**missing))
    protection = meter.held.protection(bytes(KEYS.client_title))
    for tried in (protection.check, lambda options: protection.protect(b"\xc5\x01\x41\x00", options)):
        with pytest.raises(SecurityError):
            tried(options)


def test_a_check_takes_no_counter():
    meter = Meter(*without())
    protection = meter.held.protection(bytes(KEYS.client_title))
    for options in (SecurityOptions(), WITH_SIGNATURE, ONE_PASS, STATIC, WRAPPED, None):
        protection.check(options)
    assert meter.held.counted().last_reserved() == 0


def test_results_that_go_in_blocks_need_no_room_for_all():
    meter = Meter(*without(), most=60)
    answer, _ = meter.ask(ActionRequestWithList(ID, (RESET,) * 40, (Integer(0),) * 40), SecurityOptions())
    assert not decode(answer).pblock.last_block
    assert not meter.untouched


@pytest.mark.parametrize("doing", [*DOING, "get"])
def test_what_was_done_is_not_told_as_refused_when_the_last_counter_goes_meanwhile(doing, monkeypatch):
    """Somebody else takes the last one while the request is served."""
    meter = Meter(*without())
    meter.leave(1)
    request = DOING.get(doing, GetRequestNormal(ID, ATTRIBUTE))
    octets = meter.protection.protect(encode(request))
    resolve = meter.device.resolve

    def slowly(association, indication):
        outcome = resolve(association, indication)
        with suppress(CounterExhausted):
            meter.held.counted().counter().next()
        return outcome

    monkeypatch.setattr(meter.device, "resolve", slowly)
    assert process(meter.device, meter.association, octets) == (NOT_PROTECTED if doing == "get" else None)
    assert meter.untouched is (doing == "get")
