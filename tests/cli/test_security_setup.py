"""``cosem security``: Security setup of a meter from the command line."""

from __future__ import annotations

from base64 import b64decode, b64encode
from dataclasses import replace

import pytest

from cosem.cli.verbs.security import _policy
from cosem.errors import ConfigurationError
from cosem.security.certificates import Certificate
from cosem.security.key_material import PrivateKey
from cosem.security.policy import SecurityPolicyV0, SecurityPolicyV1
from cosem.security.requests import certificate_request, public_key_of
from cosem.security.suites import SecuritySuite
from cosem.server.threads import serve_in_thread
from cosem.store.key_file import KeyFile
from tests.client.secured import NAME, SecuredMeter, pairs
from tests.security.test_certificates import NOW, ROOT, certificate
from tests.server.driver import StandingClock
from tests.server.test_security_setup import USES, certified

OF_CLIENT, OF_METER = pairs(SecuritySuite(1))
CLIENT = bytes(OF_CLIENT.client_title)


@pytest.fixture
def meter(tmp_path, monkeypatch):
    monkeypatch.setenv("COSEM_COUNTERS", str(tmp_path / "counters.sqlite3"))
    monkeypatch.chdir(tmp_path)
    KeyFile(tmp_path / "keys.toml").put(NAME, OF_CLIENT)
    made = SecuredMeter(OF_METER, anchors=[ROOT], policy=SecurityPolicyV1(0x24))
    made.device._source = StandingClock(NOW)
    return made


@pytest.fixture
def security(cosem, meter):
    """Run ``cosem security ACTION URL ...`` with the keys of the meter."""
    with serve_in_thread(meter.device) as address:

        def run(action, *words, **facts):
            return cosem("security", action, address, *words, "--client", "1", "--keys", "keys.toml", **facts)

        yield run


def pem(octets, label="CERTIFICATE"):
    return (
        f"Subject: somebody\n-----BEGIN {label}-----\n{b64encode(octets).decode()}\n-----END {label}-----\n"
    )


def octets_of(text, label):
    lines = text.strip().splitlines()
    assert (lines[0], lines[-1]) == (f"-----BEGIN {label}-----", f"-----END {label}-----")
    assert all(len(line) <= 64 for line in lines[1:-1])
    return b64decode("".join(lines[1:-1]), validate=True)


def test_what_is_in_force(security):
    facts = security("show", "--json").json
    assert facts == {
        "policy": 0x24,
        "demands": ["authenticated-request", "authenticated-response"],
        "suite": 1,
        "client_title": "MMM0000000001",
        "server_title": "MMM0000BC614E",
        "certificates": [
            {"of": "authority", "use": "other", "serial": "4D", "subject": "CN=Root", "issuer": "CN=Root"}
        ],
    }
    shown = security("show").out
    assert "policy        0x24: authenticated-request, authenticated-response\n" in shown
    assert "CN=Root" in shown


def test_a_stricter_policy_is_activated_and_no_weaker_one(security, meter):
    words = "authenticated-request,encrypted-request,authenticated-response"
    assert "nobody is here" in security("policy", words, stdin=b"y\n").err
    assert meter.held.policy == 0x24
    done = security("policy", words, "--yes", "--json")
    assert (done.status, done.json["policy"]) == (0, 0x2C)
    assert meter.held.policy == 0x2C
    refused = security("policy", "0x24", "--yes")
    assert (refused.status, refused.out, refused.err.count("\n")) == (1, "", 1)
    assert "other-reason" in refused.err
    words = "authenticated-request, encrypted-request, authenticated-response"
    assert f"In force is 0x2C, {words}: a policy may demand more, and never less" in refused.err
    assert meter.held.policy == 0x2C
    signed = security("policy", "0xFC", "--yes")  # the meter knows nobody who signs
    assert signed.status in (0, 1)
    assert "In force" not in signed.err


@pytest.mark.parametrize("answer", ["y", "no"])
def test_an_answer_decides(security, meter, monkeypatch, answer):
    import sys

    class Terminal:
        def isatty(self):
            return True

        def readline(self):
            return f"{answer}\n"

    monkeypatch.setattr(sys, "stdin", Terminal())
    done = security("policy", "0x6C")
    assert (meter.held.policy == 0x6C) is (answer == "y")
    assert "with no way back? [y/N]" in done.err
    assert (done.status == 0) is (answer == "y")


@pytest.mark.parametrize(
    ("text", "policy"),
    [
        ("0x6C", SecurityPolicyV1(0x6C)),
        ("108", SecurityPolicyV1(0x6C)),
        ("0", SecurityPolicyV1.NOTHING),
        ("3", SecurityPolicyV0(3)),
        ("4", SecurityPolicyV1(4)),
        ("encrypted", SecurityPolicyV0.ENCRYPTED),
        ("authenticated-and-encrypted", SecurityPolicyV0(3)),
        ("digitally-signed-response", SecurityPolicyV1(0x80)),
        ("Encrypted-Request, encrypted-response", SecurityPolicyV1(0x48)),
    ],
)
def test_how_a_policy_is_written(text, policy):
    found = _policy(text)
    assert (type(found), found) == (type(policy), policy)


@pytest.mark.parametrize("text", ["", "5", "256", "-4", "encrypted,authenticated", "signed", "0x"])
def test_what_is_no_policy(text):
    with pytest.raises(ConfigurationError):
        _policy(text)


@pytest.mark.parametrize(("use", "number"), [("signature", 0), ("agreement", 1)])
def test_a_key_pair_of_the_meter_is_renewed(security, meter, tmp_path, use, number):
    name, bits = USES[number]
    before = getattr(meter.held.keys, name)
    done = security("request", "--use", use, "--new", "-o", "meter.csr", "--json")
    assert (done.status, done.json) == (0, {"file": "meter.csr"})
    request = octets_of((tmp_path / "meter.csr").read_text(), "CERTIFICATE REQUEST")
    again = security("request", "--use", use)
    assert again.status == 0
    assert again.out.startswith("-----BEGIN CERTIFICATE REQUEST-----\n")
    assert getattr(meter.held.keys, name) == before
    der = certified(request, bits=bits, serial=90)
    (tmp_path / "meter.pem").write_text(pem(der))
    done = security("import", "meter.pem", "--json")
    assert (done.status, done.err) == (0, "")
    assert public_key_of(SecuritySuite(1), getattr(meter.held.keys, name)) == Certificate(der).public_key
    which = ("--of", "meter", "--use", use, "--owner", "MMM0000BC614E")
    exported = security("export", *which)
    assert octets_of(exported.out, "CERTIFICATE") == der
    refused = security("remove", *which)
    assert (refused.status, refused.err.count("\n")) == (1, 1)


def test_a_certificate_of_a_client_comes_and_goes(security, meter, tmp_path):
    der = certificate(CLIENT.hex().upper(), serial=91).octets
    (tmp_path / "client.der").write_bytes(der)
    done = security("import", "client.der")
    assert (done.status, done.out) == (0, f"imported: {Certificate(der).subject}\n")
    shown = security("show", "--json").json["certificates"][1]
    assert (shown["of"], shown["use"], shown["serial"]) == ("client", "signature", "5B")
    which = ("--of", "client", "--use", "signature", "--owner", "MMM:1")
    assert security("export", *which, "-o", "got.pem").out == "written: got.pem\n"
    assert octets_of((tmp_path / "got.pem").read_text(), "CERTIFICATE") == der
    assert security("remove", *which, "--json").json == {"removed": True}
    gone = security("remove", *which)
    assert (gone.status, gone.out, gone.err.count("\n")) == (1, "", 1)
    root = security("export", "--of", "authority")
    assert octets_of(root.out, "CERTIFICATE") == ROOT.octets


@pytest.mark.parametrize(
    ("action", "words", "problem", "status"),
    [
        ("import", ("nothing.pem",), "nothing.pem", 1),
        ("import", ("rubbish.pem",), "rubbish.pem: no certificate", 2),
        ("import", ("broken.pem",), "broken.pem: the certificate is no base64", 2),
        ("import", ("meter.csr",), "meter.csr: no certificate, but a request for one", 2),
        ("import", ("csr.der",), "csr.der: no certificate, but a request for one", 2),
        ("import", ("new.csr",), "new.csr: no certificate, but a request for one", 2),
        ("import", ("key.pem",), "key.pem: no certificate, but EC PRIVATE KEY", 2),
        ("export", ("--of", "client", "--use", "tls"), "--use and --owner", 2),
        ("export", ("--of", "authority", "--use", "tls"), "has no --use", 2),
        ("remove", ("--of", "client", "--use", "tls", "--owner", "x"), "--owner: ", 2),
        ("policy", ("signed",), "is no policy", 2),
        ("request", ("--use", "tls"), "invalid choice", 2),
        ("show", ("--setup", "0-0:43.0.7"), "object-undefined", 1),
    ],
)
def test_rubbish_is_one_line(security, tmp_path, action, words, problem, status):
    (tmp_path / "rubbish.pem").write_text("rubbish")
    (tmp_path / "broken.pem").write_text("-----BEGIN CERTIFICATE-----\n????\n-----END CERTIFICATE-----\n")
    asked = certificate_request(SecuritySuite(1), PrivateKey(b"\x42" * 32), CLIENT)
    (tmp_path / "csr.der").write_bytes(asked)
    (tmp_path / "meter.csr").write_text(pem(asked, "CERTIFICATE REQUEST"))
    (tmp_path / "new.csr").write_text(pem(asked, "NEW CERTIFICATE REQUEST"))
    (tmp_path / "key.pem").write_text(pem(b"rubbish", "EC PRIVATE KEY"))
    done = security(action, *words)
    assert (done.status, done.out) == (status, ""), done.err
    assert problem in done.err


def test_the_object_of_version_0_has_no_certificates(cosem, tmp_path, monkeypatch):
    monkeypatch.setenv("COSEM_COUNTERS", str(tmp_path / "counters.sqlite3"))
    KeyFile(tmp_path / "keys.toml").put(NAME, OF_CLIENT)
    of_meter = replace(OF_METER, client_title=None)
    made = SecuredMeter(of_meter, policy=SecurityPolicyV0.AUTHENTICATED)
    words = ("--client", "1", "--keys", str(tmp_path / "keys.toml"))
    with serve_in_thread(made.device) as address:
        facts = cosem("security", "show", address, *words, "--json").json
        assert (facts["policy"], facts["demands"], facts["certificates"]) == (1, ["authenticated"], None)
        assert "certificates  not shown" in cosem("security", "show", address, *words).out
        assert (
            cosem("security", "policy", address, "authenticated-and-encrypted", "--yes", *words).status == 0
        )
    assert made.held.policy is SecurityPolicyV0.AUTHENTICATED_AND_ENCRYPTED
