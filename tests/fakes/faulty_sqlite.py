"""SQLite's own calls on files, counted and failed beside those of the program.

SQLite reaches the disk past ``os``. Its default file system has a table of functions; the ones that write, sync, cut and delete
are taken out of it and put between, for the life of this process: so this is for a process of its own.
"""

from __future__ import annotations

import _sqlite3
import ctypes
import ctypes.util
from collections.abc import Callable
from typing import Any, Final

_OK: Final = 0
_FAULTS: Final = {"open": 14, "delete": 2570, "write": 13, "truncate": 1546, "sync": 1034}

_Pointer = ctypes.c_void_p
_Open = ctypes.CFUNCTYPE(ctypes.c_int, _Pointer, _Pointer, _Pointer, ctypes.c_int, _Pointer)
_Delete = ctypes.CFUNCTYPE(ctypes.c_int, _Pointer, _Pointer, ctypes.c_int)
_Write = ctypes.CFUNCTYPE(ctypes.c_int, _Pointer, _Pointer, ctypes.c_int, ctypes.c_int64)
_Truncate = ctypes.CFUNCTYPE(ctypes.c_int, _Pointer, ctypes.c_int64)
_Sync = ctypes.CFUNCTYPE(ctypes.c_int, _Pointer, ctypes.c_int)

_KEPT: Final[list[Any]] = []  # what C holds pointers to, until the process ends


class _Vfs(ctypes.Structure):
    _fields_ = (
        ("version", ctypes.c_int),
        ("file_size", ctypes.c_int),
        ("longest_name", ctypes.c_int),
        ("next", _Pointer),
        ("name", ctypes.c_char_p),
        ("data", _Pointer),
        ("open", _Pointer),
        ("delete", _Pointer),
    )


class _Methods(ctypes.Structure):
    _fields_ = (
        ("version", ctypes.c_int),
        ("close", _Pointer),
        ("read", _Pointer),
        ("write", _Pointer),
        ("truncate", _Pointer),
        ("sync", _Pointer),
        ("rest", _Pointer * 13),
    )


def library() -> Any:
    """Load the SQLite that Python itself uses; OSError where it is not to be reached."""
    for name in (_sqlite3.__file__, ctypes.util.find_library("sqlite3")):
        if name is not None:
            found = ctypes.CDLL(name)
            if hasattr(found, "sqlite3_vfs_find"):
                return found
    raise OSError("this Python's SQLite shows no file system")


class FaultySqlite:
    """Stands between SQLite and its file system until the process ends.

    Args:
        fails: asked at each call, with its name; whether it fails, and whether after it happened.
    """

    def __init__(self, fails: Callable[[str], tuple[bool, bool]]) -> None:
        self._fails = fails
        self._kept = _KEPT
        self._tables: dict[int, _Methods] = {}
        find = library().sqlite3_vfs_find
        find.restype, find.argtypes = ctypes.POINTER(_Vfs), [ctypes.c_char_p]
        vfs = find(None).contents
        self._open = _Open(vfs.open)
        _KEPT.append(self)
        vfs.open = self._between(_Open, self._opened)
        vfs.delete = self._between(_Delete, self._counted("delete", _Delete(vfs.delete)))

    def _between(self, kind: Any, function: Callable[..., int]) -> Any:
        callback = kind(function)
        self._kept.append(callback)
        return ctypes.cast(callback, _Pointer).value

    def _counted(self, name: str, call: Callable[..., int]) -> Callable[..., int]:
        def counted(*args: Any) -> int:
            fails, late = self._fails(f"sqlite {name}")
            if not fails:
                return call(*args)
            if late:
                call(*args)
            return _FAULTS[name]

        self._kept.append(call)
        return counted

    def _opened(self, vfs: Any, name: Any, file: Any, flags: int, out: Any) -> int:
        fails, _ = self._fails("sqlite open")
        if fails:
            # SQLite closes nothing that has no methods.
            ctypes.cast(file, ctypes.POINTER(_Pointer))[0] = None
            return _FAULTS["open"]
        done: int = self._open(vfs, name, file, flags, out)
        methods = ctypes.cast(file, ctypes.POINTER(_Pointer))
        if done == _OK and methods[0]:
            methods[0] = ctypes.addressof(self._table(methods[0]))
        return done

    def _table(self, address: int) -> _Methods:
        """Return the table that stands between for one of SQLite's own."""
        ours = {ctypes.addressof(table) for table in self._tables.values()}
        if address in ours:
            return _Methods.from_address(address)
        if address not in self._tables:
            table = _Methods.from_buffer_copy(_Methods.from_address(address))
            table.write = self._between(_Write, self._counted("write", _Write(table.write)))
            table.truncate = self._between(_Truncate, self._counted("truncate", _Truncate(table.truncate)))
            table.sync = self._between(_Sync, self._counted("sync", _Sync(table.sync)))
            self._tables[address] = table
            _KEPT.append(table)
        return self._tables[address]
