"""Values for every field that a message can have: one sample, or as many as hypothesis likes."""

from __future__ import annotations

from functools import cache
from typing import Any

import msgspec
from hypothesis import strategies as st
from msgspec import inspect

from sft.wire.messages import FilesContent, RefusedFile

_TEXT = st.characters(exclude_categories=("Cs",))


def values_of(kind: Any) -> st.SearchStrategy[Any]:
    """Make any value of a Struct or annotated type."""
    return _values(inspect.type_info(kind))


def _values(kind: inspect.Type) -> st.SearchStrategy[Any]:  # noqa: PLR0911 - one line a type
    match kind:
        case inspect.NoneType():
            return st.none()
        case inspect.BoolType():
            return st.booleans()
        case inspect.IntType(ge=low, le=high):
            return st.integers(-(2**63) if low is None else int(low), 2**63 if high is None else int(high))
        case inspect.StrType(max_length=most):
            return st.text(_TEXT, max_size=min(most or 0, 40))
        case inspect.BytesType(min_length=least, max_length=most):
            return st.binary(min_size=least or 0, max_size=max(least or 0, min(most or 0, 100)))
        case inspect.EnumType(cls=cls):
            return st.sampled_from(cls)
        case inspect.LiteralType(values=values):
            return st.sampled_from(values)
        case inspect.StructType(cls=cls, fields=fields):
            return st.builds(cls, *(_values(field.type) for field in fields))
        case inspect.VarTupleType(item_type=item, min_length=least, max_length=most):
            return st.lists(_values(item), min_size=least or 0, max_size=min(most or 0, 3)).map(tuple)
        case inspect.DictType(key_type=key, value_type=value, max_length=most):
            return st.dictionaries(_values(key), _values(value), max_size=min(most or 0, 3))
        case inspect.UnionType(types=types):
            return st.one_of(*map(_values, types))
    raise TypeError(f"no values for {kind}")


def sample(kind: type[msgspec.Struct], **fields: Any) -> Any:
    """Make one message or record whose fields are as small as they may be, but for those given."""
    # Without a file it would be no whole answer.
    one = {"results": (sample(RefusedFile),)} if kind is FilesContent else {}
    return kind(**(_small_fields(kind) | one | fields))


@cache
def _small_fields(kind: type[msgspec.Struct]) -> dict[str, Any]:
    info = inspect.type_info(kind)
    assert isinstance(info, inspect.StructType)
    return {field.name: _smallest(field.type) for field in info.fields}


def _smallest(kind: inspect.Type) -> Any:  # noqa: PLR0911 - one line a type
    match kind:
        case inspect.NoneType():
            return None
        case inspect.BoolType():
            return False
        case inspect.IntType(ge=low):
            return int(low or 0)
        case inspect.StrType():
            return ""
        case inspect.BytesType(min_length=least):
            return bytes(least or 0)
        case inspect.EnumType(cls=cls):
            return next(iter(cls))
        case inspect.LiteralType(values=values):
            return values[0]
        case inspect.StructType(cls=cls):
            return sample(cls)
        case inspect.VarTupleType(item_type=item, min_length=least):
            return (_smallest(item),) * (least or 0)
        case inspect.DictType():
            return {}
        case inspect.UnionType(types=types):
            return None if any(isinstance(each, inspect.NoneType) for each in types) else _smallest(types[0])
    raise TypeError(f"no value for {kind}")
