"""SftError, the root of every fault: what a person is told, and what only the log may hold."""

from __future__ import annotations

from string import Formatter
from typing import ClassVar

Value = str | int


class SftError(Exception):
    """Root of the tree: a fault that says what it is.

    ``step_values`` are the values that a next step may need beside those of the sentence.

    Args:
        detail: for the log of this computer only.
        ref: reference under which a server logged the details.
        values: what the sentence names and a next step may name, exactly.
    """

    code: ClassVar[str] = "FAULT"
    exit_status: ClassVar[int] = 11
    sentence: ClassVar[str] = "sft had a fault of its own. Nothing of yours was changed."
    step_values: ClassVar[tuple[str, ...]] = ()

    def __init__(self, detail: str = "", /, *, ref: str = "", **values: Value) -> None:
        super().__init__(detail or self.code)
        missing = self.names_of_values() - values.keys()
        if missing:
            raise TypeError(f"{type(self).__name__} needs {', '.join(sorted(missing))}")
        self.detail = detail
        self.ref = ref
        self.values = values

    @classmethod
    def names_of_values(cls) -> frozenset[str]:
        """Names of the values without which an error of this class cannot be made."""
        parsed = Formatter().parse(cls.sentence)
        return frozenset({name for _, name, _, _ in parsed if name} | set(cls.step_values))
