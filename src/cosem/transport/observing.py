"""Who may watch: an observer sees the octets on the line and the APDUs in them, both directions."""

from __future__ import annotations

__all__ = ["Observer"]


class Observer:
    """Sees all that goes out and comes in; subclass it and take what you need.

    APDUs are as they travel: protected ones are still protected. Octets are seen in the
    portions in which the transport took or gave them. A method that raises ends the
    connection: an observer is there to watch.
    """

    def octets_sent(self, octets: bytes) -> None:
        """See octets that go to the line, framing included."""

    def octets_received(self, octets: bytes) -> None:
        """See octets that came from the line, framing included."""

    def apdu_sent(self, apdu: bytes) -> None:
        """See one APDU that goes to the link."""

    def apdu_received(self, apdu: bytes) -> None:
        """See one APDU that the link found."""
