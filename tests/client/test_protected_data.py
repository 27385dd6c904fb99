"""Data under protection of its own: both sides agree, and nothing is taken that is not genuine."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import replace

import pytest

import cosem
from cosem.errors import (
    ActionError,
    ConfigurationError,
    CosemError,
    KeyMissingError,
    PolicyError,
    ReplayError,
    VerificationError,
)
from cosem.security.counters import VolatileCounterStore
from cosem.security.data_protection import DataLayer
from cosem.security.key_material import Key, PublicKey
from cosem.security.material import material_of
from cosem.security.requests import public_key_of
from cosem.security.status import GeneralHeader, KeyUsed
from cosem.security.suites import SecuritySuite
from cosem.server import DataProtectionObject
from cosem.server.threads import serve_in_thread
from cosem.store.counted_keys import CountedKeys
from cosem.store.protected_data import DataProtector, layers_from_data, layers_to_data
from cosem.types.data import Array, DoubleLongUnsigned, Enum, OctetString, Structure
from tests.client.secured import SERIAL, SecuredMeter, pairs, security

SUITE = SecuritySuite(1)
ITEMS = [(1, "0.0.96.1.0.255", 2), (1, "0.0.96.1.1.255", 2)]


def keys():
    """Return the keys of both, with key agreement."""
    client, meter = pairs(SUITE)

    def public(private):
        return PublicKey(public_key_of(SUITE, private))

    client = replace(client, key_agreement=client.signing)
    meter = replace(meter, key_agreement=meter.signing)
    return (
        replace(client, peer_key_agreement=public(meter.key_agreement)),
        replace(meter, peer_key_agreement=public(client.key_agreement)),
    )


OF_CLIENT, OF_METER = keys()
CLIENT, METER = bytes(OF_CLIENT.client_title), bytes(OF_CLIENT.server_title)
TO_METER, TO_CLIENT = GeneralHeader(recipient=METER), GeneralHeader(recipient=CLIENT)


@pytest.fixture
def meter():
    served = SecuredMeter(OF_METER)
    served.device.add(DataProtectionObject(served.held))
    return served


@pytest.fixture
def client(meter):
    with (
        serve_in_thread(meter.device) as url,
        cosem.connect(url, client=1, security=security(OF_CLIENT)) as made,
    ):
        yield made


def layers(header):
    signature = DataLayer(3, header, KeyUsed.SIGNING)
    return {
        "tag": (DataLayer(0, header),),
        "both": (DataLayer(2, header),),
        "signature": (signature,),
        "wrapped key": (DataLayer(2, header, KeyUsed.WRAPPED),),
        "C(1e,1s)": (DataLayer(2, header, KeyUsed.ONE_PASS),),
        "C(0e,2s)": (DataLayer(2, header, KeyUsed.STATIC_UNIFIED),),
        "ciphered, then signed": (DataLayer(2, header), signature),
        "signed, then ciphered": (signature, DataLayer(2, header, KeyUsed.WRAPPED)),
        "encrypted and signed": (DataLayer(1, header), signature),
    }


@pytest.mark.parametrize("how", layers(TO_METER))
def test_attributes_are_read_and_written(meter, client, how):
    assert client.protected_data.read(ITEMS, layers(TO_CLIENT)[how]) == [SERIAL, 5]
    client.protected_data.write(ITEMS[1:], [DoubleLongUnsigned(8)], layers(TO_METER)[how])
    assert meter.device["0.0.96.1.1.255"].stored(2) == 8


@pytest.mark.parametrize("how", layers(GeneralHeader()))
def test_who_is_meant_needs_not_be_said(meter, client, how):
    nobody = layers(GeneralHeader())[how]
    assert client.protected_data.read(ITEMS, nobody) == [SERIAL, 5]
    client.protected_data.write(ITEMS[1:], [DoubleLongUnsigned(8)], nobody)
    assert meter.device["0.0.96.1.1.255"].stored(2) == 8


def test_the_same_from_an_event_loop(meter):
    async def both(url):
        async with cosem.connect_async(url, client=1, security=security(OF_CLIENT)) as client:
            await client.protected_data.write(ITEMS[1:], [DoubleLongUnsigned(9)])
            return await client.protected_data.read(ITEMS)

    with serve_in_thread(meter.device) as url:
        assert asyncio.run(both(url)) == [SERIAL, 9]


def test_a_method_is_called_with_a_protected_parameter(meter, client):
    from cosem.codec.data import decode_data, encode_data
    from cosem.types.data import Integer, LongUnsigned

    protector = client.security.data_protector(lambda size: bytes(range(size)))
    octets, done = protector.protect(encode_data(Enum(0xFC)), (DataLayer(),))
    method = Structure((LongUnsigned(64), OctetString(bytes.fromhex("00002B0000FF")), Integer(1)))
    told, protected = client.call(
        "0.0.43.2.0.255", 3, Structure((method, layers_to_data(done), OctetString(octets))), class_id=30
    )
    assert decode_data(protector.unprotect(bytes(protected), layers_from_data(told))) is None


def test_the_buffer_captures_and_releases(meter, client):
    target = "0.0.43.2.0.255"
    proxy = client.protected_data
    listed = proxy._request(ITEMS[1:], ())[0]
    client.set(target, 3, listed, class_id=30)
    client.set(target, 4, layers_to_data((DataLayer(),)), class_id=30)
    octets = bytes(client.get(target, 2, class_id=30))
    told = layers_from_data(client.get(target, 4, class_id=30))
    protector = client.security.data_protector(bytes)
    assert protector.unprotect(octets, told, METER) == bytes.fromhex("0201" + "0600000005")
    sent, done = protector.protect(bytes.fromhex("0201" + "0600000011"), (DataLayer(),))
    client.set(target, 5, layers_to_data(done), class_id=30)
    client.set(target, 2, OctetString(sent), class_id=30)
    assert meter.device["0.0.96.1.1.255"].stored(2) == 17
    with pytest.raises(CosemError):
        client.set(target, 2, OctetString(sent), class_id=30)  # a second time


def test_what_is_not_genuine_changes_nothing(meter, client):
    made = client.protected_data._writing(ITEMS[1:], [DoubleLongUnsigned(66)], (DataLayer(2, TO_METER),))
    listed, told, octets = made
    for index in range(len(octets)):
        wrong = OctetString(octets[:index] + bytes([octets[index] ^ 0x40]) + octets[index + 1 :])
        with pytest.raises(ActionError):
            client.call("0.0.43.2.0.255", 2, Structure((listed, told, wrong)), class_id=30)
    other = layers_to_data((replace(layers_from_data(told)[0], header=GeneralHeader(b"x", CLIENT, METER)),))
    for parameters in (other, Array(()), layers_to_data((DataLayer(0, GeneralHeader(b"1", CLIENT)),)),
                       layers_to_data((DataLayer(2, GeneralHeader(b"1", METER)),))):  # fmt: skip
        with pytest.raises(ActionError):
            client.call("0.0.43.2.0.255", 2, Structure((listed, parameters, octets)), class_id=30)
    assert meter.device["0.0.96.1.1.255"].stored(2) == 5
    client.call("0.0.43.2.0.255", 2, made, class_id=30)
    with pytest.raises(ActionError):
        client.call("0.0.43.2.0.255", 2, made, class_id=30)


OLD_KEYS = ("wrapped key", "C(1e,1s)", "C(0e,2s)", "signature", "signed, then ciphered")


@pytest.mark.parametrize("how", layers(TO_METER))
def test_data_is_taken_once_also_after_a_restart(how):
    counters, octets = VolatileCounterStore(), b"\x11\x07"
    protected, done = sending(OF_CLIENT, VolatileCounterStore()).protect(octets, layers(TO_METER)[how])
    assert sending(OF_METER, counters).unprotect(protected, done) == octets
    with pytest.raises((ReplayError, VerificationError), match="before"):
        sending(OF_METER, counters).unprotect(protected, done)


@pytest.mark.parametrize("how", OLD_KEYS)
def test_a_change_of_the_global_key_makes_no_old_data_acceptable(how):
    store, counters = VolatileCounterStore(), VolatileCounterStore()
    first, told = sending(OF_CLIENT, store).protect(b"\x11\x01", layers(TO_METER)[how])
    sending(OF_METER, counters).unprotect(first, told)
    changed = {"encryption": Key(b"another key, new")}
    of_client, of_meter = replace(OF_CLIENT, **changed), replace(OF_METER, **changed)
    with pytest.raises((ReplayError, VerificationError)):
        sending(of_meter, counters).unprotect(first, told)
    second, again = sending(of_client, store).protect(b"\x11\x02", layers(TO_METER)[how])
    assert sending(of_meter, counters).unprotect(second, again) == b"\x11\x02"
    assert told[0].header.transaction_id != again[0].header.transaction_id


def test_signed_data_without_an_order_is_refused():
    for transaction_id in (b"\0" * 9, b"more than eight"):
        made = GeneralHeader(transaction_id, recipient=METER)
        protected, done = sending(OF_CLIENT, VolatileCounterStore()).protect(
            b"\x11\x07", (DataLayer(3, made),)
        )
        with pytest.raises(VerificationError, match="transaction-id of"):
            sending(OF_METER, VolatileCounterStore()).unprotect(protected, done)


def test_a_counter_that_nobody_vouches_for_does_not_stand_for_the_order_of_signatures():
    """Encryption without a tag around a signature: whoever knows a key stream can put another counter there."""
    counters, store = VolatileCounterStore(), VolatileCounterStore()
    both = (DataLayer(3, TO_METER), DataLayer(1, TO_METER))
    protected, done = sending(OF_CLIENT, store).protect(b"\x11\x07", both)
    clear, known = (b"\x11\x07" + bytes(64)), (DataLayer(2, TO_METER),)
    meter = sending(OF_METER, counters)
    assert meter.unprotect(protected, done) == b"\x11\x07"
    # The same signature under a later counter, as with a key stream that became known.
    inner, _ = sending(OF_CLIENT, store).protect(clear, known)
    stream = bytes(a ^ b for a, b in zip(inner[5:], clear, strict=False))
    opened = bytes(a ^ b for a, b in zip(protected[5:], _stream(protected, OF_CLIENT), strict=True))
    forged = protected[:1] + inner[1:5] + bytes(a ^ b for a, b in zip(opened, stream, strict=False))
    with pytest.raises(VerificationError, match="signed data"):
        meter.unprotect(forged, done)


def _stream(protected, keys):
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    start = bytes(keys.client_title) + protected[1:5] + b"\0\0\0\2"
    encryptor = Cipher(algorithms.AES(keys.encryption.octets), modes.CTR(start)).encryptor()
    return encryptor.update(bytes(len(protected) - 5))


def sending(keys, counters):
    """Return what protects and unprotects, as a process does that has just begun."""
    server = keys is not OF_CLIENT and keys.signing == OF_METER.signing
    title = keys.server_title if server else keys.client_title
    counted = CountedKeys(keys, bytes(title), counters)
    return DataProtector(counted, material_of(keys, server=server), secrets.token_bytes)


def test_less_than_is_required_fails(meter, client):
    meter.device["0.0.43.2.0.255"].put(
        "required_protection", Enum(0x10 | 0x20)
    )  # signed requests, tags in answers
    with pytest.raises(ActionError, match="scope-of-access"):
        client.protected_data.write(ITEMS[1:], [DoubleLongUnsigned(1)])
    client.protected_data.write(ITEMS[1:], [DoubleLongUnsigned(1)], (DataLayer(3, key=KeyUsed.SIGNING),))
    with pytest.raises(ActionError, match="scope-of-access"):
        client.protected_data.read(ITEMS, (DataLayer(3, key=KeyUsed.SIGNING),))
    assert client.protected_data.read(ITEMS, (DataLayer(0),)) == [SERIAL, 1]


def test_rights_hold_for_what_is_listed(meter, client):
    from cosem.server import AccessMode

    meter.entry.rights.allow("0.0.96.1.1.255", 2, AccessMode.READ)
    with pytest.raises(ActionError, match="read-write-denied"):
        client.protected_data.write(ITEMS[1:], [DoubleLongUnsigned(1)])
    with pytest.raises(ActionError, match="object-undefined"):
        client.protected_data.read([(1, "1.2.3.4.5.255", 2)])
    with pytest.raises(ConfigurationError, match="values for"):
        client.protected_data.write(ITEMS, [])


def test_an_answer_that_was_changed_on_its_way_is_not_delivered(meter, client):
    proxy = client.protected_data
    wanted = (DataLayer(2, TO_CLIENT),)
    told, octets = client.call("0.0.43.2.0.255", 1, proxy._request(ITEMS, wanted), class_id=30)
    for index in range(len(octets)):
        wrong = OctetString(octets[:index] + bytes([octets[index] ^ 1]) + octets[index + 1 :])
        with pytest.raises(CosemError):
            proxy._values(Structure((told, wrong)), ITEMS, wanted)
    with pytest.raises(CosemError):
        proxy._values(Structure((told, octets)), ITEMS, (DataLayer(0),))
    assert proxy._values(Structure((told, octets)), ITEMS, wanted) == [SERIAL, 5]
    with pytest.raises(ReplayError):
        proxy._values(Structure((told, octets)), ITEMS, wanted)
    for rubbish in (None, Structure((told,)), Structure((told, Enum(1)))):
        with pytest.raises(CosemError):
            proxy._values(rubbish, ITEMS, wanted)


def test_layers_that_make_no_sense():
    with pytest.raises(ConfigurationError):
        DataLayer(4)
    with pytest.raises(ConfigurationError):
        DataLayer(2, key=KeyUsed.DEDICATED)
    protector = security(OF_CLIENT).data_protector(bytes)
    for wrong, error in (
        ((), PolicyError),
        ((DataLayer(1),), PolicyError),
        ((DataLayer(2),) * 4, CosemError),
        ((DataLayer(2, GeneralHeader(originator=METER)),), ConfigurationError),
        ((DataLayer(2, key=KeyUsed.GLOBAL_BROADCAST),), KeyMissingError),
    ):
        with pytest.raises(error):
            protector.protect(b"\x00", wrong)
    for parameters in (None, [1], Array((Enum(1),)), Structure((Structure((Enum(2), Structure(()))),))):
        with pytest.raises(ConfigurationError):
            layers_from_data(parameters)
    assert VolatileCounterStore is not None


def test_an_answer_is_under_the_key_that_was_asked_for_and_of_the_meter_alone(meter, client):
    proxy = client.protected_data
    group = {"broadcast": Key(bytes(range(200, 216)))}
    proxy._base.security.keys = replace(OF_CLIENT, **group)
    clear = bytes.fromhex("0202" + "0908" + SERIAL.hex() + "0600000005")

    def answer(layer, title):
        keys = replace(OF_METER, **group)
        member = DataProtector(
            CountedKeys(keys, title, VolatileCounterStore()), material_of(keys), secrets.token_bytes
        )
        octets, done = member.protect(clear, (layer,))
        return Structure((layers_to_data(done), OctetString(octets)))

    with pytest.raises(cosem.errors.ProtocolError, match="another way"):
        proxy._values(
            answer(DataLayer(2, TO_CLIENT, KeyUsed.GLOBAL_BROADCAST), b"EVILMETR"), ITEMS, (DataLayer(),)
        )
    with pytest.raises(VerificationError, match="another one than the meter"):
        proxy._values(answer(DataLayer(2, TO_CLIENT), b"EVILMETR"), ITEMS, (DataLayer(),))
    with pytest.raises(ConfigurationError, match="broadcast"):
        proxy.read(ITEMS, (DataLayer(2, TO_CLIENT, KeyUsed.GLOBAL_BROADCAST),))
    assert proxy._values(answer(DataLayer(2, TO_CLIENT), METER), ITEMS, (DataLayer(),)) == [SERIAL, 5]
