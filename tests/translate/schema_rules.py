"""The rules of the published schema, in a few lines of our own: enough to tell whether a document obeys them.

Written from the tables of the APDUs, by hand and apart from the translator, so that
each checks the other. One line is one type: ``name = a:T b:T?`` is a sequence,
``name = a:T | b:T`` a choice, ``name = a:T*`` a list; what is not defined here is
a pattern of :data:`LEAVES`.
"""

from __future__ import annotations

import re
from functools import cache

from cosem.translate.xml_tree import Element

GRAMMAR = """
iip-block = invoke-id-and-priority:u8 block-number:u32
attribute = class-id:u16 instance-id:name attribute-id:i8
method = class-id:u16 instance-id:name method-id:i8
selection = access-selector:u8 access-parameters:data
attribute-selection = cosem-attribute-descriptor:attribute access-selection:selection?
attributes = Cosem-Attribute-Descriptor-With-Selection:attribute-selection*
methods = Cosem-Method-Descriptor:method*
datas = Data:data*
block = last-block:bool block-number:u32 raw-data:hex
get-result = data:data | data-access-result:access-result
get-block = last-block:bool block-number:u32 result:get-block-result
get-block-result = raw-data:hex | data-access-result:access-result
get-results = Get-Data-Result:get-result*

get-request = get-request-normal:get-normal | get-request-next:iip-block | get-request-with-list:get-list
get-normal = invoke-id-and-priority:u8 cosem-attribute-descriptor:attribute access-selection:selection?
get-list = invoke-id-and-priority:u8 attribute-descriptor-list:attributes
get-response = get-response-normal:get-answer | get-response-with-datablock:get-block-answer | get-response-with-list:get-list-answer
get-answer = invoke-id-and-priority:u8 result:get-result
get-block-answer = invoke-id-and-priority:u8 result:get-block
get-list-answer = invoke-id-and-priority:u8 result:get-results

set-request = set-request-normal:set-normal | set-request-with-first-datablock:set-first | set-request-with-datablock:set-block | set-request-with-list:set-list | set-request-with-list-and-first-datablock:set-list-first
set-normal = invoke-id-and-priority:u8 cosem-attribute-descriptor:attribute access-selection:selection? value:data
set-first = invoke-id-and-priority:u8 cosem-attribute-descriptor:attribute access-selection:selection? datablock:block
set-block = invoke-id-and-priority:u8 datablock:block
set-list = invoke-id-and-priority:u8 attribute-descriptor-list:attributes value-list:datas
set-list-first = invoke-id-and-priority:u8 attribute-descriptor-list:attributes datablock:block
set-response = set-response-normal:set-answer | set-response-datablock:iip-block | set-response-last-datablock:set-last | set-response-last-datablock-with-list:set-last-list | set-response-with-list:set-list-answer
set-answer = invoke-id-and-priority:u8 result:access-result
set-last = invoke-id-and-priority:u8 result:access-result block-number:u32
set-last-list = invoke-id-and-priority:u8 result:access-results block-number:u32
set-list-answer = invoke-id-and-priority:u8 result:access-results

action-request = action-request-normal:act-normal | action-request-next-pblock:iip-block | action-request-with-list:act-list | action-request-with-first-pblock:act-first | action-request-with-list-and-first-pblock:act-list-first | action-request-with-pblock:act-block
act-normal = invoke-id-and-priority:u8 cosem-method-descriptor:method method-invocation-parameters:data?
act-list = invoke-id-and-priority:u8 cosem-method-descriptor-list:methods method-invocation-parameters:datas
act-first = invoke-id-and-priority:u8 cosem-method-descriptor:method pblock:block
act-list-first = invoke-id-and-priority:u8 cosem-method-descriptor-list:methods pblock:block
act-block = invoke-id-and-priority:u8 pblock:block
action-response = action-response-normal:act-answer | action-response-with-pblock:act-block | action-response-with-list:act-list-answer | action-response-next-pblock:iip-block
act-answer = invoke-id-and-priority:u8 single-response:act-result
act-list-answer = invoke-id-and-priority:u8 list-of-responses:act-results
act-results = Action-Response-With-Optional-Data:act-result*
act-result = result:action-result return-parameters:get-result?

event-notification-request = time:hex? cosem-attribute-descriptor:attribute attribute-value:data
exception-response = state-error:state service-error:service-error
service-error = operation-not-possible:empty | service-not-supported:empty | other-reason:empty | pdu-too-long:empty | deciphering-error:empty | invocation-counter-error:u32
confirmedServiceError = initiateError:group | read:group | write:group
group = application-reference:words | hardware-resource:words | vde-state-error:words | service:words | definition:words | access:words | initiate:words | load-data-set:words | task:words

variable = variable-name:i16 | parameterized-access:parameterized | block-number-access:number-access | read-data-block-access:sn-block | write-data-block-access:write-access
parameterized = variable-name:i16 selector:u8 parameter:data
number-access = block-number:u16
sn-block = last-block:bool block-number:u16 raw-data:hex
write-access = last-block:bool block-number:u16
variables = Variable-Access-Specification:variable*
readRequest = Variable-Access-Specification:variable*
readResponse = CHOICE:read-result*
read-result = data:data | data-access-error:access-result | data-block-result:sn-block | block-number:u16
writeRequest = variable-access-specification:variables list-of-data:datas
unconfirmedWriteRequest = variable-access-specification:variables list-of-data:datas
writeResponse = CHOICE:write-result*
write-result = success:empty | data-access-error:access-result | block-number:u16
informationReportRequest = current-time:moment? variable-access-specification:variables list-of-data:datas

initiateRequest = dedicated-key:hex? response-allowed:bool proposed-quality-of-service:i8? proposed-dlms-version-number:u8 proposed-conformance:conformance client-max-receive-pdu-size:u16
initiateResponse = negotiated-quality-of-service:i8? negotiated-dlms-version-number:u8 negotiated-conformance:conformance server-max-receive-pdu-size:u16 vaa-name:i16
data-notification = long-invoke-id-and-priority:u32 date-time:hex notification-body:body
body = data-value:data

access-request = long-invoke-id-and-priority:u32 date-time:hex access-request-body:access-body
access-body = access-request-specification:requests access-request-list-of-data:datas
requests = Access-Request-Specification:request*
request = access-request-get:one-attribute | access-request-set:one-attribute | access-request-action:one-method | access-request-get-with-selection:one-selected | access-request-set-with-selection:one-selected
one-attribute = cosem-attribute-descriptor:attribute
one-method = cosem-method-descriptor:method
one-selected = cosem-attribute-descriptor:attribute access-selection:selection
access-response = long-invoke-id-and-priority:u32 date-time:hex access-response-body:answer-body
answer-body = access-request-specification:requests? access-response-list-of-data:datas access-response-specification:answers
answers = Access-Response-Specification:answer*
answer = access-response-get:one-result | access-response-set:one-result | access-response-action:one-action-result
one-result = result:access-result
one-action-result = result:action-result

general-glo-ciphering = system-title:hex ciphered-content:hex
general-ded-ciphering = system-title:hex ciphered-content:hex
general-ciphering = transaction-id:hex originator-system-title:hex recipient-system-title:hex date-time:hex other-information:hex key-info:key-info? ciphered-content:hex
key-info = identified-key:identified | wrapped-key:wrapped | agreed-key:agreed
identified = key-id:words
wrapped = kek-id:words key-ciphered-data:hex
agreed = key-parameters:hex key-ciphered-data:hex
general-signing = transaction-id:hex originator-system-title:hex recipient-system-title:hex date-time:hex other-information:hex content:hex signature:hex
general-block-transfer = block-control:u8 block-number:u16 block-number-ack:u16 block-data:hex

aarq = protocol-version:bits? application-context-name:oid called-AP-title:hex? called-AE-qualifier:hex? called-AP-invocation-id:u32? called-AE-invocation-id:u32? calling-AP-title:hex? calling-AE-qualifier:hex? calling-AP-invocation-id:u32? calling-AE-invocation-id:u32? sender-acse-requirements:bits? mechanism-name:oid? calling-authentication-value:authentication? implementation-information:words? user-information:hex?
aare = protocol-version:bits? application-context-name:oid result:words result-source-diagnostic:diagnostic responding-AP-title:hex? responding-AE-qualifier:hex? responding-AP-invocation-id:u32? responding-AE-invocation-id:u32? responder-acse-requirements:bits? mechanism-name:oid? responding-authentication-value:authentication? implementation-information:words? user-information:hex?
rlrq = reason:words? user-information:hex?
rlre = reason:words? user-information:hex?
diagnostic = acse-service-user:words | acse-service-provider:words
authentication = charstring:text | bitstring:bits

compact-array = contents-description:type array-contents:hex
type-item = TypeDescription:type*
type-array = number-of-elements:u16 type-description:type
"""

_RESULTS = (
    "success hardware-fault temporary-failure read-write-denied object-undefined object-class-inconsistent "
    "object-unavailable type-unmatched scope-of-access-violated data-block-unavailable"
)
ACCESS = f"{_RESULTS} long-get-aborted no-long-get-in-progress long-set-aborted no-long-set-in-progress data-block-number-invalid other-reason".split()
ACTION = f"{_RESULTS} long-action-aborted no-long-action-in-progress other-reason".split()
CONFORMANCE = [
    "reserved-zero",
    "general-protection",
    "general-block-transfer",
    "read",
    "write",
    "unconfirmed-write",
    "reserved-six",
    "reserved-seven",
    "attribute0-supported-with-set",
    "priority-mgmt-supported",
    "attribute0-supported-with-get",
    "block-transfer-with-get-or-read",
    "block-transfer-with-set-or-write",
    "block-transfer-with-action",
    "multiple-references",
    "information-report",
    "data-notification",
    "access",
    "parameterized-access",
    "get",
    "set",
    "selective-access",
    "event-notification",
    "action",
]
RANGES = {
    "u8": (0, 255),
    "u16": (0, 65535),
    "u32": (0, 2**32 - 1),
    "i8": (-128, 127),
    "i16": (-(2**15), 2**15 - 1),
}
LEAVES = {
    "hex": r"([0-9A-F]{2})*",
    "name": r"[0-9A-F]{12}",
    "bool": r"true|false",
    "empty": r"",
    "oid": r"[0-2](\.\d+)+",
    "bits": r"[01]*|authentication|version1",
    "state": r"service-not-allowed|service-unknown",
    "words": r"[A-Za-z][A-Za-z0-9-]*",
    "moment": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ?",
    "text": r"(?s).*",
    "access-result": "|".join(ACCESS),
    "action-result": "|".join(ACTION),
    "access-results": rf"(({'|'.join(ACCESS)})( |$))*",
    "conformance": rf"[01]{{24}}|(({'|'.join(CONFORMANCE)})( |$))*",
}
DATA = {
    "null-data": r"",
    "dont-care": r"",
    "boolean": r"true|false",
    "bit-string": r"[01]*",
    "octet-string": LEAVES["hex"],
    "visible-string": r"(?s).*",
    "utf8-string": r"(?s).*",
    "float32": r"-?[0-9.]+(e[+-]?\d+)?|-?INF|NaN",
    "float64": r"-?[0-9.]+(e[+-]?\d+)?|-?INF|NaN",
    "date-time": r"([0-9A-F]{2}){12}",
    "date": r"([0-9A-F]{2}){5}",
    "time": r"([0-9A-F]{2}){4}",
    **dict.fromkeys(
        [
            "double-long",
            "double-long-unsigned",
            "bcd",
            "integer",
            "long",
            "unsigned",
            "long-unsigned",
            "long64",
            "long64-unsigned",
            "enum",
        ],
        r"-?\d+",
    ),
}
CIPHERED = re.compile(
    r"(glo|ded)-(initiateRequest|readRequest|writeRequest|initiateResponse|readResponse|writeResponse"
    r"|confirmedServiceError|unconfirmedWriteRequest|informationReportRequest|get-request|set-request"
    r"|event-notification-request|get-response|set-response|action-response)|glo-action-request|ded-actionRequest"
)


@cache
def rules() -> dict[str, str]:
    lines = (line.split(" = ", 1) for line in GRAMMAR.splitlines() if line)
    return dict(lines)


def check_document(root: Element) -> None:
    """Assert that a document obeys the schema."""
    element = root.only()
    acse = element.name in ("aarq", "aare", "rlrq", "rlre")
    assert root.name == ("aCSE-APDU" if acse else "xDLMS-APDU")
    if CIPHERED.fullmatch(element.name):
        check(element, "hex")
    else:
        assert element.name in rules(), f"{element.name} is no child of a root"
        check(element, element.name)


def check(element: Element, kind: str) -> None:
    """Assert that an element obeys a type."""
    if kind == "data":
        check_data(element.only())
        return
    if kind == "type":
        check_type(element.only())
        return
    if kind in LEAVES or kind in RANGES:
        assert not element.children, f"{element.name} has elements"
        if kind in RANGES:
            low, high = RANGES[kind]
            assert re.fullmatch(r"-?\d+", element.text), f"{element.name} is {element.text!r}"
            assert low <= int(element.text) <= high, element.name
        else:
            assert re.fullmatch(LEAVES[kind], element.text), f"{element.name} is {element.text!r}"
        return
    rule = rules()[kind]
    if " | " in rule:
        choices = dict(part.split(":") for part in rule.split(" | "))
        child = element.only()
        assert child.name in choices, f"{child.name} is none of {list(choices)}"
        check(child, choices[child.name])
    elif rule.endswith("*"):
        name, inner = rule[:-1].split(":")
        for child in element.children:
            assert child.name == name
            check(child, inner)
    else:
        check_sequence(element, rule)


def check_sequence(element: Element, rule: str) -> None:
    children = list(element.children)
    for part in rule.split():
        name, inner = part.rstrip("?").split(":")
        if children and children[0].name == name:
            check(children.pop(0), inner)
        else:
            assert part.endswith("?"), f"{name} is missing in {element.name}"
    assert not children, f"{children[0].name} is not expected in {element.name}" if children else ""


def check_data(element: Element) -> None:
    if element.name in ("array", "structure"):
        for child in element.children:
            check_data(child)
    elif element.name == "compact-array":
        check(element, "compact-array")
    else:
        assert element.name in DATA, f"{element.name} is no type of Data"
        assert not element.children
        assert re.fullmatch(DATA[element.name], element.text), f"{element.name} is {element.text!r}"


def check_type(element: Element) -> None:
    if element.name == "structure":
        check(element, "type-item")
    elif element.name == "array":
        check(element, "type-array")
    else:
        assert element.name in DATA
        assert not element.children
        assert not element.text
