"""Values of COSEM: what they mean and how they print, without their octets on the wire."""
