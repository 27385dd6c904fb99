"""An interface object of a server: attributes and methods by number, as the services ask for them.

A value comes from the first of these that there is:

- a function given with :meth:`CosemObject.getter`;
- a method ``get_<attribute>`` of a subclass, plain or ``async``;
- the value that was given when the object was made, or written since.

Writing and calling look for ``set_<attribute>`` and ``call_<method>`` in the same
way. Such a function may return Data or a plain Python value, which becomes the
type that the class declares (where the class leaves the type open, as for the value
of a Register, that of the value given when the object was made: give one, or return
typed Data); it may return a ``DataAccessResult`` (or
``ActionResult``) to refuse, or raise :class:`~cosem.errors.AccessError`. One that
blocks is marked with :func:`blocking` and runs in a thread.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias, TypeGuard, TypeVar

from cosem.association.server.indications import MethodOutcome
from cosem.classes.base import Attribute, InterfaceClass, Method
from cosem.errors import ConfigurationError
from cosem.types.data import ABSENT, OctetString
from cosem.types.date_time import Date, DateTime, Time
from cosem.types.enumerations import ActionResult, DataAccessResult
from cosem.types.logical_name import LogicalName

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from cosem.apdu.common import SelectiveAccessDescriptor
    from cosem.association.server.association import ServerAssociation
    from cosem.server.logical_device import LogicalDevice
    from cosem.types.data import Absent, DataValue

__all__ = ["CosemObject", "Outcome", "ReadResult", "blocking", "is_awaitable", "then"]

T = TypeVar("T")
S = TypeVar("S")
F = TypeVar("F", bound=Callable[..., Any])
Outcome: TypeAlias = T | Awaitable[T]
"""What an operation gives: at once, or when awaited."""
ReadResult: TypeAlias = "DataValue | DataAccessResult"


def blocking(function: F) -> F:
    """Mark a getter, setter or method that blocks: it runs in a thread, and others go on meanwhile."""
    function.__cosem_blocking__ = True  # type: ignore[attr-defined]
    return function


def is_awaitable(outcome: object) -> TypeGuard[Awaitable[Any]]:
    """Return whether an outcome must be awaited; asked for every value, and so faster than ``inspect``."""
    return hasattr(type(outcome), "__await__")


def then(outcome: Outcome[T], function: Callable[[T], S]) -> Outcome[S]:
    """Return what ``function`` makes of an outcome, now or when it is there."""
    if is_awaitable(outcome):
        return _then(outcome, function)
    return function(outcome)  # type: ignore[arg-type]


async def _then(outcome: Awaitable[T], function: Callable[[T], S]) -> S:
    return function(await outcome)


def _run(function: Callable[..., Any], *arguments: Any) -> Any:
    """Call a handler, in a thread if it blocks."""
    if getattr(function, "__cosem_blocking__", False):
        return _in_thread(function, *arguments)
    return function(*arguments)


def _in_thread(function: Callable[..., Any], *arguments: Any) -> Coroutine[Any, Any, Any]:
    import asyncio

    return asyncio.to_thread(function, *arguments)


class CosemObject(InterfaceClass):
    """An object of any interface class; combine it with the declaration of the class.

    ::

        class RegisterObject(CosemObject, Register): ...


        energy = RegisterObject("1-0:1.8.0", value=DoubleLongUnsigned(5), scaler_unit=(0, 30))

    Reading ``energy.value`` gives the value with its meaning, assigning changes it
    from inside the meter: access rights concern clients only.

    Args:
        logical_name: Its name.
        values: Values of attributes by their names in the declaration; the others have their defaults.

    Raises:
        ConfigurationError: The class declares no attribute of a name.
        EncodeError: A value cannot be of the type of its attribute.
    """

    timed: ClassVar[bool] = False
    """Whether it does something by itself as time goes by."""
    watching: ClassVar[bool] = False
    """Whether it wants to be told of stored values that change: it has ``watches`` and ``observe``."""
    access_selectors: ClassVar[dict[int, tuple[int, ...]]] = {}
    """Access selectors by number of the attribute."""
    _numbered: ClassVar[dict[int, Attribute[Any]]] = {}
    _getters: ClassVar[dict[int, str]] = {}
    _setters: ClassVar[dict[int, str]] = {}
    _selectors: ClassVar[dict[int, str]] = {}
    _calls: ClassVar[dict[int, str]] = {}

    def __init_subclass__(cls, **facts: Any) -> None:
        super().__init_subclass__(**facts)
        cls._numbered = {attribute.number: attribute for attribute in cls.attributes}
        named = {attribute.number: attribute.name for attribute in cls.attributes}
        for table, prefix in (("_getters", "get_"), ("_setters", "set_"), ("_selectors", "select_")):
            setattr(
                cls, table, {n: prefix + name for n, name in named.items() if hasattr(cls, prefix + name)}
            )
        calls = {method.number: f"call_{method.name}" for method in cls.methods}
        cls._calls = {number: name for number, name in calls.items() if hasattr(cls, name)}
        _refuse_misspelt_hooks(cls)

    def __init__(self, logical_name: LogicalName | str, **values: Any) -> None:
        own = object.__setattr__
        own(self, "_values", {1: OctetString(LogicalName(logical_name))})
        own(self, "_handlers", None)
        own(self, "device", None)
        for name, value in values.items():
            self.put(name, value)

    _values: dict[int, DataValue]
    _handlers: dict[tuple[str, int], Callable[..., Any]] | None
    device: LogicalDevice | None
    """The logical device that holds it."""

    def __repr__(self) -> str:
        return f"<{self.title} {LogicalName(self._values[1])}>"  # type: ignore[arg-type]

    @classmethod
    def attribute(cls, key: int | str) -> Attribute[Any] | None:
        """Return the attribute of this number or name, or ``None``."""
        return super().attribute(key) if isinstance(key, str) else cls._numbered.get(key)

    # --- time -----------------------------------------------------------------------------------------

    @property
    def most_late(self) -> int:
        """How many times it makes up for at most when nobody asked for long: the first of them, and the last."""
        return 1000

    def next_time(self, after: datetime) -> datetime | None:
        """Return when it next does something by itself, ``None`` for never; for subclasses that are ``timed``."""

    def on_time(self, at: datetime) -> Outcome[Any]:
        """Do what is due; the time of the logical device stands at ``at`` meanwhile."""

    def on_shift(self, by: timedelta, *, jump: bool) -> None:
        """Take note that the time of the logical device was moved; for subclasses that are ``timed``.

        Args:
            by: How far; nothing, where only the local time was changed.
            jump: Whether it was more than a synchronisation: all plans are made anew after this.
        """

    def captured(self) -> None:
        """Take note that a profile stored a value of it in a row; for subclasses."""

    # --- from inside the meter ---------------------------------------------------------------------

    @property
    def name(self) -> LogicalName:
        """The logical name."""
        return LogicalName(self._values[1])  # type: ignore[arg-type]

    def attribute_value(self, attribute: Attribute[T]) -> T:
        """Return the stored value of an attribute as what it means."""
        return attribute.from_data(self.stored(attribute.number))

    def __setattr__(self, name: str, value: object) -> None:
        if isinstance(type(self).members.get(name), Attribute):
            self.put(name, value)
        else:
            super().__setattr__(name, value)

    def stored(self, number: int) -> DataValue:
        """Return the stored value of an attribute as Data; its default where none was given."""
        if number in self._values:
            return self._values[number]
        attribute = self.attribute(number)
        return None if attribute is None else attribute.default()

    def put(self, key: int | str, value: Any) -> None:
        """Store the value of an attribute, by number or name: a change from inside the meter.

        Raises:
            ConfigurationError: The class declares no such attribute.
            EncodeError: The value cannot be of the type of the attribute.
        """
        attribute = self.attribute(key)
        if attribute is None:
            raise ConfigurationError(f"{self.title} has no attribute {key!r}")
        before = self._values.get(attribute.number)
        self._values[attribute.number] = attribute.coerce(value, before)
        self._stored_anew(attribute.number, before)

    def _stored_anew(self, number: int, before: DataValue) -> None:
        self.changed(number)
        if self.device is not None and self.device.watched:
            self.device.tell_monitors(self, number, self.stored(number), before)

    def changed(self, number: int) -> None:
        """Take note that a stored value was replaced; for subclasses."""

    # --- handlers given as functions ------------------------------------------------------------------

    def getter(self, attribute: int | str) -> Callable[[F], F]:
        """Give the function that returns the value of an attribute, as a decorator."""
        return self._decorator("get", attribute)

    def setter(self, attribute: int | str) -> Callable[[F], F]:
        """Give the function that is called with the value that a client writes, as a decorator."""
        return self._decorator("set", attribute)

    def handler(self, method: int | str) -> Callable[[F], F]:
        """Give the function that is called with the parameter of a method, as a decorator."""
        return self._decorator("call", method)

    def _decorator(self, kind: str, key: int | str) -> Callable[[F], F]:
        member = self.method(key) if kind == "call" else self.attribute(key)
        if member is None:
            raise ConfigurationError(f"{self.title} has no {key!r}")

        def decorate(function: F) -> F:
            if self._handlers is None:
                self._handlers = {}
            self._handlers[kind, member.number] = function
            return function

        return decorate

    def _handler(self, kind: str, table: dict[int, str], number: int) -> Callable[..., Any] | None:
        if self._handlers is not None and (given := self._handlers.get((kind, number))) is not None:
            return given
        name = table.get(number)
        return None if name is None else getattr(self, name)

    # --- for clients ------------------------------------------------------------------------------------

    def get(
        self,
        number: int,
        selection: SelectiveAccessDescriptor | None = None,
        association: ServerAssociation | None = None,
    ) -> Outcome[ReadResult]:
        """Return the value of an attribute for a client, or why there is none.

        Args:
            number: The attribute.
            selection: Which part of it.
            association: Who asks; ``None`` for the meter itself.
        """
        attribute = self.attribute(number)
        if attribute is None:
            return DataAccessResult.OBJECT_UNDEFINED
        if selection is not None:
            name = self._selectors.get(number)
            if name is None:
                return DataAccessResult.TYPE_UNMATCHED
            selected: Outcome[ReadResult] = _run(getattr(self, name), selection, association)
            return selected
        function = self._handler("get", self._getters, number)
        if function is None:
            return self.stored(number)
        return then(_run(function), lambda value: _as_data(attribute, value, self._values.get(number)))

    def set(
        self, number: int, value: DataValue, association: ServerAssociation | None = None
    ) -> Outcome[DataAccessResult]:
        """Write an attribute for a client, and return how it went."""
        del association
        attribute = self.attribute(number)
        if attribute is None:
            return DataAccessResult.OBJECT_UNDEFINED
        problem = self.refusal_of(attribute, value)
        if problem is not None:
            return problem
        function = self._handler("set", self._setters, number)
        if function is None:
            before = self._values.get(number)
            self._values[number] = attribute.data_type.adopt(_in_form_of(self.stored(number), value))
            self._stored_anew(number, before)
            return DataAccessResult.SUCCESS
        return then(_run(function, attribute.from_data(value)), _as_access_result)

    def refusal_of(self, attribute: Attribute[Any], value: DataValue) -> DataAccessResult | None:
        """Return why a client may not write this value: its type or its range."""
        if attribute.data_type.mismatch(value) is not None:
            return DataAccessResult.TYPE_UNMATCHED
        current = self._values.get(attribute.number)
        # Where the class leaves the type open it is fixed when the object is made (Blue Book, class_id 1 and 3).
        open_type = attribute.data_type.text.startswith("CHOICE")
        if open_type and current is not None and not _same_type(current, value):
            return DataAccessResult.TYPE_UNMATCHED
        if attribute.problem(value) is not None:
            return DataAccessResult.OTHER_REASON
        return None

    def call(
        self,
        number: int,
        parameters: DataValue | Absent = ABSENT,
        association: ServerAssociation | None = None,
    ) -> Outcome[MethodOutcome]:
        """Call a method for a client, and return how it went."""
        del association
        method = self.method(number)
        function = None if method is None else self._handler("call", self._calls, number)
        if method is None or function is None:
            return MethodOutcome(ActionResult.OBJECT_UNDEFINED)
        if not method.needs_parameter:
            return then(_run(function), lambda value: _as_outcome(method, value))
        if parameters is ABSENT or method.parameter_type.mismatch(parameters) is not None:
            return MethodOutcome(ActionResult.TYPE_UNMATCHED)
        parameter = method.parameter_type.read(parameters)
        return then(_run(function, parameter), lambda value: _as_outcome(method, value))


def _refuse_misspelt_hooks(cls: type[CosemObject]) -> None:
    """Refuse ``get_valeu``: a hook that is never called would let a meter answer with what it never meant."""
    hooks = {f"call_{method.name}" for method in cls.methods}
    hooks.update(
        f"{kind}_{attribute.name}" for attribute in cls.attributes for kind in ("get", "set", "select")
    )
    for name, value in vars(cls).items():
        if (
            name.startswith(("get_", "set_", "select_", "call_"))
            and callable(value)  # a class may declare a method set_encryption_key
            and name not in hooks
            and not hasattr(CosemObject, name)
        ):
            from difflib import get_close_matches

            if meant := get_close_matches(name, hooks, n=1, cutoff=0.85):
                raise ConfigurationError(
                    f"{cls.__name__}.{name} is no hook of {cls.title}: {meant[0]} is meant"
                )


def _in_form_of(present: DataValue, written: DataValue) -> DataValue:
    """Return a moment in the form, octets or not, that the attribute has: one that is written does not change it."""
    if type(present) is OctetString and isinstance(written, (DateTime, Date, Time)):
        return OctetString(written.octets)
    if (
        isinstance(present, (DateTime, Date, Time))
        and isinstance(written, bytes)
        and len(written) == present.size
    ):
        return type(present)(written)
    return written


def _same_type(one: DataValue, other: DataValue) -> bool:
    return type(one) is type(other) or (
        getattr(one, "tag", None) is not None and getattr(one, "tag", None) == getattr(other, "tag", None)
    )


def _as_data(attribute: Attribute[Any], value: Any, like: DataValue) -> ReadResult:
    """Return what a getter gave as Data: a value that has a tag is taken as it is."""
    if value is None or isinstance(value, (bool, DataAccessResult)) or hasattr(type(value), "tag"):
        return value  # type: ignore[no-any-return]
    return attribute.coerce(value, like)


def _as_access_result(value: Any) -> DataAccessResult:
    return value if isinstance(value, DataAccessResult) else DataAccessResult.SUCCESS


def _as_outcome(method: Method, value: Any) -> MethodOutcome:
    if isinstance(value, MethodOutcome):
        return value
    if isinstance(value, ActionResult):
        return MethodOutcome(value)
    if value is None and method.return_type is None:
        return MethodOutcome()
    if method.return_type is None or hasattr(type(value), "tag"):
        return MethodOutcome(ActionResult.SUCCESS, value)
    return MethodOutcome(ActionResult.SUCCESS, method.return_type.coerce(value))
