"""The security of a client of the demonstration meter: HLS-GMAC, authenticated encryption, published keys."""

from __future__ import annotations

from cosem.client.security import HighGmac
from cosem.security.counters import VolatileCounterStore
from cosem.security.demonstration import DEMONSTRATION_CLIENT, demonstration_keys

__all__ = ["DEMONSTRATION_CLIENT", "demonstration_security"]


def demonstration_security() -> HighGmac:
    """Return the security of client 2 of the demonstration meter.

    Its keys are published and its counters are forgotten with the process: nothing here protects anything.

    >>> from cosem.connecting import connect
    >>> with connect("sim:", client=2, security=demonstration_security()) as meter:
    ...     meter.get("0-0:96.1.0")
    OctetString.fromhex('3130303030303031')
    """
    return HighGmac(demonstration_keys(), counters=VolatileCounterStore(), allow_test_keys=True)
