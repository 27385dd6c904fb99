"""Objects of a meter as objects of Python: ``meter[Clock].time``, typed by the declaration of the class.

A proxy is made of the declaration itself, so that names, numbers and types stand in
one place. Of a blocking client it reads when an attribute is looked at and writes when
one is assigned; of an asynchronous one it gives what is to be awaited.

What an attribute gives depends on the client then, which the type of a descriptor cannot
tell without a second parameter at every class. Where types matter, the attribute itself
is the key: ``await meter[Clock.time]``.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from functools import cache
from typing import TYPE_CHECKING, Any, Final, TypeVar

from cosem.classes.base import Attribute, InterfaceClass, Method
from cosem.errors import ConfigurationError, ConversionError
from cosem.types.logical_name import LogicalName

if TYPE_CHECKING:
    from cosem.client.aio.services import AsyncServices
    from cosem.client.blocking.services import BlockingServices
    from cosem.client.session import Session

__all__ = ["AsyncProxy", "Proxy", "async_proxy", "name_in", "no_object", "owning_class", "proxy"]

C = TypeVar("C", bound=InterfaceClass)
_GROUP: Final = re.compile(r"[a-f]")
_NAME_ATTRIBUTE: Final = 1
_CANDIDATES: Final = 5
"""So many objects are named where one of several must be chosen."""


class Proxy(InterfaceClass):
    """An object of a blocking client."""

    _client: BlockingServices
    _name: LogicalName

    def __init__(self, client: BlockingServices, name: LogicalName) -> None:
        object.__setattr__(self, "_client", client)
        object.__setattr__(self, "_name", name)

    def attribute_value(self, attribute: Attribute[Any]) -> Any:
        """Read an attribute and return what it means.

        Raises:
            AccessError: The meter refused it.
        """
        if attribute.number == _NAME_ATTRIBUTE:
            return self._name
        value = self._client.get(self._name, attribute.number, class_id=self.class_id)
        return attribute.from_data(value)

    def method_call(self, method: Method) -> Callable[..., Any]:
        """Return what calls a method with a parameter, or with none."""

        def call(parameter: Any = None) -> Any:
            value = self._client.call(self._name, method.number, parameter, class_id=self.class_id)
            return method.from_data(value)

        return call

    def __setattr__(self, name: str, value: Any) -> None:
        self._client.set(self._name, _attribute(self, name).number, value, class_id=self.class_id)

    def __repr__(self) -> str:
        return f"<{self.title} {self._name} of {self._client.peer}>"


class AsyncProxy(InterfaceClass):
    """An object of an asynchronous client: ``await meter[Clock].time``; written with the client's ``set``."""

    _client: AsyncServices
    _name: LogicalName

    def __init__(self, client: AsyncServices, name: LogicalName) -> None:
        object.__setattr__(self, "_client", client)
        object.__setattr__(self, "_name", name)

    def attribute_value(self, attribute: Attribute[Any]) -> Any:
        """Return what reads an attribute, to be awaited.

        Raises:
            AccessError: When awaited: the meter refused it.
        """
        return self._name if attribute.number == _NAME_ATTRIBUTE else self._read(attribute)

    async def _read(self, attribute: Attribute[Any]) -> Any:
        value = await self._client.get(self._name, attribute.number, class_id=self.class_id)
        return attribute.from_data(value)

    def method_call(self, method: Method) -> Callable[..., Awaitable[Any]]:
        """Return what calls a method with a parameter, or with none, to be awaited."""

        async def call(parameter: Any = None) -> Any:
            value = await self._client.call(self._name, method.number, parameter, class_id=self.class_id)
            return method.from_data(value)

        return call

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(
            f"assigning cannot be awaited: await meter.set({str(self._name)!r}, {name!r}, ...)"
        )

    def __repr__(self) -> str:
        return f"<{self.title} {self._name} of {self._client.peer}>"


@cache
def _class(base: Any, kind: Any) -> type[Any]:
    return type(kind.__name__, (base, kind), {"__module__": kind.__module__, "__doc__": kind.__doc__})


def proxy(client: BlockingServices, kind: type[C], name: LogicalName) -> C:
    """Return an object of a blocking client: an attribute is read when it is looked at."""
    declared: Any = kind
    return _class(Proxy, declared)(client, name)  # type: ignore[no-any-return]


def async_proxy(client: AsyncServices, kind: type[InterfaceClass], name: LogicalName) -> Any:
    """Return an object of an asynchronous client: an attribute is awaited."""
    declared: Any = kind
    return _class(AsyncProxy, declared)(client, name)


def name_in(session: Session, kind: type[InterfaceClass]) -> LogicalName | None:
    """Return the object of a class that a meter has, or usually has; ``None`` if only its object list can tell.

    Raises:
        ConfigurationError: The meter has several, and none of them is the usual one.
    """
    present = list(
        dict.fromkeys(
            entry.logical_name for entry in session.objects or () if entry.class_id == kind.class_id
        )
    )
    usual = _usual_name(kind)
    if len(present) == 1:
        return present[0]
    if not present or usual in present:
        return usual
    shown = ", ".join(name.reduced for name in present[:_CANDIDATES])
    more = f" and {len(present) - _CANDIDATES} more" if len(present) > _CANDIDATES else ""
    raise ConfigurationError(
        f"the meter has {len(present)} objects of class {kind.title}: {shown}{more};"
        f" name one, for example meter[{present[0].reduced!r}]"
    )


def _usual_name(kind: type[InterfaceClass]) -> LogicalName | None:
    """Return the first name that objects of a class have, of channel 0; ``None`` where they may have any."""
    if not kind.logical_names or any(pattern.startswith("a") for pattern in kind.logical_names):
        return None
    try:
        return LogicalName(_GROUP.sub("0", kind.logical_names[0]))
    except ConversionError:
        return None


def owning_class(attribute: Attribute[Any]) -> type[InterfaceClass]:
    """Return the class whose attribute that is.

    Raises:
        ConfigurationError: Every class has it.
    """
    owner: type[InterfaceClass] = attribute.owner
    if owner is InterfaceClass:
        raise ConfigurationError(f"every class has a {attribute.name}: say of which object")
    return owner


def no_object(kind: type[InterfaceClass]) -> ConfigurationError:
    """Return the error of a class without an object that could be meant."""
    return ConfigurationError(f"no {kind.title} is known: read objects() first, or name it with object(...)")


def _attribute(owner: InterfaceClass, name: str) -> Attribute[Any]:
    found = owner.attribute(name)
    if found is None:
        raise AttributeError(f"{owner.title} has no attribute {name!r}")
    return found
