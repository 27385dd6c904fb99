"""The objects that an asynchronous client sees: their list, and each with the attributes and methods of its class."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, TypeVar, overload

from cosem.association.context import no_progress
from cosem.client.aio.services import AsyncServices
from cosem.client.targets import name_of
from cosem.errors import ConfigurationError, UnsupportedError

if TYPE_CHECKING:
    from cosem.association.context import Progress
    from cosem.classes.base import Attribute, InterfaceClass
    from cosem.client.results import ObjectEntry
    from cosem.client.targets import Target

__all__ = ["AsyncObjects"]

T = TypeVar("T")


class AsyncObjects(AsyncServices):
    """Gives the objects of a meter, typed by the declarations of their classes."""

    async def objects(
        self, *, refresh: bool = False, progress: Progress = no_progress
    ) -> tuple[ObjectEntry, ...]:
        """Return the objects that this association sees, with its rights to them; read once.

        Args:
            refresh: Whether to read the list again, and to forget what was learnt of the objects.
            progress: Told of the octets transferred so far.

        Raises:
            AccessError: The meter refused its object list.
        """
        from cosem.client.operations import objects

        return await self.run(
            lambda context: objects.objects(context, self._session, refresh=refresh, progress=progress)
        )

    async def object(self, target: Target, kind: type[InterfaceClass] | None = None) -> Any:
        """Return an object of the meter with the attributes and methods of its class.

        Args:
            target: The object.
            kind: Its interface class; found out where it is not given.

        Raises:
            AccessError: The class is not known, and the object list has no such object.
            ConversionError: ``target`` names no object, or its class is unknown to the standard.
        """
        from cosem.client.operations.objects import declaration_of
        from cosem.client.proxies import async_proxy

        if kind is None:
            kind = await self.run(lambda context: declaration_of(context, self._session, target))
        return async_proxy(self, kind, name_of(target))

    async def value(self, attribute: Attribute[T], target: Target | None = None) -> T:
        """Return what an attribute means, with the static type that its declaration says: ``await meter.value(Clock.time)``.

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
        found: Any = self[owning_class(attribute)] if target is None else await self.object(target, owner)
        value = found.attribute_value(attribute)
        # The name of an object is known without asking for it.
        return await value if hasattr(value, "__await__") else value  # type: ignore[no-any-return]

    @overload
    def __getitem__(self, kind: Attribute[T]) -> Coroutine[Any, Any, T]: ...
    @overload
    def __getitem__(self, kind: type[InterfaceClass] | Target) -> Any: ...
    def __getitem__(self, kind: type[InterfaceClass] | Attribute[T] | Target) -> Coroutine[Any, Any, T] | Any:
        """Return the object of a class, or of a name: ``await meter[Clock].time``, ``await meter["1-0:1.8.0"].value``.

        An attribute of a class gives its value, as :meth:`value` does, with its static type: ``await meter[Clock.time]``.
        Python has no way to say that every attribute of a class is awaited: of objects, type checkers see ``Any``.

        The object list tells, if that was read, else what is usual: nothing is asked for here.

        Raises:
            ConfigurationError: Nobody knows which object of the class that is, or which class the object has.
            ConversionError: It names no object.
        """
        from cosem.classes.base import Attribute
        from cosem.client.proxies import async_proxy, name_in, no_object

        if isinstance(kind, Attribute):
            return self.value(kind)
        if not isinstance(kind, type):
            from cosem.client.operations.objects import declaration_of

            try:
                found = self._without_asking(lambda context: declaration_of(context, self._session, kind))
            except UnsupportedError:
                raise ConfigurationError(
                    f"the class of {name_of(kind)} is not known: await meter.object(...), or objects() first"
                ) from None
            return async_proxy(self, found, name_of(kind))
        name = name_in(self._session, kind)
        if name is None:
            raise no_object(kind)
        return async_proxy(self, kind, name)
