r"""Readouts: what a meter of modes A to D (IEC 62056-21) says as text, through an optical head or a converter.

::

    readout = cosem.read_out("serial:///dev/ttyUSB0")
    print(readout.identification.text, [str(each) for each in readout.data_sets])
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from cosem.connecting.text_port import TextPort, text_address

if TYPE_CHECKING:
    from cosem.link.iec62056_21 import ReadoutReceived
    from cosem.transport.observing import Observer
    from cosem.transport.url import Address

__all__ = ["read_out"]

_MODE_D_BAUD: Final = "2400"


def read_out(
    url: str,
    *,
    listen: bool = False,
    timeout: float = 120.0,
    clock: Callable[[], float] = time.monotonic,
    observing: Callable[[Address], Observer] | None = None,
) -> ReadoutReceived:
    r"""Return the readout of a meter: it is called, agrees on a rate, and says all that it shows.

    Args:
        url: ``serial:///dev/ttyUSB0``, ``rfc2217://host:port``, or ``tcp://host:port`` of a converter. Its query may
            hold ``device``, ``max_baud``, ``wake_up``, ``emulate_parity``, ``baud`` and ``format``, which mean what
            they do after ``mode_e=1``.
        listen: Whether to wait for a meter that sends by itself (mode D, 2400 baud unless ``baud`` says another
            rate), and not to call.
        timeout: Most seconds for all of it: at 300 baud a long readout takes minutes.
        clock: Monotonic seconds.
        observing: Returns who watches the octets on the line.

    Returns:
        The identification of the meter and its data sets, and whether a block check stood behind them.

    Raises:
        ConfigurationError: The URL is no such port, or an option means nothing.
        TransportTimeout: The readout is not whole in time.
        TransportError: The port cannot be opened, or the meter does not answer as it must; says why.
    """
    from cosem.link.iec62056_21 import ReadoutReceived

    address = text_address(url, timeout, "readout", {"baud": _MODE_D_BAUD} if listen else {})
    observer = None if observing is None else observing(address)
    port = TextPort(address, "readout", "readout", timeout=timeout, clock=clock, observer=observer)
    try:
        (port.machine.listen if listen else port.machine.start)(clock())
        while not isinstance(event := port.event(), ReadoutReceived):
            pass  # who it is, which the readout says too
        return event
    finally:
        port.close()
