"""``cosem readout``: what a meter shows as text."""

from __future__ import annotations

import pytest

from cosem.cli.recording import read_recording
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
