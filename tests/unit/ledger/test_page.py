"""LEDGER.md against the code: its tables, its numbers, and its example, which a reader made of the page alone checks too."""

from __future__ import annotations

import re
import struct
from base64 import b64decode
from hashlib import sha256
from pathlib import Path

import msgspec
import pytest
from nacl.signing import SigningKey, VerifyKey

import sft.ledger
from sft import limits
from sft.ledger import leaves, slots
from sft.ledger.leaves import LeafKind, StateTreeKind
from sft.ledger.slots import SlotKey
from sft.ledger.verdicts import SignatureVerdict, judge_signature
from sft.model.access import Role
from sft.model.records import KeyEnd, UserState
from sft.service.log.events import EVENT_LINES
from tests.unit.ledger import worked_example

PAGE = (Path(sft.ledger.__file__).parent / "LEDGER.md").read_text("utf-8")
EXAMPLE = PAGE.split("\n## 9. ", 1)[1].split("\n\n## ", 1)[0] + "\n"
SEEDS = [bytes(range(start, start + 32)) for start in (0, 32, 64)]


def table(header: str) -> list[list[str]]:
    """The rows of the table with this first line."""
    lines = PAGE.split(f"| {header} |\n", 1)[1].splitlines()[1:]
    rows = []
    for line in lines:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    return rows


def block(name: str) -> str:
    found = re.search(rf"^{name}:\n\n((?:    .*\n|\n(?=    ))+)", EXAMPLE, re.MULTILINE)
    assert found, name
    return re.sub("^    ", "", found[1], flags=re.MULTILINE)


def hexadecimal(name: str) -> bytes:
    return bytes.fromhex(block(name))


# -- tables -------------------------------------------------------------------------------------------


def test_kinds_of_leaves_and_trees_are_those_of_the_code() -> None:
    assert table("kind | what happened") == [[str(int(kind)), kind.name] for kind in LeafKind]
    assert [int(row[0]) for row in table("state tree | of | number of a slot")] == list(StateTreeKind)


def test_the_fields_of_every_kind_are_those_of_the_code() -> None:
    """They follow from the events of which leaves are made: what one says more stands here, or this fails."""
    said: dict[LeafKind, tuple[set[str], set[str], bool]] = {}
    for event, line in EVENT_LINES.items():
        names = set(event.__struct_fields__) - {"by"}
        signed = {"statement", "statement_text"}
        facts, personal, _ = said.setdefault(line.kind, (set(), set(), False))
        said[line.kind] = (
            facts | (names - signed - set(line.personal)), personal | set(line.personal), signed <= names
        )  # fmt: skip
    rows = {row[0]: row[1:] for row in table("leaf | facts | personal | signed")}
    assert list(rows) == [kind.name for kind in LeafKind]
    listed = {
        LeafKind[name]: (set(filter(None, facts.split(", "))), set(filter(None, personal.split(", "))), signed == "yes")
        for name, (facts, personal, signed) in rows.items()
    }
    assert listed == said
    fields = [row[0] for row in table("field | what it is")]
    assert fields == sorted(set().union(*(facts | personal for facts, personal, _ in said.values())))


def test_the_layout_of_a_leaf_is_that_of_the_code() -> None:
    sizes = [row[1] for row in table("offset | size | field")]
    assert sizes == ["1", "1", "8", "2", "41 s", "1", "41 r", "32", "1", "32 or 0"]
    assert leaves._HEAD.size == sum(map(int, sizes[:4]))
    assert leaves._SLOT.size == leaves._ROOT.size == 41


def test_the_arrays_of_slots_are_those_of_the_code() -> None:
    said = {row[0]: row[1].split(", ") for row in table("array | elements")}
    kinds = {"user": slots.UserSlot, "folder": slots.FolderSlot, "file": slots.FileSlot}
    kinds |= {"role": slots.SlotRole, "key": slots.SlotKey, "version": slots.SlotVersion, "lost": slots.LostVersions}
    assert said.keys() == kinds.keys()
    for name, kind in kinds.items():
        tag = kind.__struct_config__.tag
        assert said[name] == [*([] if tag is None else [str(tag)]), *kind.__struct_fields__]


def test_every_state_of_the_code_is_named() -> None:
    named = set(re.findall(r"`([a-z]+)`", PAGE.split("## 4. ")[1].split("## 5. ")[0]))
    kinds = (Role, UserState, slots.FolderState, slots.FileState, KeyEnd)
    assert named == {each.value for kind in kinds for each in kind}


def test_the_numbers_are_those_of_the_code() -> None:
    for name, number in table("name | value"):
        assert getattr(limits, name) == int(number)


@pytest.mark.parametrize("commit", range(6))
def test_the_verdicts_are_those_of_the_code(commit: int) -> None:
    """Each line of the table, read as an expression, for a key of leaves 1 to 4 that was stolen at 3."""
    key = SlotKey(bytes(42), 1, 4, 3, KeyEnd.COMPROMISED)
    signer = slots.UserSlot(
        salt=bytes(16), id=1, name="a", state=UserState.ACTIVE, roles=(slots.SlotRole(Role.GUEST, 1),), keys=(key,)
    )
    values = {"c": commit, "start": 1, "end": 4, "cut_off": 3}
    (unknown, *rows, _) = table("the commit c | verdict")
    assert unknown[1] == SignatureVerdict.UNKNOWN.name
    expressions = [each[0].replace(", or", " or").replace("≥", ">=").replace("≤", "<=") for each in rows]
    judged = next(index for index, each in enumerate(expressions) if eval(each, {}, values))  # noqa: S307 -- the page's own words
    assert judge_signature(signer, bytes(42), commit).verdict.name == rows[judged][1].split(",")[0]


# -- the example --------------------------------------------------------------------------------------


def test_the_example_is_what_the_code_makes() -> None:
    assert EXAMPLE.endswith("\n\n" + worked_example.page())


def leaf_hash(data: bytes) -> bytes:
    return sha256(b"\0" + data).digest()


def node(left: bytes, right: bytes) -> bytes:
    return sha256(b"\1" + left + right).digest()


def part(label: bytes, salt: int, body: bytes) -> bytes:
    return sha256(label + b"\0" + bytes([salt]) * 16 + body).digest()


def test_the_leaves_follow_from_the_page_alone() -> None:
    root_folder = msgspec.msgpack.encode([2, b"\1" * 16, 1, None, "", "live", ""])
    user, file = hexadecimal("The user's slot"), hexadecimal("The file's slot")
    folder_hash, user_hash, file_hash = map(leaf_hash, (root_folder, user, file))
    nobody, somebody = (0, sha256().digest()), (1, user_hash)
    changed = [(2, 0, folder_hash), (1, 0, user_hash), (2, 1, file_hash)]
    states = [(nobody, (1, folder_hash)), (somebody, (1, folder_hash)), (somebody, (2, node(folder_hash, file_hash)))]
    bodies = re.findall(r"`({.*?})`", EXAMPLE.replace("\n", " "))
    records = [(4, bodies[0], None), (5, bodies[1], (6, bodies[3])), (7, bodies[2], None)]
    for index, kind in enumerate((96, 1, 16)):
        (users, files), (tree, number, record) = states[index], changed[index]
        salt, facts, personal = records[index]
        made = struct.pack(">BBQH", 1, kind, 1_800_000_000 + index, 1) + struct.pack(">BQ", tree, number) + record
        made += struct.pack(">BBQ", 2, 1, users[0]) + users[1] + struct.pack(">BQ", 2, files[0]) + files[1]
        made += part(b"sft/1 log facts", salt, facts.encode())
        made += b"\0" if personal is None else b"\1" + part(b"sft/1 log personal", personal[0], personal[1].encode())
        assert made == hexadecimal(f"Leaf {index}")


def test_the_slots_follow_from_the_page_alone() -> None:
    digest = worked_example.VERSION.digest
    version = leaf_hash(struct.pack(">QQ", 1, 2) + digest + struct.pack(">Q", 13))
    file = [3, b"\3" * 16, bytes(range(16)), 1, 0, "März.txt", "live", "", [1, 2, digest, 13], 1, version, []]
    assert msgspec.msgpack.encode(file) == hexadecimal("The file's slot")
    key = b"Ed" + bytes(range(8)) + SigningKey(SEEDS[1]).verify_key.encode()
    user = [1, b"\2" * 16, 1, "ada", "active", [["admin", 1]], [[key, 1, None, None, None]]]
    assert msgspec.msgpack.encode(user) == hexadecimal("The user's slot")


def test_the_root_the_checkpoint_and_the_proof_follow_from_the_page_alone() -> None:
    hashes = [leaf_hash(hexadecimal(f"Leaf {index}")) for index in range(3)]
    assert b"".join(hashes) == hexadecimal("The hashes of the leaves")
    root = node(node(hashes[0], hashes[1]), hashes[2])
    assert root == hexadecimal("The root")
    note = block("The checkpoint")
    text, lines = note.split("\n\n")
    origin, size, encoded = text.split("\n")
    assert (size, b64decode(encoded)) == ("3", root)
    body = f"{text}\n".encode()
    for line, vkey, seed in zip(
        lines.splitlines(), (block("The log's key"), block("The witness's key")), (SEEDS[0], SEEDS[2]), strict=True
    ):
        dash, name, signed = line.split(" ")
        key_name, key_hash, key = vkey.strip().split("+", 2)
        kind, public = b64decode(key)[0], b64decode(key)[1:]
        assert (dash, name, public) == ("\N{EM DASH}", key_name, SigningKey(seed).verify_key.encode())
        assert sha256(name.encode() + b"\n" + bytes([kind]) + public).digest()[:4].hex() == key_hash
        data = b64decode(signed)
        assert data[:4].hex() == key_hash
        if kind == 1:
            assert name == origin
            VerifyKey(public).verify(body, data[4:])
        else:
            (timestamp,) = struct.unpack(">Q", data[4:12])
            VerifyKey(public).verify(f"cosignature/v1\ntime {timestamp}\n".encode() + body, data[12:])
    first, index, *proof = block("The proof of leaf 1").split("\n\n", 1)[0].split("\n")
    assert (first, index) == ("c2sp.org/tlog-proof@v1", "index 1")
    assert node(node(b64decode(proof[0]), hashes[1]), b64decode(proof[1])) == root
    assert block("The proof of leaf 1").split("\n\n", 1)[1] == note
