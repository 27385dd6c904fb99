"""What a client can do, each operation once, as a conversation that either client runs."""
