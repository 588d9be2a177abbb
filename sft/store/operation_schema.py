"""The tables of what a server keeps of its own operation: checks, damage, growth, hooks, what searches look through.

Rules. Those of ``schema``. What stands here is made anew where it was lost; nothing of anybody's files does.
"""

from __future__ import annotations

from sqlalchemy.orm import Mapped, mapped_column

from sft.store.schema import Model


class CheckModel(Model):
    """How far one way of reading all contents is: behind which version, since when, and what the last whole one found.

    ``name`` is ``check``, which the operator asks for, or ``scrub``, the server's own. ``began_at`` is None while none is under
    way; ``versions``, ``size_bytes`` and ``faults`` are of the one that is, ``ended`` ones of the last that came to its end.
    """

    __tablename__ = "checks"
    name: Mapped[str] = mapped_column(primary_key=True)
    began_at: Mapped[int | None]
    file: Mapped[int]
    number: Mapped[int]
    versions: Mapped[int]
    size_bytes: Mapped[int]
    faults: Mapped[int]
    ended_at: Mapped[int | None]
    ended_versions: Mapped[int]
    ended_bytes: Mapped[int]
    ended_faults: Mapped[int]
    mac: Mapped[bytes]


class DamageModel(Model):
    """An object that did not hold when it was read: of which version, what was wrong with it, and since when that is known."""

    __tablename__ = "damages"
    object_id: Mapped[bytes] = mapped_column(primary_key=True)
    file_id: Mapped[bytes]
    number: Mapped[int]
    path: Mapped[str]
    found_at: Mapped[int]
    problem: Mapped[str]
    mac: Mapped[bytes]


class GrowthModel(Model):
    """What was stored on a day (Unix days), and what was free: from it follows how long the disk lasts."""

    __tablename__ = "growth"
    day: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    current_bytes: Mapped[int]
    older_bytes: Mapped[int]
    trash_bytes: Mapped[int]
    free_bytes: Mapped[int]
    mac: Mapped[bytes]


class HookModel(Model):
    """A hook, and the first leaf of the log that may still have to be delivered to it."""

    __tablename__ = "hooks"
    name: Mapped[str] = mapped_column(primary_key=True)
    position: Mapped[int]
    mac: Mapped[bytes]


class SearchBlockModel(Model):
    """What a search asks of the versions with leaves ``low`` to ``high`` (``sft.store.search_blocks``), and its bounds."""

    __tablename__ = "search_blocks"
    low: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    high: Mapped[int]
    smallest: Mapped[int]
    largest: Mapped[int]
    first_stored_at: Mapped[int]
    last_stored_at: Mapped[int]
    names: Mapped[bytes]
    entries: Mapped[bytes]
