"""Access rights: what one association lets its client do with each object.

They belong to the association, never to the class (IEC 62056-5-3, 4.2.2). Rights
that nobody gives explicitly follow from a rule; the usual rules take what the
declaration of the class says of each attribute and leave out what the client is
not trusted with.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Self

from cosem.association.server.room import can_answer
from cosem.classes.standard.access_rights import AccessMode
from cosem.types.logical_name import LogicalName

if TYPE_CHECKING:
    from cosem.association.server.association import ServerAssociation
    from cosem.server.objects.base import CosemObject

__all__ = ["AccessMode", "AccessRights", "attribute_enumeration", "method_enumeration"]


def attribute_enumeration(mode: AccessMode) -> int:
    """Return the number in object_list of versions 0 to 2: 0 none .. 3 read and write, 4 .. 6 authenticated."""
    access = int(mode & (AccessMode.READ | AccessMode.WRITE))
    return access + 3 if access and mode & AccessMode.AUTHENTICATED_REQUEST else access


def method_enumeration(mode: AccessMode) -> int:
    """Return the number in object_list of versions 1 and 2: 0 none, 1 access, 2 authenticated access."""
    if not mode & AccessMode.READ:
        return 0
    return 2 if mode & AccessMode.AUTHENTICATED_REQUEST else 1


_DECLARED = {
    "r": AccessMode.READ,
    "w": AccessMode.WRITE,
    "rw": AccessMode.READ | AccessMode.WRITE,
}
_READABLE = {"r": AccessMode.READ, "w": AccessMode.NO_ACCESS, "rw": AccessMode.READ}
_DEMANDS = (
    (AccessMode.AUTHENTICATED_REQUEST, "authenticated"),
    (AccessMode.ENCRYPTED_REQUEST, "encrypted"),
    (AccessMode.SIGNED_REQUEST, "signed"),
)
_DEMANDING = int(AccessMode.AUTHENTICATED_REQUEST | AccessMode.ENCRYPTED_REQUEST | AccessMode.SIGNED_REQUEST)
_RESPONSE_SHIFT = 5
_PROTECTING = 0xFC
_CALLABLE = AccessMode.READ
"""For a method, the bit of READ means that it may be called."""


class AccessRights:
    """The rights of one association.

    Args:
        attributes: Returns the mode of an attribute that has no right of its own.
        methods: Returns the mode of a method that has no right of its own.
        hidden: Objects that the client does not see.

    Attributes:
        changes: How often they were changed.
    """

    def __init__(
        self,
        attributes: Callable[[CosemObject, Any], AccessMode],
        methods: Callable[[CosemObject, Any], AccessMode],
        *,
        hidden: Iterable[LogicalName | str] = (),
    ) -> None:
        self._attribute_rule = attributes
        self._method_rule = methods
        self._attributes: dict[tuple[LogicalName, int], AccessMode] = {}
        self._methods: dict[tuple[LogicalName, int], AccessMode] = {}
        self._hidden = {LogicalName(name) for name in hidden}
        self._removed: set[LogicalName] = set()
        self.changes = 0

    @classmethod
    def full(cls) -> Self:
        """Return the rights of a client that may do whatever the classes declare.

        The declarations are what meters usually give: the value of a register is read, the time of a clock also
        written. What an association gives besides is said with :meth:`allow`.

        >>> rights = AccessRights.full().allow("1-0:1.8.0", 2, AccessMode.READ | AccessMode.WRITE)
        """
        return cls(lambda _, attribute: _DECLARED[attribute.access], lambda _, __: _CALLABLE)

    @classmethod
    def read_only(cls) -> Self:
        """Return the rights of a client that may read whatever the classes let it, and nothing else."""
        return cls(
            lambda _, attribute: _READABLE[attribute.access],
            lambda _, __: AccessMode.NO_ACCESS,
        )

    @classmethod
    def nothing(cls) -> Self:
        """Return the rights of a client that may do nothing until it is allowed."""
        return cls(lambda _, __: AccessMode.NO_ACCESS, lambda _, __: AccessMode.NO_ACCESS)

    def allow(self, name: LogicalName | str, attribute: int, mode: AccessMode) -> Self:
        """Set the mode of one attribute of one object."""
        self._attributes[LogicalName(name), attribute] = mode
        self.changes += 1
        return self

    def allow_method(self, name: LogicalName | str, method: int, mode: AccessMode = _CALLABLE) -> Self:
        """Set the mode of one method of one object."""
        self._methods[LogicalName(name), method] = mode
        self.changes += 1
        return self

    def hide(self, name: LogicalName | str) -> Self:
        """Take an object out of what the client sees."""
        self._hidden.add(LogicalName(name))
        self.changes += 1
        return self

    def show(self, name: LogicalName | str) -> Self:
        """Let the client see an object again."""
        self._hidden.discard(LogicalName(name))
        self._removed.discard(LogicalName(name))
        self.changes += 1
        return self

    def remove(self, name: LogicalName | str) -> Self:
        """Take an object out of what the client sees, on a wish of clients: it is hidden, but not withheld."""
        self._removed.add(LogicalName(name))
        self.changes += 1
        return self

    def withholds(self, name: LogicalName) -> bool:
        """Return whether the object is hidden for good: the client may not show it to itself again."""
        return name in self._hidden

    def sees(self, name: LogicalName) -> bool:
        """Return whether the client sees the object."""
        return name not in self._hidden and name not in self._removed

    def attribute(self, target: CosemObject, number: int) -> AccessMode:
        """Return the mode of an attribute."""
        if self._attributes and (own := self._attributes.get((target.name, number))) is not None:
            return own
        attribute = target.attribute(number)
        return AccessMode.NO_ACCESS if attribute is None else self._attribute_rule(target, attribute)

    def method(self, target: CosemObject, number: int) -> AccessMode:
        """Return the mode of a method."""
        if self._methods and (own := self._methods.get((target.name, number))) is not None:
            return own
        method = target.method(number)
        return AccessMode.NO_ACCESS if method is None else self._method_rule(target, method)

    @classmethod
    def admits(cls, mode: AccessMode, association: ServerAssociation) -> bool:
        """Return whether the request being served has the protection that a mode demands, and note what its answer needs.

        Where the answer must be protected and cannot be, nothing is given, and nothing done.
        """
        bits = int(mode)
        if not bits & _PROTECTING:
            return True
        if not cls.is_protected_enough(mode, association.security_status):
            return False
        of_answer = cls.of_answer(mode)
        if of_answer:
            if not can_answer(association, of_answer):
                return False
            association.demands.demand(of_answer)
        return True

    @staticmethod
    def of_answer(mode: AccessMode) -> int:
        """Return what a mode demands of answers, a number of ``ProtectionKind``."""
        return int(mode) >> _RESPONSE_SHIFT & 0x07

    @staticmethod
    def demands_protection(mode: AccessMode) -> bool:
        """Return whether a mode demands protection of requests or of answers."""
        return bool(int(mode) & _PROTECTING)

    @staticmethod
    def is_protected_enough(mode: AccessMode, security_status: Any) -> bool:
        """Return whether a request had the protection that a mode demands.

        Args:
            mode: What the right says.
            security_status: What was found on the request: ``authenticated``, ``encrypted`` and ``signed``
                tell; ``None`` for a clear request.
        """
        if not int(mode) & _DEMANDING:  # numbers: flags would cost as much as the rest of a GET
            return True
        return all(getattr(security_status, fact, False) for bit, fact in _DEMANDS if mode & bit)
