"""What is shown of a connection while it works, on standard error: progress for the patient, APDUs for the curious."""

from __future__ import annotations

import sys
import time
from contextlib import suppress
from typing import Final

from cosem.errors import CosemError
from cosem.transport.observing import Observer

__all__ = ["ApduObserver", "ProgressObserver", "masked"]

_PAUSE: Final = 0.1
"""Seconds between two changes of the progress."""
_PATIENCE: Final = 0.5
"""Seconds that pass before progress is shown at all: what is faster needs none."""
_LITTLE: Final = 1000
"""Fewer octets are shown only to who waits long: what is read by then is nearly over."""
_LONG: Final = 3.0
"""Seconds that are long."""
_CLEAR: Final = "\r\x1b[K"
_MASK: Final = 0x2A


class ProgressObserver(Observer):
    """Shows how much has come, in one line that goes away at the end."""

    def __init__(self) -> None:
        self._begin = time.monotonic()
        self._next = self._begin + _PATIENCE
        self._octets = 0
        self._shown = False

    def apdu_received(self, apdu: bytes) -> None:
        """Count, and show from time to time."""
        self._octets += len(apdu)
        now = time.monotonic()
        if now < self._next or (self._octets < _LITTLE and now < self._begin + _LONG):
            return
        self._next = now + _PAUSE
        self._shown = True
        rate = self._octets / (now - self._begin)
        self._write(f"{_CLEAR}received {self._octets:,} octets, {rate:,.0f} a second")

    def close(self) -> None:
        """Take the line away."""
        if self._shown:
            self._write(_CLEAR)

    @staticmethod
    def _write(text: str) -> None:
        with suppress(OSError):
            sys.stderr.write(text)
            sys.stderr.flush()


class ApduObserver(Observer):
    """Writes every APDU: its name and its octets, or what each octet means; secrets are asterisks, as in recordings.

    Args:
        secret: Octets that are shown as asterisks wherever they appear, besides what APDUs say is secret.
        explained: Whether APDUs are taken apart.
    """

    def __init__(self, secret: bytes | None, *, explained: bool) -> None:
        from cosem.translate.secrets import SecretFinder

        self._secret = secret
        self._secrets_in = SecretFinder()
        self._explained = explained

    def apdu_sent(self, apdu: bytes) -> None:
        """Show what goes out."""
        self._show(">", self._masked(apdu, sent=True))

    def apdu_received(self, apdu: bytes) -> None:
        """Show what came in."""
        self._show("<", self._masked(apdu, sent=False))

    def close(self) -> None:
        """Do nothing: each line stands for itself."""

    def _masked(self, apdu: bytes, *, sent: bool) -> bytes:
        octets = bytearray(apdu)
        for start, stop in self._secrets_in(apdu, sent):
            octets[start:stop] = bytes((_MASK,)) * (stop - start)
        return masked(bytes(octets), self._secret)

    def _show(self, arrow: str, apdu: bytes) -> None:
        from cosem.translate.explain import explain

        name, lines = "not understood", [apdu.hex(" ").upper()]
        with suppress(CosemError):
            explanation = explain(apdu)
            name = explanation.root.name
            if self._explained:
                lines = explanation.text().splitlines()
        text = "".join(f"    {line}\n" for line in lines) if self._explained else f"    {lines[0]}\n"
        with suppress(OSError):
            print(f"{arrow} {name}, {len(apdu)} octets\n{text}", end="", file=sys.stderr, flush=True)


def masked(apdu: bytes, secret: bytes | None) -> bytes:
    """Return an APDU with a secret in it overwritten, so that its structure stays.

    >>> masked(b"..12345678..", b"12345678")
    b'..********..'
    """
    return apdu.replace(secret, bytes((_MASK,)) * len(secret)) if secret else apdu
