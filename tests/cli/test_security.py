"""Authentication, ciphering and keys from the command line: what works, what is refused, and what never shows."""

from __future__ import annotations

import json
import re
import stat
from dataclasses import replace

import pytest

from cosem.errors import ConfigurationError
from cosem.security.counters import VolatileCounterStore
from cosem.security.demonstration import demonstration_keys
from cosem.security.keys import Keys
from cosem.server import LogicalDevice, secured_profile
from cosem.server.demonstration import demonstration_meter
from cosem.server.objects.data import DataObject
from cosem.server.threads import serve_in_thread
from cosem.store.key_file import KeyFile
from cosem.types.data import OctetString
from cosem.types.enumerations import AuthenticationMechanism
from tests.client.secured import KEYS, NAME, SecuredMeter, pairs

M = AuthenticationMechanism
REQUEST = "C81E30000000059345AF30CC9C2A7B7068CD4B3F9FF33033E0E600FEFBCD021A"


@pytest.fixture(autouse=True)
def own_counters(tmp_path, monkeypatch):
    monkeypatch.setenv("COSEM_COUNTERS", str(tmp_path / "counters.sqlite3"))
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def url():
    with serve_in_thread(demonstration_meter()) as address:
        yield address


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "keys.toml"
    KeyFile(path).put(NAME, KEYS)
    return str(path)


def test_the_published_keys_open_the_demonstration_meter(cosem, url):
    for more in ((), ("--dedicated-key",), ("--short-names",), ("--protection", "both"), ("--auth", "gmac")):
        done = cosem("read", url, "1-0:1.8.0", "--client", "2", "--keys", "demo", *more, "--json")
        assert (done.status, done.err) == (0, "")
        assert done.json[0]["unit"] == "Wh"


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("--client", "2"), "--client 2"),
        (("--client", "16", "--keys", "demo"), "refused"),
        (("--client", "2", "--keys", "demo", "--auth", "none"), "refused"),
        (("--client", "2", "--keys", "demo", "--auth", "lls"), "no key password"),
        (("--client", "2", "--keys", "demo", "--auth", "sha256"), "hls_secret"),
        (("--client", "2", "--keys", "demo", "--auth", "ecdsa"), "peer_signing"),
        (("--client", "2", "--keys", "demo", "--protection", "none"), "refused"),
        (("--client", "2", "--keys", "demo", "--protection", "authentication"), "refused"),
        (("--client", "2", "--keys", "demo", "--suite", "2"), "suite 2 wants 32"),
        (("--client", "2", "--keys", "demo", "--title", "MMM:5"), "refused"),
        (("--client", "2", "--keys", "demo", "--title", "x"), "--title"),
        (("--client", "2", "--keys", "demo", "--key-name", "x"), "no entries"),
        (("--client", "2", "--keys", "demo", "--auth", "gmac", "--password", "x"), "is not used"),
        (("--client", "2", "--keys", "missing.toml"), "no file missing.toml"),
        (("--auth", "lls"), "--password"),
        (("--auth", "gmac"), "--title"),
        (("--auth", "gmac", "--title", "MMM:1"), "guek"),
        (("--auth", "md5"), "hls_secret"),
        (("--auth", "whirlpool"), "invalid choice"),
        (("--title", "MMM:1"), "--title says nothing"),
        (("--read-counter",), "--read-counter says nothing"),
        (("--largest-jump", "5"), "--largest-jump says nothing"),
        (("--dedicated-key",), "--dedicated-key says nothing"),
        (("--client", "2", "--keys", "demo", "--protection", "none", "--dedicated-key"), "without ciphering"),
        (("--suite", "7"), "invalid choice"),
    ],
)
def test_what_does_not_fit_is_told_in_one_line(cosem, url, words, problem):
    done = cosem("read", url, "1-0:1.8.0", *words)
    assert done.status in (1, 2)
    assert problem in done.err or problem == "--client 2"
    assert done.out == ""
    assert len([line for line in done.err.splitlines() if line.startswith("cosem: error:")]) <= 1
    assert "COSEM-DEMO" not in done.err


def test_a_key_file_opens_a_meter_again_and_again_and_says_once_what_is_weak(cosem, file, caplog):
    meter = SecuredMeter()
    with serve_in_thread(meter.device) as address:
        for _ in range(3):
            done = cosem("get", address, "0-0:96.1.0", "--client", "1", "--keys", file)
            assert (done.status, done.out) == (0, '"12345678"\n') or done.status == 0
            assert done.err == ""
        lost = cosem("get", address, "0-0:96.1.0", "--client", "1", "--keys", file)
        assert lost.status == 0


def test_lost_counters_are_read_from_the_meter_when_asked(cosem, file, tmp_path, monkeypatch):
    meter = SecuredMeter()
    with serve_in_thread(meter.device) as address:
        words = ("get", address, "0-0:96.1.0", "--client", "1", "--keys", file)
        assert cosem(*words).status == 0
        monkeypatch.setenv("COSEM_COUNTERS", str(tmp_path / "another.sqlite3"))
        refused = cosem(*words)
        assert refused.status == 1
        assert "invocation" in refused.err
        assert cosem(*words, "--read-counter").status == 0


def test_a_meter_whose_counter_jumped_is_taken_where_that_is_allowed(cosem, file):
    meter = SecuredMeter()
    with serve_in_thread(meter.device) as address:
        words = ("get", address, "0-0:96.1.0", "--client", "1", "--keys", file)
        assert cosem(*words).status == 0
        meter.held.counted().counter().raise_to(50_000_000)
        refused = cosem(*words)
        assert (refused.status, refused.out) == (1, "")
        assert "largest_jump" in refused.err
        assert cosem(*words, "--largest-jump", "10").status == 1
        assert cosem(*words, "--largest-jump", "far").status == 2
        assert cosem(*words, "--largest-jump", "any").status == 0
        assert cosem(*words).status == 0


@pytest.mark.parametrize("mechanism", [M.HLS_MD5, M.HLS_SHA1, M.HLS_SHA256, M.LLS, M.LOWEST, M.HLS_GMAC])
@pytest.mark.parametrize("protection", ["none", "both"])
def test_every_mechanism_has_its_name(cosem, tmp_path, mechanism, protection):
    keys = Keys.parse(
        client_title=KEYS.client_title, server_title=KEYS.server_title, guek=KEYS.encryption, gak=KEYS.authentication,
        hls_secret="open sesame", password="12345678",
    )  # fmt: skip
    path = tmp_path / "all.toml"
    KeyFile(path).put(NAME, keys)
    device = LogicalDevice("MMM12345678", objects=[DataObject("0.0.96.1.0.255", value=OctetString(b"abc"))])
    ciphered = protection == "both"
    device.add_association(
        secured_profile(mechanism, keys, client_sap=1, ciphered=ciphered, counters=VolatileCounterStore())
    )
    name = {M.LOWEST: "none", M.HLS_GMAC: "gmac"}.get(mechanism) or mechanism.name.removeprefix(
        "HLS_"
    ).lower()
    with serve_in_thread(device) as address:
        done = cosem("get", address, "0-0:96.1.0", "--client", "1", "--keys", str(path), "--auth", name,
                     "--protection", protection, "-v")  # fmt: skip
    assert done.status == 0, done.err
    for secret in (b"12345678", b"open sesame"):
        assert secret.hex(" ").upper() not in done.err


def test_new_keys_are_for_their_owner_alone_and_masked(cosem, tmp_path):
    done = cosem("keys", "new", "mine.toml", "--meter", "MMM:12345678", "--title", "MMM:1", "--json")
    assert (done.status, done.err) == (0, "")
    path = tmp_path / "mine.toml"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    text = path.read_text()
    secrets = re.findall(r"hex:([0-9A-F]{32})", text)
    assert len(set(secrets)) == 4
    shown = done.json["entries"]["MMM0000BC614E"]
    assert shown["client_title"] == "MMM0000000001"
    everything = (
        done.out
        + cosem("keys", "show", "mine.toml").out
        + cosem("keys", "show", "mine.toml", "--masked", "--json").out
    )
    assert not any(secret in everything.upper() for secret in secrets)
    assert json.loads(cosem("keys", "show", "mine.toml", "--json").out)["entries"] == done.json["entries"]
    again = cosem("keys", "new", "mine.toml", "--meter", "MMM:12345678")
    assert again.status == 2
    assert "--force" in again.err
    assert path.read_text() == text
    assert cosem("keys", "new", "mine.toml", "--meter", "MMM:12345678", "--force").status == 0
    assert path.read_text() != text


def test_keys_of_a_suite_with_signatures_have_key_pairs(cosem):
    for suite, size in ((1, 32), (2, 48)):
        name = f"suite {suite}"
        assert cosem("keys", "new", "pairs.toml", "--name", name, "--suite", str(suite)).status == 0
        keys = KeyFile("pairs.toml").find(name=name)
        assert len(keys.signing.octets) == len(keys.key_agreement.octets) == size
        assert len(keys.encryption.octets) == (16 if suite == 1 else 32)
    shown = cosem("keys", "show", "pairs.toml", "--key-name", "suite 2", "--json")
    assert list(shown.json["entries"]) == ["suite 2"]


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ((), "ACTION"),
        (("eat",), "invalid choice"),
        (("new",), "FILE"),
        (("new", "x.toml"), "--meter TITLE or --name NAME"),
        (("new", "x.toml", "--meter", "what"), "no system title"),
        (("new", "x.toml", "--name", "a", "--suite", "3"), "invalid choice"),
        (("new", "demo", "--name", "a"), "published keys"),
        (("show", "nothing.toml"), "no file"),
        (("show", "rubbish.toml"), "no TOML"),
        (("show", "keys.toml", "--key-name", "x"), "no entry x"),
        (("rotate",), "URL"),
        (("rotate", "sim:"), "--keys"),
        (("rotate", "sim:", "--client", "2", "--keys", "demo", "--which", "signing"), "invalid choice"),
        (("rotate", "sim:", "--client", "2", "--keys", "demo", "--resume"), "was begun"),
        (("rotate", "sim:", "--client", "2", "--keys", "demo", "--agree"), "suites 1 and 2"),
        (("rotate", "sim:", "--client", "2", "--keys", "demo", "--setup", "1-0:1.8.0"), "class"),
    ],
)
def test_rubbish_about_keys(cosem, file, tmp_path, words, problem):
    (tmp_path / "rubbish.toml").write_bytes(b"\xff\x00 [[[")
    (tmp_path / "rubbish.toml").chmod(0o600)
    done = cosem("keys", *words)
    assert done.status in (1, 2)
    assert problem in done.err
    assert done.out == ""


def test_a_meter_gets_new_keys_and_the_file_has_them(cosem, file):
    meter = SecuredMeter()
    with serve_in_thread(meter.device) as address:
        done = cosem("keys", "rotate", address, "--client", "1", "--keys", file, "--json")
        assert done.status == 0, done.err
        kept = KeyFile(file).find(name=NAME)
        assert kept.encryption == meter.held.keys.encryption != KEYS.encryption
        assert kept.authentication == meter.held.keys.authentication
        assert done.json["entries"][NAME] == kept.masked()
        words = ("keys", "rotate", address, "--client", "1", "--keys", file)
        assert cosem(*words, "--which", "master", "--which", "broadcast").status == 0
        assert KeyFile(file).find(name=NAME).master == meter.held.keys.master != KEYS.master
        assert cosem("get", address, "0-0:96.1.0", "--client", "1", "--keys", file).status == 0


def test_what_was_begun_and_not_proven_is_settled_by_the_next_command(cosem, file, caplog):
    meter = SecuredMeter()
    store = KeyFile(file)
    with serve_in_thread(meter.device) as address:
        new = KEYS.over(None)
        from cosem.security.key_material import Key

        new = replace(new, encryption=Key(bytes(range(60, 76))))
        store.put(f"{NAME} (new)", new)
        words = ("get", address, "0-0:96.1.0", "--client", "1", "--keys", file)
        assert cosem(*words).status == 0  # the meter never got them: the old ones still open it
        assert f"{NAME} (new)" in store.names()
        meter.held.change_keys(encryption=new.encryption)
        assert cosem(*words).status == 0
        assert list(store.names()) == [NAME]
        assert store.find(name=NAME).encryption == new.encryption
        store.put(f"{NAME} (new)", replace(new, broadcast=Key(bytes(range(80, 96)))))
        done = cosem("keys", "rotate", address, "--client", "1", "--keys", file)
        assert done.status == 2
        assert "not finished" in done.err
        done = cosem("keys", "rotate", address, "--client", "1", "--keys", file, "--resume")
        assert done.status == 0, done.err
        assert list(store.names()) == [NAME]
        assert store.find(name=NAME).broadcast == meter.held.keys.broadcast == Key(bytes(range(80, 96)))


def test_what_was_agreed_on_and_waits_apart_is_settled_by_the_next_command(cosem, file):
    from cosem.security.key_material import Key

    meter = SecuredMeter()
    store = KeyFile(file)
    other = Key(bytes(range(60, 76)))
    with serve_in_thread(meter.device) as address:
        for words in (("get", address, "0-0:96.1.0"), ("keys", "rotate", address, "--resume")):
            other = Key(bytes(each ^ 0x55 for each in other.octets))
            store.put(f"{NAME} (agreed on)", replace(store.find(name=NAME), encryption=other))
            meter.held.change_keys(encryption=other)
            done = cosem(*words, "--client", "1", "--keys", file)
            assert done.status == 0, done.err
            assert list(store.names()) == [NAME]
            assert store.find(name=NAME).encryption == other


def test_keys_are_agreed_on_from_the_command_line(cosem, tmp_path):
    from cosem.security.suites import SecuritySuite

    of_client, of_meter = pairs(SecuritySuite(1))
    meter = SecuredMeter(of_meter)
    path = tmp_path / "suite1.toml"
    KeyFile(path).put(NAME, of_client)
    with serve_in_thread(meter.device) as address:
        done = cosem("keys", "rotate", address, "--client", "1", "--keys", str(path), "--agree")
        assert done.status == 0, done.err
        assert KeyFile(path).find(name=NAME).encryption == meter.held.keys.encryption


def test_a_file_with_several_entries_wants_a_name(cosem, file):
    KeyFile(file).put("another", KEYS)
    meter = SecuredMeter()
    with serve_in_thread(meter.device) as address:
        words = ("get", address, "0-0:96.1.0", "--client", "1", "--keys", file)
        done = cosem(*words)
        assert done.status == 2
        assert "--key-name" in done.err
        assert cosem(*words, "--key-name", "another").status == 0
        assert "no entry nobody" in cosem(*words, "--key-name", "nobody").err
        KeyFile(file).put(address, KEYS)
        assert cosem(*words).status == 0


# --- decode ------------------------------------------------------------------------------------------


def test_a_ciphered_message_is_opened_and_verified(cosem):
    done = cosem("decode", "--keys", "demo", REQUEST, "--json")
    assert done.status == 0
    assert done.json["verification"] == "verified"
    assert done.json["findings"] == []
    assert "get-request" in json.dumps(done.json["plain"]).replace("_", "-").lower() or done.json["plain"]
    text = cosem("decode", "--keys", "demo", REQUEST).out
    assert "\nverified\n" in text
    assert "get-request-normal" in text
    unit = f"0001 0002 0001 {len(REQUEST) // 2:04X} {REQUEST}"
    assert cosem("decode", "--keys", "demo", unit, "--json").json["verification"] == "verified"


@pytest.mark.parametrize("bit", range(8 * 2, len(REQUEST) * 4, 5))
def test_nothing_of_a_changed_message_is_shown(cosem, bit):
    octets = bytearray.fromhex(REQUEST)
    octets[bit // 8] ^= 0x80 >> bit % 8
    done = cosem("decode", "--keys", "demo", "--unverified", octets.hex(), "--json")
    if done.status == 0:  # the bit of authentication: then there is no tag, and it says so
        assert done.json["verification"] == "unverifiable"
        assert "decrypted-without-verification" in done.json["findings"]
        return
    assert done.status == 1
    if done.out:
        assert done.json["verification"] == "failed"
        assert done.json["plain"] is None
        assert "C0010000" not in done.out.upper().replace(" ", "")


def test_without_the_authentication_key_it_is_unverifiable_and_decrypted_only_when_asked_loudly(
    cosem, tmp_path
):
    keys = demonstration_keys()
    path = tmp_path / "half.toml"
    store = KeyFile(path)
    store.put(
        "half",
        Keys(client_title=keys.client_title, server_title=keys.server_title, encryption=keys.encryption),
    )
    done = cosem("decode", "--keys", str(path), REQUEST, "--json")
    assert done.status == 0
    assert (done.json["verification"], done.json["plain"]) == ("unverifiable", None)
    loud = cosem("decode", "--keys", str(path), "--unverified", REQUEST)
    assert "NOT VERIFIED" in loud.out
    assert "finding: decrypted-without-verification" in loud.out
    assert "get-request-normal" in loud.out
    other = tmp_path / "other.toml"
    KeyFile(other).put("other", KEYS)
    stranger = cosem("decode", "--keys", str(other), REQUEST, "--json")
    assert stranger.status == 1
    assert stranger.json["verification"] == "failed"


def test_a_clear_message_with_keys_is_no_less_clear(cosem):
    clear = "C001C100080000010000FF0200"
    plain = cosem("decode", "--keys", "demo", clear, "--json").json
    assert plain["verification"] is None
    assert plain == cosem("decode", clear, "--json").json


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("--unverified",), "say nothing"),
        (("--dedicated", "00" * 16), "say nothing"),
        (("--keys", "demo", "--xml"), "not with --xml"),
        (("--keys", "demo", "--data"), "not with --xml"),
        (("--keys", "nothing"), "no file"),
        (("--keys", "demo", "--dedicated", "xyz"), "hexadecimal"),
    ],
)
def test_rubbish_about_deciphering(cosem, words, problem):
    done = cosem("decode", *words, REQUEST)
    assert done.status == 2
    assert problem in done.err
    assert done.out == ""


def served(tmp_path, *words):
    """Return the meter that ``cosem serve`` makes of its words: anew, as after a restart."""
    from argparse import ArgumentParser

    from cosem.cli.verbs import serve

    parser = ArgumentParser()
    serve.add_arguments(parser)
    options = parser.parse_args(["--listen", "tcp://127.0.0.1:0", *map(str, words)])
    options.meters = options.meters or [serve.DEMONSTRATION]
    (device,) = serve._server(options).devices.values()
    return device


def security_setup(device):
    return device["0-0:43.0.0"]


METER_FILE = """cosem-meter = 1

[meter]
name = "MMM{serial}"

[[association]]
client = 16

[[association]]
client = 1
context = "LN_CIPHERED"
mechanism = "HLS_GMAC"
keys = {guek = "env:NOT_THERE", server_title = "4D4D4D0000BC614E"}
rights = "full"

[[object]]
class = 1
name = "0-0:96.1.0"
values = {value = "12345678"}

[[object]]
class = 64
version = 1
name = "0-0:43.0.0"
"""


@pytest.mark.parametrize("meter", ["the demonstration meter", "a file"])
def test_what_clients_change_in_a_meter_of_a_key_file_is_there_after_a_restart(cosem, tmp_path, meter):
    path = tmp_path / "served.toml"
    store = KeyFile(path)
    words, client = ["--keys", path], "2"
    if meter == "a file":
        (tmp_path / "meter.toml").write_text(METER_FILE)
        words, client = [tmp_path / "meter.toml", *words], "1"
    keys = KEYS.over(None)
    if meter != "a file":
        keys = replace(keys, server_title=demonstration_keys().server_title)
    store.put("served", replace(keys, server_title=None, client_title=None))
    KeyFile(tmp_path / "own.toml").put("own", keys)
    device = served(tmp_path, *words)
    security_setup(device).held._counters = VolatileCounterStore()
    with serve_in_thread(device) as address:
        done = cosem("keys", "rotate", address, "--client", client, "--keys", "own.toml")
        assert done.status == 0, done.err
    held = security_setup(device).held
    new = KeyFile(tmp_path / "own.toml").find(name="own")
    assert store.find(name="served").encryption == held.keys.encryption == new.encryption != KEYS.encryption
    security_setup(device).set(4, OctetString(b"MMM00009"))
    held.strengthen(0xFC & ~0x90)
    again = served(tmp_path, *words)
    assert security_setup(again).held.policy == 0xFC & ~0x90
    assert security_setup(again).get(4) == b"MMM00009"
    assert security_setup(again).held.keys.encryption == new.encryption


def test_a_file_of_a_meter_without_keys_from_outside_only_shows_its_security_setup(tmp_path):
    text = METER_FILE.replace('{guek = "env:NOT_THERE", server_title = "4D4D4D0000BC614E"}', '"demo"')
    (tmp_path / "meter.toml").write_text(text)
    device = served(tmp_path, "meter.toml")
    assert not hasattr(security_setup(device), "held")


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("water", "--count", "2"), "of one meter"),
        (("water", "single-phase"), "of one meter"),
        (("water",), "one association that ciphers"),
    ],
)
def test_keys_are_of_one_meter_that_ciphers(tmp_path, file, words, problem):
    with pytest.raises(ConfigurationError, match=problem):
        served(tmp_path, *words, "--keys", file)


def test_published_keys_are_at_rest_nowhere(tmp_path):
    served(tmp_path, "--keys", "demo")
    assert list(tmp_path.glob("*.state")) == []


def test_a_served_meter_of_a_key_file_keeps_the_secrets_that_clients_gave_it(tmp_path):
    KeyFile(tmp_path / "keys.toml").put("default", KEYS)

    def management():
        device = served(tmp_path, "--keys", tmp_path / "keys.toml", "--key-name", "default")
        return next(each for each in device.associations if each.profile.client_sap == 1).association_object

    first = management()
    assert first.set(7, OctetString(b"another password")) == 0
    assert management().current_secret() == b"another password"
