"""The whole server over real sockets of this machine: many clients, shutdown, notifications, datagrams, threads."""

from __future__ import annotations

import asyncio
import contextlib
import socket

import pytest

import cosem
from cosem.apdu import decode
from cosem.apdu.notification import EventNotificationRequest
from cosem.errors import ConfigurationError, EncodeError, StateError, TransportError
from cosem.link.wrapper import WrapperParser, wrap
from cosem.server import (
    AccessMode,
    AccessRights,
    ConnectionLimits,
    DataObject,
    LogicalDevice,
    RegisterObject,
    Server,
    serve_in_thread,
)
from cosem.types.data import DoubleLongUnsigned, OctetString
from cosem.types.date_time import DateTime
from cosem.types.logical_name import LogicalName
from tests.server.driver import Wire, aarq, meter, run, serving, until

GET = "C001C1 0003 0100010800FF 02 00"
NOTIFYING = aarq(conformance="00FE1F")
SILENT = aarq(conformance="00FE1D")


def energy_meter(**facts) -> LogicalDevice:
    return meter(RegisterObject("1-0:1.8.0", value=DoubleLongUnsigned(5), scaler_unit=(0, 30)), **facts)


def slow_meter() -> tuple[LogicalDevice, asyncio.Event, asyncio.Event]:
    """Return a meter whose register waits for the second event, and tells with the first that it does."""
    device = energy_meter()
    begun, gate = asyncio.Event(), asyncio.Event()

    @device["1-0:1.8.0"].getter("value")
    async def read():
        begun.set()
        await gate.wait()
        return DoubleLongUnsigned(7)

    return device, begun, gate


@run
async def test_open_read_release():
    async with serving(energy_meter()) as server:
        wire = await Wire.to(server)
        assert (await wire.open()).result == 0
        assert (await wire.ask(GET)).result == 5
        assert type(await wire.ask("6203800100")).__name__ == "RLRE"
        wire.close()


@run
async def test_fifty_clients_at_once():
    async with serving(energy_meter()) as server:

        async def client():
            wire = await Wire.to(server)
            await wire.open()
            values = [(await wire.ask(GET)).result for _ in range(5)]
            wire.close()
            return values

        assert await asyncio.gather(*(client() for _ in range(50))) == [[5] * 5] * 50
        assert server.statistics.associations == 50


@run
async def test_two_thousand_requests_in_one_go_are_all_answered():
    async with serving(energy_meter()) as server:
        wire = await Wire.to(server)
        await wire.open()
        wire.send(*[GET] * 2000)
        assert [(await wire.answer()).result for _ in range(2000)] == [5] * 2000
        wire.close()


@run
async def test_units_one_octet_at_a_time_beside_a_flood_of_rubbish():
    async with serving(energy_meter()) as server:
        careful = await Wire.to(server)
        await careful.open()
        for octet in wrap(bytes.fromhex(GET), 16, 1):
            rubbish = await Wire.to(server)
            rubbish.send_raw(bytes((octet ^ 0x55,)) * 3000)
            careful.send_raw(bytes((octet,)))
            assert await rubbish.closed()
            rubbish.close()
        assert (await careful.answer()).result == 5
        assert server.statistics.malformed == 21
        careful.close()


@run
async def test_clients_that_vanish_leave_nothing_behind():
    device, begun, gate = slow_meter()
    async with serving(device) as server:
        wire = await Wire.to(server)
        await wire.open()
        wire.send(GET)
        await begun.wait()
        wire.writer.transport.abort()
        await until(lambda: not server.open_connections)
        assert len(device.associations[0].active) == 0
        gate.set()


@run
async def test_half_open_connections_do_not_keep_a_client_out():
    limits = ConnectionLimits(connections=20, first_association=0.0)
    async with serving(energy_meter(), limits=limits) as server:
        wires = [await Wire.to(server) for _ in range(20)]
        for wire in wires[::2]:
            wire.send_raw(b"\x00\x01\x00")
        await until(lambda: server.open_connections == 20)
        server.tick()
        for wire in wires:
            assert await wire.closed()
            wire.close()
        client = await Wire.to(server)
        assert (await client.open()).result == 0
        client.close()


@run
async def test_a_client_without_any_limit_gets_what_one_unit_holds_in_a_block():
    device = meter(DataObject("0-0:128.0.0", value=OctetString(bytes(200_000))))
    async with serving(device) as server:
        wire = await Wire.to(server)
        assert (await wire.open(aarq(size=0))).result == 0
        answer = await wire.ask("C001C1 0001 0000800000FF 02 00")
        assert (answer.result.last_block, answer.result.block_number) == (False, 1)
        wire.close()


# --- several logical devices ------------------------------------------------------------------------------


@run
async def test_each_logical_device_has_its_own_objects_and_associations():
    gas = meter(RegisterObject("7-0:3.0.0", value=DoubleLongUnsigned(33)), sap=17)
    gas.add_association(17)
    async with serving(energy_meter(), gas) as server:
        wire = await Wire.to(server)
        assert (await wire.open()).result == 0
        assert (await wire.open(server=17)).result == 0
        assert (await wire.open(client=17)).result == 1
        assert (await wire.ask(GET)).result == 5
        assert (await wire.ask(GET, server=17)).result == 4
        assert (await wire.ask("C001C1 0003 0700030000FF 02 00", server=17)).result == 33
        listed = (await wire.ask("C001C1 0011 0000290000FF 02 00")).result
        assert [int(each[0]) for each in listed] == [1, 17]
        wire.close()


# --- shutdown ---------------------------------------------------------------------------------------------


@run
async def test_closing_answers_what_is_being_served_and_begins_nothing_more():
    device, begun, gate = slow_meter()
    server = await Server(device).listen().start()
    wire = await Wire.to(server)
    await wire.open()
    wire.send(GET, GET)
    await begun.wait()
    closing = asyncio.create_task(server.close())
    await asyncio.sleep(0)
    wire.send(GET)
    gate.set()
    await closing
    assert (await wire.answer()).result == 7
    assert await wire.answer() is None
    await server.wait_closed()
    with pytest.raises(ConfigurationError):
        _ = server.address
    wire.close()


@run
async def test_closing_does_not_wait_for_ever():
    device, begun, _ = slow_meter()
    server = await Server(device).listen().start()
    wire = await Wire.to(server)
    await wire.open()
    wire.send(GET)
    await begun.wait()
    await server.close(0)
    assert await wire.closed()
    assert len(device.associations[0].active) == 0
    await server.close()
    wire.close()


@run
async def test_after_closing_nobody_gets_in():
    async with serving(energy_meter()) as server:
        address = server.address
    host, _, port = address.removeprefix("tcp://").rpartition(":")
    with pytest.raises(OSError):
        await asyncio.open_connection(host, int(port))


@run
async def test_closing_while_a_client_is_let_in_leaves_nothing_open():
    faults: list[dict] = []
    loop = asyncio.get_running_loop()
    loop.set_debug(True)  # else asyncio keeps these faults to itself
    loop.set_exception_handler(lambda _, fault: faults.append(fault))
    for rounds in range(6):
        server = await Server(meter()).listen().start()
        host, port = server.address.removeprefix("tcp://").split(":")
        with socket.create_connection((host, int(port)), 30) as client:
            for _ in range(rounds):
                await asyncio.sleep(0)
            await server.close(0)
            client.setblocking(False)
            await until(lambda client=client: closed(client))
    assert faults == []


def closed(client: socket.socket) -> bool:
    try:
        return client.recv(1) == b""
    except BlockingIOError:
        return False
    except ConnectionError:
        return True


@run
async def test_a_server_that_was_closed_can_listen_again():
    server = Server(energy_meter()).listen()
    for _ in range(2):
        async with server:
            wire = await Wire.to(server)
            assert (await wire.open()).result == 0
            wire.close()


# --- addresses ----------------------------------------------------------------------------------------------


@run
async def test_a_port_in_use_is_said_in_plain_words():
    async with serving(energy_meter()) as server:
        with pytest.raises(TransportError, match=r"^cannot listen at tcp://[^ ]+: Address already in use$"):
            await Server(energy_meter()).listen(server.address).start()


@pytest.mark.parametrize("url", ["hdlc://x", "hdlc+tcp://h/x", "tcp://h:99999", "tcp://h/path", "sim:"])
def test_what_cannot_be_listened_at_is_refused_at_once(url):
    with pytest.raises(ConfigurationError):
        Server(energy_meter()).listen(url)


@run
async def test_several_addresses():
    async with Server(energy_meter()).listen("tcp://127.0.0.1:0").listen("udp://127.0.0.1:0") as server:
        assert [address.partition(":")[0] for address in server.addresses] == ["tcp", "udp"]
        assert server.address == server.addresses[0]


# --- notifications ------------------------------------------------------------------------------------------


@run
async def test_a_notification_reaches_those_who_agreed_and_may_read():
    device = energy_meter()
    device.add_association(17, AccessRights.read_only().allow("1-0:1.8.0", 2, AccessMode.NO_ACCESS))
    device.add_association(18, AccessRights.read_only().hide("1-0:1.8.0"))
    for client, demanded in ((19, AccessMode.ENCRYPTED_RESPONSE), (20, AccessMode.AUTHENTICATED_REQUEST)):
        demanding = AccessRights.read_only().allow("1-0:1.8.0", 2, AccessMode.READ | demanded)
        device.add_association(client, demanding)  # and these associations have no protection
    async with serving(device) as server:
        wires = {client: await Wire.to(server) for client in range(16, 21)}
        for client, wire in wires.items():
            await wire.open(NOTIFYING, client=client)
        silent, stranger = await Wire.to(server), await Wire.to(server)
        await silent.open(SILENT)
        time = DateTime.fromhex("07EA0B19030C000000FFC400")
        told = server.notify(3, "1-0:1.8.0", 2, DoubleLongUnsigned(9), time=time)
        assert told == 1
        notification = await wires[16].answer()
        assert isinstance(notification, EventNotificationRequest)
        assert notification.cosem_attribute_descriptor.instance_id == LogicalName("1.0.1.8.0.255")
        assert (notification.attribute_value, notification.time) == (9, time.octets)
        for wire in (*(wires[number] for number in range(17, 21)), silent):
            client = next((number for number, each in wires.items() if each is wire), 16)
            assert type(await wire.ask("6203800100", client=client)).__name__ == "RLRE"
        assert server.notify(3, "1-0:1.8.0", 2, DoubleLongUnsigned(9), client=99) == 0
        assert server.notify(3, "1-0:1.8.0", 2, DoubleLongUnsigned(9), device=2) == 0
        with pytest.raises(EncodeError):
            server.notify(3, "1-0:1.8.0", 2, "nine")
        assert server.statistics.notifications == 1
        for wire in (*wires.values(), silent, stranger):
            wire.close()


@run
async def test_a_notification_comes_while_a_request_is_served():
    device, begun, gate = slow_meter()
    async with serving(device) as server:
        wire = await Wire.to(server)
        await wire.open(NOTIFYING)
        wire.send(GET)
        await begun.wait()
        assert server.notify(3, "1-0:1.8.0", 2, DoubleLongUnsigned(9)) == 1
        assert (await wire.answer()).attribute_value == 9
        gate.set()
        assert (await wire.answer()).result == 7
        wire.close()


# --- datagrams ----------------------------------------------------------------------------------------------


class Datagrams(asyncio.DatagramProtocol):
    """A UDP client."""

    def __init__(self):
        self.received = asyncio.Queue()

    def datagram_received(self, data, addr):
        self.received.put_nowait(data)

    async def ask(self, octets):
        self.transport.sendto(octets)
        return [
            decode(unit[2]) for unit in WrapperParser().feed(await asyncio.wait_for(self.received.get(), 20))
        ]

    def connection_made(self, transport):
        self.transport = transport

    @classmethod
    async def to(cls, server):
        host, _, port = server.address.removeprefix("udp://").rpartition(":")
        _, made = await asyncio.get_running_loop().create_datagram_endpoint(
            cls, remote_addr=(host, int(port))
        )
        return made


@run
async def test_datagrams_have_associations_of_their_own():
    async with Server(energy_meter()).listen("udp://127.0.0.1:0") as server:
        one, other = await Datagrams.to(server), await Datagrams.to(server)
        get = wrap(bytes.fromhex(GET), 16, 1)
        assert (await one.ask(wrap(aarq(), 16, 1)))[0].result == 0
        assert (await one.ask(get))[0].result == 5
        assert type((await other.ask(get))[0]).__name__ == "ExceptionResponse"
        # What is no unit is lost alone; half a unit does not wait for its other half.
        for rubbish in (b"\xff" * 40, get[:12], get[12:], wrap(bytes.fromhex("D80101"), 16, 1)):
            one.transport.sendto(rubbish)
        one.transport.sendto(get + get)
        assert (await other.ask(get))[0].state_error == 1
        for each in (one, other):
            each.transport.close()


@run
async def test_datagrams_without_an_association_leave_nothing_behind():
    async with Server(energy_meter()).listen("udp://127.0.0.1:0") as server:
        for _ in range(20):
            client = await Datagrams.to(server)
            await client.ask(wrap(bytes.fromhex(GET), 16, 1))
            client.transport.close()
        assert server.open_connections == 0


@run
async def test_an_answer_to_an_answer_is_never_given():
    async with Server(energy_meter()).listen("udp://127.0.0.1:0") as server:
        client = await Datagrams.to(server)
        for tag in ("D8", "C4", "C5", "C7", "61", "63", "0C", "0D", "0E", "CC", "D7"):
            client.transport.sendto(wrap(bytes.fromhex(tag + "0101"), 16, 1))
        (answer,) = await client.ask(wrap(bytes.fromhex(GET), 16, 1))
        assert type(answer).__name__ == "ExceptionResponse"
        assert client.received.empty()
        client.transport.close()


# --- HDLC -----------------------------------------------------------------------------------------------------


def test_the_same_meter_over_hdlc():
    with serve_in_thread(energy_meter(), "hdlc+tcp://127.0.0.1:0") as url:
        assert url.startswith("hdlc+tcp://127.0.0.1:")
        for _ in range(2):
            with cosem.connect(url) as client:
                assert client.get("1-0:1.8.0", class_id=3, attribute=2) == 5


# --- threads ------------------------------------------------------------------------------------------------


def ask(url: str, *apdus: bytes) -> list[object]:
    host, _, port = url.removeprefix("tcp://").rpartition(":")
    answers = []
    with socket.create_connection((host, int(port)), 20) as connection:
        for apdu in apdus:
            connection.sendall(wrap(apdu, 16, 1))
            parser, units = WrapperParser(), []
            while not units:
                units = list(parser.feed(connection.recv(65536)))
            answers.append(decode(units[0][2]))
    return answers


def test_a_server_in_a_thread_for_blocking_code():
    serving = serve_in_thread(energy_meter())
    with serving as url:
        assert ask(url, aarq(), bytes.fromhex(GET))[1].result == 5
        assert serving.call(lambda: serving.server.statistics.associations) == 1
    with pytest.raises(StateError):
        serving.call(len, ())
    with pytest.raises(OSError):
        ask(url, aarq())


def test_a_thread_that_cannot_listen_says_so():
    with serve_in_thread(energy_meter()) as url, pytest.raises(TransportError):
        serve_in_thread(energy_meter(), url).__enter__()


def test_a_thread_takes_a_server_that_was_made_for_it():
    server = Server([energy_meter()], limits=ConnectionLimits(connections=0)).listen("tcp://localhost:0")
    with serve_in_thread(server) as url:
        host, _, port = url.removeprefix("tcp://").rpartition(":")
        address = host.strip("[]"), int(port)
        with socket.create_connection(address, 20) as connection, contextlib.suppress(ConnectionResetError):
            assert connection.recv(1) == b""
    assert server.statistics.refused_connections == 1
