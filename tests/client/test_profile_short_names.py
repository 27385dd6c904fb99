"""Profiles by short names: what comes in the blocks of a Read stays octets until it is a table."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import cosem
from cosem.apdu.common import CosemAttributeDescriptor
from cosem.association.client.conversations import mapped
from cosem.association.client.conversations.get import EncodedData, get_encoded
from cosem.client.blocking import Client
from cosem.codec.data import decode_data
from cosem.server import demonstration_meter, serve_in_thread
from cosem.types.enumerations import DataAccessResult
from cosem.types.logical_name import LogicalName
from tests.server.driver import StandingClock

PROFILE = "1-0:99.1.0"


def attribute(name: str, number: int) -> CosemAttributeDescriptor:
    return CosemAttributeDescriptor(7, LogicalName(name), number)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serve_in_thread(demonstration_meter(clock=StandingClock())) as address:
        yield address


@pytest.fixture
def meter(url: str) -> Iterator[Client]:
    with cosem.connect(url, short_names=True, max_pdu_size=300) as client:
        yield client


@pytest.mark.parametrize("how", [{"last": "2d"}, {"entries": (1, 60)}], ids=["range", "entry"])
def test_the_table_is_that_of_logical_names(url: str, meter: Client, how: dict[str, object]) -> None:
    with cosem.connect(url) as other:
        wanted = other.profile(PROFILE).read(**how)  # type: ignore[arg-type] # one of two ways
    table = meter.profile(PROFILE).read(**how)  # type: ignore[arg-type] # the same
    assert table.rows == wanted.rows
    assert len(table) > 50


def test_blocks_are_handed_out_as_octets(meter: Client) -> None:
    blocks: list[bytes] = []
    buffer = attribute(PROFILE, 3)
    encoded = meter.run(lambda context: mapped.get_encoded(context, buffer, each_block=blocks.append))
    plain = meter.run(lambda context: mapped.get(context, buffer))
    if isinstance(encoded, EncodedData):
        assert b"".join(blocks) == encoded.octets
        assert decode_data(encoded.octets) == plain
    else:
        assert encoded == plain
    whole = attribute("1-0:99.2.0", 2)
    long = meter.run(lambda context: mapped.get_encoded(context, whole, each_block=blocks.append))
    assert isinstance(long, EncodedData)
    assert decode_data(long.octets) == meter.run(lambda context: mapped.get(context, whole))


def test_what_is_short_or_refused_is_as_ever(meter: Client) -> None:
    assert meter.run(lambda context: mapped.get_encoded(context, attribute(PROFILE, 4))) == 900
    found = meter.run(lambda context: mapped.get_encoded(context, attribute("1-0:99.77.0", 2)))
    assert found is DataAccessResult.OBJECT_UNDEFINED
    every = meter.run(lambda context: mapped.get_encoded(context, attribute("0-0:99.98.0", 0)))
    assert isinstance(every, tuple)


def test_a_table_in_general_blocks_or_in_one_piece_stays_octets_until_it_is_a_table(url: str) -> None:
    """By logical names, too: whoever takes blocks as octets gets every answer so, and nobody else does."""
    buffer = attribute("1-0:99.2.0", 2)
    for size in (300, 65535):
        with cosem.connect(url, max_pdu_size=size) as client:
            encoded = client.run(lambda context: get_encoded(context, buffer, each_block=bytes))
            assert isinstance(encoded, EncodedData)
            plain = client.get("1-0:99.2.0", 2)
            assert decode_data(encoded.octets) == plain
            assert client.run(lambda context: get_encoded(context, buffer)) == plain
            refused = client.run(
                lambda context: get_encoded(context, attribute("1-0:99.77.0", 2), each_block=bytes)
            )
            assert refused is DataAccessResult.OBJECT_UNDEFINED
