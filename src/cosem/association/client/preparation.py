"""What security contributes to an association of the client before it is opened.

Keys, secrets, counters and randomness live elsewhere; whoever has them turns the
parameters that the caller asked for into a :class:`PreparedAssociation`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from cosem.association.client.parameters import AssociationParameters

if TYPE_CHECKING:
    from cosem.association.client.association import ProtectionLike
    from cosem.association.client.opening import ClientAuthenticator

__all__ = ["ClientSecurity", "PreparedAssociation"]


@dataclass(frozen=True, slots=True)
class PreparedAssociation:
    """An association that can be opened.

    Args:
        parameters: What to ask for, with application context, mechanism, secret and titles filled in.
        protection: Protects and unprotects APDUs, in application contexts with ciphering.
        authenticator: Runs the HLS passes, for mechanisms 2 to 7.
    """

    parameters: AssociationParameters
    protection: ProtectionLike | None = None
    authenticator: ClientAuthenticator | None = None


class ClientSecurity(Protocol):
    """How a client proves who it is and protects what it sends; handed to ``connect(security=...)``."""

    def prepare(self, parameters: AssociationParameters) -> PreparedAssociation:
        """Return ``parameters`` with what this security adds, fresh for each opening.

        Raises:
            SecurityError: A key or secret is missing.
            ConfigurationError: The parameters contradict it.
        """
        ...
