"""Readouts of text (IEC 62056-21, modes A to D), over TCP and a pseudo-terminal, called and listened to."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager

import pytest

import cosem
from cosem.errors import ConfigurationError, TransportError, TransportTimeout
from cosem.link.iec62056_21 import with_even_parity
from cosem.link.iec62056_21.messages import data_message
from cosem.server import demonstration_meter, serve_in_thread

DATA = "0.0.0(12345678)1-0:1.8.0(001234.5*kWh)"


@contextmanager
def speaker(*answers: bytes):
    """A converter that answers each message that comes with the next of what it has; what begins with /D comes unasked."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def speak() -> None:
            line, _ = server.accept()
            with line:
                for answer in answers:
                    if not answer.startswith(b"/D"):
                        line.recv(256)
                    line.sendall(answer)
                line.recv(256)

        thread = threading.Thread(target=speak, daemon=True)
        thread.start()
        yield f"tcp://127.0.0.1:{server.getsockname()[1]}"
        thread.join(10)


@pytest.mark.parametrize("where", ["hdlc+tcp://127.0.0.1:0", "pty:"])
def test_a_meter_that_is_called_is_read_out(where):
    with serve_in_thread(demonstration_meter(), f"{where}?mode_e=1&readout={DATA}") as url:
        readout = cosem.read_out(url)
    assert readout.identification.manufacturer == "CSM"
    assert [str(each) for each in readout.data_sets] == ["0.0.0(12345678)", "1-0:1.8.0(001234.5*kWh)"]
    assert readout.checked


def test_a_meter_of_mode_a_sends_at_once():
    with speaker(b"/ABC@METER\r\n" + data_message(f"{DATA}\r\n!\r\n")) as url:
        readout = cosem.read_out(url)
    assert (readout.identification.mode, len(readout.data_sets)) == ("A", 2)


def test_parity_that_a_converter_passes_on_is_taken_off():
    with speaker(with_even_parity(b"/ABC@METER\r\n" + data_message(f"{DATA}\r\n!\r\n"))) as url:
        assert len(cosem.read_out(f"{url}?emulate_parity=1").data_sets) == 2


def test_a_meter_that_sends_by_itself_is_listened_to():
    with speaker(b"/DEF3METER\r\n" + data_message(f"{DATA}\r\n!\r\n")) as url:
        assert len(cosem.read_out(url, listen=True).data_sets) == 2


def test_who_says_nothing_is_given_up():
    with speaker(b"no identification\r\n") as url, pytest.raises(TransportTimeout, match="in the time"):
        cosem.read_out(url, timeout=0.05)


def test_who_goes_away_is_told_of():
    with socket.create_server(("127.0.0.1", 0)) as server:

        def hang_up() -> None:
            server.accept()[0].close()

        threading.Thread(target=hang_up, daemon=True).start()
        with pytest.raises(TransportError):
            cosem.read_out(f"tcp://127.0.0.1:{server.getsockname()[1]}")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("udp://127.0.0.1", "has no readout"),
        ("sim:", "has no readout"),
        ("tcp://127.0.0.1?client=1", "client: means nothing for a readout"),
        ("serial:///dev/null?window=3", "window: means nothing for a readout"),
    ],
)
def test_what_has_no_readout_is_refused(url, said):
    with pytest.raises(ConfigurationError, match=said):
        cosem.read_out(url)


@pytest.mark.parametrize("wrong", [0, -1, float("nan"), float("inf")])
def test_a_time_that_is_none_is_refused(wrong):
    with pytest.raises(ConfigurationError, match="timeout"):
        cosem.read_out("tcp://127.0.0.1:1", timeout=wrong)
