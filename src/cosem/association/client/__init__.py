"""The client's side of an application association, without I/O: opening, conversations, release."""
