"""A state file of records: JSON that says the number of its format, and keeps what this program does not know of it.

    {"format": 1, "servers": [{…}, {…}], "default": "acme"}

Rules. A format of a higher number is refused: it may mean something else by the same words. Within one format a newer sft may
have put more into a record, or beside the list, and so may whoever runs both: that survives our writing, for records are told
apart by one field that never changes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

import msgspec
from msgspec import Struct, field

from sft.errors import LocalFileError

FORMAT: Final = 1

R = TypeVar("R", bound=Struct)


class Contents(Struct, Generic[R]):
    """What a file says.

    Args:
        rest: what stands beside the list.
        unknown: what each record has that this program does not know.
    """

    records: list[R] = field(default_factory=list)
    rest: dict[str, Any] = field(default_factory=dict)
    unknown: dict[Any, dict[str, Any]] = field(default_factory=dict)


class RecordFile(Struct, Generic[R], frozen=True):
    """The form of one kind of file.

    Args:
        kind: of its records.
        list_name: of their list in the file.
        key: the field that tells records apart.
    """

    kind: type[R]
    list_name: str
    key: str

    def read(self, data: bytes | None, path: Path) -> Contents[R]:
        """Read a file; one that is not there is empty.

        Raises:
            LocalFileError: a newer sft wrote it.
            ValueError: it is damaged.
        """
        if data is None:
            return Contents()
        try:
            said = _decoded(data)
            number, rows = said.pop("format"), said.pop(self.list_name)
            if type(number) is not int or number < 1:
                raise ValueError(f"no format is {number!r}")
            if number > FORMAT:
                raise LocalFileError(
                    path=str(path),
                    problem=f"was written by a newer sft (format {number}; this one reads {FORMAT})",
                    remedy="Update this program: nothing was changed",
                )
            records = [msgspec.convert(row, self.kind, str_keys=True) for row in rows]
        except (msgspec.DecodeError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise ValueError(str(error)) from error
        known = set(self.kind.__struct_encode_fields__)
        unknown = {
            getattr(record, self.key): more
            for record, row in zip(records, rows, strict=True)
            if (more := {name: value for name, value in row.items() if name not in known})
        }
        return Contents(records, said, unknown)

    def write(self, records: Iterable[R], before: Contents[R], **rest: Any) -> bytes:
        """Make the file of these records; what ``before`` has that is not known here stays, and so does the rest of it."""
        rows = []
        for record in records:
            row = msgspec.to_builtins(record, str_keys=True)
            rows.append({**before.unknown.get(getattr(record, self.key), {}), **row})
        said = {"format": FORMAT, **before.rest, **rest, self.list_name: rows}
        try:
            return msgspec.json.encode(said)
        except UnicodeEncodeError:  # a file here whose name is not UTF-8: only escapes can say it
            return json.dumps(said).encode("ascii")


def _decoded(data: bytes) -> Any:
    try:
        return msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError):  # it may hold a name that is not UTF-8
        return json.loads(data)
