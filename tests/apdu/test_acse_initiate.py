"""The APDUs that ACSE carries or that come in its place, as the vectors of acse.json state them."""

from __future__ import annotations

from typing import Any

import pytest

from cosem import apdu
from cosem.apdu.failure import ConfirmedServiceError, ExceptionResponse
from cosem.apdu.initiate import InitiateRequest, InitiateResponse
from cosem.codec.ber import object_identifier_from_text, object_identifier_text
from cosem.errors import DecodeError
from cosem.types.enumerations import ApplicationContext, AuthenticationMechanism, service_error_name
from tests.vectors import Vector, load, vector

KINDS = {0x01: InitiateRequest, 0x08: InitiateResponse, 0x0E: ConfirmedServiceError, 0xD8: ExceptionResponse}
ACSE = (0x60, 0x61, 0x62, 0x63)
VECTORS = [
    pytest.param(each, id=each.id) for each in load("acse") if each.octets and each.octets[0] not in ACSE
]
NAMES = {
    "dedicated_key": ("dedicated_key",),
    "response_allowed": ("response_allowed",),
    "qos": ("proposed_quality_of_service", "negotiated_quality_of_service"),
    "version": ("proposed_dlms_version_number", "negotiated_dlms_version_number"),
    "conformance": ("proposed_conformance", "negotiated_conformance"),
    "client_max_receive_pdu_size": ("client_max_receive_pdu_size",),
    "server_max_receive_pdu_size": ("server_max_receive_pdu_size",),
    "vaa_name": ("vaa_name",),
    "error": ("error",),
    "state_error": ("state_error",),
    "service_error": ("service_error",),
    "value": ("invocation_counter",),
}


def said(name: str, value: Any, found: Any) -> Any:
    """Return what the vector says, in the type of what was found."""
    if name == "vaa_name":
        return int(value, 16)
    if name == "conformance":
        return type(found).from_octets(bytes.fromhex(value))
    return bytes.fromhex(value) if name == "dedicated_key" and value else value


@pytest.mark.parametrize("vector", VECTORS)
def test_a_vector_means_what_it_states_and_comes_back(vector: Vector) -> None:
    value = apdu.decode(vector.octets, strict=True)
    assert type(value) is KINDS[vector.octets[0]]
    assert apdu.encode(value) == vector.octets
    for name, meaning in vector["fields"].items():
        (attribute,) = (each for each in NAMES[name] if hasattr(value, each))
        found = getattr(value, attribute)
        if isinstance(value, ConfirmedServiceError):
            assert service_error_name(value.error_group, value.error).lower() == meaning.lower()
            continue
        assert found == said(name, meaning, found), name


@pytest.mark.parametrize("vector", VECTORS)
def test_every_strict_prefix_is_refused(vector: Vector) -> None:
    for size in range(len(vector.octets)):
        for findings in (None, []):
            with pytest.raises(DecodeError) as caught:
                apdu.decode(vector.octets[:size], findings=findings)
            assert 0 <= caught.value.offset <= size


def test_every_vector_is_here_or_among_the_acse_apdus() -> None:
    without_octets = {each.id for each in load("acse") if not each.octets}
    assert without_octets == {"oids"}
    assert {each.octets[0] for each in load("acse") if each.octets} == {*KINDS, *ACSE}


def test_the_registered_names_both_ways() -> None:
    registered = vector("acse", "oids")["values"]
    assert len(registered) == 16
    for text, octets in registered.items():
        assert object_identifier_from_text(text).hex() == octets
        assert object_identifier_text(bytes.fromhex(octets)) == text
        *_, kind, number = map(int, text.split("."))
        if kind < 3:
            assert (ApplicationContext, AuthenticationMechanism)[kind - 1](number).name[:7] != "UNKNOWN"
