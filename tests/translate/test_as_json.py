"""JSON: every vector there and back, through the text, and what is no APDU."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosem import apdu
from cosem.codec.data import decode_data, encode_data
from cosem.errors import EncodeError
from cosem.translate.as_json import apdu_from_json, apdu_to_json, data_from_json, data_to_json
from cosem.types.data import (
    DONT_CARE,
    Array,
    BitString,
    CompactArray,
    Float32,
    LongUnsigned,
    Structure,
    TypeDescription,
    Unsigned,
    Utf8String,
)
from tests.vectors import Vector, load, parameters, vector

ACSE = [pytest.param(each, id=each.id) for each in load("acse") if each.octets]


@pytest.mark.parametrize("vector", parameters("xdlms", kind="apdu") + ACSE)
def test_every_apdu_survives(vector: Vector) -> None:
    value = apdu.decode(vector.octets, findings=[])
    text = json.dumps(apdu_to_json(value), allow_nan=False)
    again = apdu_from_json(json.loads(text))
    assert again == value
    assert apdu.encode(again) == apdu.encode(value)


@pytest.mark.parametrize("vector", parameters("xdlms", kind="data"))
def test_every_data_survives(vector: Vector) -> None:
    value = decode_data(vector.octets)
    text = json.dumps(data_to_json(value), allow_nan=False)
    again = data_from_json(json.loads(text))
    assert type(again) is type(value)
    assert encode_data(again) == encode_data(value)


def test_the_words_are_those_of_the_vectors() -> None:
    for identifier in (
        "D.2.LN.2",
        "D.3.LN.2",
        "CSE.1",
        "CSE.4",
        "CSE.5",
        "EXC.1",
        "EXC.5",
        "SN.err.1",
        "D.6.SN.1",
    ):
        each = vector("xdlms", identifier)
        said = json.dumps(each["decoded"])
        found = apdu_to_json(apdu.decode(each.octets))
        for word in (
            "pdu-size-too-short",
            "scope-of-access-violated",
            "deciphering-error",
            "object-undefined",
        ):
            assert (word in said) == (word in json.dumps(found)), identifier
    assert apdu_to_json(apdu.decode(vector("xdlms", "CSE.1").octets)) == vector("xdlms", "CSE.1")["decoded"]
    assert apdu_to_json(apdu.decode(vector("xdlms", "EXC.5").octets)) == vector("xdlms", "EXC.5")["decoded"]


def test_an_association_request() -> None:
    value = apdu_to_json(apdu.decode(vector("acse", "B-aarq-ln-lls").octets))
    assert value == {
        "aarq": {
            "application-context-name": "2.16.756.5.8.1.1",
            "sender-acse-requirements": "1",
            "mechanism-name": "2.16.756.5.8.2.1",
            "calling-authentication-value": "3132333435363738",
            "user-information": "01000000065F1F0400007E1F04B0",
        }
    }


def test_a_code_without_name_is_its_number() -> None:
    value = apdu_to_json(apdu.decode(bytes.fromhex("C501C14D")))
    assert value["set-response-normal"]["result"] == 77
    assert apdu.encode(apdu_from_json(value)) == bytes.fromhex("C501C14D")


@pytest.mark.parametrize(
    "octets", ["177FC00001", "177F800001", "17FF800000", "187FF8000000000001", "1880", "173DCCCCCD"]
)
def test_numbers_that_json_has_none_for(octets: str) -> None:
    data = bytes.fromhex(octets if octets != "1880" else "188000000000000000")
    text = json.dumps(data_to_json(decode_data(data)), allow_nan=False)
    assert encode_data(data_from_json(json.loads(text))) == data


def test_text_that_is_no_utf8_keeps_its_octets() -> None:
    value = Utf8String.from_octets(b"\xffA")
    assert data_to_json(value) == {"utf8-string": {"octets": "FF41"}}
    assert data_from_json(data_to_json(value)).octets == b"\xffA"


def test_a_compact_array_may_be_given_by_its_items() -> None:
    value = {
        "compact-array": {
            "contents-description": {"array": {"number-of-elements": 2, "type": "unsigned"}},
            "items": [{"array": [{"unsigned": 1}, {"unsigned": 2}]}],
        }
    }
    built = data_from_json(value)
    assert isinstance(built, CompactArray)
    assert encode_data(built) == bytes.fromhex("13 01 0002 11 02 0102")
    assert data_to_json(CompactArray([LongUnsigned(1)], TypeDescription(18)))["compact-array"]["items"] == [
        {"long-unsigned": 1}
    ]


@pytest.mark.parametrize(
    ("value", "path"),
    [
        (None, ""),
        ({}, ""),
        ({"get-request-next": {}, "more": {}}, ""),
        ({"get-request-never": {}}, "get-request-never"),
        ({"get-request-next": []}, "get-request-next"),
        ({"get-request-next": {"invoke-id-and-priority": 193}}, "get-request-next.block-number"),
        (
            {"get-request-next": {"invoke-id-and-priority": 193, "block-number": 1, "x": 1}},
            "get-request-next.x",
        ),
        (
            {"get-request-next": {"invoke-id-and-priority": 193, "block-number": True}},
            "get-request-next.block-number",
        ),
        (
            {"get-response-normal": {"invoke-id-and-priority": 193, "result": {"data": {"unsigned": 256}}}},
            "get-response-normal.result.data.unsigned",
        ),
        (
            {"get-response-normal": {"invoke-id-and-priority": 193, "result": {"date": {}}}},
            "get-response-normal.result.date",
        ),
        (
            {"set-response-with-list": {"invoke-id-and-priority": 193, "result": ["success", "good"]}},
            "set-response-with-list.result[1]",
        ),
        ({"glo-get-request": "3"}, "glo-get-request"),
        ({"aarq": {}}, "aarq.application-context-name"),
        ({"aarq": {"application-context-name": "LN"}}, "aarq.application-context-name"),
        (
            {"aarq": {"application-context-name": "1", "sender-acse-requirements": "2"}},
            "aarq.sender-acse-requirements",
        ),
        ({"rlrq": {"reason": "bored"}}, "rlrq.reason"),
        ({"confirmedServiceError": {"initiateError": {"initiate": "bored"}}}, "confirmedServiceError"),
        ({"confirmedServiceError": {"bored": {}}}, "confirmedServiceError.bored"),
        (
            {
                "initiateRequest": {
                    "proposed-dlms-version-number": 6,
                    "proposed-conformance": ["fly"],
                    "client-max-receive-pdu-size": 0,
                }
            },
            "initiateRequest.proposed-conformance",
        ),
    ],
)
def test_what_is_no_apdu_is_refused_where_it_is_wrong(value: object, path: str) -> None:
    with pytest.raises(EncodeError) as caught:
        apdu_from_json(value)
    assert caught.value.path == path


@pytest.mark.parametrize(
    "value",
    [
        1,
        {"unsigned": -1},
        {"unsigned": 1.5},
        {"unsigned": True},
        {"unsigned": None},
        {"unsigned": "x"},
        {"boolean": 1},
        {"null-data": 0},
        {"octet-string": "0"},
        {"octet-string": [1]},
        {"visible-string": "€"},
        {"visible-string": 5},
        {"utf8-string": "\ud800"},
        {"bit-string": "012"},
        {"float32": 1e300},
        {"float32": "00"},
        {"float64": True},
        {"date": "07EA"},
        {"array": {}},
        {"structure": [{"unsigned": 256}]},
        {"compact-array": {}},
        {"compact-array": {"contents-description": "array", "items": []}},
        {"compact-array": {"contents-description": "unsigned", "items": 5}},
        {"compact-array": {"contents-description": "long", "array-contents": "00"}},
        {"compact-array": {"contents-description": {"array": {"number-of-elements": 70000, "type": "long"}}}},
        {"time-of-day": 1},
    ],
)
def test_what_is_no_data_is_refused(value: object) -> None:
    with pytest.raises(EncodeError):
        data_from_json(value)


def test_nesting_comes_to_an_end() -> None:
    value: object = {"unsigned": 1}
    for _ in range(500):
        value = {"structure": [value]}
    with pytest.raises(EncodeError):
        data_from_json(value)
    description: object = "unsigned"
    for _ in range(500):
        description = {"structure": [description]}
    with pytest.raises(EncodeError):
        data_from_json({"compact-array": {"contents-description": description, "items": []}})


@pytest.mark.parametrize("value", [5, object(), [1]])
def test_what_is_of_no_cosem_type_is_refused(value: object) -> None:
    with pytest.raises(EncodeError):
        data_to_json(value)
    with pytest.raises(EncodeError):
        apdu_to_json(value)


data = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(0, 255).map(Unsigned)
    | st.text("01", max_size=20).map(BitString.from_text)
    | st.text(max_size=5).map(Utf8String)
    | st.floats(width=32).map(Float32)
    | st.just(DONT_CARE),
    lambda inner: st.lists(inner, max_size=4).map(Array) | st.lists(inner, max_size=4).map(Structure),
    max_leaves=20,
)


@given(data)
def test_every_value_survives(value: object) -> None:
    again = data_from_json(json.loads(json.dumps(data_to_json(value), allow_nan=False)))
    assert encode_data(again) == encode_data(value)
