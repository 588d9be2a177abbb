"""What a session may ask for, each with its permission: the table that dispatch and tests walk.

    @use_case(Permission.X)                 a read    f(reading, caller, …) -> answer
    @use_case(Permission.X, kind="act")     an act    f(transaction, item) -> result
    @use_case(Permission.X, kind="batch")   an act    f(transaction, items) -> results

Rules. Whatever is registered begins with the same two steps, here and nowhere else: the caller is read
again inside the transaction, and the permission is demanded of the role that it has there. So a function
gets only what passed, with the caller that rules now. From outside both sorts of act are what the writer
takes, ``f(transaction, items) -> results``. An "act" may change what later items are judged by: each has
its own first steps, in order, and a savepoint that a refusal rolls back to. A "batch" must not change
users, keys or roles: its callers are read together.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, Concatenate, Final, Literal, ParamSpec, Protocol, TypeVar, overload

from msgspec import Struct
from msgspec.structs import replace

from sft.errors import RecordForgedError, RequestError, RowForgedError
from sft.model.access import Caller, Permission
from sft.service.caller import reload_caller, reload_callers
from sft.service.rights import require_permission
from sft.store.rows import ReadTransaction, Transaction

Kind = Literal["read", "act", "batch"]


class ActInput(Protocol):
    """An act's input: a frozen Struct of who asks, and for what."""

    @property
    def caller(self) -> Caller:
        """Who asks, as its session knows it."""


P = ParamSpec("P")
In = TypeVar("In", bound=ActInput)
Out = TypeVar("Out")

Read = Callable[Concatenate[ReadTransaction, Caller, P], Out]
One = Callable[[Transaction, In], Out]
Many = Callable[[Transaction, Sequence[In]], Sequence[Out | RequestError]]


class UseCase(Struct, frozen=True):
    """How a function is registered."""

    name: str
    permission: Permission
    kind: Kind


USE_CASES: Final[dict[Callable[..., Any], UseCase]] = {}


@overload
def use_case(
    permission: Permission, *, kind: Literal["read"] = "read"
) -> Callable[[Read[P, Out]], Read[P, Out]]: ...
@overload
def use_case(
    permission: Permission, *, kind: Literal["act"]
) -> Callable[[One[In, Out]], Many[In, Out]]: ...
@overload
def use_case(
    permission: Permission, *, kind: Literal["batch"]
) -> Callable[[Many[In, Out]], Many[In, Out]]: ...
def use_case(permission: Permission, *, kind: Kind = "read") -> Callable[[Any], Any]:
    """Register a use case, and put its first steps before it.

    Args:
        permission: what the caller needs; for which files or folders, the use case asks (``sft.service.rights``).
        kind: which of the three forms the function has.
    """
    wraps_of: dict[Kind, Callable[[Any, Permission], Any]]
    wraps_of = {"read": _read, "act": _act, "batch": _batch}
    wrap = wraps_of[kind]

    def register(function: Callable[..., Any]) -> Callable[..., Any]:
        wrapped: Callable[..., Any] = wraps(function)(wrap(function, permission))
        name = f"{function.__module__}.{function.__qualname__}"
        USE_CASES[wrapped] = UseCase(name, permission, kind)
        return wrapped

    return register


def as_refusal(error: BaseException) -> RequestError | None:
    """Say what a fault is to whoever asked; None is an internal error, whose details stay here."""
    if isinstance(error, RequestError):
        return error
    if isinstance(error, RowForgedError):
        return RecordForgedError(str(error.values["problem"]), what=f"{error.table} {error.row}")
    return None


def _read(function: Read[P, Out], permission: Permission) -> Read[P, Out]:
    def read(reading: ReadTransaction, caller: Caller, /, *args: P.args, **kwargs: P.kwargs) -> Out:
        fresh = reload_caller(reading, caller)
        require_permission(reading, fresh, permission)
        return function(reading, fresh, *args, **kwargs)

    return read


def _act(function: One[In, Out], permission: Permission) -> Many[In, Out]:
    def one(transaction: Transaction, item: In) -> Out | RequestError:
        try:
            with transaction.savepoint():
                fresh = reload_caller(transaction, item.caller)
                require_permission(transaction, fresh, permission)
                return function(transaction, _with_caller(item, fresh))
        except RequestError as refusal:
            return refusal

    def act(transaction: Transaction, items: Sequence[In]) -> Sequence[Out | RequestError]:
        return [one(transaction, item) for item in items]

    return act


def _batch(function: Many[In, Out], permission: Permission) -> Many[In, Out]:
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

    return batch


def _refusal(
    reading: ReadTransaction, caller: Caller | RequestError, permission: Permission
) -> RequestError | None:
    if isinstance(caller, RequestError):
        return caller
    try:
        require_permission(reading, caller, permission)
    except RequestError as refusal:
        return refusal
    return None


def _with_caller(item: In, caller: Caller) -> In:
    return replace(item, caller=caller)  # type: ignore[type-var]
