"""Captures of a network: what each sender said over TCP or UDP."""

from __future__ import annotations

from typing import Any, Final

from cosem.errors import ConfigurationError
from cosem.transport.channel import peer_name

__all__ = ["CAPTURES", "read_capture"]

_PCAPNG: Final = b"\n\r\r\n"
CAPTURES: Final = (
    b"\xd4\xc3\xb2\xa1",
    b"\xa1\xb2\xc3\xd4",
    b"\x4d\x3c\xb2\xa1",
    b"\xa1\xb2\x3c\x4d",
    _PCAPNG,
)
"""What the files begin with: pcap in both orders, in micro- and nanoseconds, and pcapng."""


def read_capture(content: bytes) -> tuple[tuple[str, bytes], ...]:
    """Return what each sender said over TCP or UDP, retransmissions left out.

    Raises:
        ConfigurationError: The capture cannot be read, or the package that reads captures is missing.
    """
    import io

    try:
        import dpkt
    except ImportError:
        raise ConfigurationError(
            "captures need the package dpkt, which is not installed: pip install 'cosem[pcap]'"
        ) from None
    flows: dict[str, bytearray] = {}
    expected: dict[str, int] = {}
    try:
        reader: Any = (dpkt.pcapng.Reader if content[:4] == _PCAPNG else dpkt.pcap.Reader)(
            io.BytesIO(content)
        )
        link = reader.datalink()
        for _, packet in reader:
            segment = _transport(dpkt, link, packet)
            if segment is None:
                continue
            name, payload, sequence = segment
            if sequence is not None:
                ahead = (expected.get(name, sequence) - sequence) % 2**32
                if 0 < ahead < 2**31:
                    payload = payload[ahead:]  # came before
                expected[name] = max(expected.get(name, 0), (sequence + len(segment[1])) % 2**32)
            flows.setdefault(name, bytearray()).extend(payload)
    except (dpkt.Error, ValueError, IndexError) as error:
        raise ConfigurationError(f"the capture cannot be read: {error}") from None
    return tuple((name, bytes(octets)) for name, octets in flows.items() if octets)


def _transport(dpkt: Any, link: int, packet: bytes) -> tuple[str, bytes, int | None] | None:
    """Return the name of the flow, the payload and the sequence number of a packet; ``None`` for another one."""
    import socket

    makers = {
        dpkt.pcap.DLT_EN10MB: dpkt.ethernet.Ethernet,
        dpkt.pcap.DLT_LINUX_SLL: dpkt.sll.SLL,
        dpkt.pcap.DLT_NULL: dpkt.loopback.Loopback,
    }
    try:
        outer: Any = makers[link](packet).data if link in makers else None
        if outer is None:
            outer = dpkt.ip.IP(packet) if packet[:1] and packet[0] >> 4 == 4 else dpkt.ip6.IP6(packet)
        inner = outer.data
        family = socket.AF_INET if len(outer.src) == 4 else socket.AF_INET6
        source, destination = (socket.inet_ntop(family, address) for address in (outer.src, outer.dst))
        kind = {dpkt.tcp.TCP: "tcp", dpkt.udp.UDP: "udp"}[type(inner)]
        name = f"{kind} {peer_name(source, inner.sport)} > {peer_name(destination, inner.dport)}"
    except (dpkt.Error, AttributeError, KeyError, ValueError, OSError):
        return None
    return name, bytes(inner.data), inner.seq if kind == "tcp" else None
