"""Whole meters in the command line: taken down by a client or read from a file, and shown as JSON."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from cosem.classes.meter_record import MeterRecord, RecordedObject
    from cosem.types.data import DataValue

__all__ = ["devices_of", "is_file", "record_facts", "taken_down"]


_SAP_ASSIGNMENT: Final = 17


def is_file(source: str) -> bool:
    """Return whether a meter is meant by its file, and not by its URL.

    >>> is_file("meter.toml"), is_file("tcp://10.0.0.7"), is_file("sim:meter.toml")
    (True, False, False)
    """
    return source.endswith(".toml") and "://" not in source and not source.startswith("sim:")


def devices_of(meter: MeterRecord) -> list[tuple[int, bytes]]:
    """Return addresses and names of the logical devices that a management logical device lists; none if it does not."""
    found = next((each for each in meter if each.class_id == _SAP_ASSIGNMENT), None)
    listed = None if found is None else found.values.get(2)
    devices: list[tuple[int, bytes]] = []
    for element in listed if isinstance(listed, tuple) else ():
        if isinstance(element, tuple) and len(element) == 2 and isinstance(element[0], int):
            name = element[1]
            devices.append((int(element[0]), bytes(name) if isinstance(name, bytes) else str(name).encode()))
    return devices


def taken_down(options: argparse.Namespace, source: str, *, buffers: bool) -> MeterRecord:
    """Return the meter at a URL, as the client of the options sees it, or that of a file.

    Raises:
        CosemError: The meter cannot be read, or the file describes none.
        OSError: The file cannot be read.
    """
    if is_file(source):
        from cosem.connecting.simulated import record_of

        return record_of(source)
    from cosem.cli.connection import connected
    from cosem.cli.progressing import Progressing

    options.url = source
    with connected(options) as meter, Progressing("attributes") as step:
        return meter.dump(buffers=buffers, step=step)


def record_facts(meter: MeterRecord) -> dict[str, Any]:
    """Return a meter as JSON can hold it; values with their types."""
    return {
        "name": meter.name.decode("latin-1"),
        "server": meter.sap,
        "time": None if meter.time is None else meter.time.isoformat(),
        "associations": [
            {
                "client": each.client,
                "context": each.context.name,
                "mechanism": each.mechanism.name,
                "services": [] if each.conformance is None else list(each.conformance.names()),
                "max_pdu_size": each.max_pdu_size,
            }
            for each in meter.associations
        ],
        "objects": [_object(each) for each in meter.objects],
    }


def _object(each: RecordedObject) -> dict[str, Any]:
    from cosem.translate.access_text import rights_to_text

    return {
        "obis": str(each.logical_name),
        "name": each.comment,
        "class_id": each.class_id,
        "version": each.version,
        "access": "; ".join(rights_to_text(rights) for rights in each.rights.values()),
        "attributes": {
            str(number): _attribute(each, number, value) for number, value in sorted(each.values.items())
        },
        "refused": {
            str(number): result.name.lower().replace("_", "-")
            for number, result in sorted(each.refusals.items())
        },
    }


def _attribute(owner: RecordedObject, number: int, value: DataValue) -> dict[str, Any]:
    from cosem.translate.data_json import data_to_json

    declared = owner.attribute(number)
    return {"name": "" if declared is None else declared.printed_name, "data": data_to_json(value)}
