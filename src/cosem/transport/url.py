"""URLs of meters: ``tcp://host:4059``, ``hdlc+tcp://``, ``serial:///dev/ttyUSB0?mode_e=1``, ``rfc2217://``, ``sim:``."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from math import isfinite
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

from cosem.errors import ConfigurationError
from cosem.link.wrapper import DEFAULT_PORT

__all__ = ["Address", "parse_url", "shown_url"]

SCHEMES: Final = ("tcp", "udp", "hdlc+tcp", "serial", "rfc2217", "sim")
_WITH_HOST: Final = frozenset({"tcp", "udp", "hdlc+tcp", "rfc2217"})
_DEFAULT_PORTS: Final = {"rfc2217": 2217}
"""Where another one than that of the wrapper is usual."""
_TRUTH: Final = {
    "1": True,
    "yes": True,
    "true": True,
    "on": True,
    "": True,
    "0": False,
    "no": False,
    "false": False,
    "off": False,
}
_DEVICE: Final = re.compile(r"(/[^?]*|COM[0-9]+)(\?.*)?", re.IGNORECASE | re.DOTALL)
_BEFORE_HOST: Final = re.compile(r"(?<=//).*@|^(?!.*//).*@", re.DOTALL)
_LONGEST_SHOWN: Final = 100


@dataclass(frozen=True, slots=True)
class Address:
    """Where a meter is.

    Args:
        scheme: The communication profile: tcp, udp, hdlc+tcp, serial, rfc2217 or sim; to listen also pty.
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

    def seconds(self, name: str, default: float) -> float:
        """Return an option that is a time, seconds above 0.

        Raises:
            ConfigurationError: It is none.
        """
        text = self.options.get(name)
        if text is None:
            return default
        try:
            seconds = float(text)
        except ValueError:
            seconds = 0.0
        if not (seconds > 0 and isfinite(seconds)):
            raise ConfigurationError(f"option {name}={text!r} is no number of seconds above 0")
        return seconds

    def truth(self, name: str, *, default: bool = False) -> bool:
        """Return an option that is on or off; its bare name means on.

        Raises:
            ConfigurationError: It is neither.
        """
        text = self.options.get(name)
        if text is None:
            return default
        found = _TRUTH.get(text.lower())
        if found is None:
            raise ConfigurationError(f"option {name}={text!r} is neither 1 nor 0")
        return found

    def choice(self, name: str, *choices: str) -> str:
        """Return an option that is one of some words, the first one by default.

        Raises:
            ConfigurationError: It is another one.
        """
        text = self.options.get(name, choices[0]).lower()
        if text not in choices:
            raise ConfigurationError(f"option {name}={text!r} is none of {', '.join(choices)}")
        return text

    def __str__(self) -> str:
        if self.scheme in _WITH_HOST:
            host = f"[{self.host}]" if ":" in self.host else self.host
            return f"{self.scheme}://{host}:{self.port}"
        return f"{self.scheme}:{'//' if self.path.startswith('/') else ''}{self.path}"


def shown_url(text: str) -> str:
    """Return a URL as errors show it: without its options and what stands before an ``@``, which may be secrets."""
    shown = _BEFORE_HOST.sub("...@", text.partition("?")[0])
    return repr(shown if len(shown) <= _LONGEST_SHOWN else f"{shown[:_LONGEST_SHOWN]}...")


def _as_url(device: str) -> str:
    return f"serial:{'//' if device.startswith('/') else ''}{device.partition('?')[0]}"


def parse_url(text: str) -> Address:
    """Return the address that a URL means; a bare ``host:port`` is taken for ``tcp://``.

    Raises:
        ConfigurationError: Unknown scheme, no host, or a port outside 1..65535.

    >>> parse_url("tcp://10.0.0.7?client=1")
    Address(scheme='tcp', host='10.0.0.7', port=4059, path='', options={'client': '1'})
    """
    if not isinstance(text, str):
        raise ConfigurationError(
            f"{type(text).__name__} is no URL; write it as text, for example tcp://HOST:4059"
        )
    given = text.strip()
    if _DEVICE.fullmatch(given):
        raise ConfigurationError(
            f"{shown_url(given)} is no URL; a serial port is written as {_as_url(given)}"
        )
    if "://" not in given and not given.startswith(("sim:", "serial:")):
        if given.partition("?")[0].endswith(".toml"):
            raise ConfigurationError(
                f"{shown_url(given)} is a file, not a URL; a meter of it is simulated by sim:{given.partition('?')[0]}"
            )
        given = f"tcp://{given}"
    try:
        parts = urlsplit(given)
        port = parts.port
    except ValueError as error:
        why = "" if "@" in given else f": {error}"
        raise ConfigurationError(f"{shown_url(text)} is no URL{why}") from None
    if "@" in parts.netloc:
        raise ConfigurationError(
            f"{shown_url(text)}: a URL names no user and no password; give them by themselves"
        )
    scheme = parts.scheme.lower()
    if scheme not in SCHEMES:
        raise ConfigurationError(
            f"{shown_url(text)}: unknown scheme {scheme[:20]!r}; use one of {', '.join(SCHEMES)}"
        )
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    if scheme not in _WITH_HOST:
        path = unquote(parts.netloc + parts.path)
        if scheme == "serial" and not path:
            raise ConfigurationError(
                f"{shown_url(text)} names no port; write it as serial:///dev/ttyUSB0 or serial:COM3"
            )
        return Address(scheme, path=path, options=options)
    usual = _DEFAULT_PORTS.get(scheme, DEFAULT_PORT)
    if parts.hostname and not parts.hostname.isprintable():
        raise ConfigurationError(f"{parts.hostname!r} is no name of a host")
    if not parts.hostname:
        raise ConfigurationError(f"{shown_url(text)} names no host; write it as {scheme}://HOST:{usual}")
    if port == 0 or parts.path not in ("", "/"):
        raise ConfigurationError(
            f"{shown_url(text)}: port must be 1..65535, and nothing may follow but options"
        )
    return Address(scheme, parts.hostname, port or usual, options=options)
