"""Channels: TCP over loopback, pairs in memory, and what goes wrong with them in plain words."""

from __future__ import annotations

import asyncio
import select
import socket
import threading
from contextlib import contextmanager

import pytest

from cosem.errors import TransportClosed, TransportError, TransportTimeout
from cosem.transport.aio import open_tcp
from cosem.transport.channel import MemoryChannel, TcpChannel, peer_name
from cosem.transport.udp import UdpChannel, open_udp


@contextmanager
def listening():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server, server.getsockname()[1]


@contextmanager
def tcp_pair():
    with listening() as (server, port):
        channel = TcpChannel("127.0.0.1", port, 5.0)
        peer, _ = server.accept()
        with peer:
            yield channel, peer
        channel.close()


def test_octets_go_both_ways():
    with tcp_pair() as (channel, peer):
        channel.send(b"abc")
        assert peer.recv(10) == b"abc"
        peer.sendall(b"xyz")
        assert channel.receive(5.0) == b"xyz"


def test_nothing_in_time_is_a_time_out_and_the_channel_goes_on():
    with tcp_pair() as (channel, peer):
        with pytest.raises(TransportTimeout):
            channel.receive(0.0)
        peer.sendall(b"late")
        assert channel.receive(5.0) == b"late"


def test_more_octets_than_the_system_takes_at_once_are_all_sent():
    octets = bytes(range(256)) * 40_000
    received = bytearray()
    with tcp_pair() as (channel, peer):

        def drain():
            while len(received) < len(octets):
                received.extend(peer.recv(1 << 20))

        reader = threading.Thread(target=drain)
        reader.start()
        channel.send(octets)
        reader.join()
    assert received == octets


def test_a_peer_that_takes_nothing_is_an_error_in_the_end():
    with listening() as (server, port):
        channel = TcpChannel("127.0.0.1", port, 0.05)
        peer, _ = server.accept()
        with peer, pytest.raises(TransportClosed, match="takes no more octets"):
            channel.send(bytes(64 * 1024 * 1024))
        channel.close()


def test_a_closed_peer_is_told():
    with tcp_pair() as (channel, peer):
        peer.close()
        with pytest.raises(TransportClosed, match=r"127\.0\.0\.1:\d+ closed the connection"):
            channel.receive(5.0)


def test_a_reset_is_told():
    with tcp_pair() as (channel, peer):
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
        peer.close()
        with pytest.raises(TransportClosed, match="lost"):
            channel.receive(5.0)
        with pytest.raises(TransportClosed):
            channel.send(b"x")


def test_a_channel_that_we_closed_is_told_and_closing_twice_does_nothing():
    with tcp_pair() as (channel, _):
        channel.close()
        channel.close()
        with pytest.raises(TransportClosed):
            channel.send(b"x")
        with pytest.raises(TransportClosed):
            channel.receive(1.0)


@pytest.mark.parametrize("udp", [False, True])
def test_closing_wakes_up_a_thread_that_waits(udp):
    with listening() as (_, port):
        channel = UdpChannel("127.0.0.1", port) if udp else TcpChannel("127.0.0.1", port, 5.0)
        with channel._socket.dup() as held:  # as a thread holds it that is in the middle of a system call
            assert select.select([held], [], [], 0)[0] == []
            channel.close()
            assert select.select([held], [], [], 0)[0] == [held]


def test_a_closed_port_says_who_refused():
    with listening() as (_, port):
        pass
    with pytest.raises(TransportError, match=rf"cannot connect to 127\.0\.0\.1:{port}: Connection refused"):
        TcpChannel("127.0.0.1", port, 5.0)


@pytest.mark.parametrize("host", ["no-such-host.invalid", "a" * 70, ".."])
def test_a_name_that_is_none_is_one_line(host):
    with listening() as (_, port), pytest.raises(TransportError) as caught:
        TcpChannel(host, port, 5.0)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("host", ["127.0.0.1\0", "127.0.0.1\0.example", "localhost\0"])
def test_a_name_is_not_cut_at_its_nul_even_where_somebody_listens(host):
    link, association = object(), object()
    with listening() as (_, port):
        for connecting in (
            lambda: TcpChannel(host, port, 5.0),
            lambda: UdpChannel(host, port),
            lambda: asyncio.run(open_tcp(host, port, link, association)),
            lambda: asyncio.run(open_udp(host, port, link, association)),
        ):
            with pytest.raises(TransportError, match="is no name of a host"):
                connecting()


def test_a_pair_in_memory_is_a_connection():
    one, other = MemoryChannel.pair()
    one.send(b"abc")
    one.send(b"")
    assert other.receive(0) == b"abc"
    with pytest.raises(TransportTimeout):
        other.receive(0)
    other.close()
    other.close()
    for _ in range(2):
        with pytest.raises(TransportClosed):
            one.receive(0)
    with pytest.raises(TransportClosed):
        other.send(b"x")


def test_closing_one_end_in_memory_wakes_the_thread_that_waits_there():
    ours, _ = MemoryChannel.pair()
    seen: list[Exception] = []

    def wait():
        try:
            ours.receive(3600)
        except TransportClosed as error:
            seen.append(error)

    thread = threading.Thread(target=wait, daemon=True)
    thread.start()
    ours.close()
    thread.join(10)
    assert [str(error) for error in seen] == ["the channel is closed"]


def test_addresses_of_version_6_are_written_in_brackets():
    assert peer_name("10.0.0.7", 4059) == "10.0.0.7:4059"
    assert peer_name("fe80::1", 4059) == "[fe80::1]:4059"
