"""What `cosem keys` refuses before anything is written or sent."""

from __future__ import annotations

import pytest

from cosem.store.key_file import KeyFile


@pytest.mark.parametrize("name", ["\udcff", "a\nb", "\x1b[2J"])
def test_a_name_that_cannot_be_printed_makes_no_entry(cosem, tmp_path, name):
    done = cosem("keys", "new", str(tmp_path / "k.toml"), "--name", name)
    assert done.status == 2
    assert "--name" in done.err
    assert "internal" not in done.err
    assert not (tmp_path / "k.toml").exists()


@pytest.mark.parametrize("title", ["MMM:12345678", "MMM0000BC614E", "4D4D4D0000BC614E"])
def test_client_and_meter_have_two_titles(cosem, tmp_path, title):
    done = cosem("keys", "new", str(tmp_path / "k.toml"), "--meter", "MMM:12345678", "--title", title)
    assert done.status == 2
    assert "the same" in done.err
    assert not (tmp_path / "k.toml").exists()


@pytest.mark.parametrize("option", [("--agree",), ("--which", "master")])
def test_what_was_begun_is_finished_as_it_was_begun(cosem, option):
    done = cosem("keys", "rotate", "sim:", "--client", "2", "--keys", "demo", "--resume", *option)
    assert done.status == 2
    assert "--resume" in done.err
    assert "neither" in done.err


@pytest.mark.parametrize("field", ["signing", "key_agreement"])
@pytest.mark.parametrize("octets", ["00" * 32, "FF" * 32, "00" * 48, "FF" * 48])
def test_a_number_that_is_no_private_key_is_not_shown_as_one(cosem, tmp_path, field, octets):
    path = tmp_path / "k.toml"
    path.write_text(f'[meter.A]\n{field} = "hex:{octets}"\n')
    path.chmod(0o600)
    done = cosem("keys", "show", str(path))
    assert done.status == 2
    assert "k.toml" in done.err
    assert "a private key is a number" in done.err or "wanted" in done.err
    assert octets not in done.err
    assert list(KeyFile(path).names()) == ["A"]


@pytest.mark.parametrize(
    "command",
    [
        ("keys", "show"),
        ("keys", "new", "--name", "A"),
        ("keys", "rotate", "sim:", "--client", "2", "--keys"),
        ("read", "sim:", "1-0:1.8.0", "--client", "2", "--keys"),
    ],
)
def test_a_directory_is_called_one(cosem, tmp_path, command):
    words = command if command[-1] == "--keys" else command[:2]
    done = cosem(*words, str(tmp_path), *command[len(words) :])
    assert done.status == 2
    assert f"{tmp_path} is a directory: a key file is one file" in done.err
