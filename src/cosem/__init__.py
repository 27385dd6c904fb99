"""DLMS/COSEM (IEC 62056-5-3): read meters, simulate them, and decode what they send.

>>> import cosem
>>> cosem.decode(bytes.fromhex("C401C10006000A4BF3")).result
DoubleLongUnsigned(674803)

Every name below is loaded when it is first used: importing the package costs next to nothing.
"""

from __future__ import annotations

TYPE_CHECKING = False  # `typing` takes longer to load than all of this; type checkers know the name
if TYPE_CHECKING:  # what a type checker sees; at run time the table below finds them
    from typing import Any, Final

    from cosem import classes, errors, push, server, types
    from cosem.apdu import decode, encode
    from cosem.association.client.blocks import BlockSettings
    from cosem.association.short_names.table import ShortNameTable
    from cosem.classes import (
        AssociationLn,
        AssociationSn,
        Clock,
        Data,
        DemandRegister,
        DisconnectControl,
        ExtendedRegister,
        ImageTransfer,
        ProfileGeneric,
        PushSetup,
        Register,
        SapAssignment,
        ScriptTable,
        SecuritySetup,
    )
    from cosem.client.aio import AsyncClient
    from cosem.client.batch import Call, Read, Write
    from cosem.client.blocking import Client
    from cosem.client.profile_reading import ProfileReading
    from cosem.client.profile_table import ProfileTable
    from cosem.client.results import ObjectEntry, Reading, Result
    from cosem.client.security import (
        Ciphered,
        Ciphering,
        HighEcdsa,
        HighGmac,
        HighManufacturer,
        HighMd5,
        HighSha1,
        HighSha256,
        LowLevel,
    )
    from cosem.codec.data import decode_data, encode_data
    from cosem.connecting import connect, connect_async
    from cosem.connecting.programming import program
    from cosem.connecting.reading_out import read_out
    from cosem.errors import AccessError, ActionError, AssociationRefused, CosemError
    from cosem.security.keys import Keys
    from cosem.transport.observing import Observer
    from cosem.transport.timeouts import Timeouts
    from cosem.types.date_time import Date, DateTime, Time
    from cosem.types.enumerations import Conformance
    from cosem.types.logical_name import LogicalName
    from cosem.types.units import ScalerUnit, Unit

__version__ = "0.1.0"

__all__ = [
    "AccessError",
    "ActionError",
    "AssociationLn",
    "AssociationRefused",
    "AssociationSn",
    "AsyncClient",
    "BlockSettings",
    "Call",
    "Ciphered",
    "Ciphering",
    "Client",
    "Clock",
    "Conformance",
    "CosemError",
    "Data",
    "Date",
    "DateTime",
    "DemandRegister",
    "DisconnectControl",
    "ExtendedRegister",
    "HighEcdsa",
    "HighGmac",
    "HighManufacturer",
    "HighMd5",
    "HighSha1",
    "HighSha256",
    "ImageTransfer",
    "Keys",
    "LogicalName",
    "LowLevel",
    "ObjectEntry",
    "Observer",
    "ProfileGeneric",
    "ProfileReading",
    "ProfileTable",
    "PushSetup",
    "Read",
    "Reading",
    "Register",
    "Result",
    "SapAssignment",
    "ScalerUnit",
    "ScriptTable",
    "SecuritySetup",
    "ShortNameTable",
    "Time",
    "Timeouts",
    "Unit",
    "Write",
    "__version__",
    "classes",
    "connect",
    "connect_async",
    "decode",
    "decode_data",
    "encode",
    "encode_data",
    "errors",
    "program",
    "push",
    "read_out",
    "server",
    "types",
]

_PLACES: Final = {
    "apdu": "decode encode",
    "association.client.blocks": "BlockSettings",
    "association.short_names.table": "ShortNameTable",
    "client.aio": "AsyncClient",
    "client.batch": "Call Read Write",
    "client.blocking": "Client",
    "client.profile_reading": "ProfileReading",
    "client.profile_table": "ProfileTable",
    "client.security": "Ciphered Ciphering HighEcdsa HighGmac HighManufacturer HighMd5 HighSha1 HighSha256 LowLevel",
    "client.results": "ObjectEntry Reading Result",
    "codec.data": "decode_data encode_data",
    "connecting": "connect connect_async",
    "connecting.programming": "program",
    "connecting.reading_out": "read_out",
    "errors": "AccessError ActionError AssociationRefused CosemError",
    "security.keys": "Keys",
    "transport.observing": "Observer",
    "transport.timeouts": "Timeouts",
    "types.date_time": "Date DateTime Time",
    "types.enumerations": "Conformance",
    "types.logical_name": "LogicalName",
    "types.units": "ScalerUnit Unit",
    "classes": "AssociationLn AssociationSn Clock Data DemandRegister DisconnectControl ExtendedRegister"
    " ImageTransfer ProfileGeneric PushSetup Register SapAssignment ScriptTable SecuritySetup",
}
"""Where each name lives; packages of this name are themselves."""


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name in {"classes", "errors", "push", "server", "types"}:
        return import_module(f"{__name__}.{name}")
    for module, names in _PLACES.items():
        if name in names.split():
            value = getattr(import_module(f"{__name__}.{module}"), name)
            globals()[name] = value
            return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
