"""URLs to listen at: ``tcp://``, ``udp://``, ``hdlc+tcp://``, ``serial:``, ``rfc2217://`` and ``pty:``.

Their queries say how the meter is to be reached, in the words that a client uses;
where nothing is said, every form of call is answered.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, unquote, urlsplit

from cosem.errors import ConfigurationError
from cosem.link.wrapper import DEFAULT_PORT, WrapperServerLink
from cosem.transport.url import Address

if TYPE_CHECKING:
    from cosem.link.base import LineSettings
    from cosem.link.hdlc.server import HdlcServerLink
    from cosem.link.iec62056_21 import ModeEServerLink
    from cosem.server.connection import LinkFactory

__all__ = ["as_client", "line_of", "link_factory", "parse_listening_url"]

_HDLC: Final = frozenset({"physical", "address_size", "max_info", "window", "inactivity_timeout"})
_MODE_E: Final = frozenset({"mode_e", "device", "identification", "readout", "emulate_parity"})
_LINE: Final = frozenset({"baud", "format", "framing"})
_OPTIONS: Final = {
    "tcp": frozenset[str](),
    "udp": frozenset[str](),
    "hdlc+tcp": _HDLC | _MODE_E,
    "serial": _HDLC | _MODE_E | _LINE,
    "rfc2217": _HDLC | _MODE_E | _LINE,
    "pty": _HDLC | _MODE_E | _LINE,
}
"""The schemes, and what their queries may hold."""
_WITHOUT_HOST: Final = ("sim:", "serial:", "pty:")
_FOR_CLIENTS: Final = (
    "mode_e",
    "device",
    "physical",
    "address_size",
    "baud",
    "format",
    "emulate_parity",
    "framing",
)
"""Options that a client must use, too."""


def parse_listening_url(url: str) -> Address:
    """Return where to listen.

    An empty host means every address of the machine, port 0 any port that is free.

    Raises:
        ConfigurationError: It is no such URL.

    >>> parse_listening_url("tcp://:0"), parse_listening_url("localhost").port
    (Address(scheme='tcp', host='', port=0, path='', options={}), 4059)
    """
    try:
        parts = urlsplit(url if "://" in url or url.startswith(_WITHOUT_HOST) else f"tcp://{url}")
        port = parts.port if parts.scheme not in {"serial", "pty"} else None
    except ValueError as error:
        raise ConfigurationError(f"{url!r} is no URL: {error}") from None
    known = _OPTIONS.get(parts.scheme)
    path = unquote(parts.netloc + parts.path)
    if known is None or (parts.scheme == "serial" and not path):
        raise ConfigurationError(
            f"{url!r}: write it as tcp://HOST:PORT, udp://HOST:PORT, hdlc+tcp://HOST:PORT, "
            "serial:///dev/ttyUSB0, rfc2217://HOST:PORT or pty:"
        )
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    if unknown := sorted(options.keys() - known):
        usable = f"known are {', '.join(sorted(known))}" if known else "there are none"
        raise ConfigurationError(f"{url!r}: unknown option {', '.join(unknown)}; {usable}")
    if parts.scheme in {"serial", "pty"}:
        return Address(parts.scheme, path=path, options=options)
    if parts.path not in {"", "/"}:
        raise ConfigurationError(f"{url!r}: nothing may follow the port but options")
    return Address(
        parts.scheme, parts.hostname or "", DEFAULT_PORT if port is None else port, options=options
    )


def as_client(address: Address, url: str) -> str:
    """Return a URL with the options that a client must use."""
    options = [f"{name}={address.options[name]}" for name in _FOR_CLIENTS if name in address.options]
    return f"{url}?{'&'.join(options)}" if options else url


def line_of(address: Address) -> LineSettings:
    """Return how a port is set when it is opened.

    Raises:
        ConfigurationError: An option means nothing, or is out of range.
    """
    from cosem.transport.serial import parse_format

    if address.truth("mode_e"):
        plain = "8N1" if address.truth("emulate_parity") else "7E1"
        return parse_format(address.options.get("format", plain), address.number("baud", 300))
    return parse_format(address.options.get("format", "8N1"), address.number("baud", 9600))


def link_factory(address: Address, logical_devices: Iterable[int], identification: str) -> LinkFactory:
    r"""Return what makes the links of the communication profile that an address names.

    Args:
        address: Where to listen.
        logical_devices: Addresses of the logical devices.
        identification: What is answered to a sign-on, unless the address says it: ``/XXXZ\2TEXT``.

    Raises:
        ConfigurationError: An option means nothing, or is out of range.
    """
    has_line = address.scheme in {"serial", "rfc2217", "pty"}
    framing = address.choice("framing", "hdlc", "wrapper") if has_line else ""
    if address.scheme in {"tcp", "udp"} or framing == "wrapper":
        return WrapperServerLink
    devices = tuple(logical_devices)

    def hdlc() -> HdlcServerLink:
        return _hdlc(address, devices)

    def mode_e() -> ModeEServerLink:
        from cosem.link.iec62056_21 import Identification, ModeEServerLink

        return ModeEServerLink(
            hdlc(),
            Identification.parse(address.options.get("identification", identification)),
            address=address.options.get("device", ""),
            readout=address.options.get("readout", ""),
            emulate_parity=address.truth("emulate_parity"),
            line_control=has_line,
            line=line_of(address),
        )

    factory = mode_e if address.truth("mode_e") else hdlc
    factory()  # what is out of range fails here, not when a client comes
    return factory


def _hdlc(address: Address, logical_devices: tuple[int, ...]) -> HdlcServerLink:
    from cosem.link.hdlc.parameters import HdlcParameters
    from cosem.link.hdlc.server import HdlcServerLink

    most, window = address.number("max_info", 128), address.number("window", 1)
    return HdlcServerLink(
        logical_devices,
        physical=address.number("physical", 0) if "physical" in address.options else None,
        address_size=address.number("address_size", 0),
        parameters=HdlcParameters(most, most, window, window),
        inactivity_timeout=address.seconds("inactivity_timeout", 120.0),
    )
