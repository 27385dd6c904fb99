"""Data sets of IEC 62056-21 as rows and as JSON, and what records the text that brings them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from cosem.transport.observing import Observer
from cosem.types.text import printable

if TYPE_CHECKING:
    from cosem.link.iec62056_21 import DataSet
    from cosem.transport.recording import Recorder

__all__ = ["AsText", "facts_of", "rows_of"]


class AsText(Observer):
    """Records text without secrets, of which no part is a frame."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    def octets_sent(self, octets: bytes) -> None:
        """Record what goes to the meter."""
        self._recorder.text(octets, sent=True)

    def octets_received(self, octets: bytes) -> None:
        """Record what came from the meter."""
        self._recorder.text(octets, sent=False)


def rows_of(data_sets: Iterable[DataSet]) -> list[tuple[str, str, str]]:
    """Return a row for each value: address, text and unit."""
    return [
        (printable(each.address), printable(value.text), printable(value.unit))
        for each in data_sets
        for value in each.values
    ]


def facts_of(each: DataSet) -> dict[str, Any]:
    """Return a data set for JSON."""
    name = each.logical_name
    return {
        "address": each.address,
        "obis": None if name is None else str(name),
        "values": [{"text": value.text, "value": value.number, "unit": value.unit} for value in each.values],
    }
