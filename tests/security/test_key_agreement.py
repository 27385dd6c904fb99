"""Key agreement in its three schemes, the KDF, signatures and points, against what was published."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cosem.errors import ConfigurationError, VerificationError
from cosem.security.agreement import (
    EcdhKey,
    agreed_key,
    ephemeral_key,
    ephemeral_random_size,
    open_key_data,
    sign_key_data,
)
from cosem.security.curves import order_of, private_key, public_octets, suite_of_curve
from cosem.security.kdf import AlgorithmIdentifiers, KeyAlgorithm, derive_key, key_derivation_information
from cosem.security.key_material import PrivateKey
from cosem.security.signing import EcdsaKey, verify_signature
from tests.security.protecting import HEAD_END, METER, SUITE_0, SUITE_1, SUITE_2, p384
from tests.vectors import vector

PRINTED_FIRST = AlgorithmIdentifiers.FIRST_PRINTING
EPHEMERAL, ONE_PASS, ANSWER, STATIC = (
    vector("security", name) for name in ("ka-2e0s", "ka-1e1s-request", "ka-1e1s-response", "ka-0e2s")
)


def test_the_ephemeral_unified_model():
    server = EcdhKey(SUITE_1, EPHEMERAL.hex("server_ephemeral_private"))
    client_public = EPHEMERAL.hex("client_ephemeral_public")
    assert server.public_key == EPHEMERAL.hex("server_ephemeral_public")
    assert server.agree(client_public) == EPHEMERAL.hex("z")
    titles = EPHEMERAL.hex("client_system_title"), EPHEMERAL.hex("server_system_title")
    assert agreed_key(server, client_public, *titles) == EPHEMERAL.hex("derived_key")
    superseded = bytes.fromhex(EPHEMERAL["superseded"]["derived_key"])
    assert agreed_key(server, client_public, *titles, identifiers=PRINTED_FIRST) == superseded
    key_data = client_public + EPHEMERAL.hex("client_signature")
    signer = EPHEMERAL.hex("client_public_signing_key")
    assert open_key_data(SUITE_1, key_data, signer, 0) == client_public
    for key_id in (None, 1, 2, 3):
        with pytest.raises(VerificationError):
            open_key_data(SUITE_1, key_data, signer, key_id)
    assert EPHEMERAL.hex("key_agreement_parameter").endswith(key_data)


@pytest.mark.parametrize("each", [ONE_PASS, ANSWER])
def test_the_one_pass_model(each):
    own = EcdhKey(SUITE_1, each.hex("v_static_private"))
    assert own.public_key == each.hex("v_static_public")
    public = each.hex("u_ephemeral_public")
    assert own.agree(public) == each.hex("z")
    titles = each.hex("originator"), each.hex("recipient")
    assert agreed_key(own, public, *titles) == each.hex("derived_key")
    assert key_derivation_information(SUITE_1, *titles) == each.hex("other_info")
    superseded = bytes.fromhex(each["superseded"]["derived_key"])
    assert agreed_key(own, public, *titles, identifiers=PRINTED_FIRST) == superseded
    signer = each.hex("u_public_signing_key")
    assert open_key_data(SUITE_1, public + each.hex("signature"), signer) == public
    with pytest.raises(VerificationError):
        open_key_data(SUITE_1, public + each.hex("signature"), signer, 0)


def test_the_one_pass_model_from_the_other_end():
    own = EcdhKey(SUITE_1, ONE_PASS.hex("u_ephemeral_private"))
    key = agreed_key(
        own, ONE_PASS.hex("v_static_public"), ONE_PASS.hex("originator"), ONE_PASS.hex("recipient")
    )
    assert key == ONE_PASS.hex("derived_key")


@pytest.mark.parametrize("end", ["u", "v"])
def test_the_static_unified_model(end):
    own = EcdhKey(SUITE_1, STATIC.hex(f"{end}_static_private"))
    other = STATIC.hex(f"{'v' if end == 'u' else 'u'}_static_public")
    titles, nonce = (STATIC.hex("originator"), STATIC.hex("recipient")), STATIC.hex("transaction_id")
    assert own.agree(other) == STATIC.hex("z")
    assert key_derivation_information(SUITE_1, *titles, nonce_u=nonce) == STATIC.hex("other_info")
    assert agreed_key(own, other, *titles, transaction_id=nonce) == STATIC.hex("derived_key")
    assert agreed_key(own, other, *titles) != STATIC.hex("derived_key")


def test_the_derivation_of_suite_2():
    each = vector("security", "kdf-suite2")
    information = key_derivation_information(SUITE_2, METER, HEAD_END)
    assert information == each.hex("other_info")
    assert derive_key(SUITE_2, each.hex("z"), information) == each.hex("derived_key")


@pytest.mark.parametrize(
    ("suite", "algorithm", "last"),
    [
        (SUITE_1, KeyAlgorithm.AES_GCM, 0),
        (SUITE_2, KeyAlgorithm.AES_GCM, 1),
        (SUITE_1, KeyAlgorithm.AES_WRAP, 2),
        (SUITE_2, KeyAlgorithm.AES_WRAP, 3),
    ],
)
def test_the_algorithm_is_part_of_what_is_derived_from(suite, algorithm, last):
    information = key_derivation_information(suite, METER, HEAD_END, algorithm=algorithm)
    assert information[:7] == bytes.fromhex("608574050803") + bytes((last,))
    assert information[7:] == METER + HEAD_END


@pytest.mark.parametrize("suite", [SUITE_1, SUITE_2])
def test_a_key_that_wraps_is_another_than_one_that_encrypts(suite):
    own, other = ephemeral_key(suite, bytes(range(72))[: ephemeral_random_size(suite)]), p384(METER, "agree")
    public = EcdhKey(suite, other[: suite.coordinate_size]).public_key
    wrapping = agreed_key(own, public, METER, HEAD_END, algorithm=KeyAlgorithm.AES_WRAP)
    information = key_derivation_information(suite, METER, HEAD_END, algorithm=KeyAlgorithm.AES_WRAP)
    assert wrapping == derive_key(suite, own.agree(public), information)
    assert wrapping != agreed_key(own, public, METER, HEAD_END)


def test_an_agreement_that_the_library_refuses_is_an_error_of_ours():
    class Refusing:
        def exchange(self, algorithm, other):
            raise ValueError

    key = EcdhKey(SUITE_1, bytes(31) + b"\x01")
    key._key = Refusing()
    with pytest.raises(VerificationError):
        key.agree(STATIC.hex("u_static_public"))


def test_suite_0_agrees_on_nothing_and_signs_nothing():
    with pytest.raises(ConfigurationError):
        key_derivation_information(SUITE_0, METER, HEAD_END)
    with pytest.raises(ConfigurationError):
        derive_key(SUITE_0, bytes(32), b"")
    with pytest.raises(ConfigurationError):
        EcdhKey(SUITE_0, bytes(32))
    with pytest.raises(ConfigurationError):
        EcdsaKey(SUITE_0, bytes(32))


@pytest.mark.parametrize("titles", [(METER[:7], HEAD_END), (METER, HEAD_END + b"\x00"), (b"", b"")])
def test_the_information_holds_two_titles(titles):
    with pytest.raises(ConfigurationError):
        key_derivation_information(SUITE_1, *titles)


def test_a_nonce_has_one_octet_of_length():
    assert key_derivation_information(SUITE_1, METER, HEAD_END, nonce_u=bytes(255))[15] == 255
    with pytest.raises(ConfigurationError):
        key_derivation_information(SUITE_1, METER, HEAD_END, nonce_u=bytes(256))


@pytest.mark.parametrize(("suite", "sizes"), [(SUITE_1, (31, 33, 48, 0)), (SUITE_2, (32, 47, 49))])
def test_z_has_the_length_of_a_coordinate(suite, sizes):
    for size in sizes:
        with pytest.raises(ConfigurationError):
            derive_key(suite, bytes(size), b"")


@settings(max_examples=15)
@given(st.sampled_from([SUITE_1, SUITE_2]), st.data())
def test_both_ends_derive_one_key(suite, data):
    size = ephemeral_random_size(suite)
    one, other = (ephemeral_key(suite, data.draw(st.binary(min_size=size, max_size=size))) for _ in range(2))
    nonce = data.draw(st.none() | st.binary(max_size=16))
    key = agreed_key(one, other.public_key, METER, HEAD_END, transaction_id=nonce)
    assert key == agreed_key(other, one.public_key, METER, HEAD_END, transaction_id=nonce)
    assert len(key) == suite.key_size
    assert key != agreed_key(one, other.public_key, HEAD_END, METER, transaction_id=nonce)


@pytest.mark.parametrize("suite", [SUITE_1, SUITE_2])
def test_an_ephemeral_key_is_a_number_from_1_to_n_less_1(suite):
    size, order = ephemeral_random_size(suite), order_of(suite)
    one = ephemeral_key(suite, bytes(size))
    assert one.public_key == EcdhKey(suite, (1).to_bytes(suite.coordinate_size, "big")).public_key
    last = ephemeral_key(suite, (order - 2).to_bytes(size, "big"))
    assert last.public_key == EcdhKey(suite, (order - 1).to_bytes(suite.coordinate_size, "big")).public_key
    again = ephemeral_key(suite, (order - 1).to_bytes(size, "big"))
    assert again.public_key == one.public_key
    for wrong in (size - 1, size + 1):
        with pytest.raises(ConfigurationError):
            ephemeral_key(suite, bytes(wrong))


@pytest.mark.parametrize("suite", [SUITE_1, SUITE_2])
def test_a_private_key_is_between_1_and_n_less_1(suite):
    size, order = suite.coordinate_size, order_of(suite)
    for number in (0, order, order + 1, (1 << 8 * size) - 1):
        with pytest.raises(ConfigurationError):
            private_key(suite, number.to_bytes(size, "big"))
    for wrong in (size - 1, size + 1):
        with pytest.raises(ConfigurationError):
            private_key(suite, bytes(wrong - 1) + b"\x01")
    assert len(public_octets(private_key(suite, (1).to_bytes(size, "big")).public_key())) == 2 * size


@pytest.mark.parametrize("suite", [SUITE_1, SUITE_2])
def test_points_off_the_curve_are_refused(suite):
    size = suite.coordinate_size
    own = ephemeral_key(suite, b"\x07" * ephemeral_random_size(suite))
    good = own.public_key
    wrong = [
        bytes(2 * size),
        good[:-1] + bytes((good[-1] ^ 1,)),
        good[size:] + good[:size],
        b"\xff" * 2 * size,
        good[:-1],
        b"\x04" + good,
        b"\x02" + good[:size],
        b"",
    ]
    for public in wrong:
        with pytest.raises(VerificationError):
            own.agree(public)
        with pytest.raises(VerificationError):
            verify_signature(suite, public, bytes(2 * size), b"")


def test_the_least_and_the_greatest_number_of_a_signature_are_taken():
    # A public key for which these very numbers are a signature: the point R has x = n - 1, and s was chosen.
    greatest, least = (order_of(SUITE_2) - 1).to_bytes(48, "big"), bytes(47) + b"\x01"
    public = bytes.fromhex(
        "A3068DF42A56D5A76E71ADE9752E91294B58292D47276F1E7B02BE955D9EDC9370DE08C7C2E13D4920501E1CEC90ECF9"
        "F90E0D846FC3D970DEC68C2A744659CE53B84FAABE8C2BA437622C20EC1E6F0C9B70FBEDF9A49BC8803A612425B0CA88"
    )
    verify_signature(SUITE_2, public, greatest + least, b"cosem")
    verify_signature(SUITE_2, public, greatest + greatest, b"cosem")  # n - s is as good as s
    for wrong in (greatest + bytes(48), greatest + order_of(SUITE_2).to_bytes(48, "big"), least + greatest):
        with pytest.raises(VerificationError):
            verify_signature(SUITE_2, public, wrong, b"cosem")


def test_the_published_signature_of_p384():
    each = vector("security", "ecdsa-p384")
    verify_signature(SUITE_2, each.hex("public_key"), each.hex("signature"), each.hex("message"))
    signer = EcdsaKey(SUITE_2, PrivateKey(each.hex("private_key")))
    assert signer.public_key == each.hex("public_key")
    verify_signature(SUITE_2, signer.public_key, signer.sign(b"other"), b"other")
    for index in range(96):
        signature = bytearray(each.hex("signature"))
        signature[index] ^= 0x10
        with pytest.raises(VerificationError):
            verify_signature(SUITE_2, signer.public_key, bytes(signature), each.hex("message"))


@pytest.mark.parametrize("direction", ["stoc", "ctos"])
def test_the_signatures_of_the_hls_example(direction):
    each = vector("security", "hls7-p256")
    who = "client" if direction == "stoc" else "server"
    signer = EcdsaKey(SUITE_1, each.hex(f"{who}_private_signing_key"))
    assert signer.public_key == each.hex(f"{who}_public_signing_key")
    assert signer.sign(each.hex(f"input_f_{direction}")) == each.hex(f"f_{direction}")


@pytest.mark.parametrize("suite", [SUITE_1, SUITE_2])
def test_the_numbers_of_a_signature_are_between_1_and_n_less_1(suite):
    signer = EcdsaKey(suite, p384(METER, "range")[: suite.coordinate_size])
    size, order = suite.coordinate_size, order_of(suite)
    good = signer.sign(b"octets")
    verify_signature(suite, signer.public_key, good, b"octets")
    r, s = good[:size], good[size:]
    zero, high, full = bytes(size), order.to_bytes(size, "big"), b"\xff" * size
    for wrong in (
        zero + s,
        r + zero,
        zero + zero,
        high + s,
        r + high,
        full + full,
        s + r,
        good[:-1],
        good + b"\x00",
        b"",
    ):
        with pytest.raises(VerificationError):
            verify_signature(suite, signer.public_key, wrong, b"octets")
    with pytest.raises(VerificationError):
        verify_signature(suite, signer.public_key, good, b"octetS")
    other = EcdsaKey(suite, p384(HEAD_END, "range")[:size])
    with pytest.raises(VerificationError):
        verify_signature(suite, other.public_key, good, b"octets")


@pytest.mark.parametrize("suite", [SUITE_1, SUITE_2])
def test_numbers_with_leading_zeros_keep_their_length(suite):
    # Each 256th r or s begins with a zero octet; that many signatures have both with and without.
    signer = EcdsaKey(suite, p384(METER, "zeros")[: suite.coordinate_size])
    short = 0
    for number in range(400):
        signature = signer.sign(number.to_bytes(2, "big"))
        assert len(signature) == suite.signature_size
        short += 0 in (signature[0], signature[suite.coordinate_size])
    assert short


@pytest.mark.parametrize("size", [0, 64, 127, 129, 192])
def test_key_data_is_a_public_key_and_a_signature(size):
    signer = EcdsaKey(SUITE_1, p384(METER, "data")[:32])
    with pytest.raises(VerificationError):
        open_key_data(SUITE_1, bytes(size), signer.public_key)


def test_a_signed_point_off_the_curve_is_refused():
    signer = EcdsaKey(SUITE_1, p384(METER, "data")[:32])
    off = bytes(63) + b"\x01"
    with pytest.raises(VerificationError):
        open_key_data(SUITE_1, sign_key_data(signer, off), signer.public_key)


def test_the_key_id_is_signed_before_the_key():
    signer = EcdsaKey(SUITE_1, p384(METER, "data")[:32])
    public = ephemeral_key(SUITE_1, bytes(40)).public_key
    assert sign_key_data(signer, public, 2) == public + signer.sign(b"\x02" + public)
    assert open_key_data(SUITE_1, sign_key_data(signer, public, 2), signer.public_key, 2) == public


def test_pairs_show_and_pickle_nothing():
    for pair in (EcdsaKey(SUITE_1, bytes(31) + b"\x01"), EcdhKey(SUITE_2, bytes(47) + b"\x01")):
        assert repr(pair) in ("<EcdsaKey P-256>", "<EcdhKey P-384>")
        with pytest.raises(TypeError):
            pickle.dumps(pair)


def test_curves_have_a_suite_by_name():
    assert suite_of_curve("secp256r1") is SUITE_1
    assert suite_of_curve("secp384r1") is SUITE_2
    assert suite_of_curve("secp521r1") is None
