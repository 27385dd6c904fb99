"""DataNotification at the server: what is pushed, whole or in blocks, and its confirmation (later editions).

Nobody asks for it, and up to Green Book 9 nothing comes back. What is longer than the
receiver takes goes in general blocks without acknowledgements.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

from cosem.apdu import decode, encode
from cosem.apdu.notification import DataNotification, DataNotificationConfirm
from cosem.association.block_transfer import cut_unconfirmed
from cosem.association.control_function import State
from cosem.association.server.indications import Indication, NotificationConfirmed
from cosem.errors import ConfigurationError, DecodeError, LimitError, StateError, UnsupportedError
from cosem.security.policy import ProtectionKind
from cosem.types.enumerations import Conformance

if TYPE_CHECKING:
    from cosem.association.server.association import ServerAssociation
    from cosem.association.server.profile import AssociationProfile, ServerProtection

__all__ = [
    "cut",
    "notification_confirmed",
    "notification_in_association",
    "protected_as_demanded",
    "pushed",
    "smaller",
]


def notification_confirmed(octets: bytes) -> Generator[Indication, Any, list[bytes]]:
    """Take a data-notification-confirm, in whatever state the association is; nothing is answered to it."""
    try:
        confirm = decode(octets)
    except DecodeError:
        return []
    if isinstance(confirm, DataNotificationConfirm):
        yield NotificationConfirmed(confirm.long_invoke_id_and_priority.long_invoke_id)
    return []


def notification_in_association(
    association: ServerAssociation, notification: DataNotification, *, longest: int = 0
) -> list[bytes]:
    """Return the APDUs of DataNotification.request to the client of an association.

    Args:
        association: The association.
        notification: What the client is told.
        longest: Longest APDU that the link carries unconfirmed, octets; 0 for no limit.

    Raises:
        UnsupportedError: The association did not agree on it, or the client or the link takes no APDU so long.
        StateError: There is no association, or the client has not yet proved who it is.
        EncodeError: The body is of no COSEM type.
    """
    if association.state is not State.ASSOCIATED or association.pending_until is not None:
        raise StateError(association.state.name, "DataNotification.request")
    if not association.agreed(Conformance.DATA_NOTIFICATION):
        raise UnsupportedError("this association did not agree on data-notification")
    blocks = association.agreed(Conformance.GENERAL_BLOCK_TRANSFER)
    limit = smaller(association.context.client_max_receive_pdu_size, longest)
    return cut(_protected(notification, association.protection), limit, blocks=blocks)


def pushed(
    notification: DataNotification,
    profile: AssociationProfile,
    protection: ServerProtection | None,
    kinds: int = 0,
) -> list[bytes]:
    """Return the APDUs of a push to a destination, in the context of an association that need not be open.

    Args:
        notification: What is pushed.
        profile: The association that the push setup names.
        protection: What protects it; ``None`` for nothing.
        kinds: What access rights demand of it besides the policy, a number of ``ProtectionKind``.

    Raises:
        UnsupportedError: It cannot be protected so, or is longer than the receiver takes, and blocks are not allowed.
        EncodeError: The body is of no COSEM type.
    """
    blocks = bool(profile.conformance & Conformance.GENERAL_BLOCK_TRANSFER)
    limit = profile.client_max_receive_pdu_size or profile.max_send_pdu_size
    return cut(_protected(notification, protection, kinds), limit, blocks=blocks)


def _protected(notification: DataNotification, protection: ServerProtection | None, kinds: int = 0) -> bytes:
    octets = encode(notification)
    if kinds:
        return protected_as_demanded(octets, protection, kinds)
    return octets if protection is None else protection.protect(octets)


def protected_as_demanded(octets: bytes, protection: ServerProtection | None, kinds: int) -> bytes:
    """Return what is sent unasked, protected as access rights demand of answers.

    Args:
        octets: The clear APDU.
        protection: That of the association; it does so by a method ``protect_unasked``.
        kinds: What is demanded besides the policy, a number of ``ProtectionKind``.

    Raises:
        UnsupportedError: There is no protection, or none that can do more than its policy says.
        SecurityError: A key is not known, or no counter is left.
    """
    protect = getattr(protection, "protect_unasked", None)
    if protect is None:
        raise UnsupportedError("an access right demands a protection that this association has not")
    demanded = ProtectionKind(kinds)
    if ProtectionKind.ENCRYPTED in demanded:
        demanded |= ProtectionKind.AUTHENTICATED
    protected: bytes = protect(octets, demanded)
    return protected


def smaller(limit: int, other: int) -> int:
    """Return the smaller one of two sizes, of which 0 stands for no limit."""
    return min(limit, other) if limit and other else limit or other


def cut(octets: bytes, limit: int, *, blocks: bool) -> list[bytes]:
    """Return the APDUs of a notification: itself, or general blocks to which nothing comes back.

    Args:
        octets: The notification, protected as it must be.
        limit: Longest APDU that the receiver takes, octets; 0 for no limit.
        blocks: Whether it takes general blocks.

    Raises:
        UnsupportedError: It is too long, and there are no blocks, or none with one octet in it.
    """
    if not limit or len(octets) <= limit:
        return [octets]
    if not blocks:
        raise UnsupportedError(f"the notification has {len(octets)} octets, the client takes {limit}")
    try:
        return [encode(block) for block in cut_unconfirmed(octets, limit)]
    except (ConfigurationError, LimitError) as error:
        raise UnsupportedError(f"the notification has {len(octets)} octets: {error}") from None
