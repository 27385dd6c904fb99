"""Simulated meters: made of a record, a file or a template, one or thousands of them, with faults on demand."""
