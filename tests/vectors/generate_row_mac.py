"""Write row_mac.json: MACs of rows, which every database on every disk relies on.

    python tests/vectors/generate_row_mac.py

Bytes are written as {"hex": …}.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from sft.crypto.row_mac import RowMac, RowValue

FILE = Path(__file__).with_name("row_mac.json")
KEY = bytes(range(32))
SERVER_ID = bytes(range(32, 64))
ROWS: list[tuple[str, tuple[RowValue, ...]]] = [
    ("users", (1, "ada", "ada", "admin", "active", 1_777_777_777)),
    ("users", (1, "ada", "ada", "guest", "active", 1_777_777_777)),
    ("device_keys", (1, 1, b"Ed" + bytes(40), "laptop", 1_777_777_777, None)),
    ("device_keys", (1, 1, b"Ed" + bytes(40), "laptop", 1_777_777_777, 0)),
    ("invitations", (7, bytes(32), "guest", None, None, 5, 6, None, None, None)),
    ("files", (2**40, b"\xff" * 16, None, "é", "e\u0301", 3, 70_000, "trashed", 128, 256)),
    ("versions", (-1, -33, -129, -32_769, -(2**31) - 1, b"", "", b"x" * 256, "y" * 300)),
    ("versions", (0, 127, 128, 255, 256, 65_535, 65_536, 2**32 - 1, 2**32, 2**63 - 1)),
    ("purges", (b"x" * 300, "z" * 40)),
    ("settings", (None, None)),
]


def build() -> list[dict[str, Any]]:
    """Make all vectors."""
    return [
        {
            "key": KEY.hex(),
            "server_id": SERVER_ID.hex(),
            "table": table,
            "values": [_written(value) for value in values],
            "mac": RowMac(KEY, SERVER_ID, table).make(values).hex(),
        }
        for table, values in ROWS
    ]


def _written(value: RowValue) -> Any:
    return {"hex": value.hex()} if isinstance(value, bytes) else value


if __name__ == "__main__":
    FILE.write_text(json.dumps(build(), indent=1) + "\n", "utf-8")
