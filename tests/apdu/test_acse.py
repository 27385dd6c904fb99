"""AARQ, AARE, RLRQ, RLRE: the vectors both ways, what meters bend, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosem import apdu
from cosem.apdu.acse import AARE, AARQ, AUTHENTICATION, RLRE, RLRQ, AuthenticationValue
from cosem.codec.ber import encode_tlv, object_identifier_from_text
from cosem.errors import CosemError, DecodeError, EncodeError
from cosem.types.data import BitString
from cosem.types.enumerations import (
    AcseServiceProviderDiagnostic,
    AcseServiceUserDiagnostic,
    ApplicationContext,
    AssociationResult,
    AuthenticationMechanism,
    ReleaseRequestReason,
    ReleaseResponseReason,
)
from tests.vectors import Vector, load, vector

KINDS = {0x60: AARQ, 0x61: AARE, 0x62: RLRQ, 0x63: RLRE}
VECTORS = [
    pytest.param(each, id=each.id)
    for each in load("acse")
    if each.octets[:1] in (b"\x60", b"\x61", b"\x62", b"\x63")
]
DIAGNOSTICS = {
    "acse-service-user": AcseServiceUserDiagnostic,
    "acse-service-provider": AcseServiceProviderDiagnostic,
}
NAMES = {
    "mechanism": "mechanism_name",
    "initiate_request": "user_information",
    "glo_initiate_request": "user_information",
    "glo_initiate_response": "user_information",
    "calling_AP_title": "calling_ap_title",
    "responding_AP_title": "responding_ap_title",
    "calling_AE_invocation_id": "calling_ae_invocation_identifier",
    "diagnostic": "result_source_diagnostic",
}
MATERIAL = {  # of the ciphering inside, which stays closed here
    "encryption_key_GUEK",
    "authentication_key_GAK",
    "system_title",
    "invocation_counter",
    "security_control",
    "plaintext_initiate_request",
    "plaintext_initiate_response",
    "dedicated_key",
}


def stated(name: str, value: Any) -> Any:
    """Return what a field of the vector means."""
    if name == "diagnostic":
        source, number = value.split()
        return DIAGNOSTICS[source](int(number))
    if name == "application_context_name":
        return ApplicationContext(int(value.rsplit(".", 1)[1]))
    return bytes.fromhex(value) if isinstance(value, str) else value


@pytest.mark.parametrize("vector", VECTORS)
def test_vector_both_ways(vector: Vector) -> None:
    findings: list[str] = []
    value = apdu.decode(vector.octets, findings=findings)
    assert type(value) is KINDS[vector.octets[0]]
    assert findings == []
    assert apdu.encode(value) == vector.octets
    assert type(value).from_octets(vector.octets, strict=True) == value
    for name, said in vector["fields"].items():
        if name in MATERIAL:
            continue
        if name == "initiate_response":
            assert value.user_information == bytes.fromhex(said)
            continue
        found = getattr(value, NAMES.get(name, name))
        assert found == stated(name, said), name
        assert type(found) is not int or name == "calling_AE_invocation_id"


@pytest.mark.parametrize("vector", VECTORS)
def test_every_strict_prefix_is_refused(vector: Vector) -> None:
    for size in range(len(vector.octets)):
        for findings in (None, []):
            with pytest.raises(DecodeError) as caught:
                apdu.decode(vector.octets[:size], findings=findings)
            assert 0 <= caught.value.offset <= size


@pytest.mark.parametrize("vector", VECTORS)
def test_trailing_octets_are_refused_or_reported(vector: Vector) -> None:
    for trail in (b"\x00", b"\x00\x00\x00", b"\xff"):
        with pytest.raises(DecodeError) as caught:
            apdu.decode(vector.octets + trail)
        assert caught.value.offset == len(vector.octets)
        with pytest.raises(DecodeError):
            apdu.decode(vector.octets + trail, strict=True, findings=[])
        findings: list[str] = []
        assert apdu.decode(vector.octets + trail, findings=findings) == apdu.decode(vector.octets)
        assert findings == ["trailing-octets"]


AARE_OK = vector("acse", "B-aare-ln-ok").octets[2:]
CONTEXT = bytes.fromhex("A109060760857405080101")


def aarq(*fields: str) -> bytes:
    """Return an AARQ with the application context and these fields."""
    return encode_tlv(0x60, CONTEXT + bytes.fromhex("".join(fields)))


@pytest.mark.parametrize(
    ("octets", "findings", "name", "value"),
    [
        (
            encode_tlv(0x61, AARE_OK + bytes.fromhex("A4084B464D1020000001")),
            ["acse-inner-octet-string-missing"],
            "responding_ap_title",
            bytes.fromhex("4B464D1020000001"),
        ),
        (aarq("BD0141"), ["acse-field-BD-for-9D"], "implementation_information", b"A"),
        (aarq("9D0141"), [], "implementation_information", b"A"),
        (aarq("B603020101"), ["acse-unknown-field-B6"], "user_information", None),
        (aarq("940141"), ["acse-unknown-field-94"], "user_information", None),
        (aarq("A9030201C8"), ["invocation-identifier-negative"], "calling_ae_invocation_identifier", 200),
        (aarq("A904020200C8"), [], "calling_ae_invocation_identifier", 200),
        (aarq("8A020700"), [], "sender_acse_requirements", BitString.from_text("0")),
        (aarq("A403020105"), [], "called_ap_invocation_identifier", 5),
        (aarq("8B03550405"), [], "mechanism_name", bytes.fromhex("550405")),
        (
            aarq("AC0681040055AAFF"),
            [],
            "calling_authentication_value",
            AuthenticationValue(0x81, b"\x00\x55\xaa\xff"),
        ),
        (aarq("80020780"), [], "protocol_version", BitString.from_text("1")),
    ],
)
def test_what_meters_do_is_understood_and_named(
    octets: bytes, findings: list[str], name: str, value: object
) -> None:
    found: list[str] = []
    decoded = apdu.decode(octets, findings=found)
    assert found == findings
    assert getattr(decoded, name) == value
    if findings:
        with pytest.raises(DecodeError):
            apdu.decode(octets, strict=True, findings=[])


def test_fields_are_read_in_any_order_and_written_in_that_of_the_tags() -> None:
    ordered = vector("acse", "B-aarq-ln-lls").octets
    fields, rest = [], ordered[2:]
    while rest:
        size = 2 + rest[1]
        fields.append(rest[:size])
        rest = rest[size:]
    shuffled = encode_tlv(0x60, b"".join(reversed(fields)))
    assert apdu.decode(shuffled) == apdu.decode(ordered)
    assert apdu.encode(apdu.decode(shuffled)) == ordered


def test_lengths_in_long_form_are_read() -> None:
    octets = bytes.fromhex(
        "608126 A1840000000B 06820007 60857405080101 BE820011 04810E 01000000065F1F0400007E1F04B0"
    )
    assert apdu.decode(octets) == apdu.decode(vector("acse", "B-aarq-ln-none").octets)


@pytest.mark.parametrize("tag", [0x60, 0x61, 0x62, 0x63])
def test_names_of_others_are_kept(tag: int) -> None:
    del tag
    foreign = object_identifier_from_text("1.3.6.1.4.1.99999.1")
    value = AARQ(foreign, mechanism_name=foreign)
    assert apdu.decode(apdu.encode(value)) == value
    long_arc = object_identifier_from_text("2.16.756.5.8.1.300")
    assert apdu.decode(apdu.encode(AARQ(long_arc))).application_context_name == long_arc


def test_values_that_no_edition_names_are_kept() -> None:
    value = AARE(ApplicationContext(9), AssociationResult(7), AcseServiceUserDiagnostic(99))
    again = apdu.decode(apdu.encode(value))
    assert again == value
    assert again.result_source_diagnostic.name == "UNKNOWN_99"


@pytest.mark.parametrize(
    "octets",
    [
        "60",
        "6000",
        "6080A1090607608574050801010000",  # indefinite
        "6084FFFFFFFF",
        "6085FFFFFFFFFF",
        "6100",
        "610BA109060760857405080101",  # no result
        "6016A109060760857405080101A109060760857405080101",  # twice
        "6019A109060760857405080101BE0404020600BE0404020600",  # twice
        "60081F8101A1020600",
        "600304010 0".replace(" ", ""),  # no context tag
        "6003060155",
        "620680010080 0100".replace(" ", ""),  # reason twice
        "62028000",
        "62078005000000000 0".replace(" ", ""),  # reason of five octets
        "6204800201 2C".replace(" ", ""),  # reason 300
        "6203800 1FF".replace(" ", ""),  # reason -1
        "6206BE04BE020400",  # user-information in user-information
        "6206BE03040155AA",
        "6206BE0404015500",  # octets behind the inner octet string
        "6011A10F060D6085740508010181818181818181",  # an arc without end
        "6015A11306118585858585858585858585858585858585 01".replace(" ", ""),
        "6014A11206102A010101010101010101010101010101",  # 17 arcs
        "601EA109060760857405080101A5050203FFFF00A50302010 0A503020100".replace(" ", ""),
        "6010A109060760857405080101A503020 1".replace(" ", ""),
        "6011A1090607608574050801018A020880",  # eight unused bits
        "6010A1090607608574050801018A0107",  # unused bits of nothing
        "600FA1090607608574050801018A00",
        "6117A109060760857405080101A203020100A305A003020100",  # whose diagnostic
        "6116A109060760857405080101A203020100A304A1020 400".replace(" ", ""),
        "6112A109060760857405080101A203020100A300",
    ],
)
def test_broken_apdus_are_refused_at_once(octets: str) -> None:
    data = bytes.fromhex(octets)
    for strict in (False, True):
        with pytest.raises(DecodeError) as caught:
            apdu.decode(data, strict=strict, findings=[])
        assert 0 <= caught.value.offset <= len(data)


@pytest.mark.parametrize("tag", [0x60, 0x61, 0x62, 0x63])
@pytest.mark.parametrize(
    "contents",
    [
        b"\xbe\x84\xff\xff\xff\xff",
        b"\xbe\x80" * 1000,
        b"\xa1" + b"\x82\x7f\xff" * 1000,
        b"\xbe\x00" * 30_000,
        encode_tlv(0xBE, encode_tlv(0x24, b"\x24\x80" * 1000)),
    ],
)
def test_bombs_are_refused_at_once(tag: int, contents: bytes) -> None:
    with pytest.raises(DecodeError):
        apdu.decode(encode_tlv(tag, contents), findings=[])


@pytest.mark.parametrize("tag", [0x60, 0x61])
@pytest.mark.parametrize("name", [b"\x81" * 60_000, b"\x01" * 60_000, b"\x81" * 60_000 + b"\x01"])
def test_endless_names_are_refused_at_once(tag: int, name: bytes) -> None:
    with pytest.raises(DecodeError):
        apdu.decode(encode_tlv(tag, encode_tlv(0xA1, encode_tlv(0x06, name))), findings=[])


def test_a_length_below_what_nesting_needs_ends_each_level() -> None:
    octets = b""
    for _ in range(1000):
        octets = encode_tlv(0xBE, encode_tlv(0x04, octets))
    # The inner octets are an octet string: nobody looks at them, so nothing recurses.
    assert RLRQ.from_octets(encode_tlv(0x62, octets)).user_information is not None


def test_the_error_tells_the_field() -> None:
    with pytest.raises(DecodeError) as caught:
        apdu.decode(bytes.fromhex("6116A109060760857405080101A203020100A304A102040 0".replace(" ", "")))
    assert caught.value.path == "AARE.result-source-diagnostic"


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (AARQ(1.5), "application_context_name"),
        (AARQ(b""), "application_context_name"),
        (AARQ(None), "application_context_name"),
        (AARQ(200), "application_context_name"),
        (AARQ(ApplicationContext.LN, calling_ap_title=8), "calling_ap_title"),
        (AARQ(ApplicationContext.LN, calling_ap_title="title"), "calling_ap_title"),
        (AARQ(ApplicationContext.LN, calling_authentication_value="secret"), "calling_authentication_value"),
        (
            AARQ(ApplicationContext.LN, calling_ae_invocation_identifier=-1),
            "calling_ae_invocation_identifier",
        ),
        (
            AARQ(ApplicationContext.LN, calling_ae_invocation_identifier=2**31),
            "calling_ae_invocation_identifier",
        ),
        (AARQ(ApplicationContext.LN, sender_acse_requirements=1), "sender_acse_requirements"),
        (AARQ(ApplicationContext.LN, mechanism_name="HLS"), "mechanism_name"),
        (AARE(ApplicationContext.LN, AssociationResult.ACCEPTED, 0), "result_source_diagnostic"),
        (AARE(ApplicationContext.LN, None, AcseServiceUserDiagnostic.NULL), "result"),
        (RLRQ(reason="normal"), "reason"),
    ],
)
def test_a_value_that_does_not_fit_is_named(value: AARQ | AARE, name: str) -> None:
    with pytest.raises(EncodeError) as caught:
        apdu.encode(value)
    assert caught.value.path == name
    assert "secret" not in str(caught.value)


def test_plain_numbers_stand_for_their_names() -> None:
    assert (
        AARQ(1, mechanism_name=5).to_octets()
        == AARQ(ApplicationContext.LN, mechanism_name=AuthenticationMechanism.HLS_GMAC).to_octets()
    )


def test_secrets_are_not_shown() -> None:
    value = AARQ(ApplicationContext.LN, calling_authentication_value=b"12345678")
    assert "12345678" not in repr(value)
    assert "***" in repr(value)
    assert "3132" not in repr(AuthenticationValue(0x81, b"12"))


titles = st.binary(min_size=8, max_size=8)
octets = st.binary(max_size=300)
numbers = st.integers(0, 2**31 - 1)
names = st.sampled_from(list(ApplicationContext)) | st.lists(
    st.integers(0, 0x7F), min_size=1, max_size=15
).map(bytes)
values = octets | st.builds(AuthenticationValue, st.sampled_from([0x81, 0xA2, 0xA3]), octets)
bits = st.text("01", max_size=20).map(BitString.from_text)
aarqs = st.builds(
    AARQ,
    names,
    protocol_version=st.none() | bits,
    called_ap_title=st.none() | octets,
    called_ae_qualifier=st.none() | octets,
    called_ap_invocation_identifier=st.none() | numbers,
    called_ae_invocation_identifier=st.none() | numbers,
    calling_ap_title=st.none() | titles,
    calling_ae_qualifier=st.none() | octets,
    calling_ap_invocation_identifier=st.none() | numbers,
    calling_ae_invocation_identifier=st.none() | numbers,
    sender_acse_requirements=st.none() | st.just(AUTHENTICATION),
    mechanism_name=st.none() | st.sampled_from(list(AuthenticationMechanism)),
    calling_authentication_value=st.none() | values,
    implementation_information=st.none() | octets,
    user_information=st.none() | octets,
)
aares = st.builds(
    AARE,
    names,
    st.sampled_from(list(AssociationResult)),
    st.sampled_from([*AcseServiceUserDiagnostic, *AcseServiceProviderDiagnostic]),
    responding_ap_title=st.none() | titles,
    responding_ae_qualifier=st.none() | octets,
    responding_ap_invocation_identifier=st.none() | numbers,
    responder_acse_requirements=st.none() | bits,
    mechanism_name=st.none() | st.sampled_from(list(AuthenticationMechanism)),
    responding_authentication_value=st.none() | values,
    user_information=st.none() | octets,
)
releases = st.builds(
    RLRQ, st.none() | st.sampled_from(list(ReleaseRequestReason)), st.none() | octets
) | st.builds(RLRE, st.none() | st.sampled_from(list(ReleaseResponseReason)), st.none() | octets)


@given(aarqs | aares | releases)
def test_every_apdu_survives_strictly(value: AARQ) -> None:
    encoded = apdu.encode(value)
    again = apdu.decode(encoded, strict=True)
    assert again == value
    assert apdu.encode(again) == encoded
    assert apdu.trace(encoded).value == value


@given(aarqs | aares | releases, st.data())
def test_a_changed_octet_is_understood_or_refused(value: AARQ, data: st.DataObject) -> None:
    encoded = bytearray(apdu.encode(value))
    at = data.draw(st.integers(0, len(encoded) - 1))
    encoded[at] = data.draw(st.integers(0, 255))
    try:
        apdu.decode(bytes(encoded), findings=[])
    except CosemError:
        return


@given(st.sampled_from([0x60, 0x61, 0x62, 0x63]), st.binary(max_size=60))
def test_any_contents_are_understood_or_refused(tag: int, contents: bytes) -> None:
    for data in (bytes((tag,)) + contents, encode_tlv(tag, contents), encode_tlv(tag, CONTEXT + contents)):
        try:
            value = apdu.decode(data, findings=[])
        except DecodeError:
            continue
        again = apdu.encode(value)
        assert apdu.decode(again, strict=True) == value
