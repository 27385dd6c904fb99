from __future__ import annotations

import json

import pytest
from hypothesis import given

from cosem.association.client.parameters import ALL_SERVICES_LN
from cosem.client.security import HighGmac
from cosem.codec.data import decode_data, encode_data
from cosem.errors import AssociationRefused, ConfigurationError, ConversionError, TransportTimeout
from cosem.security.counters import VolatileCounterStore
from cosem.server import (
    AccessRights,
    DataObject,
    HeldSecurity,
    LogicalDevice,
    demonstration_meter,
    secured_profile,
    security_setup_object,
)
from cosem.store.memory_keys import MemoryKeyStore
from cosem.testing.memory import DeviceChannel, connected
from cosem.testing.strategies import alike, values
from cosem.testing.vectors import load
from cosem.types.data import OctetString, Unsigned
from cosem.types.enumerations import AuthenticationMechanism, Conformance
from tests.client.secured import KEYS


def device(*, sap=1, **association):
    made = LogicalDevice("ABC0000000000001", sap=sap, objects=[DataObject("0-0:96.1.0", value=Unsigned(7))])
    made.add_association(16, AccessRights.full(), **association)
    return made


def test_a_long_profile_is_read_in_blocks_without_a_network():
    with connected(demonstration_meter(), max_pdu_size=256) as meter:
        rows = meter.profile("1-0:99.1.0").read(entries=(1, 96))
    assert len(rows) == 96


@pytest.mark.parametrize(
    "facts", [{}, {"conformance": ALL_SERVICES_LN & ~Conformance.GENERAL_BLOCK_TRANSFER}]
)
def test_a_value_of_a_thousand_blocks_is_not_late(facts):
    made = device(**facts)
    long = OctetString(bytes(range(256)) * 250)
    made["0-0:96.1.0"].put("value", long)
    with connected(made, max_pdu_size=64) as meter:
        assert meter.get("0-0:96.1.0") == long


def test_every_kind_of_association():
    with connected(device(secret="12345678"), password="12345678") as meter:
        meter.set("0-0:96.1.0", 2, Unsigned(8))
        assert meter.get("0-0:96.1.0") == 8
    with connected(device(short_names=True), short_names=True) as meter:
        assert meter.get("0-0:96.1.0") == 7
    with connected(device(), device(sap=17), server=17) as meter:
        assert meter.parameters.server_sap == 17
    with pytest.raises(AssociationRefused, match="authentication-failure"):
        connected(device(secret="12345678"), password="87654321")


def test_handlers_may_be_asynchronous():
    made = device()

    @made["0-0:96.1.0"].getter("value")
    async def value():
        return Unsigned(9)

    with connected(made) as meter:
        assert meter.get("0-0:96.1.0") == 9


def test_a_silent_device_is_a_time_out_at_once():
    channel = DeviceChannel([device()])
    channel.silent = True
    channel.send(b"\0")
    with pytest.raises(TransportTimeout):
        channel.receive(3600)


@given(values)
def test_values_are_values(value):
    assert alike(decode_data(encode_data(value)), value)


def test_vectors_of_either_form(tmp_path):
    entries = [{"id": "a", "hex": "00 FF"}, {"code": "b", "key": "0102"}]
    for content in (entries, {"comment": "", "vectors": entries}):
        file = tmp_path / "vectors.json"
        file.write_text(json.dumps(content))
        first, second = load(file)
        assert (first.id, first.octets, second.id, second.hex("key")) == ("a", b"\0\xff", "b", b"\1\2")
        assert second.get("absent") is None


@pytest.mark.parametrize("content", ["[1]", "{}", '[{"id": "a", "hex": "0"}]', "3", '[{"hex": "00"}]'])
def test_what_holds_no_vectors_is_refused(content, tmp_path):
    file = tmp_path / "vectors.json"
    file.write_text(content)
    with pytest.raises(ConversionError, match="holds no vectors"):
        load(file)


def test_octets_given_to_a_device_are_values_of_the_class():
    assert OctetString(b"ABC0000000000001") == connected(device()).get("0-0:42.0.0")


def test_keys_are_rotated_and_the_association_is_opened_anew():
    held = HeldSecurity(KEYS, counters=VolatileCounterStore())
    made = LogicalDevice(
        "ABC0000000000001",
        objects=[DataObject("0-0:96.1.0", value=Unsigned(7)), security_setup_object(held)],
    )
    profile = secured_profile(AuthenticationMechanism.HLS_GMAC, held, client_sap=1)
    made.add_association(profile, AccessRights.full())
    security = HighGmac(KEYS, counters=VolatileCounterStore())
    meter = connected(made, client=1, security=security)
    assert meter.security is security
    meter.keys.rotate("encryption", store=MemoryKeyStore())
    assert held.keys.encryption != KEYS.encryption
    assert meter.get("0-0:96.1.0") == 7
    meter.reopen()
    assert meter.get("0-0:96.1.0") == 7
    assert meter.keys.present.encryption == held.keys.encryption


def test_without_security_there_are_no_keys():
    meter = connected(device())
    assert meter.security is None
    with pytest.raises(ConfigurationError, match="without keys"):
        _ = meter.keys.present
