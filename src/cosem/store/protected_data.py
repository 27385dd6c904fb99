"""Protected data as both sides handle it: protection parameters as Data, keys and counters from where they are kept.

(Blue Book, class_id 30)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from cosem.apdu.ciphered import AgreedKey, IdentifiedKey, WrappedKey
from cosem.errors import ConfigurationError
from cosem.security.counters import CounterName
from cosem.security.data_protection import (
    DataLayer,
    PreparedData,
    counter_name_of_data,
    key_info_of,
    prepare_data,
    unprotect_data,
)
from cosem.security.freshness import LAST_TRANSACTION
from cosem.security.key_material import KeyRole
from cosem.security.status import GeneralHeader, KeyUsed
from cosem.store.message_counters import KeptMessageCounters
from cosem.types.data import Array, Enum, OctetString, Structure

if TYPE_CHECKING:
    from cosem.security.context import ReplayProtection
    from cosem.security.material import SecurityMaterial
    from cosem.store.counted_keys import CountedKeys

__all__ = ["DataProtector", "layers_from_data", "layers_to_data"]

_ROLES: Final = {
    KeyUsed.GLOBAL_UNICAST: KeyRole.GLOBAL_UNICAST_ENCRYPTION,
    KeyUsed.GLOBAL_BROADCAST: KeyRole.GLOBAL_BROADCAST_ENCRYPTION,
}
_KINDS: Final = {KeyUsed.GLOBAL_UNICAST: 0, KeyUsed.GLOBAL_BROADCAST: 1}


class DataProtector:
    """Protects and unprotects data with the keys of one meter.

    Args:
        counted: The keys with their counters.
        material: The same keys, ready to use.
        random: Returns octets that nobody can guess.
    """

    def __init__(
        self, counted: CountedKeys, material: SecurityMaterial, random: Callable[[int], bytes]
    ) -> None:
        self._counted = counted
        self._material = material
        self._random = random

    def protect(self, octets: bytes, layers: Sequence[DataLayer]) -> tuple[bytes, tuple[DataLayer, ...]]:
        """Return protected data and its layers; see :func:`cosem.security.data_protection.protect_data`."""
        prepared = self.prepare(layers)
        return prepared.protect(octets), prepared.layers

    def prepare(self, layers: Sequence[DataLayer]) -> PreparedData:
        """Return what protects data that is still to come; see :func:`cosem.security.data_protection.prepare_data`."""
        counted, keys = self._counted, self._counted.keys
        unicast, broadcast = KeyRole.GLOBAL_UNICAST_ENCRYPTION, KeyRole.GLOBAL_BROADCAST_ENCRYPTION
        return prepare_data(
            layers,
            self._material,
            counted.title,
            None if keys.encryption is None else counted.counter(unicast),
            self._random,
            None if keys.broadcast is None else counted.counter(broadcast),
            KeptMessageCounters(counted).counter(),
        )

    def unprotect(self, octets: bytes, layers: Sequence[DataLayer], peer: bytes | None = None) -> bytes:
        """Return the data; see :func:`cosem.security.data_protection.unprotect_data`."""
        received = _Received(self._counted, self._material)
        return unprotect_data(octets, layers, self._material, self._counted.title, received, peer)


class _Received:
    """What was received of whom, by the long-lived key behind: no change of another key makes it acceptable again."""

    def __init__(self, counted: CountedKeys, material: SecurityMaterial) -> None:
        self._counted = counted
        self._material = material
        self._kept = KeptMessageCounters(counted)

    def guard(self, key: KeyUsed, title: bytes) -> ReplayProtection:
        """Return the replay protection of an originator."""
        counted, salt = self._counted, self._counted.store.salt
        role = _ROLES.get(key)
        if role is not None:
            name = CounterName.of(counted.keys.required(role), title, salt)
            return counted.guard_named(counter_name_of_data(name))
        if key is KeyUsed.WRAPPED:
            behind = counted.keys.required(KeyRole.MASTER).fingerprint(salt)
        elif key is KeyUsed.ONE_PASS:
            behind = self._material.signing_keys.get(title, b"")
        else:
            behind = self._material.agreement_keys.get(title, b"")
        return self._kept.guard(b"data " + key.name.encode("ascii") + b" " + behind, title)

    def take_transaction(self, title: bytes, number: int) -> bool:
        """Take note of the transaction-id of a signature; those with the topmost bit are another series."""
        series, place = number >> 63, number & (LAST_TRANSACTION + 1)
        family = b"data SIGNING " + self._material.signing_keys.get(title, b"") + bytes((series,))
        return place <= LAST_TRANSACTION and self._kept.take_transaction(family, title, place)


def layers_to_data(layers: Sequence[DataLayer]) -> Array:
    """Return layers as protection parameters."""
    return Array(_to_data(layer) for layer in layers)


def _to_data(layer: DataLayer) -> Structure:
    header, info = layer.header, layer.key_info
    told: Any
    if isinstance(info, WrappedKey):
        told = Enum(1), Structure((Enum(info.kek_id), OctetString(info.key_ciphered_data)))
    elif isinstance(info, AgreedKey):
        told = Enum(2), Structure((OctetString(info.key_parameters), OctetString(info.key_ciphered_data)))
    elif layer.key is KeyUsed.WRAPPED:
        told = Enum(1), Structure((Enum(0), OctetString(b"")))
    elif layer.key in (KeyUsed.ONE_PASS, KeyUsed.STATIC_UNIFIED):
        scheme = b"\x01" if layer.key is KeyUsed.ONE_PASS else b"\x02"
        told = Enum(2), Structure((OctetString(scheme), OctetString(b"")))
    else:
        told = Enum(0), Enum(info.key_id if isinstance(info, IdentifiedKey) else _KINDS.get(layer.key, 0))
    fields = (header.transaction_id, header.originator, header.recipient, header.other_information)
    options = Structure((*map(OctetString, fields), Structure(told)))
    return Structure((Enum(layer.protection_type), options))


def layers_from_data(parameters: Any) -> tuple[DataLayer, ...]:
    """Return protection parameters as layers.

    Raises:
        ConfigurationError: They are built in another way.
    """
    try:
        return tuple(_from_data(*each) for each in parameters)
    except (TypeError, ValueError, KeyError) as error:
        if isinstance(error, ConfigurationError):
            raise
        raise ConfigurationError("protection parameters of another structure are wanted") from None


def _from_data(protection_type: Any, options: Any) -> DataLayer:
    transaction, originator, recipient, other, (key_type, key_options) = options
    fields = [bytes(each) for each in (transaction, originator, recipient, other) if isinstance(each, bytes)]
    if len(fields) < 4:
        raise ConfigurationError("a header of four octet-strings is wanted")
    header = GeneralHeader(fields[0], fields[1], fields[2], b"", fields[3])
    if protection_type == 3:
        return DataLayer(3, header, KeyUsed.SIGNING)
    key, info = key_info_of(int(key_type), key_options)
    return DataLayer(int(protection_type), header, key, info)
