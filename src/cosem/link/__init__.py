"""Communication profiles without I/O: how APDUs travel (Annex A)."""
