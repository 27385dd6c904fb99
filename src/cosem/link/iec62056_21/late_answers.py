"""Answers that may still come: they must not be taken for those of the next command."""

from __future__ import annotations

__all__ = ["LateAnswers"]


class LateAnswers:
    """Counts what was asked against what was answered, and says when the line is free for another command.

    Args:
        silence: Seconds without an octet after which nothing more comes, where something may.
        character_timeout: Seconds of silence that end a message that has begun.
    """

    __slots__ = ("_character_timeout", "_heard", "_silence", "expected", "reaction_time")

    def __init__(self, silence: float, character_timeout: float) -> None:
        self._silence = silence
        self._character_timeout = character_timeout
        self._heard = 0.0
        self.expected = 0
        """How many answers may still come."""
        self.reaction_time = 0.0
        """The least time between two messages, seconds."""

    def asked(self) -> None:
        """Expect one more: something was sent that is answered."""
        self.expected += 1

    def answered(self) -> None:
        """Expect one less: a whole answer came."""
        self.expected = max(0, self.expected - 1)

    def heard(self, now: float) -> None:
        """Note that something came."""
        self._heard = now

    def none(self) -> None:
        """Expect nothing any more."""
        self.expected = 0

    def free_at(self, *, begun: bool) -> float:
        """Return from when on the next command may be sent, if nothing comes until then.

        Args:
            begun: Whether a message has begun to come.
        """
        if self.expected:
            return self._heard + self._silence
        return self._heard + (self._character_timeout if begun else self.reaction_time)
