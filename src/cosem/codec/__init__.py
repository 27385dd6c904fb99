"""Octets to values and back: A-XDR, the Data CHOICE, BER for ACSE."""
