"""What a value that a client writes, or gives to a method, makes the meter read, write or call later by itself.

Columns of profiles, lists of pushes, monitored values and scripts name other objects. The meter reaches
those as itself, whoever is asking then: so nobody may name what it may not reach itself. One table says
which attributes and methods of which classes name objects, where in the value, and what the meter does
with each. A script whose action writes such an attribute, or calls such a method, names that too.

What is not in the table:

- Data protection (class_id 30): its lists count with the rights of whoever reads or writes the buffer.
- Association SN, ``read_by_logicalname``: reads with the rights of whoever calls it.
- Profile generic, ``get_buffer_by_range``: chooses among the columns of the profile.
- References to set-up objects of ports and lower layers: nothing is read, written or called through them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import Enum
from typing import Final, NamedTuple, TypeAlias

from cosem.types.data import ABSENT, Absent, DataValue

__all__ = ["Named", "Right", "UnlikeError", "named_by_attribute", "named_by_method"]


class Right(Enum):
    """What a client needs itself before the meter does it for it."""

    READ = "read"
    WRITE = "write"
    EXECUTE = "execute"
    SIGHT = "sight"
    """Not to have the object withheld: where it is only switched, counted or listed."""


class Named(NamedTuple):
    """An attribute or a method that a value names.

    Attributes:
        class_id: Class of the object; ``None`` where only its name is given.
        name: Logical name of the object, six octets.
        number: Of the attribute, 0 for all of them, or of the method.
        right: What the meter will do with it.
    """

    class_id: int | None
    name: bytes
    number: int
    right: Right


class UnlikeError(Exception):
    """A value is not built as its attribute or method wants it: what it names cannot be told."""


_Reader: TypeAlias = Callable[[object], Iterator[Named]]
_SCRIPT_TABLE: Final = 9
_EXECUTE: Final = 1
_WRITE_ATTRIBUTE, _EXECUTE_METHOD = 1, 2
_NAME_SIZE: Final = 6


# --- how values are taken apart -------------------------------------------------------------------------------


def _members(value: object) -> tuple[object, ...]:
    if not isinstance(value, tuple):
        raise UnlikeError
    return tuple(value)


def _member(value: object, index: int) -> object:
    members = _members(value)
    if index >= len(members):
        raise UnlikeError
    return members[index]


def _number(value: object) -> int:
    if not isinstance(value, int):
        raise UnlikeError
    return int(value)


def _name(value: object) -> bytes:
    if not isinstance(value, bytes) or len(value) != _NAME_SIZE:
        raise UnlikeError
    return bytes(value)


def _each(reader: _Reader) -> _Reader:
    """Return what reads each element."""

    def read(value: object) -> Iterator[Named]:
        for element in _members(value):
            yield from reader(element)

    return read


def _at(*indexes: int, reader: _Reader) -> _Reader:
    """Return what reads some members, from 0 on."""

    def read(value: object) -> Iterator[Named]:
        for index in indexes:
            yield from reader(_member(value, index))

    return read


def _attribute(*rights: Right) -> _Reader:
    """Return what reads a class, a name and the number of an attribute, whatever follows."""

    def read(value: object) -> Iterator[Named]:
        class_id, name, number = (_member(value, index) for index in range(3))
        for right in rights:
            yield Named(_number(class_id), _name(name), _number(number), right)

    return read


def _object(value: object) -> Iterator[Named]:
    """Read a class and a name."""
    yield Named(_number(_member(value, 0)), _name(_member(value, 1)), 0, Right.SIGHT)


def _only_name(value: object) -> Iterator[Named]:
    """Read a name."""
    yield Named(None, _name(value), 0, Right.SIGHT)


def _listed_object(value: object) -> Iterator[Named]:
    """Read an element of object_list: class, version, name, rights."""
    yield Named(_number(_member(value, 0)), _name(_member(value, 2)), 0, Right.SIGHT)


def _script(at: int = 0) -> _Reader:
    """Return what reads the name of a script table and a selector; selector 0 is the script that does nothing."""

    def read(value: object) -> Iterator[Named]:
        name, selector = _name(_member(value, at)), _number(_member(value, at + 1))
        if selector:
            yield Named(_SCRIPT_TABLE, name, _EXECUTE, Right.EXECUTE)

    return read


def _cells(value: object) -> Iterator[Named]:
    """Read a table_cell_definition: one name for each value of group E."""
    class_id, name, values, number = (_member(value, index) for index in range(4))
    octets = _name(name)
    for group in _members(values):
        e = _number(group)
        if not 0 <= e <= 0xFF:
            raise UnlikeError
        yield Named(_number(class_id), octets[:4] + bytes((e,)) + octets[5:], _number(number), Right.READ)


def _action(value: object) -> Iterator[Named]:
    """Read an action of a script, and what its parameter names in turn."""
    service, class_id, name, index, parameter = (_member(value, at) for at in range(5))
    where = _number(class_id), _name(name), _number(index)
    if service == _WRITE_ATTRIBUTE:
        yield Named(*where, Right.WRITE)
        yield from _read(_ATTRIBUTES, where[0], where[2], parameter)
    elif service == _EXECUTE_METHOD:
        yield Named(*where, Right.EXECUTE)
        yield from _read(_METHODS, where[0], where[2], parameter)


# --- the table ------------------------------------------------------------------------------------------------

_READ = _attribute(Right.READ)
_SCRIPTS = _each(_at(1, reader=_each(_action)))
_DAYS = _each(_at(1, reader=_each(_script(1))))
_UP_AND_DOWN = _at(0, 1, reader=_script())

_ATTRIBUTES: Final[dict[tuple[int, int], _Reader]] = {
    (6, 2): _each(_object),  # Register activation: register_assignment
    (7, 3): _each(_READ),  # Profile generic: capture_objects
    (7, 6): _READ,  # sort_object: the order of the rows tells of it
    (9, 2): _SCRIPTS,  # Script table: scripts
    (10, 2): _each(_script(2)),  # Schedule: entries
    (20, 5): _DAYS,  # Activity calendar: day_profile_table_active
    (20, 9): _DAYS,  # day_profile_table_passive
    (21, 3): _READ,  # Register monitor: monitored_value
    (21, 4): _each(_UP_AND_DOWN),  # actions
    (22, 2): _script(),  # Single action schedule: executed_script
    (40, 2): _each(_READ),  # Push setup: push_object_list
    (61, 3): _cells,  # Register table: table_cell_definition
    (62, 3): _each(_READ),  # Compact data: capture_objects
    (65, 4): _each(_READ),  # Parameter monitor: parameter_list
    (67, 12): _each(_UP_AND_DOWN),  # Sensor manager: raw_value_actions
    (67, 13): _READ,  # processed_value
    (67, 15): _each(_UP_AND_DOWN),  # processed_value_actions
    (68, 2): _each(_script()),  # Arbitrator: actions
    (71, 2): _READ,  # Limiter: monitored_value
    (71, 11): _UP_AND_DOWN,  # actions
    (111, 9): _each(_only_name),  # Account: credit_reference_list
    (111, 10): _each(_only_name),  # charge_reference_list
    (111, 11): _each(_at(0, 1, reader=_only_name)),  # credit_charge_configuration
    (111, 12): _each(_at(0, reader=_only_name)),  # token_gateway_configuration
    (113, 5): _at(1, reader=_READ),  # Charge: unit_charge_active
    (113, 6): _at(1, reader=_READ),  # unit_charge_passive
    (122, 3): _each(_at(1, reader=_each(_object))),  # Function control: function_list
    (123, 2): _each(_at(1, reader=_attribute(Right.READ, Right.WRITE))),  # Array manager: array_object_list
}
"""By class and number of the attribute."""

_METHODS: Final[dict[tuple[int, int], _Reader]] = {
    (6, 1): _object,  # Register activation: add_register
    (10, 2): _script(2),  # Schedule: insert
    (15, 3): _listed_object,  # Association LN: add_object
    (65, 1): _READ,  # Parameter monitor: add_parameter
    (122, 2): _at(1, reader=_each(_object)),  # Function control: add_function
}
"""By class and number of the method."""


def _read(
    table: dict[tuple[int, int], _Reader], class_id: int, number: int, value: object
) -> Iterator[Named]:
    reader = table.get((class_id, number))
    if reader is not None:
        yield from (each for each in reader(value) if any(each.name))  # the name of nothing names nothing


def named_by_attribute(class_id: int, number: int, value: DataValue) -> Iterator[Named]:
    """Return what a value of an attribute names.

    Args:
        class_id: Of the object that is written.
        number: The attribute that is written.
        value: What is written.

    Raises:
        UnlikeError: The value is not built as the attribute wants it.

    >>> from cosem.types.data import Array, Integer, LongUnsigned, OctetString, Structure
    >>> energy = Structure(
    ...     (LongUnsigned(3), OctetString(bytes((1, 0, 1, 8, 0, 255))), Integer(2), LongUnsigned(0))
    ... )
    >>> [
    ...     (each.name.hex(), each.number, each.right.value)
    ...     for each in named_by_attribute(7, 3, Array((energy,)))
    ... ]
    [('0100010800ff', 2, 'read')]
    """
    return _read(_ATTRIBUTES, class_id, number, value)


def named_by_method(class_id: int, number: int, parameters: DataValue | Absent = ABSENT) -> Iterator[Named]:
    """Return what the parameters of a method name.

    Args:
        class_id: Of the object that is called.
        number: The method that is called.
        parameters: What the client gives to it.

    Raises:
        UnlikeError: The parameters are not built as the method wants them.
    """
    return _read(_METHODS, class_id, number, parameters)
