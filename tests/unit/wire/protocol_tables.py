"""The parts of PROTOCOL.md that are made from the code: ``python -m tests.unit.wire.protocol_tables`` prints them.

Rules. Nothing is drawn that does not stand in ``states``, ``messages``, ``login`` or ``sft.limits``; a test compares what
is printed here with what stands there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from types import UnionType
from typing import Final, get_args

import msgspec
from msgspec import inspect

from sft import limits
from sft.wire.login import Claim, RefusedLogin, Welcome
from sft.wire.messages import ANSWERS, ClientMessage, Message, Request, ServerMessage
from sft.wire.states import TABLE, Side, State, TransitionRow

CLIENT_MESSAGES: Final[frozenset[type[Message]]] = frozenset(get_args(ClientMessage))
SERVER_MESSAGES: Final[frozenset[type[Message]]] = frozenset(get_args(ServerMessage))

# The limits that both ends of a connection must agree on, or that a peer can run into.
LIMITS: Final = (
    "EARLY_FRAME_BYTES",
    "EARLY_TOTAL_BYTES",
    "FRAME_BYTES",
    "CHUNK_BYTES",
    "SMALL_FILE_BYTES",
    "BATCH_FILES",
    "REKEY_BYTES",
    "REKEY_SECONDS",
    "REKEY_LEAST_BYTES",
    "EARLY_REKEYS",
    "SESSION_SECONDS",
    "LOGIN_SECONDS",
    "IDLE_SECONDS",
    "SLOW_FRAME_BYTES",
    "SLOW_FRAME_SECONDS",
    "UNAUTHENTICATED",
    "UNAUTHENTICATED_PER_SOURCE",
    "REQUESTS_IN_FLIGHT",
    "SESSION_BUFFER_BYTES",
    "SESSION_CREDIT_CHUNKS",
    "TRANSFER_CREDIT_CHUNKS",
    "CREDIT_STEP_CHUNKS",
    "OPEN_UPLOADS",
    "UPLOAD_SILENT_SECONDS",
    "PARKED_SECONDS",
    "KEPT_SECONDS",
    "UPLOAD_RUNS",
    "WORKING_SECONDS",
    "OPEN_DOWNLOADS",
    "SESSIONS_PER_PERSON",
    "PERSON_REQUEST_BYTES",
    "ANSWER_BYTES",
    "FILES_ANSWER_BYTES",
    "READ_AHEAD_CHUNKS",
    "LIST_ENTRIES",
    "LIST_BYTES",
    "PATH_BYTES",
    "USER_NAME_BYTES",
    "COMMENT_BYTES",
    "FILE_BYTES",
    "HEAD_BYTES",
    "COSIGNED_BYTES",
    "LEAF_BYTES",
    "SLOT_BYTES",
    "EVIDENCE_SLOTS",
    "EVIDENCE_HASHES",
    "LOG_ENTRIES",
    "PAGE_HASHES",
    "STATEMENT_BYTES",
    "JOIN_STATEMENT_BYTES",
    "SPACE_STEP_BYTES",
    "PENALTY_CRASH_SECONDS",
    "PENALTY_LOGIN_SECONDS",
    "PENALTY_SILENT_SECONDS",
    "PENALTY_COUNTS_SECONDS",
    "PENALTY_MOST_SECONDS",
    "PENALTY_SOURCES",
)


def tag_of(kind: type[Message]) -> int:
    """Return the number that names a message on the wire."""
    tag = kind.__struct_config__.tag
    if not isinstance(tag, int):
        raise TypeError(f"{kind.__name__} is no message of its own")
    return tag


def state_diagram(side: Side) -> str:
    """Draw one side's half of the table as a Mermaid state diagram."""
    lines = ["stateDiagram-v2", f"    [*] --> {_node(State.START)}"]
    rows = [row for row in TABLE if row.side is side]
    lines += [f"    {_node(row.state)} --> {_node(row.then)}: {row.way} {_listed(row)}" for row in rows]
    lines.append(f"    {_node(State.CLOSED)} --> [*]")
    return "\n".join(lines)


def message_table() -> str:
    """List every control message: tag, name, who sends it, what answers it, its fields in order."""
    lines = ["| tag | message | sent by | answered by | fields |", "|---|---|---|---|---|"]
    # Credit, which both send, stands with the client's.
    kinds = dict.fromkeys([*_members(ClientMessage), *_members(ServerMessage)])
    for kind in sorted(kinds, key=tag_of):
        senders = [
            side for side, sends in ((Side.CLIENT, CLIENT_MESSAGES), (Side.SERVER, SERVER_MESSAGES)) if kind in sends
        ]
        answers = ", ".join(_answers(kind))
        fields = _fields(kind)
        lines.append(f"| {tag_of(kind)} | {kind.__name__} | {', '.join(senders)} | {answers} | {fields} |")
    return "\n".join(lines)


def record_table() -> str:
    """List every record that messages hold, its fields in order."""
    seen: dict[str, str] = {}
    queue: list[type] = [*_members(ClientMessage), *_members(ServerMessage)]
    for struct in (Claim, Welcome, RefusedLogin):
        seen[struct.__name__] = _fields(struct)
        queue.append(struct)
    for kind in queue:
        for record in _records_in(inspect.type_info(kind)):
            if record.__name__ not in seen:
                seen[record.__name__] = _fields(record)
                queue.append(record)
    rows = [f"| {name} | {fields} |" for name, fields in seen.items()]
    return "\n".join(["| record | fields |", "|---|---|", *rows])


def limit_table() -> str:
    """List the limits of the wire."""
    rows = [f"| {name} | {getattr(limits, name):,} |" for name in LIMITS]
    return "\n".join(["| limit | value |", "|---|---|", *rows])


def _node(state: State) -> str:
    return state.value.upper().replace(" ", "_")


def _listed(row: TransitionRow) -> str:
    return ", ".join(frame.name for frame in row.frames)


def _members(union: UnionType) -> Iterable[type[Message]]:
    return get_args(union)


def _answers(kind: type[Message]) -> list[str]:
    if not issubclass(kind, Request):
        return ["–"]
    return [*sorted(answer.__name__ for answer in ANSWERS[kind]), "Refusal"]


def _fields(kind: type[msgspec.Struct]) -> str:
    tag = kind.__struct_config__.tag
    parts = [f"tag {tag}"] if tag is not None and not issubclass(kind, Message) else []
    for field in msgspec.structs.fields(kind):
        if field.name == "id" and issubclass(kind, Message):
            parts.append("id")  # the request's, everywhere
            continue
        text = f"{field.encode_name}: {_described(inspect.type_info(field.type))}"
        if field.default is not msgspec.NODEFAULT:
            text += f" = {_shown(field.default)}"
        parts.append(text)
    return "; ".join(parts)


def _shown(value: object) -> str:
    if isinstance(value, bytes | str | tuple | msgspec.Struct) or value is None:
        return "nil" if value is None else "its defaults" if value else "empty"
    return str(value).lower() if isinstance(value, bool) else f"{value:,}"


def _described(kind: inspect.Type) -> str:  # noqa: PLR0911 - one line a type
    match kind:
        case inspect.NoneType():
            return "nil"
        case inspect.BoolType():
            return "bool"
        case inspect.IntType(ge=low, le=high):
            return "int" if low is None else f"int {_power(low)} to {_power(high)}"
        case inspect.StrType(max_length=most):
            return f"str ≤ {most}"
        case inspect.BytesType(min_length=least, max_length=most):
            return f"bin {most}" if least == most else f"bin ≤ {most}"
        case inspect.EnumType(cls=cls):
            return " / ".join(f'"{member.value}"' for member in cls)
        case inspect.LiteralType(values=values):
            return " / ".join(f'"{value}"' for value in values)
        case inspect.StructType(cls=cls):
            return cls.__name__
        case inspect.VarTupleType(item_type=item, min_length=least, max_length=most):
            return f"array {f'{least} to' if least else '≤'} {most} of {_described(item)}"
        case inspect.DictType(key_type=key, value_type=value, max_length=most):
            return f"map ≤ {most} of {_described(key)} to ({_described(value)})"
        case inspect.UnionType(types=types):
            return " or ".join(_described(each) for each in types)
    raise TypeError(f"no words for {kind}")


def _power(number: float | None) -> str:
    value = int(number or 0)
    magnitude = abs(value)
    for size, suffix in ((magnitude, ""), (magnitude + 1, " - 1")):
        if size >= 1 << 16 and size & (size - 1) == 0:
            return f"{'-' if value < 0 else ''}2^{size.bit_length() - 1}{suffix}"
    return str(value)


def _records_in(kind: inspect.Type) -> Iterator[type[msgspec.Struct]]:
    match kind:
        case inspect.StructType(cls=cls, fields=fields):
            if not issubclass(cls, Message):
                yield cls
            for field in fields:
                yield from _records_in(field.type)
        case inspect.VarTupleType(item_type=item):
            yield from _records_in(item)
        case inspect.UnionType(types=types):
            for each in types:
                yield from _records_in(each)


def main() -> None:
    """Print all of it."""
    for block in (
        *(f"```mermaid\n{state_diagram(side)}\n```" for side in Side),
        message_table(),
        record_table(),
        limit_table(),
    ):
        print(block, end="\n\n")


if __name__ == "__main__":
    main()
