"""The clock, images and the switch from the command line."""

from __future__ import annotations

import io
import sys
from datetime import datetime

import pytest

from cosem.classes.standard.image_transfer import ImageTransferStatus
from cosem.cli.verbs import image as image_verb
from cosem.server import (
    AccessRights,
    ClockObject,
    ImageTransferObject,
    LogicalDevice,
    demonstration_meter,
    serve_in_thread,
)
from cosem.types.enumerations import ActionResult
from tests.server.driver import StandingClock

MANAGEMENT = ("--client", "1", "--password", "87654321")


@pytest.fixture
def url():
    with serve_in_thread(demonstration_meter(clock=StandingClock())) as address:
        yield address


def test_the_clock_is_shown_beside_that_of_this_computer(cosem, url):
    done = cosem("clock", url)
    assert (done.status, done.err) == (0, "")
    assert done.out.startswith("meter 2026-11-25 13:00:00+01:00, ")
    facts = cosem("clock", url, "--json").json
    assert facts["time"] == "2026-11-25T13:00:00+01:00"
    assert facts["deviation"] == -60
    assert facts["status"] == 0
    here = datetime.fromisoformat(facts["here"])
    assert facts["seconds_ahead"] == pytest.approx(
        (datetime.fromisoformat(facts["time"]) - here).total_seconds(), abs=0.01
    )


def test_the_clock_is_set(cosem, url):
    done = cosem("clock", url, "--set", "2027-01-02T03:04:05+00:00", "--json", *MANAGEMENT)
    assert done.json["before"] == "2026-11-25T13:00:00+01:00"
    assert done.json["time"] == "2027-01-02T04:04:05+01:00"
    done = cosem("clock", url, "--set", "2027-05-02T03:04:05", *MANAGEMENT)
    assert done.out.splitlines()[0].startswith("was   2027-01-02 04:04:05+01:00")
    assert done.out.splitlines()[1].startswith("meter 2027-05-02 03:04:05+02:00, ")


def test_the_clock_is_set_by_this_computer(cosem, url):
    done = cosem("clock", url, "--set", "now", *MANAGEMENT)
    assert "as here" in done.out
    assert "+01:00" in done.out or "+02:00" in done.out


def test_a_clock_without_zone_tells_no_distance(cosem):
    clock = ClockObject()
    clock.getter("time")(lambda: bytes.fromhex("07EA0B19030D0000FF8000FF"))
    device = LogicalDevice("ABC0000000000001", objects=[clock])
    device.add_association(16)
    with serve_in_thread(device) as address:
        assert "tells no distance from UTC" in cosem("clock", address).out
        assert cosem("clock", address, "--json").json["seconds_ahead"] is None


@pytest.mark.parametrize(
    ("words", "said", "status"),
    [
        (["clock", "sim:", "--set", "teatime"], "'teatime' is no time", 2),
        (["clock", "sim:", "--set", "now"], "read-write-denied", 1),
        (["disconnect", "sim:", *MANAGEMENT], "nobody is here to confirm", 2),
        (["reconnect", "sim:", "--yes"], "read-write-denied", 1),
        (["disconnect", "sim:", "0-0:96.3.11", "--yes"], "object-undefined", 1),
        (["image", "sim:", "none.bin"], "none.bin: No such file", 1),
        (["image", "sim:", "none.bin", "--activate"], "nobody is here to confirm", 2),
    ],
)
def test_what_cannot_be_is_said_in_one_line(cosem, words, said, status, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    done = cosem(*words)
    assert (done.status, done.out) == (status, "")
    assert said in done.err
    assert done.err.count("\n") == 1


def test_premises_are_disconnected_and_reconnected(cosem, url):
    done = cosem("disconnect", url, "--yes", *MANAGEMENT)
    assert (done.status, done.out) == (0, "disconnected (was connected); the supply is off\n")
    done = cosem("reconnect", url, "0-0:96.3.10", "--yes", "--json", *MANAGEMENT)
    assert done.json == {
        "obis": "0.0.96.3.10.255",
        "before": "disconnected",
        "state": "connected",
        "output": True,
    }


class Terminal(io.StringIO):
    """Somebody who types."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("answer", "status", "state"), [("y\n", 0, "disconnected"), ("\n", 2, "connected")])
def test_who_is_there_is_asked_first(cosem, url, monkeypatch, answer, status, state):
    monkeypatch.setattr(sys, "stdin", Terminal(answer))
    done = cosem("disconnect", url, *MANAGEMENT)
    assert done.status == status
    assert "which is connected now? [y/N]" in done.err
    assert f"{state}" in (done.out if status == 0 else done.err)


IMAGE = bytes(range(250)) * 4


def with_image(**facts):
    target = ImageTransferObject(image_block_size=100, **facts)
    device = LogicalDevice("ABC0000000000001", objects=[target])
    device.add_association(16, AccessRights.full())
    return target, serve_in_thread(device)


def test_an_image_is_sent_verified_and_activated(cosem, tmp_path):
    file = tmp_path / "new.bin"
    file.write_bytes(IMAGE)
    target, serving = with_image()
    with serving as address:
        assert cosem("image", address).out == "not initiated: 0 of 0 blocks of 100 octets are there\n"
        done = cosem("image", address, str(file))
        assert (done.status, done.err) == (0, "")
        assert done.out == (
            "1,000 octets of new, 10 blocks sent\n"
            "verification successful: 10 of 10 blocks of 100 octets are there\n"
        )
        done = cosem("image", address, str(file), "--activate", "--yes", "--identifier", "v2", "--json")
    assert done.json == {
        "identifier": "v2",
        "octets": 1000,
        "blocks_sent": 10,
        "status": "activation successful",
        "enabled": True,
        "block_size": 100,
        "blocks": 10,
        "blocks_there": 10,
    }
    assert (target.image, target.identifier) == (IMAGE, b"v2")


def test_an_image_is_resumed(cosem, tmp_path):
    file = tmp_path / "new.bin"
    file.write_bytes(IMAGE)
    target, serving = with_image()
    with serving as address:
        cosem("image", address, str(file), "--no-verify")
        del target._blocks[4]
        done = cosem("image", address, str(file), "--resume", "--json")
    assert done.json["blocks_sent"] == 1
    assert done.json["status"] == "verification successful"
    assert target.image == IMAGE


def test_an_image_that_is_verified_is_activated_without_sending_or_verifying_it_again(cosem, tmp_path):
    file = tmp_path / "new.bin"
    file.write_bytes(IMAGE)
    verified = []
    target, serving = with_image(verify=lambda image: not verified.append(image))
    with serving as address:
        cosem("image", address, str(file))
        done = cosem("image", address, str(file), "--resume", "--activate", "--yes", "--json")
    assert (done.json["blocks_sent"], done.json["status"]) == (0, "activation successful")
    assert verified == [IMAGE]
    assert target.image == IMAGE


@pytest.mark.parametrize("more", [(), ("--activate", "--yes")])
def test_a_mixture_of_two_images_is_not_taken_for_good(cosem, tmp_path, more):
    for name, image in (("old", IMAGE), ("new", IMAGE[::-1])):
        (tmp_path / f"{name}.bin").write_bytes(image)
    target, serving = with_image()
    with serving as address:
        cosem("image", address, str(tmp_path / "old.bin"), "--no-verify")
        del target._blocks[4]
        done = cosem("image", address, str(tmp_path / "new.bin"), "--resume", *more)
        assert (done.status, done.out) == (2, "")
        assert "the meter holds 'old', not 'new'" in done.err
        assert target.image_transfer_status == ImageTransferStatus.VERIFICATION_SUCCESSFUL
        again = cosem("image", address, str(tmp_path / "new.bin"), *more)
    assert again.status == 0
    assert target.image == IMAGE[::-1]


def test_an_image_that_is_not_good_is_a_failure(cosem, tmp_path):
    file = tmp_path / "bad.bin"
    file.write_bytes(IMAGE)
    _, serving = with_image(verify=lambda _: False)
    with serving as address:
        done = cosem("image", address, str(file))
    assert (done.status, done.out) == (1, "")
    assert "image_verify" in done.err


@pytest.mark.parametrize(
    ("ends", "status", "said"), [(3, 0, "successful"), (4, 1, "verification failed"), (2, 1, "still at it")]
)
def test_a_meter_that_takes_its_time_is_waited_for(cosem, tmp_path, monkeypatch, ends, status, said):
    monkeypatch.setattr(image_verb, "_PAUSE", 0)
    file = tmp_path / "new.bin"
    file.write_bytes(IMAGE)
    target, serving = with_image()

    def verify():
        target.put("image_transfer_status", 2)
        left = iter([2, 2, *[ends] * 1000])
        target.getter("image_transfer_status")(lambda: next(left, ends))
        return ActionResult.TEMPORARY_FAILURE

    target.handler("image_verify")(verify)
    with serving as address:
        done = cosem("image", address, str(file), "--patience", "0.2")
    assert done.status == status
    assert said in done.out + done.err


def test_an_image_is_activated_only_when_somebody_says_yes(cosem, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "stdin", Terminal("no\n"))
    file = tmp_path / "new.bin"
    file.write_bytes(IMAGE)
    target, serving = with_image()
    with serving as address:
        done = cosem("image", address, str(file), "--activate", "--json")
    assert "activate new in tcp://" in done.err
    assert done.json["status"] == "verification successful"
    assert target.image_transfer_status == 3
