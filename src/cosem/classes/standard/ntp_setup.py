"""NTP setup: time from the network.

(Blue Book, class_id 100)
"""

from __future__ import annotations

from cosem.classes.base import Attribute, InterfaceClass, Method
from cosem.classes.structured import Structured, array_of, member
from cosem.types.enumerations import OpenEnumeration

__all__ = ["AuthenticationKey", "NtpAuthentication", "NtpSetup"]


class NtpAuthentication(OpenEnumeration):
    """How the time server proves who it is."""

    NONE = 0
    SHARED_SECRETS = 1
    AUTO_KEY_IFF = 2


class AuthenticationKey(Structured):
    """A symmetric key shared with the time server."""

    key_id: int = member("double-long-unsigned")
    key: bytes = member("octet-string")


class NtpSetup(
    InterfaceClass,
    class_id=100,
    version=0,
    title="NTP setup",
    status="current",
    confidence="high",
    logical_names=("0.b.25.10.0.255",),
):
    """NTP setup (class_id 100, version 0): a time server: address, port, keys.

    ``synchronize`` sets the clock by it.
    """

    activated = Attribute(2, "boolean", access="rw")
    server_address = Attribute(3, "octet-string", access="rw")
    server_port = Attribute(4, "long-unsigned", access="rw", default=123)
    authentication_method = Attribute(5, "enum", NtpAuthentication, access="rw")
    authentication_keys = Attribute(6, array_of(AuthenticationKey), access="rw")
    client_key = Attribute(7, "octet-string", access="rw")

    synchronize = Method(1)
    add_authentication_key = Method(2, AuthenticationKey)
    delete_authentication_key = Method(3, "double-long-unsigned", remark="key_id")
