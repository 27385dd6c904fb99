"""SMTP setup: how the meter sends mail.

(Blue Book, class_id 46)
"""

from __future__ import annotations

from cosem.classes.base import Attribute, InterfaceClass

__all__ = ["SmtpSetup"]


class SmtpSetup(
    InterfaceClass,
    class_id=46,
    version=0,
    title="SMTP setup",
    status="current",
    confidence="medium",
    logical_names=("0.b.25.5.0.255",),
):
    """SMTP setup (class_id 46, version 0): mail: the server, its port, the login and the sender."""

    server_port = Attribute(2, "long-unsigned", access="rw")
    user_name = Attribute(3, "octet-string", access="rw")
    login_password = Attribute(4, "octet-string", access="rw")
    server_address = Attribute(5, "octet-string", access="rw")
    sender_address = Attribute(6, "octet-string", access="rw")
