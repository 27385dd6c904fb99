"""Whole meters in the command line: taken down, compared, shown as a tree, served again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tomllib

import pytest

from cosem.cli.browsing import Browser
from cosem.cli.progressing import Progressing
from cosem.cli.verbs.tree import Branch
from cosem.connecting import connect
from cosem.connecting.simulated import meter_maker, simulated
from cosem.server import LogicalDevice, demonstration_meter, serve_in_thread
from tests.server.driver import StandingClock

MANAGEMENT = ("--client", "1", "--password", "87654321")


@pytest.fixture(scope="module")
def url():
    with serve_in_thread(demonstration_meter(clock=StandingClock())) as address:
        yield address


def test_a_dump_goes_to_a_file_or_to_standard_output(cosem, url, tmp_path):
    file = tmp_path / "meter.toml"
    done = cosem("dump", url, "--no-buffers", "-o", str(file))
    assert (done.status, done.err) == (0, "")
    assert done.out.startswith("40 objects, ")
    assert file.read_text(encoding="utf-8") == cosem("dump", url, "--no-buffers").out
    meter = tomllib.loads(file.read_text(encoding="utf-8"))
    assert meter["meter"]["name"] == "COS1E10000001"
    assert "buffer" not in next(each for each in meter["object"] if each["class"] == 7)["values"]


def test_a_dump_as_json_has_values_with_types(cosem, url):
    done = cosem("dump", url, "--no-buffers", "--json")
    energy = next(each for each in done.json["objects"] if each["obis"] == "1.0.1.8.0.255")
    assert energy["attributes"]["3"]["name"] == "scaler_unit"
    assert energy["attributes"]["3"]["data"] == {"structure": [{"integer": 0}, {"enum": 30}]}
    assert done.json["associations"][0]["mechanism"] == "LOWEST"
    assert done.json["time"] == "2026-11-25T13:00:00+01:00"


def test_a_dump_goes_to_one_place(cosem, url):
    done = cosem("dump", url, "--json", "-o", "x.toml")
    assert (done.status, done.out) == (2, "")
    assert "choose one" in done.err


def test_a_dump_does_not_differ_from_its_meter(cosem, url, tmp_path):
    file = str(tmp_path / "meter.toml")
    cosem("dump", url, "-o", file)
    done = cosem("diff", file, url, "--all")
    assert (done.status, done.out, done.err) == (0, "no difference in 40 objects\n", "")
    assert cosem("diff", url, file, "--all", "--json").json == {
        "equal": True,
        "differences": [],
        "left_out": 0,
    }


def test_what_was_changed_is_shown(cosem, tmp_path):
    file = str(tmp_path / "meter.toml")
    with serve_in_thread(demonstration_meter(clock=StandingClock())) as url:
        cosem("dump", url, "-o", file, "--no-buffers", *MANAGEMENT)
        cosem("set", url, "0-0:96.13.0", "value", "text:Good night", *MANAGEMENT)
        cosem("set", url, "1-0:99.2.0", "capture_period", "3600", *MANAGEMENT)
        done = cosem("diff", file, url, *MANAGEMENT)
        facts = cosem("diff", file, url, "--json", *MANAGEMENT)
    assert done.status == facts.status == 1
    assert done.err == ""
    assert "capture_period" in done.out
    assert "86400" in done.out
    assert not facts.json["equal"]
    period = next(each for each in facts.json["differences"] if each["obis"] == "1.0.99.2.0.255")
    assert (period["attribute"], period["attribute_name"]) == (4, "capture_period")
    assert (period["before"], period["after"]) == (
        {"double-long-unsigned": 86400},
        {"double-long-unsigned": 3600},
    )


def test_objects_that_only_one_has_are_shown(cosem):
    done = cosem("diff", "sim:water", "sim:single-phase")
    assert done.status == 1
    assert "only in the first" in done.out
    assert "only in the second" in done.out


@pytest.mark.parametrize(
    ("words", "said", "status"),
    [
        (["diff", "none.toml", "sim:"], "none.toml: No such file", 1),
        (["diff", "sim:"], "required: OTHER", 2),
        (["dump", "sim:wine"], "no simulated meter", 2),
        (["dump", "sim:", "-o", "/nowhere/meter.toml"], "/nowhere/meter.toml: No such file", 1),
        (["profile", "./none.toml", "1-0:99.1.0"], "is simulated by sim:./none.toml", 2),
        (["objects", "none.toml"], "is simulated by sim:none.toml", 2),
        (["tree", "sim:", "--browse"], "--browse needs a terminal", 2),
        (["serve", "wine"], "no simulated meter", 2),
        (["serve", "--count", "0"], "no number from 1", 2),
        (["serve", "--fault", "fog=1"], "is no fault", 2),
        (["serve", "--count", "70000"], "no number from 1 to 65535", 2),
        (["serve", "--count", "5", "--listen", "udp://127.0.0.1:0"], "has no ports", 2),
    ],
)
def test_what_cannot_be_is_said_in_one_line(cosem, words, said, status):
    done = cosem(*words)
    assert (done.status, done.out) == (status, "")
    assert said in done.err
    assert done.err.count("\n") == 1


@pytest.mark.parametrize("words", [["diff", "sim:", "img.bin"], ["profile", "img.bin", "1-0:99.1.0"]])
def test_a_file_is_not_looked_up_as_a_host(cosem, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "img.bin").write_bytes(bytes(8))
    done = cosem(*words)
    assert (done.status, done.out, done.err.count("\n")) == (2, "", 1)
    assert "img.bin is a file, not a meter" in done.err


def test_a_tree_has_media_objects_attributes_and_methods(cosem, url):
    done = cosem("tree", url, "--class", "70")
    lines = done.out.splitlines()
    assert lines[0].startswith("tcp://")
    assert lines[1] == "└─ Abstract"
    assert lines[2].startswith("   └─ 0-0:96.3.10  Disconnect control  (Disconnect control, class 70")
    assert "      ├─ 3 control_state: enum [read]" in lines
    assert lines[-1] == "      └─ method 2 remote_reconnect [no access]"


def test_a_tree_without_objects_says_so(cosem, url):
    done = cosem("tree", url, "--class", "999")
    assert (done.status, done.err) == (0, "")
    assert done.out.endswith(": no objects of class 999\n")
    assert cosem("tree", url, "--class", "999", "--json").json == []


def test_a_tree_reads_values_when_asked_for(cosem, url):
    done = cosem("tree", url, "--class", "1", "--values")
    assert "= 3130303030303031 (10000001)" in done.out
    facts = cosem("tree", url, "--class", "3", "--values", "--json").json
    energy = next(each for each in facts if each["obis"] == "1.0.1.8.0.255")
    assert energy["attributes"][2]["value"] == [0, 30]
    assert "value" not in cosem("tree", url, "--class", "3", "--json").json[0]["attributes"][2]


def test_a_tree_leaves_buffers_closed(cosem, url):
    done = cosem("tree", url, "--class", "7", "--values")
    buffers = [line for line in done.out.splitlines() if " 2 buffer: " in line]
    assert len(buffers) == 4
    assert not any(" = " in line for line in buffers)


def tree():
    leaves = [Branch(f"leaf {n}") for n in range(3)]
    return Branch("root", children=[Branch("medium", children=[Branch("object", children=leaves)])])


def test_browsing_opens_and_closes_branches():
    opened = []
    browser = Browser(tree(), lambda branch: opened.append(branch.text))
    assert [branch.text for _, branch in browser.lines()] == ["root", "medium", "object"]
    for key in ("down", "down", "right", "down", "up", "enter", "enter"):
        assert browser.press(key, 10)
    assert opened == ["object"]
    assert [branch.text for _, branch in browser.lines()][3:] == ["leaf 0", "leaf 1", "leaf 2"]
    browser.press("end", 10)
    browser.press("left", 10)
    assert browser.lines()[browser.place][1].text == "object"
    browser.press("left", 10)
    assert len(browser.lines()) == 3
    assert not browser.press("quit", 10)


def test_browsing_keeps_what_is_chosen_on_the_screen():
    browser = Browser(tree(), lambda _: None)
    for key in ("end", "right", "end"):
        browser.press(key, 2)
    assert browser.screen(2, 80) == [("        leaf 1", False), ("        leaf 2", True)]
    browser.press("page up", 2)
    browser.press("home", 2)
    assert browser.screen(2, 8) == [("- root", True), ("  - med", False)]
    browser.press("", 2)
    assert browser.place == 0


def test_progress_is_shown_to_those_who_look(capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    with Progressing("blocks") as step:
        for done in range(3):
            step(done, 2)
    said = capsys.readouterr().err
    assert "2 of 2 blocks" in said
    assert said.endswith("\r\x1b[K")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: False, raising=False)
    with Progressing("blocks") as step:
        step(1, 2)
    assert capsys.readouterr().err == ""


def served(*words):
    return subprocess.Popen(
        [sys.executable, "-m", "cosem", "serve", *words, "--json"],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"COSEM_PASSWORD": "12345678"},
    )


def first_of(process):
    """Return the JSON that it says first, in however many lines."""
    text = ""
    while True:
        text += process.stdout.readline()
        try:
            return json.loads(text)
        except json.JSONDecodeError:
            assert process.poll() is None


def stopped(process):
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=20)
    return process.returncode


def test_a_dump_is_served_again(cosem, url, tmp_path):
    file = str(tmp_path / "meter.toml")
    cosem("dump", url, "-o", file, "--client", "17", "--password", "12345678")
    with served(file, "--listen", "tcp://127.0.0.1:0") as process:
        again = first_of(process)["url"]
        done = cosem("diff", file, again, "--all", "--client", "17", "--password", "12345678")
        assert stopped(process) == 0
    assert (done.status, done.out) == (0, "no difference in 40 objects\n")


def test_many_meters_are_served():
    with served("single-phase", "--count", "3", "--seed", "5", "--listen", "tcp://127.0.0.1:0") as process:
        urls = first_of(process)["urls"]
        serials = []
        for each in urls:
            with connect(each) as meter:
                serials.append(bytes(meter.get("0-0:96.1.0")))
        assert stopped(process) == 0
    assert serials == [b"10000005", b"10000006", b"10000007"]
    with served(
        "water", "--count", "3", "--by", "server", "--fault", "delay=0.01", "--listen", "tcp://127.0.0.1:0"
    ) as process:
        (address,) = first_of(process)["urls"]
        with connect(address, server=3) as meter:
            assert meter.get("0-0:96.1.0") == b"10000003"
        assert stopped(process) == 0


def test_a_simulated_meter_with_faults_is_served():
    with served(
        "dsmr-like", "--fault", "duplicate=0.1,jump=0.1", "--listen", "hdlc+tcp://127.0.0.1:0"
    ) as process:
        address = first_of(process)["url"]
        with connect(address) as meter:
            assert meter.get("0-0:96.1.0") == simulated("dsmr-like")["0-0:96.1.0"].get(2)
        assert stopped(process) == 0


def test_every_logical_device_is_taken_down_and_served_again(cosem, tmp_path):
    water = meter_maker("water", clock=StandingClock())(7, 2)
    file, other = tmp_path / "meter.toml", tmp_path / "meter-2.toml"
    with serve_in_thread([demonstration_meter(clock=StandingClock()), water]) as address:
        done = cosem("dump", address, "--no-buffers", "--devices", "-o", str(file))
        facts = cosem("dump", address, "--no-buffers", "--devices", "--json").json
    assert (done.status, done.err) == (0, "")
    assert done.out.count("written to") == 2
    assert [each["server"] for each in facts] == [1, 2]
    meters = [simulated(str(each)) for each in (file, other)]
    with serve_in_thread(meters) as address:
        again = cosem("dump", address, "--no-buffers", "--devices", "--json").json
    assert again == facts


def test_a_logical_device_that_cannot_be_taken_down_is_told(cosem, tmp_path):
    locked = LogicalDevice("ABC0000000000002", sap=2)
    locked.add_association(1, secret="87654321")
    file = tmp_path / "meter.toml"
    with serve_in_thread([demonstration_meter(clock=StandingClock()), locked]) as address:
        done = cosem("dump", address, "--no-buffers", "--devices", "-o", str(file))
    assert done.status == 1
    assert done.err.startswith("logical device 2 (ABC0000000000002): ")
    assert done.err.count("\n") == 1
    assert file.exists()


def test_several_devices_need_several_places(cosem):
    done = cosem("dump", "sim:", "--devices")
    assert (done.status, done.out) == (2, "")
    done = cosem("serve", "water", "three-phase", "--listen", "tcp://127.0.0.1:0")
    assert (done.status, done.err.count("\n")) == (2, 1)
    assert "two logical devices have the address 1" in done.err


def test_a_reading_is_left_out_and_told_and_what_is_configured_in_data_counts(cosem, tmp_path):
    head = 'cosem-meter = 1\n[meter]\nname = "ABC{serial}"\n[[association]]\nclient = 16\nrights = "full"\n'
    files = []
    for name, octets, power in (("one", "AA", 5), ("other", "BB", 6)):
        file = tmp_path / f"{name}.toml"
        file.write_text(
            f'{head}[[object]]\nclass = 1\nname = "0-0:94.91.0"\n'
            f'values = {{value = {{octet-string = "{octets}"}}}}\n'
            f'[[object]]\nclass = 3\nname = "1-0:1.7.0"\nvalues = {{value = {{long-unsigned = {power}}}}}\n'
        )
        files.append(str(file))
    done = cosem("diff", *files)
    assert done.status == 1
    assert "0-0:94.91.0" in done.out
    assert "1-0:1.7.0" not in done.out
    assert "left out: 1 that the meter changes by itself" in done.out
    facts = cosem("diff", *files, "--json").json
    assert (facts["left_out"], [each["obis"] for each in facts["differences"]]) == (1, ["0.0.94.91.0.255"])
    everything = cosem("diff", *files, "--all", "--json").json
    assert (everything["left_out"], len(everything["differences"])) == (0, 2)
