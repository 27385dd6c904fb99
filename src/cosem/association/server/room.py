"""Whether an answer can be given at all: how long it may be, and whether it can be protected as it must be.

Services that change something look here before they do: what was done is never told as refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cosem.association.block_transfer import most_octets
from cosem.association.server.block_transfer import general_blocks_preferred
from cosem.types.enumerations import Conformance

if TYPE_CHECKING:
    from cosem.association.server.association import ServerAssociation

__all__ = ["can_answer", "has_room", "longest_answer", "longest_in_one"]


def longest_in_one(association: ServerAssociation, more: int = 0) -> int:
    """Return the longest clear answer in one APDU, octets from its tag on.

    Args:
        association: Whose.
        more: Protection that an access right is going to demand besides.

    Returns:
        0 means no limit: general blocks make one piece of any, or the client takes any.
    """
    limit = association.context.client_max_receive_pdu_size
    if association.agreed(Conformance.GENERAL_BLOCK_TRANSFER) and general_blocks_preferred(association):
        return 0
    if not limit or association.protection is None:
        return limit
    options = _options(association, more)
    return limit if options is False else max(1, limit - association.protection.overhead(limit, options))


def longest_answer(association: ServerAssociation, more: int = 0) -> int:
    """Return the longest clear answer that goes out whole or in general blocks, octets from its tag on.

    Args:
        association: Whose.
        more: Protection that an access right is going to demand besides.
    """
    limit = association.limits.answer
    if not association.agreed(Conformance.GENERAL_BLOCK_TRANSFER):
        return longest_in_one(association, more) or limit
    most = most_octets(association.context.client_max_receive_pdu_size)
    options = _options(association, more)
    if association.protection is not None and options is not False:
        most -= association.protection.overhead(most, options)
    return min(limit, most)


def has_room(association: ServerAssociation, least: int) -> bool:
    """Return whether an answer of so many octets can be given, and see to it that no access right makes it too long.

    Args:
        association: Whose.
        least: Octets of the shortest clear answer that tells what was done.
    """
    association.demands.least = least
    return least <= longest_answer(association)


def can_answer(association: ServerAssociation, kinds: int) -> bool:
    """Return whether the answer can have the protection that an access right demands besides what is demanded already.

    Args:
        association: Whose request is being served.
        kinds: A number of ``ProtectionKind``.
    """
    protection, demands = association.protection, association.demands
    if protection is None or not demands.are_possible(association.security_status, protection, kinds):
        return False
    return not demands.least or demands.least <= longest_answer(association, kinds)


def _options(association: ServerAssociation, more: int) -> Any:
    if association.protection is None:
        return False
    return association.demands.options(association.security_status, association.protection, more)
