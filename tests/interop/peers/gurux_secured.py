"""gurux-dlms clients in secured associations; see ``secured.py``. The library makes and reads octets, we carry them."""

from __future__ import annotations

import secrets
import socket
from typing import Any

from gurux_dlms import GXByteBuffer, GXDLMSClient, GXReplyData
from gurux_dlms.ecdsa import GXPrivateKey, GXPublicKey
from gurux_dlms.enums import Authentication, Conformance, InterfaceType, Security
from gurux_dlms.objects import (
    GXDLMSData,
    GXDLMSObject,
    GXDLMSProfileGeneric,
    GXDLMSRegister,
    GXDLMSSecuritySetup,
)
from gurux_dlms.objects.enums import GlobalKeyType, SecuritySuite
from gurux_dlms.secure import GXDLMSSecureClient

from gurux_client import octets, plain
from secured import Case, main

FORMS = ("clear", "glo", "ded", "general-glo", "general-ded")


class Client:
    """One association."""

    def __init__(self, case: Case) -> None:
        if case.form not in FORMS:
            raise NotImplementedError("it protects in the forms glo-, ded-, general-glo- and general-ded-")
        if case.short_names and case.ciphered:
            raise NotImplementedError("by short names its client does not cipher")
        if case.change == "key_agreement":
            raise NotImplementedError("it agrees on no keys")
        if (case.change, case.suite) == ("key_transfer", 2):
            raise NotImplementedError("it wraps under a master key of 128 bits")
        if (case.mechanism, case.suite) == (7, 2):
            raise NotImplementedError("it signs on P-256")
        keys = case.keys
        self.client = client = GXDLMSSecureClient(
            not case.short_names,
            case.client,
            1,
            Authentication(case.mechanism),
            case.secret,
            InterfaceType.HDLC if case.hdlc else InterfaceType.WRAPPER,
        )
        cipher = client.ciphering
        cipher.systemTitle = bytearray(keys.client_title)
        cipher.securitySuite = SecuritySuite(case.suite)
        if case.ciphered or case.mechanism >= 5:
            cipher.blockCipherKey = bytearray(keys.guek)
            cipher.authenticationKey = bytearray(keys.gak)
            cipher.invocationCounter = 1
        if case.ciphered:
            cipher.security = Security(case.security)
        if case.dedicated:
            cipher.dedicatedKey = bytearray(range(len(keys.guek)))
        if case.mechanism == 7:
            client.useCustomChallenge = True  # of 32 octets or more
            client.ctoSChallenge = secrets.token_bytes(32)
            public = GXPublicKey.fromRawBytes(b"\x04" + keys.peer_signing)
            cipher.signingKeyPair = (public, GXPrivateKey.fromRawBytes(keys.signing))
        if case.short_names:
            client.proposedConformance = GXDLMSClient.getInitialConformance(False)
        if case.form.startswith("general"):
            client.proposedConformance |= Conformance.GENERAL_PROTECTION
        else:
            client.proposedConformance &= ~Conformance.GENERAL_PROTECTION
        self.setup, self.kek = case.setup, keys.kek
        self.hdlc = case.hdlc
        self.short_names = case.short_names
        self.objects: Any = ()
        self.high = case.mechanism > 1
        self.socket = socket.create_connection(("127.0.0.1", case.port), timeout=20)

    def _packet(self, message: Any, reply: GXReplyData) -> None:
        if message:
            self.socket.sendall(bytes(message))
        received, notification = GXByteBuffer(), GXReplyData()
        while True:
            part = self.socket.recv(4096)
            if not part:
                raise ConnectionError("the server closed the connection")
            received.set(part)
            if self.client.getData(received, reply, notification):
                return

    def _exchange(self, messages: Any) -> GXReplyData:
        """Send messages, follow segments and blocks to their end, and return the reply."""
        reply = GXReplyData()
        for message in messages if isinstance(messages, list) else [messages]:
            reply.clear()
            self._packet(message, reply)
            while reply.isMoreData():
                self._packet(None if reply.isStreaming() else self.client.receiverReady(reply), reply)
        if reply.error:
            raise RuntimeError(f"the server answered with error {reply.error}")
        return reply

    def open(self) -> None:
        if self.hdlc:
            self.client.parseUAResponse(self._exchange(self.client.snrmRequest()).data)
        self.client.parseAareResponse(self._exchange(self.client.aarqRequest()).data)
        if self.high:
            reply = self._exchange(self.client.getApplicationAssociationRequest())
            self.client.parseApplicationAssociationResponse(reply.data)
        if self.short_names:
            reply = self._exchange(self.client.getObjectsRequest())
            self.objects = self.client.parseObjects(reply.data, onlyKnownObjects=False)

    def _named(self, item: GXDLMSObject) -> GXDLMSObject:
        if not self.short_names:
            return item
        return next(each for each in self.objects if each.logicalName == item.logicalName)

    def _read(self, item: GXDLMSObject, attribute: int) -> Any:
        reply = self._exchange(self.client.read(item, attribute))
        return self.client.updateValue(item, attribute, reply.value)

    def identity(self, name: str) -> bytes:
        return octets(self._read(self._named(GXDLMSData(name)), 2))

    def register(self, name: str) -> tuple[int, int, int]:
        register = self._named(GXDLMSRegister(name))
        raw = self._read(register, 2)  # the scaler is not known yet
        scaler, unit = self._exchange(self.client.read(register, 3)).value
        return raw, scaler, unit

    def rows(self, name: str, first: int, last: int) -> list[list[Any]]:
        profile = self._named(GXDLMSProfileGeneric(name))
        self._read(profile, 3)
        reply = self._exchange(self.client.readRowsByEntry(profile, first, last - first + 1))
        profile.buffer = []
        self.client.updateValue(profile, 2, reply.value)
        return [[plain(cell) for cell in row] for row in profile.buffer]

    def transfer(self, guek: bytes, gak: bytes) -> None:
        new = [(GlobalKeyType.UNICAST_ENCRYPTION, guek), (GlobalKeyType.AUTHENTICATION, gak)]
        setup = GXDLMSSecuritySetup(self.setup)
        self._exchange(setup.globalKeyTransfer(self.client, self.kek, new))

    def agree(self) -> tuple[bytes, bytes]:
        raise NotImplementedError

    def release(self) -> None:
        self._exchange(self.client.releaseRequest())

    def close(self) -> None:
        self.socket.close()


if __name__ == "__main__":
    main(Client)
