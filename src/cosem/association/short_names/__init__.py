"""Short names: their arithmetic, their table, their assignment, and the mapping of a report to events."""
