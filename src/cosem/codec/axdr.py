"""Lengths and counts of A-XDR (IEC 61334-6), as every variable-length item of xDLMS has them."""

from __future__ import annotations

from cosem.errors import EncodeError

__all__ = ["encode_length", "encoded_length_size"]

_SHORT = tuple(bytes((value,)) for value in range(0x80))


def encode_length(value: int) -> bytes:
    """Return a length or count in its shortest form.

    Raises:
        EncodeError: It is negative or does not fit in four octets.

    >>> [encode_length(value).hex() for value in (5, 127, 128, 256, 65536)]
    ['05', '7f', '8180', '820100', '83010000']
    """
    if 0 <= value < 0x80:
        return _SHORT[value]
    size = (value.bit_length() + 7) // 8
    if value < 0 or size > 4:
        raise EncodeError(f"length {value} is outside 0..4294967295")
    return bytes((0x80 | size,)) + value.to_bytes(size, "big")


def encoded_length_size(value: int) -> int:
    """Return how many octets :func:`encode_length` gives: 1 up to 127, then one more than the value needs."""
    return 1 if value < 0x80 else 1 + (value.bit_length() + 7) // 8
