"""Delta values: what a server sends where it was agreed on, and that the client gets the same rows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import cosem
from cosem.association.client.parameters import ALL_SERVICES_LN
from cosem.association.server.profile import AssociationProfile
from cosem.codec.data import encode_data
from cosem.server import ClockObject, LogicalDevice, ProfileGenericObject, RegisterObject, serve_in_thread
from cosem.server.objects.profile_deltas import with_deltas
from cosem.types.data import Array, DoubleLongUnsigned, Long, LongUnsigned, OctetString, Structure
from cosem.types.enumerations import Conformance

ENERGY, POWER, CLOCK, PROFILE = "1.0.1.8.0.255", "1.0.16.7.0.255", "0.0.1.0.0.255", "1.0.99.1.0.255"
ROWS = [
    Structure((OctetString(bytes.fromhex(f"07EA0B19030A{n:02X}00 00FFC400")), DoubleLongUnsigned(e), Long(p)))
    for n, (e, p) in enumerate([(1_000_000, 5), (1_000_250, -300), (1_000_250, 20), (1_070_000, 20), (5, 21)])
]


@pytest.mark.parametrize("compress", [False, True])
@pytest.mark.parametrize("agreed", [False, True])
def test_the_client_gets_the_same_rows_in_fewer_octets(agreed, compress):
    profile = ProfileGenericObject(
        PROFILE,
        capture_objects=[(8, CLOCK, 2, 0), (3, ENERGY, 2, 0), (3, POWER, 2, 0)],
        buffer=ROWS,
        capture_period=60,
        compress=compress,
        deltas=True,
    )
    registers = [
        RegisterObject(ENERGY, value=DoubleLongUnsigned(0), scaler_unit=(0, 30)),
        RegisterObject(POWER, value=Long(0), scaler_unit=(0, 27)),
    ]
    device = LogicalDevice("TST0000000000001", objects=[profile, ClockObject(CLOCK), *registers])
    device.add_association(AssociationProfile(client_sap=16))
    conformance = ALL_SERVICES_LN if agreed else ALL_SERVICES_LN & ~Conformance.DELTA_VALUE_ENCODING
    with serve_in_thread(device) as url, cosem.connect(url, conformance=conformance) as meter:
        raw = meter.get(PROFILE, 2, class_id=7)
        table = meter.profile(PROFILE).read()
    assert [list(row)[1:] for row in table] == [[int(row[1]), int(row[2])] for row in ROWS]
    tags = {getattr(cell, "tag", 0) for row in raw for cell in row}
    assert bool(tags & set(range(28, 34))) is agreed
    if agreed and not compress:
        assert len(encode_data(raw)) < len(encode_data(Array(ROWS)))


@given(
    st.lists(
        st.lists(
            st.one_of(
                st.none(),
                st.integers(0, 0xFFFFFFFF).map(DoubleLongUnsigned),
                st.integers(-0x8000, 0x7FFF).map(Long),
                st.integers(0, 0xFFFF).map(LongUnsigned),
            ),
            min_size=2,
            max_size=2,
        ).map(Structure),
        max_size=8,
    )
)
def test_differences_add_up_to_the_rows(rows):
    before = [None, None]
    short = with_deltas(rows)
    for row, sent in zip(rows, short, strict=True):
        for index, cell in enumerate(sent):
            whole = before[index] + cell if getattr(cell, "tag", 0) >= 28 else cell
            assert whole == row[index]
            before[index] = row[index]
    assert len(encode_data(Array(short))) <= len(encode_data(Array(rows)))
