"""The server's side of an application association, without I/O: opening, services, release."""
