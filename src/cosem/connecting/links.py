"""Links as the options of a URL want them: wrapper or HDLC, after a sign-on or not, behind a gateway or not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cosem.errors import ConfigurationError

if TYPE_CHECKING:
    from cosem.association.client.parameters import AssociationParameters
    from cosem.link.base import ClientLink, LineSettings
    from cosem.link.gateway import GatewayPrefix
    from cosem.link.hdlc import HdlcClientLink
    from cosem.link.iec62056_21 import SignOn
    from cosem.transport.url import Address

__all__ = [
    "HDLC_OPTIONS",
    "MODE_E_OPTIONS",
    "SERIAL_OPTIONS",
    "gateway_prefix",
    "hdlc_link",
    "serial_line",
    "serial_link",
    "sign_on",
    "wrapper_link",
]

HDLC_OPTIONS: Final = frozenset({"physical", "address_size", "max_info", "window", "response_timeout"})
"""What the query of a URL may hold where HDLC is spoken."""
MODE_E_OPTIONS: Final = frozenset({"mode_e", "device", "max_baud", "wake_up", "echo", "emulate_parity"})
"""What it may hold where a sign-on may come first."""
SERIAL_OPTIONS: Final = frozenset({"baud", "format", "framing"})
"""What it may hold where there is a line to set."""

_TURN_AROUND: Final = 2.0
"""Seconds that a meter may take to answer a frame, besides the transmission."""
_SLOWEST: Final = 2400
"""The rate that is reckoned with after a sign-on, which agrees on one of its own."""
_SIGN_ON_ATTEMPTS: Final = 3
"""Together they take less than the usual time to connect, so that the reason is told."""


def wrapper_link(address: Address, parameters: AssociationParameters) -> ClientLink:
    """Return the client's end of the wrapper."""
    from cosem.link.wrapper import WrapperClientLink

    return _behind_gateway(address, WrapperClientLink(parameters.client_sap, parameters.server_sap))


def hdlc_link(address: Address, parameters: AssociationParameters) -> ClientLink:
    """Return the client's end of HDLC through a network, after a sign-on if the URL wants one.

    Raises:
        ConfigurationError: An option means nothing, or is out of range.
    """
    link = _hdlc(address, parameters, _TURN_AROUND)
    return _behind_gateway(address, _signed_on(address, link, line_control=False))


def serial_link(address: Address, parameters: AssociationParameters) -> ClientLink:
    """Return the client's end of HDLC, or of the wrapper, on a serial line.

    Raises:
        ConfigurationError: An option means nothing, or is out of range.
    """
    from cosem.link.base import LineSettings
    from cosem.transport.serial import transmission_time

    framing = address.choice("framing", "hdlc", "wrapper")
    mode_e = address.truth("mode_e")
    if framing == "wrapper":
        if unused := sorted(address.options.keys() & (HDLC_OPTIONS | MODE_E_OPTIONS)):
            raise ConfigurationError(f"with framing=wrapper {', '.join(unused)} means nothing")
        return wrapper_link(address, parameters)
    line = LineSettings(_SLOWEST, 8, "N") if mode_e else serial_line(address)
    burst = (address.number("max_info", 128) + 20) * address.number("window", 1)
    link = _hdlc(address, parameters, _TURN_AROUND + transmission_time(burst, line))
    return _behind_gateway(address, _signed_on(address, link, line_control=True))


def serial_line(address: Address) -> LineSettings:
    """Return how a port is set when it is opened: for the sign-on, or for HDLC from the start.

    Raises:
        ConfigurationError: An option means nothing, or is out of range.
    """
    from cosem.transport.serial import parse_format

    mode_e = address.truth("mode_e")
    if mode_e:
        plain = "8N1" if address.truth("emulate_parity") else "7E1"
        return parse_format(address.options.get("format", plain), address.number("baud", 300))
    return parse_format(address.options.get("format", "8N1"), address.number("baud", 9600))


def _hdlc(address: Address, parameters: AssociationParameters, response_timeout: float) -> HdlcClientLink:
    from cosem.link.hdlc.client import HdlcClientLink
    from cosem.link.hdlc.parameters import HdlcParameters

    most, window = address.number("max_info", 128), address.number("window", 1)
    return HdlcClientLink(
        parameters.client_sap,
        parameters.server_sap,
        physical=address.number("physical", 0) if "physical" in address.options else None,
        address_size=address.number("address_size", 0),
        parameters=HdlcParameters(most, most, window, window),
        connection=parameters.confirmed,
        response_timeout=address.seconds("response_timeout", response_timeout),
    )


def _signed_on(address: Address, link: HdlcClientLink, *, line_control: bool) -> ClientLink:
    """Return a link that signs on first, if the URL wants it."""
    if not address.truth("mode_e"):
        if unused := sorted((address.options.keys() & MODE_E_OPTIONS) - {"mode_e"}):
            raise ConfigurationError(f"{', '.join(unused)}: means something with mode_e=1 only")
        return link
    from cosem.link.iec62056_21 import ModeEClientLink

    return ModeEClientLink(link, sign_on(address, line_control=line_control))


def sign_on(address: Address, want: str = "hdlc", *, line_control: bool = True) -> SignOn:
    """Return the sign-on that the options of a URL describe.

    Args:
        address: The URL.
        want: What to sign on for; see :class:`~cosem.link.iec62056_21.SignOn`.
        line_control: Whether there is a line to set.

    Raises:
        ConfigurationError: An option means nothing, or is out of range.
    """
    from cosem.link.iec62056_21 import SignOn

    return SignOn(
        want,
        address=address.options.get("device", ""),
        most_baud=address.number("max_baud", 19200),
        wake_up=address.truth("wake_up"),
        emulate_parity=address.truth("emulate_parity"),
        line_control=line_control,
        confirmation=address.truth("echo"),
        retries=_SIGN_ON_ATTEMPTS - 1,
        line=serial_line(address),
    )


def gateway_prefix(text: str) -> GatewayPrefix:
    r"""Return the device behind a gateway that ``NETWORK:ADDRESS`` names.

    The address is text, as serial numbers are, or octets as ``hex:0102``; without a network it is network 0.

    Raises:
        ConfigurationError: It is none.

    >>> gateway_prefix("1:12345678").physical_address, gateway_prefix("hex:0011").physical_address
    (b'12345678', b'\x00\x11')
    """
    from cosem.link.gateway import GatewayPrefix

    network, colon, device = text.partition(":")
    if not colon or network == "hex":
        network, device = "0", text
    try:
        octets = bytes.fromhex(device[4:]) if device.startswith("hex:") else device.encode("ascii")
        prefix = GatewayPrefix(octets, int(network, 0))
        prefix.encode()
    except ValueError:
        octets = b""
    if not octets:
        raise ConfigurationError(
            f"gateway={text!r} is no NETWORK:ADDRESS with a network 0..255 and an address in ASCII or as hex:..."
        )
    return prefix


def _behind_gateway(address: Address, link: ClientLink) -> ClientLink:
    text = address.options.get("gateway")
    if text is None:
        return link
    from cosem.link.gateway import GatewayClientLink

    return GatewayClientLink(link, gateway_prefix(text))
