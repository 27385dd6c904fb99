"""XML of the published schema: every vector there and back, the page's examples, other spellings, bad documents."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosem import apdu
from cosem.apdu.get import GetResponseNormal
from cosem.codec.data import decode_data, encode_data
from cosem.errors import CosemError, EncodeError
from cosem.translate.xml import from_xml, to_xml
from cosem.translate.xml_tree import NAMESPACE, parse
from cosem.types.data import Float32, Utf8String, VisibleString
from cosem.types.identifiers import InvokeIdAndPriority
from tests.translate.schema_rules import check_document
from tests.vectors import Vector, load, parameters

ACSE = [pytest.param(each, id=each.id) for each in load("acse") if each.octets]
APDUS = parameters("xdlms", kind="apdu") + ACSE


def compact(document: str) -> str:
    """Return what the page on XML forms prints: no declaration, root, comments or line breaks."""
    text = re.sub(r"<!--.*?-->", "", document.partition("?>")[2], flags=re.DOTALL)
    text = re.sub(r">\s+<", "><", text).strip()
    return re.sub(r"^<(xDLMS-APDU|aCSE-APDU)[^>]*>|</(xDLMS-APDU|aCSE-APDU)>$", "", text)


def answer(value: Any) -> GetResponseNormal:
    return GetResponseNormal(InvokeIdAndPriority(0xC1), value)


@pytest.mark.parametrize("vector", APDUS)
def test_every_apdu_survives(vector: Vector) -> None:
    value = apdu.decode(vector.octets, findings=[])
    document = to_xml(value, strict=False)
    assert f'xmlns="{NAMESPACE}"' in document
    again = from_xml(document)
    assert again == value
    assert apdu.encode(again) == apdu.encode(value)
    assert from_xml(document.encode("utf-8")) == value


@pytest.mark.parametrize("vector", APDUS)
def test_a_fragment_and_a_prefix_are_read(vector: Vector) -> None:
    value = apdu.decode(vector.octets, findings=[])
    document = to_xml(value, strict=False)
    assert from_xml(compact(document)) == value
    prefixed = re.sub(r"<(/?)([a-zA-Z])", r"<\1x:\2", document).replace("xmlns=", "xmlns:x=")
    assert from_xml(prefixed) == value


@pytest.mark.parametrize("vector", parameters("xdlms", kind="data"))
def test_every_data_survives(vector: Vector) -> None:
    value = answer(decode_data(vector.octets))
    try:
        document = to_xml(value)
    except EncodeError as error:
        assert "XML cannot hold" in str(error)  # noqa: PT017 -- a few values have no form, by the page
        document = to_xml(value, lossy=True)
        assert "octet-string" in document or "NaN" in document
        return
    assert encode_data(from_xml(document).result) == encode_data(value.result)


EXAMPLES = {
    "C401C10103": "<get-response><get-response-normal><invoke-id-and-priority>193</invoke-id-and-priority><result><data-access-result>read-write-denied</data-access-result></result></get-response-normal></get-response>",
    "C505C1020003": "<set-response><set-response-with-list><invoke-id-and-priority>193</invoke-id-and-priority><result>success read-write-denied</result></set-response-with-list></set-response>",
    "C701C00000": "<action-response><action-response-normal><invoke-id-and-priority>192</invoke-id-and-priority><single-response><result>success</result></single-response></action-response-normal></action-response>",
    "050102FD08": "<readRequest><Variable-Access-Specification><variable-name>-760</variable-name></Variable-Access-Specification></readRequest>",
    "0C020011050104": "<readResponse><CHOICE><data><unsigned>5</unsigned></data></CHOICE><CHOICE><data-access-error>object-undefined</data-access-error></CHOICE></readResponse>",
    "0D02000103": "<writeResponse><CHOICE><success/></CHOICE><CHOICE><data-access-error>read-write-denied</data-access-error></CHOICE></writeResponse>",
    "0E010603": "<confirmedServiceError><initiateError><initiate>pdu-size-too-short</initiate></initiateError></confirmedServiceError>",
    "D8010600000123": "<exception-response><state-error>service-not-allowed</state-error><service-error><invocation-counter-error>291</invocation-counter-error></service-error></exception-response>",
    "D80101": "<exception-response><state-error>service-not-allowed</state-error><service-error><operation-not-possible/></service-error></exception-response>",
    "E0010001000002C401": "<general-block-transfer><block-control>1</block-control><block-number>1</block-number><block-number-ack>0</block-number-ack><block-data>C401</block-data></general-block-transfer>",
    "C8093000000001AABBCCDD": "<glo-get-request>3000000001AABBCCDD</glo-get-request>",
    "D3093000000001AABBCCDD": "<ded-actionRequest>3000000001AABBCCDD</ded-actionRequest>",
    "6036A1090607608574050801018A0207808B0760857405080201AC0A80083132333435363738BE10040E01000000065F1F0400007E1F04B0": "<aarq><application-context-name>2.16.756.5.8.1.1</application-context-name><sender-acse-requirements>authentication</sender-acse-requirements><mechanism-name>2.16.756.5.8.2.1</mechanism-name><calling-authentication-value><charstring>12345678</charstring></calling-authentication-value><user-information>01000000065F1F0400007E1F04B0</user-information></aarq>",
    "C001C100070100630100FF0201020204060000000106000000 0A120001120000": "<get-request><get-request-normal><invoke-id-and-priority>193</invoke-id-and-priority><cosem-attribute-descriptor><class-id>7</class-id><instance-id>0100630100FF</instance-id><attribute-id>2</attribute-id></cosem-attribute-descriptor><access-selection><access-selector>2</access-selector><access-parameters><structure><double-long-unsigned>1</double-long-unsigned><double-long-unsigned>10</double-long-unsigned><long-unsigned>1</long-unsigned><long-unsigned>0</long-unsigned></structure></access-parameters></access-selection></get-request-normal></get-request>",
}


@pytest.mark.parametrize("octets", EXAMPLES)
def test_the_examples_of_the_page_come_out_to_the_letter(octets: str) -> None:
    value = apdu.decode(bytes.fromhex(octets))
    assert compact(to_xml(value)) == EXAMPLES[octets]
    assert from_xml(EXAMPLES[octets]) == value


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        (
            "1312060001 00020003",
            "<compact-array><contents-description><long-unsigned/></contents-description><array-contents>000100020003</array-contents></compact-array>",
        ),
        ("173FC00000", "<float32>1.5</float32>"),
        ("177F800000", "<float32>INF</float32>"),
        ("18FFF0000000000000", "<float64>-INF</float64>"),
        ("00", "<null-data/>"),
        ("FF", "<dont-care/>"),
        ("0301", "<boolean>true</boolean>"),
        ("0408A5", "<bit-string>10100101</bit-string>"),
        ("0100", "<array/>"),
        ("0A03203C20", "<visible-string> &lt; </visible-string>"),
        ("0A03410D42", "<visible-string>A&#13;B</visible-string>"),
        ("0900", "<octet-string/>"),
        ("1C FF", "<delta-integer>-1</delta-integer>"),
        ("1AFFFFFFFEFF", "<date>FFFFFFFEFF</date>"),
    ],
)
def test_the_form_of_data(octets: str, text: str) -> None:
    data = bytes.fromhex(octets)
    document = to_xml(answer(decode_data(data)))
    assert f"<data>{text}</data>" in compact(document)
    assert encode_data(from_xml(document).result) == data


@pytest.mark.parametrize(
    ("document", "octets"),
    [
        (
            "<get-response><get-response-with-data-block><invoke-id-and-priority>193</invoke-id-and-priority><result><last-block>True</last-block><block-number>1</block-number><result><raw-data>00</raw-data></result></result></get-response-with-data-block></get-response>",
            "C402C10100000001000100",
        ),
        (
            "<get-response><get-response-with-list><invoke-id-and-priority>193</invoke-id-and-priority><result><data><unsigned>1</unsigned></data><data-access-result>object-undefined</data-access-result></result></get-response-with-list></get-response>",
            "C403C1020011010104",
        ),
        ("<writeResponse><success/><data-access-error>3</data-access-error></writeResponse>", "0D02000103"),
        (
            "<exception-response><state-error>service-unknown</state-error><service-error>other-reason</service-error></exception-response>",
            "D80203",
        ),
        (
            "<set-response><set-response-with-list><invoke-id-and-priority>193</invoke-id-and-priority><result><data-access-result>success</data-access-result><data-access-result>77</data-access-result></result></set-response-with-list></set-response>",
            "C505C102004D",
        ),
        (
            "<action-request><action-request-normal><invoke-id-and-priority>+0193</invoke-id-and-priority><cosem-attribute-descriptor><class-id>70</class-id><instance-id>0.0.96.3.10.255</instance-id><attribute-id>1</attribute-id></cosem-attribute-descriptor></action-request-normal></action-request>",
            "C301C100460000600 30AFF0100".replace(" ", ""),
        ),
        (
            "<initiateRequest><response-allowed/><proposed-dlms-version-number>6</proposed-dlms-version-number><proposed-conformance>get reserved-six</proposed-conformance><client-max-receive-pdu-size>0</client-max-receive-pdu-size></initiateRequest>",
            "01000000065F1F040002001 00000".replace(" ", ""),
        ),
        ("<ded-action-request>00</ded-action-request>", "D30100"),
        ("<rlrq><reason>30</reason></rlrq>", "620380011E"),
        (
            "<aarq><application-context-name>1</application-context-name></aarq>",
            "600BA109060760857405080101",
        ),
        (
            "<informationReportRequest><current-time>2013-06-15T12:00:00Z</current-time><variable-access-specification/><list-of-data/></informationReportRequest>",
            "18010F3230313330363135313230303030 5A0000".replace(" ", ""),
        ),
    ],
)
def test_other_spellings_are_read(document: str, octets: str) -> None:
    assert apdu.encode(from_xml(document)).hex().upper() == octets


def test_charstrings_of_translators_that_write_digits() -> None:
    document = "<aarq><application-context-name>1</application-context-name><calling-authentication-value><charstring>3132</charstring></calling-authentication-value></aarq>"
    assert from_xml(document).calling_authentication_value == b"3132"
    assert from_xml(document, charstring="hex").calling_authentication_value == b"12"


@pytest.mark.parametrize(
    "octets",
    ["C501C14D", "D80109", "0E010699", "0E0C0000", "6017A109060760857405080101AC0A8008" + "00" * 8],
)
def test_what_the_schema_has_no_form_for_is_an_extension(octets: str) -> None:
    value = apdu.decode(bytes.fromhex(octets))
    if octets != "0E0C0000":
        with pytest.raises(EncodeError):
            to_xml(value)
    assert from_xml(to_xml(value, strict=False)) == value


@pytest.mark.parametrize(
    "value",
    [
        VisibleString("\x00"),
        VisibleString("\x1b[2J"),
        Utf8String.from_octets(b"\xff"),
        Utf8String("\ufffe"),
        Float32.not_a_number(bytes.fromhex("7FC00001")),
    ],
)
def test_what_xml_cannot_hold_is_refused_or_said(value: Any) -> None:
    with pytest.raises(EncodeError) as caught:
        to_xml(answer(value))
    assert caught.value.path.startswith("result")
    document = to_xml(answer(value), lossy=True)
    assert "<!--" in document
    from_xml(document)


def test_comments_help_people_and_are_not_read() -> None:
    document = to_xml(apdu.decode(bytes.fromhex("C001C100030100010800FF0200")))
    assert "<!-- 1.0.1.8.0.255 active energy import, total -->" in document
    moment = to_xml(answer(decode_data(bytes.fromhex("090C07E50118070E303900FFC400"))))
    assert "<!-- 2021-01-24 14:48:57+01:00 -->" in moment


ENTITIES = "".join(
    f'<!ENTITY a{n} "{"&a" + str(n - 1) + ";" if n else "ha"}{"&a" + str(n - 1) + ";" if n else "ha"}">'
    for n in range(30)
)


@pytest.mark.parametrize(
    "document",
    [
        "",
        "text",
        "<",
        "<rlrq>",
        "<rlrq/><rlrq/>",
        f"<!DOCTYPE rlrq [{ENTITIES}]><rlrq>&a29;</rlrq>",
        '<!DOCTYPE rlrq SYSTEM "file:///etc/passwd"><rlrq/>',
        "<rlrq>&unknown;</rlrq>",
        b'<?xml version="1.0" encoding="klingon"?><rlrq/>',
        b"\xff\xfe<rlrq/>",
        "<a>" * 100_000,
        "<a>" * 200 + "</a>" * 200,
        "<unknown/>",
        f'<xDLMS-APDU xmlns="{NAMESPACE}"/>',
        "<get-request/>",
        "<get-request><get-request-never/></get-request>",
        "<rlrq><reason/><reason/></rlrq>",
        "<rlrq><reason>bored</reason></rlrq>",
        "<rlrq><reason><normal/></reason></rlrq>",
        "<rlrq>text<reason>normal</reason></rlrq>",
        "<rlrq><user-information>0</user-information></rlrq>",
        "<glo-get-request>xyz</glo-get-request>",
        "<aarq/>",
        "<exception-response/>",
        "<confirmedServiceError><initiateError/></confirmedServiceError>",
        "<get-request><get-request-next><invoke-id-and-priority>C1</invoke-id-and-priority><block-number>1</block-number></get-request-next></get-request>",
        "<get-request><get-request-next><invoke-id-and-priority>193</invoke-id-and-priority></get-request-next></get-request>",
        "<get-request><get-request-next><invoke-id-and-priority>193</invoke-id-and-priority><block-number>1</block-number><more/></get-request-next></get-request>",
        "\ud800",
    ],
)
def test_bad_documents_are_refused(document: str | bytes) -> None:
    with pytest.raises(EncodeError):
        from_xml(document)


@pytest.mark.parametrize(
    "data",
    [
        "<unsigned>256</unsigned>",
        "<unsigned>1.5</unsigned>",
        "<unsigned/>",
        "<unsigned><unsigned/></unsigned>",
        "<boolean>yes</boolean>",
        "<null-data>1</null-data>",
        "<float32>1,5</float32>",
        "<float32>0x10</float32>",
        "<date-time>2021-01-24T14:48:57</date-time>",
        "<compact-array/>",
        "<compact-array><contents-description><compact-array/></contents-description><array-contents/></compact-array>",
        "<compact-array><contents-description><null-data/></contents-description><array-contents>00</array-contents></compact-array>",
        "<compact-array><contents-description><array/></contents-description><array-contents>00</array-contents></compact-array>",
        "<compact-array><contents-description><long/></contents-description><array-contents>00</array-contents></compact-array>",
        "<structure>" * 40 + "</structure>" * 40,
        "<real>1</real>",
        "",
    ],
)
def test_bad_data_is_refused(data: str) -> None:
    document = f"<get-response><get-response-normal><invoke-id-and-priority>193</invoke-id-and-priority><result><data>{data}</data></result></get-response-normal></get-response>"
    with pytest.raises(EncodeError):
        from_xml(document)


@given(st.sampled_from(APDUS), st.data())
def test_a_changed_document_is_read_or_refused(parameter: Any, data: st.DataObject) -> None:
    document = to_xml(apdu.decode(parameter.values[0].octets, findings=[]), strict=False)
    at = data.draw(st.integers(0, len(document)))
    width = data.draw(st.integers(0, 20))
    changed = document[:at] + data.draw(st.text("<>/&;a-zA0919 \"'", max_size=4)) + document[at + width :]
    try:
        apdu.encode(from_xml(changed))
    except CosemError:
        return


@given(st.text(max_size=40))
def test_any_text_survives_or_is_refused(text: str) -> None:
    for value in (Utf8String(text), VisibleString.from_octets(text.encode("utf-8", "replace"))):
        try:
            document = to_xml(answer(value))
        except EncodeError:
            continue
        assert from_xml(document).result == value


EXTENSIONS = ("data-notification-confirm", "delta-")


@pytest.mark.parametrize("vector", APDUS)
def test_strict_documents_obey_the_schema(vector: Vector) -> None:
    value = apdu.decode(vector.octets, findings=[])
    try:
        document = to_xml(value)
    except EncodeError as error:
        assert "schema has no" in str(error) or "no form in the schema" in str(error)  # noqa: PT017 -- said on purpose
        return
    if any(name in document for name in EXTENSIONS):
        return
    check_document(parse(document))


@pytest.mark.parametrize("vector", parameters("xdlms", kind="data"))
def test_strict_data_obeys_the_schema(vector: Vector) -> None:
    try:
        document = to_xml(answer(decode_data(vector.octets)))
    except EncodeError:
        return
    if "delta-" not in document:
        check_document(parse(document))
