"""What the objects of both kinds of association share: the secret, the users, and the rights that they show.

(Blue Book, class_id 12 and 15)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, Final

from cosem.errors import CosemError
from cosem.server.access_rights import AccessMode, attribute_enumeration, method_enumeration
from cosem.server.objects.base import CosemObject
from cosem.types.data import Array, DataValue, Enum, Integer, Structure, Unsigned, VisibleString
from cosem.types.enumerations import ActionResult, AuthenticationMechanism
from cosem.types.logical_name import LogicalName

if TYPE_CHECKING:
    from cosem.association.server.association import ServerAssociation
    from cosem.server.access_rights import AccessRights
    from cosem.server.association_entries import AssociationEntry

__all__ = ["CURRENT_ASSOCIATION", "AssociationObject"]

CURRENT_ASSOCIATION: Final = LogicalName("0.0.40.0.0.255")
"""Under this name a client meets the object of its own association."""
_LONGEST_SECRET: Final = 128


class AssociationObject(CosemObject):
    """The object that shows one association of the logical device.

    Args:
        logical_name: Its name among the objects of the device.
        secret: Password of LLS, or HLS secret.
        values: Values of attributes.

    Attributes:
        entry: The association that it shows.
        on_secret: Called with a new secret before it counts: puts it to rest. A :class:`~cosem.errors.CosemError` that
            it raises stops the change.
    """

    without_enumeration: ClassVar[int]
    """The version from which on rights are bit masks; before it they are numbers."""
    boolean_methods: ClassVar[int]
    """The version in which a method is allowed or not, and nothing in between."""
    secret_attributes: ClassVar[frozenset[int]] = frozenset()
    """Attributes that not even the client of the association reads."""
    reading_methods: ClassVar[frozenset[int]] = frozenset()
    """Methods that only tell what the client may know anyway: it may call them."""

    def __init__(
        self, logical_name: LogicalName | str, *, secret: bytes | None = None, **values: Any
    ) -> None:
        self._secret = secret
        self.entry: AssociationEntry | None = None
        self.on_secret: Callable[[bytes], None] | None = None
        super().__init__(logical_name, **values)

    def is_managed_with(self, rights: AccessRights) -> bool:
        """Return whether these rights let the client of another association change the secret of this one."""
        raise NotImplementedError

    # --- the secret ---------------------------------------------------------------------------------------

    def current_secret(self) -> bytes | None:
        """Return the password of LLS or the HLS secret."""
        return self._secret

    def change_secret(self, secret: bytes) -> bool:
        """Take another secret, which counts from the next association on; return whether it can be one."""
        if not 1 <= len(secret) <= _LONGEST_SECRET or self._secret is None:
            return False
        if self.on_secret is not None:
            try:
                self.on_secret(bytes(secret))
            except CosemError:
                return False
        self._secret = bytes(secret)
        return True

    @property
    def uses_hls(self) -> bool:
        """Whether the client proves who it is by a mechanism of high level security."""
        return self.entry is not None and self.entry.profile.mechanism > AuthenticationMechanism.LLS

    # --- users --------------------------------------------------------------------------------------------

    def user_ids(self) -> frozenset[int]:
        """Return the users that may associate; empty for no identification of users."""
        return frozenset(int(user[0]) for user in self._users())

    def active_for(self, association: ServerAssociation | None) -> ServerAssociation | None:
        """Return the association of whoever asks if it is this one, else one of this kind that stands."""
        entry = self.entry
        if entry is None:
            return None
        if association is not None and association.profile is entry.profile:
            return association
        return next(iter(entry.active), None)

    def user_of(self, active: ServerAssociation | None) -> Structure:
        """Return the entry of the user that an association belongs to."""
        user_id = None if active is None else active.context.user_id
        known = next((user for user in self._users() if user[0] == user_id), None)
        return Structure((Unsigned(0), VisibleString(""))) if known is None else Structure(known)

    def call_add_user(self, user: Structure) -> ActionResult:
        """Add a user, in place of one of the same number."""
        users = [each for each in self._users() if each[0] != user[0]]
        self.put("user_list", [*users, user])
        return ActionResult.SUCCESS

    def call_remove_user(self, user: Structure) -> ActionResult:
        """Remove a user."""
        users = self._users()
        if user not in users:
            return ActionResult.OTHER_REASON
        self.put("user_list", [each for each in users if each != user])
        return ActionResult.SUCCESS

    def _users(self) -> list[Any]:
        attribute = self.attribute("user_list")
        users = None if attribute is None else self.stored(attribute.number)
        return list(users) if isinstance(users, tuple) else []

    # --- rights -------------------------------------------------------------------------------------------

    def rights_to(self, target: CosemObject) -> tuple[Array, Array]:
        """Return what the client may do with the attributes and methods of an object, in the form of this version."""
        entry, device = self.entry, self.device
        if entry is None or device is None:
            return Array(), Array()
        attributes = []
        for attribute in target.attributes:
            mode = device.attribute_mode(entry, target, attribute.number)
            selectors = target.access_selectors.get(attribute.number) if mode & AccessMode.READ else None
            listed = None if selectors is None else Array(map(Integer, selectors))
            attributes.append(Structure((Integer(attribute.number), self._attribute_mode(mode), listed)))
        methods = (
            Structure(
                (Integer(method.number), self._method_mode(device.method_mode(entry, target, method.number)))
            )
            for method in target.methods
        )
        return Array(attributes), Array(methods)

    def _attribute_mode(self, mode: AccessMode) -> DataValue:
        if self.version >= self.without_enumeration:
            return Enum(mode)
        number = attribute_enumeration(mode)
        return Enum(number - 3 if self.version == self.boolean_methods and number > 3 else number)

    def _method_mode(self, mode: AccessMode) -> DataValue:
        if self.version >= self.without_enumeration:
            return Enum(mode)
        number = method_enumeration(mode)
        return bool(number) if self.version == self.boolean_methods else Enum(number)
