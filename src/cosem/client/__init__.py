"""The client: reads, writes and calls objects of a meter, blocking or with asyncio, by the same conversations."""
