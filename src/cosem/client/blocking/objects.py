"""The objects that a blocking client sees: their list, and each with the attributes and methods of its class."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, overload

from cosem.association.context import no_progress
from cosem.client.blocking.services import BlockingServices
from cosem.client.targets import name_of

if TYPE_CHECKING:
    from cosem.association.context import Progress
    from cosem.classes.base import Attribute, InterfaceClass
    from cosem.client.results import ObjectEntry
    from cosem.client.targets import Target

__all__ = ["BlockingObjects"]

T = TypeVar("T")
C = TypeVar("C", bound="InterfaceClass")


class BlockingObjects(BlockingServices):
    """Gives the objects of a meter, typed by the declarations of their classes."""

    def objects(self, *, refresh: bool = False, progress: Progress = no_progress) -> tuple[ObjectEntry, ...]:
        """Return the objects that this association sees, with its rights to them; read once.

        Args:
            refresh: Whether to read the list again, and to forget what was learnt of the objects.
            progress: Told of the octets transferred so far.

        Raises:
            AccessError: The meter refused its object list.
        """
        from cosem.client.operations import objects

        return self.run(
            lambda context: objects.objects(context, self._session, refresh=refresh, progress=progress)
        )

    @overload
    def object(self, target: Target, kind: type[C]) -> C: ...
    @overload
    def object(self, target: Target, kind: None = None) -> Any: ...
    def object(self, target: Target, kind: type[C] | None = None) -> C | Any:
        """Return an object of the meter with the attributes and methods of its class.

        Args:
            target: The object.
            kind: Its interface class; found out where it is not given.

        Raises:
            AccessError: The class is not known, and the object list has no such object.
            ConversionError: ``target`` names no object, or its class is unknown to the standard.
        """
        from cosem.client.operations.objects import declaration_of
        from cosem.client.proxies import proxy

        if kind is None:
            found: Any = self.run(lambda context: declaration_of(context, self._session, target))
            return proxy(self, found, name_of(target))
        return proxy(self, kind, name_of(target))

    def value(self, attribute: Attribute[T], target: Target | None = None) -> T:
        """Return what an attribute means, with the static type that its declaration says: ``meter.value(Clock.time)``.

        Args:
            attribute: The declaration of the attribute.
            target: The object; by default the one of its class, as in ``meter[Clock]``.

        Raises:
            AccessError: The meter refused it.
            ConfigurationError: Nobody knows which object of the class that is.
            ConversionError: ``target`` names no object.
        """
        from cosem.client.proxies import owning_class

        owner = attribute.owner
        found: Any = self[owning_class(attribute)] if target is None else self.object(target, owner)
        return found.attribute_value(attribute)  # type: ignore[no-any-return] # what the declaration says

    @overload
    def __getitem__(self, kind: type[C]) -> C: ...
    @overload
    def __getitem__(self, kind: Attribute[T]) -> T: ...
    @overload
    def __getitem__(self, kind: Target) -> Any: ...
    def __getitem__(self, kind: type[C] | Attribute[T] | Target) -> C | T | Any:
        """Return the object of a class that the meter has, or of a name: ``meter[Clock].time``, ``meter["1-0:1.8.0"].value``.

        An attribute of a class gives its value, as :meth:`value` does: ``meter[Clock.time]``.

        Raises:
            ConfigurationError: Nobody knows which object of the class that is.
            AccessError: As :meth:`object`, as is the next.
            ConversionError: It names no object.
        """
        from cosem.classes.base import Attribute

        if isinstance(kind, Attribute):
            return self.value(kind)
        if not isinstance(kind, type):
            return self.object(kind)
        from cosem.client.proxies import name_in, no_object, proxy

        name = name_in(self._session, kind)
        if name is None:
            self.objects()
            name = name_in(self._session, kind)
        if name is None:
            raise no_object(kind)
        return proxy(self, kind, name)
