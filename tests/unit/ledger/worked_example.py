"""The worked example of LEDGER.md §9, made by the code: ``python -m tests.unit.ledger.worked_example`` prints its blocks."""

from __future__ import annotations

from textwrap import indent, wrap

from sft.crypto.digests import blake2b_512
from sft.crypto.keys import ServerKey, SigningKey
from sft.crypto.note_keys import CosignerKey, SignatureType
from sft.crypto.signed_note import cosign_note, server_note_key
from sft.ledger.checkpoints import Checkpoint, Origin, sign_checkpoint
from sft.ledger.leaves import ChangedSlot, LeafKind, LogLeaf, StateRoot, StateTreeKind, slot_hash
from sft.ledger.proof_file import ProofFile
from sft.ledger.proofs import prove_inclusion
from sft.ledger.records import LeafRecord, RecordPart
from sft.ledger.slots import (
    FileSlot,
    FileState,
    FolderSlot,
    FolderState,
    SlotKey,
    SlotRole,
    SlotVersion,
    UserSlot,
    encode_slot,
)
from sft.ledger.state import StateTree
from sft.model.access import Role
from sft.model.records import UserState

SERVER = ServerKey.from_seed(bytes(range(32)))
ORIGIN = Origin.of_server("files.example.org", SERVER.public.server_id(), 1)
KEY = SigningKey.from_seed(bytes(range(32, 64)), bytes(range(8))).public
WITNESS = CosignerKey("witness.example.org/w1", SignatureType.ED25519_COSIGNATURE, bytes(range(64, 96)))
STARTED_AT = 1_800_000_000
CONTENT = b"a small file\n"
LINE = 100

VERSION = SlotVersion(1, 2, blake2b_512(CONTENT).digest(), len(CONTENT))
ROOT_FOLDER = encode_slot(FolderSlot(salt=bytes([1]) * 16, id=1, parent=None, name="", state=FolderState.LIVE))
USER = encode_slot(
    UserSlot(
        salt=bytes([2]) * 16,
        id=1,
        name="ada",
        state=UserState.ACTIVE,
        roles=(SlotRole(Role.ADMIN, 1),),
        keys=(SlotKey(KEY.encode(), 1),),
    )
)
FILE = encode_slot(
    FileSlot(
        salt=bytes([3]) * 16,
        id=bytes(range(16)),
        owner=1,
        folder=0,
        name="März.txt",
        state=FileState.LIVE,
        newest=VERSION,
        versions_kept=1,
        versions_root=VERSION.hash(),
    )
)
RECORDS = [
    LeafRecord(RecordPart(bytes([4]) * 16, b'{"name":"files.example.org"}')),
    LeafRecord(RecordPart(bytes([5]) * 16, b'{"user_id":1}'), RecordPart(bytes([6]) * 16, b'{"name":"ada"}')),
    LeafRecord(RecordPart(bytes([7]) * 16, b'{"file_id":"000102030405060708090a0b0c0d0e0f","version":1}')),
]
KINDS = (LeafKind.LOG_STARTED, LeafKind.USER_JOINED, LeafKind.FILE_COMMITTED)
CHANGED = ((StateTreeKind.FILES, 0, ROOT_FOLDER), (StateTreeKind.USERS, 0, USER), (StateTreeKind.FILES, 1, FILE))


def leaves() -> list[LogLeaf]:
    """A log is started, ada joins, and stores a file."""
    trees: dict[StateTreeKind, list[bytes]] = {kind: [] for kind in StateTreeKind}
    made = []
    for index, (tree, number, record) in enumerate(CHANGED):
        trees[tree].append(slot_hash(record))
        made.append(
            LogLeaf(
                kind=KINDS[index],
                time=STARTED_AT + index,
                slots=(ChangedSlot(tree, number, slot_hash(record)),),
                state_roots=tuple(
                    StateRoot(kind, len(hashes), StateTree(hashes).root()) for kind, hashes in trees.items()
                ),
                facts=RECORDS[index].facts_hash(),
                personal=RECORDS[index].personal_hash(),
            )
        )
    return made


def blocks() -> dict[str, str]:
    """Every block of the example by its name: hexadecimal, or text."""
    made = leaves()
    log = StateTree([leaf.hash() for leaf in made])
    checkpoint = Checkpoint(ORIGIN, len(made), log.root())
    note = cosign_note(sign_checkpoint(SERVER, checkpoint), WITNESS, timestamp=STARTED_AT + 3)
    proof = ProofFile(1, tuple(prove_inclusion(1, len(made), log.node)), note)
    return {
        "The user's slot": USER.hex(),
        "The file's slot": FILE.hex(),
        "Leaf 0": made[0].encode().hex(),
        "Leaf 1": made[1].encode().hex(),
        "Leaf 2": made[2].encode().hex(),
        "The hashes of the leaves": "".join(leaf.hash().hex() for leaf in made),
        "The root": log.root().hex(),
        "The log's key": server_note_key(SERVER.public, ORIGIN.text()).vkey(),
        "The witness's key": WITNESS.public.vkey(),
        "The checkpoint": note,
        "The proof of leaf 1": proof.encode(),
    }


def written(text: str) -> str:
    """Write a block as the page has it: four blanks before each line, hexadecimal in lines of 50 bytes."""
    if set(text) <= set("0123456789abcdef"):
        text = "\n".join(wrap(text, LINE))
    return indent(text, "    ").rstrip("\n") + "\n"


def page() -> str:
    """All of the example, as it stands at the page's end."""
    return "\n".join(f"{name}:\n\n{written(text)}" for name, text in blocks().items())


if __name__ == "__main__":
    print(page(), end="")
