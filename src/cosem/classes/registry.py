"""The interface classes by class_id and version; a class is loaded when it is first asked for.

(Blue Book, 4.1 and the list of classes in clause 4)
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Final, cast

if TYPE_CHECKING:
    from cosem.classes.base import InterfaceClass

__all__ = ["CLASSES", "all_classes", "class_of", "title_of"]

CLASSES: Final[dict[tuple[int, int], tuple[str, str]]] = {
    (1, 0): ("data", "Data"),
    (3, 0): ("register", "Register"),
    (4, 0): ("register", "ExtendedRegister"),
    (5, 0): ("register", "DemandRegister"),
    (6, 0): ("register_activation", "RegisterActivation"),
    (7, 0): ("profile_generic", "ProfileGenericVersion0"),
    (7, 1): ("profile_generic", "ProfileGeneric"),
    (8, 0): ("clock", "Clock"),
    (9, 0): ("script_table", "ScriptTable"),
    (10, 0): ("schedule", "Schedule"),
    (11, 0): ("special_days_table", "SpecialDaysTable"),
    (12, 0): ("association_sn", "AssociationSnVersion0"),
    (12, 1): ("association_sn", "AssociationSnVersion1"),
    (12, 2): ("association_sn", "AssociationSnVersion2"),
    (12, 3): ("association_sn", "AssociationSnVersion3"),
    (12, 4): ("association_sn", "AssociationSn"),
    (15, 0): ("association_ln", "AssociationLnVersion0"),
    (15, 1): ("association_ln", "AssociationLnVersion1"),
    (15, 2): ("association_ln", "AssociationLnVersion2"),
    (15, 3): ("association_ln", "AssociationLn"),
    (17, 0): ("sap_assignment", "SapAssignment"),
    (18, 0): ("image_transfer", "ImageTransfer"),
    (19, 0): ("iec_local_port_setup", "IecLocalPortSetupVersion0"),
    (19, 1): ("iec_local_port_setup", "IecLocalPortSetup"),
    (20, 0): ("activity_calendar", "ActivityCalendar"),
    (21, 0): ("register_monitor", "RegisterMonitor"),
    (22, 0): ("single_action_schedule", "SingleActionSchedule"),
    (23, 0): ("iec_hdlc_setup", "IecHdlcSetupVersion0"),
    (23, 1): ("iec_hdlc_setup", "IecHdlcSetup"),
    (24, 0): ("iec_twisted_pair_setup", "IecTwistedPairSetupVersion0"),
    (24, 1): ("iec_twisted_pair_setup", "IecTwistedPairSetup"),
    (25, 0): ("mbus_ports", "MBusSlavePortSetup"),
    (26, 0): ("utility_tables", "UtilityTables"),
    (27, 0): ("modem", "ModemConfigurationVersion0"),
    (27, 1): ("modem", "ModemConfiguration"),
    (28, 0): ("modem", "AutoAnswerVersion0"),
    (28, 2): ("modem", "AutoAnswer"),
    (29, 0): ("modem", "AutoConnectVersion0"),
    (29, 1): ("modem", "AutoConnectVersion1"),
    (29, 2): ("modem", "AutoConnect"),
    (30, 0): ("data_protection", "DataProtection"),
    (40, 0): ("push_setup", "PushSetupVersion0"),
    (40, 1): ("push_setup", "PushSetupVersion1"),
    (40, 2): ("push_setup", "PushSetup"),
    (40, 3): ("push_setup", "PushSetupVersion3"),
    (41, 0): ("tcp_udp_setup", "TcpUdpSetup"),
    (42, 0): ("ip_setup", "IPv4Setup"),
    (43, 0): ("ip_setup", "MacAddressSetup"),
    (44, 0): ("ppp_setup", "PppSetup"),
    (45, 0): ("gprs_modem_setup", "GprsModemSetup"),
    (46, 0): ("smtp_setup", "SmtpSetup"),
    (47, 0): ("gsm_diagnostic", "GsmDiagnosticVersion0"),
    (47, 1): ("gsm_diagnostic", "GsmDiagnosticVersion1"),
    (47, 2): ("gsm_diagnostic", "GsmDiagnostic"),
    (48, 0): ("ip_setup", "IPv6Setup"),
    (50, 0): ("s_fsk", "SFskPhyMacSetupVersion0"),
    (50, 1): ("s_fsk", "SFskPhyMacSetup"),
    (51, 0): ("s_fsk", "SFskActiveInitiator"),
    (52, 0): ("s_fsk", "SFskMacSynchronizationTimeouts"),
    (53, 0): ("s_fsk", "SFskMacCounters"),
    (55, 0): ("llc_setup", "Iec61334LlcSetupVersion0"),
    (55, 1): ("llc_setup", "Iec61334LlcSetup"),
    (56, 0): ("s_fsk", "SFskReportingSystemList"),
    (57, 0): ("llc_setup", "Iso8802LlcType1Setup"),
    (58, 0): ("llc_setup", "Iso8802LlcType2Setup"),
    (59, 0): ("llc_setup", "Iso8802LlcType3Setup"),
    (61, 0): ("register_table", "RegisterTable"),
    (62, 0): ("compact_data", "CompactDataVersion0"),
    (62, 1): ("compact_data", "CompactData"),
    (63, 0): ("status_mapping", "StatusMapping"),
    (64, 0): ("security_setup", "SecuritySetupVersion0"),
    (64, 1): ("security_setup", "SecuritySetup"),
    (65, 0): ("parameter_monitor", "ParameterMonitorVersion0"),
    (65, 1): ("parameter_monitor", "ParameterMonitor"),
    (66, 0): ("measurement_data_monitoring", "MeasurementDataMonitoring"),
    (67, 0): ("sensor_manager", "SensorManager"),
    (68, 0): ("arbitrator", "Arbitrator"),
    (70, 0): ("disconnect_control", "DisconnectControlVersion0"),
    (70, 1): ("disconnect_control", "DisconnectControl"),
    (70, 2): ("disconnect_control", "DisconnectControlVersion2"),
    (71, 0): ("limiter", "Limiter"),
    (72, 0): ("mbus_client", "MBusClientVersion0"),
    (72, 1): ("mbus_client", "MBusClient"),
    (72, 2): ("mbus_client", "MBusClientVersion2"),
    (73, 0): ("wireless_mode_q", "WirelessModeQChannelVersion0"),
    (73, 1): ("wireless_mode_q", "WirelessModeQChannel"),
    (74, 0): ("mbus_ports", "MBusMasterPortSetup"),
    (76, 0): ("mbus_ports", "ServerMBusPortSetup"),
    (77, 0): ("mbus_diagnostic", "MBusDiagnostic"),
    (80, 0): ("prime", "Iec61334LlcSscsSetup"),
    (81, 0): ("prime", "PrimePhysicalLayerCounters"),
    (82, 0): ("prime", "PrimeMacSetup"),
    (83, 0): ("prime", "PrimeMacFunctionalParameters"),
    (84, 0): ("prime", "PrimeMacCounters"),
    (85, 0): ("prime", "PrimeMacNetworkAdministrationData"),
    (86, 0): ("prime", "PrimeApplicationIdentification"),
    (90, 0): ("g3_plc_mac", "G3PlcMacLayerCountersVersion0"),
    (90, 1): ("g3_plc_mac", "G3PlcMacLayerCounters"),
    (91, 0): ("g3_plc_mac", "G3PlcMacSetupVersion0"),
    (91, 1): ("g3_plc_mac", "G3PlcMacSetupVersion1"),
    (91, 2): ("g3_plc_mac", "G3PlcMacSetupVersion2"),
    (91, 3): ("g3_plc_mac", "G3PlcMacSetupVersion3"),
    (91, 4): ("g3_plc_mac", "G3PlcMacSetup"),
    (92, 0): ("g3_plc_adaptation", "G3PlcAdaptationLayerSetupVersion0"),
    (92, 1): ("g3_plc_adaptation", "G3PlcAdaptationLayerSetupVersion1"),
    (92, 2): ("g3_plc_adaptation", "G3PlcAdaptationLayerSetupVersion2"),
    (92, 3): ("g3_plc_adaptation", "G3PlcAdaptationLayerSetupVersion3"),
    (92, 4): ("g3_plc_adaptation", "G3PlcAdaptationLayerSetup"),
    (95, 0): ("wi_sun", "WiSunSetup"),
    (96, 0): ("wi_sun", "WiSunDiagnostic"),
    (97, 0): ("wi_sun", "RplDiagnostic"),
    (98, 0): ("wi_sun", "MplDiagnostic"),
    (100, 0): ("ntp_setup", "NtpSetup"),
    (101, 0): ("zigbee", "ZigBeeSasStartup"),
    (102, 0): ("zigbee", "ZigBeeSasJoin"),
    (103, 0): ("zigbee", "ZigBeeSasApsFragmentation"),
    (104, 0): ("zigbee", "ZigBeeNetworkControl"),
    (105, 0): ("zigbee", "ZigBeeTunnelSetup"),
    (111, 0): ("account", "Account"),
    (112, 0): ("credit", "Credit"),
    (113, 0): ("charge", "Charge"),
    (115, 0): ("token_gateway", "TokenGateway"),
    (116, 0): ("token_gateway", "Iec62055Attributes"),
    (122, 0): ("function_control", "FunctionControl"),
    (123, 0): ("array_manager", "ArrayManager"),
    (124, 0): ("communication_port_protection", "CommunicationPortProtection"),
    (126, 0): ("schc_lpwan", "SchcLpwanSetup"),
    (127, 0): ("schc_lpwan", "SchcLpwanDiagnostic"),
    (128, 0): ("lorawan", "LoRaWanSetup"),
    (129, 0): ("lorawan", "LoRaWanDiagnostic"),
    (130, 0): ("iso_iec_14908", "Iso14908Identification"),
    (131, 0): ("iso_iec_14908", "Iso14908ProtocolSetup"),
    (132, 0): ("iso_iec_14908", "Iso14908ProtocolStatusVersion0"),
    (132, 1): ("iso_iec_14908", "Iso14908ProtocolStatus"),
    (133, 0): ("iso_iec_14908", "Iso14908DiagnosticVersion0"),
    (133, 1): ("iso_iec_14908", "Iso14908Diagnostic"),
    (140, 0): ("hs_plc", "HsPlcMacSetup"),
    (141, 0): ("hs_plc", "HsPlcCpasSetup"),
    (142, 0): ("hs_plc", "HsPlcIpSsasSetup"),
    (143, 0): ("hs_plc", "HsPlcHdlcSsasSetup"),
    (151, 0): ("lte_monitoring", "LteMonitoringVersion0"),
    (151, 1): ("lte_monitoring", "LteMonitoring"),
    (152, 0): ("coap", "CoapSetup"),
    (153, 0): ("coap", "CoapDiagnostic"),
    (160, 0): ("g3_plc_hybrid", "G3PlcHybridMacLayerCounters"),
    (161, 0): ("g3_plc_hybrid", "G3PlcHybridMacSetupVersion0"),
    (161, 1): ("g3_plc_hybrid", "G3PlcHybridMacSetup"),
    (162, 0): ("g3_plc_hybrid", "G3PlcHybridAdaptationLayerSetupVersion0"),
    (162, 1): ("g3_plc_hybrid", "G3PlcHybridAdaptationLayerSetup"),
    (170, 0): ("attestation", "Attestation"),
}
"""Module of :mod:`cosem.classes.standard` and name of each class, by class_id and version, in ascending order."""


@cache
def class_of(class_id: int, version: int | None = None) -> type[InterfaceClass] | None:
    """Return the declaration of an interface class, or ``None`` if the standard has none.

    Args:
        class_id: 0..65535.
        version: 0..255; ``None`` for the newest one that is known.

    >>> class_of(3, 0)
    <class 'cosem.classes.standard.register.Register'>
    >>> class_of(7).version, class_of(7, 9), class_of(8192)
    (1, None, None)
    """
    if version is None:
        version = max((known for found, known in CLASSES if found == class_id), default=None)
        if version is None:
            return None
    place = CLASSES.get((class_id, version))
    if place is None:
        return None
    module, name = place
    return cast("type[InterfaceClass]", getattr(import_module(f"cosem.classes.standard.{module}"), name))


def all_classes() -> Iterator[type[InterfaceClass]]:
    """Yield every version of every class, by class_id and version; each is loaded when its turn comes."""
    for class_id, version in CLASSES:
        found = class_of(class_id, version)
        if found is not None:
            yield found


def title_of(class_id: int) -> str | None:
    """Return the name of a class in the standard, or ``None`` if the standard has none.

    >>> title_of(7)
    'Profile generic'
    """
    found = class_of(class_id)
    return None if found is None else found.title
