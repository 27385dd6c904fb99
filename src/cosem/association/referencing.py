"""Which conformance bits mean something with logical names, and which with short names (IEC 62056-5-3, 7.3.1)."""

from __future__ import annotations

from cosem.types.enumerations import Conformance

__all__ = ["LN_BITS", "SN_BITS"]

_C = Conformance
_SHARED = (
    _C.GENERAL_PROTECTION
    | _C.GENERAL_BLOCK_TRANSFER
    | _C.DELTA_VALUE_ENCODING
    | _C.BLOCK_TRANSFER_WITH_GET_OR_READ
    | _C.BLOCK_TRANSFER_WITH_SET_OR_WRITE
    | _C.MULTIPLE_REFERENCES
    | _C.DATA_NOTIFICATION
)
LN_BITS = (
    _SHARED
    | _C.ATTRIBUTE0_SUPPORTED_WITH_SET
    | _C.PRIORITY_MGMT_SUPPORTED
    | _C.ATTRIBUTE0_SUPPORTED_WITH_GET
    | _C.BLOCK_TRANSFER_WITH_ACTION
    | _C.ACCESS
    | _C.GET
    | _C.SET
    | _C.SELECTIVE_ACCESS
    | _C.EVENT_NOTIFICATION
    | _C.ACTION
)
"""The conformance bits that mean something with logical names (Table 35)."""
SN_BITS = (
    _SHARED | _C.READ | _C.WRITE | _C.UNCONFIRMED_WRITE | _C.INFORMATION_REPORT | _C.PARAMETERIZED_ACCESS
)
"""The conformance bits that mean something with short names (Table 35)."""
