"""Columns by the Arrow C stream interface: polars, pandas, pyarrow and DuckDB take them, none of them is needed.

The interface is three C structures and a few functions that a consumer calls;
:mod:`ctypes` has all it takes. Each structure that is handed out keeps what it
points to alive until the consumer releases it.

(The Arrow C data interface, the Arrow C stream interface, and the Arrow PyCapsule interface)
"""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Callable, Mapping, Sequence
from ctypes import CFUNCTYPE, c_char_p, c_int, c_int64, c_void_p
from dataclasses import dataclass, field
from importlib import import_module
from itertools import count
from typing import Any, ClassVar, Final

__all__ = ["ArrowColumn", "pyarrow_capsule", "schema_capsule", "stream_capsule"]

_NULLABLE: Final = 2
_INVALID: Final = 22
"""EINVAL, for a stream that is asked after its end was released."""


@dataclass(frozen=True, slots=True)
class ArrowColumn:
    """A column as Arrow lays it out.

    Args:
        name: What it is called.
        format: Its type, as the C data interface writes it: ``"I"``, ``"tsu:UTC"``, ``"d:12,3"``.
        length: How many values it has.
        null_count: How many of them are missing.
        buffers: Its buffers, the one of validity first; ``None`` where all values are there.
        metadata: What else is known of it.
    """

    name: str
    format: str
    length: int
    null_count: int
    buffers: Sequence[bytes | None]
    metadata: Mapping[str, str] = field(default_factory=dict)


class _Schema(ctypes.Structure):
    _fields_: ClassVar[Any] = [
        ("format", c_char_p),
        ("name", c_char_p),
        ("metadata", c_void_p),
        ("flags", c_int64),
        ("n_children", c_int64),
        ("children", c_void_p),
        ("dictionary", c_void_p),
        ("release", c_void_p),
        ("private_data", c_void_p),
    ]


class _Array(ctypes.Structure):
    _fields_: ClassVar[Any] = [
        ("length", c_int64),
        ("null_count", c_int64),
        ("offset", c_int64),
        ("n_buffers", c_int64),
        ("n_children", c_int64),
        ("buffers", c_void_p),
        ("children", c_void_p),
        ("dictionary", c_void_p),
        ("release", c_void_p),
        ("private_data", c_void_p),
    ]


class _Stream(ctypes.Structure):
    _fields_: ClassVar[Any] = [
        ("get_schema", c_void_p),
        ("get_next", c_void_p),
        ("get_last_error", c_void_p),
        ("release", c_void_p),
        ("private_data", c_void_p),
    ]


_kept: dict[int, Any] = {}
"""What structures that are not released yet point to."""
_numbers = count(1)


def _keep(things: Any) -> int:
    number = next(_numbers)
    _kept[number] = things
    return number


def _pointers(structures: Sequence[ctypes.Structure]) -> Any:
    return (c_void_p * len(structures))(*map(ctypes.addressof, structures))


def _address(buffer: bytes | None) -> int | None:
    return None if buffer is None else ctypes.cast(c_char_p(buffer), c_void_p).value


def _metadata(pairs: Mapping[str, str]) -> bytes | None:
    """Return key-value metadata: their number, and each with its length before it."""
    if not pairs:
        return None
    out = struct.pack("=i", len(pairs))
    for pair in pairs.items():
        for text in pair:
            octets = text.encode()
            out += struct.pack("=i", len(octets)) + octets
    return out


# --- what a consumer calls --------------------------------------------------------------------------


def _unburdening() -> Callable[[int], None]:
    """Return what makes sure that the next calls do what they should.

    A consumer written in C may release while an exception of its own is on its way. The first function of C that
    looks whether there is one then fails, whatever it did. Here that happens to one that does nothing: better the
    consumer's exception is lost than that its memory is never released, which some of them answer by abort().
    """
    at, anything = _Stream.from_address, BaseException

    def unburden(address: int) -> None:
        try:  # noqa: SIM105 -- suppress() is a call into C, too
            at(address)
        except anything:
            pass

    return unburden


def _release(kind: type[_Schema | _Array]) -> Callable[[int], None]:
    """Return what frees a structure of this kind, and its children that nobody moved away.

    It reaches nothing through this module: a consumer may release while the interpreter
    ends and modules are empty already.
    """
    forget, pointer, at, unburden = _kept.pop, c_void_p, kind.from_address, _unburdening()

    def release(address: int) -> None:
        unburden(address)
        structure = at(address)
        if structure.n_children:
            for child in (pointer * structure.n_children).from_address(structure.children):
                if child is not None and at(child).release:
                    release(child)
        structure.release = None
        forget(structure.private_data, None)

    return release


def _get_schema(stream: int, out: int) -> int:
    state = _kept.get(_Stream.from_address(stream).private_data or 0)
    if state is None:
        return _INVALID
    _fill_schema(_Schema.from_address(out), state.columns, state.metadata)
    return 0


def _get_next(stream: int, out: int) -> int:
    state = _kept.get(_Stream.from_address(stream).private_data or 0)
    if state is None:
        return _INVALID
    array = _Array.from_address(out)
    if state.done:
        array.release = None
    else:
        state.done = True
        _fill_array(array, state.columns, state.length)
    return 0


def _get_last_error(stream: int) -> None:
    del stream


def _release_stream() -> Callable[[int], None]:
    """Return what frees a stream; see :func:`_release`."""
    forget, at, unburden = _kept.pop, _Stream.from_address, _unburdening()

    def release(address: int) -> None:
        unburden(address)
        structure = at(address)
        structure.release = None
        forget(structure.private_data, None)

    return release


def _free(
    kind: type[_Schema | _Stream], name: bytes, release: Callable[[int], None]
) -> Callable[[int], None]:
    """Return what frees a capsule, and its structure if nobody took it."""
    forget, at, pointer_of, unburden = _kept.pop, kind.from_address, _pointer_of, _unburdening()

    def free(capsule: int) -> None:
        unburden(capsule)
        address = pointer_of(capsule, name)
        if at(address).release:
            release(address)
        forget(-address, None)

    return free


def _for_ever(function: Any) -> Any:
    """Keep a callback beyond the end of this module: a consumer may release late."""
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(function))
    return function


# Prototypes of their own: those of ctypes.pythonapi are shared by everybody in the process.
_capsule = ctypes.PYFUNCTYPE(ctypes.py_object, c_void_p, c_char_p, c_void_p)(
    ("PyCapsule_New", ctypes.pythonapi)
)
# The capsule as an address: counting references to an object that is being freed would free it again.
_pointer_of = ctypes.PYFUNCTYPE(c_void_p, c_void_p, c_char_p)(("PyCapsule_GetPointer", ctypes.pythonapi))
_STREAM_NAME: Final = b"arrow_array_stream"
_SCHEMA_NAME: Final = b"arrow_schema"

_ON_STRUCTURE = CFUNCTYPE(None, c_void_p)
_ON_TWO = CFUNCTYPE(c_int, c_void_p, c_void_p)
_RELEASE_SCHEMA = _for_ever(_ON_STRUCTURE(_release(_Schema)))
_RELEASE_ARRAY = _for_ever(_ON_STRUCTURE(_release(_Array)))
_RELEASE_STREAM = _for_ever(_ON_STRUCTURE(_release_stream()))
_GET_SCHEMA = _for_ever(_ON_TWO(_get_schema))
_GET_NEXT = _for_ever(_ON_TWO(_get_next))
_GET_LAST_ERROR = _for_ever(CFUNCTYPE(c_void_p, c_void_p)(_get_last_error))
_FREE_STREAM = _for_ever(_ON_STRUCTURE(_free(_Stream, _STREAM_NAME, _release_stream())))
_FREE_SCHEMA = _for_ever(_ON_STRUCTURE(_free(_Schema, _SCHEMA_NAME, _release(_Schema))))


def _function(callback: Any) -> int | None:
    return ctypes.cast(callback, c_void_p).value


# --- what they get ----------------------------------------------------------------------------------


def _schema_of(
    out: _Schema, kind: bytes, name: bytes, metadata: bytes | None, children: Sequence[_Schema]
) -> None:
    pointers = _pointers(children)
    out.format = kind
    out.name = name
    out.metadata = _address(metadata)
    out.flags = 0 if children else _NULLABLE
    out.n_children = len(children)
    out.children = ctypes.addressof(pointers) if children else None
    out.dictionary = None
    out.release = _function(_RELEASE_SCHEMA)
    out.private_data = _keep((kind, name, metadata, children, pointers))


def _fill_schema(out: _Schema, columns: Sequence[ArrowColumn], metadata: Mapping[str, str]) -> None:
    children = []
    for column in columns:
        child = _Schema()
        _schema_of(child, column.format.encode(), column.name.encode(), _metadata(column.metadata), ())
        children.append(child)
    _schema_of(out, b"+s", b"", _metadata(metadata), children)


def _array_of(
    out: _Array, length: int, null_count: int, buffers: Sequence[bytes | None], children: Sequence[_Array]
) -> None:
    addresses = (c_void_p * len(buffers))(*map(_address, buffers))
    pointers = _pointers(children)
    out.length = length
    out.null_count = null_count
    out.offset = 0
    out.n_buffers = len(buffers)
    out.n_children = len(children)
    out.buffers = ctypes.addressof(addresses) if buffers else None
    out.children = ctypes.addressof(pointers) if children else None
    out.dictionary = None
    out.release = _function(_RELEASE_ARRAY)
    out.private_data = _keep((buffers, addresses, children, pointers))


def _fill_array(out: _Array, columns: Sequence[ArrowColumn], length: int) -> None:
    children = []
    for column in columns:
        child = _Array()
        _array_of(child, column.length, column.null_count, column.buffers, ())
        children.append(child)
    _array_of(out, length, 0, (None,), children)


@dataclass(slots=True)
class _State:
    """Where a stream is."""

    columns: Sequence[ArrowColumn]
    metadata: Mapping[str, str]
    length: int
    done: bool = False


def stream_capsule(columns: Sequence[ArrowColumn], metadata: Mapping[str, str], length: int) -> Any:
    """Return a capsule ``arrow_array_stream`` that gives the columns as one batch."""
    stream = _Stream()
    stream.get_schema = _function(_GET_SCHEMA)
    stream.get_next = _function(_GET_NEXT)
    stream.get_last_error = _function(_GET_LAST_ERROR)
    stream.release = _function(_RELEASE_STREAM)
    stream.private_data = _keep(_State(columns, metadata, length))
    address = ctypes.addressof(stream)
    _kept[-address] = stream
    return _capsule(address, _STREAM_NAME, _function(_FREE_STREAM))


def schema_capsule(columns: Sequence[ArrowColumn], metadata: Mapping[str, str]) -> Any:
    """Return a capsule ``arrow_schema`` of the columns."""
    schema = _Schema()
    _fill_schema(schema, columns, metadata)
    address = ctypes.addressof(schema)
    _kept[-address] = schema
    return _capsule(address, _SCHEMA_NAME, _function(_FREE_SCHEMA))


class _Described:
    """What pyarrow takes names and types from."""

    def __init__(self, columns: Sequence[ArrowColumn], metadata: Mapping[str, str]) -> None:
        self._described = columns, metadata

    def __arrow_c_schema__(self) -> Any:
        return schema_capsule(*self._described)


def pyarrow_capsule(columns: Sequence[ArrowColumn], metadata: Mapping[str, str], length: int) -> Any:
    """Return a capsule as :func:`stream_capsule` does, whose structures are those of pyarrow.

    pyarrow drops arrays while its own exceptions are on their way; a callback into Python would lose those.
    It frees what it has exported itself without one. The octets are the same ones, not copies.
    """
    arrow = import_module("pyarrow")
    schema = arrow.schema(_Described(columns, metadata))
    arrays = [
        arrow.nulls(column.length)
        if not column.buffers
        else arrow.Array.from_buffers(
            kind,
            column.length,
            [None if buffer is None else arrow.py_buffer(buffer) for buffer in column.buffers],
            column.null_count,
        )
        for kind, column in zip(schema.types, columns, strict=True)
    ]
    if arrays:
        batch = arrow.RecordBatch.from_arrays(arrays, schema=schema)
    else:
        batch = arrow.RecordBatch.from_struct_array(arrow.array([{}] * length, arrow.struct([])))
    return arrow.RecordBatchReader.from_batches(batch.schema, [batch]).__arrow_c_stream__()
