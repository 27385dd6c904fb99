"""COSEM interface classes as declarations, by name and by class_id and version; the catalogue of OBIS codes.

Each name is loaded when it is first used: importing this package costs nothing.

>>> from cosem.classes import Register, class_of
>>> class_of(3) is Register
True
>>> Register.scaler_unit
<attribute 3 scaler_unit: structure{scaler integer, unit enum}>
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if (
    TYPE_CHECKING
):  # what a type checker sees; the modules of the standard are found by the registry at run time
    from cosem.classes.base import Attribute, InterfaceClass, Method
    from cosem.classes.registry import all_classes, class_of, title_of
    from cosem.classes.standard.account import Account
    from cosem.classes.standard.activity_calendar import ActivityCalendar
    from cosem.classes.standard.arbitrator import Arbitrator
    from cosem.classes.standard.array_manager import ArrayManager
    from cosem.classes.standard.association_ln import (
        AssociationLn,
        AssociationLnVersion0,
        AssociationLnVersion1,
        AssociationLnVersion2,
    )
    from cosem.classes.standard.association_sn import (
        AssociationSn,
        AssociationSnVersion0,
        AssociationSnVersion1,
        AssociationSnVersion2,
        AssociationSnVersion3,
    )
    from cosem.classes.standard.attestation import Attestation
    from cosem.classes.standard.charge import Charge
    from cosem.classes.standard.clock import Clock
    from cosem.classes.standard.coap import CoapDiagnostic, CoapSetup
    from cosem.classes.standard.communication_port_protection import CommunicationPortProtection
    from cosem.classes.standard.compact_data import CompactData, CompactDataVersion0
    from cosem.classes.standard.credit import Credit
    from cosem.classes.standard.data import Data
    from cosem.classes.standard.data_protection import DataProtection
    from cosem.classes.standard.disconnect_control import (
        DisconnectControl,
        DisconnectControlVersion0,
        DisconnectControlVersion2,
    )
    from cosem.classes.standard.function_control import FunctionControl
    from cosem.classes.standard.g3_plc_adaptation import (
        G3PlcAdaptationLayerSetup,
        G3PlcAdaptationLayerSetupVersion0,
        G3PlcAdaptationLayerSetupVersion1,
        G3PlcAdaptationLayerSetupVersion2,
        G3PlcAdaptationLayerSetupVersion3,
    )
    from cosem.classes.standard.g3_plc_hybrid import (
        G3PlcHybridAdaptationLayerSetup,
        G3PlcHybridAdaptationLayerSetupVersion0,
        G3PlcHybridMacLayerCounters,
        G3PlcHybridMacSetup,
        G3PlcHybridMacSetupVersion0,
    )
    from cosem.classes.standard.g3_plc_mac import (
        G3PlcMacLayerCounters,
        G3PlcMacLayerCountersVersion0,
        G3PlcMacSetup,
        G3PlcMacSetupVersion0,
        G3PlcMacSetupVersion1,
        G3PlcMacSetupVersion2,
        G3PlcMacSetupVersion3,
    )
    from cosem.classes.standard.gprs_modem_setup import GprsModemSetup
    from cosem.classes.standard.gsm_diagnostic import (
        GsmDiagnostic,
        GsmDiagnosticVersion0,
        GsmDiagnosticVersion1,
    )
    from cosem.classes.standard.hs_plc import (
        HsPlcCpasSetup,
        HsPlcHdlcSsasSetup,
        HsPlcIpSsasSetup,
        HsPlcMacSetup,
    )
    from cosem.classes.standard.iec_hdlc_setup import IecHdlcSetup, IecHdlcSetupVersion0
    from cosem.classes.standard.iec_local_port_setup import IecLocalPortSetup, IecLocalPortSetupVersion0
    from cosem.classes.standard.iec_twisted_pair_setup import IecTwistedPairSetup, IecTwistedPairSetupVersion0
    from cosem.classes.standard.image_transfer import ImageTransfer
    from cosem.classes.standard.ip_setup import IPv4Setup, IPv6Setup, MacAddressSetup
    from cosem.classes.standard.iso_iec_14908 import (
        Iso14908Diagnostic,
        Iso14908DiagnosticVersion0,
        Iso14908Identification,
        Iso14908ProtocolSetup,
        Iso14908ProtocolStatus,
        Iso14908ProtocolStatusVersion0,
    )
    from cosem.classes.standard.limiter import Limiter
    from cosem.classes.standard.llc_setup import (
        Iec61334LlcSetup,
        Iec61334LlcSetupVersion0,
        Iso8802LlcType1Setup,
        Iso8802LlcType2Setup,
        Iso8802LlcType3Setup,
    )
    from cosem.classes.standard.lorawan import LoRaWanDiagnostic, LoRaWanSetup
    from cosem.classes.standard.lte_monitoring import LteMonitoring, LteMonitoringVersion0
    from cosem.classes.standard.mbus_client import MBusClient, MBusClientVersion0, MBusClientVersion2
    from cosem.classes.standard.mbus_diagnostic import MBusDiagnostic
    from cosem.classes.standard.mbus_ports import MBusMasterPortSetup, MBusSlavePortSetup, ServerMBusPortSetup
    from cosem.classes.standard.measurement_data_monitoring import MeasurementDataMonitoring
    from cosem.classes.standard.modem import (
        AutoAnswer,
        AutoAnswerVersion0,
        AutoConnect,
        AutoConnectVersion0,
        AutoConnectVersion1,
        ModemConfiguration,
        ModemConfigurationVersion0,
    )
    from cosem.classes.standard.ntp_setup import NtpSetup
    from cosem.classes.standard.parameter_monitor import ParameterMonitor, ParameterMonitorVersion0
    from cosem.classes.standard.ppp_setup import PppSetup
    from cosem.classes.standard.prime import (
        Iec61334LlcSscsSetup,
        PrimeApplicationIdentification,
        PrimeMacCounters,
        PrimeMacFunctionalParameters,
        PrimeMacNetworkAdministrationData,
        PrimeMacSetup,
        PrimePhysicalLayerCounters,
    )
    from cosem.classes.standard.profile_generic import ProfileGeneric, ProfileGenericVersion0
    from cosem.classes.standard.push_setup import (
        PushSetup,
        PushSetupVersion0,
        PushSetupVersion1,
        PushSetupVersion3,
    )
    from cosem.classes.standard.references import (
        AttributeReference,
        CaptureObjectDefinition,
        ObjectReference,
        ScriptReference,
    )
    from cosem.classes.standard.register import DemandRegister, ExtendedRegister, Register
    from cosem.classes.standard.register_activation import RegisterActivation
    from cosem.classes.standard.register_monitor import RegisterMonitor
    from cosem.classes.standard.register_table import RegisterTable
    from cosem.classes.standard.s_fsk import (
        SFskActiveInitiator,
        SFskMacCounters,
        SFskMacSynchronizationTimeouts,
        SFskPhyMacSetup,
        SFskPhyMacSetupVersion0,
        SFskReportingSystemList,
    )
    from cosem.classes.standard.sap_assignment import SapAssignment
    from cosem.classes.standard.schc_lpwan import SchcLpwanDiagnostic, SchcLpwanSetup
    from cosem.classes.standard.schedule import Schedule
    from cosem.classes.standard.script_table import ScriptTable
    from cosem.classes.standard.security_setup import SecuritySetup, SecuritySetupVersion0
    from cosem.classes.standard.sensor_manager import SensorManager
    from cosem.classes.standard.single_action_schedule import SingleActionSchedule
    from cosem.classes.standard.smtp_setup import SmtpSetup
    from cosem.classes.standard.special_days_table import SpecialDaysTable
    from cosem.classes.standard.status_mapping import StatusMapping
    from cosem.classes.standard.tcp_udp_setup import TcpUdpSetup
    from cosem.classes.standard.token_gateway import Iec62055Attributes, TokenGateway
    from cosem.classes.standard.utility_tables import UtilityTables
    from cosem.classes.standard.wi_sun import MplDiagnostic, RplDiagnostic, WiSunDiagnostic, WiSunSetup
    from cosem.classes.standard.wireless_mode_q import WirelessModeQChannel, WirelessModeQChannelVersion0
    from cosem.classes.standard.zigbee import (
        ZigBeeNetworkControl,
        ZigBeeSasApsFragmentation,
        ZigBeeSasJoin,
        ZigBeeSasStartup,
        ZigBeeTunnelSetup,
    )
    from cosem.classes.structured import Structured, array_of, member
    from cosem.classes.type_grammar import parse_type

__all__ = [
    "Account",
    "ActivityCalendar",
    "Arbitrator",
    "ArrayManager",
    "AssociationLn",
    "AssociationLnVersion0",
    "AssociationLnVersion1",
    "AssociationLnVersion2",
    "AssociationSn",
    "AssociationSnVersion0",
    "AssociationSnVersion1",
    "AssociationSnVersion2",
    "AssociationSnVersion3",
    "Attestation",
    "Attribute",
    "AttributeReference",
    "AutoAnswer",
    "AutoAnswerVersion0",
    "AutoConnect",
    "AutoConnectVersion0",
    "AutoConnectVersion1",
    "CaptureObjectDefinition",
    "Charge",
    "Clock",
    "CoapDiagnostic",
    "CoapSetup",
    "CommunicationPortProtection",
    "CompactData",
    "CompactDataVersion0",
    "Credit",
    "Data",
    "DataProtection",
    "DemandRegister",
    "DisconnectControl",
    "DisconnectControlVersion0",
    "DisconnectControlVersion2",
    "ExtendedRegister",
    "FunctionControl",
    "G3PlcAdaptationLayerSetup",
    "G3PlcAdaptationLayerSetupVersion0",
    "G3PlcAdaptationLayerSetupVersion1",
    "G3PlcAdaptationLayerSetupVersion2",
    "G3PlcAdaptationLayerSetupVersion3",
    "G3PlcHybridAdaptationLayerSetup",
    "G3PlcHybridAdaptationLayerSetupVersion0",
    "G3PlcHybridMacLayerCounters",
    "G3PlcHybridMacSetup",
    "G3PlcHybridMacSetupVersion0",
    "G3PlcMacLayerCounters",
    "G3PlcMacLayerCountersVersion0",
    "G3PlcMacSetup",
    "G3PlcMacSetupVersion0",
    "G3PlcMacSetupVersion1",
    "G3PlcMacSetupVersion2",
    "G3PlcMacSetupVersion3",
    "GprsModemSetup",
    "GsmDiagnostic",
    "GsmDiagnosticVersion0",
    "GsmDiagnosticVersion1",
    "HsPlcCpasSetup",
    "HsPlcHdlcSsasSetup",
    "HsPlcIpSsasSetup",
    "HsPlcMacSetup",
    "IPv4Setup",
    "IPv6Setup",
    "Iec61334LlcSetup",
    "Iec61334LlcSetupVersion0",
    "Iec61334LlcSscsSetup",
    "Iec62055Attributes",
    "IecHdlcSetup",
    "IecHdlcSetupVersion0",
    "IecLocalPortSetup",
    "IecLocalPortSetupVersion0",
    "IecTwistedPairSetup",
    "IecTwistedPairSetupVersion0",
    "ImageTransfer",
    "InterfaceClass",
    "Iso14908Diagnostic",
    "Iso14908DiagnosticVersion0",
    "Iso14908Identification",
    "Iso14908ProtocolSetup",
    "Iso14908ProtocolStatus",
    "Iso14908ProtocolStatusVersion0",
    "Iso8802LlcType1Setup",
    "Iso8802LlcType2Setup",
    "Iso8802LlcType3Setup",
    "Limiter",
    "LoRaWanDiagnostic",
    "LoRaWanSetup",
    "LteMonitoring",
    "LteMonitoringVersion0",
    "MBusClient",
    "MBusClientVersion0",
    "MBusClientVersion2",
    "MBusDiagnostic",
    "MBusMasterPortSetup",
    "MBusSlavePortSetup",
    "MacAddressSetup",
    "MeasurementDataMonitoring",
    "Method",
    "ModemConfiguration",
    "ModemConfigurationVersion0",
    "MplDiagnostic",
    "NtpSetup",
    "ObjectReference",
    "ParameterMonitor",
    "ParameterMonitorVersion0",
    "PppSetup",
    "PrimeApplicationIdentification",
    "PrimeMacCounters",
    "PrimeMacFunctionalParameters",
    "PrimeMacNetworkAdministrationData",
    "PrimeMacSetup",
    "PrimePhysicalLayerCounters",
    "ProfileGeneric",
    "ProfileGenericVersion0",
    "PushSetup",
    "PushSetupVersion0",
    "PushSetupVersion1",
    "PushSetupVersion3",
    "Register",
    "RegisterActivation",
    "RegisterMonitor",
    "RegisterTable",
    "RplDiagnostic",
    "SFskActiveInitiator",
    "SFskMacCounters",
    "SFskMacSynchronizationTimeouts",
    "SFskPhyMacSetup",
    "SFskPhyMacSetupVersion0",
    "SFskReportingSystemList",
    "SapAssignment",
    "SchcLpwanDiagnostic",
    "SchcLpwanSetup",
    "Schedule",
    "ScriptReference",
    "ScriptTable",
    "SecuritySetup",
    "SecuritySetupVersion0",
    "SensorManager",
    "ServerMBusPortSetup",
    "SingleActionSchedule",
    "SmtpSetup",
    "SpecialDaysTable",
    "StatusMapping",
    "Structured",
    "TcpUdpSetup",
    "TokenGateway",
    "UtilityTables",
    "WiSunDiagnostic",
    "WiSunSetup",
    "WirelessModeQChannel",
    "WirelessModeQChannelVersion0",
    "ZigBeeNetworkControl",
    "ZigBeeSasApsFragmentation",
    "ZigBeeSasJoin",
    "ZigBeeSasStartup",
    "ZigBeeTunnelSetup",
    "all_classes",
    "array_of",
    "class_of",
    "member",
    "parse_type",
    "title_of",
]

_CORE: Final = {
    "Attribute": "base",
    "InterfaceClass": "base",
    "Method": "base",
    "Structured": "structured",
    "array_of": "structured",
    "member": "structured",
    "parse_type": "type_grammar",
    "all_classes": "registry",
    "class_of": "registry",
    "title_of": "registry",
    "AttributeReference": "standard.references",
    "CaptureObjectDefinition": "standard.references",
    "ObjectReference": "standard.references",
    "ScriptReference": "standard.references",
}
"""Modules of the names that are no interface class."""


def __getattr__(name: str) -> Any:
    module = _CORE.get(name)
    if module is None:
        from cosem.classes.registry import CLASSES

        module = next((f"standard.{family}" for family, known in CLASSES.values() if known == name), None)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{module}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
