"""Certificates in files that the command line is given: PEM or DER."""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error as Base64Error
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cosem.errors import ConfigurationError, VerificationError

if TYPE_CHECKING:
    from cosem.security.certificates import Certificate

__all__ = ["CERTIFICATE", "certificate_in"]

CERTIFICATE: Final = "CERTIFICATE"
"""What PEM calls one."""
_LONGEST_FILE: Final = 65_536
_LABEL: Final = re.compile(rb"-----BEGIN ([A-Z0-9 ]{1,40})-----")


def certificate_in(name: str) -> Certificate:
    """Return the certificate in a file, PEM or DER; the first one where there are several.

    Raises:
        ConfigurationError: There is none in it, or one that no meter takes.
        OSError: It cannot be read.
    """
    from cosem.security.certificates import Certificate

    with Path(name).expanduser().open("rb") as file:
        octets = file.read(_LONGEST_FILE)
    labels = [label.decode() for label in _LABEL.findall(octets)]
    label = CERTIFICATE if CERTIFICATE in labels else labels[0] if labels else None
    if label is not None:
        if not label.endswith((CERTIFICATE, "REQUEST")):
            raise ConfigurationError(f"{name}: no certificate, but {label}")
        _, _, rest = octets.partition(f"-----BEGIN {label}-----".encode())
        try:
            octets = b64decode(
                b"".join(rest.partition(f"-----END {label}-----".encode())[0].split()), validate=True
            )
        except (Base64Error, ValueError):
            raise ConfigurationError(f"{name}: the certificate is no base64") from None
    try:
        return Certificate(octets)
    except VerificationError as error:
        raise ConfigurationError(f"{name}: {error}") from None
