"""Show what security a meter demands, make it stricter, and manage its key pairs and certificates.

This is the Security setup object (class 64) of the association that --client opens. Keys are changed by cosem keys.

A policy is only ever made stricter: no meter takes a weaker one. It is a number as the meter has it (0x6C), or words:
authenticated-request,encrypted-request,authenticated-response,encrypted-response,digitally-signed-request and
digitally-signed-response; of version 0 of the object authenticated, encrypted, authenticated-and-encrypted.

A certificate of the meter's own key comes in three steps: request --new has it make a key pair and returns the request
to certify it; an authority signs that; import gives the meter the certificate, and from then on the new pair is used.
"""

from __future__ import annotations

import argparse
import sys
from base64 import b64encode
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from cosem.cli.certificate_files import CERTIFICATE, certificate_in
from cosem.cli.connection import add_connection_options, connected, converter
from cosem.errors import AccessError, ActionError, ConfigurationError, ConversionError, CosemError

if TYPE_CHECKING:
    from cosem.classes.standard.security_setup import CertificateInfo
    from cosem.client.security_setup import SecuritySetupOfMeter
    from cosem.security.policy import SecurityPolicy

__all__ = ["EXAMPLES", "add_arguments", "run"]

EXAMPLES: Final = (
    ("cosem security show sim: --client 2 --keys demo", "policy, suite, titles and certificates"),
    ("cosem security show sim: --client 2 --keys demo --json", "the same for machines"),
    ("cosem security policy sim: 0x6C --client 2 --keys demo --yes", "tag and encryption both ways"),
    ("cosem security request 10.0.0.7 --new --client 1 --keys k.toml", "a new key pair"),
    ("cosem security import 10.0.0.7 m.pem --client 1 --keys k.toml", "its certificate"),
    ("cosem security export 10.0.0.7 --of authority --keys k.toml", "one that it has"),
)
_USES: Final = {"signature": 0, "agreement": 1, "tls": 2}
_OWNERS: Final = {"meter": 0, "client": 1, "authority": 2, "other": 3}
_OF_AUTHORITIES: Final = 3
_REQUEST: Final = "CERTIFICATE REQUEST"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what can be done, each with its options."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    show = _action(actions, "show", "show policy, suite, titles and certificates")
    policy = _action(actions, "policy", "activate a stricter policy")
    policy.add_argument("policy", metavar="POLICY", type=converter(_policy), help="number or words")
    policy.add_argument("--yes", action="store_true", help="do it without asking: there is no way back")
    request = _action(actions, "request", "get the request to certify a key pair of the meter (PKCS #10)")
    request.add_argument(
        "--use", choices=tuple(_USES)[:2], default="signature", help="what the key is for (default signature)"
    )
    request.add_argument("--new", action="store_true", help="have the meter make a new key pair first")
    imported = _action(
        actions, "import", "give the meter a certificate: its own, or of a client or authority"
    )
    imported.add_argument("file", metavar="FILE", help="the certificate, PEM or DER")
    export = _action(actions, "export", "get a certificate that the meter has")
    remove = _action(actions, "remove", "have the meter forget a certificate of somebody else")
    for each in (export, remove):
        each.add_argument("--of", choices=tuple(_OWNERS), required=True, help="whose it is")
        each.add_argument("--use", choices=tuple(_USES), help="what its key is for; not for an authority")
        each.add_argument("--owner", metavar="TITLE", help="system title of its owner; not for an authority")
    for each in (request, export):
        each.add_argument("-o", "--output", metavar="FILE", help="write to this file instead, PEM")
    for each in (show, policy, request, imported, export, remove):
        each.add_argument(
            "--setup",
            metavar="OBIS",
            default="0-0:43.0.0",
            help="Security setup object (default 0-0:43.0.0)",
        )
        each.add_argument(
            "--json",
            action="store_true",
            default=argparse.SUPPRESS,
            help="for machines: JSON on standard output",
        )


def _action(actions: Any, name: str, does: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = actions.add_parser(
        name, help=does, description=does, allow_abbrev=False
    )
    add_connection_options(parser)
    return parser


def _policy(text: str) -> SecurityPolicy:
    from cosem.security.policy import SecurityPolicyV0, SecurityPolicyV1

    try:
        number = int(text, 0)
    except ValueError:
        names = [word.strip().upper().replace("-", "_") for word in text.split(",")]
        if len(names) == 1 and names[0] in SecurityPolicyV0.__members__:
            return SecurityPolicyV0[names[0]]
        known = SecurityPolicyV1.__members__
        if not set(names) <= known.keys():
            raise ConfigurationError(
                f"{text!r} is no policy: a number such as 0x6C, or {', '.join(map(_word, known))}"
            ) from None
        policy = SecurityPolicyV1.NOTHING
        for name in names:
            policy |= known[name]
        return policy
    if 0 < number < len(SecurityPolicyV0):
        return SecurityPolicyV0(number)
    return SecurityPolicyV1.parse(number)


def _word(name: str) -> str:
    return name.lower().replace("_", "-")


def run(options: argparse.Namespace) -> int:
    """Do what the action says."""
    actions = {
        "show": _show,
        "policy": _activate,
        "request": _request,
        "import": _import,
        "export": _export,
        "remove": _remove,
    }
    return actions[options.action](options)


def _setup_of(meter: Any, options: argparse.Namespace) -> SecuritySetupOfMeter:
    from cosem.client.security_setup import SecuritySetupOfMeter

    return SecuritySetupOfMeter(meter, options.setup)


def _show(options: argparse.Namespace) -> int:
    from cosem.cli.output import Column, print_json, print_table

    certificates: list[CertificateInfo] | None = None
    with connected(options) as meter:
        setup = _setup_of(meter, options)
        state = setup.read()
        try:
            certificates = setup.certificates()
        except AccessError:  # version 0 has none, and not every client is shown those of version 1
            certificates = None
    facts: dict[str, Any] = {
        "policy": int(state.policy),
        "demands": _words_of(state.policy),
        "suite": state.suite,
        "client_title": _title(state.client_title),
        "server_title": _title(state.server_title),
        "certificates": None if certificates is None else [_facts_of(each) for each in certificates],
    }
    if options.json:
        print_json(facts)
        return 0
    print(f"policy        0x{facts['policy']:02X}: {', '.join(facts['demands']) or 'nothing is demanded'}")
    print(f"suite         {state.suite}")
    print(f"client title  {facts['client_title'] or 'none'}")
    print(f"server title  {facts['server_title']}")
    if not certificates:
        print(f"certificates  {'not shown' if certificates is None else 'none'}")
        return 0
    names = ("of", "use", "serial", "subject", "issuer")
    print_table(
        [Column(name) for name in names], [[each[n] for n in names] for each in facts["certificates"]]
    )
    return 0


def _words_of(policy: SecurityPolicy) -> list[str]:
    from cosem.security.policy import SecurityPolicyV0, SecurityPolicyV1

    if isinstance(policy, SecurityPolicyV0):
        return [_word(policy.name)]
    return [_word(str(bit.name)) for bit in SecurityPolicyV1 if bit and bit in policy]


def _title(octets: bytes) -> str:
    from cosem.security.system_title import SystemTitle

    return str(SystemTitle(octets)) if len(octets) == 8 else octets.hex().upper()


def _facts_of(info: CertificateInfo) -> dict[str, str]:
    owners = {number: name for name, number in _OWNERS.items()}
    uses = {number: name for name, number in _USES.items()}
    return {
        "of": owners.get(int(info.certificate_entity), str(int(info.certificate_entity))),
        "use": uses.get(int(info.certificate_type), "other"),
        "serial": bytes(info.certificate_serial_number).hex().upper(),
        "subject": _text(info.certificate_subject),
        "issuer": _text(info.certificate_issuer),
    }


def _text(octets: bytes) -> str:
    """Return a distinguished name: as text where the meter gives text, else the octets."""
    try:
        text = bytes(octets).decode()
    except UnicodeDecodeError:
        return bytes(octets).hex().upper()
    return text if text.isprintable() else bytes(octets).hex().upper()


def _activate(options: argparse.Namespace) -> int:
    if not options.yes and (sys.stdin is None or not sys.stdin.isatty()):
        raise ConfigurationError("nobody is here to confirm: --yes activates the policy without asking")
    demands = ", ".join(_words_of(options.policy)) or "nothing"
    with connected(options) as meter:
        if not options.yes:
            question = f"demand {demands} at {meter.peer} from now on, with no way back? [y/N] "
            print(question, end="", file=sys.stderr, flush=True)
            if sys.stdin.readline().strip().lower() not in {"y", "yes"}:
                raise ConfigurationError("not confirmed: nothing was done")
        setup = _setup_of(meter, options)
        try:
            setup.activate(options.policy)
        except (AccessError, ActionError) as error:
            raise _refused(setup, options.policy, error) from error
    _say(
        options,
        {"policy": int(options.policy), "demands": _words_of(options.policy)},
        f"activated: {demands}",
    )
    return 0


def _refused(setup: SecuritySetupOfMeter, wanted: SecurityPolicy, error: CosemError) -> CosemError:
    """Return why a policy was refused, if what is in force tells it."""
    try:
        present = setup.read().policy
    except CosemError:
        return error
    if type(present) is not type(wanted) or wanted.contains(present):  # type: ignore[arg-type]
        return error
    words = ", ".join(_words_of(present))
    return CosemError(
        f"{error}. In force is 0x{int(present):02X}, {words}: a policy may demand more, and never less"
    )


def _request(options: argparse.Namespace) -> int:
    use = _USES[options.use]
    with connected(options) as meter:
        setup = _setup_of(meter, options)
        if options.new:
            setup.generate_key_pair(use)
        octets = setup.certificate_request(use)
    return _give(options, octets, _REQUEST)


def _import(options: argparse.Namespace) -> int:
    certificate = certificate_in(options.file)
    with connected(options) as meter:
        _setup_of(meter, options).import_certificate(certificate)
    _say(
        options,
        {"subject": certificate.subject, "issuer": certificate.issuer},
        f"imported: {certificate.subject}",
    )
    return 0


def _export(options: argparse.Namespace) -> int:
    which = _which(options)
    with connected(options) as meter:
        certificate = _setup_of(meter, options).export_certificate(*which)
    return _give(options, certificate.octets, CERTIFICATE)


def _remove(options: argparse.Namespace) -> int:
    which = _which(options)
    with connected(options) as meter:
        _setup_of(meter, options).remove_certificate(*which)
    _say(options, {"removed": True}, "removed")
    return 0


def _which(options: argparse.Namespace) -> tuple[int, int, bytes]:
    """Return entity, use and title of the certificate that is meant.

    Raises:
        ConfigurationError: The options do not say which.
    """
    from cosem.security.system_title import SystemTitle

    if options.of == "authority":
        if options.use is not None:
            raise ConfigurationError("the key of an authority has no --use: it signs certificates")
    elif options.use is None or options.owner is None:
        raise ConfigurationError(f"--use and --owner say which certificate of {options.of} is meant")
    try:
        title = b"" if options.owner is None else bytes(SystemTitle(options.owner))
    except ConversionError as error:
        raise ConfigurationError(f"--owner: {error}") from None
    return _OWNERS[options.of], _OF_AUTHORITIES if options.use is None else _USES[options.use], title


def _give(options: argparse.Namespace, octets: bytes, label: str) -> int:
    """Write octets as PEM: to the file that was named, else to standard output."""
    encoded = b64encode(octets).decode()
    lines = [encoded[start : start + 64] for start in range(0, len(encoded), 64)]
    pem = "\n".join((f"-----BEGIN {label}-----", *lines, f"-----END {label}-----", ""))
    if options.output is not None:
        Path(options.output).expanduser().write_text(pem, encoding="ascii")
        _say(options, {"file": options.output}, f"written: {options.output}")
    else:
        _say(options, {"pem": pem}, pem.rstrip("\n"))
    return 0


def _say(options: argparse.Namespace, facts: dict[str, Any], text: str) -> None:
    if options.json:
        from cosem.cli.output import print_json

        print_json(facts)
    else:
        print(text)
