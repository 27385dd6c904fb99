"""What numbers and octets are called: classes, well-known objects, system titles."""

from __future__ import annotations

from functools import cache
from typing import Final

from cosem.types.logical_name import LogicalName

__all__ = ["class_name", "object_name", "system_title_text"]

_CLASSES: Final = """\
1 Data;3 Register;4 Extended register;5 Demand register;6 Register activation;7 Profile generic;8 Clock
9 Script table;10 Schedule;11 Special days table;12 Association SN;15 Association LN;17 SAP assignment
18 Image transfer;19 IEC local port setup;20 Activity calendar;21 Register monitor;22 Single action schedule
23 IEC HDLC setup;24 IEC twisted pair (1) setup;25 M-Bus slave port setup;26 Utility tables
27 Modem configuration;28 Auto answer;29 Auto connect;30 Data protection;40 Push setup;41 TCP-UDP setup
42 IPv4 setup;43 MAC address setup;44 PPP setup;45 GPRS modem setup;46 SMTP setup;47 GSM diagnostic
48 IPv6 setup;50 S-FSK Phy&MAC setup;51 S-FSK active initiator;52 S-FSK MAC synchronization timeouts
53 S-FSK MAC counters;55 IEC 61334-4-32 LLC setup;56 S-FSK reporting system list
57 ISO/IEC 8802-2 LLC type 1 setup;58 ISO/IEC 8802-2 LLC type 2 setup;59 ISO/IEC 8802-2 LLC type 3 setup
61 Register table;62 Compact data;63 Status mapping;64 Security setup;65 Parameter monitor
66 Measurement data monitoring;67 Sensor manager;68 Arbitrator;70 Disconnect control;71 Limiter
72 M-Bus client;73 Wireless Mode Q channel;74 M-Bus master port setup;76 DLMS/COSEM server M-Bus port setup
77 M-Bus diagnostic;80 61334-4-32 LLC SSCS setup;81 PRIME NB OFDM PLC physical layer counters
82 PRIME NB OFDM PLC MAC setup;83 PRIME NB OFDM PLC MAC functional parameters;84 PRIME NB OFDM PLC MAC counters
85 PRIME NB OFDM PLC MAC network administration data;86 PRIME NB OFDM PLC application identification
90 G3-PLC MAC layer counters;91 G3-PLC MAC setup;92 G3-PLC 6LoWPAN adaptation layer setup;95 Wi-SUN setup
96 Wi-SUN diagnostic;97 RPL diagnostic;98 MPL diagnostic;100 NTP setup;101 ZigBee SAS startup
102 ZigBee SAS join;103 ZigBee SAS APS fragmentation;104 ZigBee network control;105 ZigBee tunnel setup
111 Account;112 Credit;113 Charge;115 Token gateway;116 IEC 62055-41 attributes;122 Function control
123 Array manager;124 Communication port protection;126 SCHC-LPWAN setup;127 SCHC-LPWAN diagnostic
128 LoRaWAN setup;129 LoRaWAN diagnostic;130 ISO/IEC 14908 identification;131 ISO/IEC 14908 protocol setup
132 ISO/IEC 14908 protocol status;133 ISO/IEC 14908 diagnostic;140 HS-PLC ISO/IEC 12139-1 MAC setup
141 HS-PLC ISO/IEC 12139-1 CPAS setup;142 HS-PLC ISO/IEC 12139-1 IP SSAS setup
143 HS-PLC ISO/IEC 12139-1 HDLC SSAS setup;151 LTE monitoring;152 CoAP setup;153 CoAP diagnostic
160 G3-PLC Hybrid RF MAC layer counters;161 G3-PLC Hybrid RF MAC setup
162 G3-PLC Hybrid 6LoWPAN adaptation layer setup;170 Attestation
"""

_OBJECTS: Final = """\
0.0.1.0.0 clock;0.*.24.1.0 M-Bus client;0.*.25.9.0 push setup;0.0.40.0.0 current association
0.0.40.0.* association {e};0.0.41.0.0 SAP assignment;0.0.42.0.0 logical device name;0.0.43.0.* security setup
0.*.43.1.* invocation counter;0.0.44.0.0 image transfer;0.0.17.0.0 limiter;0.0.96.1.* device identifier {e}
0.0.96.3.10 disconnect control;0.0.96.14.0 active tariff;0.*.96.7.21 number of power failures
0.0.97.97.0 error register;0.0.97.98.0 alarm register;0.0.97.98.10 alarm filter;0.0.97.98.20 alarm descriptor
0.*.98.1.0 billing data;1.*.98.1.0 billing data;0.*.99.98.* event log {e};1.*.99.1.0 load profile 1
1.*.99.2.0 load profile 2;1.0.0.2.0 firmware identifier;1.0.0.2.8 firmware signature
7.*.3.0.0 gas index;7.*.13.2.0 gas index, converted;6.*.1.0.0 heat energy;8.*.1.0.0 water volume
"""

_QUANTITIES: Final = {
    1: "active power import",
    2: "active power export",
    3: "reactive power import",
    4: "reactive power export",
    5: "reactive power QI",
    6: "reactive power QII",
    7: "reactive power QIII",
    8: "reactive power QIV",
    9: "apparent power import",
    10: "apparent power export",
    11: "current",
    12: "voltage",
    13: "power factor",
    14: "frequency",
}
_PROCESSING: Final = {
    4: "current average",
    5: "last average",
    6: "maximum",
    7: "instantaneous",
    8: "total",
    9: "in the billing period",
    24: "average",
    29: "in the capture period",
}
_INTEGRALS: Final = (8, 9, 29)
_SINCE_START: Final = 8


@cache
def _classes() -> dict[int, str]:
    entries = (entry.split(" ", 1) for entry in _CLASSES.replace("\n", ";").split(";") if entry)
    return {int(number): name for number, name in entries}


@cache
def _objects() -> dict[tuple[str, ...], str]:
    entries = (entry.split(" ", 1) for entry in _OBJECTS.replace("\n", ";").split(";") if entry)
    return {tuple(groups.split(".")): name for groups, name in entries}


def class_name(class_id: int) -> str:
    """Return the name of an interface class; empty if it is not known.

    >>> class_name(7)
    'Profile generic'
    """
    return _classes().get(class_id, "")


def object_name(name: LogicalName) -> str:
    """Return what the object of a logical name is, in a few words; empty if that is not well known.

    >>> object_name(LogicalName("1-0:1.8.0")), object_name(LogicalName("1-0:32.7.0"))
    ('active energy import, total', 'voltage L1, instantaneous')
    """
    groups = tuple(str(group) for group in name[:5])
    for pattern, text in _objects().items():
        if all(wanted in ("*", group) for wanted, group in zip(pattern, groups, strict=True)):
            return text.format(e=name.e)
    if name.a != 1 or not 1 <= name.c <= 80 or name.d not in _PROCESSING:
        return ""
    phase, index = divmod(name.c - 1, 20)
    quantity = _QUANTITIES.get(index + 1, "")
    if not quantity:
        return ""
    if name.d in _INTEGRALS:
        if "power" not in quantity or "factor" in quantity:
            return ""
        quantity = quantity.replace("power", "energy")
    words = [f"{quantity}{f' L{phase}' if phase else ''}"]
    rate = 1 <= name.e <= 63
    if not (rate and name.d == _SINCE_START):
        words.append(_PROCESSING[name.d])
    return ", ".join([*words, f"rate {name.e}"] if rate else words)


def system_title_text(title: bytes) -> str:
    """Return the maker's three letters and the rest of a system title; empty if it has not that form.

    >>> system_title_text(bytes.fromhex("4D4D4D0000BC614E"))
    'MMM 0000BC614E'
    """
    head = title[:3]
    if len(title) != 8 or not all(0x41 <= octet <= 0x5A or 0x61 <= octet <= 0x7A for octet in head):
        return ""
    return f"{head.decode('ascii')} {title[3:].hex().upper()}"
