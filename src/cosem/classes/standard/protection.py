"""Parameters of end-to-end protection, which Data protection and Push setup share.

(Blue Book, class_id 30 and 40; the inner form is that of meters, the excerpt does not print it)
"""

from __future__ import annotations

from typing import Any

from cosem.classes.structured import Structured, member
from cosem.types.enumerations import OpenEnumeration

__all__ = ["KeyInfo", "KeyInfoType", "ProtectionOptions", "ProtectionParameters", "ProtectionType"]


class ProtectionType(OpenEnumeration):
    """What one layer of protection does."""

    AUTHENTICATION = 0
    ENCRYPTION = 1
    AUTHENTICATION_AND_ENCRYPTION = 2
    DIGITAL_SIGNATURE = 3


class KeyInfoType(OpenEnumeration):
    """How the key of a layer is told: by number, wrapped, or agreed."""

    IDENTIFIED_KEY = 0
    WRAPPED_KEY = 1
    AGREED_KEY = 2


class KeyInfo(Structured):
    """The key of a layer; what the options hold depends on the type."""

    key_info_type: KeyInfoType = member("enum", KeyInfoType)
    key_info_options: Any = member("CHOICE")


class ProtectionOptions(Structured):
    """The header of a protected value: who protected it for whom, and with which key."""

    transaction_id: bytes = member("octet-string")
    originator_system_title: bytes = member("octet-string")
    recipient_system_title: bytes = member("octet-string")
    other_information: bytes = member("octet-string")
    key_info: KeyInfo = member(KeyInfo)


class ProtectionParameters(Structured):
    """One layer of protection; several are applied in the order of the array."""

    protection_type: ProtectionType = member("enum", ProtectionType)
    protection_options: ProtectionOptions = member(ProtectionOptions)
