"""Captures of a network: what each sender said over TCP or UDP."""

from __future__ import annotations

from typing import Any, Final, Literal, NamedTuple

from cosem.errors import ConfigurationError
from cosem.transport.channel import peer_name

__all__ = ["CAPTURES", "Capture", "read_capture"]

_PCAPNG: Final = b"\n\r\r\n"
CAPTURES: Final = (
    b"\xd4\xc3\xb2\xa1",
    b"\xa1\xb2\xc3\xd4",
    b"\x4d\x3c\xb2\xa1",
    b"\xa1\xb2\x3c\x4d",
    _PCAPNG,
)
"""What the files begin with: pcap in both orders, in micro- and nanoseconds, and pcapng."""
_ETHERNET: Final = 1
_LINUX_SLL: Final = 113
_HEADERS: Final = {0: 4, 108: 4, 276: 20, 12: 0, 14: 0, 101: 0, 228: 0, 229: 0}
"""Octets before the Internet Protocol, by link type: loopback, any interface of Linux (SLL2), and nothing else."""
_CUT: Final = "the end of the capture is cut off: what is before it was read"
_FILE_HEADER: Final = 24
_PACKET_HEADER: Final = 16
_SYN: Final = 0x02
_SEQUENCES: Final = 2**32
_FARTHEST: Final = 2**24
"""Octets from the others at which a segment is one of another connection."""


class Capture(NamedTuple):
    """What a capture holds.

    Attributes:
        streams: What each sender said, and who it was; a connection of which something is missing is several.
        notes: What is not as it was sent, a sentence each.
    """

    streams: tuple[tuple[str, bytes], ...]
    notes: tuple[str, ...] = ()


class _Stream:
    """What one side of a connection said, in whatever order it was captured."""

    __slots__ = ("_begin", "_end", "_segments", "_whole")

    def __init__(self, begin: int, *, whole: bool) -> None:
        self._begin = begin
        self._end = 0  # the farthest that was seen
        self._whole = whole  # begins where the connection does
        self._segments: list[tuple[int, bytes]] = []

    def begins(self, sequence: int) -> bool:
        """Return whether a connection that begins there is this one."""
        return self._whole and self._begin == sequence

    def take(self, sequence: int, payload: bytes) -> bool:
        """Take a segment, if it is one of this connection; return whether it is."""
        away = (sequence - self._begin - self._end + _SEQUENCES // 2) % _SEQUENCES - _SEQUENCES // 2
        position = self._end + away
        if abs(away) > _FARTHEST or (self._whole and position < 0):
            return False
        self._segments.append((position, payload))
        self._end = max(self._end, position + len(payload))
        return True

    def parts(self) -> list[bytes]:
        """Return what was said, in order and once; another part begins where something is missing."""
        parts: list[bytearray] = []
        end = 0
        for position, payload in sorted(self._segments, key=lambda segment: segment[0]):
            if not payload:
                continue
            if not parts or position > end:
                parts.append(bytearray())
                end = position
            parts[-1] += payload[end - position :]
            end = max(end, position + len(payload))
        return [bytes(part) for part in parts]


def read_capture(content: bytes) -> Capture:
    """Return what each sender said over TCP or UDP: segments in order, retransmissions left out.

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
    flows: dict[str, list[_Stream] | bytearray] = {}
    notes = []
    try:
        reader: Any = (dpkt.pcapng.Reader if content[:4] == _PCAPNG else dpkt.pcap.Reader)(
            io.BytesIO(content)
        )
        link = reader.datalink()
    except (dpkt.Error, ValueError, IndexError) as error:
        raise ConfigurationError(f"the capture cannot be read: {error}") from None
    if link not in {_ETHERNET, _LINUX_SLL, *_HEADERS}:
        raise ConfigurationError(f"the capture cannot be read: its link type {link} is not known")
    try:
        for _, packet in reader:
            found = _transport(dpkt, link, packet)
            if found is None:
                continue
            name, inner = found
            segmented = isinstance(inner, dpkt.tcp.TCP)
            flow = flows.setdefault(name, [] if segmented else bytearray())
            if isinstance(flow, list):
                _take(flow, inner.seq, inner.flags, bytes(inner.data))
            else:
                flow += bytes(inner.data)
    except (dpkt.Error, ValueError, IndexError) as error:
        if not flows:
            raise ConfigurationError(f"the capture cannot be read: {error}") from None
        notes.append(_CUT)
    else:
        if content[:4] != _PCAPNG and _is_cut(content):
            notes.append(_CUT)
    streams = []
    for name, flow in flows.items():
        parted = [stream.parts() for stream in flow] if isinstance(flow, list) else [[bytes(flow)]]
        streams += [(name, part) for parts in parted for part in parts if part]
        gaps = sum(len(parts) - 1 for parts in parted if parts)
        if gaps:
            notes.append(f"{name}: octets are missing in the capture at {gaps} place{'s' * (gaps > 1)}")
    return Capture(tuple(streams), tuple(notes))


def _is_cut(content: bytes) -> bool:
    """Return whether the last packet of a pcap is not whole; its reader gives what is there."""
    order: Literal["little", "big"] = "big" if content[:1] == b"\xa1" else "little"
    at = _FILE_HEADER
    while at < len(content):
        at += _PACKET_HEADER + int.from_bytes(content[at + 8 : at + 12], order)
    return at > len(content)


def _take(streams: list[_Stream], sequence: int, flags: int, payload: bytes) -> None:
    """Take a segment into the connection whose it is; the same ports may have had several."""
    if flags & _SYN and not payload:  # programs that make captures set it in every segment
        sequence = (sequence + 1) % _SEQUENCES
        if not any(stream.begins(sequence) for stream in streams):
            streams.append(_Stream(sequence, whole=True))
    if not any(stream.take(sequence, payload) for stream in reversed(streams)):
        streams.append(_Stream(sequence, whole=False))
        streams[-1].take(sequence, payload)


def _transport(dpkt: Any, link: int, packet: bytes) -> tuple[str, Any] | None:
    """Return the name of the flow, and the segment or datagram of a packet; ``None`` for another one."""
    import socket

    try:
        if link == _ETHERNET:
            outer: Any = dpkt.ethernet.Ethernet(packet).data
        elif link == _LINUX_SLL:
            outer = dpkt.sll.SLL(packet).data
        else:
            rest = packet[_HEADERS[link] :]
            outer = dpkt.ip.IP(rest) if rest[:1] and rest[0] >> 4 == 4 else dpkt.ip6.IP6(rest)
        inner = outer.data
        family = socket.AF_INET if len(outer.src) == 4 else socket.AF_INET6
        source, destination = (socket.inet_ntop(family, address) for address in (outer.src, outer.dst))
        kind = {dpkt.tcp.TCP: "tcp", dpkt.udp.UDP: "udp"}[type(inner)]
        name = f"{kind} {peer_name(source, inner.sport)} > {peer_name(destination, inner.dport)}"
    except (dpkt.Error, AttributeError, KeyError, ValueError, OSError):
        return None
    return name, inner
