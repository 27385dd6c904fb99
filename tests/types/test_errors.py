"""The tree of errors: who is to blame, facts as attributes, and every one of them pickles."""

from __future__ import annotations

import pickle

import pytest

from cosem import errors
from cosem.errors import (
    AccessError,
    ActionError,
    AssociationRefused,
    ConfirmedServiceErrorReceived,
    CosemError,
    DecodeError,
    EncodeError,
    ExceptionResponseError,
    FrameError,
    LimitError,
    LinkError,
    LocalError,
    RemoteError,
    ReplayError,
    SecurityError,
    StateError,
)
from cosem.types.enumerations import ActionResult, DataAccessResult, ServiceErrorCode, StateErrorCode

EXAMPLES = [
    (EncodeError("does not fit", "value_list[3]"), "value_list[3]: does not fit"),
    (EncodeError("does not fit"), "does not fit"),
    (StateError("IDLE", "a data service"), "a data service is not allowed while IDLE"),
    (
        DecodeError("octets missing", 3, "get-request-normal.result"),
        "octets missing at offset 3 in get-request-normal.result",
    ),
    (DecodeError("octets missing", 3), "octets missing at offset 3"),
    (LimitError("nesting", 33, 32, 7, "[1]"), "nesting 33 exceeds the limit of 32 at offset 7 in [1]"),
    (
        AssociationRefused(1, "acse-service-user", 13, "authentication-failure", "more", "wrong password"),
        "association refused: rejected-permanent, acse-service-user 13 (authentication-failure); more. Likely: wrong password",
    ),
    (
        AssociationRefused(2, "acse-service-provider", 1, "x"),
        "association refused: rejected-transient, acse-service-provider 1 (x)",
    ),
    (AssociationRefused(9, "server", 1, "x"), "association refused: result 9, server 1 (x)"),
    (
        AccessError("1.0.1.8.0.255 attribute 2", DataAccessResult.READ_WRITE_DENIED),
        "1.0.1.8.0.255 attribute 2: read-write-denied (3)",
    ),
    (AccessError("x", 3), "x: 3"),
    (ActionError("x", ActionResult.OTHER_REASON), "x: other-reason (250)"),
    (
        ExceptionResponseError(
            StateErrorCode.SERVICE_NOT_ALLOWED, ServiceErrorCode.INVOCATION_COUNTER_ERROR, 77
        ),
        "exception-response: service-not-allowed (1), invocation-counter-error (6), the server expects invocation counter 77",
    ),
    (ExceptionResponseError(1, 1), "exception-response: 1, 1"),
    (
        ExceptionResponseError(1, 1, in_clear=True, answer_begun=True),
        "exception-response: 1, 1; it came without protection, anybody may have sent it; the answer had begun, so the request was executed",
    ),
    (
        ConfirmedServiceErrorReceived(1, 6, 3, "initiate, pdu-size-too-short"),
        "confirmedServiceError: initiate, pdu-size-too-short",
    ),
    (ConfirmedServiceErrorReceived(1, 6, 3), "confirmedServiceError: service 1, group 6, value 3"),
    (ReplayError(5, 77), "invocation counter 5 was used before: 77 or more is expected"),
    (FrameError("no flag", 9), "no flag at offset 9"),
]


@pytest.mark.parametrize(("error", "text"), EXAMPLES)
def test_what_it_says_and_that_it_pickles(error, text):
    assert str(error) == text
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert str(again) == text
    assert vars(again) == vars(error)
    assert again.args == error.args


def test_every_error_pickles_and_has_one_to_blame():
    with_facts = {type(error) for error, _ in EXAMPLES}
    for name in errors.__all__:
        kind = getattr(errors, name)
        assert issubclass(kind, CosemError)
        if kind is not CosemError:
            assert (
                sum(issubclass(kind, each) for each in (LocalError, RemoteError, SecurityError, LinkError))
                == 1
            )
        if kind not in with_facts:
            error = kind("said")
            assert str(pickle.loads(pickle.dumps(error))) == "said"


def test_the_tree_in_the_docstring_is_the_tree():
    named = {line.split("── ")[1].split()[0] for line in str(errors.__doc__).splitlines() if "── " in line}
    assert named == set(errors.__all__) - {"CosemError"}
