"""The gateway protocol: a prefix that names the device behind a gateway (Green Book, 10.7).

Annex A's three duties: to what identifies an association on the carrier, network
and physical address of the end device are added; services are mapped as on the
carrier, confirmed ones always (towards an HDLC meter a gateway uses I frames, as
it cannot look into ciphered APDUs); COSEM-OPEN gains the two parts of the prefix.

::

    E6 (to a device) or E7 (from it) | network id | length | physical address | APDU
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from cosem.errors import EncodeError, FrameError
from cosem.link.base import ApduReceived, ClientLink, LineLink, LineSettings, LinkEvent

__all__ = ["GatewayClientLink", "GatewayPrefix", "split_gateway"]

_TO_DEVICE: Final = 0xE6
_FROM_DEVICE: Final = 0xE7


@dataclass(frozen=True, slots=True)
class GatewayPrefix:
    """Which device behind a gateway.

    Args:
        physical_address: Its address in that network: HDLC address, serial number as text, secondary address.
        network_id: Which network; 0 is the default one.
        from_device: Whether the APDU comes from the device.

    >>> GatewayPrefix(b"12345678").encode().hex(" ")
    'e6 00 08 31 32 33 34 35 36 37 38'
    """

    physical_address: bytes
    network_id: int = 0
    from_device: bool = False

    def encode(self) -> bytes:
        """Return the prefix.

        Raises:
            EncodeError: The address has more than 255 octets, or the network is outside 0..255.
        """
        if len(self.physical_address) > 0xFF or not 0 <= self.network_id <= 0xFF:
            raise EncodeError("a gateway prefix has a network 0..255 and an address of at most 255 octets")
        kind = _FROM_DEVICE if self.from_device else _TO_DEVICE
        return bytes((kind, self.network_id, len(self.physical_address))) + self.physical_address


def split_gateway(octets: bytes) -> tuple[GatewayPrefix | None, bytes]:
    r"""Return the prefix, if there is one, and the APDU behind it.

    Raises:
        FrameError: The prefix is cut off, or nothing follows it.

    >>> split_gateway(bytes.fromhex("C0 01"))
    (None, b'\xc0\x01')
    """
    if octets[:1] not in {b"\xe6", b"\xe7"}:
        return None, octets
    if len(octets) < 3 or len(octets) <= 3 + octets[2]:
        raise FrameError("the gateway prefix is cut off", len(octets))
    stop = 3 + octets[2]
    return GatewayPrefix(octets[3:stop], octets[1], octets[0] == _FROM_DEVICE), octets[stop:]


class GatewayClientLink:
    """A link to one device behind a gateway, over the link to the gateway.

    What comes without the prefix of the device is the gateway's own or another device's: it is counted in
    :attr:`ignored` and dropped.

    Args:
        carrier: The link to the gateway: wrapper or HDLC.
        prefix: The device.
    """

    __slots__ = ("_carrier", "_prefix", "ignored", "prefix")

    def __init__(self, carrier: ClientLink, prefix: GatewayPrefix) -> None:
        self._carrier = carrier
        self._prefix = prefix.encode()
        self.prefix = prefix
        self.ignored = 0

    def connect(self, now: float) -> None:
        """Connect to the gateway."""
        self._carrier.connect(now)

    def disconnect(self, now: float) -> None:
        """Disconnect from the gateway."""
        self._carrier.disconnect(now)

    def send(self, apdu: bytes, now: float, *, confirmed: bool = True) -> None:
        """Queue an APDU for the device."""
        self._carrier.send(self._prefix + apdu, now, confirmed=confirmed)

    def receive(self, octets: bytes, now: float) -> None:
        """Take octets from the transport.

        Raises:
            FrameError: They cannot be the profile of the carrier.
        """
        self._carrier.receive(octets, now)

    def data_to_send(self) -> bytes:
        """Return the queued octets, and forget them."""
        return self._carrier.data_to_send()

    def next_line(self) -> LineSettings | None:
        """Return how to set the line once all octets are out; ``None`` if it stays, or if there is none."""
        return self._carrier.next_line() if isinstance(self._carrier, LineLink) else None

    def next_event(self) -> LinkEvent | None:
        """Return the oldest event, or ``None``."""
        while (event := self._carrier.next_event()) is not None:
            if not isinstance(event, ApduReceived):
                return event
            try:
                prefix, apdu = split_gateway(event.apdu)
            except FrameError:
                prefix, apdu = None, b""
            if prefix == GatewayPrefix(
                self.prefix.physical_address, self.prefix.network_id, from_device=True
            ):
                return ApduReceived(apdu, event.source, event.destination, event.confirmed, event.findings)
            self.ignored += 1
        return None

    def deadline(self) -> float | None:
        """Return when :meth:`tick` must be called, or ``None``."""
        return self._carrier.deadline()

    def tick(self, now: float) -> None:
        """Let time-outs happen."""
        self._carrier.tick(now)
