"""What is asked of the tables: each statement is made once from the models, and kept as the text that the driver takes.

Rules. SQLAlchemy says a statement and compiles it, at its first use. A call lays out values and no more, for whoever builds,
keys and executes through it at every call pays ten times what SQLite does; and the driver, which gets the same text again, has
it prepared. Values are always parameters. One that takes many (``any_of``) is as long as some power of four, its last value
repeated: so there are few texts of a statement.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar, TypeVarTuple

from sqlalchemy import BindParameter, ColumnElement, Select, bindparam, select
from sqlalchemy.sql.compiler import SQLCompiler

from sft.store.row_types import Row
from sft.store.table_specs import DIALECT, TABLE_SPECS

A = TypeVar("A", bound=Row)
B = TypeVar("B", bound=Row)
Ts = TypeVarTuple("Ts")

Criterion = ColumnElement[bool]
Order = Sequence[Any]  # what Select.order_by takes: columns, and columns with a direction
Limit = int | BindParameter[Any] | None

_STEP: Final = 4


def value(name: str) -> BindParameter[Any]:
    """Stand for a value that each call gives by this name."""
    return bindparam(name)


def any_of(name: str) -> BindParameter[Any]:
    """Stand, behind ``in_``, for several values that each call gives by this name; with none of them nothing is found."""
    return bindparam(name, expanding=True)


@dataclass(frozen=True, slots=True)
class _Compiled:
    compiler: SQLCompiler
    order: tuple[str, ...]  # names of the parameters as they stand in the text
    lists: frozenset[str]
    constants: dict[str, Any]  # values that belong to the statement
    wanted: int  # how many a call gives
    texts: dict[tuple[int, ...], str]  # by the lengths of the lists


class Statement:
    """A statement that asks; threads may share it."""

    __slots__ = ("_compiled", "_select")

    def __init__(self, statement: Select[*tuple[Any, ...]]) -> None:
        self._select = statement
        self._compiled: _Compiled | None = None

    def lay_out(self, values: dict[str, Any]) -> tuple[str, Sequence[Any]] | None:
        """Return the text and its parameters in order; None where a list is empty, and nothing would be found.

        Args:
            values: by the names of ``value`` and ``any_of``, a collection for each of these.

        Raises:
            TypeError, KeyError: others than the statement has.
        """
        compiled = self._compiled or self._compile()
        if len(values) != compiled.wanted:
            raise TypeError(f"{len(values)} values where {compiled.wanted} belong")
        parameters: list[Any] = []
        lengths: list[int] = []
        for name in compiled.order:
            if name in compiled.lists:
                several = values[name]
                if not several:
                    return None
                length = 1
                while length < len(several):
                    length *= _STEP
                parameters.extend(several)
                parameters.extend(parameters[-1:] * (length - len(several)))
                lengths.append(length)
            else:
                parameters.append(values[name] if name in values else compiled.constants[name])
        key = tuple(lengths)
        return compiled.texts.get(key) or _expand(compiled, key), parameters

    def _compile(self) -> _Compiled:
        compiler = self._select.compile(dialect=DIALECT)
        if not isinstance(compiler, SQLCompiler):
            raise TypeError("a statement that asks for nothing")
        names = compiler.bind_names
        self._compiled = compiled = _Compiled(
            compiler=compiler,
            order=tuple(compiler.positiontup or ()),
            lists=frozenset(name for bind, name in names.items() if bind.expanding),
            constants={name: compiler.params[name] for bind, name in names.items() if not bind.required},
            wanted=len({name for bind, name in names.items() if bind.required}),
            texts={},
        )
        return compiled


def _expand(compiled: _Compiled, lengths: tuple[int, ...]) -> str:
    lists = [name for name in compiled.order if name in compiled.lists]
    values: dict[str, Any] = dict.fromkeys(compiled.order)
    values |= compiled.constants
    values |= {name: [None] * length for name, length in zip(lists, lengths, strict=True)}
    compiled.texts[lengths] = text = compiled.compiler.construct_expanded_state(values).statement
    return text


@dataclass(frozen=True, slots=True)
class RowsOf(Generic[A]):
    """Asks for rows of one kind, always whole."""

    kind: type[A]
    statement: Statement


@dataclass(frozen=True, slots=True)
class PairsOf(Generic[A, B]):
    """Asks for pairs of rows of two kinds, always whole."""

    first: type[A]
    second: type[B]
    statement: Statement


@dataclass(frozen=True, slots=True)
class ColumnsOf(Generic[*Ts]):
    """Asks for columns, counts and sums: nothing checks them, and nothing may be decided by them."""

    statement: Statement


def rows_of(kind: type[A], *where: Criterion, order_by: Order = (), limit: Limit = None) -> RowsOf[A]:
    """Say a statement for the rows of a kind that meet criteria, which are expressions over the models of the schema."""
    statement = select(TABLE_SPECS[kind].table).where(*where).order_by(*order_by).limit(limit)
    return RowsOf(kind, Statement(statement))


def pairs_of(
    first: type[A], second: type[B], on: Criterion, *where: Criterion, order_by: Order = (), limit: Limit = None
) -> PairsOf[A, B]:
    """Say one for the pairs of rows that belong together."""
    one, two = TABLE_SPECS[first].table, TABLE_SPECS[second].table
    statement = select(one, two).join_from(one, two, on).where(*where).order_by(*order_by).limit(limit)
    return PairsOf(first, second, Statement(statement))


def columns_of(statement: Select[*Ts]) -> ColumnsOf[*Ts]:
    """Say one for columns, counts and sums."""
    return ColumnsOf(Statement(statement))
