"""What can be asked of the services, each with its permission: the table that dispatch and tests walk.

    @query(Permission.X)                f(reading, caller, …) -> answer
    @act(Permission.X, logs=(E,))       f(transaction, item) -> result
    @batch_act(Permission.X, logs=(E,)) f(transaction, items) -> results
    @entry(logs=(E,))                   f(transaction, item) -> result, of who is nobody yet

Rules. Whatever is registered begins with the same two steps, here and nowhere else: the caller is read
again inside the transaction, and the permission is required of the role that it has there. So a function
gets only what passed, with the caller that rules now. From outside every act is what the writer takes,
``f(transaction, items) -> results``. One that changed something says what happened: it logs an event of a
kind that it is registered with. A refused item has written and logged nothing, for it runs in a savepoint;
a "batch" keeps that by itself, and must not change users, keys or roles: its callers are read together.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, Concatenate, Final, ParamSpec, Protocol, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from sft.errors import RecordForgedError, RequestError, RowForgedError
from sft.model.access import Caller, Permission
from sft.model.events import DomainEvent
from sft.service.caller import reload_caller, reload_callers
from sft.service.rights import require_permission
from sft.store.rows import ReadTransaction, Transaction


class ActInput(Protocol):
    """An act's input: a frozen Struct of who asks, and for what."""

    @property
    def caller(self) -> Caller:
        """Who asks, as its session knows it."""


P = ParamSpec("P")
In = TypeVar("In", bound=ActInput)
Claim = TypeVar("Claim")
Out = TypeVar("Out")

Query = Callable[Concatenate[ReadTransaction, Caller, P], Out]
One = Callable[[Transaction, In], Out]
Many = Callable[[Transaction, Sequence[In]], Sequence[Out | RequestError]]
Events = tuple[type[DomainEvent], ...]


class UseCase(Struct, frozen=True):
    """How a function is registered.

    Attributes:
        permission: None for an entry.
        logs: what an act may say happened; None for a query.
    """

    name: str
    permission: Permission | None
    logs: Events | None = None


USE_CASES: Final[dict[Callable[..., Any], UseCase]] = {}


def query(permission: Permission) -> Callable[[Query[P, Out]], Query[P, Out]]:
    def register(function: Query[P, Out]) -> Query[P, Out]:
        @wraps(function)
        def read(reading: ReadTransaction, caller: Caller, /, *args: P.args, **kwargs: P.kwargs) -> Out:
            fresh = reload_caller(reading, caller)
            require_permission(reading, fresh, permission)
            return function(reading, fresh, *args, **kwargs)

        return _registered(read, permission, None)

    return register


def act(permission: Permission, *, logs: Events) -> Callable[[One[In, Out]], Many[In, Out]]:
    """Register an act that may change what later items are judged by: each has its own first steps, in order."""

    def register(function: One[In, Out]) -> Many[In, Out]:
        def one(transaction: Transaction, item: In) -> Out:
            fresh = reload_caller(transaction, item.caller)
            require_permission(transaction, fresh, permission)
            return function(transaction, _with_caller(item, fresh))

        return _registered(wraps(function)(_each(one)), permission, logs)

    return register


def entry(*, logs: Events) -> Callable[[Callable[[Transaction, Claim], Out]], Any]:
    """Register an act of somebody who has proved a key and is nobody yet: it decides alone who that becomes."""

    def register(function: Callable[[Transaction, Claim], Out]) -> Any:
        return _registered(wraps(function)(_each(function)), None, logs)

    return register


def batch_act(permission: Permission, *, logs: Events) -> Callable[[Many[In, Out]], Many[In, Out]]:
    """Register an act that decides about its whole list with a few queries."""

    def register(function: Many[In, Out]) -> Many[In, Out]:
        @wraps(function)
        def batch(transaction: Transaction, items: Sequence[In]) -> Sequence[Out | RequestError]:
            answers: list[Out | RequestError | None] = []
            passed: list[In] = []
            callers = reload_callers(transaction, [item.caller for item in items])
            for item, caller in zip(items, callers, strict=True):
                answer = _refusal(transaction, caller, permission)
                answers.append(answer)
                if answer is None and isinstance(caller, Caller):
                    passed.append(_with_caller(item, caller))
            results = iter(function(transaction, passed) if passed else [])
            return [next(results) if answer is None else answer for answer in answers]

        return _registered(batch, permission, logs)

    return register


def as_refusal(error: BaseException) -> RequestError | None:
    """Return what a fault is to whoever asked; None is an internal error, whose details stay here."""
    if isinstance(error, RequestError):
        return error
    if isinstance(error, RowForgedError):
        return RecordForgedError(str(error.values["problem"]), what=f"{error.table} {error.row}")
    return None


def _each(one: Callable[[Transaction, Claim], Out]) -> Callable[..., list[Out | RequestError]]:
    def judged(transaction: Transaction, item: Claim) -> Out | RequestError:
        try:
            with transaction.savepoint():
                return one(transaction, item)
        except RequestError as refusal:
            return refusal

    def each(transaction: Transaction, items: Sequence[Claim]) -> list[Out | RequestError]:
        return [judged(transaction, item) for item in items]

    return each


F = TypeVar("F", bound=Callable[..., Any])


def _registered(function: F, permission: Permission | None, logs: Events | None) -> F:
    name = f"{function.__module__}.{function.__qualname__}"
    USE_CASES[function] = UseCase(name, permission, logs)
    return function


def _refusal(reading: ReadTransaction, caller: Caller | RequestError, permission: Permission) -> RequestError | None:
    if isinstance(caller, RequestError):
        return caller
    try:
        require_permission(reading, caller, permission)
    except RequestError as refusal:
        return refusal
    return None


def _with_caller(item: In, caller: Caller) -> In:
    return item if item.caller == caller else replace(item, caller=caller)  # type: ignore[type-var]
