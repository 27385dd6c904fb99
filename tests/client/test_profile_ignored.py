"""Meters that take a selection and give other rows: only the rows that were wanted come out, and it is told."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from cosem.types.data import Array, DoubleLongUnsigned, OctetString, Structure
from cosem.types.date_time import DateTime
from cosem.types.enumerations import Conformance, DataAccessResult
from tests.client.meter import PROFILE, connected
from tests.client.test_profile_parts import BLOCKS, QUARTER, START, LongMeter, read

NOON = START + timedelta(hours=12)


class Ignoring(LongMeter):
    """A meter that gives everything, or so many rows more on either side; without zone if it is told so."""

    def __init__(self, count, *, more=None, zone=True, **facts):
        super().__init__(count, **facts)
        self.more, self.zone = more, zone

    def buffer(self, selection):
        if selection is None or self.more is None:
            self.asked.append(None if selection is None else "ignored")
            return self.array(self.rows)
        _, since, until, _ = selection.access_parameters
        low, high = self.moment(since) - self.more * QUARTER, self.moment(until) + self.more * QUARTER
        self.asked.append("more")
        return self.array([row for row in self.rows if low <= row[0] <= high])

    def array(self, rows):
        if self.zone:
            return super().array(rows)
        return Array(
            Structure(
                (
                    OctetString(DateTime.from_datetime(moment.replace(tzinfo=None)).octets),
                    DoubleLongUnsigned(value),
                )
            )
            for moment, value in rows
        )


@pytest.mark.parametrize("newest_first", [False, True])
def test_an_open_end_that_is_ignored_is_noticed_by_the_number_of_rows(newest_first):
    meter = Ignoring(1200, newest_first=newest_first)
    client, _ = connected(meter)
    assert read(client, entries=(5, 0)) == meter.wanted[4:]
    assert any("selective-access-ignored" in finding for finding in client.findings)


@pytest.mark.parametrize("in_use", [None, 1200])
def test_an_open_end_that_is_heeded_is_read_once(in_use):
    meter = LongMeter(1200)
    if in_use is None:
        meter.values[7, PROFILE, 7] = DataAccessResult.READ_WRITE_DENIED
    client, _ = connected(meter)
    assert read(client, entries=(5, 0)) == meter.wanted[4:]
    assert meter.asked == [(5, 0)]


@pytest.mark.parametrize("fill", [False, True])
@pytest.mark.parametrize("compressed", [False, True])
def test_rows_that_are_outside_by_their_own_time_are_dropped(fill, compressed):
    meter = Ignoring(96, more=4, compressed=compressed)
    client, _ = connected(meter)
    since, until = NOON - timedelta(hours=2), NOON
    table = client.profile(PROFILE).read(since=since, until=until, fill=fill)
    assert [float(value) * 1000 for value in table.column(1)] == list(range(40, 49))
    assert meter.asked == ["more"]
    assert "rows-outside-range: 8 of 1.0.99.1.0.255 dropped" in client.findings


def test_rows_without_zone_are_what_the_meter_says_as_long_as_there_can_be_so_many():
    since, until = NOON - timedelta(hours=2), NOON
    meter = Ignoring(96, more=1, zone=False)
    client, _ = connected(meter)
    assert len(client.profile(PROFILE).read(since=since, until=until)) == 11
    meter = Ignoring(96, more=4, zone=False)
    client, _ = connected(meter)
    assert len(client.profile(PROFILE).read(since=since, until=until)) == 9
    assert meter.asked == ["more", None]
    assert any("selective-access-ignored" in finding for finding in client.findings)


@pytest.mark.parametrize("more", [None, 1, 4])
def test_no_row_comes_twice_where_parts_overlap(more):
    meter = Ignoring(24, more=more)
    client, _ = connected(meter)
    since, until = START + timedelta(hours=1), START + timedelta(hours=5)
    wanted = [row for row in meter.wanted if since <= row[0] <= until]
    assert read(client, since=since, until=until, rows_at_once=6) == wanted


@pytest.mark.parametrize("bounds", ["zone", "local"])
def test_rows_are_sorted_out_by_their_filled_time_where_nulls_are_to_stay(bounds):
    meter = LongMeter(120, compressed=True)
    conformance = BLOCKS & ~Conformance.SELECTIVE_ACCESS
    client, _ = connected(meter, conformance=conformance)
    since: datetime = START + timedelta(hours=20)
    if bounds == "local":
        since = since.replace(tzinfo=None)
    for fill in (True, False):
        table = client.profile(PROFILE).read(since=since, until=since + timedelta(hours=2), fill=fill)
        assert [float(value) * 1000 for value in table.column(1)] == list(range(80, 89))
        assert (None in table.column(0)) is not fill
