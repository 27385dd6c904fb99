"""What a profile table can be turned into: dictionaries, CSV, numpy, Arrow, pandas, polars, files."""

from __future__ import annotations

import csv
import io
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TextIO, overload

from cosem.client.profile_types import DELTAS
from cosem.types.text import spreadsheet_text

if TYPE_CHECKING:
    from cosem.client.profile_layout import Column
    from cosem.client.profile_table import ProfileTable

__all__ = ["ProfileOutputs", "cell_text"]


class ProfileOutputs:
    """The outputs of a :class:`~cosem.client.profile_table.ProfileTable`."""

    if TYPE_CHECKING:

        @property
        def columns(self) -> tuple[Column, ...]:
            """What each value of a row is."""

        @property
        def keys(self) -> tuple[str, ...]:
            """What the columns are called."""

        @property
        def rows(self) -> list[tuple[Any, ...]]:
            """All rows, as tuples."""

    def to_dicts(self) -> list[dict[str, Any]]:
        """Return each row as a dictionary by the keys of the columns."""
        keys = self.keys
        return [dict(zip(keys, row, strict=True)) for row in self.rows]

    @overload
    def to_csv(self, file: None = None) -> str: ...
    @overload
    def to_csv(self, file: str | Path | TextIO) -> None: ...
    def to_csv(self, file: str | Path | TextIO | None = None) -> str | None:
        """Write the table as CSV: a line of keys with units, then the rows; date-times as ISO 8601.

        Texts that a spreadsheet would take for a formula get an apostrophe in front; control characters
        are written as escapes, so that no terminal obeys them.

        Args:
            file: Where to; ``None`` returns the text.
        """
        if file is None:
            text = io.StringIO()
            self._write_csv(text)
            return text.getvalue()
        if isinstance(file, (str, Path)):
            with Path(file).open("w", encoding="utf-8", newline="") as opened:
                self._write_csv(opened)
            return None
        self._write_csv(file)
        return None

    def _write_csv(self, file: TextIO) -> None:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(
            f"{column.key} [{column.unit}]" if column.unit else column.key for column in self.columns
        )
        writer.writerows(map(_csv_row, self.rows))

    def _self(self) -> ProfileTable:
        return self  # type: ignore[return-value]

    def to_numpy(self, *, scaled: bool = True) -> dict[str, Any]:
        """Return the columns as numpy arrays, by key.

        Moments are ``datetime64[us]`` in UTC (local time where the meter does not say its zone), NaT
        where there is none. Numbers with a scaler are ``float64``, the nearest to the exact value; whatever
        has gaps is ``float64`` with NaN, or masked; texts and the rest are objects.

        Args:
            scaled: Whether scalers are applied; otherwise numbers are those of the meter, exact, in the type that it
                sent, and a masked array where some are missing: ``column.scaler_unit.scaler`` has the exponent of ten.

        Raises:
            UnsupportedError: numpy is not installed.
        """
        from cosem.client.profile_columns import numpy_columns

        return numpy_columns(self._self(), scaled=scaled)

    def __arrow_c_stream__(self, requested_schema: object = None) -> Any:
        """Give the columns to whoever speaks the Arrow PyCapsule interface: ``polars.DataFrame(table)``."""
        from cosem.client.profile_export import stream

        del requested_schema  # a wish that a producer may leave unheard
        return stream(self._self())

    def __arrow_c_schema__(self) -> Any:
        """Give the names and types of the columns to whoever speaks the Arrow PyCapsule interface."""
        from cosem.client.profile_export import schema

        return schema(self._self())

    def to_arrow(self) -> Any:
        """Return a ``pyarrow.Table``: numbers with a scaler are exact decimals, moments in UTC.

        What else is known stands in its metadata: units, scalers, names, gaps.

        Raises:
            UnsupportedError: pyarrow is not installed.
        """
        from cosem.client.profile_export import to_arrow

        return to_arrow(self._self())

    def to_pandas(self) -> Any:
        """Return a ``pandas.DataFrame``; numbers with a scaler are ``float64``, units stand in its ``attrs``.

        Raises:
            UnsupportedError: pandas is not installed.
        """
        from cosem.client.profile_export import to_pandas

        return to_pandas(self._self())

    def to_polars(self) -> Any:
        """Return a ``polars.DataFrame``; numbers with a scaler are exact decimals.

        Raises:
            UnsupportedError: polars is not installed.
        """
        from cosem.client.profile_export import to_polars

        return to_polars(self._self())

    def to_parquet(self, file: str | Path | BinaryIO) -> None:
        """Write the table as Parquet, with units and all that is known in the metadata.

        Args:
            file: Where to: a path, or a file that is open for writing octets.

        Raises:
            UnsupportedError: Neither pyarrow nor polars is installed.
        """
        from cosem.client.profile_export import write_file

        write_file(self._self(), file, "parquet")

    def to_arrow_file(self, file: str | Path | BinaryIO) -> None:
        """Write the table as an Arrow file (IPC, also known as Feather), with its metadata.

        Args:
            file: Where to: a path, or a file that is open for writing octets.

        Raises:
            UnsupportedError: Neither pyarrow nor polars is installed.
        """
        from cosem.client.profile_export import write_file

        write_file(self._self(), file, "arrow")


def _csv_row(row: tuple[Any, ...]) -> list[Any]:
    return [_csv_cell(value) for value in row]


def _csv_cell(value: Any) -> Any:
    return spreadsheet_text(value) if isinstance(value, str) else cell_text(value)


def cell_text(value: Any) -> Any:
    """Return a value as files of text have it: date-times as ISO 8601, octets in hexadecimal, deltas as such."""
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, bytes):
        return value.hex().upper()
    if type(value) in DELTAS:
        return f"delta {int(value):+d}"
    return value
