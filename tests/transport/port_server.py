"""A serial port behind a network, as RFC 2217 has it: forwards octets to a TCP port, and notes how the line is set."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator

IAC, SB, SE, WILL, DO = 255, 250, 240, 251, 253
COM_PORT_OPTION = 44
SET_BAUDRATE, SET_DATASIZE, SET_PARITY, SET_STOPSIZE = 1, 2, 3, 4


class PortServer:
    """One port for one client at a time.

    Args:
        behind: The TCP port of the meter.
        only: How the line must be set for the meter to hear anything; empty if it does not matter.

    Attributes:
        log: Octets to the meter, and the settings of the line, in order.
    """

    def __init__(self, behind: tuple[str, int], only: str = "") -> None:
        self._only = only
        self.log: list[bytes | str] = []
        self._behind = behind
        self._settings: dict[int, int] = {}
        self._noted = ""
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    @property
    def line(self) -> str:
        """How the line is set."""
        settings = self._settings
        return (
            f"{settings[SET_BAUDRATE]} {settings[SET_DATASIZE]}"
            f"{'?NOE'[settings[SET_PARITY]]}{settings[SET_STOPSIZE]}"
        )

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client = self._listening.accept()[0]
                with client, socket.create_connection(self._behind) as meter:
                    back = threading.Thread(target=self._forward, args=(meter, client), daemon=True)
                    back.start()
                    with contextlib.suppress(OSError, StopIteration):
                        self._take(client, meter)
                    with contextlib.suppress(OSError):
                        meter.shutdown(socket.SHUT_RDWR)
                    back.join()

    @staticmethod
    def _forward(meter: socket.socket, client: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while octets := meter.recv(4096):
                client.sendall(octets.replace(b"\xff", b"\xff\xff"))

    def _take(self, client: socket.socket, meter: socket.socket) -> None:
        octets = self._octets(client)
        for octet in octets:
            if octet != IAC:
                self._put(bytes((octet,)), meter)
                continue
            command = next(octets)
            if command == IAC:
                self._put(b"\xff", meter)
            elif command == SB:
                self._subnegotiate(octets, client)
            elif command in {WILL, DO}:
                answer = DO if command == WILL else WILL
                client.sendall(bytes((IAC, answer, next(octets))))
            else:
                next(octets)

    def _put(self, octet: bytes, meter: socket.socket) -> None:
        if self.log and isinstance(self.log[-1], bytes):
            self.log[-1] += octet
        else:
            self.log.append(octet)
        if self._only in {"", self.line}:
            meter.sendall(octet)

    def _subnegotiate(self, octets: Iterator[int], client: socket.socket) -> None:
        assert next(octets) == COM_PORT_OPTION
        command, value = next(octets), bytearray()
        while (octet := next(octets)) != IAC or (octet := next(octets)) != SE:
            value.append(octet)
        if command in {SET_BAUDRATE, SET_DATASIZE, SET_PARITY, SET_STOPSIZE}:
            self._settings[command] = int.from_bytes(value, "big")
            if command == SET_STOPSIZE and self.line != self._noted:  # the last of the four
                self._noted = self.line
                self.log.append(self.line)
        said = bytes(value).replace(b"\xff", b"\xff\xff")
        client.sendall(bytes((IAC, SB, COM_PORT_OPTION, command + 100)) + said + bytes((IAC, SE)))

    @staticmethod
    def _octets(client: socket.socket) -> Iterator[int]:
        while portion := client.recv(4096):
            yield from portion
