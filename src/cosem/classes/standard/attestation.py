"""Attestation: registered by number only.

(Blue Book, class_id 170)
"""

from __future__ import annotations

from cosem.classes.base import InterfaceClass

__all__ = ["Attestation"]


class Attestation(
    InterfaceClass, class_id=170, version=0, title="Attestation", status="later", confidence="low"
):
    """Attestation (class_id 170, version 0): registered for the 17th edition.

    Its table is not established.

    Attributes beyond the logical name are opaque.
    """
