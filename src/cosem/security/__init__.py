"""Keys, counters, authentication and protection of APDUs (IEC 62056-5-3, clause 5)."""
