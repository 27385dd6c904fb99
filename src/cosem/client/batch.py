"""What a batch may hold: :class:`Read`, :class:`Write` and :class:`Call`, in any order.

::

    meter.access([Write("0-0:94.44.1", 2, 3), Call("0-0:10.0.106", 1, 54), Read("1-0:1.8.0")])
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from cosem.apdu.common import SelectiveAccessDescriptor
    from cosem.client.targets import ClassLike, Target

__all__ = ["BatchItem", "Call", "Read", "Write"]


@dataclass(frozen=True, slots=True)
class Read:
    """Read an attribute.

    Args:
        target: The object.
        attribute: Its number, name or declaration.
        class_id: The interface class; found out where it is not given.
        selection: The part of the attribute that is wanted.
    """

    target: Target
    attribute: Any = 2
    class_id: ClassLike | None = None
    selection: SelectiveAccessDescriptor | None = None


@dataclass(frozen=True, slots=True)
class Write:
    """Write an attribute.

    Args:
        target: The object.
        attribute: Its number, name or declaration.
        value: Data, or a plain value that becomes the type that the class declares.
        class_id: The interface class; found out where it is not given.
        selection: The part of the attribute that is meant.
    """

    target: Target
    attribute: Any
    value: Any
    class_id: ClassLike | None = None
    selection: SelectiveAccessDescriptor | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """Call a method.

    Args:
        target: The object.
        method: Its number, name or declaration.
        parameter: Data or a plain value; by default the integer 0 that stands for none.
        class_id: The interface class; found out where it is not given.
    """

    target: Target
    method: Any
    parameter: Any = None
    class_id: ClassLike | None = None


BatchItem: TypeAlias = Read | Write | Call
