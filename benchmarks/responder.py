"""A server that says the same to everybody: the smallest honest partner for measuring the CPU of a client.

It accepts any AARQ over the TCP wrapper and answers every GET with one register value; it decodes nothing.
"""

from __future__ import annotations

import asyncio

from inputs import GET_RESPONSE

AARE = bytes.fromhex("6129A109060760857405080101A203020100A305A103020100BE10040E0800065F1F0400007E1F04B00007")
RLRE = bytes.fromhex("6303800100")


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
        return GET_RESPONSE[:2] + apdu[2:3] + GET_RESPONSE[3:]


async def main() -> None:
    server = await asyncio.get_running_loop().create_server(Responder, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
