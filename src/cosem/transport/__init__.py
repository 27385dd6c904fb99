"""Where octets meet the machine: connections, and the two pumps that move associations."""
