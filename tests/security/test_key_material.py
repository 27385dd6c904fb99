from __future__ import annotations

import base64
import copy
import hmac
import pickle
from unittest.mock import ANY

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosem.errors import ConfigurationError, ConversionError, KeyMissingError, VerificationError
from cosem.security.curves import order_of
from cosem.security.gcm import AesGcmKey, HeldGcmKey
from cosem.security.key_material import Key, KeyRole, PrivateKey, PublicKey, Secret, octets_from_text
from cosem.security.keys import Keys
from cosem.security.signing import EcdsaKey
from cosem.security.suites import SecuritySuite
from cosem.security.system_title import SystemTitle
from cosem.types.data import OctetString

OCTETS = bytes(range(0xE0, 0xF0))
HEX = OCTETS.hex()


@pytest.mark.parametrize(
    "text",
    [
        HEX,
        HEX.upper(),
        f"0x{HEX}",
        f"0X{HEX}",
        f"hex:{HEX}",
        f"HEX: {HEX} ",
        OCTETS.hex(" "),
        OCTETS.hex("-"),
        OCTETS.hex(":"),
        f"  {HEX}\n",
        base64.b64encode(OCTETS).decode(),
        "base64:" + base64.b64encode(OCTETS).decode(),
        "base64:" + base64.b64encode(OCTETS).decode().rstrip("="),
        "base64:" + base64.urlsafe_b64encode(OCTETS).decode(),
        base64.urlsafe_b64encode(OCTETS).decode().rstrip("="),
    ],
)
def test_forms_of_a_key(text):
    assert Key.parse(text) == Key(OCTETS)
    assert Key.parse(OCTETS) == Key(OCTETS)
    assert Key.parse(Key(OCTETS)).octets == OCTETS


def test_a_key_of_characters():
    assert Key.parse("a passphrase :-)").octets == b"a passphrase :-)"
    assert Key.parse("text:0123456789ABCDEF").octets == b"0123456789ABCDEF"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("0123456789ABCDEF", "taken as hexadecimal: 8 octets where 16 or 32 are wanted; write text:"),
        (HEX[:-2], "taken as hexadecimal: 15 octets"),
        ("text:short", "taken as text: 5 octets"),
        ("base64:QUJD", "taken as base64: 3 octets"),
        ("hex:0G", "taken as hexadecimal: there is another character"),
        ("hex:012", "taken as hexadecimal: there is another character"),
        ("base64:?", "taken as base64: there is another character"),
        ("sesame", "6 characters that are no hexadecimal digits"),
        ("", "0 characters"),
        ("@key", "a file was named where no file is read"),
    ],
)
def test_the_error_says_which_form_was_taken_and_nothing_of_the_content(text, says):
    with pytest.raises(ConfigurationError) as refused:
        Key.parse(text)
    assert says in str(refused.value)
    assert "sesame" not in str(refused.value)
    assert len(text) < 10 or text not in str(refused.value)


def test_digits_are_never_taken_for_a_key_of_another_suite():
    with pytest.raises(ConfigurationError, match="suite 2 wants 32"):
        Keys.parse(suite=2, encryption=HEX)


@pytest.mark.parametrize(
    ("content", "octets"),
    [
        (OCTETS, OCTETS),
        (HEX.encode() + b"\n", OCTETS),
        (base64.b64encode(OCTETS) + b"\r\n", OCTETS),
        (b"a passphrase :-)\n", b"a passphrase :-)"),
        (b"text:0123456789ABCDEF\n", b"0123456789ABCDEF"),
    ],
)
def test_a_key_in_a_file(content, octets):
    asked = []

    def read(name):
        asked.append(name)
        return content

    assert Key.parse("@my key", read).octets == octets
    assert asked == ["my key"]


def test_a_file_that_names_a_file():
    with pytest.raises(ConfigurationError, match="names a further file"):
        Key.parse("@one", lambda _: b"@two")


def test_a_file_of_the_wrong_size():
    with pytest.raises(ConfigurationError, match="taken as the content of a file: 17 characters"):
        Key.parse("@one", lambda _: bytes(17))
    with pytest.raises(ConfigurationError, match="taken as the content of a file: 3 octets"):
        Key.parse("@one", lambda _: b"\xff\xfe\xfd")


@pytest.mark.parametrize(
    ("text", "octets"),
    [
        ("12345678", b"12345678"),
        (" with spaces ", b" with spaces "),
        ("0x3132", b"12"),
        ("hex:3132", b"12"),
        ("base64:MTI=", b"12"),
        ("text:hex:3132", b"hex:3132"),
        ("http://x", b"http://x"),
        ("Grüße", "Grüße".encode()),
    ],
)
def test_a_password_is_text_as_it_is_typed(text, octets):
    assert Secret.parse(text).octets == octets
    assert Secret.parse(f"text:{octets.decode()}").octets == octets


def test_a_password_in_a_file():
    assert Secret.parse("@file", lambda _: b"12345678\n").octets == b"12345678"
    assert Secret.parse("@file", lambda _: b"hex:3132\n").octets == b"12"


@pytest.mark.parametrize("empty", ["", b"", "text:"])
def test_there_is_no_empty_secret(empty):
    with pytest.raises(ConfigurationError):
        Secret.parse(empty)


SECRETS = [Secret(b"sesame open"), Key(b"sesame open 1234"), PrivateKey(b"sesame open 1234" * 2)]


@pytest.mark.parametrize("secret", SECRETS, ids=repr)
def test_a_secret_never_shows(secret):
    shown = [repr(secret), str(secret), f"{secret}", f"{secret:>30}", repr([secret]), format(secret)]
    shown += [repr(Keys(password=Secret(secret.octets))), repr(Keys(hls_secret=Secret(secret.octets)))]
    for text in shown:
        assert "sesame" not in text
        assert secret.octets.hex() not in text.lower()


@pytest.mark.parametrize("secret", SECRETS, ids=repr)
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_secret_is_not_pickled_nor_copied(secret, protocol):
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(secret, protocol)
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(Keys(password=Secret(secret.octets)), protocol)
    with pytest.raises(TypeError):
        copy.copy(secret)


@given(st.binary(min_size=1, max_size=40), st.binary(min_size=1, max_size=40))
def test_equality_and_hash(first, second):
    assert (Secret(first) == Secret(second)) == (first == second)
    assert Secret(first) != first
    assert hash(Secret(first)) == hash(Secret(bytes(first)))
    assert (Secret(first).fingerprint(b"s") == Secret(second).fingerprint(b"s")) == (first == second)


def test_a_key_is_no_password():
    assert Key(OCTETS) != Secret(OCTETS)
    assert Key(OCTETS) != "a key"
    assert len(Key(OCTETS)) == 16


@pytest.mark.parametrize("size", [*range(1, 16), 17, 24, 31, 33])
def test_sizes_of_keys(size):
    with pytest.raises(ConfigurationError, match=f"{size} octets where 16 or 32 are wanted"):
        Key(bytes(size))


def test_keys_and_suites():
    assert Key(bytes(16)).for_suite(0).for_suite(1) == Key(bytes(16))
    assert repr(Key(bytes(32)).for_suite(2)) == "<Key AES-256>"
    for key, suite in ((Key(bytes(32)), 0), (Key(bytes(32)), 1), (Key(bytes(16)), 2)):
        with pytest.raises(ConfigurationError, match=f"suite {suite} wants"):
            key.for_suite(suite)


@pytest.mark.parametrize(
    ("octets", "known"),
    [
        (bytes(16), True),
        (b"\xff" * 32, True),
        (bytes(range(16)), True),
        (bytes(range(32)), True),
        (bytes(range(0xD0, 0xE0)), True),
        (b"\x11" * 16, True),
        (bytes(range(1, 17)), True),
        (bytes(range(0x10, 0x20)), True),
        (bytes(range(0xC0, 0xE0)), True),
        (b"COSEM-DEMO-KEY-E", True),
        (b"ECOSEM-DEMO-KEY-", False),
        (bytes(range(2, 18)), False),
        (bytes(range(0x11, 0x21)), False),
        (bytes(range(0xC1, 0xD1)), False),
        (OCTETS, False),
        (bytes(range(15)) + b"\0", False),
    ],
)
def test_keys_that_everybody_knows(octets, known):
    assert Key(octets).is_well_known is known


@pytest.mark.parametrize("suite", [1, "1", " 1 "])
def test_a_suite_is_a_number_or_its_digits(suite):
    assert Keys.parse(suite=suite).suite == 1


@pytest.mark.parametrize("suite", [True, 1.0, "one", "", "-1", "²", -1, 3, b"1"])
def test_what_is_no_suite_is_refused(suite):
    with pytest.raises(ConfigurationError, match="suite"):
        Keys.parse(suite=suite)


@pytest.mark.parametrize("field", ["encryption", "broadcast", "signing"])
def test_three_keys_may_be_held_elsewhere(field):
    class Vault:
        encrypt = decrypt = sign = print

    vault = Vault()
    assert getattr(Keys.parse({field: vault}), field) is vault
    for other in ("authentication", "master", "key_agreement", "hls_secret", "password", "peer_signing"):
        with pytest.raises(ConfigurationError, match="Vault is no key"):
            Keys.parse({other: vault})


def test_a_key_is_made_of_another_secret_of_its_length():
    key = Key.parse(Secret(OCTETS))
    assert type(key) is Key
    assert key.octets == OCTETS
    with pytest.raises(ConfigurationError, match="16 or 32"):
        Key.parse(Secret(b"sesame"))


@pytest.mark.parametrize("salt", [b"", b"salt of a store"])
def test_fingerprints_name_counters_at_rest_and_never_change(salt):
    expected = hmac.digest(OCTETS, b"cosem fingerprint" + salt, "sha256")[:16]
    assert Key(OCTETS).fingerprint(salt) == Secret(OCTETS).fingerprint(salt) == expected
    assert Key(OCTETS).fingerprint() == Key(OCTETS).fingerprint(b"")


def test_what_is_no_secret_decides_itself_whether_it_is_equal():
    assert Key(OCTETS) == ANY
    assert Key(OCTETS) != OCTETS


@pytest.mark.parametrize("public", [b"\xff" * 64, b"\4" + b"\xff" * 64, b"\xff" * 96, b"\4" + b"\xff" * 96])
def test_a_public_key_in_base64_needs_no_prefix(public):
    text = base64.b64encode(public).decode()
    assert PublicKey.parse(text) == PublicKey(public)
    assert repr(PublicKey.parse(text)) == f"PublicKey('{'FF' * (len(public) & ~1)}')"


@pytest.mark.parametrize(
    ("text", "facts", "found"),
    [
        ("0x3132", {"text_first": True}, (b"12", "hex")),
        ("3132", {"text_first": True}, (b"3132", "text")),
        ("3132", {}, (b"12", "hex")),
        ("hello", {}, (b"hello", "text")),
        ("hello", {"sizes": (5,)}, (b"hello", "text")),
        ("aGVsbG8=", {"sizes": (5,)}, (b"hello", "base64")),
        ("text:3132", {}, (b"3132", "text")),
        ("base64:AAAX", {}, (b"\0\0\x17", "base64")),
        ("base64:____", {}, (b"\xff\xff\xff", "base64")),
        ("base64:----", {}, (b"\xfb\xef\xbe", "base64")),
    ],
)
def test_which_form_was_taken_is_told(text, facts, found):
    assert octets_from_text(text, **facts) == found


def test_what_is_no_base64_is_no_octet():
    with pytest.raises(ConfigurationError, match="no base64"):
        octets_from_text("??", sizes=(1,))


@pytest.mark.parametrize(
    ("content", "octets"),
    [
        (HEX.encode(), OCTETS),
        (b"@23456789abcdef!", b"@23456789abcdef!"),
        (b"text:0123456789a", b"text:0123456789a"),
        (b"a passphrase :-\n", b"a passphrase :-\n"),
    ],
)
def test_as_many_octets_as_fit_are_the_key_itself_unless_they_are_digits(content, octets):
    assert Key.parse("@key", lambda _: content).octets == octets


def test_only_the_ends_of_lines_are_no_part_of_a_secret_in_a_file():
    assert Secret.parse("@file", lambda _: b"\r\n X-ray nX\r\n").octets == b" X-ray nX"


@pytest.mark.parametrize(
    ("text", "hint"),
    [("0123456789ABCDEF", True), ("0123", False), ("base64:QUJDREVGR0g=", False), ("base64:QUJD", False)],
)
def test_digits_of_the_right_length_may_have_been_meant_as_text(text, hint):
    with pytest.raises(ConfigurationError) as refused:
        Key.parse(text)
    assert ("write text:" in str(refused.value)) is hint


def test_octets_of_a_wrong_length_were_taken_in_no_form():
    with pytest.raises(ConfigurationError, match=r"^8 octets where 16 or 32 are wanted$"):
        Key(bytes(8))


@pytest.mark.parametrize("size", [64, 96])
def test_a_public_key_may_begin_with_the_octet_of_the_uncompressed_form(size):
    public = b"\4" + bytes(size - 1)
    assert PublicKey(public) == PublicKey(b"\4" + public) == public
    for wrong in (b"", b"\3" + public):
        with pytest.raises(ConfigurationError):
            PublicKey(wrong)


def test_key_pairs():
    public = bytes(range(64))
    assert PublicKey.parse(public.hex()) == PublicKey(b"\4" + public) == public
    assert PublicKey.parse("base64:" + base64.b64encode(public).decode()) == public
    assert repr(PrivateKey(b"\1" * 48)) == "<PrivateKey P-384>"
    assert public.hex().upper() in repr(PublicKey(public))
    for wrong in (63, 65, 66, 95, 98):
        with pytest.raises(ConfigurationError):
            PublicKey(bytes(wrong))
    for none in (bytes(16), bytes(32), bytes(48), b"\xff" * 32, b"\xff" * 48):
        with pytest.raises(ConfigurationError):
            PrivateKey(none)


@given(st.text(max_size=50))
def test_every_text_is_a_key_or_an_error_of_ours(text):
    try:
        key = Key.parse(text)
    except ConfigurationError:
        return
    assert len(key) in (16, 32)


@given(st.binary(min_size=1, max_size=48))
def test_every_form_gives_the_octets_back(octets):
    for text in (f"hex:{octets.hex()}", octets.hex(), "base64:" + base64.b64encode(octets).decode()):
        assert octets_from_text(text)[0] == octets


# --- system titles ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "4D4D4D0000BC614E",
        "4d 4d 4d 00 00 bc 61 4e",
        "0x4D4D4D0000BC614E",
        "4D:4D:4D:00:00:BC:61:4E",
        "MMM0000BC614E",
        "MMM:12345678",
        "mmm 12345678",
        "MMM/012345678",
        " MMM0000BC614E ",
    ],
)
def test_forms_of_a_title(text):
    title = SystemTitle(text)
    assert title == bytes.fromhex("4D4D4D0000BC614E")
    assert (title.manufacturer, title.serial) == ("MMM", 12345678)
    assert str(title) == "MMM0000BC614E"
    assert repr(title) == "SystemTitle('MMM0000BC614E')"


def test_a_title_is_an_octet_string_where_data_is_written():
    assert (SystemTitle.tag, SystemTitle.asn1_name) == (OctetString.tag, OctetString.asn1_name)
    assert OctetString.tag == 9


def test_a_title_of_eight_characters():
    assert SystemTitle("ABC12345") == b"ABC12345"


def test_a_title_without_letters():
    title = SystemTitle(bytes(range(8)))
    assert (title.manufacturer, str(title)) == ("", "0001020304050607")
    assert title.serial == 0x0304050607


@pytest.mark.parametrize(
    "wrong",
    ["", "MMM", "4D4D4D0000BC61", "MMM:1099511627776", "MMMM:1", bytes(7), bytes(9), (256,) * 8, "Grüße123"],
)
def test_what_is_no_title(wrong):
    with pytest.raises(ConversionError):
        SystemTitle(wrong)


@given(st.binary(min_size=8, max_size=8))
def test_a_title_prints_as_it_reads(octets):
    assert SystemTitle(str(SystemTitle(octets))) == octets


@pytest.mark.parametrize("manufacturer", ["MM", "MMMM", "M1M", "ÄÖÜ"])
def test_letters_of_a_manufacturer(manufacturer):
    with pytest.raises(ConversionError):
        SystemTitle.of(manufacturer, 1)


# --- the keys of a meter ----------------------------------------------------------------------------


def test_keys_by_short_and_by_full_name():
    short = Keys.parse(guek=HEX, gak=HEX, gbek=HEX, kek=HEX)
    full = Keys.parse({"encryption": HEX, "authentication": HEX, "broadcast": HEX, "master": HEX})
    assert short == full
    assert short != Keys.parse(guek=HEX)


@pytest.mark.parametrize(
    ("texts", "says"),
    [
        ({"encription": HEX}, "'encription' names no key"),
        ({"guek": HEX, "encryption": HEX}, "encryption was given twice"),
        ({"guek": "short"}, "encryption (guek): 5 characters"),
        ({"suite": 3}, "suite 3 is none"),
        ({"suite": "two"}, "suite: 'two' is no number"),
        ({"suite": "\u00b2"}, "suite: '\u00b2' is no number"),
        ({"suite": True}, "suite: True is no number"),
        ({"password": 12345678}, "password: a number where a text is wanted"),
        ({"password": ["x"]}, "password: a list is no key"),
        ({"signing": object()}, "signing: a object is no key"),
        ({"client_title": "X"}, "client_title: no system title"),
        ({"suite": 1, "master": bytes(32)}, "the key kek has 32 octets, security suite 1 wants 16"),
    ],
)
def test_keys_that_cannot_be_read(texts, says):
    with pytest.raises(ConfigurationError) as refused:
        Keys.parse(texts)
    assert says in str(refused.value)


def test_missing_keys_are_named():
    keys = Keys.parse(server_title="MMM0000BC614E")
    for role in KeyRole:
        if role in (KeyRole.DEDICATED, KeyRole.TLS):
            continue
        with pytest.raises(KeyMissingError, match=rf"\({role.value}\) is known for MMM0000BC614E"):
            keys.required(role)
    with pytest.raises(KeyMissingError):
        Keys().gcm_key()


def test_masked_keys_can_be_told_apart_and_tell_nothing():
    keys = Keys.parse(
        guek=HEX, gak="a passphrase :-)", password="sesame", hls_secret="hex:FFFE", signing=b"\1" * 32,
        peer_signing=bytes(range(64)), client_title="MMM0000000001", suite=1,
    )  # fmt: skip
    masked = keys.masked()
    assert masked == {
        "suite": "1",
        "client_title": "MMM0000000001",
        "encryption": f"<Key AES-128> {Key(OCTETS).fingerprint().hex()[:8]}",
        "authentication": "***",
        "signing": f"<PrivateKey P-256> {PrivateKey(bytes([1]) * 32).fingerprint().hex()[:8]}",
        "peer_signing": bytes(range(64)).hex().upper(),
        "hls_secret": "***",
        "password": "***",
    }
    for secret in (HEX, "passphrase", "sesame", "FFFE", "0101"):
        assert (
            secret.lower()
            not in str([value for name, value in masked.items() if name != "peer_signing"]).lower()
        )


def test_keys_complete_each_other():
    specific = Keys.parse(guek=HEX, server_title="MMM0000BC614E")
    general = Keys.parse(guek=bytes(range(16)), gak=bytes(range(16)), password="12345678")
    both = specific.over(general)
    assert both == Keys.parse(
        guek=HEX, gak=bytes(range(16)), password="12345678", server_title="MMM0000BC614E"
    )
    assert specific.over(None) is specific


def test_keys_of_another_suite_complete_nothing():
    general = Keys.parse(suite=2, guek=bytes(32), gak=bytes(32), password="12345678")
    assert Keys.parse(guek=HEX).over(general) == Keys.parse(guek=HEX, password="12345678")
    assert Keys.parse(server_title="MMM0000BC614E").over(general).suite == 2


class Holder:
    """Holds a key as a hardware module does."""

    def __init__(self, octets):
        self._key = AesGcmKey(octets, None)
        self._octets = octets

    def encrypt(self, nonce, plaintext, associated_data):
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        return AESGCM(self._octets).encrypt(nonce, plaintext, associated_data)[:-4]

    def decrypt(self, nonce, ciphertext, associated_data):
        opened = self.encrypt(nonce, ciphertext[:-12], b"")[:-12]
        if self.encrypt(nonce, opened, associated_data) != ciphertext:
            raise VerificationError("the authentication tag does not match")
        return opened

    def fingerprint(self, salt=b""):
        return Key(self._octets).fingerprint(salt)


def test_a_key_that_is_held_elsewhere():
    keys = Keys.parse(encryption=Holder(OCTETS), authentication=bytes(range(16)))
    here = Keys.parse(encryption=OCTETS, authentication=bytes(range(16)))
    held, mine = keys.gcm_key(), here.gcm_key()
    assert isinstance(held, HeldGcmKey)
    nonce = bytes(12)
    sealed = held.seal(0x30, nonce, b"reading", b"more")
    assert sealed == mine.seal(0x30, nonce, b"reading", b"more")
    assert held.open(0x30, nonce, sealed, b"more") == b"reading"
    assert "held elsewhere" in repr(keys)
    assert keys.masked()["encryption"] == "<held elsewhere>"
    with pytest.raises(KeyMissingError):
        Keys.parse(encryption=Holder(OCTETS)).gcm_key()


def test_signing_keys():
    keys = Keys.parse(suite=1, signing=b"\1" * 32)
    mine = keys.signing_key()
    assert isinstance(mine, EcdsaKey)
    held = EcdsaKey(SecuritySuite(1), b"\1" * 32)
    assert Keys(suite=1, signing=held).signing_key() is held
    assert held.public_key == mine.public_key
    with pytest.raises(KeyMissingError):
        Keys().signing_key()
    with pytest.raises(ConfigurationError):
        Keys.parse(suite=0, signing=b"\1" * 32).signing_key()


@pytest.mark.parametrize("suite", [SecuritySuite(1), SecuritySuite(2)])
def test_a_private_key_is_a_number_from_1_to_n_less_1(suite):
    order, size = order_of(suite), suite.coordinate_size
    for number in (1, order - 1):
        assert PrivateKey(number.to_bytes(size, "big")).octets == number.to_bytes(size, "big")
    for number in (0, order, order + 1):
        with pytest.raises(ConfigurationError):
            PrivateKey(number.to_bytes(size, "big"))
