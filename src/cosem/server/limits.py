"""What a server may be made to spend, and what it has seen."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from cosem.association.server.profile import ServerLimits

__all__ = ["ConnectionLimits", "Statistics"]


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """What connections may cost. ``None`` for no limit.

    Args:
        connections: Most connections at a time; one more is closed at once.
        per_address: Most connections from one IP address. Off by default: a head-end that reads through
            a gateway has one address for all its sessions.
        associations: Most associations of one connection at a time.
        queued: Most requests of one association that wait for their turn; then nothing more is read
            from the connection until some are answered.
        first_association: Seconds from connecting to the first association that stands.
        untaken: Octets that a client has not taken yet, and that wait in our memory; while there are more, nothing
            is sent to it unasked.
        idle: Seconds that a connection may be silent.
        partial_unit: Seconds from the first octet of a unit to its last.
        request: Seconds that the application process may take for one attribute or method; the client
            is then told temporary-failure. Less than clients wait, or they would never hear it.
        guesses: Wrong passwords and proofs from one address for one client address that cost nothing.
        first_delay: Seconds that the next attempt is refused after one guess more; doubled each time.
        longest_delay: Most seconds of such a delay: nobody is locked out for good.
        association: What one association may cost.
    """

    connections: int | None = 256
    per_address: int | None = None
    associations: int = 16
    queued: int = 64
    first_association: float | None = 10.0
    untaken: int | None = 65_536
    idle: float | None = 120.0
    partial_unit: float | None = 10.0
    request: float | None = 8.0
    guesses: int = 5
    first_delay: float = 1.0
    longest_delay: float = 300.0
    association: ServerLimits = field(default_factory=ServerLimits)


@dataclass(slots=True)
class Statistics:
    """What a server has seen since it was made.

    Attributes:
        connections: Connections accepted.
        refused_connections: Connections closed at once, too many being open.
        malformed: Connections closed since their octets were no frames.
        timed_out: Connections closed for taking too long.
        associations: Associations that stand or stood.
        authentication_failures: Wrong passwords and proofs.
        deciphering_failures: Requests in associations that could not be deciphered.
        requests: APDUs that were processed.
        answers: APDUs that were sent in answer.
        notifications: Notifications that were sent, counted once for each client.
        notifications_dropped: Those that were not, since the client does not take what was sent before.
        octets_received: Octets from clients.
        octets_sent: Octets to clients.
        incidents: Errors of the application process.
    """

    connections: int = 0
    refused_connections: int = 0
    malformed: int = 0
    timed_out: int = 0
    associations: int = 0
    authentication_failures: int = 0
    deciphering_failures: int = 0
    requests: int = 0
    answers: int = 0
    notifications: int = 0
    notifications_dropped: int = 0
    octets_received: int = 0
    octets_sent: int = 0
    incidents: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Return the counters by name."""
        return {name: getattr(self, name) for name in self.__slots__}
