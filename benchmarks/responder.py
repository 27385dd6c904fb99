"""A server that says the same to everybody: the smallest honest partner for measuring the CPU of a client.

It accepts any AARQ over the TCP wrapper and answers every GET with one register value, but for a profile of 10,000
rows, which comes in blocks; it decodes nothing.
"""

from __future__ import annotations

import asyncio

from inputs import GET_RESPONSE, LONG_PROFILE

AARE = bytes.fromhex("6129A109060760857405080101A203020100A305A103020100BE10040E0800065F1F0400007E1F04B00007")
RLRE = bytes.fromhex("6303800100")
BLOCK = 1180
BLOCKS = [LONG_PROFILE[at : at + BLOCK] for at in range(0, len(LONG_PROFILE), BLOCK)]


def _captured(class_id: int, code: str) -> bytes:
    return bytes.fromhex(f"0204 12{class_id:04X} 0906{code} 0F02 120000")


#: What else is asked of a profile, by class and attribute: capture objects, period, order; scalers.
ATTRIBUTES = {
    (7, 3): b"\x01\x06"
    + _captured(8, "0000010000FF")
    + _captured(1, "0000600A01FF")
    + b"".join(_captured(3, f"0100{number:02X}0800FF") for number in (1, 2, 3, 4)),
    (7, 4): bytes.fromhex("060000003C"),
    (7, 5): bytes.fromhex("1601"),
    (3, 3): bytes.fromhex("02020F00161E"),
}


class Responder(asyncio.Protocol):
    """One connection."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.buffer = b""

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while len(self.buffer) >= 8:
            size = 8 + int.from_bytes(self.buffer[6:8], "big")
            if len(self.buffer) < size:
                return
            unit, self.buffer = self.buffer[:size], self.buffer[size:]
            answer = self.answer(unit[8:])
            self.transport.write(
                b"\x00\x01" + unit[4:6] + unit[2:4] + len(answer).to_bytes(2, "big") + answer
            )

    @staticmethod
    def answer(apdu: bytes) -> bytes:
        """Return the answer; the invoke-id is that of the request."""
        if apdu[0] == 0x60:
            return AARE
        if apdu[0] == 0x62:
            return RLRE
        if apdu[:2] == b"\xc0\x03":  # a list is refused: whoever asks so asks one by one then
            return b"\xc4\x01" + apdu[2:3] + b"\x01\xfa"
        if apdu[:2] == b"\xc0\x02":
            return Responder.block(apdu[2:3], int.from_bytes(apdu[3:7], "big"))
        attribute = int.from_bytes(apdu[3:5], "big"), apdu[11]
        if attribute == (7, 2):
            return Responder.block(apdu[2:3], 0)
        if attribute in ATTRIBUTES:
            return b"\xc4\x01" + apdu[2:3] + b"\x00" + ATTRIBUTES[attribute]
        return GET_RESPONSE[:2] + apdu[2:3] + GET_RESPONSE[3:]

    @staticmethod
    def block(invoke_id: bytes, index: int) -> bytes:
        octets = BLOCKS[index]
        last = bytes((index + 1 == len(BLOCKS),))
        head = b"\xc4\x02" + invoke_id + last + (index + 1).to_bytes(4, "big") + b"\x00"
        return head + b"\x82" + len(octets).to_bytes(2, "big") + octets


async def main() -> None:
    server = await asyncio.get_running_loop().create_server(Responder, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
