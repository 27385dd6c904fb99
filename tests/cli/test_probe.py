"""Probing: what answers is found over every profile, each step is told, and the URL at the end works."""

from __future__ import annotations

import contextlib
import socket
import threading

import pytest

import cosem
from cosem.connecting import probing
from cosem.connecting.probing import Outcome, probe
from cosem.errors import ConfigurationError
from cosem.link.hdlc import CONTROLS, Frame, FrameParser, HdlcAddress, HdlcServerLink, encode_frame
from cosem.security.counters import VolatileCounterStore
from cosem.security.keys import Keys
from cosem.server import (
    ConnectionLimits,
    LogicalDevice,
    RegisterObject,
    Server,
    secured_profile,
    serve_in_thread,
)
from cosem.types.data import DoubleLongUnsigned
from cosem.types.enumerations import AuthenticationMechanism
from tests.server.driver import meter
from tests.transport.port_server import PortServer

ENERGY = "1-0:1.8.0"
CLIENT = HdlcAddress(16, size=1)


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    """Wait for a moment only: what answers here answers at once."""
    monkeypatch.setattr(probing, "_LONGEST_SILENCE", 0.05)
    monkeypatch.setattr(probing, "_LONGEST_SILENCE_OF_NETWORK", 0.05)
    monkeypatch.setattr(probing, "_SIGN_ON_SECONDS", 0.4)
    monkeypatch.setattr(probing, "_WRAPPER_SECONDS", 0.2)


def energy_meter(**facts) -> LogicalDevice:
    return meter(RegisterObject(ENERGY, value=DoubleLongUnsigned(5), scaler_unit=(0, 30)), **facts)


def bare(url: str) -> str:
    """Return the URL as somebody writes it who knows the port only."""
    return url.partition("?")[0].removeprefix("hdlc+").removeprefix("serial://")


def tried(report) -> list[str]:
    return [step.tried for step in report.steps]


SIGN_ON = "mode_e=1&identification=/CSm5\\2COSEM"


@pytest.mark.parametrize(
    ("listening", "options", "steps"),
    [
        ("tcp://127.0.0.1:0", "", 2),
        ("udp://127.0.0.1:0", "", 2),
        ("hdlc+tcp://127.0.0.1:0", "", 3),
        ("hdlc+tcp://127.0.0.1:0?physical=17&address_size=2", "?physical=17&address_size=2", 6),
        ("hdlc+tcp://127.0.0.1:0?physical=1&address_size=4", "?physical=1&address_size=2", 8),  # widened
        ("pty:", "", 3),
        ("pty:?physical=16&address_size=2", "?physical=16&address_size=2", 7),
        (f"pty:?{SIGN_ON}", "?mode_e=1", 3),
        (f"pty:?{SIGN_ON}&physical=17&address_size=2", "?mode_e=1&physical=17&address_size=2", 6),
        (f"pty:?{SIGN_ON}&physical=17", "?mode_e=1&physical=17&address_size=2", 6),
        ("pty:?baud=9600", "", 3),
    ],
)
def test_a_meter_is_found_and_the_url_works(listening, options, steps):
    told = []
    with serve_in_thread(energy_meter(), listening) as url:
        report = probe(bare(url), on_step=told.append)
        assert report.url == url.partition("?")[0] + options
        assert (report.associated, report.complete) == (True, True)
        assert len(report.steps) == steps
        assert tuple(told) == report.steps
        assert report.steps[-2].outcome is report.steps[-1].outcome is Outcome.ANSWERED
        assert report.steps[-1].detail == "the meter is called TST0000000000001"
        assert {step.outcome for step in report.steps[:-2] if "sign-on of" not in step.tried} <= {
            Outcome.SILENT
        }
        with cosem.connect(report.url) as client:
            assert client.read(ENERGY).value == 5


def test_after_a_sign_on_it_is_told_who_the_meter_is():
    with serve_in_thread(energy_meter(), f"pty:?{SIGN_ON}") as url:
        report = probe(bare(url))
    assert report.steps[0].tried == "sign-on of mode E at 300 7E1"
    assert report.steps[0].detail == "the meter is /CSm5\\2COSEM: HDLC at 9600 baud"
    assert report.steps[1].tried == "HDLC after the sign-on, at 9600 baud, server 1 in 1 octet"
    assert report.identification.text == "COSEM"


@contextlib.contextmanager
def port_server(listening: str, only: str = ""):
    patient = ConnectionLimits(first_association=None)
    with serve_in_thread(energy_meter(), listening, limits=patient) as url:
        server = PortServer(("127.0.0.1", int(url.partition("?")[0].rpartition(":")[2])), only)
        yield f"rfc2217://127.0.0.1:{server.port}"
        server.close()


@pytest.mark.parametrize(("baud", "option"), [(9600, ""), (19200, "?baud=19200")])
def test_the_rate_of_a_line_is_found(baud, option):
    with port_server("hdlc+tcp://127.0.0.1:0", f"{baud} 8N1") as url:
        report = probe(url)
        assert report.url == url + option
        assert report.associated
        with cosem.connect(report.url) as client:
            assert client.read(ENERGY).value == 5


def test_what_the_url_says_is_not_varied():
    with port_server("hdlc+tcp://127.0.0.1:0", "1200 8N1") as url:
        report = probe(f"{url}?mode_e=0&baud=2400&physical=17")
        assert tried(report) == [
            "HDLC at 2400 baud, server 1, physical device 17 in 2 octets",
            "HDLC at 2400 baud, server 1, physical device 17 in 4 octets",
        ]
        assert report.url is None
        report = probe(f"{url}?mode_e=0&baud=1200&physical=17&address_size=4")
        assert report.url == f"{url}?mode_e=0&baud=1200&physical=17&address_size=4"
        assert report.associated


def test_a_converter_that_knows_eight_bits_only():
    """The meter is behind TCP, and hears a sign-on whose parity was computed only."""

    class Deaf(HdlcServerLink):
        """Does not hear HDLC without a sign-on."""

    from cosem.link.iec62056_21 import Identification, ModeEServerLink

    class EvenOnly(ModeEServerLink):
        def receive(self, octets, now):
            if self._state.name == "HDLC" or octets[:1] in {b"\xaf", b"\x06"}:
                super().receive(octets, now)

    def link():
        said = Identification("CSm", "5", ("2",), "COSEM")
        return EvenOnly(Deaf(), said, emulate_parity=True, line_control=False)

    server = Server(energy_meter()).listen("hdlc+tcp://127.0.0.1:0", link=link)
    with serve_in_thread(server) as url:
        report = probe(url)
        assert report.url == f"{url}?mode_e=1&emulate_parity=1"
        assert report.associated


# Refusals ---------------------------------------------------------------------------------------------------------


def test_a_link_that_is_refused_still_says_how_the_meter_is_reached():
    server = Server(energy_meter()).listen(
        "hdlc+tcp://127.0.0.1:0", link=lambda: HdlcServerLink((1,), clients={1})
    )
    with serve_in_thread(server) as url:
        report = probe(url)
        assert (report.url, report.associated) == (url, False)
        assert report.steps[0].outcome is Outcome.REFUSED
        assert report.steps[0].detail == "client 16 is refused (DM)"
        assert report.steps[1].outcome is Outcome.FAILED
        allowed = probe(f"{url}?client=1")
        assert allowed.steps[0].outcome is Outcome.ANSWERED


@pytest.mark.parametrize(
    ("information", "reason"), [(b"\x93\x00\x01", "FRMR 93 00 01"), (b"", "FRMR without a reason")]
)
def test_a_meter_that_rejects_snrm_is_no_silent_one(information, reason):
    rejection = encode_frame(Frame(CLIENT, HdlcAddress(1), CONTROLS[0x97], information))
    with neighbour(lambda _: rejection) as where:
        report = probe(f"hdlc+tcp://{where}?mode_e=0")
    assert report.url is not None
    assert report.steps[0].outcome is Outcome.REFUSED
    assert report.steps[0].detail == f"SNRM of client 16 is rejected ({reason})"
    assert "rejected a frame" in report.steps[1].detail


@pytest.mark.parametrize("listening", ["tcp://127.0.0.1:0", "hdlc+tcp://127.0.0.1:0"])
def test_an_association_that_is_refused(cosem, listening):
    with serve_in_thread(energy_meter(secret=b"12345678"), listening) as url:
        done = cosem("probe", url)
    assert (done.status, done.err) == (0, "")
    assert done.out.endswith(f"use {url}; the meter wants another client, password or key\n")
    assert "association for client 16: refused, " in done.out


@pytest.mark.parametrize("listening", ["tcp://127.0.0.1:0", "hdlc+tcp://127.0.0.1:0"])
def test_a_meter_with_short_names_is_tried_so(cosem, listening):
    with serve_in_thread(energy_meter(short_names=True), listening) as url:
        done = cosem("probe", url)
        assert (done.status, done.err) == (0, "")
        assert "association for client 16, by short names: answered, the meter is called " in done.out
        assert done.out.endswith(f"use {url}?short_names=1\n")
        assert cosem("read", f"{url}?short_names=1", ENERGY).status == 0
        refused = cosem("read", url, ENERGY)
        assert refused.status == 1
        assert "short_names=True, or --short-names" in refused.err
        assert cosem("read", url, ENERGY, "--short-names").status == 0


def test_a_meter_with_short_names_may_want_a_password_too():
    with serve_in_thread(energy_meter(short_names=True, secret=b"12345678")) as url:
        report = probe(url)
        assert (report.url, report.associated) == (f"{url}?short_names=1", False)
        assert [step.outcome for step in report.steps[-2:]] == [Outcome.REFUSED, Outcome.REFUSED]


def test_a_url_that_says_which_names_is_believed():
    with serve_in_thread(energy_meter()) as url:
        report = probe(f"{url}?short_names=1")
        assert (report.url, report.associated) == (f"{url}?short_names=1", False)
        assert sum(step.tried.startswith("association") for step in report.steps) == 1
        report = probe(f"{url}?short_names=0")
        assert (report.url, report.associated) == (f"{url}?short_names=0", True)


def test_a_meter_that_wants_ciphering_is_not_said_to_have_short_names():
    keys = Keys.parse(guek=b"k" * 15 + b"1", gak=b"a" * 15 + b"2", server_title="TST0000BC614E")
    device = meter()
    device.add_association(
        secured_profile(
            AuthenticationMechanism.HLS_GMAC, keys, client_sap=20, counters=VolatileCounterStore()
        )
    )
    with serve_in_thread(device) as url:
        report = probe(f"{url}?client=20")
        assert (report.url, report.associated) == (f"{url}?client=20", False)


def test_a_meter_that_gives_a_readout_only():
    with serve_in_thread(energy_meter(), "pty:?mode_e=1&identification=/ABc5READOUT") as url:
        report = probe(f"serial://{bare(url)}?mode_e=1")
    assert (report.url, report.identification.mode) == (None, "C")
    assert report.steps[-1].outcome is Outcome.REFUSED
    assert report.steps[-1].detail == "/ABc5READOUT offers no HDLC (no \\2): mode C only"


# Others -----------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def neighbour(answer):
    """Whatever is no meter: answers each portion with what ``answer`` gives."""
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                with listening.accept()[0] as client, contextlib.suppress(OSError):
                    while octets := client.recv(4096):
                        client.sendall(answer(octets))

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield f"127.0.0.1:{listening.getsockname()[1]}"
    listening.shutdown(socket.SHUT_RDWR)
    listening.close()
    thread.join()


def test_a_connection_that_is_lost_is_opened_again():
    """As behind converters that close when they do not understand."""
    answers = iter([None, b"", None, None])  # closed, silent, closed twice, silent

    def answer(octets: bytes) -> bytes:
        said = next(answers, b"")
        if said is None:
            raise ConnectionResetError
        return said

    with neighbour(answer) as where:
        report = probe(f"hdlc+tcp://{where}?mode_e=0&physical=1")
    assert [step.outcome for step in report.steps] == [Outcome.SILENT, Outcome.SILENT]
    assert report.steps[0].detail == ""
    assert "closed the connection" in report.steps[1].detail


def test_nobody_answers(cosem):
    with neighbour(lambda octets: b"") as where:
        done = cosem("probe", where)
    assert (done.status, done.err) == (1, "")
    *steps, last = done.out.splitlines()
    assert last == "no meter answered"
    assert len(steps) == 1 + 9 + 2
    assert all(": silent (" in step for step in steps)


def test_octets_that_are_no_answer_are_counted():
    with neighbour(lambda octets: b"HTTP/1.0 400\r\n") as where:
        report = probe(f"hdlc+tcp://{where}?mode_e=0&physical=1&address_size=2")
    assert [(step.outcome, step.detail) for step in report.steps] == [
        (Outcome.SILENT, "14 octets came that are no answer")
    ]


def test_a_port_that_pushes_is_told():
    push = encode_frame(
        Frame(CLIENT, HdlcAddress(1), CONTROLS[0x13], b"\xe6\xe7\x00\x0f\x00\x00\x00\x00\x00\x00")
    )
    with neighbour(lambda octets: push) as where:
        report = probe(f"hdlc+tcp://{where}?mode_e=0")
    assert report.url is None
    assert {step.detail for step in report.steps} == {
        "frames come that nobody asked for: the port pushes, and cosem listen shows what"
    }


def test_a_meter_that_answers_to_any_physical_device_says_which_it_is():
    parser = FrameParser()

    def answer(octets: bytes) -> bytes:
        out = b""
        for frame in parser.feed(octets):
            if frame.destination.size == 4 and frame.destination.lower in {0x3FFF, 4711}:
                out += encode_frame(Frame(frame.source, HdlcAddress(1, 4711, 4), CONTROLS[0x73]))
        return out

    with neighbour(answer) as where:
        report = probe(f"hdlc+tcp://{where}", limit=1.0)
    assert report.url == f"hdlc+tcp://{where}?physical=4711&address_size=4"
    assert report.steps[2].tried == "HDLC over TCP, server 1, any physical device in 4 octets"
    assert report.steps[2].detail == "the meter calls itself server 1, physical device 4711 in 4 octets"
    assert (report.associated, report.steps[3].outcome) == (False, Outcome.FAILED)


def test_no_more_time_is_taken_than_is_allowed(cosem):
    moments = iter(range(10**6))
    with neighbour(lambda octets: b"") as where:
        report = probe(f"hdlc+tcp://{where}", limit=20.0, clock=lambda: next(moments) * 1.0)
        done = cosem("probe", f"hdlc+tcp://{where}", "--limit", "0.06")
    assert (report.url, report.complete) == (None, False)
    assert report.steps[-1].detail == "the time that was allowed is over"
    assert (done.status, done.out.splitlines()[-1]) == (1, "no meter answered in the time that was allowed")


@pytest.mark.parametrize(
    ("target", "problem"),
    [
        ("/dev/no-such-port", "there is no port /dev/no-such-port"),
        ("127.0.0.1:1", "cannot connect to 127.0.0.1:1: Connection refused"),
    ],
)
def test_where_nobody_is(cosem, target, problem):
    done = cosem("probe", target, "--json")
    assert done.status == 1
    assert done.json["url"] is None
    assert [step["outcome"] for step in done.json["steps"]] == ["failed"]
    assert problem in done.json["steps"][0]["detail"]


def test_every_step_for_machines(cosem):
    with serve_in_thread(energy_meter(), f"pty:?{SIGN_ON}") as url:
        done = cosem("probe", bare(url), "--json")
    assert done.status == 0
    assert done.json["url"] == f"serial://{bare(url)}?mode_e=1"
    assert done.json["identification"] == {
        "manufacturer": "CSm",
        "mode": "E",
        "baud": 9600,
        "text": "COSEM",
    }
    assert [step["outcome"] for step in done.json["steps"]] == ["answered"] * 3


@pytest.mark.parametrize(
    "words",
    [
        ("ftp://x",),
        ("tcp://meter?strict=1",),
        ("serial:",),
        ("sim:", "--limit", "0"),
        ("sim:", "--limit", "x"),
    ],
)
def test_wrong_usage(cosem, words):
    done = cosem("probe", *words)
    assert (done.status, done.out, done.err.count("\n")) == (2, "", 1)


def test_the_simulated_meter_keeps_its_name():
    report = probe("sim:?client=16")
    assert (report.url, report.associated) == ("sim:?client=16", True)
    with pytest.raises(ConfigurationError):
        probe("sim:?window=1")
    report = probe("sim:short-names")
    assert (report.url, report.associated) == ("sim:short-names?short_names=1", True)
    assert report.steps[-1].detail == "the meter is called COSSN10000001"
