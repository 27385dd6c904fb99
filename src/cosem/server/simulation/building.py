"""Simulated meters: logical devices made of a :class:`~cosem.classes.meter_record.MeterRecord`.

>>> from cosem.classes.meter_record import (
...     DEMONSTRATION_KEYS,
...     MeterRecord,
...     RecordedAssociation,
...     RecordedObject,
... )
>>> from cosem.types.data import DoubleLongUnsigned
>>> from cosem.types.logical_name import LogicalName
>>> energy = RecordedObject(3, LogicalName("1-0:1.8.0"), values={2: DoubleLongUnsigned(5)})
>>> meter = simulated_meter(MeterRecord(b"ABC{serial}", objects=(energy,)), seed=7)
>>> meter.name, meter["1-0:1.8.0"].get(2)
(b'ABC10000007', DoubleLongUnsigned(5))
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from cosem.classes.meter_record import (
    DEMONSTRATION_KEYS,
    MeterRecord,
    ObjectRights,
    RecordedAssociation,
    RecordedObject,
)
from cosem.classes.standard.disconnect_control import ControlState
from cosem.errors import ConfigurationError, CosemError
from cosem.server.access_rights import AccessRights
from cosem.server.device_time import utc_now
from cosem.server.logical_device import LogicalDevice
from cosem.server.objects.base import CosemObject
from cosem.server.objects.making import make_object
from cosem.server.objects.register_activation import RegisterActivationObject
from cosem.server.simulation.association_keys import ciphers, recorded_keys, recorded_secret
from cosem.server.simulation.checking import refuse_missing, refuse_no_moment, refuse_time
from cosem.server.simulation.counting import Counter, count_in, grows, number_of, rounded, scaler_of
from cosem.server.simulation.past import Past
from cosem.server.simulation.premises import IDENTITIES, Premises, Quantity
from cosem.server.simulation.recorded import recorded_object
from cosem.types.data import DataValue, DoubleLongUnsigned, OctetString, Structure
from cosem.types.enumerations import ActionResult, AuthenticationMechanism, DataAccessResult
from cosem.types.logical_name import LogicalName

if TYPE_CHECKING:
    from cosem.security.counters import CounterStore
    from cosem.server.held_security import HeldSecurity

__all__ = ["Hold", "SimulatedMeter", "simulated_meter"]

_RULES: Final[dict[str, Callable[[], AccessRights]]] = {
    "read": AccessRights.read_only,
    "full": AccessRights.full,
    "nothing": AccessRights.nothing,
}
_DEMAND, _PROFILE, _MBUS_CLIENT = 5, 7, 72
_REGISTERS: Final = frozenset({3, 4})
_VALUE: Final = 2
_RESET: Final = 1
_MONITORS: Final = frozenset({21, 71})
"""Register monitor and Limiter."""
_LOOK_EVERY: Final = 60
"""Seconds after which they look at what follows the premises: of that nobody tells them."""
_TOTAL: Final = "total"
"""The source of a demand register: the energy whose growth is the demand."""
_KEPT: Final = {15: frozenset({9, 10}), 12: frozenset({4, 5})}
"""Attributes of Association objects that are values; the others come from the association."""
_COUNTER: Final = "invocation-counter"
"""The source of what shows which counter the ciphered association has seen."""
_SECURITY_SETUP: Final = 64
_SWITCH, _CONTROL_STATE, _MAIN_SWITCH = 70, 3, bytes((96, 3, 10))
"""Disconnect control, its state, and the name of the one behind which the premises are: not that of a valve of a slave."""
Hold: TypeAlias = "Callable[..., HeldSecurity]"
"""Makes the security of the association that ciphers, out of titles and secret, and the options of HeldSecurity."""


class SimulatedMeter(LogicalDevice):
    """A logical device made of a record.

    Attributes:
        premises: What it measures.
        record: What it was made of.
    """

    def __init__(
        self,
        record: MeterRecord,
        premises: Premises,
        clock: Callable[[], datetime],
        *,
        sap: int | None = None,
        environment: Mapping[str, str],
        counters: CounterStore | None,
        hold: Hold | None = None,
    ) -> None:
        self.premises = premises
        self.record = record
        name = record.name.replace(b"{serial}", premises.serial.encode())
        base_names = {e.logical_name: e.base_name for e in record.objects if e.base_name is not None}
        self._held: HeldSecurity | None = None
        self._sources: dict[tuple[int, bytes, int], Quantity] = {}
        self._counters: list[Counter] = []
        super().__init__(
            name,
            sap=record.sap if sap is None else sap,
            base_names=base_names,  # type: ignore[arg-type] # LogicalName is one of the keys that it takes
            objects=[self._object(each, name) for each in record.objects],
            clock=clock,
        )
        for each in record.objects:
            if each.class_id == _SWITCH and each.logical_name[2:5] == _MAIN_SWITCH and self._behaves(each):
                recorded = self[each.logical_name].stored(_CONTROL_STATE)
                self._switched(ControlState(recorded))  # type: ignore[arg-type] # an enum, by its declaration
        self._past = Past(self, self._sources, self.now())
        self._activations = [each for each in self if isinstance(each, RegisterActivationObject)]
        for activation in self._activations:
            activation.listeners.append(self._settle)
        self._settle()
        for each in record.objects:
            if each.class_id == _MBUS_CLIENT and each.sources:
                self._past.captured_before(each.logical_name)
            if each.class_id == _PROFILE and self._behaves(each):
                refuse_missing(each, self.find)
        self._hold = hold
        if hold is not None and sum(map(ciphers, record.associations)) != 1:
            raise ConfigurationError(
                "keys from outside are for the one association that ciphers, and there is not one"
            )
        for association in record.associations:
            self._associate(association, environment, counters)
        if hold is not None:
            self._bring_to_life()

    def _bring_to_life(self) -> None:
        """Let clients change keys and policy through the Security setup objects; what was recorded only shows."""
        from cosem.server.objects.security_setup import security_setup_object

        held = self._held
        for each in self.record.objects:
            if held is not None and each.class_id == _SECURITY_SETUP:
                self.remove(each.logical_name)
                self.add(security_setup_object(held, each.logical_name))

    # --- objects --------------------------------------------------------------------------------------------

    def _behaves(self, record: RecordedObject) -> bool:
        return self.record.behaves if record.behaves is None else record.behaves

    def _object(self, record: RecordedObject, name: bytes) -> CosemObject:
        try:
            made = self._behaving(record) if self._behaves(record) else recorded_object(record)
            for attribute, source in record.sources.items():
                if attribute != _TOTAL and record.class_id != _MBUS_CLIENT:
                    self._follow(made, record, attribute, source, name)
        except CosemError as error:
            raise ConfigurationError(f"{record.logical_name}: {error}") from None
        return made

    def _behaving(self, record: RecordedObject) -> CosemObject:
        facts: dict[str, Any] = {}
        for number, value in record.values.items():
            attribute = record.attribute(number)
            if attribute is None:
                raise ConfigurationError(f"class {record.class_id} has no attribute {number}")
            facts[attribute.name] = value
            refuse_no_moment(attribute, value)
        facts.pop("logical_name", None)
        if record.class_id == _DEMAND and (source := record.sources.get(_TOTAL)) is not None:
            quantity = self.premises.quantity(source)
            # Energies are in watt-hours, and the register averages what it is given over seconds.
            scale = 3600 * 10.0 ** -scaler_of(record)
            facts["total"] = lambda: quantity(self.measuring()) * scale
        if record.class_id == _MBUS_CLIENT and record.sources:
            facts["read"] = self._slave(record)
        if record.class_id in _MONITORS and any(each.sources for each in self.record.objects):
            facts["look_every"] = _LOOK_EVERY
        if record.class_id == _SWITCH and record.logical_name[2:5] == _MAIN_SWITCH:
            facts["on_change"] = self._switched
        if record.class_id == _PROFILE:
            for computed in ("buffer", "entries_in_use"):
                facts.pop(computed, None)
            rows = record.values.get(2)
            if record.history:
                facts["history"] = partial(self._rows_before, record)
            elif isinstance(rows, tuple):
                facts["history"] = lambda: rows
        return make_object(record.class_id, record.logical_name, version=record.version, **facts)

    def _switched(self, state: ControlState) -> None:
        """Cut the premises off, or let it flow again."""
        house = self.premises.house
        (house.restore if state is ControlState.CONNECTED else house.cut)(self.measuring())

    def _rows_before(self, record: RecordedObject) -> Iterator[Structure]:
        return self._past.rows(record)

    def _slave(self, record: RecordedObject) -> Callable[[int], DataValue]:
        """Return what reads the values of an M-Bus slave; they show in the objects of its channel as well."""
        values: dict[int, Quantity] = {}
        for key, source in record.sources.items():
            name = bytes((0, record.logical_name[1], 24, 2, int(key) if key.isdigit() else 0, 255))
            kept = self.record.find(LogicalName(name))
            if kept is None:
                raise ConfigurationError(f"source {key!r}: there is no object 0-b:24.2.{key} to keep it in")
            kind: Any = type(kept.values.get(2, DoubleLongUnsigned(0)))
            number = rounded(self.premises.quantity(source), source, kind, scaler_of(kept))
            values[int(key)] = self._sources[kept.class_id, name, 2] = number
        return lambda element: values[element](self.measuring()) if element in values else None  # type: ignore[return-value] # numbers with their types

    def _follow(
        self, made: CosemObject, record: RecordedObject, attribute: str, source: str, name: bytes
    ) -> None:
        """Let an attribute follow the premises."""
        found = made.attribute(attribute)
        if found is None:
            raise ConfigurationError(f"class {record.class_id} has no attribute {attribute!r}")
        if source in IDENTITIES:
            text = name if source == "device-name" else self.premises.serial.encode()
            made.put(found.number, OctetString(text))
            return
        if source == _COUNTER:
            recorded = record.values.get(found.number)
            before = int(recorded) if isinstance(recorded, int) else 0
            made.getter(found.number)(lambda: self._last_counter(before))
            made.setter(found.number)(lambda _: DataAccessResult.OTHER_REASON)
            return
        kind: Any = type(record.values.get(found.number, DoubleLongUnsigned(0)))
        number = rounded(self.premises.quantity(source), source, kind, scaler_of(record))
        self._sources[record.class_id, bytes(record.logical_name), found.number] = number
        if found.number == _VALUE and record.class_id in _REGISTERS and grows(source):
            count = Counter(made, self.premises.quantity(source), self._whole(source), self.measuring)
            self._counters.append(count)
            count_in(made, count, number_of(source, kind, scaler_of(record)), scaler_of(record))
            return
        made.getter(found.number)(lambda: number(self.measuring()))
        made.setter(found.number)(lambda _: DataAccessResult.OTHER_REASON)  # it would not stay
        if found.number == _VALUE and record.class_id in _REGISTERS:
            made.handler(_RESET)(lambda: ActionResult.OTHER_REASON)

    def _whole(self, source: str) -> Quantity:
        """Return what a quantity is a tariff of, or else that quantity."""
        kind, _, tariff = source.rpartition("-")
        return self.premises.quantity(kind if tariff.isdigit() else source)

    def _settle(self) -> None:
        """Let registers count, or stand still, as their masks say."""
        for each in self._counters:
            each.settle(self._activations)

    def _last_counter(self, before: int) -> DoubleLongUnsigned:
        """Return the last invocation counter that was taken from a client; at first the one that was recorded."""
        return DoubleLongUnsigned(max(before, 0 if self._held is None else self._held.last_counter_of()))

    # --- associations ---------------------------------------------------------------------------------------

    def _associate(
        self, record: RecordedAssociation, environment: Mapping[str, str], counters: CounterStore | None
    ) -> None:
        rights = _RULES[record.rights]()
        for each in self.record.objects:
            if each.rights:
                found = each.rights.get(record.client, each.rights.get(None))
                if found is None:
                    rights.hide(each.logical_name)
                else:
                    _allow(rights, each.logical_name, found)
        facts: dict[str, Any] = {
            "max_receive_pdu_size": record.max_pdu_size or 0xFFFF,
            "max_send_pdu_size": record.max_pdu_size,
        }
        if record.conformance is not None:
            facts["conformance"] = record.conformance
        secret = None if record.secret is None else recorded_secret(record.secret, environment, record.client)
        try:
            entry = self._entry(record, rights, secret, facts, environment, counters)
        except CosemError as error:
            raise ConfigurationError(f"the association of client {record.client}: {error}") from None
        shown = entry.association_object
        if record.own_rights is not None:
            _allow(rights, shown.name, record.own_rights)
        kept = _KEPT.get(shown.class_id, frozenset())
        for number, value in record.values.items():
            if number in kept and shown.attribute(number) is not None:
                shown.put(number, value)

    def _entry(
        self,
        record: RecordedAssociation,
        rights: AccessRights,
        secret: bytes | None,
        facts: dict[str, Any],
        environment: Mapping[str, str],
        counters: CounterStore | None,
    ) -> Any:
        mechanism, context = record.mechanism, record.context
        if mechanism <= AuthenticationMechanism.LLS and not context.ciphered:
            return self.add_association(
                record.client,
                rights,
                secret=secret,
                version=record.version,
                short_names=context.short_names,
                **facts,
            )
        from cosem.security.policy import SecurityPolicyV1
        from cosem.server.held_security import HeldSecurity
        from cosem.server.security import secured_profile

        hold = self._hold if ciphers(record) else None
        published = DEMONSTRATION_KEYS in record.keys and hold is None
        keys = recorded_keys(record, self.premises.serial, environment, titles_only=hold is not None)
        if published:
            from cosem.security.counters import VolatileCounterStore

            counters = counters or VolatileCounterStore()  # what everybody can forge is worth no file
        if secret is not None:
            keys["password" if mechanism is AuthenticationMechanism.LLS else "hls_secret"] = secret
        held: HeldSecurity | dict[str, Any] = keys
        if ciphers(record):
            security: dict[str, Any] = {"counters": counters, "allow_test_keys": published}
            if record.policy is not None:
                security["policy"] = SecurityPolicyV1(record.policy)
            held = self._held = (HeldSecurity if hold is None else hold)(keys, **security)
        profile = secured_profile(
            mechanism,
            held,
            client_sap=record.client,
            ciphered=context.ciphered,
            short_names=context.short_names,
            allow_test_keys=published,
            **facts,
        )
        return self.add_association(profile, rights, secret=secret, version=record.version)


def _allow(rights: AccessRights, name: LogicalName, listed: ObjectRights) -> None:
    for number, mode in listed.attributes.items():
        rights.allow(name, number, mode)
    for number, mode in listed.methods.items():
        rights.allow_method(name, number, mode)


def simulated_meter(
    record: MeterRecord,
    *,
    clock: Callable[[], datetime] | None = None,
    seed: int | None = None,
    sap: int | None = None,
    environment: Mapping[str, str] | None = None,
    counters: CounterStore | None = None,
    hold: Hold | None = None,
) -> SimulatedMeter:
    """Return the meter that a record describes.

    Args:
        record: The meter; ``{serial}`` in its name becomes its serial number.
        clock: Returns the present time. By default a meter that behaves goes on from the time of its record,
            or from now, and one that only gives what is recorded stands still at that time.
        seed: Which premises it measures; by default as the record says.
        sap: Its address; by default as the record says.
        environment: Where secrets given as ``env:NAME`` are; by default the environment of the process.
        counters: Where the counters of ciphered associations are kept; by default a file of the user.
        hold: Makes the security of the one association that ciphers, in place of that of the keys in the record; its
            Security setup objects then do what clients ask of them.

    Raises:
        ConfigurationError: It describes no meter: says what is wrong.
        OSError: A file with a secret cannot be read.
    """
    return SimulatedMeter(
        record,
        Premises(record.seed if seed is None else seed),
        clock or _clock_of(record),
        sap=sap,
        environment=os.environ if environment is None else environment,
        counters=counters,
        hold=hold,
    )


def _clock_of(record: MeterRecord) -> Callable[[], datetime]:
    time = record.time
    if time is None:
        return utc_now
    if not record.behaves:
        return lambda: time
    refuse_time(time)
    ahead = time - utc_now()
    return lambda: utc_now() + ahead
