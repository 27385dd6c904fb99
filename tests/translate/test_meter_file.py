"""A whole meter as a TOML file: every value comes back, every mistake is named."""

from __future__ import annotations

import tomllib
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosem.classes.meter_record import MeterRecord, ObjectRights, RecordedAssociation, RecordedObject
from cosem.classes.standard.access_rights import AccessMode
from cosem.codec.data import encode_data
from cosem.errors import ConfigurationError, ConversionError, EncodeError
from cosem.testing.strategies import scalars, values
from cosem.translate.access_text import rights_from_text, rights_to_text
from cosem.translate.meter_file import meter_from_toml, meter_to_toml
from cosem.translate.meter_values import toml_text, value_from_toml, value_to_toml
from cosem.types.data import Array, DoubleLongUnsigned, Long64Unsigned, OctetString, Structure, Unsigned
from cosem.types.enumerations import (
    ApplicationContext,
    AuthenticationMechanism,
    Conformance,
    DataAccessResult,
)
from cosem.types.logical_name import LogicalName

HEAD = "cosem-meter = 1\n"


def through_toml(value):
    text = f"value = {toml_text(value_to_toml(value))}"
    return value_from_toml(tomllib.loads(text)["value"])


@given(values)
def test_every_value_comes_back_with_its_octets(value):
    assert encode_data(through_toml(value)) == encode_data(value)


@given(st.integers(1, 5).flatmap(lambda width: st.lists(st.lists(scalars, min_size=width, max_size=width))))
def test_rows_of_any_types_come_back_with_their_octets(rows):
    value = Array(Structure(row) for row in rows)
    assert encode_data(through_toml(value)) == encode_data(value)


def test_like_rows_say_their_types_once():
    rows = Array(Structure((OctetString(b"a"), Unsigned(n) if n else None)) for n in range(3))
    assert value_to_toml(rows) == {
        "columns": ["octet-string", "unsigned"],
        "rows": [["61", {"null-data": 0}], ["61", 1], ["61", 2]],
    }
    assert through_toml(rows) == rows


def test_numbers_that_toml_does_not_have_are_texts():
    assert value_to_toml(Long64Unsigned(2**64 - 1)) == {"long64-unsigned": str(2**64 - 1)}
    assert through_toml(Long64Unsigned(2**64 - 1)) == 2**64 - 1


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_texts_come_back_whatever_they_hold(text):
    assert tomllib.loads(f"value = {toml_text(text)}")["value"] == text
    assert tomllib.loads(f"value = {toml_text({text: 1})}")["value"] == {text: 1}


modes = st.builds(AccessMode, st.integers(0, 255))
callable_modes = st.builds(AccessMode, st.integers(0, 63).map(lambda bits: bits << 2 | bits & 1))


@given(
    st.dictionaries(st.integers(-128, 127), modes),
    st.dictionaries(st.integers(-128, 127), callable_modes),
)
def test_rights_come_back_from_their_text(attributes, methods):
    rights = ObjectRights(attributes, methods)
    assert rights_from_text(rights_to_text(rights)) == rights


@pytest.mark.parametrize("text", ["x 1", "r", "r one", "r+much 1", "call", "r 1-"])
def test_what_is_no_right_is_refused(text):
    with pytest.raises(ConversionError, match=r"right|number"):
        rights_from_text(text)


def example() -> MeterRecord:
    energy = RecordedObject(
        7,
        LogicalName("1-0:1.8.0"),
        values={2: DoubleLongUnsigned(5), 3: Structure((Unsigned(0), None))},
        refusals={4: DataAccessResult.TEMPORARY_FAILURE, -1: DataAccessResult(77)},
        rights={None: ObjectRights({1: AccessMode.READ, 2: AccessMode.READ}, {1: AccessMode.READ})},
        selectors={2: (1, 2)},
        base_name=0x1000,
        behaves=False,
        sources={"value": "energy-import"},
        history=900.0,
        comment='what "it" is',
    )
    unknown = RecordedObject(
        9999, LogicalName("0-0:96.1.0"), 7, values={-3: None}, rights={1: ObjectRights(), 16: ObjectRights()}
    )
    association = RecordedAssociation(
        1,
        ApplicationContext.SN_CIPHERED,
        AuthenticationMechanism.HLS_GMAC,
        Conformance.READ | Conformance.WRITE,
        1024,
        4,
        "full",
        "env:SECRET",
        {"guek": "@keys"},
        0x6C,
        {2: Array()},
        ObjectRights({1: AccessMode.READ}),
    )
    moment = datetime(2026, 11, 25, 13, 7, tzinfo=timezone(timedelta(hours=1)))
    return MeterRecord(
        b"ABC\xff", 17, (energy, unknown), (association,), behaves=False, time=moment, seed=3, title="a meter"
    )


def test_everything_of_a_meter_comes_back():
    assert meter_from_toml(meter_to_toml(example())) == example()


def test_no_secret_shows_in_a_record():
    assert "@keys" not in repr(example())
    assert "env:SECRET" not in repr(example())


def test_what_is_left_out_has_its_usual_value():
    meter = meter_from_toml(HEAD + '[[object]]\nclass = 8\nname = "0-0:1.0.0"\n')
    assert meter == MeterRecord(b"COS0000000000001", objects=(RecordedObject(8, LogicalName("0-0:1.0.0")),))


def test_values_without_a_type_are_as_the_class_says():
    meter = meter_from_toml(
        HEAD
        + '[[object]]\nclass = 8\nname = "0-0:1.0.0"\nvalues = {time_zone = -60, time = 2026-11-25T12:00:00Z}\n'
        + '[[object]]\nclass = 3\nname = "1-0:1.8.0"\nvalues = {scaler_unit = [-1, 30], 2 = {unsigned = 7}}\n'
    )
    clock, energy = meter.objects
    assert type(clock.values[3]).__name__ == "Long"
    assert clock.values[2][:4].hex() == "07ea0b19"
    assert tuple(energy.values[3]) == (-1, 30)
    assert energy.values[2] == 7


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "begins with"),
        ("cosem-meter = 2", "begins with"),
        ("cosem-meter = ", "no TOML"),
        (HEAD + "[metre]", "unknown metre"),
        (HEAD + "[meter]\nnam = 1", "unknown nam"),
        (HEAD + "[meter]\nname = 1", "name: str"),
        (HEAD + "[meter]\nname = 'hex:zz'", "no name"),
        (HEAD + "[meter]\ntime = 2026-11-25T12:00:00", "distance from UTC"),
        (HEAD + "object = [1]", "object 1: a table"),
        (HEAD + "[[object]]\nclass = 3", "object 1: class and name"),
        (HEAD + "[[object]]\nclass = 3\nname = 'x'", r"object 1 \(x\): "),
        (HEAD + "[[object]]\nclass = 3\nname = '1-0:1.8.0'\nvalues = {valve = 1}", "no attribute 'valve'"),
        (HEAD + "[[object]]\nclass = 3\nname = '1-0:1.8.0'\nvalues = {value = {unsigned = 256}}", "0..255"),
        (HEAD + "[[object]]\nclass = 3\nname = '1-0:1.8.0'\nvalues = {9 = 1}", "does not tell its type"),
        (HEAD + "[[object]]\nclass = 3\nname = '1-0:1.8.0'\nrefused = {2 = 'never'}", "none of"),
        (HEAD + "[[object]]\nclass = 3\nname = '1-0:1.8.0'\naccess = 5", "access is a text"),
        (HEAD + "[[object]]\nclass = 3\nname = '1-0:1.8.0'\nselectors = {2 = 5}", "object 1"),
        (HEAD + "[[object]]\nclass = 3\nname = '1-0:1.8.0'\nhistory = 'long'", "for profiles"),
        *(
            (HEAD + f"[[object]]\nclass = 7\nname = '1-0:99.1.0'\nhistory = {text}", "no duration")
            for text in ("'long'", "'-3d'", "3", "-3", "'nand'", "'infd'", "'36526d'", "'d'", "true")
        ),
        (HEAD + "[meter]\nsap = 0", "sap 0 is not within 1..65535"),
        (HEAD + "[[association]]\nclient = 0", "client 0 is not within 1..65535"),
        (HEAD + "[[association]]\nclient = 70000", "client 70000 is not within"),
        (HEAD + "[[association]]\nmax_pdu_size = 12", "max_pdu_size 12 is not within 64..65535"),
        (HEAD + "[[association]]\nversion = 256", "version 256"),
        (HEAD + "[[association]]\npolicy = -1", "policy -1"),
        (HEAD + "[[object]]\nclass = 65536\nname = '1-0:1.8.0'", "class 65536"),
        (HEAD + "[[object]]\nclass = 3\nversion = -1\nname = '1-0:1.8.0'", "version -1"),
        (HEAD + "[[object]]\nclass = 3\nname = '1-0:1.8.0'\nbase_name = 65536", "base_name 65536"),
        (HEAD + "[[object]]\nclass = 3\nname = '1-0:1.8.0'\naccess = {0 = 'r 1'}", "'0' is no client"),
        (HEAD + "[[object]]\nclass = 3\nname = '1-0:1.8.0'\nselectors = {2 = ['x']}", "list of numbers"),
        (HEAD + "a = " + "[" * 5000, "nested too deeply"),
        (HEAD + "[[association]]\nrights = 'all'", "none of read, full, nothing"),
        (HEAD + "[[association]]\nconformance = ['fly']", "no service"),
        (HEAD + "[[association]]\nmechanism = 'MAGIC'", "none of LOWEST"),
        (HEAD + "[[association]]\naccess = 'z 1'", "association 1"),
    ],
)
def test_mistakes_are_named_in_one_line(text, said):
    with pytest.raises(ConfigurationError, match=said) as caught:
        meter_from_toml(text)
    assert "\n" not in str(caught.value)


def test_a_secret_of_the_wrong_type_is_not_repeated():
    with pytest.raises(ConfigurationError) as caught:
        meter_from_toml(HEAD + "[[association]]\nsecret = 87654321")
    assert "87654321" not in str(caught.value)


@pytest.mark.parametrize(
    "value", [5, {"unsigned": 1, "enum": 2}, {"columns": [], "rows": [1]}, {"columns": 1, "rows": []}]
)
def test_what_is_no_value_is_refused(value):
    with pytest.raises(EncodeError):
        value_from_toml(value)
