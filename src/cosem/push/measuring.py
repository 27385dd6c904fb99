"""How long an APDU is in a stream, and whether it is one, as long as not too much was looked at in vain."""

from __future__ import annotations

from cosem.push.evidence import is_apdu
from cosem.push.sizes import apdu_size
from cosem.push.trials import Trials
from cosem.push.walking import Trails

__all__ = ["Measuring"]


class Measuring:
    """Measures what may be an APDU.

    Args:
        trials: Where it is counted what was looked at in vain.
    """

    __slots__ = ("_trails", "_trials")

    def __init__(self, trials: Trials) -> None:
        self._trials = trials
        self._trails = Trails()

    def forget(self) -> None:
        """Forget what was seen in the octets: others follow."""
        self._trails.forget()

    def size(self, data: bytes, pos: int, offset: int, most: int, *, more: bool) -> int:
        """As :func:`cosem.push.sizes.apdu_size`; 0 also where too much was looked at in vain.

        Args:
            data: The octets; the same ones until :meth:`forget`.
            pos: Where a tag stands.
            offset: Of the octets in the stream.
            most: Longest APDU that is taken.
            more: Whether more octets may come.
        """
        if not self._trials.allowed(offset + pos):
            return 0
        before = self._trails.looked
        size = apdu_size(data, pos, most, self._trails)
        if not size or (size < 0 and not more):
            self._trials.failed(self._trails.looked - before)
        return size

    def is_apdu(self, data: bytes, start: int, stop: int, offset: int) -> bool:
        """As :func:`cosem.push.evidence.is_apdu` of a part; not so where too much was read in vain."""
        if not self._trials.allowed(offset + start):
            return False
        found = is_apdu(data[start:stop])
        if not found:
            self._trials.failed(stop - start)
        return found
