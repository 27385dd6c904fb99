"""``cosem serve --authority``: a meter on the command line whose certificates can be imported."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cosem.cli.certificate_files import certificate_in
from cosem.errors import ConfigurationError, CosemError
from cosem.security.demonstration import demonstration_keys
from cosem.security.suites import SecuritySuite
from cosem.server.threads import serve_in_thread
from cosem.store.key_file import KeyFile
from tests.cli.test_security import served
from tests.cli.test_security_setup import pem
from tests.client.secured import pairs
from tests.security.test_certificates import NOW, ROOT, certificate
from tests.server.driver import StandingClock

OF_CLIENT, OF_METER = (
    replace(keys, server_title=demonstration_keys().server_title) for keys in pairs(SecuritySuite(1))
)
CLIENT = bytes(OF_CLIENT.client_title).hex().upper()


@pytest.fixture(autouse=True)
def files(tmp_path, monkeypatch):
    monkeypatch.setenv("COSEM_COUNTERS", str(tmp_path / "counters.sqlite3"))
    monkeypatch.chdir(tmp_path)
    KeyFile(tmp_path / "meter.toml").put("meter", OF_METER)
    KeyFile(tmp_path / "client.toml").put("meter", OF_CLIENT)
    (tmp_path / "root.pem").write_text(pem(ROOT.octets))
    (tmp_path / "client.pem").write_text(pem(certificate(CLIENT, serial=91).octets))
    return tmp_path


@pytest.mark.parametrize("trusted", [True, False])
def test_what_an_authority_certified_is_imported_where_the_meter_trusts_it(cosem, files, trusted):
    words = ("--authority", "root.pem") if trusted else ()
    device = served(files, "--keys", "meter.toml", *words)
    device._source = StandingClock(NOW)
    with serve_in_thread(device) as address:
        ask = ("--client", "2", "--keys", "client.toml")
        done = cosem("security", "import", address, "client.pem", *ask)
        assert done.status == int(not trusted), done.err
        shown = cosem("security", "show", address, *ask, "--json").json["certificates"]
    owners = [each["of"] for each in shown]
    assert owners == (["authority", "client"] if trusted else [])


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("--authority", "root.pem"), "--authority needs --keys FILE"),
        (("--authority", "root.pem", "--keys", "demo"), "--authority needs --keys FILE"),
        (("--authority", "client.pem", "--keys", "meter.toml"), "client.pem: the certificate is not that of an authority"),
        (("--authority", "meter.toml", "--keys", "meter.toml"), "meter.toml: no certificate"),
    ],
)  # fmt: skip
def test_what_is_no_authority(files, words, problem):
    with pytest.raises(ConfigurationError, match=problem):
        served(files, *words)


def test_a_recording_takes_none(cosem):
    done = cosem("serve", "--replay", "none.jsonl", "--authority", "root.pem")
    assert (done.status, done.err.count("\n")) == (2, 1)
    assert "--replay" in done.err


def test_the_certificate_is_found_among_others(files):
    text = pem(b"rubbish", "EC PRIVATE KEY") + pem(ROOT.octets) + pem(b"more")
    (files / "bundle.pem").write_text(text)
    assert certificate_in("bundle.pem").octets == ROOT.octets
    for cut in (10, 60, 200):
        (files / "cut.pem").write_text(pem(ROOT.octets)[:cut])
        with pytest.raises(CosemError, match="cut"):
            certificate_in("cut.pem")
