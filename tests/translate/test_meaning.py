"""Every vector decodes to the meaning that it states.

The vectors say their meaning in a shorter JSON than ours: descriptors stand flat,
invoke-ids are taken apart, short names are hexadecimal. Both are brought to one form.
"""

from __future__ import annotations

from typing import Any

import pytest

from cosem import apdu
from cosem.codec.data import decode_data, encode_data
from cosem.errors import DecodeError
from cosem.translate.as_json import apdu_to_json, data_to_json
from cosem.types.enumerations import Conformance
from cosem.types.identifiers import InvokeIdAndPriority, LongInvokeIdAndPriority
from tests.vectors import Vector, parameters

FLAT = ("cosem-attribute-descriptor", "cosem-method-descriptor")
KEPT = ("null-data", "success", "dont-care")
RENAMED = {
    "iip": "invoke-id-and-priority",
    "liip": "long-invoke-id-and-priority",
    "proposed-quality-of-service": "quality-of-service",
    "negotiated-quality-of-service": "quality-of-service",
    "proposed-dlms-version-number": "dlms-version-number",
    "negotiated-dlms-version-number": "dlms-version-number",
    "proposed-conformance": "conformance",
    "negotiated-conformance": "conformance",
    "client-max-receive-pdu-size": "max-receive-pdu-size",
    "server-max-receive-pdu-size": "max-receive-pdu-size",
}


def identifier(said: dict[str, Any]) -> int:
    """Return the number of an invoke-id that is taken apart, after a look at its parts."""
    kind = LongInvokeIdAndPriority if "long-invoke-id" in said else InvokeIdAndPriority
    value = kind(int(said["raw"], 16))
    assert value.confirmed is (said["service-class"] == "confirmed")
    assert value.high_priority is (said["priority"] == "high")
    if isinstance(value, LongInvokeIdAndPriority):
        assert value.long_invoke_id == said["long-invoke-id"]
        assert value.self_descriptive is said["self-descriptive"]
        assert value.break_on_error is (said["processing-option"] == "break-on-error")
    else:
        assert value.invoke_id == said["invoke-id"]
    return int(value)


def plain(value: Any) -> Any:
    """Return one form of both ways to say the meaning."""
    if isinstance(value, list):
        return [plain(each) for each in value]
    if not isinstance(value, dict):
        return value
    if "raw" in value:
        return int(value["raw"], 16) if "window" in value else identifier(value)
    result: dict[str, Any] = {}
    for name, content in value.items():
        if content is None and name not in KEPT:
            continue
        inner = plain(content)
        if name in FLAT or (name == "result" and "last-block" in value and isinstance(inner, dict)):
            result |= inner
            continue
        if name in ("variable-name", "vaa-name") and isinstance(inner, str):
            inner = int(inner, 16)
        if name == "current-time" and not inner.endswith("Z"):
            inner = bytes.fromhex(inner).decode("ascii")
        if name == "conformance":
            inner = list(Conformance.from_octets(bytes.fromhex(inner)).names())
        if name.startswith("access-response-") and isinstance(inner, dict) and set(inner) == {"result"}:
            inner = inner["result"]
        if name in ("readRequest", "readResponse", "writeResponse") and isinstance(inner, dict):
            (inner,) = inner.values()
        if name == "bit-string" and isinstance(inner, dict):
            assert inner["bits"] == len(inner["value"])
            inner = inner["value"]
        if name == "compact-array":
            inner.pop("array-contents", None)
        result[RENAMED.get(name, name)] = inner
    return result


@pytest.mark.parametrize("vector", parameters("xdlms", kind="apdu"))
def test_an_apdu_means_what_its_vector_says(vector: Vector) -> None:
    assert plain(apdu_to_json(apdu.decode(vector.octets, findings=[]))) == plain(vector["decoded"])


@pytest.mark.parametrize("vector", parameters("xdlms", kind="data"))
def test_data_means_what_its_vector_says(vector: Vector) -> None:
    assert plain(data_to_json(decode_data(vector.octets))) == plain(vector["decoded"])


@pytest.mark.parametrize("vector", parameters("xdlms", kind="invalid-apdu"))
def test_an_invalid_apdu_is_refused(vector: Vector) -> None:
    with pytest.raises(DecodeError):
        apdu.decode(vector.octets)


@pytest.mark.parametrize("vector", parameters("xdlms", kind="invalid-data"))
def test_invalid_data_is_refused(vector: Vector) -> None:
    with pytest.raises(DecodeError):
        decode_data(vector.octets)


@pytest.mark.parametrize("vector", parameters("xdlms", kind="data"))
def test_data_comes_back_as_it_was(vector: Vector) -> None:
    # True may be any octet but 00; 01 is sent.
    canonical = b"\x03\x01" if vector.id == "DATA.bool.ff" else vector.octets
    assert encode_data(decode_data(vector.octets)) == canonical


@pytest.mark.parametrize("vector", parameters("xdlms", kind="apdu"))
def test_an_apdu_comes_back_as_it_was(vector: Vector) -> None:
    assert apdu.encode(apdu.decode(vector.octets, findings=[])) == vector.octets
