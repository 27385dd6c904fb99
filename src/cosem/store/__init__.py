"""Keys and counters at rest: SQLite, file, environment, keyring."""
