"""The demonstration meter: a household's electricity meter with everything that examples need.

It has four clients:

==============  ======  ==================================  =====================
client          address authentication                      may
==============  ======  ==================================  =====================
public          16      none                                read
reading         17      password ``12345678``               read
management      1       password ``87654321``               read, write and call
head-end        2       HLS-GMAC, authenticated encryption  the same, and change keys
==============  ======  ==================================  =====================

Each may refer to the objects by logical names or by short names.
The passwords are for demonstration, and printed here for everybody; so are the keys of the
fourth, in :mod:`cosem.security.demonstration`.

Its energies grow as the clock does, its load profile goes back five weeks, and
its longest APDU has 1,024 octets, so that a day of load profile takes blocks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from cosem.association.client.parameters import ALL_SERVICES_LN, ALL_SERVICES_SN
from cosem.association.server.indications import AuthenticationFailed
from cosem.classes.standard.disconnect_control import ControlState
from cosem.security.counters import VolatileCounterStore
from cosem.security.demonstration import DEMONSTRATION_CLIENT, demonstration_keys
from cosem.server.access_rights import AccessMode, AccessRights
from cosem.server.demonstration_objects import EventClock, MaximumDemand, quarter_of
from cosem.server.device_time import utc_now
from cosem.server.held_security import HeldSecurity
from cosem.server.load_curve import Household
from cosem.server.logical_device import LogicalDevice
from cosem.server.objects.clock import LAST_SUNDAY_OF_MARCH, LAST_SUNDAY_OF_OCTOBER
from cosem.server.objects.data import DataObject, RegisterObject
from cosem.server.objects.demand_register import DemandRegisterObject
from cosem.server.objects.disconnect_control import DisconnectControlObject
from cosem.server.objects.image_transfer import ImageTransferObject
from cosem.server.objects.invocation_counter import InvocationCounterObject
from cosem.server.objects.profile_generic import ProfileGenericObject
from cosem.server.objects.sap_assignment import SapAssignmentObject
from cosem.server.objects.schedules import SingleActionScheduleObject
from cosem.server.objects.script_table import ScriptTableObject
from cosem.server.objects.security_setup import security_setup_object
from cosem.server.security import secured_profile
from cosem.types.data import (
    ABSENT,
    DataValue,
    DoubleLong,
    DoubleLongUnsigned,
    Integer,
    LongUnsigned,
    OctetString,
    Structure,
    Unsigned,
)
from cosem.types.date_time import Date, Time
from cosem.types.enumerations import AuthenticationMechanism

if TYPE_CHECKING:
    from cosem.security.counters import CounterStore

__all__ = ["MANAGEMENT_PASSWORD", "READING_PASSWORD", "DemonstrationMeter", "demonstration_meter"]

READING_PASSWORD: Final = b"12345678"
"""The password of the reading client, address 17."""
MANAGEMENT_PASSWORD: Final = b"87654321"
"""The password of the management client, address 1."""

_QUARTER: Final = timedelta(minutes=15)
_WEEKS: Final = timedelta(weeks=5)
_DAYS: Final = 400
_MONTHS: Final = 13
_LONGEST_APDU: Final = 1024
_WH, _VARH, _W, _V, _A, _HZ, _NO_UNIT = 30, 32, 27, 35, 33, 44, 255
_IDENTITY: Final = ("0.0.42.0.0.255", "0.0.96.1.0.255", "1.0.0.0.0.255", "1.0.0.2.0.255", "0.0.96.11.0.255")

_POWER_UP, _CLOCK_SET, _WRONG_PASSWORD, _DISCONNECTED, _RECONNECTED, _READY = 2, 5, 43, 59, 60, 61
"""Codes of the event log; they are this meter's own."""


class DemonstrationMeter(LogicalDevice):
    """The logical device of the demonstration meter; make it with :func:`demonstration_meter`.

    Attributes:
        household: What goes through it.
        security: The keys and the policy of client 2.
    """

    def __init__(
        self,
        serial: str,
        clock: Callable[[], datetime],
        seed: int,
        security: HeldSecurity | None = None,
        counters: CounterStore | None = None,
    ) -> None:
        super().__init__(f"COS1E{serial}", clock=clock)
        self.household = Household(seed)
        self.security = security or HeldSecurity(
            demonstration_keys(int(serial)), counters=counters or VolatileCounterStore(), allow_test_keys=True
        )
        self.clock_object = EventClock(
            lambda: self.log_event(_CLOCK_SET),
            time_zone=-60,
            daylight_savings_begin=LAST_SUNDAY_OF_MARCH,
            daylight_savings_end=LAST_SUNDAY_OF_OCTOBER,
            daylight_savings_deviation=60,
            daylight_savings_enabled=True,
            clock_base=1,
        )
        self.add(self.clock_object)
        self.made = self.now()
        self._add_identity(serial)
        self._add_measurements()
        self._add_profiles()
        self._add_control()
        self._add_security()
        self._add_clients()
        self.listeners.append(self._heard)

    # --- objects ----------------------------------------------------------------------------------------

    def _add_identity(self, serial: str) -> None:
        self.add(
            DataObject("0-0:96.1.0", value=OctetString(serial.encode())),
            DataObject("1-0:0.0.0", value=OctetString(serial.encode())),
            DataObject("1-0:0.2.0", value=OctetString(b"cosem demonstration meter 1")),
            DataObject("0-0:96.1.10", value=OctetString(b"DE0001234567890000000000000000001")),
            DataObject("0-0:96.13.0", value=OctetString(b"Good morning")),
            DataObject("0-0:96.11.0", value=Unsigned(_POWER_UP)),
            SapAssignmentObject(),
        )

    def _register(self, name: str, unit: int, scaler: int, read: Callable[[], Any]) -> None:
        register = RegisterObject(name, scaler_unit=(scaler, unit))
        register.getter("value")(read)
        self.add(register)

    def _add_measurements(self) -> None:
        house = self.household
        energies: dict[str, tuple[int, Callable[[datetime], int]]] = {
            "1-0:1.8.0": (_WH, house.imported),
            "1-0:1.8.1": (_WH, partial(house.tariff, 1)),
            "1-0:1.8.2": (_WH, partial(house.tariff, 2)),
            "1-0:2.8.0": (_WH, house.exported),
            "1-0:3.8.0": (_VARH, partial(house.reactive, imported=True)),
            "1-0:4.8.0": (_VARH, partial(house.reactive, imported=False)),
        }
        for name, (unit, energy) in energies.items():
            self._register(name, unit, 0, partial(self._counter, energy))
        self._register("1-0:1.7.0", _W, 0, lambda: DoubleLongUnsigned(self._power()))
        self._register(
            "1-0:2.7.0", _W, 0, lambda: DoubleLongUnsigned(int(house.export.power(self.measuring())))
        )
        self._register(
            "1-0:16.7.0", _W, 0, lambda: DoubleLong(self._power() - int(house.export.power(self.measuring())))
        )
        for phase, (voltage, current) in enumerate((("32", "31"), ("52", "51"), ("72", "71"))):
            self._register(f"1-0:{voltage}.7.0", _V, -1, partial(self._voltage, phase))
            self._register(f"1-0:{current}.7.0", _A, -2, partial(self._current, phase))
        self._register(
            "1-0:14.7.0", _HZ, -2, lambda: LongUnsigned(round(5000 + 3 * house.flicker(self.measuring(), 9)))
        )
        self._register(
            "1-0:13.7.0",
            _NO_UNIT,
            -3,
            lambda: LongUnsigned(round(970 + 15 * house.flicker(self.measuring(), 10))),
        )
        demand = DemandRegisterObject(
            "1-0:1.4.0",
            total=lambda: house.joules(self.measuring()),
            scaler_unit=(0, _W),
            period=900,
            number_of_periods=1,
        )
        demand.put("last_average_value", DoubleLongUnsigned(int(house.power(self.made - _QUARTER))))
        maximum = MaximumDemand(
            "1-0:1.6.0",
            household=house,
            clock=self.clock_object,
            scaler_unit=(0, _W),
            value=DoubleLongUnsigned(0),
        )
        self.add(demand, maximum)

    def _counter(self, energy: Callable[[datetime], int]) -> DoubleLongUnsigned:
        return DoubleLongUnsigned(energy(self.measuring()))

    def _power(self) -> int:
        house, now = self.household, self.measuring()
        return round(house.power(now) * (1 + 0.08 * house.flicker(now, 0)))

    def _voltage(self, phase: int) -> LongUnsigned:
        return LongUnsigned(
            round(2310 + 25 * self.household.flicker(self.measuring(), 1 + phase) - 5 * phase)
        )

    def _current(self, phase: int) -> LongUnsigned:
        share = (0.5, 0.3, 0.2)[phase]
        return LongUnsigned(round(100 * self._power() * share / 230))

    def _add_profiles(self) -> None:
        house = self.household
        quarter = quarter_of(self.made)
        counters = (
            house.imported,
            house.exported,
            partial(house.reactive, imported=True),
            partial(house.reactive, imported=False),
        )
        self.add(
            DataObject("0-0:96.10.1", value=Unsigned(0)),
            ProfileGenericObject(
                "1-0:99.1.0",
                capture_objects=[
                    (8, "0-0:1.0.0", 2, 0),
                    (1, "0-0:96.10.1", 2, 0),
                    *((3, name, 2, 0) for name in ("1-0:1.8.0", "1-0:2.8.0", "1-0:3.8.0", "1-0:4.8.0")),
                ],
                capture_period=900,
                sort_object=(8, "0-0:1.0.0", 2, 0),
                profile_entries=_WEEKS // _QUARTER,
                history=lambda: self._rows(
                    (quarter - _QUARTER * n for n in range(_WEEKS // _QUARTER - 1, -1, -1)),
                    counters,
                    Unsigned(0),
                ),
            ),
        )
        named = [(3, name, 2, 0) for name in ("1-0:1.8.0", "1-0:1.8.1", "1-0:1.8.2", "1-0:2.8.0")]
        for name, period, entries, moments in (
            ("1-0:99.2.0", 86_400, _DAYS, self._midnights),
            ("0-0:98.1.0", 0, _MONTHS, self._months),
        ):
            self.add(
                ProfileGenericObject(
                    name,
                    capture_objects=[(8, "0-0:1.0.0", 2, 0), *named],
                    capture_period=period,
                    sort_object=(8, "0-0:1.0.0", 2, 0),
                    profile_entries=entries,
                    history=partial(self._totals, moments),
                )
            )
        self.add(
            ProfileGenericObject(
                "0-0:99.98.0",
                capture_objects=[(8, "0-0:1.0.0", 2, 0), (1, "0-0:96.11.0", 2, 0)],
                sort_object=(8, "0-0:1.0.0", 2, 0),
                profile_entries=100,
                history=self._first_events,
            )
        )

    def _rows(
        self,
        moments: Iterator[datetime],
        counters: tuple[Callable[[datetime], int], ...],
        *fixed: DataValue,
    ) -> Iterator[Structure]:
        for moment in moments:
            stamp = OctetString(self.clock_object.date_time(moment).octets)
            yield Structure((stamp, *fixed, *(DoubleLongUnsigned(read(moment)) for read in counters)))

    def _totals(self, moments: Callable[[], Iterator[datetime]]) -> Iterator[Structure]:
        house = self.household
        tariffs = partial(house.tariff, 1), partial(house.tariff, 2)
        return self._rows(moments(), (house.imported, *tariffs, house.exported))

    def _midnights(self) -> Iterator[datetime]:
        today = self._midnight(self.made)
        return (self.instant(today - timedelta(days=n)) for n in range(_DAYS - 1, -1, -1))

    def _months(self) -> Iterator[datetime]:
        month = self._midnight(self.made).replace(day=1)
        found = []
        for _ in range(_MONTHS - 1):
            found.append(self.instant(month))
            month = (month - timedelta(days=1)).replace(day=1)
        return reversed(found)

    def _midnight(self, moment: datetime) -> datetime:
        return self.local(moment).replace(tzinfo=None, hour=0, minute=0, second=0, microsecond=0)

    def _first_events(self) -> Iterator[Structure]:
        for back, code in ((timedelta(days=41), _POWER_UP), (timedelta(days=40), _CLOCK_SET)):
            stamp = OctetString(self.clock_object.date_time(quarter_of(self.made - back)).octets)
            yield Structure((stamp, Unsigned(code)))

    def _add_control(self) -> None:
        self.add(
            DisconnectControlObject(control_mode=2, on_change=self._switched),
            ScriptTableObject(
                "0-0:10.0.106",
                scripts=[
                    (1, [(2, 70, "0-0:96.3.10", 1, Integer(0))]),
                    (2, [(2, 70, "0-0:96.3.10", 2, Integer(0))]),
                ],
            ),
            ScriptTableObject(
                "0-0:10.0.1",
                scripts=[(1, [(2, 7, "0-0:98.1.0", 2, Integer(0)), (2, 4, "1-0:1.6.0", 1, Integer(0))])],
            ),
            ScriptTableObject("0-0:10.0.0", scripts=[(1, [(2, 4, "1-0:1.6.0", 1, Integer(0))])]),
        )

        self.add(
            SingleActionScheduleObject(
                "0-0:15.0.0",
                executed_script=("0-0:10.0.1", 1),
                type=1,
                execution_time=[(Time.fromhex("00000000"), Date.fromhex("FFFFFF01FF"))],
            ),
            ImageTransferObject(),
        )

    def _add_security(self) -> None:
        self.setup = security_setup_object(self.security)
        self.add(self.setup, InvocationCounterObject(self.security))

    def _add_clients(self) -> None:
        common: dict[str, Any] = {"max_receive_pdu_size": _LONGEST_APDU, "max_send_pdu_size": _LONGEST_APDU}
        for short_names, services in ((False, ALL_SERVICES_LN), (True, ALL_SERVICES_SN)):
            common |= {"short_names": short_names, "conformance": services}
            reading = AccessRights.read_only().hide(self.setup.name)
            self.add_association(16, reading, **common)
            self.add_association(17, reading, secret=READING_PASSWORD, **common)
            rights = _managing().hide(self.setup.name)
            self.add_association(1, rights, secret=MANAGEMENT_PASSWORD, **common)
            profile = secured_profile(
                AuthenticationMechanism.HLS_GMAC,
                self.security,
                client_sap=DEMONSTRATION_CLIENT,
                short_names=short_names,
                max_receive_pdu_size=_LONGEST_APDU,
                max_send_pdu_size=_LONGEST_APDU,
            )
            entry = self.add_association(profile, _managing(), version=4 if short_names else 3)
            entry.association_object.put("security_setup_reference", OctetString(self.setup.name))

    # --- events -------------------------------------------------------------------------------------------

    def log_event(self, code: int) -> None:
        """Write an event into the log, now."""
        event = self["0-0:96.11.0"]
        event.put("value", Unsigned(code))
        log = self["0-0:99.98.0"]
        log.call(2, ABSENT)

    def _heard(self, association: object, indication: object) -> None:
        del association
        if isinstance(indication, AuthenticationFailed):
            self.log_event(_WRONG_PASSWORD)

    def _switched(self, state: ControlState) -> None:
        codes = {
            ControlState.DISCONNECTED: _DISCONNECTED,
            ControlState.CONNECTED: _RECONNECTED,
            ControlState.READY_FOR_RECONNECTION: _READY,
        }
        self.log_event(codes[state])


def _managing() -> AccessRights:
    """Return the rights of a client that manages the meter: everything but to change what it is."""
    rights = AccessRights.full()
    for name in (*_IDENTITY, "0.0.43.1.0.255"):
        rights.allow(name, 2, AccessMode.READ)
    return rights


def demonstration_meter(
    *,
    clock: Callable[[], datetime] = utc_now,
    seed: int = 1,
    security: HeldSecurity | None = None,
    counters: CounterStore | None = None,
) -> DemonstrationMeter:
    """Return the demonstration meter.

    Args:
        clock: Returns the present time, with its zone.
        seed: Which household; the same seed and time give the same values.
        security: Keys and policy of client 2; by default keys that everybody knows
            (:func:`cosem.security.demonstration.demonstration_keys`).
        counters: Where the counters of those keys are; by default they are forgotten with the meter.

    >>> from datetime import UTC, datetime
    >>> meter = demonstration_meter(clock=lambda: datetime(2026, 11, 25, 12, tzinfo=UTC))
    >>> meter["1-0:1.8.0"].get(2)
    DoubleLongUnsigned(21434206)
    """
    return DemonstrationMeter(f"{10_000_000 + seed % 90_000_000:08d}", clock, seed, security, counters)
