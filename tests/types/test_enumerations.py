"""Codes with names, codes without, and the conformance block."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosem.errors import ConversionError
from cosem.types import enumerations
from cosem.types.enumerations import ApplicationContext, Conformance, DataAccessResult, describe_service_error

OPEN = [
    enumerations.AcseServiceProviderDiagnostic,
    enumerations.AcseServiceUserDiagnostic,
    enumerations.ActionResult,
    enumerations.ApplicationContext,
    enumerations.AssociationResult,
    enumerations.AssociationStatus,
    enumerations.AuthenticationMechanism,
    enumerations.ConfirmedServiceErrorChoice,
    enumerations.DataAccessResult,
    enumerations.ReleaseRequestReason,
    enumerations.ReleaseResponseReason,
    enumerations.ServiceErrorCode,
    enumerations.ServiceErrorGroup,
    enumerations.StateErrorCode,
]


@pytest.mark.parametrize("kind", OPEN)
def test_every_octet_is_a_member(kind: type[DataAccessResult]) -> None:
    for value in range(256):
        member = kind(value)
        assert member == value
        assert type(member) is kind
        assert kind(value) is member
        assert pickle.loads(pickle.dumps(member)) is member


@pytest.mark.parametrize("kind", OPEN)
@pytest.mark.parametrize("value", [-1, 256, "success", None])
def test_what_is_no_octet_is_refused(kind: type[DataAccessResult], value: object) -> None:
    with pytest.raises(ValueError):
        kind(value)


def test_an_unknown_code_keeps_its_number() -> None:
    unknown = DataAccessResult(77)
    assert (unknown.name, int(unknown), str(unknown)) == ("UNKNOWN_77", 77, "unknown-77")
    assert unknown not in list(DataAccessResult)


def test_known_codes_print_as_in_the_standard() -> None:
    assert str(DataAccessResult.OBJECT_UNDEFINED) == "object-undefined"
    assert str(enumerations.AcseServiceUserDiagnostic(3)) == "calling-ap-title-not-recognized"


@pytest.mark.parametrize(
    ("group", "error", "text"),
    [
        (6, 1, "initiate: dlms-version-too-low"),
        (0, 6, "application-reference: deciphering-error"),
        (3, 2, "service: service-unsupported"),
        (6, 99, "initiate: value 99"),
        (200, 1, "unknown-200: value 1"),
    ],
)
def test_service_error_in_words(group: int, error: int, text: str) -> None:
    assert describe_service_error(group, error) == text


@pytest.mark.parametrize(
    ("number", "short_names", "ciphered"),
    [(1, False, False), (2, True, False), (3, False, True), (4, True, True)],
)
def test_application_contexts(number: int, short_names: bool, ciphered: bool) -> None:
    context = ApplicationContext(number)
    assert (context.short_names, context.ciphered) == (short_names, ciphered)


@pytest.mark.parametrize(
    ("octets", "bits"),
    [
        ("007E1F", [*range(9, 15), *range(19, 24)]),
        ("00501F", [9, 11, *range(19, 24)]),
        ("007C1F", [*range(9, 14), *range(19, 24)]),
        ("1C0320", [3, 4, 5, 14, 15, 18]),
    ],
)
def test_conformance_of_the_worked_examples(octets: str, bits: list[int]) -> None:
    block = Conformance.from_octets(bytes.fromhex(octets))
    assert sum(1 << (23 - bit) for bit in bits) == block
    assert len(block.names()) == len(bits)
    assert block.to_octets().hex().upper() == octets


def test_conformance_names_are_those_of_the_standard() -> None:
    assert Conformance(0x1C0320).names() == (
        "read",
        "write",
        "unconfirmed-write",
        "multiple-references",
        "information-report",
        "parameterized-access",
    )


@given(st.integers(0, 0xFFFFFF))
def test_every_conformance_block_survives(number: int) -> None:
    block = Conformance(number)
    assert Conformance.from_octets(block.to_octets()) == block
    assert len(block.names()) == number.bit_count()


@pytest.mark.parametrize("octets", [b"", b"\x00\x00", b"\x00\x00\x00\x00"])
def test_a_conformance_block_has_three_octets(octets: bytes) -> None:
    with pytest.raises(ConversionError):
        Conformance.from_octets(octets)
