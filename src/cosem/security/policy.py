"""Security policies of both versions of Security setup, typed apart (later editions, 4.4.7 of the object model).

In version 0 the policy is an enumeration and holds for both directions; in version 1
it is a mask with bits of its own for requests and for responses. The number 2 means
"encrypted" in one and nothing at all in the other, hence two types.
"""

from __future__ import annotations

from enum import IntEnum, IntFlag
from typing import Final, Self, TypeAlias

from cosem.errors import ConfigurationError

__all__ = [
    "ProtectionKind",
    "SecurityPolicy",
    "SecurityPolicyV0",
    "SecurityPolicyV1",
    "lacking",
    "required_by_access_mode",
]


class ProtectionKind(IntFlag):
    """What protects a message, or has to."""

    NONE = 0
    AUTHENTICATED = 1
    ENCRYPTED = 2
    SIGNED = 4

    @property
    def names(self) -> tuple[str, ...]:
        """The kinds in words."""
        return tuple(str(kind.name).lower() for kind in ProtectionKind if kind and kind in self)


def lacking(found: ProtectionKind, required: ProtectionKind) -> ProtectionKind:
    """Return what is required and was not found: nothing, if the message is protected enough.

    >>> lacking(ProtectionKind.ENCRYPTED, ProtectionKind.AUTHENTICATED | ProtectionKind.ENCRYPTED)
    <ProtectionKind.AUTHENTICATED: 1>
    """
    return required & ~found


class SecurityPolicyV0(IntEnum):
    """security_policy of Security setup version 0: one demand for both directions."""

    NOTHING = 0
    AUTHENTICATED = 1
    ENCRYPTED = 2
    AUTHENTICATED_AND_ENCRYPTED = 3

    @property
    def request(self) -> ProtectionKind:
        """What a request needs; the numbers 0 to 3 are the two bits themselves."""
        return ProtectionKind(self.value)

    @property
    def response(self) -> ProtectionKind:
        """What a response needs."""
        return ProtectionKind(self.value)

    def contains(self, other: SecurityPolicyV0) -> bool:
        """Return whether this policy demands all that ``other`` demands: only then may it follow."""
        return not lacking(self.request, other.request)

    @property
    def version_1(self) -> SecurityPolicyV1:
        """The same demands as a policy of version 1.

        >>> SecurityPolicyV0.AUTHENTICATED_AND_ENCRYPTED.version_1 == 0x6C
        True
        """
        return SecurityPolicyV1(self.value << _REQUEST | self.value << _RESPONSE)


class SecurityPolicyV1(IntFlag):
    """security_policy of Security setup version 1: a mask; bits 0 and 1 are not used."""

    NOTHING = 0
    AUTHENTICATED_REQUEST = 0x04
    ENCRYPTED_REQUEST = 0x08
    DIGITALLY_SIGNED_REQUEST = 0x10
    AUTHENTICATED_RESPONSE = 0x20
    ENCRYPTED_RESPONSE = 0x40
    DIGITALLY_SIGNED_RESPONSE = 0x80

    @classmethod
    def parse(cls, value: int) -> Self:
        """Return the policy with this number.

        Raises:
            ConfigurationError: It has bits without a meaning.
        """
        if not 0 <= value <= 0xFF or value & 0x03:
            raise ConfigurationError(f"security policy {value}: bits 2 to 7 alone have a meaning")
        return cls(value)

    @property
    def request(self) -> ProtectionKind:
        """What a request needs."""
        return ProtectionKind(int(self) >> _REQUEST & 0x07)

    @property
    def response(self) -> ProtectionKind:
        """What a response needs."""
        return ProtectionKind(int(self) >> _RESPONSE & 0x07)

    def contains(self, other: SecurityPolicyV1) -> bool:
        """Return whether this policy demands all that ``other`` demands: only then may it follow."""
        return not int(other) & ~int(self)

    @property
    def version_1(self) -> SecurityPolicyV1:
        """The policy itself."""
        return self


SecurityPolicy: TypeAlias = SecurityPolicyV0 | SecurityPolicyV1
"""The security policy of one association."""

_REQUEST: Final = 2
_RESPONSE: Final = 5


def required_by_access_mode(access_mode: int, *, response: bool = False) -> ProtectionKind:
    """Return what an access right needs: the mask of Association LN version 3 and Association SN version 4.

    Args:
        access_mode: Of an attribute or a method; bits 2 to 7 mean what they mean in the policy.
        response: Whether the response is asked about.
    """
    policy = SecurityPolicyV1(access_mode & 0xFC)
    return policy.response if response else policy.request
