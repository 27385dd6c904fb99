"""Methods under protection of the data: what is required is there before anything is executed, and of whom it is."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import replace
from inspect import isawaitable

import pytest

from cosem.association.server.indications import MethodOutcome, ReadAttribute
from cosem.association.server.profile import AssociationProfile
from cosem.codec.data import decode_data, encode_data
from cosem.errors import VerificationError
from cosem.security.counters import VolatileCounterStore
from cosem.security.data_protection import DataLayer
from cosem.security.key_material import Key, PrivateKey, PublicKey
from cosem.security.material import material_of
from cosem.security.requests import public_key_of
from cosem.security.status import GeneralHeader, KeyUsed
from cosem.security.suites import SecuritySuite
from cosem.server import AccessRights, DataProtectionObject, HeldSecurity, LogicalDevice, RegisterObject
from cosem.store.counted_keys import CountedKeys
from cosem.store.protected_data import DataProtector, layers_from_data, layers_to_data
from cosem.types.data import Array, DoubleLongUnsigned, Enum, Integer, LongUnsigned, OctetString, Structure
from cosem.types.enumerations import ActionResult, DataAccessResult
from cosem.types.logical_name import LogicalName
from tests.client.secured import pairs
from tests.server.driver import opened

SUITE = SecuritySuite(1)
NAME = LogicalName("1.0.1.8.0.255")
THIRD = b"MMM00003"
K = KeyUsed
REQUEST_AUTHENTICATED, REQUEST_SIGNED, RESPONSE_AUTHENTICATED, RESPONSE_ENCRYPTED = 0x04, 0x10, 0x20, 0x40


def keys():
    """Return the keys of both, with key agreement and a group."""
    agreeing = PrivateKey(bytes([0x51]) * 32), PrivateKey(bytes([0x52]) * 32)
    of_both = []
    for of_one, own, other in zip(pairs(SUITE), agreeing, reversed(agreeing), strict=True):
        public = PublicKey(public_key_of(SUITE, other))
        group = Key(bytes(range(200, 216)))
        of_both.append(replace(of_one, key_agreement=own, peer_key_agreement=public, broadcast=group))
    return of_both


OF_CLIENT, OF_METER = keys()
CLIENT, METER = bytes(OF_CLIENT.client_title), bytes(OF_CLIENT.server_title)


class Register(RegisterObject):
    """A register that counts how often one of its methods was called."""

    resets = 0

    def call(self, number, parameters=None, association=None):
        type(self).resets += 1
        return MethodOutcome(ActionResult.SUCCESS, OctetString(b"top secret"))


class Meter:
    """A meter with a Data protection object, and what a client sends to it.

    Args:
        required: required_protection.
    """

    def __init__(self, required=0):
        self.held = HeldSecurity(OF_METER, counters=VolatileCounterStore())
        self.object = DataProtectionObject(self.held, required_protection=Enum(required))
        Register.resets = 0
        self.register = Register(NAME, value=DoubleLongUnsigned(7), scaler_unit=(0, 30))
        self.device = device = LogicalDevice("MMM12345678", objects=[self.object, self.register])
        device.add_association(AssociationProfile(client_sap=16), AccessRights.full())
        self.association = opened(device)

    @property
    def resets(self):
        return Register.resets

    def invoke(self, octets, layers):
        """Return what invoke_protected_method answers."""
        method = Structure((LongUnsigned(3), OctetString(bytes(NAME)), Integer(1)))
        return self.call(3, Structure((method, layers_to_data(layers), OctetString(octets))))

    def call(self, number, parameters):
        return finished(self.object.call(number, parameters, self.association))


def finished(outcome):
    async def wait():
        return await outcome

    return asyncio.run(wait()) if isawaitable(outcome) else outcome


def client(of=OF_CLIENT, title=CLIENT):
    counted = CountedKeys(of, title, VolatileCounterStore())
    return DataProtector(counted, material_of(of), secrets.token_bytes)


def protected(*layers, by=None):
    to_meter = [replace(each, header=replace(each.header, recipient=METER)) for each in layers]
    return (by or client()).protect(encode_data(Integer(0)), to_meter)


@pytest.mark.parametrize(
    ("required", "sent"),
    [
        (REQUEST_AUTHENTICATED | RESPONSE_ENCRYPTED, DataLayer(0)),
        (RESPONSE_AUTHENTICATED, DataLayer(3, key=K.SIGNING)),
    ],
)
def test_an_answer_with_less_than_is_required_is_never_made(required, sent):
    meter, by = Meter(required), client()
    assert meter.invoke(*protected(sent, by=by)).result is ActionResult.SCOPE_OF_ACCESS_VIOLATED
    assert meter.resets == 0
    assert meter.invoke(*protected(DataLayer(2), by=by)).result is ActionResult.SUCCESS
    assert meter.resets == 1


@pytest.mark.parametrize("key", [K.GLOBAL_UNICAST, K.WRAPPED, K.ONE_PASS, K.STATIC_UNIFIED])
def test_the_answer_is_for_who_asked_under_a_key_of_the_same_kind(key):
    meter, asking = Meter(REQUEST_AUTHENTICATED | RESPONSE_ENCRYPTED), client()
    outcome = meter.invoke(*protected(DataLayer(2, key=key), by=asking))
    assert (outcome.result, meter.resets) == (ActionResult.SUCCESS, 1)
    told, octets = outcome.return_parameters
    (layer,) = layers = layers_from_data(told)
    assert (layer.key, layer.header.originator, layer.header.recipient) == (key, METER, CLIENT)
    assert decode_data(asking.unprotect(bytes(octets), layers, METER)) == b"top secret"


@pytest.mark.parametrize(
    ("lost", "key"),
    [("peer_key_agreement", K.ONE_PASS), ("signing", K.ONE_PASS), ("signing", K.SIGNING)],
)
def test_nothing_is_executed_for_an_answer_that_cannot_be_made(lost, key):
    meter = Meter()
    meter.held.change_keys(**{lost: None})
    kind = 3 if key is K.SIGNING else 2
    assert meter.invoke(*protected(DataLayer(kind, key=key))).result is ActionResult.OTHER_REASON
    assert meter.resets == 0


def test_the_key_of_a_group_proves_nobody():
    member = client(replace(OF_CLIENT, encryption=Key(bytes(range(220, 236)))))
    made = protected(DataLayer(2, key=K.GLOBAL_BROADCAST), by=member)
    meter = Meter(REQUEST_AUTHENTICATED)
    assert meter.invoke(*made).result is ActionResult.SCOPE_OF_ACCESS_VIOLATED
    assert meter.resets == 0
    # Where nothing is required it is taken, and the answer goes under the key of this meter alone.
    outcome = Meter().invoke(*made)
    (layer,) = layers_from_data(outcome.return_parameters[0])
    assert (outcome.result, layer.key) == (ActionResult.SUCCESS, K.GLOBAL_UNICAST)


def test_no_answer_under_the_key_of_a_group_has_what_is_required():
    item = Structure((LongUnsigned(3), OctetString(bytes(NAME)), Integer(2), LongUnsigned(0),
                      Structure((Enum(0), None))))  # fmt: skip
    for key, result in ((K.GLOBAL_BROADCAST, ActionResult.SCOPE_OF_ACCESS_VIOLATED),
                        (K.GLOBAL_UNICAST, ActionResult.SUCCESS)):  # fmt: skip
        wanted = Structure((Array((item,)), layers_to_data((DataLayer(2, key=key),))))
        assert Meter(RESPONSE_AUTHENTICATED).call(1, wanted).result is result


def test_what_a_third_party_signed_is_no_signature_of_the_client():
    third = PrivateKey(bytes([0x33]) * 32)
    public = public_key_of(SUITE, third)
    by_third = client(replace(OF_CLIENT, signing=third), THIRD)
    octets, inner = protected(DataLayer(3, key=K.SIGNING), by=by_third)
    octets, outer = client().protect(octets, [DataLayer(2, GeneralHeader(recipient=METER))])
    for required, result in ((REQUEST_AUTHENTICATED, ActionResult.SUCCESS),
                             (REQUEST_SIGNED, ActionResult.SCOPE_OF_ACCESS_VIOLATED)):  # fmt: skip
        meter = Meter(required)
        meter.held.certificates.public_keys = lambda *_: (
            {CLIENT: bytes(OF_METER.peer_signing), THIRD: public},
            {},
        )
        assert meter.invoke(octets, (*inner, *outer)).result is result
        assert meter.resets == (result is ActionResult.SUCCESS)


def test_under_a_key_that_both_have_nobody_names_a_third_party():
    octets, layers = protected(DataLayer(2), by=client(title=THIRD))
    with pytest.raises(VerificationError, match="third party"):
        client(OF_METER, METER).unprotect(octets, layers, CLIENT)
    meter = Meter()
    object.__setattr__(meter.association, "context", replace(meter.association.context, client_title=CLIENT))
    assert meter.invoke(octets, layers).result is ActionResult.OTHER_REASON
    assert meter.resets == 0


def test_a_list_names_no_object_of_this_class():
    meter = Meter()
    buffer = Structure((LongUnsigned(30), OctetString(bytes(meter.object.logical_name)), Integer(2),
                        LongUnsigned(0), Structure((Enum(0), None))))  # fmt: skip
    assert finished(meter.object.set(3, Array((buffer,)), meter.association)) is DataAccessResult.SUCCESS
    assert (
        finished(meter.object.set(4, layers_to_data((DataLayer(),)), meter.association))
        is DataAccessResult.SUCCESS
    )
    assert finished(meter.object.get(2, None, meter.association)) is DataAccessResult.READ_WRITE_DENIED
    wanted = Structure((Array((buffer,)), layers_to_data((DataLayer(),))))
    assert meter.call(1, wanted).result is ActionResult.READ_WRITE_DENIED


def test_a_method_of_this_class_is_not_invoked_under_protection():
    meter = Meter()
    inner = Structure(
        (Structure((LongUnsigned(3), OctetString(bytes(NAME)), Integer(1))), Array(()), OctetString(b""))
    )
    protected, done = client().protect(encode_data(inner), [DataLayer(header=GeneralHeader(recipient=METER))])
    method = Structure((LongUnsigned(30), OctetString(bytes(meter.object.logical_name)), Integer(3)))
    called = meter.call(3, Structure((method, layers_to_data(done), OctetString(protected))))
    assert called.result is ActionResult.READ_WRITE_DENIED
    assert meter.resets == 0


# --- the buffer -----------------------------------------------------------------------------------------------

ENERGY = Array(
    (
        Structure(
            (
                LongUnsigned(3),
                OctetString(bytes(NAME)),
                Integer(2),
                LongUnsigned(0),
                Structure((Enum(0), None)),
            )
        ),
    )
)
CAPTURES = {
    "global": DataLayer(),
    "wrapped": DataLayer(key=K.WRAPPED),
    "one-pass": DataLayer(key=K.ONE_PASS),
    "static": DataLayer(key=K.STATIC_UNIFIED),
    "signed": DataLayer(3, key=K.SIGNING),
}


def capturing(*layers):
    """Return a meter whose buffer captures one register under layers."""
    meter = Meter()
    told = layers_to_data([replace(each, header=replace(each.header, recipient=CLIENT)) for each in layers])
    for number, value in ((3, ENERGY), (4, told)):
        assert finished(meter.object.set(number, value, meter.association)) is DataAccessResult.SUCCESS
    return meter


def asked(meter, number):
    return finished(
        meter.device.read(meter.association, ReadAttribute(30, meter.object.logical_name, number))
    )


@pytest.mark.parametrize("transaction", [b"", b"\0" * 7 + b"\1"], ids=["ours", "of the client"])
@pytest.mark.parametrize("how", CAPTURES)
def test_the_buffer_is_opened_with_the_parameters_beside_it(how, transaction):
    layer = replace(CAPTURES[how], header=GeneralHeader(transaction_id=transaction))
    meter = capturing(layer)
    octets, told = bytes(asked(meter, 2)), layers_from_data(asked(meter, 4))
    assert [each.header.originator for each in told] == [METER]
    assert decode_data(client().unprotect(octets, told, METER)) == (DoubleLongUnsigned(7),)


@pytest.mark.parametrize("how", CAPTURES)
def test_each_capture_has_parameters_of_its_own(how):
    meter, reading = capturing(CAPTURES[how]), client()
    for value in (7, 8, 9):
        meter.register.put("value", value)
        octets, told = bytes(asked(meter, 2)), layers_from_data(asked(meter, 4))
        assert decode_data(reading.unprotect(octets, told, METER)) == (DoubleLongUnsigned(value),)
    assert told[0].header.transaction_id != b""


def test_parameters_that_are_written_hold_for_the_captures_after_it():
    meter = capturing(CAPTURES["wrapped"])
    asked(meter, 2)
    other = layers_to_data((DataLayer(header=GeneralHeader(recipient=CLIENT)),))
    assert finished(meter.object.set(4, other, meter.association)) is DataAccessResult.SUCCESS
    assert asked(meter, 4) == other
    octets, (told,) = bytes(asked(meter, 2)), layers_from_data(asked(meter, 4))
    assert told.key is K.GLOBAL_UNICAST
    assert decode_data(client().unprotect(octets, (told,), METER)) == (DoubleLongUnsigned(7),)


def test_all_attributes_at_once_have_the_parameters_of_their_buffer():
    meter = capturing(CAPTURES["wrapped"])
    asked(meter, 2)
    _, octets, _, told, *_ = asked(meter, 0)
    assert decode_data(client().unprotect(bytes(octets), layers_from_data(told), METER)) == (
        DoubleLongUnsigned(7),
    )


def test_a_capture_that_is_refused_leaves_the_parameters():
    meter = capturing(DataLayer(key=K.GLOBAL_UNICAST))
    before = asked(meter, 4)
    meter.held.change_keys(encryption=None)
    assert asked(meter, 2) is DataAccessResult.OTHER_REASON
    assert asked(meter, 4) == before
