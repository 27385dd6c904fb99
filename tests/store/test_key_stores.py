from __future__ import annotations

import json
import logging
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosem.errors import ConfigurationError
from cosem.security.key_material import Key
from cosem.security.keys import Keys
from cosem.security.system_title import SystemTitle
from cosem.store import key_file, keyring_keys
from cosem.store.association_secrets import AssociationSecretsFile
from cosem.store.environment_keys import EnvironmentKeyStore
from cosem.store.files import read_secret_file, write_private
from cosem.store.key_entries import texts_of
from cosem.store.key_file import KeyFile
from cosem.store.keyring_keys import KeyringKeyStore
from cosem.store.memory_keys import CombinedKeyStore, MemoryKeyStore
from cosem.store.security_state import SecurityStateFile

TITLE = SystemTitle("MMM0000BC614E")
HEX = "E0E1E2E3E4E5E6E7E8E9EAEBECEDEEEF"
URL = "tcp://10.0.0.7:4059"
FULL = Keys.parse(
    suite=1, client_title="MMM0000000001", guek=HEX, gak=bytes(range(16)), gbek=HEX, kek=HEX, signing=b"\1" * 32,
    key_agreement=b"\2" * 32, peer_signing=bytes(range(64)), peer_key_agreement=bytes(64), hls_secret=b"\0\xff",
    password='quote " backslash \\ \n \x7f é',
)  # fmt: skip


class Ring:
    """Stands for a keyring."""

    def __init__(self):
        self.kept = {}

    def get_password(self, service, username):
        return self.kept.get((service, username))

    def set_password(self, service, username, password):
        self.kept[service, username] = password

    def delete_password(self, service, username):
        del self.kept[service, username]


STORES = {
    "memory": lambda _: MemoryKeyStore(),
    "file": lambda directory: KeyFile(directory / "keys.toml", strict=True),
    "keyring": lambda _: KeyringKeyStore(backend=Ring()),
    "combined": lambda directory: CombinedKeyStore(KeyFile(directory / "keys.toml"), MemoryKeyStore()),
}


@pytest.fixture(autouse=True)
def _home(tmp_path_factory, monkeypatch):
    """Let no lock lie in the directory of who runs this."""
    monkeypatch.setenv("HOME", str(tmp_path_factory.mktemp("home")))


@pytest.fixture(params=STORES)
def store(request, tmp_path):
    return STORES[request.param](tmp_path)


def test_what_is_kept_is_found(store):
    assert store.find(server_title=TITLE) is None
    assert list(store.names()) == []
    store.put(str(TITLE), FULL)
    found = store.find(server_title=TITLE)
    assert found == FULL.over(Keys(server_title=TITLE))
    assert list(store.names()) == ["MMM0000BC614E"]
    assert store.find(server_title=b"MMM00002") is None
    assert store.find(name="4D4D4D0000BC614E") == FULL  # a title has one name, however it is written
    assert store.find() is None


def test_title_then_name_then_default(store):
    store.put("default", Keys.parse(gak=bytes(range(16)), guek=bytes(range(16)), password="default"))
    store.put(URL, Keys.parse(guek=b"\1" * 16, password="of the URL"))
    store.put(TITLE.hex(), Keys.parse(guek=HEX))
    found = store.find(server_title=TITLE, name=URL)
    assert found == Keys.parse(guek=HEX, password="of the URL", gak=bytes(range(16)), server_title=TITLE)
    assert store.find(name=URL).password == Keys.parse(password="of the URL").password
    assert store.find(name="another").password == Keys.parse(password="default").password


def test_replacing_and_removing(store):
    for name in ("one", "two", "three"):
        store.put(name, Keys.parse(password=name))
    store.put("two", Keys.parse(password="changed"))
    store.remove("one")
    store.remove("one")
    assert set(store.names()) == {"two", "three"}
    assert store.find(name="two") == Keys.parse(password="changed")
    assert store.find(name="three") == Keys.parse(password="three")
    assert store.find(name="one") is None


def test_keys_of_another_meter_are_refused(store):
    store.put(URL, Keys.parse(guek=HEX, server_title="MMM0000000002"))
    with pytest.raises(ConfigurationError, match="those of MMM0000000002, not of MMM0000BC614E"):
        store.find(server_title=TITLE, name=URL)


def test_a_store_shows_no_secret(store):
    store.put("default", Keys.parse(guek="a passphrase :-)", password="sesame"))
    assert "passphrase" not in repr(store)
    assert "sesame" not in repr(store)


class Held:
    encrypt = decrypt = fingerprint = None

    def __init__(self):
        self.encrypt = print


def test_a_key_held_elsewhere_is_not_written_down(tmp_path):
    keys = Keys.parse(encryption=Held(), gak=HEX)
    for store in (KeyFile(tmp_path / "keys.toml"), KeyringKeyStore(backend=Ring())):
        with pytest.raises(ConfigurationError, match="held elsewhere"):
            store.put("default", keys)
        assert list(store.names()) == []
    memory = MemoryKeyStore({"default": keys})
    assert memory.find() == keys


def test_texts_are_read_as_they_were_written():
    assert Keys.parse(texts_of(FULL)) == FULL


# --- the file ----------------------------------------------------------------------------------------


def written(tmp_path, text, mode=0o600):
    path = tmp_path / "keys.toml"
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    return path


def test_the_example_of_the_documentation(tmp_path):
    example = key_file.__doc__.partition("::\n")[2].partition("\n\nThe fields")[0]
    lines = [line[4:] for line in example.splitlines()]
    path = written(tmp_path, "\n".join(lines))
    (tmp_path / "master.key").write_bytes(bytes(range(1, 17)))
    (tmp_path / "meter-public.hex").write_text(bytes(range(64)).hex())
    for name in ("master.key", "meter-public.hex"):
        (tmp_path / name).chmod(0o600)
    store = KeyFile(path, strict=True)
    assert list(store.names()) == ["default", "MMM0000BC614E", URL]
    with pytest.raises(ConfigurationError, match=r"signing: |suite 0"):
        store.find(server_title=TITLE).signing_key()
    found = store.find(server_title=TITLE)
    assert found.master.octets == bytes(range(1, 17))
    assert found.client_title == SystemTitle("MMM0000000001")
    assert found.signing.octets.hex().startswith("418073c2")
    assert store.find(name=URL).password.octets == b"12345678"


def test_a_file_that_others_may_read_is_told_once_or_refused(tmp_path, caplog):
    path = written(tmp_path, '[default]\npassword = "sesame"\n', 0o640)
    for _ in range(2):
        assert KeyFile(path).find() == Keys.parse(password="sesame")
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "mode 0640" in caplog.text
    assert "sesame" not in caplog.text
    with pytest.raises(ConfigurationError, match="others may read it"):
        KeyFile(path, strict=True).find()


def test_a_private_file_is_not_told(tmp_path, caplog):
    KeyFile(written(tmp_path, "")).find()
    assert caplog.records == []


def test_what_is_written_is_private(tmp_path):
    path = written(tmp_path, '[default]\npassword = "sesame"\n', 0o644)
    KeyFile(path).put("other", Keys.parse(password="x"))
    assert path.stat().st_mode & 0o777 == 0o600
    assert sorted(each.name for each in tmp_path.iterdir()) == [".keys.toml.lock", "keys.toml"]


def test_a_file_that_changed_is_read_again(tmp_path):
    path = written(tmp_path, '[default]\npassword = "one"\n')
    store = KeyFile(path)
    assert store.find() == Keys.parse(password="one")
    KeyFile(path).put("default", Keys.parse(password="another"))
    assert store.find() == Keys.parse(password="another")
    path.unlink()
    assert store.find() is None


COMMENTED = """# all meters
[default]  # of everybody
password = "p"

# the first
[meter.one]
password = "1"  # old

# the second
[meter."two"]
hls_secret = "2"
"""


def test_writing_leaves_comments_and_other_entries_alone(tmp_path):
    path = written(tmp_path, COMMENTED)
    store = KeyFile(path)
    store.put("one", Keys.parse(password="new"))
    store.put("three", Keys.parse(password="3"))
    text = path.read_text()
    assert "# all meters" in text
    assert "# of everybody" in text
    assert 'hls_secret = "2"' in text
    assert "# old" not in text
    assert list(store.names()) == ["default", "one", "two", "three"]
    assert store.find(name="one").password.octets == b"new"
    store.remove("two")
    assert list(store.names()) == ["default", "one", "three"]


@pytest.mark.parametrize(
    "text",
    [
        '[meter]\none = { password = "1" }\ntwo = { password = "2" }\n',
        'meter.one.password = "1"\nmeter.two.password = "2"\n',
        '[meter.one]\npassword = """\n[meter.two]\n"""\n[meter.two]\npassword = "2"\n',
    ],
)
def test_writing_to_a_file_that_is_written_in_another_way(tmp_path, text):
    store = KeyFile(written(tmp_path, text))
    store.put("one", Keys.parse(password="new"))
    assert store.find(name="one") == Keys.parse(password="new")
    assert store.find(name="two") == Keys.parse(password="2")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[default", "is no TOML"),
        ("a = " + "[" * 3000, "nested too deep"),
        ('[default]\npassword = "sesame\n', "is no TOML (at line 2"),
        ("[meters.one]\n", "meters is unknown"),
        ("default = 1\n", "an entry is a table"),
        ("meter = 1\n", "an entry is a table"),
        ("[meter]\none = 1\n", "an entry is a table"),
        ('[meter."MMM0000BC614E"]\n[meter."4D4D4D0000BC614E"]\n', "MMM0000BC614E stands there twice"),
        ('[default]\nguek = "sesame"\n', "encryption (guek): 6 characters"),
        ("[default]\npassword = 12345678\n", "password: a number where a text is wanted"),
        ('[default]\nguek = "@nowhere"\n', "nowhere cannot be read"),
    ],
)
def test_a_file_that_cannot_be_read(tmp_path, text, says):
    with pytest.raises(ConfigurationError) as refused:
        KeyFile(written(tmp_path, text)).find()
    assert says in str(refused.value)
    assert "sesame" not in str(refused.value)


def test_a_broken_file_is_not_written_over(tmp_path):
    path = written(tmp_path, "[default")
    with pytest.raises(ConfigurationError):
        KeyFile(path).put("one", FULL)
    assert path.read_text() == "[default"


def test_octets_that_are_no_text(tmp_path):
    path = written(tmp_path, "")
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigurationError, match="not UTF-8"):
        KeyFile(path).find()


def test_a_suite_in_the_default_holds_for_the_entries(tmp_path):
    text = f'[default]\nsuite = 2\npassword = "p"\nkek = "{HEX * 2}"\n[meter.big]\nguek = "{HEX * 2}"\n'
    store = KeyFile(written(tmp_path, text + f'[meter.small]\nsuite = 0\nguek = "{HEX}"\n'))
    assert store.find(name="big") == Keys.parse(suite=2, password="p", kek=HEX * 2, guek=HEX * 2)
    assert store.find(name="small") == Keys.parse(suite=0, password="p", guek=HEX)


WRITER = """
import sys
import threading
from contextlib import suppress
from cosem.security.key_material import Key
from cosem.security.keys import Keys
from cosem.store.key_file import KeyFile
for number in range(25):
    KeyFile(sys.argv[1]).put(f"{sys.argv[2]}{number}", Keys.parse(password="x"))
"""


def test_two_writers_lose_nothing(tmp_path):
    command = [sys.executable, "-c", WRITER, str(tmp_path / "keys.toml")]
    writers = [subprocess.Popen([*command, name]) for name in ("a", "b")]
    assert [writer.wait(60) for writer in writers] == [0, 0]
    assert set(KeyFile(tmp_path / "keys.toml").names()) == {f"{w}{n}" for w in "ab" for n in range(25)}


@given(st.dictionaries(st.text(min_size=1, max_size=12), st.text(min_size=1, max_size=12), max_size=4))
def test_any_name_and_any_password(tmp_path_factory, entries):
    path = tmp_path_factory.mktemp("any") / "keys.toml"
    expected = {}
    for name, password in entries.items():
        try:
            keys = Keys.parse(password=f"text:{password}")
        except UnicodeEncodeError:
            continue
        KeyFile(path).put(name, keys)
        expected[key_file.entry_name(name)] = keys
    for name, keys in expected.items():
        assert KeyFile(path).find(name=name) == keys


def test_a_write_that_fails_leaves_what_was_there(tmp_path, monkeypatch):
    path = tmp_path / "keys.toml"
    write_private(path, b"old")

    def fail(*_):
        raise OSError(28, "no space left")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(ConfigurationError, match="no space left"):
        write_private(path, b"new")
    assert path.read_bytes() == b"old"
    assert [each.name for each in tmp_path.iterdir()] == ["keys.toml"]


def test_places_where_no_file_can_be(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ConfigurationError, match="cannot be written"):
        write_private(tmp_path / "file" / "keys", b"")
    with pytest.raises(ConfigurationError):
        KeyFile(tmp_path / "file" / "keys").put("one", FULL)
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_secret_file(tmp_path / "nowhere")
    with pytest.raises(ConfigurationError, match="cannot be read"):
        KeyFile(tmp_path / "file" / "keys").find()


def test_a_file_too_large_for_a_secret(tmp_path):
    path = tmp_path / "large"
    write_private(path, bytes(1024 * 1024 + 1))
    with pytest.raises(ConfigurationError, match="larger than 1 MiB"):
        read_secret_file(path)


# --- environment and keyring -------------------------------------------------------------------------


def test_environment(tmp_path):
    write_private(tmp_path / "gak", bytes(range(16)))
    variables = {
        "COSEM_PASSWORD": "12345678",
        "COSEM_MMM0000BC614E_GUEK": HEX,
        "COSEM_MMM0000BC614E_GAK": f"@{tmp_path / 'gak'}",
        "COSEM_TCP_10_0_0_7_4059_HLS_SECRET": "of the URL",
        "COSEM_PEER_SIGNING": bytes(range(64)).hex(),
        "COSEM_HOME": "not ours",
        "COSEM_CLIENT_TITLE": "",
        "OTHER_PASSWORD": "not ours",
    }
    store = EnvironmentKeyStore(variables)
    expected = Keys.parse(
        guek=HEX, gak=bytes(range(16)), password="12345678", hls_secret="of the URL", server_title=TITLE,
        peer_signing=bytes(range(64)),
    )  # fmt: skip
    assert store.find(server_title=TITLE, name=URL) == expected
    assert set(store.names()) == {"default", "MMM0000BC614E", "TCP_10_0_0_7_4059"}
    assert EnvironmentKeyStore({}).find(name="x") is None


def test_environment_of_the_process(monkeypatch):
    monkeypatch.setenv("COSEM_TEST_ONLY_PASSWORD", "sesame")
    assert EnvironmentKeyStore().find(name="test only") == Keys.parse(password="sesame")
    assert "sesame" not in repr(EnvironmentKeyStore())


def test_environment_is_only_read():
    for change in (
        lambda: EnvironmentKeyStore({}).put("x", FULL),
        lambda: EnvironmentKeyStore({}).remove("x"),
    ):
        with pytest.raises(ConfigurationError, match="only read"):
            change()


def test_environment_that_cannot_be_read():
    with pytest.raises(
        ConfigurationError, match=r"environment variables COSEM_\*: authentication \(gak\): 6 characters"
    ) as refused:
        EnvironmentKeyStore({"COSEM_GAK": "sesame"}).find()
    assert "sesame" not in str(refused.value)


def test_keyring_that_fails_tells_no_secret():
    class Failing(Ring):
        def set_password(self, service, username, password):
            raise RuntimeError(f"cannot keep {password}")

    with pytest.raises(ConfigurationError, match="RuntimeError") as refused:
        KeyringKeyStore(backend=Failing()).put("one", Keys.parse(password="sesame"))
    assert "sesame" not in str(refused.value)


@pytest.mark.parametrize("text", ["no JSON", "[]", "1", "[" * 100_000])
def test_keyring_with_an_entry_that_is_none(text):
    ring = Ring()
    ring.set_password("cosem", "one", text)
    with pytest.raises(ConfigurationError, match="no JSON object"):
        KeyringKeyStore(backend=ring).find(name="one")


@pytest.mark.parametrize("text", ["no JSON", "{}", "1", "[1]", "[" * 100_000])
def test_keyring_whose_list_of_entries_is_none(text):
    backend = Ring()
    backend.set_password("cosem", keyring_keys._NAMES, text)
    with pytest.raises(ConfigurationError, match="no JSON array of texts"):
        KeyringKeyStore(backend=backend).names()


def test_keyring_that_is_not_installed(monkeypatch):
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(ConfigurationError, match="not installed"):
        KeyringKeyStore()


def test_keyring_that_is_installed(monkeypatch):
    monkeypatch.setitem(sys.modules, "keyring", Ring())
    store = KeyringKeyStore("mine")
    store.put("one", FULL)
    assert store.find(name="one") == FULL


def test_combined_stores():
    first, second = MemoryKeyStore(), MemoryKeyStore({"default": Keys.parse(guek=HEX, password="second")})
    store = CombinedKeyStore(first, second)
    store.put("default", Keys.parse(password="first"))
    assert store.find() == Keys.parse(guek=HEX, password="first")
    assert list(store.names()) == ["default"]
    assert second.find().password == Keys.parse(password="second").password
    with pytest.raises(ConfigurationError):
        CombinedKeyStore()


def test_nothing_is_logged_of_keys(caplog, tmp_path):
    with caplog.at_level(logging.DEBUG):
        store = KeyFile(tmp_path / "keys.toml")
        store.put("one", FULL)
        store.find(name="one")
    assert HEX not in caplog.text


def test_a_change_of_the_directory_changes_no_key_file(tmp_path, monkeypatch):
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    store = KeyFile("keys.toml")
    monkeypatch.chdir(tmp_path / "elsewhere")
    store.put("A", FULL)
    assert "A" in KeyFile(tmp_path / "keys.toml").names()
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_two_writers_through_two_names_of_one_file_lose_nothing(tmp_path):
    real, link = tmp_path / "real" / "keys.toml", tmp_path / "link.toml"
    KeyFile(real).put("x", FULL)
    link.symlink_to(real)
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(path), name])
        for path, name in ((real, "a"), (link, "b"))
    ]
    assert [writer.wait(60) for writer in writers] == [0, 0]
    assert set(KeyFile(real).names()) == {"x"} | {f"{w}{n}" for w in "ab" for n in range(25)}
    assert not (tmp_path / ".link.toml.lock").exists()


@pytest.mark.parametrize("file", [SecurityStateFile, AssociationSecretsFile])
def test_what_a_meter_keeps_is_checked_for_its_mode_and_stays_where_it_was(
    file, tmp_path, caplog, monkeypatch
):
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    kept = file("state")
    monkeypatch.chdir(tmp_path / "elsewhere")
    if isinstance(kept, SecurityStateFile):
        kept.keep_client_title(TITLE)
    else:
        kept.put("0.0.40.0.1.255", b"secret")
    (tmp_path / "state").chmod(0o666)
    file(tmp_path / "state")
    assert "others may read it" in caplog.text
    assert list((tmp_path / "elsewhere").iterdir()) == []


class Dying(Ring):
    """A keyring whose user dies before what comes after so many changes."""

    left = 99

    def set_password(self, service, username, password):
        self._change()
        super().set_password(service, username, password)

    def delete_password(self, service, username):
        self._change()
        super().delete_password(service, username)

    def _change(self):
        self.left -= 1
        if self.left < 0:
            raise KeyboardInterrupt


@pytest.mark.parametrize("left", [0, 1, 2])
@pytest.mark.parametrize("operation", ["put", "remove"])
def test_a_death_within_a_change_of_the_keyring_leaves_no_name_without_entry(left, operation):
    ring = Dying()
    store = KeyringKeyStore(backend=ring)
    store.put("default", Keys.parse(guek=HEX))
    if operation == "remove":
        store.put("A", FULL)
    ring.left = left
    with suppress(KeyboardInterrupt):
        store.put("A", FULL) if operation == "put" else store.remove("A")
    names = json.loads(ring.kept["cosem", " names"])
    assert all(("cosem", name) in ring.kept for name in names)


def test_a_name_in_the_keyring_whose_entry_is_gone_is_none():
    ring = Ring()
    store = KeyringKeyStore(backend=ring)
    store.put("A", FULL)
    del ring.kept["cosem", "A"]
    assert list(store.names()) == []


class Waiting(Ring):
    """A keyring in which two users who read the names at once would lose one of their names."""

    def get_password(self, service, username):
        found = super().get_password(service, username)
        if username == " names":
            with suppress(threading.BrokenBarrierError):
                self.barrier.wait(0.2)
        return found

    barrier = threading.Barrier(2)


def test_two_users_of_a_keyring_lose_no_name():
    store = KeyringKeyStore(backend=Waiting())
    users = [threading.Thread(target=store.put, args=(name, FULL)) for name in ("A", "B")]
    for user in users:
        user.start()
    for user in users:
        user.join()
    assert set(store.names()) == {"A", "B"}


def test_a_key_that_a_file_holds_stays_there_while_it_is_the_same(tmp_path):
    (tmp_path / "master.key").write_text("D0D1D2D3D4D5D6D7D8D9DADBDCDDDEDF")
    (tmp_path / "own.key").write_text(HEX)
    for file in tmp_path.iterdir():
        file.chmod(0o600)
    path = written(tmp_path, '[default]\nkek = "@master.key"\n[meter.A]\nguek = "@own.key"\n')
    store = KeyFile(path)
    keys = store.find(name="A")
    store.put("A (new)", replace(keys, authentication=Key(bytes(16))))
    assert "D0D1" not in path.read_text()
    assert "E0E1" not in path.read_text()
    assert store.find(name="A (new)") == replace(keys, authentication=Key(bytes(16)))
    store.put("A", replace(keys, encryption=Key(bytes(16))))
    assert store.find(name="A") == replace(keys, encryption=Key(bytes(16)))
    assert "D0D1" not in path.read_text()
    assert f'encryption = "hex:{"00" * 16}"' in path.read_text()


def test_a_directory_is_no_key_file(tmp_path):
    store = KeyFile(tmp_path)
    for use in (store.find, store.names, lambda: store.put("A", Keys()), lambda: store.remove("A")):
        with pytest.raises(ConfigurationError, match="is a directory: a key file is one file"):
            use()


def test_what_the_default_gives_has_the_length_of_the_entry(store):
    """A default that says nothing of a suite completes whatever has its length."""
    store.put("default", Keys.parse(kek=HEX, password="p"))
    store.put("one", Keys.parse(suite=1, guek=HEX))
    store.put("two", Keys.parse(suite=2, guek=HEX * 2))
    assert store.find(name="one") == Keys.parse(suite=1, guek=HEX, kek=HEX, password="p")
    assert store.find(name="two") == Keys.parse(suite=2, guek=HEX * 2, password="p")


def test_key_pairs_of_the_default_complete_their_own_curve(store):
    pair = {"signing": b"\1" * 32, "peer_signing": b"\2" * 64}
    store.put("default", Keys.parse(suite=1, kek=HEX, **pair))
    store.put("one", Keys.parse(suite=1, guek=HEX))
    store.put("two", Keys.parse(suite=2, guek=HEX * 2))
    store.put("zero", Keys.parse(suite=0, guek=HEX, password="p"))
    assert store.find(name="one").signing == Keys.parse(suite=1, **pair).signing
    assert store.find(name="two") == Keys.parse(suite=2, guek=HEX * 2)
    assert store.find(name="zero").master == Keys.parse(kek=HEX).master
    assert store.find(name="zero").signing is None


def test_a_key_of_the_default_that_cannot_be_read_is_told(tmp_path):
    store = KeyFile(written(tmp_path, f'[default]\nkek = "x"\n[meter.A]\nsuite = 1\nguek = "{HEX}"\n'))
    with pytest.raises(ConfigurationError, match="master"):
        store.find(name="A")


def updates(changes):
    return lambda: {"suite": 0, **changes}


def test_single_fields_are_set_and_the_others_stay(store):
    store.put("default", Keys.parse(kek=HEX))
    store.put("A", Keys.parse(gak=bytes(range(16)), password="p"))
    store.update("A", updates({"encryption": Key(bytes(range(16, 32)))}))
    store.update("B", updates({"encryption": Key(bytes(range(16, 32)))}))
    store.remove("default")
    assert store.find(name="A") == Keys.parse(
        gak=bytes(range(16)), password="p", encryption=bytes(range(16, 32))
    )
    assert store.find(name="B") == Keys.parse(encryption=bytes(range(16, 32)))


def test_an_entry_of_another_suite_is_made_by_fields(store):
    store.update("A", lambda: {"suite": 2, "encryption": Key(bytes(range(32)))})
    assert store.find(name="A") == Keys.parse(suite=2, guek=bytes(range(32)))


def test_who_decides_against_it_changes_nothing(store):
    store.put("A", Keys.parse(password="p"))

    def decide():
        raise ConfigurationError("no")

    with pytest.raises(ConfigurationError, match="no"):
        store.update("A", decide)
    assert store.find(name="A") == Keys.parse(password="p")


def test_who_decides_so_forgets_an_entry(store):
    store.put("A", Keys.parse(password="p"))
    store.put("B", Keys.parse(password="q"))
    for _ in range(2):  # one that is not there is not made
        store.update("A", lambda: None)
        assert store.find(name="A") is None
        assert list(store.names()) == ["B"]


UPDATER = """
import sys
from cosem.security.key_material import Secret
from cosem.store.key_file import KeyFile
store = KeyFile(sys.argv[1])
def decide():
    kept = store.find(name="A")
    return {"suite": 0, "password": Secret(kept.password.octets + b"x")}
for _ in range(25):
    store.update("A", decide)
"""


def test_what_is_decided_is_decided_of_what_is_there(tmp_path):
    path = tmp_path / "keys.toml"
    KeyFile(path).put("A", Keys.parse(password="x"))
    users = [subprocess.Popen([sys.executable, "-c", UPDATER, str(path)]) for _ in range(2)]
    assert [user.wait(timeout=60) for user in users] == [0, 0]
    assert len(KeyFile(path).find(name="A").password) == 51
