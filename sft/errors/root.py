"""SftError, the root of every fault: what a person is told, and what only the log may hold."""

from __future__ import annotations

from string import Formatter
from typing import ClassVar

Value = str | int


class SftError(Exception):
    """Root of the tree: a fault that says what it is.

    Args:
        detail: for the log of this computer only.
        ref: reference under which a server logged the details.
        values: what the templates name, exactly.
    """

    code: ClassVar[str] = "INTERNAL"
    exit_status: ClassVar[int] = 11
    sentence: ClassVar[str] = "sft had a fault of its own. Nothing of yours was changed."
    next_step: ClassVar[str] = "Report it with what you did"

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
        """Name every value that the two templates ask for."""
        parsed = [*Formatter().parse(cls.sentence), *Formatter().parse(cls.next_step)]
        return frozenset(name for _, name, _, _ in parsed if name)
