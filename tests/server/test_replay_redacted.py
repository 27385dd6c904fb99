"""Redacted recordings are played: what differs from the meter is what tells whose it is, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

import cosem
from cosem.classes.meter_record import MeterRecord
from cosem.client.blocking import Client
from cosem.connecting.demonstration import demonstration_security
from cosem.errors import CosemError
from cosem.server import Server, serve_in_thread
from cosem.server.replay import ReplayDevice
from cosem.translate.meter_diff import differences
from cosem.translate.redaction import redact
from cosem.translate.secrets import SecretFinder
from cosem.transport.recording import Recorder, Recording, RecordingHeader
from cosem.types.data import OctetString

KEY = bytes(range(32))
SERIAL = b"10000001"
LOGIN: dict[str, Any] = {"client": 1, "password": "87654321"}
PERSONAL = {
    (1, 2),  # data: identities, counters of events
    (3, 2),
    (4, 2),
    (5, 2),
    (5, 3),  # readings
    (7, 2),  # rows of readings
    (17, 2),  # names of devices
    (23, 9),  # the address on the line, which is often made of the serial number
    (71, 3),
    (71, 4),
    (71, 5),  # what was agreed on with the customer
    (72, 6),
    (72, 7),  # the identity of a slave
}
METERS: list[tuple[str, dict[str, Any]]] = [
    ("three-phase", LOGIN),
    ("short-names", LOGIN | {"short_names": True}),
    ("short-names", LOGIN | {"short_names": True, "max_pdu_size": 128}),
    ("idis-like", LOGIN),
    ("gas-mbus", LOGIN),
]


def recorded(url: str, did: Callable[[Client], Any], **options: Any) -> tuple[Recording, Any]:
    lines: list[str] = []
    recorder = Recorder(
        lines.append,
        RecordingHeader(),
        now=lambda: datetime(2026, 3, 1, tzinfo=UTC),
        seconds=lambda: 0.0,
        mask=SecretFinder([b"87654321"]),
    )
    with cosem.connect(url, observer=recorder, **options) as meter:
        done = did(meter)
    recorder.close()
    return Recording.parse("".join(lines)), done


def taken_down(meter: Client) -> tuple[MeterRecord, list[Any]]:
    rows = meter.profile("1-0:99.1.0").read(entries=(1, 3)).raw
    return meter.dump(buffers=False), list(rows)


@pytest.mark.parametrize(("name", "options"), METERS)
@pytest.mark.parametrize("keep", [False, True])
def test_only_what_tells_somebody_is_another(name: str, options: dict[str, Any], keep: bool) -> None:
    recording, (before, rows) = recorded(f"sim:{name}", taken_down, **options)
    shared = redact(recording, KEY, keep_values=keep)
    assert SERIAL.hex() not in shared.to_text().lower()
    told: list[bytes] = []
    with (
        serve_in_thread(Server(ReplayDevice(shared, told.append)).listen()) as url,
        cosem.connect(url, **options) as meter,
    ):
        after, others = taken_down(meter)
    assert not told
    found = list(differences(before, after, dynamic=True))
    assert {each.kind for each in found} == {"value"}
    assert {(each.class_id, each.number) for each in found} <= PERSONAL
    names = {str(each.logical_name) for each in found}
    assert "0.0.96.1.0.255" in names
    assert ("1.0.1.8.0.255" in names) is not keep
    for each in found:
        if each.class_id == 17:
            assert [device[0] for device in each.before] == [device[0] for device in each.after]
    # The moments of the rows stay, their readings do not.
    assert [row[0] for row in others] == [row[0] for row in rows]
    assert (others == rows) is keep


def test_masks_and_the_scripts_that_activate_them_have_the_same_names() -> None:
    recording, (before, _) = recorded("sim:three-phase", taken_down, **LOGIN)
    with (
        serve_in_thread(Server(ReplayDevice(redact(recording, KEY))).listen()) as url,
        cosem.connect(url, **LOGIN) as meter,
    ):
        after, _ = taken_down(meter)
    masks = next(each for each in after if each.class_id == 6)
    listed: Any = masks.values[3]
    scripts: Any = [script for each in after if each.class_id == 9 for script in each.values[2]]  # type: ignore[union-attr]
    names = {bytes(mask[0]) for mask in listed}
    activated = {
        bytes(action[4])
        for script in scripts
        for action in script[1]
        if action[1] == 6 and isinstance(action[4], OctetString)
    }
    assert activated
    assert activated <= names
    assert masks == next(each for each in before if each.class_id == 6)


def test_a_ciphered_recording_plays_nothing_but_what_was_in_clear() -> None:
    ciphered: dict[str, Any] = {"client": 2, "security": demonstration_security(), "retries": 0}
    recording, _ = recorded("sim:", lambda meter: meter.get("0-0:96.1.0"), **ciphered)
    shared = redact(recording, KEY)
    assert [len(entry.octets) for entry in shared.apdus] == [len(entry.octets) for entry in recording.apdus]
    with serve_in_thread(Server(ReplayDevice(shared)).listen()) as url, pytest.raises(CosemError):
        cosem.connect(url, **ciphered)
    # The counter that clients which cipher ask for stays.
    counter = "0-0:43.1.0"
    recording, before = recorded("sim:", lambda meter: meter.get(counter, "value", class_id=1), client=16)
    with (
        serve_in_thread(Server(ReplayDevice(redact(recording, KEY))).listen()) as url,
        cosem.connect(url, client=16) as meter,
    ):
        assert meter.get(counter, "value", class_id=1) == before
