"""Declarative A-XDR: the annotations of a class are its wire format.

Each SEQUENCE of IEC 62056-5-3, clause 8, is one frozen class. At the first use
of a class its annotations are read once, and the straight-line reader and writer
that a careful person would have written by hand are generated: nested sequences
inlined, runs of fixed-size components fused into one :class:`struct.Struct`.
When octets or values turn out to be wrong, the same layout is walked once more
component by component, to say exactly where.
"""

from __future__ import annotations

import linecache
import struct
from collections.abc import Callable, Iterator
from dataclasses import MISSING, dataclass, fields
from enum import Enum
from types import NoneType, UnionType
from typing import (
    Annotated,
    Any,
    Final,
    NamedTuple,
    TypeVar,
    Union,
    dataclass_transform,
    get_args,
    get_origin,
    get_type_hints,
)

from cosem.codec.reader import Reader
from cosem.codec.wires import Optional, SequenceOf, Wire
from cosem.errors import EncodeError

__all__ = [
    "DECODE_FAULTS",
    "ENCODE_FAULTS",
    "Codec",
    "asn1_name",
    "codec_of",
    "header_of",
    "sequence",
    "sequences_by_header",
    "wires_of",
]

T = TypeVar("T")

_headers: Final[dict[type, bytes]] = {}
_names: Final[dict[type, str]] = {}
_codecs: Final[dict[type, Codec]] = {}
sequences_by_header: Final[dict[bytes, type]] = {}
"""Every declared APDU by the octets that it starts with."""

DECODE_FAULTS: Final = (IndexError, struct.error)
"""What a generated reader raises where octets are missing."""
ENCODE_FAULTS: Final = (struct.error, TypeError, AttributeError, ValueError, OverflowError)


@dataclass_transform(frozen_default=True)
def sequence(*header: int, name: str = "") -> Callable[[type[T]], type[T]]:
    """Make a frozen value class of a SEQUENCE; its annotations are its layout.

    Args:
        header: The octets that an APDU starts with; none for a part of one.
        name: Its name in the ASN.1 where that is not the class name with hyphens.
    """

    def declare(cls: type[T]) -> type[T]:
        frozen = dataclass(frozen=True, slots=True)(cls)
        _set_slots_directly(frozen)
        _headers[frozen] = bytes(header)
        _names[frozen] = name or _hyphenated(cls.__name__)
        if header:
            sequences_by_header[bytes(header)] = frozen
        return frozen

    return declare


def _set_slots_directly(cls: type) -> None:
    """Give a frozen class an ``__init__`` that fills its slots by their descriptors.

    The one that :mod:`dataclasses` writes goes through ``object.__setattr__`` by name, which takes twice the time.
    """
    scope: dict[str, Any] = {}
    head, body = [], []
    for index, component in enumerate(fields(cls)):
        scope[f"set{index}"] = cls.__dict__[component.name].__set__
        scope[f"default{index}"] = component.default
        default = "" if component.default is MISSING else f"=default{index}"
        head.append(f"{component.name}{default}")
        body.append(f"set{index}(self, {component.name})")
    exec(f"def __init__(self, {', '.join(head)}):\n    {'; '.join(body) or 'pass'}\n", scope)
    written, made = cls.__init__, scope["__init__"]  # type: ignore[misc]
    made.__annotations__, made.__qualname__ = written.__annotations__, written.__qualname__
    cls.__init__ = made  # type: ignore[misc]


def _hyphenated(name: str) -> str:
    """Return ``get-request-normal`` for ``GetRequestNormal``."""
    return "".join("-" + letter.lower() if letter.isupper() else letter for letter in name).lstrip("-")


def asn1_name(cls: type) -> str:
    """Return the name that a declared class has in the ASN.1."""
    return _names[cls]


def header_of(cls: type) -> bytes:
    """Return the octets that an APDU of this class starts with."""
    return _headers[cls]


def wires_of(cls: type) -> Iterator[tuple[str, Wire]]:
    """Return the components of a declared class, in order."""
    hints = get_type_hints(cls, include_extras=True)
    for component in fields(cls):
        yield component.name, _wire(hints[component.name])


def _wire(hint: Any) -> Wire:
    """Return the layout that an annotation means."""
    origin = get_origin(hint)
    if origin is Annotated:
        for item in hint.__metadata__:
            if isinstance(item, Wire):
                return item
        return _wire(hint.__origin__)
    if origin in (Union, UnionType):
        (inner,) = (argument for argument in get_args(hint) if argument is not NoneType)
        return Optional(_wire(inner))
    if origin is tuple:
        return SequenceOf(_wire(get_args(hint)[0]))
    if hint in _headers:
        return Nested(hint)
    raise TypeError(f"{hint!r} says nothing about its layout")


class Nested(Wire):
    """A SEQUENCE inside another."""

    __slots__ = ("cls", "smallest")

    def __init__(self, cls: type) -> None:
        self.cls = cls
        self.smallest = max(1, sum(wire.smallest for _, wire in wires_of(cls)))

    def read(self, reader: Reader) -> Any:
        """Return the value; component by component only where somebody follows."""
        codec = codec_of(self.cls)
        if type(reader) is not Reader:
            return codec.read_components(reader)
        start = reader.pos
        try:
            return codec.read(reader)
        except DECODE_FAULTS:
            reader.pos = start
            return codec.read_components(reader)

    def write(self, out: bytearray, value: Any) -> None:
        """Append the components."""
        codec = codec_of(self.cls)
        try:
            codec.write(out, value)
        except ENCODE_FAULTS:
            codec.write_components(bytearray(), value)
            raise


class Codec(NamedTuple):
    """The reader and writers of one declared class.

    Args:
        read: Reads the components behind the header; generated, fast, and terse about faults.
        write: Appends header and components; generated, likewise.
        encode: Returns header and components, in one step where all but an absent last one have a fixed size.
        read_components: Reads component by component, so that a tracing reader can follow.
        write_components: Writes component by component, so that an error has a path.
    """

    read: Callable[[Reader], Any]
    write: Callable[[bytearray, Any], None]
    encode: Callable[[Any], bytes]
    read_components: Callable[[Reader], Any]
    write_components: Callable[[bytearray, Any], None]


def codec_of(cls: type) -> Codec:
    """Return the codec of a declared class, generated at the first call."""
    codec = _codecs.get(cls)
    if codec is None:
        codec = _codecs[cls] = _compile(cls)
    return codec


class _Leaf(NamedTuple):
    """A component after nested sequences were inlined: where its value is found on writing, and its layout."""

    access: str
    wire: Wire


class _Generator:
    """Writes the source of one class's reader and writer."""

    def __init__(self, cls: type) -> None:
        self.cls = cls
        self.scope: dict[str, Any] = {"new": object.__new__}
        self.making: list[str] = []
        self.leaves: list[_Leaf] = []
        self.prelude: list[str] = []

    def name(self, value: object, prefix: str) -> str:
        """Return the name under which the source finds ``value``."""
        name = f"{prefix}{len(self.scope)}"
        self.scope[name] = value
        return name

    def flatten(self, cls: type, holder: str) -> str:
        """Collect the leaves of ``cls``, and the statements that make its value of ``x0``, ``x1``...

        Returns:
            The variable that holds the value when the statements have run.
        """
        parts = []
        for name, wire in wires_of(cls):
            if isinstance(wire, Nested):
                inner = f"v{len(self.prelude) + 1}"
                self.prelude.append(f"{inner} = {holder}.{name}")
                parts.append((name, self.flatten(wire.cls, inner)))
                continue
            variable = f"x{len(self.leaves)}"
            self.leaves.append(_Leaf(f"{holder}.{name}", wire))
            parts.append((name, self.made(wire, variable)))
        value = f"o{len(self.making)}"
        self.making.append(f"{value} = new({self.name(cls, 'cls')})")
        for name, part in parts:
            self.making.append(f"{self.name(cls.__dict__[name].__set__, 'set')}({value}, {part})")
        return value

    def made(self, wire: Wire, variable: str) -> str:
        """Return the expression that makes the value of one component of what :mod:`struct` gave."""
        make = wire.make
        if make is None:
            return variable
        if wire.code == "B" and isinstance(make, type):
            if issubclass(make, Enum):
                # Members by number; one that nobody knows, and 0, is made by the class.
                known = self.name(make._value2member_map_, "known")
                return f"{known}.get({variable}) or {self.name(make, 'make')}({variable})"
            return f"{self.name(tuple(map(make, range(256))), 'every')}[{variable}]"
        return f"{self.name(make, 'make')}({variable})"

    def runs(self) -> Iterator[tuple[int, int]]:
        """Return the index ranges of leaves that are fused, and of each other leaf alone."""
        start = 0
        while start < len(self.leaves):
            stop = start + 1
            if self.leaves[start].wire.code:
                while stop < len(self.leaves) and self.leaves[stop].wire.code:
                    stop += 1
            yield start, stop
            start = stop

    def generate(self) -> str:
        """Return the source."""
        made = self.flatten(self.cls, "v")
        read = ["data = r.data", "pos = r.pos"]
        write = list(self.prelude)
        constants = list(_headers[self.cls])
        for start, stop in self.runs():
            run = self.leaves[start:stop]
            wire = run[0].wire
            if wire.code:
                write.append(self.pack(constants, run))
                constants = []
                if [leaf.wire.code for leaf in run] == ["B"]:
                    read += [f"x{start} = data[pos]", "pos += 1"]
                    continue
                layout = struct.Struct(">" + "".join(str(leaf.wire.code) for leaf in run))
                targets = "".join(f"x{index}, " for index in range(start, stop))
                read += [
                    f"{targets}= {self.name(layout.unpack_from, 'unpack')}(data, pos)",
                    f"pos += {layout.size}",
                ]
                continue
            if constants:
                write.append(f"out += {bytes(constants)!r}")
                constants = []
            access = run[0].access
            if isinstance(wire, Optional):
                inner = wire.inner
                reader, writer = self.inner_pair(inner)
                read += [
                    "if data[pos]:",
                    "    r.pos = pos + 1",
                    f"    x{start} = {reader}(r)",
                    "    pos = r.pos",
                    f"else: x{start} = None; pos += 1",
                ]
                write += [
                    f"o = {access}",
                    "if o is None: out.append(0)",
                    "else:",
                    "    out.append(1)",
                    f"    {writer}(out, o)",
                ]
            else:
                read += ["r.pos = pos", f"x{start} = {self.name(wire.read, 'read')}(r)", "pos = r.pos"]
                write.append(f"{self.name(wire.write, 'write')}(out, {access})")
        if constants:
            write.append(f"out += {bytes(constants)!r}")
        read += ["r.pos = pos", *self.making, f"return {made}"]
        return "def read(r):\n    {}\ndef write(out, v):\n    {}\ndef encode(v):\n    {}\n".format(
            *("\n    ".join(lines or ["pass"]) for lines in (read, write, self.at_once()))
        )

    def at_once(self) -> list[str]:
        """Return the statements that encode without a buffer where that is possible, and else with one."""
        statements = list(self.prelude)
        constants = list(_headers[self.cls])
        before, last = self.leaves[:-1], self.leaves[-1:]
        if last and all(leaf.wire.code for leaf in before):
            if last[0].wire.code:
                return [*statements, f"return {self.packed(constants, self.leaves)}"]
            if isinstance(last[0].wire, Optional):
                packed = self.packed(constants, before, "0")
                statements += [f"if {last[0].access} is None:", f"    return {packed}"]
        return [*statements, "out = bytearray()", "write(out, v)", "return bytes(out)"]

    def inner_pair(self, wire: Wire) -> tuple[str, str]:
        """Return the names of the functions that read and write what is optional."""
        if isinstance(wire, Nested):
            codec = codec_of(wire.cls)
            return self.name(codec.read, "read"), self.name(codec.write, "write")
        return self.name(wire.read, "read"), self.name(wire.write, "write")

    def pack(self, constants: list[int], run: list[_Leaf]) -> str:
        """Return the statement that writes header octets and a run of fixed-size components at once."""
        return f"out += {self.packed(constants, run)}"

    def packed(self, constants: list[int], run: list[_Leaf], flag: str = "") -> str:
        """Return the expression for header octets, a run of fixed-size components, and a flag."""
        codes = "B" * len(constants) + "".join(str(leaf.wire.code) for leaf in run) + "B" * len(flag)
        values = [str(octet) for octet in constants]
        for leaf in run:
            plain, as_it_is = leaf.wire.plain, leaf.wire.as_it_is
            if plain is None:
                values.append(leaf.access)
            elif as_it_is is None:
                values.append(f"{self.name(plain, 'plain')}({leaf.access})")
            else:
                kind = self.name(as_it_is, "kind")
                values.append(
                    f"(y if type(y := {leaf.access}) is {kind} else {self.name(plain, 'plain')}(y))"
                )
        values += flag
        return f"{self.name(struct.Struct('>' + codes).pack, 'pack')}({', '.join(values)})"


def _compile(cls: type) -> Codec:
    generator = _Generator(cls)
    source = generator.generate()
    file = f"<codec of {cls.__name__}>"
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    scope = generator.scope
    exec(compile(source, file, "exec"), scope)
    components = list(wires_of(cls))
    header = _headers[cls]

    def read_components(reader: Reader) -> Any:
        return cls(*[reader.component(name.replace("_", "-"), wire.read) for name, wire in components])

    def write_components(out: bytearray, value: Any) -> None:
        if not isinstance(value, cls):
            raise EncodeError(f"{cls.__name__} wanted, {type(value).__name__} given")
        out += header
        for name, wire in components:
            member = getattr(value, name)
            try:
                wire.write(out, member)
            except EncodeError as error:
                separator = "" if not error.path or error.path.startswith("[") else "."
                raise EncodeError(error.problem, f"{name}{separator}{error.path}") from None
            except ENCODE_FAULTS as error:
                raise EncodeError(f"{member!r} does not fit: {error}", name) from None

    return Codec(scope["read"], scope["write"], scope["encode"], read_components, write_components)
