"""A pydlms-client client that refers to objects by short names: reads a server and reports what it saw.

Answers in blocks are left out.
"""

from __future__ import annotations

from typing import Any

from pydlms.apdu.xdlms import entry_descriptor
from pydlms.client import DlmsClient
from pydlms.cosem.data import DlmsData
from pydlms.cosem.time import CosemDateTime
from pydlms.security.hls import Mechanism

from report import Report, arguments


def read(client: DlmsClient, plan: dict[str, Any], report: Report) -> None:
    """Run the cases with an open association."""

    def value(class_id: int, name: str, number: int = 2) -> Any:
        return client.get(name, class_id, number).to_python()

    def plain(rows: Any) -> list[list[Any]]:
        return [[wall_clock(cell) if isinstance(cell, bytes) else cell for cell in row] for row in rows]

    with report.case("objects") as result:
        view = client.get_association_view()
        result([[each.base_name, int(each.class_id), each.version, str(each.logical_name)] for each in view])
    with report.case("identity") as result:
        result(value(1, plan["identity"]))
    for name in plan["registers"]:
        with report.case(f"register {name}") as result:
            found = client.get_register(name)
            result({"raw": found.raw, "scaler": found.scaler, "unit": int(found.unit)})
    with report.case("list") as result:
        result([each.to_python() for each in client.get_many([(name, 3, 2) for name in plan["registers"]])])
    with report.case("clock") as result:
        result(client.get_clock(plan["clock"]).to_datetime().replace(tzinfo=None).isoformat())
    with report.case("columns") as result:
        captured = value(7, plan["profile"], 3)
        result([[each[0], ".".join(map(str, each[1])), each[2]] for each in captured])
    with report.case("by entry") as result:
        result(plain(client.read_profile(plan["profile"], entry_descriptor(*plan["entries"])).rows))
    with report.case("write") as result:
        before = value(1, plan["message"])
        seen = []
        for octets in (bytes.fromhex(plan["write"]), before):
            client.set(plan["message"], 1, 2, DlmsData.octet_string(octets))
            seen.append(value(1, plan["message"]))
        result({"before": before, "written": seen[0], "restored": seen[1]})
    with report.case("methods") as result:
        states = [value(70, plan["disconnect"])]
        for method in (1, 2):
            client.action(plan["disconnect"], 70, method, DlmsData.int8(0))
            states.append(value(70, plan["disconnect"]))
        result([bool(state) for state in states])
    with report.case("refusal") as result:
        try:
            client.set(plan["identity"], 1, 2, DlmsData.octet_string(b"another"))
        except Exception as error:  # noqa: BLE001 -- whatever the peer makes of the refusal
            result(str(error))
    with report.case("write in blocks") as result:
        client.set(plan["message"], 1, 2, DlmsData.octet_string(bytes.fromhex(plan["write in blocks"])))
        result("written")


def wall_clock(octets: bytes) -> str:
    """Return a date-time as the wall clock of the meter."""
    return CosemDateTime.from_bytes(octets).to_datetime().replace(tzinfo=None).isoformat()


def main() -> None:
    options = arguments(__doc__)
    report = Report()
    wanted = options.security
    client = DlmsClient.tcp(
        "127.0.0.1",
        options.port,
        client_sap=options.client,
        server_logical=options.server,
        mechanism=Mechanism(wanted.mechanism),
        password=wanted.secret,
        logical_names=False,
    )
    with report.case("open") as result:
        client.connect()
        result("opened")
    if report.ok("open"):
        read(client, options.plan, report)
        with report.case("release") as result:
            client.association.release()
            result("released")
    report.print()


if __name__ == "__main__":
    main()
