"""A recording played for a client that asks otherwise: other portions, other services, another login, ciphered anew."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

import cosem
from cosem.association.client.parameters import ALL_SERVICES_LN
from cosem.cli.deciphering import Deciphering
from cosem.cli.recording_opened import open_recording
from cosem.cli.security import Entry
from cosem.client.blocking import Client
from cosem.client.ciphering import AUTHENTICATED_ENCRYPTION
from cosem.connecting.demonstration import demonstration_security
from cosem.errors import AccessError, ActionError
from cosem.security.counters import VolatileCounterStore
from cosem.security.demonstration import demonstration_keys
from cosem.server import Server, demonstration_meter, serve_in_thread
from cosem.server.replay import ReplayDevice
from cosem.server.replay_knowledge import Knowledge
from cosem.translate.secrets import SecretFinder
from cosem.transport.recording import Entry as Line
from cosem.transport.recording import Recorder, Recording, RecordingHeader
from cosem.types.data import OctetString
from cosem.types.enumerations import Conformance, DataAccessResult
from cosem.types.logical_name import LogicalName

NAMES = ("0-0:96.1.0", "0-0:42.0.0", "1-0:1.8.0")
PASSWORD = "12345678"
PLAIN = ALL_SERVICES_LN & ~(Conformance.ACCESS | Conformance.GENERAL_BLOCK_TRANSFER)
SINGLE = PLAIN & ~Conformance.MULTIPLE_REFERENCES
Did = Callable[[Client], Any]


def recorded(did: Did, **options: Any) -> Recording:
    """Return the recording of a client at the demonstration meter."""
    lines: list[str] = []
    recorder = Recorder(
        lines.append,
        RecordingHeader(),
        now=lambda: datetime(2026, 3, 1, tzinfo=UTC),
        seconds=lambda: 0.0,
        mask=SecretFinder([PASSWORD.encode()]),
    )
    with (
        serve_in_thread(demonstration_meter()) as url,
        cosem.connect(url, observer=recorder, **options) as meter,
    ):
        did(meter)
    recorder.close()
    return Recording.parse("".join(lines))


@contextmanager
def played(recording: Recording, **options: Any) -> Iterator[tuple[str, list[bytes]]]:
    told: list[bytes] = []
    with serve_in_thread(Server(ReplayDevice(recording, told.append, **options)).listen()) as url:
        yield url, told


def in_one_list(meter: Client) -> list[Any]:
    return [result.value.raw for result in meter.read_many(NAMES)]


LOGIN: dict[str, Any] = {"client": 17, "password": PASSWORD}


@pytest.mark.parametrize("conformance", [ALL_SERVICES_LN, PLAIN, SINGLE], ids=["access", "list", "single"])
@pytest.mark.parametrize("other", [ALL_SERVICES_LN, PLAIN, SINGLE], ids=["access", "list", "single"])
def test_lists_singles_and_access_answer_each_other(conformance: Conformance, other: Conformance) -> None:
    real: list[Any] = []
    recording = recorded(lambda meter: real.extend(in_one_list(meter)), conformance=conformance, **LOGIN)
    with played(recording) as (url, told), cosem.connect(url, conformance=other, **LOGIN) as meter:
        assert in_one_list(meter) == real
        assert [meter.get(name) for name in reversed(NAMES)] == real[::-1]
    assert not told


@pytest.mark.parametrize(
    "login",
    [{}, {"client": 1}, {"client": 9, "password": "whatever"}, {"client": 17, "password": PASSWORD}],
    ids=["lowest", "other-client", "other-password", "same"],
)
def test_whoever_comes_is_welcome(login: dict[str, Any]) -> None:
    real: list[Any] = []
    recording = recorded(lambda meter: real.append(meter.get(NAMES[0])), **LOGIN)
    with played(recording) as (url, told), cosem.connect(url, **login) as meter:
        assert meter.get(NAMES[0]) == real[0]
    assert not told


@pytest.mark.parametrize("size", [64, 200, 4000])
def test_what_came_in_blocks_goes_out_in_other_blocks(size: int) -> None:
    real: list[Any] = []

    def did(meter: Client) -> None:
        real.append(meter.get("0-0:40.0.0", "object_list", class_id=15))

    recording = recorded(did, conformance=PLAIN, **LOGIN)
    assert sum(entry.octets[:2] == b"\xc4\x02" for entry in recording.apdus) > 1
    with (
        played(recording) as (url, told),
        cosem.connect(url, conformance=ALL_SERVICES_LN, max_pdu_size=size) as meter,
    ):
        assert meter.get("0-0:40.0.0", "object_list", class_id=15) == real[0]
        assert meter.get("0-0:40.0.0", "object_list", class_id=15) == real[0]
    assert not told


def test_short_names_are_played_in_other_portions() -> None:
    real: list[Any] = []
    recording = recorded(lambda meter: real.extend(in_one_list(meter)), short_names=True, **LOGIN)
    with played(recording) as (url, told), cosem.connect(url, short_names=True) as meter:
        assert [meter.get(name) for name in reversed(NAMES)] == real[::-1]
    assert not told


def test_what_was_not_recorded_is_refused_and_told_once() -> None:
    recording = recorded(lambda meter: meter.get(NAMES[0]), **LOGIN)
    with played(recording) as (url, told), cosem.connect(url) as meter:
        for _ in range(3):
            with pytest.raises(AccessError) as caught:
                meter.get("1-0:2.8.0")
            assert caught.value.result is DataAccessResult.OBJECT_UNAVAILABLE
        found = meter.read_many([NAMES[0], "1-0:2.8.0"])
        assert [each.ok for each in found] == [True, False]
    assert [each.hex() for each in told] == ["c0014000030100020800ff0200", "c0014000030100020800ff0300"]


def test_writes_and_calls_have_their_results() -> None:
    def did(meter: Client) -> None:
        meter.set(
            "0-0:96.3.10", "control_mode", meter.get("0-0:96.3.10", "control_mode", class_id=70), class_id=70
        )
        with pytest.raises(AccessError):
            meter.set(NAMES[0], "value", OctetString(b"x"), class_id=1)
        meter.call("0-0:96.3.10", 1, class_id=70)

    recording = recorded(did, client=1, password="87654321")
    with played(recording) as (url, told), cosem.connect(url, conformance=SINGLE) as meter:
        mode = meter.get("0-0:96.3.10", "control_mode", class_id=70)
        meter.set("0-0:96.3.10", "control_mode", mode, class_id=70)
        meter.call("0-0:96.3.10", 1, class_id=70)
        with pytest.raises(AccessError) as caught:
            meter.set(NAMES[0], "value", OctetString(b"x"), class_id=1)
        assert caught.value.result is DataAccessResult.READ_WRITE_DENIED
        assert not told
        with pytest.raises(ActionError):
            meter.call("0-0:96.3.10", 2, class_id=70)
    assert len(told) == 1


def test_what_repeats_goes_through_its_outcomes_and_begins_again() -> None:
    entries = []
    for at, (sent, text) in enumerate(
        [
            (True, "C001C1 0001 0000600100FF 02 00"),
            (False, "C401C1 00 1101"),
            (True, "C001C1 0001 0000600100FF 02 00"),
            (False, "C401C1 00 1102"),
        ]
    ):
        entries.append(Line(float(at), sent, "apdu", bytes.fromhex(text)))
    recording = Recording(RecordingHeader(), tuple(entries))
    device = ReplayDevice(recording)
    association = device.association(16)
    request = bytes.fromhex("C003C1 01 0001 0000600100FF 02 00".replace(" ", ""))
    said = []
    for _ in range(3):
        processing = association.process(request, 0.0)
        outcome = None
        try:
            while True:
                outcome = device.resolve(association, processing.send(outcome))
        except StopIteration as stop:
            said.append(stop.value[0].hex())
    assert said == ["c403c101001101", "c403c101001102", "c403c101001101"]


@pytest.mark.parametrize("dedicated", [False, True], ids=["global", "dedicated"])
def test_a_ciphered_recording_is_played_with_keys(dedicated: bool) -> None:
    real: list[Any] = []
    keys = demonstration_keys()
    security = cosem.HighGmac(
        keys,
        replace(AUTHENTICATED_ENCRYPTION, dedicated=dedicated),
        counters=VolatileCounterStore(),
        allow_test_keys=True,
    )
    recording = recorded(lambda meter: real.extend(in_one_list(meter)), client=2, security=security)
    deciphering = Deciphering(Entry(keys, "demo", None), None, unverified=False)
    opened = open_recording(recording, deciphering)
    plain = {place: each.inspection.plain for place, each in opened.items() if each.inspection.plain}
    with (
        played(recording, plain=plain, keys=keys, counters=VolatileCounterStore(), first_counter=100) as (
            url,
            told,
        ),
        cosem.connect(url, client=2, security=demonstration_security()) as meter,
    ):
        assert [meter.get(name) for name in reversed(NAMES)] == real[::-1]
        with pytest.raises(AccessError):
            meter.get("1-0:2.8.0")
        with cosem.connect(url) as public:
            assert public.get("0-0:43.1.0", "value", class_id=1) == 0
    assert len(told) == 1


def test_without_keys_a_ciphered_client_is_refused_and_told() -> None:
    recording = recorded(lambda meter: meter.get(NAMES[0]), client=2, security=demonstration_security())
    with played(recording) as (url, told):
        with pytest.raises(cosem.CosemError):
            cosem.connect(url, client=2, security=demonstration_security(), retries=0)
        assert told


def test_rubbish_in_a_recording_tells_nothing() -> None:
    entries = [(i, Line(0.0, bool(i % 2), "apdu", bytes((tag, i)))) for i, tag in enumerate(range(256))]
    assert len(Knowledge(entries, {})) == 0
    cut = [
        (0, Line(0.0, True, "apdu", bytes.fromhex("C001C100010000600100FF0200")[:size]))
        for size in range(1, 13)
    ]
    assert len(Knowledge(cut, {})) == 0


def test_a_secret_that_is_masked_matches_whatever_is_sent() -> None:
    name = LogicalName("0.0.40.0.0.255")
    lines = [
        (
            0,
            Line(
                0.0,
                True,
                "apdu",
                bytes.fromhex("C101C1000F0000280000FF070009082A2A2A2A2A2A2A2A"),
                ((15, 23),),
            ),
        ),
        (1, Line(0.0, False, "apdu", bytes.fromhex("C501C100"))),
    ]
    knowledge = Knowledge(lines, {})
    subject = ("write", 15, bytes(name), 7, b"", b"\x09\x01x")
    assert knowledge.outcomes(subject) == [DataAccessResult.SUCCESS]
    assert knowledge.outcomes(("read", 15, bytes(name), 7, b"", b"")) == []
