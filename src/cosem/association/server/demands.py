"""What protection a request had, and what its answer must have (later editions, 9.2.7.2: policy and access rights).

The policy of the security context says the least for every APDU, an access right for
one attribute or method. What neither asks for may go in clear. Long transfers keep
to the protection with which they began, so that no block is easier to forge or to read
than the others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cosem.errors import ConfigurationError, SecurityError
from cosem.security.policy import ProtectionKind

if TYPE_CHECKING:
    from cosem.association.server.profile import ServerProtection

__all__ = ["Demands"]

_AUTHENTICATED, _ENCRYPTED = int(ProtectionKind.AUTHENTICATED), int(ProtectionKind.ENCRYPTED)


class Demands:
    """The protection of the requests that are being served, as numbers of ``ProtectionKind``.

    Attributes:
        found: What protected the request that goes on now.
        of_answers: What access rights demand for the answers to the requests being served: should several be
            served at once, each answer gets what all of them need.
        least: Octets of the shortest clear answer that tells what is being done; 0 for any: nothing is changed.
    """

    __slots__ = ("_serving", "found", "least", "of_answers")

    def __init__(self) -> None:
        self.found = 0
        self.of_answers = 0
        self.least = 0
        self._serving = 0

    def begin(self) -> None:
        """Take note that a request begins."""
        if not self._serving:
            self.of_answers = self.least = 0
        self._serving += 1

    def end(self) -> None:
        """Take note that a request was served."""
        self._serving -= 1

    def resume(self, status: Any) -> None:
        """Take note that the request with this protection goes on."""
        self.found = kinds_of(status)

    def demand(self, kinds: int) -> None:
        """Demand protection of the answer: an attribute or a method is touched whose right says so."""
        self.of_answers |= kinds

    def are_possible(self, status: Any, protection: ServerProtection, more: int = 0) -> bool:
        """Return whether the answer can be protected as it must be, as far as that can be known before it is made.

        Args:
            status: What protected the request; ``None`` for nothing.
            protection: That of the association. One without a method ``check`` is trusted to be able to.
            more: What an access right is going to demand, besides what is demanded already.
        """
        check = getattr(protection, "check", None)
        if check is None:
            return True
        options = self.options(status, protection, more)
        if options is False:
            return True
        try:
            check(options)
        except (SecurityError, ConfigurationError):
            return False
        return True

    def options(self, status: Any, protection: ServerProtection, more: int = 0) -> Any:
        """Return how the answer is protected; ``False`` for not at all.

        Args:
            status: What protected the request; ``None`` for nothing.
            protection: That of the association.
            more: What is demanded besides.
        """
        policy = getattr(protection, "policy", None)
        needed = self.of_answers | more | (0 if policy is None else int(policy.response))
        if needed & _ENCRYPTED:
            needed |= _AUTHENTICATED  # more is always allowed, and nothing goes out that anybody could change
        if status is None:
            if not needed:
                return False
            usual = getattr(protection, "options", None)
            if usual is None or not needed & ~int(usual.kinds):
                return None
            return usual.strengthened(ProtectionKind(needed))
        if not needed & ~kinds_of(status):
            return status
        return status.answer().strengthened(ProtectionKind(needed))


def kinds_of(status: Any) -> int:
    """Return what a status proves, as a number."""
    return 0 if status is None else int(getattr(status, "kinds", 0))


def refuses_clear(protection: ServerProtection | None) -> bool:
    """Return whether the policy of the moment demands protection of requests."""
    policy = getattr(protection, "policy", None)
    return policy is not None and bool(int(policy.request))
