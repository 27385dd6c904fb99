"""Certificates of the profile are taken, and each departure from it is refused with its reason."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.oid import NameOID, ObjectIdentifier

from cosem.errors import ConfigurationError, VerificationError
from cosem.security.certificates import Certificate, CertificateUse, Trust
from cosem.security.curves import public_octets
from tests.security.protecting import HEAD_END, METER, SUITE_1, SUITE_2

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
ROOT_KEY, SUB_KEY, KEY = (ec.derive_private_key(number, ec.SECP256R1()) for number in (3, 5, 7))
KEY_OF_FORMER = ec.derive_private_key(19, ec.SECP256R1())
ROOT_384, KEY_384 = (ec.derive_private_key(number, ec.SECP384R1()) for number in (11, 13))
SIGN, AGREE, TLS = CertificateUse


def name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)] if text else [])


def usage(*bits: str) -> x509.KeyUsage:
    every = (
        "digital_signature",
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
    )
    every += ("key_cert_sign", "crl_sign", "encipher_only", "decipher_only")
    return x509.KeyUsage(**{bit: bit in bits for bit in every})


def certificate(
    subject: str = METER.hex().upper(),
    issuer: str = "Root",
    key=KEY,
    signer=ROOT_KEY,
    *,
    bits=("digital_signature",),
    authority: bool | None = None,
    path_length: int | None = None,
    begin: datetime = NOW - DAY,
    end: datetime = NOW + DAY,
    algorithm=None,
    extensions=(),
    critical_usage: bool = True,
    serial: int = 77,
) -> Certificate:
    return Certificate(der(**locals()))


def der(
    subject,
    issuer,
    key,
    signer,
    bits,
    authority,
    path_length,
    begin,
    end,
    algorithm,
    extensions,
    critical_usage,
    serial,
) -> bytes:
    builder = x509.CertificateBuilder().subject_name(name(subject)).issuer_name(name(issuer))
    builder = (
        builder.public_key(key.public_key())
        .serial_number(serial)
        .not_valid_before(begin)
        .not_valid_after(end)
    )
    if bits is not None:
        builder = builder.add_extension(usage(*bits), critical=critical_usage)
    if authority is not None:
        builder = builder.add_extension(x509.BasicConstraints(authority, path_length), critical=True)
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    if algorithm is None and not isinstance(signer, ed25519.Ed25519PrivateKey):
        algorithm = hashes.SHA256() if signer.curve.key_size == 256 else hashes.SHA384()
    return builder.sign(signer, algorithm).public_bytes(serialization.Encoding.DER)


AUTHORITY = {"bits": ("key_cert_sign", "crl_sign"), "authority": True}
ROOT = certificate("Root", "Root", ROOT_KEY, ROOT_KEY, **AUTHORITY)
SUB = certificate("Sub", "Root", SUB_KEY, ROOT_KEY, path_length=0, **AUTHORITY)
ROOT_OF_384 = certificate("Root 384", "Root 384", ROOT_384, ROOT_384, **AUTHORITY)
TRUST = Trust([ROOT, ROOT_OF_384], [SUB])


def verified(each: Certificate, trust: Trust = TRUST, moment: datetime = NOW, **changes) -> bytes:
    return trust.verify(each, moment, **({"use": SIGN, "system_title": METER} | changes))


def test_a_certificate_gives_its_public_key():
    each = certificate()
    assert verified(each) == public_octets(KEY.public_key())
    assert verified(each, suite=SUITE_1) == each.public_key
    assert (each.suite, each.uses, each.system_title) == (SUITE_1, {SIGN}, METER)
    assert (each.serial_number, each.issuer, each.subject) == (77, "CN=Root", "CN=4D4D4D0000BC614E")
    assert each.is_authority is False
    assert each.path_length is None
    assert each.subject_alternative_name == b""
    assert repr(each) == "<Certificate CN=4D4D4D0000BC614E issued by CN=Root>"
    assert each == Certificate(each.octets)
    assert hash(each) == hash(Certificate(each.octets))
    assert each != ROOT
    assert each != each.octets


def test_the_path_leads_over_an_intermediate_authority():
    each = certificate(issuer="Sub", signer=SUB_KEY)
    assert verified(each) == each.public_key
    with pytest.raises(VerificationError, match="no trusted authority"):
        verified(each, Trust([ROOT]))
    with pytest.raises(VerificationError):
        verified(each, Trust([], [ROOT, SUB]))


def test_a_path_is_as_long_as_the_authority_allows():
    below = certificate("Below", "Sub", KEY, SUB_KEY, **AUTHORITY)
    each = certificate(issuer="Below", signer=KEY, key=ec.derive_private_key(17, ec.SECP256R1()))
    with pytest.raises(VerificationError, match="longer"):
        verified(each, Trust([ROOT], [SUB, below]))
    assert Trust([ROOT], [SUB, below]).valid_until(each) is None
    longer = certificate("Sub", "Root", SUB_KEY, ROOT_KEY, path_length=1, **AUTHORITY)
    assert Trust([ROOT], [longer, below]).valid_until(each) == NOW + DAY
    assert verified(each, Trust([ROOT], [longer, below])) == each.public_key


def test_a_circle_of_authorities_leads_nowhere():
    one = certificate("One", "Two", SUB_KEY, KEY, **AUTHORITY)
    two = certificate("Two", "One", KEY, SUB_KEY, **AUTHORITY)
    with pytest.raises(VerificationError, match="4 authorities, and none of them is trusted"):
        verified(certificate(issuer="One", signer=SUB_KEY), Trust([ROOT], [one, two]))
    assert Trust([ROOT], [one, two]).valid_until(certificate(issuer="One", signer=SUB_KEY)) is None


def test_the_end_of_a_path_says_why_it_ends():
    below = certificate("Below", "Nobody", SUB_KEY, KEY, **AUTHORITY)
    with pytest.raises(VerificationError, match=r"^no trusted authority issued the certificate$"):
        verified(certificate(issuer="Below", signer=SUB_KEY), Trust([ROOT], [below]))
    end = certificate("Sub", "Root", SUB_KEY, ROOT_KEY)
    with pytest.raises(VerificationError, match=r"^the certificate was issued by an end entity$"):
        verified(certificate(issuer="Sub", signer=SUB_KEY), Trust([ROOT], [end]))
    below = certificate("Below", "Sub", KEY, SUB_KEY, **AUTHORITY)
    with pytest.raises(VerificationError, match=r"longer than it allows$"):
        verified(certificate(issuer="Below", signer=KEY), Trust([ROOT], [SUB, below]))


def test_a_path_leads_over_so_many_authorities_and_no_more():
    keys = [ec.derive_private_key(number, ec.SECP256R1()) for number in range(20, 25)]
    names = ["Root", "0", "1", "2", "3", "4"]
    signers = [ROOT_KEY, *keys]
    chain = [
        certificate(names[place + 1], names[place], keys[place], signers[place], **AUTHORITY)
        for place in range(5)
    ]
    trust = Trust([ROOT], chain)
    assert verified(certificate(issuer="2", signer=keys[2]), trust)
    with pytest.raises(VerificationError, match="4 authorities"):
        verified(certificate(issuer="3", signer=keys[3]), trust)
    assert trust.valid_until(certificate(issuer="2", signer=keys[2])) == NOW + DAY
    assert trust.valid_until(certificate(issuer="3", signer=keys[3])) is None


def test_an_authority_that_changed_its_key_is_found_by_either():
    former = certificate("Root", "Root", KEY_OF_FORMER, KEY_OF_FORMER, **AUTHORITY)
    each = certificate()
    for anchors in ([former, ROOT], [ROOT, former]):
        assert verified(each, Trust(anchors)) == each.public_key
    with pytest.raises(VerificationError, match="signature"):
        verified(each, Trust([former]))


def test_an_authority_stands_below_an_anchor():
    TRUST.verify_authority(SUB, NOW)
    with pytest.raises(VerificationError, match="not that of an authority"):
        TRUST.verify_authority(certificate(), NOW)
    with pytest.raises(VerificationError, match="no trusted authority"):
        TRUST.verify_authority(ROOT, NOW)
    with pytest.raises(VerificationError, match="no trusted authority"):
        Trust([], [ROOT]).verify_authority(ROOT, NOW)
    with pytest.raises(VerificationError, match="not valid now"):
        TRUST.verify_authority(SUB, NOW + 2 * DAY)


def test_suite_2_has_certificates_of_its_own():
    each = certificate(key=KEY_384, issuer="Root 384", signer=ROOT_384)
    assert each.suite is SUITE_2
    assert verified(each, suite=SUITE_2) == each.public_key
    with pytest.raises(VerificationError, match="suite 1"):
        verified(each, suite=SUITE_1)
    mixed = certificate(issuer="Root 384", signer=ROOT_384)
    assert verified(mixed) == mixed.public_key, "a key on P-256 may be signed by one on P-384"
    with pytest.raises(VerificationError, match="P-384"):
        verified(certificate(key=KEY_384))


def test_the_uses_have_the_numbers_of_certificate_type():
    assert [int(use) for use in (SIGN, AGREE, TLS)] == [0, 1, 2]
    both = certificate(
        "Root", "Root", ROOT_KEY, ROOT_KEY, bits=("key_cert_sign", "digital_signature"), authority=True
    )
    assert both.uses == frozenset(), "an authority has no use of its own"
    with pytest.raises(VerificationError, match="another issuer"):
        SUB.check_signature_of(ROOT)


@pytest.mark.parametrize(
    ("bits", "uses"),
    [
        (("digital_signature",), {SIGN}),
        (("key_agreement",), {AGREE}),
        (("digital_signature", "key_agreement"), {TLS}),
        (("key_encipherment",), set()),
    ],
)
def test_a_key_is_for_one_use(bits, uses):
    each = certificate(bits=bits)
    assert each.uses == uses
    for use in CertificateUse:
        if use in uses:
            assert verified(each, use=use) == each.public_key
        else:
            with pytest.raises(VerificationError, match="not for"):
                verified(each, use=use)


def test_a_certificate_is_of_its_own_system_title():
    with pytest.raises(VerificationError, match="title"):
        verified(certificate(), system_title=HEAD_END)
    for subject in ("", "Meter 7", METER.hex()[:14], METER.hex() + "00"):
        with pytest.raises(VerificationError, match="title"):
            verified(certificate(subject))


def hardware_module(title: bytes, oid: str = "1.3.6.1.5.5.7.8.4") -> x509.SubjectAlternativeName:
    content = b"\x06\x03\x2a\x03\x04" + b"\x04" + bytes((len(title),)) + title
    value = b"\x30" + bytes((len(content),)) + content
    return x509.SubjectAlternativeName([x509.OtherName(ObjectIdentifier(oid), value)])


def test_the_title_may_be_that_of_the_hardware_module():
    assert verified(certificate("", extensions=[(hardware_module(METER), True)]))
    assert certificate("", extensions=[(hardware_module(METER, "1.2.3.4"), True)]).system_title is None
    assert certificate("", extensions=[(hardware_module(METER[:7]), True)]).system_title is None
    assert certificate(extensions=[(hardware_module(METER), False)]).system_title == METER
    with pytest.raises(VerificationError, match="two"):
        verified(certificate(extensions=[(hardware_module(HEAD_END), False)]))
    dns = x509.SubjectAlternativeName([x509.DNSName("meter")])
    assert certificate(extensions=[(dns, False)]).system_title == METER


@pytest.mark.parametrize(
    ("moment", "valid"),
    [
        (NOW - DAY, True),
        (NOW + DAY, True),
        (NOW - DAY - timedelta(seconds=1), False),
        (NOW + DAY + timedelta(seconds=1), False),
    ],
)
def test_a_certificate_is_valid_from_one_moment_to_another(moment, valid):
    root = certificate(
        "Root", "Root", ROOT_KEY, ROOT_KEY, begin=NOW - 9 * DAY, end=NOW + 9 * DAY, **AUTHORITY
    )
    trust = Trust([root])
    if valid:
        assert verified(certificate(), trust, moment)
    else:
        with pytest.raises(VerificationError, match="not valid now"):
            verified(certificate(), trust, moment)


def test_every_certificate_of_the_path_has_to_be_valid():
    old = NOW - 5 * DAY
    for root, sub in (
        (certificate("Root", "Root", ROOT_KEY, ROOT_KEY, begin=old, end=NOW - DAY, **AUTHORITY), SUB),
        (ROOT, certificate("Sub", "Root", SUB_KEY, ROOT_KEY, begin=old, end=NOW - DAY, **AUTHORITY)),
    ):
        with pytest.raises(VerificationError, match="not valid now"):
            verified(certificate(issuer="Sub", signer=SUB_KEY), Trust([root], [sub]))


def test_a_moment_has_a_time_zone():
    with pytest.raises(ConfigurationError):
        verified(certificate(), moment=NOW.replace(tzinfo=None))
    zone = NOW.astimezone(tz=None)
    assert certificate().is_valid_at(zone)


def test_how_long_a_certificate_is_vouched_for():
    each, below = certificate(), certificate(issuer="Sub", signer=SUB_KEY)
    assert each.valid_until == NOW + DAY
    assert TRUST.valid_until(each) == TRUST.valid_until(below) == NOW + DAY
    soon = {"end": NOW + DAY / 2, **AUTHORITY}
    root = certificate("Root", "Root", ROOT_KEY, ROOT_KEY, **soon)
    sub = certificate("Sub", "Root", SUB_KEY, ROOT_KEY, **soon)
    assert Trust([root]).valid_until(each) == NOW + DAY / 2
    assert Trust([root], [SUB]).valid_until(below) == NOW + DAY / 2
    assert Trust([ROOT], [sub]).valid_until(below) == NOW + DAY / 2
    assert TRUST.valid_until(certificate(end=NOW + DAY / 3)) == NOW + DAY / 3
    for roots in ([root, ROOT], [ROOT, root]):  # one root was renewed with its key
        assert Trust(roots).valid_until(each) == NOW + DAY


def test_who_stands_below_no_anchor_is_vouched_for_at_no_time():
    each, below = certificate(), certificate(issuer="Sub", signer=SUB_KEY)
    for trust in (Trust([]), Trust([], [ROOT, SUB]), Trust([SUB]), Trust([ROOT_OF_384])):
        assert trust.valid_until(each) is None
    assert Trust([ROOT]).valid_until(below) is None
    assert Trust([SUB]).valid_until(below) == NOW + DAY
    assert TRUST.valid_until(certificate(signer=SUB_KEY)) is None
    end_entity = certificate("Sub", "Root", SUB_KEY, ROOT_KEY)
    assert Trust([ROOT], [end_entity]).valid_until(below) is None
    assert TRUST.valid_until(ROOT) is None  # an anchor needs nobody


def test_a_certificate_may_never_end():
    each = certificate(end=datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC))
    assert verified(each)


def test_another_signature_is_refused():
    each = certificate(signer=SUB_KEY)  # says Root, and is signed by somebody else
    with pytest.raises(VerificationError, match="signature"):
        verified(each)
    octets = bytearray(certificate().octets)
    octets[-1] ^= 1
    with pytest.raises(VerificationError):
        verified(Certificate(bytes(octets)))


def test_an_authority_signs_nothing_else_and_an_end_entity_no_certificates():
    with pytest.raises(VerificationError, match="authority"):
        verified(ROOT)
    assert ROOT.uses == frozenset()
    fake = certificate("Fake", bits=("digital_signature",))
    with pytest.raises(VerificationError):
        verified(certificate(issuer="Fake", signer=KEY), Trust([ROOT], [fake]))
    with pytest.raises(VerificationError, match="does not sign"):
        certificate(authority=True)
    for authority in (None, False):
        with pytest.raises(VerificationError, match="not that of an authority"):
            certificate(bits=("key_cert_sign",), authority=authority)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"bits": None}, "what its key is for"),
        ({"critical_usage": False}, "critical"),
        ({"key": ec.derive_private_key(9, ec.SECP521R1())}, "P-256 nor P-384"),
        ({"key": ed25519.Ed25519PrivateKey.from_private_bytes(bytes(32))}, "P-256 nor P-384"),
        ({"signer": ed25519.Ed25519PrivateKey.from_private_bytes(bytes(32))}, "signed by neither"),
        ({"algorithm": hashes.SHA512()}, "signed by neither"),
        ({"algorithm": hashes.SHA224()}, "signed by neither"),
        (
            {"extensions": [(x509.UnrecognizedExtension(ObjectIdentifier("1.2.3.4.5"), b"\x05\x00"), True)]},
            "unknown critical",
        ),
    ],
)
def test_what_the_profile_does_not_allow_is_refused(changes, reason):
    with pytest.raises(VerificationError, match=reason):
        certificate(**changes)


@pytest.mark.parametrize(
    "extension",
    [
        x509.AuthorityKeyIdentifier(bytes(20), None, None),
        x509.SubjectKeyIdentifier(bytes(20)),
        x509.CertificatePolicies([x509.PolicyInformation(ObjectIdentifier("1.2.3.4"), None)]),
        x509.SubjectAlternativeName([x509.DNSName("meter.example")]),
        x509.IssuerAlternativeName([x509.DNSName("authority.example")]),
        x509.BasicConstraints(ca=False, path_length=None),
        x509.ExtendedKeyUsage([ObjectIdentifier("1.3.6.1.5.5.7.3.1")]),
        x509.CRLDistributionPoints(
            [
                x509.DistributionPoint(
                    [x509.UniformResourceIdentifier("http://authority.example")], None, None, None
                )
            ]
        ),
    ],
    ids=lambda extension: type(extension).__name__,
)
def test_every_extension_of_the_profile_may_be_critical(extension):
    for critical in (True, False):
        assert verified(certificate(extensions=[(extension, critical)]))


def test_an_unknown_extension_that_is_not_critical_is_allowed():
    extension = x509.UnrecognizedExtension(ObjectIdentifier("1.2.3.4.5"), b"\x05\x00")
    assert verified(certificate(extensions=[(extension, False)]))


def test_the_hash_fits_the_key_of_the_issuer():
    with pytest.raises(VerificationError, match="hash"):
        verified(certificate(issuer="Root 384", signer=ROOT_384, algorithm=hashes.SHA256()))


def test_a_serial_number_has_20_octets():
    assert certificate(serial=(1 << 159) - 1)
    with pytest.raises(ValueError):
        certificate(serial=1 << 160)


def with_serial(octets: bytes) -> bytes:
    """Return a certificate with these octets for its serial number; its signature is none."""
    made = certificate(serial=(1 << 159) - 1).octets
    before = b"\x02\x14\x7f" + b"\xff" * 19
    more = len(octets) - 20
    begin, _, end = made.partition(before)
    begin = begin[:2] + (int.from_bytes(begin[2:4], "big") + more).to_bytes(2, "big") + begin[4:]
    begin = begin[:6] + bytes((begin[6] + more,)) + begin[7:]
    return begin + b"\x02" + bytes((len(octets),)) + octets + end


@pytest.mark.filterwarnings("ignore:.*serial number")
@pytest.mark.parametrize(
    "octets",
    [
        b"\x00",
        b"\xff",
        b"\x80" + bytes(19),
        b"\x00\x80" + bytes(19),
        b"\x00" + b"\xff" * 20,
        b"\x01" + bytes(20),
    ],
)
def test_a_serial_number_is_positive_and_of_20_octets(octets):
    with pytest.raises(VerificationError, match="serial number"):
        Certificate(with_serial(octets))
    assert Certificate(with_serial(b"\x01")).serial_number == 1
    assert Certificate(with_serial(b"\x7f" + octets[:1] * 19)).serial_number >> 152 == 0x7F


def test_a_signature_has_whole_octets():
    """The number of unused bits is signed by nobody; the library does not look at it where those bits are 0."""
    changed = 0
    for serial in range(1, 20):
        octets = bytearray(certificate(serial=serial).octets)
        size = len(x509.load_der_x509_certificate(bytes(octets)).signature)
        octets[-size - 1] = 1
        with pytest.raises(VerificationError) as refused:
            Certificate(bytes(octets))
        changed += "part of an octet" in str(refused.value)
    assert changed


@pytest.mark.parametrize("size", [0, 1, 2, 50])
def test_what_is_no_certificate_is_refused(size):
    octets = certificate().octets
    with pytest.raises(VerificationError):
        Certificate(octets[:size])
    with pytest.raises(VerificationError):
        Certificate(octets + b"\x00" * (size + 1))
    with pytest.raises(VerificationError, match="octets"):
        Certificate(bytes(20000))


def test_no_octet_of_a_certificate_can_be_changed():
    octets = certificate().octets
    for index in range(len(octets)):
        changed = bytearray(octets)
        changed[index] ^= 0x01
        with pytest.raises(VerificationError):
            verified(Certificate(bytes(changed)))
