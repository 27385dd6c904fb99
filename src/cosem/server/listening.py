"""URLs to listen at: ``tcp://HOST:PORT``, ``udp://HOST:PORT`` and ``hdlc+tcp://HOST:PORT``."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from cosem.errors import ConfigurationError
from cosem.link.wrapper import DEFAULT_PORT

__all__ = ["parse_listening_url"]

_SCHEMES: Final = ("tcp", "udp", "hdlc+tcp")
_ELSEWHERE: Final = ("sim:", "serial:")
"""URLs without a host, at which nobody can listen."""


def parse_listening_url(url: str) -> tuple[str, str, int]:
    """Return scheme, host and port of an address to listen at.

    An empty host means every address of the machine, port 0 any port that is free.

    Raises:
        ConfigurationError: It is no such URL.

    >>> parse_listening_url("tcp://:0"), parse_listening_url("localhost")
    (('tcp', '', 0), ('tcp', 'localhost', 4059))
    """
    try:
        parts = urlsplit(url if "://" in url or url.startswith(_ELSEWHERE) else f"tcp://{url}")
        port = parts.port
    except ValueError as error:
        raise ConfigurationError(f"{url!r} is no URL: {error}") from None
    if parts.scheme not in _SCHEMES or parts.path not in ("", "/"):
        raise ConfigurationError(
            f"{url!r}: write it as tcp://HOST:PORT, udp://HOST:PORT or hdlc+tcp://HOST:PORT"
        )
    return parts.scheme, parts.hostname or "", DEFAULT_PORT if port is None else port
