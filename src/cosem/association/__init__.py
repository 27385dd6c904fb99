"""Application associations without I/O: control functions, conversations, both sides."""
