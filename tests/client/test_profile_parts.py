"""Long profiles in several requests: no row lost or doubled, whatever breaks in between."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosem.association.client.conversations.get import EncodedData, get, get_encoded
from cosem.client.operations.profile_parts import attribute_of
from cosem.client.profile_reading import ProfileReading
from cosem.codec.row_template import RegularRows
from cosem.errors import TransportClosed, TransportTimeout
from cosem.types.data import Array, DoubleLongUnsigned, Enum, Integer, LongUnsigned, OctetString, Structure
from cosem.types.date_time import DateTime
from cosem.types.enumerations import Conformance, DataAccessResult
from cosem.types.logical_name import LogicalName
from tests.client.meter import (
    CLOCK,
    ENERGY,
    PROFILE,
    Meter,
    connected,
    connected_async,
    run_virtual,
    selector_of,
    without,
)

ZONE = timezone(timedelta(hours=1))
START = datetime(2026, 11, 24, 0, 0, tzinfo=ZONE)
QUARTER = timedelta(minutes=15)
BLOCKS = without(Conformance.GENERAL_BLOCK_TRANSFER)


def captured(class_id: int, name: str) -> Structure:
    return Structure((LongUnsigned(class_id), OctetString(LogicalName(name)), Integer(2), LongUnsigned(0)))


class LongMeter(Meter):
    """A meter with a profile of rows a quarter of an hour apart, or where the test says.

    Attributes:
        asked: The bounds that it was asked with.
    """

    def __init__(
        self, count: int = 48, *, newest_first: bool = False, selectors=(1, 2), minutes=None, compressed=False
    ):
        super().__init__(conformance=BLOCKS)
        self.selectors = selectors
        self.compressed = compressed
        minutes = [15 * number for number in range(count)] if minutes is None else minutes
        self.rows = [(START + timedelta(minutes=minute), number) for number, minute in enumerate(minutes)]
        if newest_first:
            self.rows.reverse()
        self.asked: list[Any] = []
        self.values.update(
            {
                (7, PROFILE, 2): self.buffer,
                (7, PROFILE, 3): Array([captured(8, CLOCK), captured(3, ENERGY)]),
                (7, PROFILE, 4): DoubleLongUnsigned(900),
                (7, PROFILE, 5): Enum(2 if newest_first else 1),
                (7, PROFILE, 7): DoubleLongUnsigned(len(self.rows)),
            }
        )

    def buffer(self, selection: Any) -> Any:
        kind = selector_of(selection)
        if kind is None:
            self.asked.append(None)
            return self.array(self.rows)
        if kind not in self.selectors:
            return DataAccessResult.TYPE_UNMATCHED
        if kind == 2:
            first, last, *_ = map(int, selection.access_parameters)
            self.asked.append((first, last))
            return self.array(self.rows[first - 1 : last or None])
        _, since, until, _ = selection.access_parameters
        low, high = (self.moment(bound) for bound in (since, until))
        self.asked.append((low, high))
        return self.array([row for row in self.rows if low <= row[0] <= high])

    def moment(self, bound: Any) -> datetime:
        moment = DateTime(bytes(bound)).to_datetime()
        return moment if moment.tzinfo else moment.replace(tzinfo=ZONE)

    def array(self, rows: list[Any]) -> Array:
        return Array(
            Structure(
                (
                    None
                    if self.compressed and number
                    else OctetString(DateTime.from_datetime(moment).octets),
                    DoubleLongUnsigned(value),
                )
            )
            for number, (moment, value) in enumerate(rows)
        )

    @property
    def wanted(self) -> list[tuple[datetime, float]]:
        return [(moment, value / 1000) for moment, value in self.rows]


def read(client: Any, **arguments: Any) -> list[tuple[datetime, float]]:
    return [(moment, float(value)) for moment, value in client.profile(PROFILE).read(**arguments).rows]


@pytest.mark.parametrize("newest_first", [False, True])
@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("rows_at_once", [1, 5, 47, 48, 1000])
def test_a_long_period_is_read_in_parts_and_is_the_same(newest_first, compressed, rows_at_once):
    meter = LongMeter(newest_first=newest_first, compressed=compressed)
    client, _ = connected(meter)
    span = {"since": START - timedelta(days=30), "until": START + timedelta(hours=12)}
    assert read(client, **span, rows_at_once=rows_at_once) == meter.wanted
    assert len(meter.asked) == -(-48 // rows_at_once)


def test_a_period_that_is_mostly_empty_is_not_cut_finer_than_there_are_rows():
    meter = LongMeter()
    client, _ = connected(meter)
    assert read(client, since=datetime(2000, 1, 1), rows_at_once=10) == meter.wanted
    assert len(meter.asked) == 5


def test_without_the_number_of_rows_a_span_of_ages_is_one_request():
    meter = LongMeter()
    meter.values[7, PROFILE, 7] = DataAccessResult.READ_WRITE_DENIED
    client, _ = connected(meter)
    assert read(client, since=datetime(2000, 1, 1), rows_at_once=10) == meter.wanted
    assert len(meter.asked) == 1


@pytest.mark.parametrize("entries", [(1, 48), (3, 40), (3, 0), 20, (40, 100)])
@pytest.mark.parametrize("newest_first", [False, True])
def test_many_numbers_are_read_in_parts(entries, newest_first):
    meter = LongMeter(newest_first=newest_first)
    client, _ = connected(meter)
    whole = read(client, entries=entries, rows_at_once=0)
    assert len(meter.asked) == 1
    assert read(client, entries=entries, rows_at_once=7) == whole
    assert len(meter.asked) == 1 + -(-len(whole) // 7) or entries == (40, 100)


def test_a_meter_that_takes_no_selection_is_read_whole_even_if_parts_are_wanted():
    meter = LongMeter(selectors=())
    client, _ = connected(meter)
    assert read(client, since=START, until=START + 20 * QUARTER, rows_at_once=3) == meter.wanted[:21]
    assert meter.asked == [None]


@given(
    st.lists(st.integers(0, 300), min_size=1, max_size=60).map(sorted),
    st.integers(1, 12),
    st.integers(1, 60),
    st.booleans(),
)
def test_no_row_is_lost_or_doubled(minutes, rows_at_once, blocks, newest_first):
    """Rows at any times, several at the same one; the line breaks once after some answers."""
    meter = LongMeter(minutes=minutes, newest_first=newest_first)
    client, _ = connected(meter, client_max_receive_pdu_size=80)
    span = {"since": START, "until": START + timedelta(hours=5)}
    answers = 0

    def bend(apdu: bytes) -> Any:
        nonlocal answers
        answers += apdu[0] == 0xC0
        return [] if answers == blocks else None

    meter.bend = bend
    assert read(client, **span, rows_at_once=rows_at_once) == meter.wanted


def test_what_has_come_is_kept_when_an_answer_does_not():
    meter = LongMeter()
    client, _ = connected(meter, client_max_receive_pdu_size=200)
    client.profile(PROFILE).layout()
    silent = iter([False] * 4 + [True])
    meter.bend = lambda apdu: [] if apdu[:2] == b"\xc0\x02" and next(silent, False) else None
    assert read(client, since=START, until=START + timedelta(hours=12)) == meter.wanted
    first, second = meter.asked
    assert first[0] == START
    assert second[0] > START + 10 * QUARTER


def test_the_connection_breaks_and_the_rest_is_read_on_another():
    meter = LongMeter()
    client, channel = connected(meter, client_max_receive_pdu_size=200)
    client.profile(PROFILE).layout()
    blocks = 0

    def bend(apdu: bytes) -> Any:
        nonlocal blocks
        blocks += apdu[:2] == b"\xc0\x02"
        if blocks == 3:
            meter.bend = lambda _: None
            channel.incoming.append(TransportClosed("gone"))
            return []
        return None

    meter.bend = bend
    others = []

    def reconnect() -> Any:
        others.append(connected(meter)[0])
        return others[-1]

    seen: list[int] = []
    profile = client.profile(PROFILE)
    table = profile.read(
        since=START, until=START + timedelta(hours=12), reconnect=reconnect, progress=seen.append
    )
    assert [(moment, float(value)) for moment, value in table.rows] == meter.wanted
    assert len(others) == 1
    assert meter.asked[1][0] > START
    assert seen == sorted(seen)
    # The handle goes on with the new client.
    assert len(profile.read(entries=3)) == 3


def test_a_reading_that_is_kept_goes_on_later():
    meter = LongMeter()
    client, channel = connected(meter)
    client.profile(PROFILE).layout()
    meter.bend = lambda _: (
        channel.incoming.append(TransportClosed("gone")) or [] if len(meter.asked) == 2 else None
    )
    reading = ProfileReading()
    span = {"since": START, "until": START + timedelta(hours=12), "rows_at_once": 10}
    with pytest.raises(TransportClosed):
        client.profile(PROFILE).read(**span, reading=reading)
    assert 0 < len(reading.rows) < 48
    meter.bend = lambda _: None
    again, _ = connected(meter)
    assert read(again, **span, reading=reading) == meter.wanted
    assert len(meter.asked) == 5


def test_connections_that_bring_no_rows_come_to_an_end():
    meter = LongMeter()
    client, _ = connected(meter)
    meter.bend = lambda apdu: [] if apdu[0] == 0xC0 else None
    tries = []

    def reconnect() -> Any:
        tries.append(connected(meter)[0])
        return tries[-1]

    with pytest.raises(TransportTimeout):
        client.profile(PROFILE).read(reconnect=reconnect)
    assert len(tries) == 3


def test_the_asynchronous_client_goes_on_too():
    meter = LongMeter()

    async def check() -> None:
        client, transport = await connected_async(meter, client_max_receive_pdu_size=200)
        await client.profile(PROFILE).layout()

        def bend(apdu: bytes) -> Any:
            if apdu[:2] == b"\xc0\x02" and len(meter.received) == 10:
                transport.close()
                return []
            return None

        meter.bend = bend

        async def reconnect() -> Any:
            return (await connected_async(meter))[0]

        table = await client.profile(PROFILE).read(
            since=START, until=START + timedelta(hours=12), reconnect=reconnect
        )
        assert [(moment, float(value)) for moment, value in table.rows] == meter.wanted
        assert len(meter.asked) == 2

    run_virtual(check)


def test_rows_stay_octets_in_blocks_and_in_one_piece():
    meter = LongMeter()
    client, _ = connected(meter, client_max_receive_pdu_size=200)
    table = client.profile(PROFILE).read()
    assert [type(segment) for segment in table.table.segments] == [RegularRows]
    whole, _ = connected(meter)
    assert [type(segment) for segment in whole.profile(PROFILE).read().table.segments] == [RegularRows]
    assert whole.profile(PROFILE).read().rows == table.rows
    assert whole.profile(PROFILE).read().raw == table.raw


def test_the_conversation_hands_out_blocks_as_octets_and_as_a_value():
    meter = LongMeter(4)
    client, _ = connected(meter, client_max_receive_pdu_size=64)
    buffer = attribute_of(LogicalName(PROFILE), 2)
    blocks: list[bytes] = []
    encoded = client.run(lambda context: get_encoded(context, buffer, each_block=blocks.append))
    assert isinstance(encoded, EncodedData)
    assert b"".join(blocks) == encoded.octets
    assert client.run(lambda context: get(context, buffer)) == meter.array(meter.rows)


def test_rows_of_events_are_never_cut_by_time():
    meter = LongMeter()
    meter.values[7, PROFILE, 4] = DoubleLongUnsigned(0)
    client, _ = connected(meter)
    assert read(client, since=START, until=START + timedelta(hours=12), rows_at_once=3) == meter.wanted
    assert len(meter.asked) == 1
