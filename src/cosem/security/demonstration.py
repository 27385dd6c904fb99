"""The keys of the demonstration meter: printed here, and so known to everybody; good for nothing but trying."""

from __future__ import annotations

from typing import Final

from cosem.security.key_material import DEMONSTRATION_PREFIX
from cosem.security.keys import Keys
from cosem.security.system_title import SystemTitle

__all__ = ["DEMONSTRATION_CLIENT", "demonstration_keys"]

DEMONSTRATION_CLIENT: Final = 2
"""Address of the client of the demonstration meter that uses these keys, with HLS-GMAC."""
_SERIAL: Final = 10_000_001


def demonstration_keys(serial: int = _SERIAL) -> Keys:
    """Return the keys of a demonstration meter, for its client and for the meter itself.

    Args:
        serial: Serial number of the meter; it makes its system title.

    >>> demonstration_keys()
    Keys(suite=0, client_title=COS0000000002, server_title=COS0000989681, encryption=<Key AES-128>, \
authentication=<Key AES-128>, broadcast=<Key AES-128>, master=<Key AES-128>)
    """
    return Keys.parse(
        client_title=SystemTitle.of("COS", DEMONSTRATION_CLIENT),
        server_title=SystemTitle.of("COS", serial),
        encryption=DEMONSTRATION_PREFIX + b"E",
        authentication=DEMONSTRATION_PREFIX + b"A",
        broadcast=DEMONSTRATION_PREFIX + b"B",
        master=DEMONSTRATION_PREFIX + b"M",
    )
