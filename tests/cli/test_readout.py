"""``cosem readout``: what a meter shows as text."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from cosem.cli.recording import read_recording
from cosem.connecting import text_port
from cosem.connecting.reading_out import read_out
from cosem.errors import TransportTimeout
from cosem.server import demonstration_meter, serve_in_thread


@pytest.fixture(scope="module")
def url():
    data = "0.0.0(12345678)1-0:1.8.0(001234.5*kWh)"
    with serve_in_thread(demonstration_meter(), f"hdlc+tcp://127.0.0.1:0?mode_e=1&readout={data}") as address:
        yield address


def test_the_readout_is_shown(cosem, url):
    done = cosem("readout", url)
    assert (done.status, done.err) == (0, "")
    assert done.out.startswith("CSM COSEM, mode E\n")
    assert "1-0:1.8.0" in done.out
    assert "001234.5" in done.out
    assert "kWh" in done.out


def test_the_readout_as_json(cosem, url):
    done = cosem("readout", url, "--json")
    assert done.json["manufacturer"] == "CSM"
    assert done.json["checked"] is True
    assert done.json["values"][1] == {
        "address": "1-0:1.8.0",
        "obis": "1.0.1.8.0.255",
        "values": [{"text": "001234.5", "value": 1234.5, "unit": "kWh"}],
    }


def test_the_readout_is_recorded_with_both_directions(cosem, url, tmp_path):
    file = tmp_path / "readout.jsonl"
    assert cosem("readout", url, "--record", str(file)).status == 0
    entries = read_recording(str(file)).entries
    assert {entry.sent for entry in entries} == {True, False}
    assert b"001234.5*kWh" in b"".join(entry.octets for entry in entries if not entry.sent)


def test_an_empty_readout_is_a_failure(cosem):
    with serve_in_thread(demonstration_meter(), "hdlc+tcp://127.0.0.1:0?mode_e=1") as url:
        assert cosem("readout", url).status == 1


@pytest.mark.parametrize(
    ("words", "said"), [(["sim:"], "has no readout"), (["tcp://127.0.0.1:1", "--limit", "x"], "x")]
)
def test_wrong_usage_is_told(cosem, words, said):
    done = cosem("readout", *words)
    assert done.status == 2
    assert said in done.err


class Line:
    """A channel on which some octets come, and each silence takes as long as it may."""

    def __init__(self, octets: bytes) -> None:
        self.octets = octets
        self.now = 0.0

    def send(self, octets: bytes) -> None:
        pass

    def receive(self, timeout: float) -> bytes:
        octets, self.octets = self.octets, b""
        if octets:
            return octets
        self.now += timeout
        raise TransportTimeout("silence")

    def close(self) -> None:
        pass


@pytest.mark.parametrize(
    ("octets", "said"),
    [
        (b"", "no readout: nothing was heard in the time that was allowed, 7 s"),
        (b"/ABC5x", "the readout was not done in the time that was allowed, 7 s: 6 octets came"),
    ],
)
@pytest.mark.parametrize("listen", [False, True])
def test_a_silent_meter_is_told_from_one_that_does_not_end(monkeypatch, octets, said, listen):
    line = Line(octets)
    monkeypatch.setattr(text_port, "profile_of", lambda _: SimpleNamespace(channel=lambda *_: line))
    with pytest.raises(TransportTimeout, match=f"^{said}$"):
        read_out("tcp://127.0.0.1:1", listen=listen, timeout=7, clock=lambda: line.now)
