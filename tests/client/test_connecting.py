"""From a URL to a meter and back: options, wrong ports, refusals, and our own server over loopback."""

from __future__ import annotations

import asyncio
import pickle
import socket
import subprocess
import sys
import threading
from contextlib import contextmanager

import pytest

import cosem
from cosem.connecting import PROFILES, connect, connect_async
from cosem.connecting.plan import plan_of as plan
from cosem.errors import (
    AccessError,
    AssociationRefused,
    ConfigurationError,
    CosemError,
    FrameError,
    TransportClosed,
    TransportError,
    TransportTimeout,
    UnsupportedError,
)
from cosem.link.hdlc.server import HdlcServerLink
from cosem.server.demonstration import demonstration_meter
from cosem.server.server import Server
from cosem.server.threads import serve_in_thread
from cosem.transport.observing import Observer
from cosem.transport.timeouts import Timeouts
from cosem.types.enumerations import ApplicationContext, AuthenticationMechanism

SOON = Timeouts(answer=0.05, connect=1.0, release=0.05)


@pytest.fixture(scope="module")
def meter_url():
    with serve_in_thread(demonstration_meter()) as url:
        yield url


@contextmanager
def port_that(behaves):
    """Listen on a port; each connection is handed to a function in a thread."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        done = threading.Event()

        def accept():
            while not done.is_set():
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    behaves(connection, done)

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        try:
            yield f"tcp://127.0.0.1:{server.getsockname()[1]}"
        finally:
            done.set()
            server.shutdown(socket.SHUT_RDWR)
            thread.join()


def says_nothing(connection, done):
    done.wait(10)


def closes_at_once(connection, done):
    connection.close()


def closes_after_a_request(connection, done):
    connection.recv(1000)


def speaks_http(connection, done):
    connection.recv(1000)
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")


def answers_half(connection, done):
    connection.recv(1000)
    connection.sendall(bytes.fromhex("0001 0001 0010 0029 6129A1"))


# --- options ----------------------------------------------------------------------------------------


def test_without_options_it_is_the_public_client_and_the_management_device():
    parameters = plan("tcp://meter").parameters
    assert (parameters.client_sap, parameters.server_sap) == (16, 1)
    assert parameters.mechanism is AuthenticationMechanism.LOWEST
    assert parameters.application_context is ApplicationContext.LN


def test_options_of_the_url_mean_what_the_arguments_do():
    url = "tcp://meter?client=2&server=0x11&max_pdu_size=512&timeout=3&retries=4&strict"
    by_url = plan(url)
    by_arguments = plan(
        "tcp://meter", client=2, server=17, max_pdu_size=512, timeouts=3.0, retries=4, strict=True
    )
    assert by_url.parameters == by_arguments.parameters
    assert by_url.timeouts == by_arguments.timeouts == Timeouts(answer=3.0)
    assert (by_url.retries, by_url.strict) == (by_arguments.retries, by_arguments.strict) == (4, True)
    # Said twice is fine, as long as it is the same.
    assert plan(url, client=2, strict=True, timeouts=3).parameters == by_url.parameters


@pytest.mark.parametrize(
    ("url", "options", "words"),
    [
        ("tcp://meter?client=1", {"client": 2}, "client is 1 in the URL, but 2 was asked for"),
        ("tcp://meter?strict=1", {"strict": False}, "strict is True in the URL"),
        ("tcp://meter?timeout=1", {"timeouts": 2}, "timeout is 1 s in the URL"),
        ("tcp://meter?cleint=1", {}, "unknown option cleint"),
        ("tcp://meter?client=x", {}, "is no number"),
        ("tcp://meter?client=70000", {}, "outside 0..65535"),
        ("tcp://meter?strict=perhaps", {}, "neither 1 nor 0"),
        ("tcp://meter?timeout=soon", {}, "no number of seconds"),
        ("tcp://meter?timeout=0", {}, "must be above 0"),
        ("tcp://meter?retries=-1", {}, "outside 0..100"),
        ("tcp://meter?max_pdu_size=20", {}, "PDU size 20"),
        ("tcp://meter", {"password": "x", "security": object()}, "not both"),
        ("gopher://meter", {}, "unknown scheme"),
        ("sim:?cleint=1", {}, "unknown option cleint"),
        ("tcp://meter", {"physical": 17}, "unknown option physical"),
        ("hdlc+tcp://meter?physical=17", {"physical": 18}, "physical is 17 in the URL"),
        ("hdlc+tcp://meter", {"physical": "x"}, "physical is 'x': a whole number is wanted"),
        ("tcp://meter", {"client": 1.5}, r"client is 1\.5: a whole number is wanted"),
        ("tcp://meter", {"client": "x"}, "client is 'x': a whole number"),
        ("tcp://meter", {"client": True}, "client is True: a whole number"),
        ("tcp://meter", {"retries": "x"}, "retries is 'x': a whole number"),
        ("tcp://meter", {"timeouts": "soon"}, "timeouts are 'soon'"),
        ("tcp://meter", {"password": 5}, "text or octets, not int"),
        ("tcp://meter", {"security": 5}, "int is no security"),
        ("tcp://meter?password=x", {}, "unknown option password .*; secrets do not belong in a URL"),
        (5, {}, "int is no URL"),
        (b"sim:", {}, "bytes is no URL"),
    ],
)
def test_options_that_contradict_each_other_or_mean_nothing_are_one_line(url, options, words):
    with pytest.raises(ConfigurationError, match=words) as caught:
        plan(url, **options)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("parallel", [0, 16])
def test_more_at_once_than_there_are_invoke_ids_is_refused(parallel):
    with pytest.raises(ConfigurationError, match=r"outside 1\.\.15"):
        connect_async("tcp://meter", parallel=parallel)


def test_a_scheme_without_profile_says_what_there_is(monkeypatch):
    monkeypatch.delitem(PROFILES, "udp")
    with pytest.raises(ConfigurationError, match="udp: is not available here; use one of tcp"):
        plan("udp://meter")
    with pytest.raises(ConfigurationError, match="'nothing' is no simulated meter"):
        connect("sim:nothing")


def test_a_password_is_low_level_security_and_is_never_shown():
    made = plan("tcp://meter", password="hunter2")
    assert made.parameters.mechanism is AuthenticationMechanism.LLS
    assert made.parameters.secret == b"hunter2"
    assert "hunter2" not in repr(made)


def test_a_number_of_seconds_for_one_answer_never_exceeds_the_whole():
    assert plan("tcp://meter", timeouts=1000).timeouts.transfer == 1000


# --- what is not a meter --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("behaves", "kind", "words"),
    [
        (
            says_nothing,
            TransportTimeout,
            r"^tcp://127\.0\.0\.1:\d+: no answer within 0\.05 s to the opening of the association$",
        ),
        (closes_at_once, TransportClosed, "closed the connection|lost"),
        (closes_after_a_request, TransportClosed, "closed the connection|lost"),
        (speaks_http, FrameError, "this is no DLMS/COSEM wrapper; it answers HTTP"),
        (answers_half, TransportClosed, "closed the connection|lost"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_a_port_that_is_no_meter_is_one_clear_error(behaves, kind, words):
    with port_that(behaves) as url:
        with pytest.raises(kind, match=words) as caught:
            connect(url, timeouts=SOON)
        assert "\n" not in str(caught.value)
        assert str(caught.value).count(url.removeprefix("tcp://")) == 1  # which meter, and once
        assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)

        async def test():
            with pytest.raises(kind, match=words) as caught:
                await connect_async(url, timeouts=SOON)
            assert str(caught.value).count(url.removeprefix("tcp://")) == 1

        asyncio.run(test())


def test_a_closed_port_is_told_by_both_clients():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(TransportError, match=f"cannot connect to 127.0.0.1:{port}: Connection refused"):
        connect(f"tcp://127.0.0.1:{port}")

    async def test():
        with pytest.raises(TransportError, match=f"cannot connect to 127.0.0.1:{port}"):
            async with connect_async(f"tcp://127.0.0.1:{port}"):
                raise AssertionError

    asyncio.run(test())


# --- our own server ---------------------------------------------------------------------------------------


def test_a_meter_is_read_over_loopback(meter_url):
    with connect(meter_url) as meter:
        assert meter.associated
        assert meter.read("0-0:42.0.0").value
        assert meter.read("1-0:1.8.0").unit == "Wh"
        table = meter.profile("1-0:99.1.0").read(last="1d")
        assert 95 <= len(table) <= 97
        assert table.selected_by == "range"
    assert not meter.associated


def test_a_meter_is_read_over_loopback_with_asyncio(meter_url):
    async def test():
        async with connect_async(meter_url, parallel=8) as meter:
            names = [entry.logical_name for entry in await meter.objects()]
            readings = await asyncio.gather(
                *(meter.read(name) for name in names if name.a == 1 and name.d == 7)
            )
            assert len(readings) > 5
            assert len(await meter.profile("1-0:99.1.0").read(entries=10)) == 10
        assert not meter.associated

    asyncio.run(test())


def test_many_clients_read_at_once(meter_url):
    async def one(number):
        async with connect_async(meter_url) as meter:
            return [await meter.get("1-0:0.0.0", 2, class_id=1) for _ in range(5)], number

    async def test():
        answers = await asyncio.gather(*(one(number) for number in range(10)))
        assert len({repr(values) for values, _ in answers}) == 1

    asyncio.run(test())


def test_the_same_values_whatever_the_size_of_the_blocks(meter_url):
    tables = []
    for size in (80, 300, 0xFFFF):
        with connect(meter_url, max_pdu_size=size) as meter:
            tables.append(meter.profile("1-0:99.1.0").read(entries=(1, 50)).rows)
    assert tables[0] == tables[1] == tables[2]
    assert len(tables[0]) == 50


def test_the_simulated_meter_is_a_url():
    before = set(threading.enumerate())
    with connect("sim:") as meter:
        assert meter.read("1-0:1.8.0").value > 0
        (thread,) = set(threading.enumerate()) - before
    assert not thread.is_alive()

    async def test():
        async with connect_async("sim:?client=16") as meter:
            assert (await meter.read("1-0:1.8.0")).value > 0

    asyncio.run(test())


def test_a_simulated_meter_that_refuses_is_stopped_again():
    before = threading.active_count()
    with pytest.raises(CosemError):
        connect("sim:", server=4711, timeouts=SOON)
    assert threading.active_count() == before


def read_by_both_clients(url, **options):
    with connect(url, **options) as meter:
        values = [str(meter.read("1-0:0.0.0").value), len(meter.profile("1-0:99.1.0").read(entries=(1, 30)))]
        with pytest.raises(AccessError):
            meter.get("1-0:9.9.9", class_id=3)

    async def test():
        async with connect_async(url, **options) as meter:
            value = (await meter.read("1-0:0.0.0")).value
            return [str(value), len(await meter.profile("1-0:99.1.0").read(entries=(1, 30)))]

    assert asyncio.run(test()) == values
    assert values[1] == 30


def test_a_meter_is_read_over_udp():
    with serve_in_thread(demonstration_meter(), "udp://127.0.0.1:0") as url:
        assert url.startswith("udp://")
        read_by_both_clients(url, max_pdu_size=400)


def test_a_meter_is_read_over_hdlc_in_tcp():
    with serve_in_thread(Server([demonstration_meter()]).listen(link=HdlcServerLink)) as url:
        read_by_both_clients(f"hdlc+{url}")
        read_by_both_clients(f"hdlc+{url}?max_info=512&window=3&address_size=4", physical=17)


def test_the_meter_is_given_the_turn_to_notify_where_the_line_has_turns(meter_url):
    with connect(meter_url) as meter, pytest.raises(UnsupportedError, match="needs no turn"):
        meter.trigger_event_notification_sending()

    class Frames(Observer):
        def __init__(self):
            self.sent = []

        def octets_sent(self, octets):
            self.sent.append(octets)

    async def test(url):
        frames = Frames()
        async with connect_async(url, observer=frames) as meter:
            del frames.sent[:]
            meter.trigger_event_notification_sending()
            assert len(frames.sent) == 1
            assert frames.sent[0][5] == 0x13  # UI with the poll bit: an empty frame that gives the turn
            assert (await meter.read("1-0:1.8.0")).value > 0

    with serve_in_thread(Server([demonstration_meter()]).listen(link=HdlcServerLink)) as url:
        frames = Frames()
        with connect(f"hdlc+{url}", observer=frames) as meter:
            del frames.sent[:]
            meter.trigger_event_notification_sending()
            assert [octets[5] for octets in frames.sent] == [0x13]
            assert meter.read("1-0:1.8.0").value > 0
        asyncio.run(test(f"hdlc+{url}"))


def test_datagrams_that_are_no_units_are_dropped_and_the_read_is_repeated():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        answers = [
            b"rubbish",
            b"\x00\x01\x00\x01\x00\x10\x00\x09\xc4",
            bytes.fromhex("0001 0001 0010 0006 C401"),
        ]

        def serve():
            for _ in range(2):
                request, address = server.recvfrom(1000)
                for answer in answers:
                    server.sendto(answer, address)
            unit = bytes.fromhex("0001 0001 0010 0006 C401") + request[10:11] + bytes.fromhex("00117B")
            server.sendto(unit, address)

        thread = threading.Thread(target=serve)
        thread.start()
        url = f"udp://127.0.0.1:{server.getsockname()[1]}"
        with connect(url, pre_established=True, timeouts=Timeouts(answer=0.05), retries=1) as meter:
            assert meter.get("1-0:1.8.0", class_id=3) == 123
        thread.join()


def test_a_closed_udp_port_is_told_by_both_clients():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        url = f"udp://127.0.0.1:{server.getsockname()[1]}"
    with pytest.raises(TransportClosed, match="Connection refused"):
        connect(url)

    async def test():
        with pytest.raises(TransportClosed, match="Connection refused"):
            await connect_async(url)

    asyncio.run(test())


def test_an_awaited_client_is_closed_by_itself(meter_url):
    async def test():
        meter = await connect_async(meter_url)
        assert meter.associated
        await meter.close()
        await meter.close()
        assert not meter.associated

    asyncio.run(test())


# --- the package --------------------------------------------------------------------------------------------


def test_every_public_name_is_there_and_listed():
    for name in cosem.__all__:
        assert getattr(cosem, name) is not None
    assert set(cosem.__all__) <= set(dir(cosem))
    assert cosem.decode(bytes.fromhex("C401C100117B")).result == 123
    assert cosem.decode_data(cosem.encode_data(None)) is None
    with pytest.raises(AttributeError, match="no attribute 'connekt'"):
        _ = cosem.connekt


def test_importing_the_package_loads_no_module_of_weight():
    heavy = ["asyncio", "cryptography", "dataclasses", "argparse", "socket", "typing", "numpy", "json"]
    code = f"import sys, cosem; print([name for name in {heavy!r} if name in sys.modules])"
    shown = subprocess.run(
        [sys.executable, "-S", "-c", f"import sys; sys.path[:0] = {sys.path!r}; {code}"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert shown.strip() == "[]"


def test_a_blocking_client_needs_no_asyncio():
    code = "import sys, cosem.connecting, cosem.client.blocking, cosem.transport.channel; print('asyncio' in sys.modules)"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert shown.strip() == "False"


def test_an_option_that_nobody_knows_is_told_of_the_function_that_was_called():
    for call in (connect, connect_async):
        with pytest.raises(
            TypeError, match=rf"^{call.__name__}\(\) got an unexpected keyword argument 'wrong'$"
        ):
            call("sim:", wrong=1)


def test_a_password_opens_the_association_of_its_client(meter_url):
    with connect(meter_url, client=1, password="87654321") as meter:
        assert meter.objects()[0].title == "Association LN"
    with pytest.raises(AssociationRefused, match="wrong password"):
        connect(meter_url, client=1, password="12345678")
