"""URLs of meters: ``tcp://host:4059``, ``hdlc+tcp://``, ``serial:///dev/ttyUSB0?mode_e=1``, ``sim:``."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit

from cosem.errors import ConfigurationError
from cosem.link.wrapper import DEFAULT_PORT

__all__ = ["Address", "parse_url"]

SCHEMES = ("tcp", "udp", "hdlc+tcp", "serial", "sim")
_WITH_HOST = frozenset({"tcp", "udp", "hdlc+tcp"})


@dataclass(frozen=True, slots=True)
class Address:
    """Where a meter is.

    Args:
        scheme: The communication profile: tcp, udp, hdlc+tcp, serial or sim.
        host: Name or IP address; empty for serial and sim.
        port: TCP or UDP port.
        path: Device of a serial port, or name of a simulated meter.
        options: What stands in the query, for example ``client`` and ``server``.
    """

    scheme: str
    host: str = ""
    port: int = DEFAULT_PORT
    path: str = ""
    options: dict[str, str] = field(default_factory=dict)

    def number(self, name: str, default: int) -> int:
        """Return an option that is a number, decimal or with 0x.

        Raises:
            ConfigurationError: It is no number.
        """
        text = self.options.get(name)
        if text is None:
            return default
        try:
            return int(text, 0)
        except ValueError:
            raise ConfigurationError(f"option {name}={text!r} is no number") from None

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return (
            f"{self.scheme}://{host}:{self.port}"
            if self.scheme in _WITH_HOST
            else f"{self.scheme}:{self.path}"
        )


def parse_url(text: str) -> Address:
    """Return the address that a URL means; a bare ``host:port`` is taken for ``tcp://``.

    Raises:
        ConfigurationError: Unknown scheme, no host, or a port outside 1..65535.

    >>> parse_url("tcp://10.0.0.7?client=1")
    Address(scheme='tcp', host='10.0.0.7', port=4059, path='', options={'client': '1'})
    """
    given = text.strip()
    if "://" not in given and not given.startswith(("sim:", "serial:")):
        given = f"tcp://{given}"
    try:
        parts = urlsplit(given)
        port = parts.port
    except ValueError as error:
        raise ConfigurationError(f"{text!r} is no URL: {error}") from None
    scheme = parts.scheme.lower()
    if scheme not in SCHEMES:
        raise ConfigurationError(f"{text!r}: unknown scheme {scheme!r}; use one of {', '.join(SCHEMES)}")
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    if scheme not in _WITH_HOST:
        return Address(scheme, path=parts.netloc + parts.path, options=options)
    if not parts.hostname:
        raise ConfigurationError(f"{text!r} names no host; write it as {scheme}://HOST:4059")
    if port == 0 or parts.path not in ("", "/"):
        raise ConfigurationError(f"{text!r}: port must be 1..65535, and nothing may follow but options")
    return Address(scheme, parts.hostname, port or DEFAULT_PORT, options=options)
