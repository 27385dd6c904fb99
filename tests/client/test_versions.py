"""Names of attributes and methods mean what they mean in the version of the class that the meter has."""

from __future__ import annotations

import pytest

import cosem
from cosem.classes.registry import class_of
from cosem.errors import ActionError, ConversionError
from cosem.server import AccessRights, LogicalDevice, RegisterObject, serve_in_thread
from cosem.types.data import Array, DoubleLongUnsigned, LongUnsigned, OctetString, Unsigned
from tests.client.meter import LIST, Meter, access, connected

ENERGY, TWISTED_PAIR = "1-0:1.8.0", "0.0.22.0.0.255"
ASSOCIATION = "0-0:40.0.0"


@pytest.fixture(scope="module", params=[0, 2])
def short_named(request):
    device = LogicalDevice(
        "ABC0000000000001",
        objects=[RegisterObject(ENERGY, value=DoubleLongUnsigned(7), scaler_unit=(0, 30))],
    )
    device.add_association(16, AccessRights.full(), short_names=True, version=request.param)
    with serve_in_thread(device) as url:
        yield request.param, url


@pytest.mark.parametrize("listed", [False, True], ids=["the list is not read yet", "the list is read"])
def test_a_method_that_only_an_old_version_has_is_called_by_name(short_named, listed):
    version, url = short_named
    with cosem.connect(url, short_names=True) as meter:
        if listed:
            meter.objects()
        if version == 0:
            found = meter.call(ASSOCIATION, "getlist_by_classid", LongUnsigned(3))
            assert [bytes(entry[3]) for entry in found] == [cosem.LogicalName(ENERGY)]
        else:
            with pytest.raises(ConversionError, match="Association SN, version 2, has no method 'getlist"):
                meter.call(ASSOCIATION, "getlist_by_classid", LongUnsigned(3))


def test_a_version_that_is_given_by_its_declaration_needs_no_list():
    meter = Meter()
    client, _ = connected(meter)
    meter.methods[7, "1.0.99.1.0.255", 3] = lambda parameters: pytest.fail("the meter has none")
    with pytest.raises(ConversionError, match="has no method 'get_buffer_by_range'"):
        client.call("1-0:99.1.0", "get_buffer_by_range", Unsigned(0), class_id=class_of(7, 1))
    del meter.methods[7, "1.0.99.1.0.255", 3]
    with pytest.raises(ActionError):
        client.call("1-0:99.1.0", "get_buffer_by_range", Unsigned(0), class_id=class_of(7, 0))
    assert meter.kinds() == ["C301"]
    assert meter.received[-1][11] == 3


def old_meter(version: int) -> Meter:
    meter = Meter()
    meter.values[15, LIST, 2] = Array([access(24, TWISTED_PAIR, 5, version=version)])
    for number in range(1, 6):
        meter.values[24, TWISTED_PAIR, number] = OctetString(bytes([number]))
    return meter


@pytest.mark.parametrize(("version", "number"), [(0, 4), (1, 5)])
def test_an_attribute_has_the_number_of_its_version(version, number):
    client, _ = connected(old_meter(version))
    assert client.get(TWISTED_PAIR, "tabi_list", class_id=24) == bytes([5])  # nobody knows the version yet
    client.objects()
    assert client.get(TWISTED_PAIR, "tabi_list", class_id=24) == bytes([number])
    entry = client.objects()[0]
    other, _ = connected(old_meter(version))
    assert other.get(entry, "tabi_list") == bytes([number])


def test_a_name_that_no_version_has_is_refused_without_asking_the_meter():
    meter = old_meter(0)
    client, _ = connected(meter)
    with pytest.raises(ConversionError, match="has no attribute 'tabby_list'"):
        client.get(TWISTED_PAIR, "tabby_list", class_id=24)
    assert meter.kinds() == []


def test_a_meter_that_gives_no_list_leaves_the_error_as_it_is():
    meter = old_meter(0)
    del meter.values[15, LIST, 2]
    client, _ = connected(meter)
    with pytest.raises(ConversionError, match="has no attribute 'fatal_error'"):
        client.get(TWISTED_PAIR, "fatal_error", class_id=24)
