"""Octets in words: every vector, each octet once, and what cannot be read."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosem import apdu
from cosem.codec.axdr import encode_length
from cosem.codec.data import decode_data
from cosem.errors import CosemError, DecodeError
from cosem.translate.explain import Explanation, explain, explain_data
from cosem.translate.item import Item
from cosem.translate.leaves import security_control_note
from cosem.translate.naming import class_name, object_name, system_title_text
from cosem.types.logical_name import LogicalName
from tests.vectors import Vector, load, parameters, vector

ACSE = [pytest.param(each, id=each.id) for each in load("acse") if each.octets]


def own_octets(explanation: Explanation, item: Item) -> bytes:
    """Return the octets that the line of an item shows."""
    stop = item.children[0].start if item.children else item.stop
    return explanation.octets[item.start : stop]


def check(explanation: Explanation) -> None:
    """Every octet stands in one line, in order; parts lie within the whole; JSON holds it."""
    shown = b"".join(own_octets(explanation, item) for _, item in explanation.root.walk())
    assert shown == explanation.octets
    for _, item in explanation.root.walk():
        assert item.start <= item.stop
        assert all(item.start <= child.start and child.stop <= item.stop for child in item.children)
    assert json.loads(json.dumps(explanation.to_json()))["octets"] == explanation.octets.hex().upper()
    assert len(explanation.text().splitlines()) >= len(list(explanation.root.walk()))


@pytest.mark.parametrize("vector", parameters("xdlms", kind="apdu") + ACSE)
def test_every_octet_of_every_apdu_is_shown_once(vector: Vector) -> None:
    explanation = explain(vector.octets)
    assert explanation.value == apdu.decode(vector.octets, findings=[])
    check(explanation)


@pytest.mark.parametrize("vector", parameters("xdlms", kind="data"))
def test_every_octet_of_every_data_is_shown_once(vector: Vector) -> None:
    explanation = explain_data(vector.octets)
    assert repr(explanation.value) == repr(decode_data(vector.octets))
    check(explanation)


@pytest.mark.parametrize("vector", parameters("xdlms", kind="apdu") + ACSE)
def test_what_is_cut_is_refused(vector: Vector) -> None:
    for size in range(len(vector.octets)):
        with pytest.raises(DecodeError):
            explain(vector.octets[:size])


def lines(explanation: Explanation) -> list[str]:
    return [item.line() for _, item in explanation.root.walk()]


def test_an_answer_with_a_date_time_in_words() -> None:
    found = lines(explain(vector("xdlms", "ACC.self.1").octets))
    assert "0: octet-string = 07E50118070E303900FFC400  (2021-01-24 14:48:57+01:00)" in found
    assert "class-id = 8  (Clock)" in found
    assert "instance-id = 0.0.1.0.0.255  (0-0:1.0.0*255 clock)" in found


def test_what_an_association_proposes_is_taken_apart() -> None:
    found = lines(explain(vector("acse", "B-aarq-ln-hls5").octets))
    assert "mechanism-name = hls-gmac (5)  (2.16.756.5.8.2.5)" in found
    assert "initiateRequest" in found
    assert any(line.startswith("proposed-conformance = 007E1F  (priority-mgmt-supported ") for line in found)
    assert "client-max-receive-pdu-size = 1200" in found


def test_a_ciphered_apdu_is_shown_as_its_envelope() -> None:
    explanation = explain(vector("acse", "C-aarq").octets)
    found = lines(explanation)
    assert "calling-ap-title = 4D4D4D0000BC614E  (MMM 0000BC614E)" in found
    assert "glo-initiateRequest" in found
    assert "security-control = 30  (suite 0, authenticated, encrypted, unicast key)" in found
    assert "invocation-counter = 19088743" in found
    assert "authentication-tag = 41DB204D39EE6FDB8E356855" in found
    assert explanation.findings == ()


def test_what_is_authenticated_only_is_read() -> None:
    found = lines(explain(vector("xdlms", "GCIPH.gbcs.1").octets))
    assert "general-signing" in found
    assert "access-response" in found
    assert "result = hardware-fault (1)" in found


def test_what_is_inside_never_hides_a_refusal() -> None:
    explanation = explain(vector("acse", "meter-aare-auth-failure").octets)
    assert "result-source-diagnostic = authentication-failure (13)  (acse-service-user)" in lines(explanation)
    assert len(explanation.findings) == 1
    assert explanation.findings[0].startswith("inner-apdu-unreadable: conformance must begin")
    assert explanation.text().splitlines()[-1] == f"finding: {explanation.findings[0]}"


def test_a_field_that_nobody_knows_is_shown() -> None:
    explanation = explain(bytes.fromhex("6010A109060760857405080101940341 4243".replace(" ", "")))
    assert "unknown-field-94 = 414243" in lines(explanation)
    assert explanation.findings == ("acse-unknown-field-94",)
    check(explanation)


def test_findings_are_shown_or_refused() -> None:
    octets = vector("xdlms", "D.2.LN.1").octets + b"\x00"
    assert explain(octets).findings == ("trailing-octets",)
    with pytest.raises(DecodeError):
        explain(octets, strict=True)


def test_a_unit_of_the_wrapper_is_opened() -> None:
    octets = bytes.fromhex("0001 0010 0001 000D C001C100010000800000FF0200")
    explanation = explain(octets)
    assert explanation.root.name == "wrapper"
    assert explanation.value == apdu.decode(octets[8:])
    assert [item.line() for item in explanation.root.children[:4]] == [
        "version = 1",
        "source-port = 16",
        "destination-port = 1",
        "length = 13",
    ]
    check(explanation)


@pytest.mark.parametrize(
    ("octets", "offset"),
    [
        ("0001", 2),
        ("000100100001000D", 6),
        ("0001001000010001C0", 9),
        ("000100100001000DC001C100010000800000FF02", 6),
        ("000100100001000CC001C100010000800000FF02", 20),
        ("", 0),
        ("FF", 0),
    ],
)
def test_what_is_no_unit_is_refused_at_its_offset_in_the_whole(octets: str, offset: int) -> None:
    with pytest.raises(DecodeError) as caught:
        explain(bytes.fromhex(octets))
    assert caught.value.offset == offset


def test_apdus_inside_each_other_come_to_an_end() -> None:
    octets = bytes.fromhex("C001C100010000800000FF0200")
    for _ in range(2000):
        octets = bytes.fromhex("DF0000000000") + encode_length(len(octets)) + octets + b"\x00"
    explanation = explain(octets)
    assert max(depth for depth, _ in explanation.root.walk()) < 20
    check(explanation)


@given(st.sampled_from([*parameters("xdlms", kind="apdu"), *ACSE]), st.data())
def test_a_changed_octet_is_explained_or_refused(parameter: object, data: st.DataObject) -> None:
    octets = bytearray(parameter.values[0].octets)
    at = data.draw(st.integers(0, len(octets) - 1))
    octets[at] = data.draw(st.integers(0, 255))
    try:
        explanation = explain(bytes(octets))
    except CosemError:
        return
    if "trailing-octets" not in explanation.findings:
        check(explanation)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("1-0:1.8.0", "active energy import, total"),
        ("1-0:1.8.2", "active energy import, rate 2"),
        ("1-0:2.7.0", "active power export, instantaneous"),
        ("1-0:71.7.0", "current L3, instantaneous"),
        ("1-0:12.8.0", ""),
        ("0-0:40.0.3", "association 3"),
        ("0-2:24.1.0", "M-Bus client"),
        ("1-0:99.1.0", "load profile 1"),
        ("0-0:96.1.0", "device identifier 0"),
        ("5-0:1.8.0", ""),
    ],
)
def test_well_known_objects_have_a_name(name: str, text: str) -> None:
    assert object_name(LogicalName(name)) == text


def test_names_of_classes_and_titles() -> None:
    assert (class_name(3), class_name(170), class_name(999)) == ("Register", "Attestation", "")
    assert system_title_text(b"MMM") == ""
    assert system_title_text(bytes(8)) == ""
    assert security_control_note(0xF1) == "suite 1, authenticated, encrypted, broadcast key, compressed"
