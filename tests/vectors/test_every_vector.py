"""Whatever file it comes from: a vector that is an APDU comes back as it was, and no part of it is one."""

from __future__ import annotations

import pytest

from cosem import apdu
from cosem.errors import DecodeError
from tests.vectors import Vector, load, vector

NOT_APDUS = {
    "key-transfer",  # Data: the parameter of a method
    "gc-nokeyinfo-datetime",  # its date-time says 12 octets and has 13
}
MALFORMED = {
    "sagemcom-xt211-cz-raw",  # descriptors without tags where Data must be
    "egd-cz-spec-example-raw",  # the same
    "apdu-get-withlist-missing-choice",  # a result without its choice
}
OCTETS = (
    0x01,
    0x05,
    0x06,
    0x08,
    0x0C,
    0x0D,
    0x0E,
    0x0F,
    0x10,
    0x16,
    0x18,
    *range(0x21, 0x60),
    *range(0x60, 0x64),
)


def is_apdu(name: str, each: Vector) -> bool:
    if not each.octets or each.id in NOT_APDUS | MALFORMED:
        return False
    if name == "xdlms":
        return each["kind"] == "apdu"
    if name == "telegrams":
        return str(each["framing"]).startswith("raw apdu")
    return each.octets[0] in OCTETS or each.octets[0] >= 0xC0


VECTORS = [
    pytest.param(each, id=f"{name}-{each.id}")
    for name in ("acse", "xdlms", "security", "telegrams")
    for each in load(name)
    if is_apdu(name, each)
]


@pytest.mark.parametrize("vector", VECTORS)
def test_it_comes_back_as_it_was(vector: Vector) -> None:
    findings: list[str] = []
    value = apdu.decode(vector.octets, findings=findings)
    again = apdu.encode(value)
    if findings or again != vector.octets:  # a meter bent it: its meaning comes back
        assert apdu.decode(again, strict=True) == value
        assert str(vector.get("framing", "")).startswith("raw apdu")


@pytest.mark.parametrize("vector", VECTORS)
def test_no_part_of_it_is_an_apdu(vector: Vector) -> None:
    for size in range(len(vector.octets)):
        with pytest.raises(DecodeError) as caught:
            apdu.decode(vector.octets[:size], findings=[])
        assert 0 <= caught.value.offset <= size


@pytest.mark.parametrize("identifier", sorted(MALFORMED))
def test_what_meters_send_and_the_standard_does_not_know_is_refused(identifier: str) -> None:
    with pytest.raises(DecodeError):
        apdu.decode(vector("telegrams", identifier).octets, findings=[])


def test_none_is_forgotten() -> None:
    ids = {parameter.id.split("-")[0] for parameter in VECTORS}
    assert ids == {"acse", "xdlms", "security", "telegrams"}
    assert len(VECTORS) > 240
