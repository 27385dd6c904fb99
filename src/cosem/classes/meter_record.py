"""A whole meter as a value: what a client took down of it, and what a simulated one is made of.

Nothing here reads, writes or behaves: the client's dump gives a
:class:`MeterRecord`, :mod:`cosem.translate.meter_file` writes one as a TOML file and
back, and :mod:`cosem.server.simulation` makes a meter of one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from cosem.classes.standard.access_rights import AccessMode
from cosem.types.data import DataValue
from cosem.types.enumerations import (
    ApplicationContext,
    AuthenticationMechanism,
    Conformance,
    DataAccessResult,
)
from cosem.types.logical_name import LogicalName

if TYPE_CHECKING:
    from cosem.classes.base import Attribute

__all__ = ["DEMONSTRATION_KEYS", "MeterRecord", "ObjectRights", "RecordedAssociation", "RecordedObject"]


@dataclass(frozen=True, slots=True)
class ObjectRights:
    """What one association may do with one object.

    Args:
        attributes: The mode of each attribute that the association lists, by number.
        methods: The mode of each method; ``READ`` means that it may be called.
    """

    attributes: Mapping[int, AccessMode] = field(default_factory=dict)
    methods: Mapping[int, AccessMode] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RecordedObject:
    """One object.

    Args:
        class_id: Its interface class.
        logical_name: Its name.
        version: The version of the class.
        values: Values of attributes by number.
        refusals: Why there is no value, by number of the attribute.
        rights: What clients may do with it by client address; ``None`` as a key is for all others. A client
            that is not named does not see the object; where nobody is named, all follow their own rule.
        selectors: Selective accesses by number of the attribute.
        base_name: Its short name.
        behaves: Whether it does what its class says, or only gives what is recorded; ``None`` as the meter says.
        sources: Quantities of the simulated premises that attributes follow, by name of the attribute.
        history: For a profile: seconds for which rows were captured before the meter was made.
        comment: What it is, in words.
    """

    class_id: int
    logical_name: LogicalName
    version: int = 0
    values: Mapping[int, DataValue] = field(default_factory=dict)
    refusals: Mapping[int, DataAccessResult] = field(default_factory=dict)
    rights: Mapping[int | None, ObjectRights] = field(default_factory=dict)
    selectors: Mapping[int, tuple[int, ...]] = field(default_factory=dict)
    base_name: int | None = None
    behaves: bool | None = None
    sources: Mapping[str, str] = field(default_factory=dict)
    history: float = 0.0
    comment: str = ""

    @property
    def key(self) -> tuple[int, LogicalName]:
        """Class and name: what the object is known by."""
        return self.class_id, self.logical_name

    def attribute(self, key: int | str) -> Attribute[Any] | None:
        """Return the declaration of an attribute, or ``None`` if the standard has none."""
        from cosem.classes.registry import class_of

        declared = class_of(self.class_id, self.version)
        return None if declared is None else declared.attribute(key)


DEMONSTRATION_KEYS: Final = "demo"
"""In place of keys: those of the demonstration meter, which everybody knows."""


@dataclass(frozen=True, slots=True)
class RecordedAssociation:
    """One association that the meter supports.

    Args:
        client: Address of the client.
        context: Logical or short names, with or without ciphering.
        mechanism: How the client proves who it is.
        conformance: The services; ``None`` for all that we have.
        max_pdu_size: Longest APDU that the meter takes and sends, octets; 0 for no limit.
        version: Version of the Association object; ``None`` for the usual one.
        rights: The rule of what is not said object by object: ``"read"``, ``"full"`` or ``"nothing"``.
        secret: Where the password or HLS secret is: a text, ``hex:``, ``@FILE`` or ``env:NAME``.
        keys: Where its keys are, by name, in the same forms; the name ``demo`` alone means the published keys of
            the demonstration meter.
        policy: Security policy of a ciphered association, as a number; ``None`` for the usual one.
        values: Values of the Association object, by number.
        own_rights: What the client may do with its own Association object; ``None`` follows the rule.
    """

    client: int = 16
    context: ApplicationContext = ApplicationContext.LN
    mechanism: AuthenticationMechanism = AuthenticationMechanism.LOWEST
    conformance: Conformance | None = None
    max_pdu_size: int = 0
    version: int | None = None
    rights: str = "read"
    secret: str | None = field(default=None, repr=False)
    keys: Mapping[str, str] = field(default_factory=dict, repr=False)
    policy: int | None = None
    values: Mapping[int, DataValue] = field(default_factory=dict)
    own_rights: ObjectRights | None = None


@dataclass(frozen=True, slots=True)
class MeterRecord:
    """One logical device.

    Args:
        name: Its COSEM logical device name.
        sap: Its address.
        objects: Its objects, in order; those of the associations listed here are left out.
        associations: The associations that it supports.
        behaves: Whether its objects do what their classes say, as far as they do not say otherwise themselves.
        time: The time at which it was recorded, or at which its clock begins; ``None`` for the present.
        seed: Which premises the quantities are those of.
        title: What it is, in words.
    """

    name: bytes
    sap: int = 1
    objects: tuple[RecordedObject, ...] = ()
    associations: tuple[RecordedAssociation, ...] = ()
    behaves: bool = True
    time: datetime | None = None
    seed: int = 1
    title: str = ""

    def __iter__(self) -> Iterator[RecordedObject]:
        return iter(self.objects)

    def find(self, logical_name: LogicalName | str, class_id: int | None = None) -> RecordedObject | None:
        """Return the object of a name, or ``None``."""
        wanted = LogicalName(logical_name)
        return next(
            (e for e in self.objects if e.logical_name == wanted and class_id in (None, e.class_id)), None
        )
