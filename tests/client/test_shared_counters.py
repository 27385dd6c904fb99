"""Two programs with the same keys and one file of counters do not knock each other out."""

from __future__ import annotations

import asyncio

import pytest

import cosem
from cosem.errors import ExceptionResponseError, SecurityError
from cosem.server.threads import serve_in_thread
from cosem.store.sqlite_counters import SqliteCounterStore
from tests.client.secured import SERIAL, SecuredMeter, reads, security


@pytest.fixture
def url():
    with serve_in_thread(SecuredMeter().device) as address:
        yield address


@pytest.fixture
def one_file(tmp_path):
    """Return what makes the security of one more program."""
    return lambda: security(counters=SqliteCounterStore(tmp_path / "counters"))


def used_by_another(url, one_file):
    with cosem.connect(url, client=1, security=one_file()) as other:
        assert reads(other)


@pytest.mark.parametrize("before", [0, 20, 300])
def test_a_read_goes_on_after_another_program(url, one_file, before):
    with cosem.connect(url, client=1, security=one_file()) as client:
        for _ in range(before):
            assert reads(client)
        for _ in range(3):
            used_by_another(url, one_file)
            for _ in range(3):
                assert reads(client)
        assert client.get_many([("0.0.96.1.0.255", 2), ("0.0.96.1.1.255", 2)])[0].value == SERIAL


def test_the_same_from_an_event_loop(url, one_file):
    async def read():
        async with cosem.connect_async(url, client=1, security=one_file()) as client:
            await asyncio.to_thread(used_by_another, url, one_file)
            return await client.get("0.0.96.1.0.255", 2, class_id=1)

    assert asyncio.run(read()) == SERIAL


def test_what_changes_something_is_refused_once_and_not_repeated(url, one_file):
    """Anybody can forge the refusal; what was done might be done twice."""
    with cosem.connect(url, client=1, security=one_file()) as client:
        used_by_another(url, one_file)
        with pytest.raises(ExceptionResponseError, match="invocation-counter-error"):
            client.set("0.0.96.1.0.255", 2, SERIAL, class_id=1)
        client.set("0.0.96.1.0.255", 2, SERIAL, class_id=1)


def test_a_new_association_begins_above_what_others_have_used(url, one_file):
    with cosem.connect(url, client=1, security=one_file()) as client:
        used_by_another(url, one_file)
        client.reopen()
        assert reads(client)


def test_a_store_that_fails_meanwhile_leaves_the_refusal(url, one_file, monkeypatch):
    def fail(*_):
        raise SecurityError("the disk is gone")

    with cosem.connect(url, client=1, security=one_file()) as client:
        used_by_another(url, one_file)
        monkeypatch.setattr(SqliteCounterStore, "peek", fail)
        with pytest.raises(ExceptionResponseError, match="invocation-counter-error"):
            reads(client)
        monkeypatch.undo()
        used_by_another(url, one_file)
        assert reads(client)


def test_a_release_is_answered_after_another_program(url, one_file):
    """A server answers an RLRQ with a used counter with silence."""
    client = cosem.connect(url, client=1, security=one_file())
    with client:
        used_by_another(url, one_file)
        assert client.release()


def test_a_store_that_cannot_tell_does_not_keep_from_releasing(url, one_file, monkeypatch):
    def fail(*_):
        raise SecurityError("the disk is gone")

    with cosem.connect(url, client=1, security=one_file()) as client:
        monkeypatch.setattr(SqliteCounterStore, "peek", fail)
        assert client.release()
