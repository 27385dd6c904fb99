"""Fresh key pairs, and requests for certificates."""

from __future__ import annotations

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from cosem.errors import ConfigurationError
from cosem.security.agreement import ephemeral_random_size
from cosem.security.curves import order_of, public_octets
from cosem.security.requests import certificate_request, is_request, new_private_key, public_key_of
from cosem.security.signing import EcdsaKey
from tests.security.protecting import METER, SUITE_0, SUITE_1, SUITE_2


@pytest.mark.parametrize("suite", [SUITE_1, SUITE_2])
def test_a_fresh_key_is_a_number_from_1_to_n_less_1(suite):
    size, order = ephemeral_random_size(suite), order_of(suite)
    for given, number in ((0, 1), (1, 2), (order - 2, order - 1), (order - 1, 1), (order, 2)):
        key = new_private_key(suite, given.to_bytes(size, "big"))
        assert key.octets == number.to_bytes(suite.coordinate_size, "big")
    for wrong in (0, size - 1, size + 1):
        with pytest.raises(ConfigurationError, match=f"{size} random octets"):
            new_private_key(suite, bytes(wrong))


def test_suite_0_has_no_key_pairs():
    with pytest.raises(ConfigurationError):
        new_private_key(SUITE_0, bytes(40))


@pytest.mark.parametrize(("suite", "digest"), [(SUITE_1, "sha256"), (SUITE_2, "sha384")])
def test_a_request_is_signed_with_the_key_that_is_to_be_certified(suite, digest):
    private = new_private_key(suite, bytes(range(suite.coordinate_size + 8)))
    request = x509.load_der_x509_csr(certificate_request(suite, private, METER))
    assert request.is_signature_valid
    assert request.signature_hash_algorithm.name == digest
    assert public_octets(request.public_key()) == public_key_of(suite, private)
    assert public_key_of(suite, private.octets) == EcdsaKey(suite, private).public_key
    (name,) = request.subject
    assert (name.oid, name.value) == (NameOID.COMMON_NAME, "4D4D4D0000BC614E")


def test_a_request_is_told_from_other_octets():
    request = certificate_request(SUITE_1, new_private_key(SUITE_1, bytes(range(40))), METER)
    assert is_request(request) is True
    for other in (b"", b"0", request[:-1], bytes(len(request))):
        assert is_request(other) is False
