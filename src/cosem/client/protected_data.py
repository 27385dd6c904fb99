"""Attributes read, written and methods called under protection of the data itself (Blue Book, class_id 30).

::

    meter.protected_data.read([(3, "1-0:1.8.0", 2)])
    meter.protected_data.write(
        [(1, "0-0:96.1.0", 2)], [OctetString(b"...")], layers=[DataLayer(3, key=KeyUsed.SIGNING)]
    )
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from cosem.client.security_base import SecurityOfClient
from cosem.client.targets import name_of
from cosem.codec.data import decode_data, encode_data
from cosem.errors import ConfigurationError, KeyMissingError, ProtocolError, VerificationError
from cosem.security.data_protection import DataLayer
from cosem.security.policy import ProtectionKind
from cosem.security.status import KeyUsed
from cosem.store.protected_data import DataProtector, layers_from_data, layers_to_data
from cosem.types.data import Array, DataValue, Enum, Integer, LongUnsigned, OctetString, Structure

if TYPE_CHECKING:
    from cosem.client.aio.services import AsyncServices
    from cosem.client.base import ClientBase
    from cosem.client.blocking.services import BlockingServices
    from cosem.client.targets import Target

__all__ = ["DATA_PROTECTION", "AsyncProtectedData", "ProtectedAttribute", "ProtectedData"]

DATA_PROTECTION: Final = "0.0.43.2.0.255"
ProtectedAttribute: TypeAlias = "tuple[int, Target, int]"
"""Class, object and attribute."""
_CLASS: Final = 30
_GET, _SET = 1, 2
_AGREED: Final = (KeyUsed.ONE_PASS, KeyUsed.STATIC_UNIFIED)
_USUAL: Final = (DataLayer(),)


class _ProtectedData:
    def __init__(self, client: ClientBase, target: Target = DATA_PROTECTION) -> None:
        self._base = client
        self._target = target

    @property
    def _security(self) -> SecurityOfClient:
        security = self._base.security
        if not isinstance(security, SecurityOfClient):
            raise ConfigurationError("the association was made without keys: connect(security=...)")
        return security

    def _protector(self) -> DataProtector:
        return self._security.data_protector(secrets.token_bytes)

    def _request(self, items: Sequence[ProtectedAttribute], layers: Sequence[DataLayer]) -> Structure:
        if any(layer.key is KeyUsed.GLOBAL_BROADCAST for layer in layers):
            raise ConfigurationError("under the broadcast key any meter of the group could have answered")
        return Structure((_listed(items), layers_to_data(_addressed(layers, self._own()))))

    def _own(self) -> bytes:
        """Return the system title of the client, to which an answer is addressed."""
        return bytes(self._security.keys.client_title or self._base.parameters.calling_ap_title or b"")

    def _meter(self) -> bytes:
        """Return the system title of the meter, which no other meter's data may name."""
        security = self._base.security
        known = security.keys.server_title if isinstance(security, SecurityOfClient) else None
        title = known or self._base.negotiated.responding_ap_title
        if title is None:
            raise KeyMissingError("the system title of the meter is not known: Keys(server_title=...)")
        return bytes(title)

    def _values(
        self, answer: Any, items: Sequence[ProtectedAttribute], layers: Sequence[DataLayer]
    ) -> list[DataValue]:
        """Return the values in an answer, after the check that it is protected as was asked for."""
        if not isinstance(answer, tuple) or len(answer) != 2 or not isinstance(answer[1], bytes):
            raise ProtocolError("the meter answered get_protected_attributes with something else")
        given = layers_from_data(answer[0])
        if [(each.protection_type, _key(each)) for each in given] != [
            (each.protection_type, _key(each)) for each in layers
        ]:
            raise ProtocolError("the meter protected the data in another way than it was asked to")
        meter = self._meter()
        if any(each.header.originator != meter for each in given):
            raise VerificationError("the data is protected by another one than the meter")
        values = decode_data(self._protector().unprotect(bytes(answer[1]), given, meter))
        if not isinstance(values, Structure) or len(values) != len(items):
            raise ProtocolError(f"{len(items)} protected values were asked for, {values!r} came")
        return list(values)

    def _to_meter(self, layers: Sequence[DataLayer]) -> Sequence[DataLayer]:
        return _addressed(layers, self._meter()) if any(map(_wants_recipient, layers)) else layers

    def _writing(
        self, items: Sequence[ProtectedAttribute], values: Sequence[DataValue], layers: Sequence[DataLayer]
    ) -> Structure:
        if len(items) != len(values):
            raise ConfigurationError(f"{len(values)} values for {len(items)} attributes")
        octets, done = self._protector().protect(encode_data(Structure(values)), self._to_meter(layers))
        return Structure((_listed(items), layers_to_data(done), OctetString(octets)))


class ProtectedData(_ProtectedData):
    """Data protection through a blocking client."""

    def __init__(self, client: BlockingServices, target: Target = DATA_PROTECTION) -> None:
        super().__init__(client, target)
        self._client = client

    def read(
        self, items: Sequence[ProtectedAttribute], layers: Sequence[DataLayer] = _USUAL
    ) -> list[DataValue]:
        """Return the values of attributes, which come under protection.

        Args:
            items: Classes, objects and attributes.
            layers: The protection that is asked for; tag and encryption under the global unicast key by default.
                Where a key is agreed on and no recipient is named it is the client, and for :meth:`write` the meter.

        Raises:
            ActionError: The meter refused one of them, or the protection.
            SecurityError: What came is not genuine.
            ProtocolError: It is something else than was asked for.
        """
        answer = self._client.call(self._target, _GET, self._request(items, layers), class_id=_CLASS)
        return self._values(answer, items, layers)

    def write(
        self,
        items: Sequence[ProtectedAttribute],
        values: Sequence[DataValue],
        layers: Sequence[DataLayer] = _USUAL,
    ) -> None:
        """Write attributes with values that go under protection.

        Args:
            items: Classes, objects and attributes.
            values: Their values, Data.
            layers: As for :meth:`read`.

        Raises:
            ActionError: The meter refused.
        """
        self._client.call(self._target, _SET, self._writing(items, values, layers), class_id=_CLASS)


class AsyncProtectedData(_ProtectedData):
    """Data protection through an asynchronous client; see :class:`ProtectedData`."""

    def __init__(self, client: AsyncServices, target: Target = DATA_PROTECTION) -> None:
        super().__init__(client, target)
        self._client = client

    async def read(
        self, items: Sequence[ProtectedAttribute], layers: Sequence[DataLayer] = _USUAL
    ) -> list[DataValue]:
        """Return the values of attributes; see :meth:`ProtectedData.read`."""
        answer = await self._client.call(self._target, _GET, self._request(items, layers), class_id=_CLASS)
        return self._values(answer, items, layers)

    async def write(
        self,
        items: Sequence[ProtectedAttribute],
        values: Sequence[DataValue],
        layers: Sequence[DataLayer] = _USUAL,
    ) -> None:
        """Write attributes; see :meth:`ProtectedData.write`."""
        await self._client.call(self._target, _SET, self._writing(items, values, layers), class_id=_CLASS)


def _wants_recipient(layer: DataLayer) -> bool:
    """Return whether a layer agrees on a key, and does not say with whom."""
    return layer.key in _AGREED and not layer.header.recipient and layer.kinds is not ProtectionKind.SIGNED


def _addressed(layers: Sequence[DataLayer], recipient: bytes) -> tuple[DataLayer, ...]:
    """Return layers that say with whom a key is agreed on."""
    return tuple(
        replace(layer, header=replace(layer.header, recipient=recipient))
        if _wants_recipient(layer)
        else layer
        for layer in layers
    )


def _key(layer: DataLayer) -> KeyUsed:
    """Return the key of a layer; a signature has one kind alone, whatever else is said."""
    return KeyUsed.SIGNING if layer.kinds is ProtectionKind.SIGNED else layer.key


def _listed(items: Sequence[ProtectedAttribute]) -> Array:
    return Array(
        Structure(
            (LongUnsigned(class_id), OctetString(name_of(target)), Integer(number), LongUnsigned(0),
             Structure((Enum(0), None)))
        )
        for class_id, target, number in items
    )  # fmt: skip
