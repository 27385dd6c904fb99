"""dlms-cosem clients in secured associations; see ``secured.py``."""

from __future__ import annotations

import logging
from typing import Any

import structlog
from dlms_cosem import cosem, dlms_data, enumerations, utils
from dlms_cosem.client import DlmsClient
from dlms_cosem.io import BlockingTcpIO, HdlcTransport, TcpTransport
from dlms_cosem.protocol import acse
from dlms_cosem.security import (
    HighLevelSecurityCommonAuthentication,
    HighLevelSecurityGmacAuthentication,
    LowLevelSecurityAuthentication,
    NoSecurityAuthentication,
    wrap_key,
)

from dlms_cosem_client import Entries, attribute, wall_clock
from secured import Case, main


class Client:
    """One association. It ciphers in the general form, with tag and encryption under the global key."""

    def __init__(self, case: Case) -> None:
        if case.short_names:
            raise NotImplementedError("it refers to objects by logical names")
        if case.form not in ("clear", "general-glo") or case.kinds != "AE":
            raise NotImplementedError("its client protects in the form general-glo-, with tag and encryption")
        if case.change == "key_agreement":
            raise NotImplementedError("it agrees on no keys")
        if case.mechanism not in (0, 1, 2, 5):
            raise NotImplementedError("it has the mechanisms 0, 1, 2 and 5")
        if (case.mechanism, case.form) == (5, "clear"):
            raise NotImplementedError("with keys, its client always asks for ciphering")
        mechanisms = {
            0: NoSecurityAuthentication,
            1: lambda: LowLevelSecurityAuthentication(case.secret.encode()),
            2: lambda: HighLevelSecurityCommonAuthentication(case.secret.encode()),
            5: HighLevelSecurityGmacAuthentication,
        }
        facts: dict[str, Any] = {}
        if case.ciphered or case.mechanism == 5:
            facts = {
                "encryption_key": case.keys.guek,
                "authentication_key": case.keys.gak,
                "client_system_title": case.keys.client_title,
                "client_initial_invocation_counter": 1,
                "meter_initial_invocation_counter": -1,  # ours begins with 0
                "security_suite": case.suite,
            }
        self.setup, self.kek = case.setup, case.keys.kek
        line = BlockingTcpIO("127.0.0.1", case.port, timeout=20)
        transport = (HdlcTransport if case.hdlc else TcpTransport)(case.client, 1, line)
        self.client = DlmsClient(transport, mechanisms[case.mechanism](), **facts)
        # Blocks are those of the services here.
        self.client.dlms_connection.conformance.general_block_transfer = False

    def open(self) -> None:
        self.client.connect()
        self.client.associate()

    def _read(self, class_id: int, name: str, number: int, selection: Any = None) -> Any:
        return utils.parse_as_dlms_data(self.client.get(attribute(class_id, name, number), selection))

    def identity(self, name: str) -> bytes:
        return self._read(1, name, 2)

    def register(self, name: str) -> tuple[int, int, int]:
        return (self._read(3, name, 2), *self._read(3, name, 3))

    def rows(self, name: str, first: int, last: int) -> list[list[Any]]:
        return [[wall_clock(row[0]), *row[1:]] for row in self._read(7, name, 2, Entries(first, last))]

    def transfer(self, guek: bytes, gak: bytes) -> None:
        control = self.client.dlms_connection.security_control
        keys = [
            dlms_data.DataStructure(
                [
                    dlms_data.EnumData(number),
                    dlms_data.OctetStringData(wrap_key(control, self.kek, key)),
                ]
            )
            for number, key in ((0, guek), (2, gak))
        ]
        method = cosem.CosemMethod(
            enumerations.CosemInterface.SECURITY_SETUP, cosem.Obis.from_string(self.setup), 2
        )
        self.client.action(method, bytes(dlms_data.DataArray(keys).to_bytes()))

    def agree(self) -> tuple[bytes, bytes]:
        raise NotImplementedError

    def release(self) -> None:
        answer = self.client.release_association()
        if not isinstance(answer, acse.ReleaseResponse):
            raise TypeError(f"not released: {answer}")

    def close(self) -> None:
        self.client.disconnect()


if __name__ == "__main__":
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    main(Client)
