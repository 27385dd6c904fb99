"""Authentication of client and server: LLS and the mechanisms of HLS (IEC 62056-5-3, 5.3.3)."""

from cosem.security.authentication.claim import Claim, HlsMechanism, RandomOctets
from cosem.security.authentication.client import ClientHls
from cosem.security.authentication.mechanisms import (
    DigestMechanism,
    EcdsaMechanism,
    GmacMechanism,
    ManufacturerMechanism,
    password_matches,
)
from cosem.security.authentication.server import ServerHls

__all__ = [
    "Claim",
    "ClientHls",
    "DigestMechanism",
    "EcdsaMechanism",
    "GmacMechanism",
    "HlsMechanism",
    "ManufacturerMechanism",
    "RandomOctets",
    "ServerHls",
    "password_matches",
]
