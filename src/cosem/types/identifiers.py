"""Invoke-id and priority, short and long: what pairs an answer with its request (clause 8)."""

from __future__ import annotations

from cosem.errors import ConversionError

__all__ = ["InvokeIdAndPriority", "LongInvokeIdAndPriority"]


class InvokeIdAndPriority(int):
    """Invoke-Id-And-Priority: one octet, repeated unchanged by the answer.

    >>> octet = InvokeIdAndPriority.build(1, high_priority=True)
    >>> octet, octet.invoke_id, octet.confirmed, octet.high_priority
    (InvokeIdAndPriority(0xC1), 1, True, True)
    """

    __slots__ = ()

    @classmethod
    def build(
        cls, invoke_id: int, *, confirmed: bool = True, high_priority: bool = False
    ) -> InvokeIdAndPriority:
        """Return the octet of an invoke-id 0..15, service class and priority.

        Raises:
            ConversionError: ``invoke_id`` is outside 0..15.
        """
        if not 0 <= invoke_id <= 15:
            raise ConversionError(f"invoke-id {invoke_id} is outside 0..15")
        return cls(invoke_id | (0x40 if confirmed else 0) | (0x80 if high_priority else 0))

    @property
    def invoke_id(self) -> int:
        """Bits 0 to 3."""
        return self & 0x0F

    @property
    def confirmed(self) -> bool:
        """Bit 6, service-class: whether an answer is wanted."""
        return bool(self & 0x40)

    @property
    def high_priority(self) -> bool:
        """Bit 7, priority."""
        return bool(self & 0x80)

    def __repr__(self) -> str:
        return f"InvokeIdAndPriority(0x{int(self):02X})"


class LongInvokeIdAndPriority(int):
    """Long-Invoke-Id-And-Priority: four octets, for ACCESS and DataNotification.

    >>> octets = LongInvokeIdAndPriority.build(0x1234, confirmed=True)
    >>> octets, octets.long_invoke_id, octets.confirmed
    (LongInvokeIdAndPriority(0x40001234), 4660, True)
    """

    __slots__ = ()

    @classmethod
    def build(
        cls,
        long_invoke_id: int,
        *,
        self_descriptive: bool = False,
        break_on_error: bool = False,
        confirmed: bool = False,
        high_priority: bool = False,
    ) -> LongInvokeIdAndPriority:
        """Return the four octets as a number.

        Raises:
            ConversionError: ``long_invoke_id`` is outside 0..16777215.
        """
        if not 0 <= long_invoke_id <= 0xFFFFFF:
            raise ConversionError(f"long-invoke-id {long_invoke_id} is outside 0..16777215")
        return cls(
            long_invoke_id
            | self_descriptive << 28
            | break_on_error << 29
            | confirmed << 30
            | high_priority << 31
        )

    @property
    def long_invoke_id(self) -> int:
        """Bits 0 to 23."""
        return self & 0xFFFFFF

    @property
    def self_descriptive(self) -> bool:
        """Bit 28: whether the answer repeats what was asked."""
        return bool(self >> 28 & 1)

    @property
    def break_on_error(self) -> bool:
        """Bit 29, processing-option: whether nothing is tried after the first failure."""
        return bool(self >> 29 & 1)

    @property
    def confirmed(self) -> bool:
        """Bit 30, service-class: whether an answer is wanted."""
        return bool(self >> 30 & 1)

    @property
    def high_priority(self) -> bool:
        """Bit 31, priority."""
        return bool(self >> 31 & 1)

    def __repr__(self) -> str:
        return f"LongInvokeIdAndPriority(0x{int(self):08X})"
