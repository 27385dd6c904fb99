"""A cursor over octets: never past the end, never a copy of the rest, and it knows where it is.

:class:`Reader` is what the codecs work on. :class:`TracingReader` is the same
cursor, and takes down which octets every component came from; errors are
explained with it, and so is the tree that ``cosem decode`` prints.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NoReturn, TypeVar

from cosem.codec.limits import DEFAULT_LIMITS, Limits
from cosem.errors import DecodeError, LimitError
from cosem.types.text import counted

__all__ = ["Node", "Reader", "TracingReader"]

T = TypeVar("T")


class Reader:
    """A cursor over octets.

    Args:
        data: The octets.
        strict: Whether a tolerated deviation from the standard is an error.
        findings: Where tolerated deviations are named, if anybody asks.
        limits: What may be built from the octets.

    Raises:
        LimitError: ``data`` is longer than the limits allow.
    """

    __slots__ = ("data", "findings", "limits", "pos", "strict")

    def __init__(
        self,
        data: bytes,
        *,
        strict: bool = False,
        findings: list[str] | None = None,
        limits: Limits = DEFAULT_LIMITS,
    ) -> None:
        if len(data) > limits.octets:
            raise LimitError("octets", len(data), limits.octets)
        self.data = data
        self.pos = 0
        self.strict = strict
        self.findings = findings
        self.limits = limits

    @property
    def left(self) -> int:
        """Octets not yet read."""
        return len(self.data) - self.pos

    def take(self, size: int) -> bytes:
        """Return the next ``size`` octets.

        Raises:
            DecodeError: There are not so many.
        """
        start, stop = self.pos, self.pos + size
        if stop > len(self.data):
            self.fail(f"{counted(size, 'octet')} wanted, {len(self.data) - start} left")
        self.pos = stop
        return self.data[start:stop]

    def unsigned(self, size: int) -> int:
        """Return the next ``size`` octets as an unsigned number, high octet first."""
        return int.from_bytes(self.take(size), "big")

    def signed(self, size: int) -> int:
        """Return the next ``size`` octets as a two's-complement number."""
        return int.from_bytes(self.take(size), "big", signed=True)

    def length(self) -> int:
        """Return a length or count (IEC 61334-6): one octet, or 81..84 and that many octets.

        Raises:
            DecodeError: The indefinite form 80, 85 and above, or octets missing.
        """
        start = self.pos
        first = self.unsigned(1)
        if first < 0x80:
            return first
        size = first & 0x7F
        if not 1 <= size <= 4:
            self.fail(f"length octet {first:02X} is not allowed", start)
        return self.unsigned(size)

    def count(self, smallest: int = 1) -> int:
        """Return a count of elements, of at least ``smallest`` octets each, that the octets left can hold."""
        start = self.pos
        value = self.length()
        if value * smallest > self.left:
            self.fail(f"{value} elements cannot fit in {self.left} octets", start)
        return value

    def octet_string(self) -> bytes:
        """Return an OCTET STRING of variable length."""
        start = self.pos
        size = self.length()
        if size > self.left:
            self.fail(f"{counted(size, 'octet')} wanted, {self.left} left", start)
        return self.take(size)

    def finding(self, code: str) -> None:
        """Name a tolerated deviation from the standard.

        Raises:
            DecodeError: The reader is strict.
        """
        if self.strict:
            self.fail(code)
        if self.findings is not None:
            self.findings.append(code)

    def finish(self) -> None:
        """Say that nothing more is expected.

        Raises:
            DecodeError: Octets are left, and the reader is strict or has nowhere to report them.
        """
        left = self.left
        if not left:
            return
        if self.strict or self.findings is None:
            self.fail(f"{counted(left, 'octet')} too many")
        self.findings.append("trailing-octets")

    def strictly_finished(self) -> None:
        """Refuse octets that are left inside a component, where no meter is known to have any.

        Raises:
            DecodeError: There are some.
        """
        if self.left:
            self.fail(f"{counted(self.left, 'octet')} too many")

    def component(self, name: str, read: Callable[[Reader], T]) -> T:
        """Return what ``read`` makes of the next octets, which are the component ``name``."""
        del name
        return read(self)

    def within(self, start: int, stop: int) -> Reader:
        """Return a reader of the octets ``start`` to ``stop`` that counts offsets as this one does.

        It names deviations in the same place; components that are read through it are taken down too.
        """
        inner = Reader(self.data[:stop], strict=self.strict, findings=self.findings, limits=self.limits)
        inner.pos = start
        return inner

    def fail(self, problem: str, offset: int | None = None) -> NoReturn:
        """Raise the :class:`DecodeError` of this place."""
        raise DecodeError(problem, self.pos if offset is None else offset)


@dataclass(slots=True)
class Node:
    """One component of an APDU, and the octets that it came from.

    Args:
        name: Its name in the ASN.1, or the index in a list.
        start: Offset of its first octet.
        stop: Offset after its last octet.
        value: What it means; ``None`` while it is being read.
        children: Its own components.
    """

    name: str
    start: int
    stop: int = 0
    value: object = None
    children: list[Node] = field(default_factory=list)


class TracingReader(Reader):
    """A cursor that takes down the components it reads, as a tree of nodes below :attr:`root`.

    An error carries the path of the component in which it happened.
    """

    __slots__ = ("_open", "root")

    def __init__(
        self,
        data: bytes,
        *,
        strict: bool = False,
        findings: list[str] | None = None,
        limits: Limits = DEFAULT_LIMITS,
    ) -> None:
        super().__init__(data, strict=strict, findings=findings, limits=limits)
        self.root = Node("", 0)
        self._open = [self.root]

    def within(self, start: int, stop: int) -> TracingReader:
        """Return a tracing reader of the octets ``start`` to ``stop`` that adds to the same tree."""
        inner = TracingReader(
            self.data[:stop], strict=self.strict, findings=self.findings, limits=self.limits
        )
        inner.pos = start
        inner.root = self.root
        inner._open = self._open
        return inner

    @property
    def path(self) -> str:
        """Names of the components that are being read, from the outermost in."""
        text = ""
        for node in self._open[1:]:
            text += f"[{node.name}]" if node.name.isdigit() else f".{node.name}"
        return text.removeprefix(".")

    def component(self, name: str, read: Callable[[Reader], T]) -> T:
        """Return what ``read`` makes of the next octets, and take down where they are."""
        node = Node(name, self.pos)
        self._open[-1].children.append(node)
        self._open.append(node)
        try:
            value = read(self)
        except DecodeError as error:
            if error.path and not error.path.startswith("["):
                raise
            path = self.path + error.path  # Data knows its elements only, not the component that it is
            if isinstance(error, LimitError):
                raise LimitError(error.name, error.value, error.bound, error.offset, path) from None
            raise DecodeError(error.problem, error.offset, path) from None
        finally:
            self._open.pop()
        node.stop = self.pos
        node.value = value
        return value
