"""Security setup: suite, policy, keys and certificates of an association.

(Blue Book, class_id 64)
"""

from __future__ import annotations

from enum import IntFlag
from typing import Any

from cosem.classes.base import Attribute, InterfaceClass, Method
from cosem.classes.structured import Structured, array_of, member
from cosem.types.enumerations import OpenEnumeration

__all__ = [
    "CertificateEntity",
    "CertificateIdentification",
    "CertificateInfo",
    "CertificateType",
    "KeyAgreementData",
    "KeyId",
    "KeyTransferData",
    "SecurityPolicy",
    "SecurityPolicyVersion0",
    "SecuritySetup",
    "SecuritySetupVersion0",
    "SecuritySuite",
]


class SecurityPolicyVersion0(OpenEnumeration):
    """What protection APDUs must have, in both directions."""

    NOTHING = 0
    AUTHENTICATED = 1
    ENCRYPTED = 2
    AUTHENTICATED_AND_ENCRYPTED = 3


class SecurityPolicy(IntFlag):
    """What protection APDUs must have, for each direction."""

    AUTHENTICATED_REQUEST = 0x4
    ENCRYPTED_REQUEST = 0x8
    SIGNED_REQUEST = 0x10
    AUTHENTICATED_RESPONSE = 0x20
    ENCRYPTED_RESPONSE = 0x40
    SIGNED_RESPONSE = 0x80


class SecuritySuite(OpenEnumeration):
    """The algorithms."""

    AES_GCM_128 = 0
    ECDH_ECDSA_AES_GCM_128_SHA_256 = 1
    ECDH_ECDSA_AES_GCM_256_SHA_384 = 2


class KeyId(OpenEnumeration):
    """Which key is transferred or agreed."""

    GLOBAL_UNICAST_ENCRYPTION = 0
    GLOBAL_BROADCAST_ENCRYPTION = 1
    AUTHENTICATION = 2
    MASTER = 3


class CertificateEntity(OpenEnumeration):
    """Whose certificate it is."""

    SERVER = 0
    CLIENT = 1
    CERTIFICATION_AUTHORITY = 2
    OTHER = 3


class CertificateType(OpenEnumeration):
    """What the key of a certificate is for."""

    DIGITAL_SIGNATURE = 0
    KEY_AGREEMENT = 1
    TLS = 2
    OTHER = 3


class KeyTransferData(Structured):
    """A key, wrapped with the master key (RFC 3394)."""

    key_id: KeyId = member("enum", KeyId)
    key_wrapped: bytes = member("octet-string")


class CertificateInfo(Structured):
    """A certificate that the server holds: whose it is, for what, and how to find it."""

    certificate_entity: CertificateEntity = member("enum", CertificateEntity)
    certificate_type: CertificateType = member("enum", CertificateType)
    certificate_serial_number: bytes = member("octet-string")
    certificate_issuer: bytes = member("octet-string")
    certificate_subject: bytes = member("octet-string")
    certificate_subject_alt_name: bytes = member("octet-string")


class KeyAgreementData(Structured):
    """A half of a key agreement: ephemeral public key, then its signature."""

    key_id: KeyId = member("enum", KeyId)
    key_data: bytes = member("octet-string")


class CertificateIdentification(Structured):
    """Which certificate: 0 by entity, type and system title; 1 by serial number and issuer."""

    certificate_identification_type: int = member("enum")
    certification_identification_options: Any = member("CHOICE")


class SecuritySetupVersion0(
    InterfaceClass,
    class_id=64,
    version=0,
    title="Security setup",
    status="old",
    confidence="high",
    logical_names=("0.0.43.0.e.255",),
):
    """Security setup (class_id 64, version 0): see :class:`SecuritySetup`.

    Compared with that one it has ``global_key_transfer``; it has no ``certificates``, ``key_transfer``,
    ``key_agreement``, ``generate_key_pair``, ``generate_certificate_request``, ``import_certificate``
    and more; it differs in ``security_policy``, ``security_activate``.
    """

    security_policy = Attribute(2, "enum", SecurityPolicyVersion0)
    security_suite = Attribute(3, "enum", SecuritySuite)
    client_system_title = Attribute(4, "octet-string[8]", nature="dynamic", access="rw")
    server_system_title = Attribute(5, "octet-string[8]")

    security_activate = Method(1, "enum", short_name_offset=0x28, remark="security_policy")
    global_key_transfer = Method(2, array_of(KeyTransferData), short_name_offset=0x30)


class SecuritySetup(
    InterfaceClass,
    class_id=64,
    version=1,
    title="Security setup",
    status="current",
    confidence="high",
    logical_names=("0.0.43.0.e.255",),
):
    """Security setup (class_id 64, version 1).

    The security of an association: suite, policy, system titles, keys and certificates.

    ``security_activate`` only strengthens the policy. ``key_transfer`` brings keys wrapped with the
    master key; they hold from the next request on.
    """

    security_policy = Attribute(2, "enum", SecurityPolicy, remark='"bit mask, see section 2"')
    security_suite = Attribute(3, "enum", SecuritySuite)
    client_system_title = Attribute(4, "octet-string[8]", nature="dynamic", access="rw")
    server_system_title = Attribute(5, "octet-string[8]")
    certificates = Attribute(6, array_of(CertificateInfo), nature="dynamic")

    security_activate = Method(1, "enum", short_name_offset=0x30, remark="bit mask, see section 2")
    key_transfer = Method(2, array_of(KeyTransferData), short_name_offset=0x38)
    key_agreement = Method(
        3, array_of(KeyAgreementData), returns=array_of(KeyAgreementData), short_name_offset=0x40
    )
    generate_key_pair = Method(
        4, "enum", short_name_offset=0x48, remark="0 digital signature, 1 key agreement"
    )
    generate_certificate_request = Method(
        5,
        "enum",
        returns="octet-string",
        short_name_offset=0x50,
        remark="0 digital signature, 1 key agreement",
    )
    import_certificate = Method(
        6, "octet-string", short_name_offset=0x58, remark="DER of an X.509 v3 certificate"
    )
    export_certificate = Method(7, CertificateIdentification, returns="octet-string", short_name_offset=0x60)
    remove_certificate = Method(8, CertificateIdentification, short_name_offset=0x68)
