"""Meters whose clock was lost or put back: no row is missed, however far from the present it was written."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from cosem.types.data import DoubleLongUnsigned, OctetString, Structure
from cosem.types.date_time import DateTime
from tests.client.meter import CLOCK, PROFILE, connected
from tests.client.test_profile import QUARTER, ProfileMeter

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LATELY = datetime.now(UTC) - timedelta(days=2)


def stamp(moment: datetime) -> OctetString:
    return OctetString(DateTime.from_datetime(moment).octets)


def meter_of(now: datetime, *starts: datetime) -> ProfileMeter:
    """Return a meter with four rows from each of these moments on, and a clock that says ``now``."""
    meter = ProfileMeter()
    meter.rows = [
        Structure((stamp(start + number * QUARTER), DoubleLongUnsigned(number)))
        for start in starts
        for number in range(4)
    ]
    meter.values[8, CLOCK, 2] = stamp(now)
    meter.values[7, PROFILE, 7] = DoubleLongUnsigned(len(meter.rows))
    return meter


@pytest.mark.parametrize("start", [EPOCH, datetime(1985, 1, 10, tzinfo=UTC)])
def test_rows_before_2000_are_read_without_a_beginning(start):
    client, _ = connected(meter_of(start + timedelta(days=1), start))
    assert len(client.profile(PROFILE).read(until="1990-01-01")) == 4


@pytest.mark.parametrize("rows_at_once", [0, 2])
def test_rows_behind_a_clock_that_was_lost_are_read_without_an_end(rows_at_once):
    client, _ = connected(meter_of(EPOCH + timedelta(hours=2), LATELY, EPOCH))
    profile = client.profile(PROFILE)
    assert len(profile.read(since="2010-01-01", rows_at_once=rows_at_once)) == 4
    assert len(profile.read(since="1970-01-01", rows_at_once=rows_at_once)) == 8
    assert len(profile.read(last="7h")) == 4


def test_a_clock_ahead_of_here_is_the_end():
    ahead = datetime(2090, 1, 1, tzinfo=UTC)
    client, _ = connected(meter_of(ahead + timedelta(hours=2), ahead))
    assert len(client.profile(PROFILE).read(since="2050-01-01")) == 4
