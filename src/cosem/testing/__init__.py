"""For the tests of those who build on cosem: a meter in memory, values for hypothesis, files of vectors.

- :mod:`cosem.testing.memory`: a client of your logical device with no socket, thread or waiting between them;
- :mod:`cosem.testing.strategies`: values of every COSEM type (needs hypothesis);
- :mod:`cosem.testing.vectors`: octets with their meaning, kept in JSON files.
"""
