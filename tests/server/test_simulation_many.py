"""Many meters in one process: each is another one, and made when somebody wants it."""

from __future__ import annotations

import pytest

from cosem.connecting import connect
from cosem.connecting.simulated import meter_maker, record_of, simulated, template_names
from cosem.errors import ConfigurationError, CosemError
from cosem.server import serve_in_thread
from cosem.server.simulation.faults import Faults
from cosem.server.simulation.many import ManyMeters
from tests.server.driver import StandingClock

NAME, SERIAL = "0-0:42.0.0", "0-0:96.1.0"


def many(count, source="single-phase"):
    make = meter_maker(source, clock=StandingClock())
    return ManyMeters(lambda number, sap: make(number + 1, sap), count)


@pytest.mark.parametrize("source", ["single-phase", "demo"])
def test_meters_at_ports_are_different_meters(source):
    server = many(20, source).listen_at_ports()
    with serve_in_thread(server):
        assert len(set(server.addresses)) == 20
        assert set(server.made) <= {0}
        serials = set()
        for url in server.addresses[:5]:
            with connect(url) as meter:
                serials.add(bytes(meter.get(SERIAL)))
    assert len(serials) == 5
    assert set(server.made) == {0, 1, 2, 3, 4}


@pytest.mark.parametrize("scheme", ["tcp", "hdlc+tcp"])
def test_meters_at_addresses_are_different_meters(scheme):
    server = many(1000).listen_at_addresses(f"{scheme}://127.0.0.1:0")
    with serve_in_thread(server) as url:
        serials = {}
        for sap in (1, 2, 1000):
            with connect(url, server=sap) as meter:
                serials[sap] = bytes(meter.get(SERIAL))
                assert meter.get("0-0:41.0.0")[0][0] == sap
        assert set(server.made) == {0, 1, 999}
        with pytest.raises(CosemError):
            connect(url, server=1001)
    assert serials == {1: b"10000001", 2: b"10000002", 1000: b"10001000"}


def test_meters_at_ports_may_have_faults():
    server = many(2).listen_at_ports(faults=Faults(drop=1))
    with serve_in_thread(server) as url, pytest.raises(CosemError):
        connect(url)


def test_what_cannot_be_served_is_refused():
    with pytest.raises(ConfigurationError, match="65535"):
        many(70_000)
    with pytest.raises(ConfigurationError, match="no 10 ports from 65530 on"):
        many(10).listen_at_ports("tcp://127.0.0.1:65530")
    with pytest.raises(ConfigurationError, match="udp: has no ports"):
        many(10).listen_at_ports("udp://127.0.0.1:0")
    with pytest.raises(ConfigurationError, match="16383"):
        many(20_000).listen_at_addresses("hdlc+tcp://127.0.0.1:0")


@pytest.mark.parametrize("name", template_names())
def test_every_attribute_of_a_template_can_be_read(name):
    meter = meter_maker(name, clock=StandingClock())(7, None)
    short = name == "short-names"
    with (
        serve_in_thread(meter) as url,
        connect(url, short_names=short, client=1, password="87654321") as client,
    ):
        entries = client.objects()
        wanted = [
            (entry, number, entry.class_id)
            for entry in entries
            for number in entry.attribute_rights
            if entry.readable(number)
        ]
        results = client.get_many(wanted)
        refused = [result for result in results if not result.ok]
    assert not refused
    assert len(wanted) > 40


@pytest.mark.parametrize("name", [name for name in template_names() if name != "short-names"])
def test_profiles_of_templates_go_back_and_never_shrink(name):
    meter = meter_maker(name, clock=StandingClock())(7, None)
    for profile in (each for each in meter if each.class_id == 7 and each.stored(4)):
        rows = profile.get(2)
        assert len(rows) >= 40, profile
        last = rows[-1]
        for index, (first, end) in enumerate(zip(rows[0], last, strict=True)):
            if index and isinstance(end, int):
                assert end >= first, (profile, index)


def test_the_idis_like_template_shows_the_public_client_its_identity_and_counter_only():
    meter = simulated("idis-like")
    with serve_in_thread(meter) as url, connect(url) as client:
        readable = [str(e.logical_name) for e in client.objects() if "read" in e.attribute_rights.get(2, "")]
    assert readable == ["0.0.40.0.0.255", "0.0.43.1.0.255", "0.0.42.0.0.255", "0.0.96.1.0.255"]


def test_templates_have_titles_and_what_is_no_template_is_named(tmp_path):
    assert all(record_of(name).title for name in template_names())
    assert record_of("template:water") == record_of("water")
    with pytest.raises(ConfigurationError, match=r"there are demo, .*water"):
        record_of("wine")
    file = tmp_path / "meter.toml"
    file.write_bytes(b"\xff")
    with pytest.raises(ConfigurationError, match="UTF-8"):
        record_of(str(file))
    file.write_text("x = 1")
    with pytest.raises(ConfigurationError, match=r"meter\.toml: a file of a meter begins"):
        record_of(str(file))
    with pytest.raises(FileNotFoundError):
        record_of(str(tmp_path / "none.toml"))


FAULTY = {
    "no interface class 9999": '[[object]]\nclass = 9999\nname = "0-0:96.1.0"',
    "no interface class 3 version 77": '[[object]]\nclass = 3\nversion = 77\nname = "0-0:96.1.0"',
    "4 members wanted": '[[object]]\nclass = 7\nname = "1-0:99.1.0"\n'
    "values = {capture_objects = {array = [{structure = [{long-unsigned = 3}]}]}}",
    "there is an object .* already": '[[object]]\nclass = 1\nname = "0-0:96.1.0"\n' * 2,
    "variable NOWHERE": '[[association]]\nclient = 2\nmechanism = "LLS"\nsecret = "env:NOWHERE"',
    r"client 2: the system title of the meter is missing: write keys = \{server_title": "[[association]]\nclient = 2\n"
    'context = "LN_CIPHERED"\nmechanism = "HLS_GMAC"\nkeys = {guek = "000102030405060708090A0B0C0D0E0F"}',
}


@pytest.mark.parametrize(
    ("said", "text"), FAULTY.items(), ids=["class", "version", "columns", "twice", "env", "title"]
)
def test_what_is_wrong_with_a_file_is_said_with_its_name(said, text, tmp_path):
    file = tmp_path / "meter.toml"
    file.write_text(f"cosem-meter = 1\n{text}\n")
    with pytest.raises(ConfigurationError, match=rf"meter\.toml: .*{said}"):
        meter_maker(str(file), environment={})(None, None)


def test_sim_names_templates():
    with connect("sim:water") as meter:
        assert meter.read("8-0:1.0.0").unit == "m³"
