"""Octets in words: APDUs explained, as JSON and as XML, and back.

- :func:`cosem.translate.explain.explain` says what each octet means;
- :mod:`cosem.translate.as_json` gives objects that JSON can hold, and takes them back;
- :mod:`cosem.translate.xml` does the same in the XML of the published schema.
"""
