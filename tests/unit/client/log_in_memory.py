"""A server's log in memory, which proves what it has; it lies where a test changes what comes of it."""

from __future__ import annotations

import contextlib
import hashlib

import msgspec
from msgspec.structs import replace

from sft.crypto.comment import FileComment
from sft.crypto.signatures import FileSignature
from sft.errors import SignatureInvalidError
from sft.ledger.checkpoints import Checkpoint, Origin, sign_checkpoint
from sft.ledger.hashing import leaf_hash, range_root
from sft.ledger.leaves import ChangedSlot, LeafKind, LogLeaf, StateRoot, StateTreeKind, slot_hash
from sft.ledger.proofs import prove_consistency, prove_inclusion
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
    decode_slot,
    encode_slot,
)
from sft.ledger.state import StateTree
from sft.model.access import Role
from sft.model.evidence import Evidence, LoggedLeaf, LoggedPage, ProvedHead, ProvedSlot, ProvedVersion, SlotsProof
from sft.model.names import split_path
from sft.model.records import UserState
from tests.unit.ledger.stored import versions_root

SALT = bytes(16)
LINES_OF_A_PAGE = 50  # with statements of moves they fit a frame
USERS, FILES = StateTreeKind.USERS, StateTreeKind.FILES


class LogInMemory:
    """One log and its state trees.

    Attributes:
        records: what stands in the slots, by tree and number; a test may put others there.
        versions: of each file, by its slot.
    """

    def __init__(self, key, *, host="files.acme.example", epoch=1):
        self.key = key
        self.origin = Origin.of_server(host, key.public.server_id(), epoch)
        self.hashes = []
        self.logged = []
        self.leaf = b""
        self.trees = {USERS: StateTree(), FILES: StateTree()}
        self.records = {USERS: {}, FILES: {}}
        self.versions = {}
        self.folders = {}
        self.places = {}
        self.folder("")

    # -- what happens ---------------------------------------------------------------------------------

    def put(self, tree, number, slot, *, kind=LeafKind.FILE_COMMITTED, time=1000, facts=None):
        """Let one slot be changed by one leaf."""
        record = slot if isinstance(slot, bytes) else encode_slot(slot)
        self.records[tree][number] = record
        state = self.trees[tree]
        for missing in range(state.size, number):
            state.apply(state.draft({missing: slot_hash(b"nobody")}))
        state.apply(state.draft({number: slot_hash(record)}))
        return self.append([ChangedSlot(tree, number, slot_hash(record))], kind=kind, time=time, facts=facts)

    def append(self, slots=(), *, kind=LeafKind.FILE_COMMITTED, time=1000, facts=None):
        roots = tuple(StateRoot(each, self.trees[each].size, self.trees[each].root()) for each in (USERS, FILES))
        self.leaf = LogLeaf(
            kind=kind, time=time, slots=tuple(slots), state_roots=roots,
            facts=hashlib.sha256(b"facts").digest() if facts is None else LeafRecord(facts).facts_hash(),
        ).encode()  # fmt: skip
        self.logged.append((kind, self.leaf, facts))
        self.hashes.append(leaf_hash(self.leaf))
        return len(self.hashes) - 1

    def user(self, user_id, name, *keys, state=UserState.ACTIVE, role=Role.MAINTAINER):
        """Put a user there; keys are SlotKeys, or public keys that are good from the log's start."""
        keys = tuple(each if isinstance(each, SlotKey) else SlotKey(each, 0) for each in keys)
        slot = UserSlot(salt=SALT, id=user_id, name=name, state=state, roles=(SlotRole(role, 0),), keys=keys)
        return self.put(USERS, user_id - 1, slot, kind=LeafKind.USER_JOINED)

    def move(self, file_id, old, path, by=None, statement=b""):
        """Move a file; give the leaf that says so."""
        above, name = split_path(path)
        place, folder = self.places[file_id], self.folder(above)
        slot = replace(decode_slot(self.records[FILES][place]), folder=folder, name=name)
        facts = {"by": by and {"user": by}, "file_id": file_id.hex(), "new": path, "old": old}
        return self.put(FILES, place, slot, kind=LeafKind.FILE_MOVED, facts=self.facts_of(facts, statement))

    def move_folder(self, old, path, by=None, statement=b""):
        """Move a folder with all in it; give the leaf that says so."""
        above, name = split_path(path)
        parent = self.folder(above)
        place = self.folders[old]
        for below in [each for each in self.folders if each == old or each.startswith(f"{old}/")]:
            self.folders[path + below.removeprefix(old)] = self.folders.pop(below)
        slot = replace(decode_slot(self.records[FILES][place]), parent=parent, name=name)
        facts = {"by": by and {"user": by}, "folder_id": place + 1, "new": path, "old": old}
        return self.put(FILES, place, slot, kind=LeafKind.FOLDER_MOVED, facts=self.facts_of(facts, statement))

    @staticmethod
    def facts_of(facts, statement):
        said = {**facts, "statement": statement.decode()} if statement else facts
        return RecordPart(SALT, msgspec.json.encode(said))

    def folder(self, path):
        """Put a folder there with those above it; give its slot."""
        if path not in self.folders:
            above, name = split_path(path)
            parent = self.folder(above) if path else None
            number = self.folders[path] = self.trees[FILES].size
            slot = FolderSlot(salt=SALT, id=number + 1, parent=parent, name=name, state=FolderState.LIVE)
            self.put(FILES, number, slot, kind=LeafKind.FOLDER_MADE)
        return self.folders[path]

    def file(self, file_id, path, owner, number, digest, size, *, state=FileState.LIVE):
        """Commit a version; give the leaf that does."""
        above, name = split_path(path)
        folder = self.folder(above)
        place = self.places.setdefault(file_id, self.trees[FILES].size)
        leaf = len(self.hashes)
        version = SlotVersion(number, leaf, digest, size)
        kept = self.versions.setdefault(place, [])
        del kept[number - 1 :]
        kept += [SlotVersion(earlier, leaf, digest, size) for earlier in range(len(kept) + 1, number)]
        kept.append(version)
        slot = FileSlot(
            salt=SALT, id=file_id, owner=owner, folder=folder if state is FileState.LIVE else None, name=name,
            state=state, trashed_from=path if state is FileState.TRASHED else "", newest=version,
            versions_kept=len(kept), versions_root=versions_root(kept),
        )  # fmt: skip
        if number == 1:
            return self.put(FILES, place, slot)
        facts = {"file_id": file_id.hex(), "path": path, "version": number}
        return self.put(FILES, place, slot, kind=LeafKind.FILE_REPLACED, facts=self.facts_of(facts, b""))

    # -- what is shown --------------------------------------------------------------------------------

    @property
    def size(self):
        return len(self.hashes)

    def node(self, level, index):
        hashes = self.hashes[index << level : (index + 1) << level]
        return hashes[0] if level == 0 else range_root(0, len(hashes), lambda lower, at: self._node(hashes, lower, at))

    def _node(self, hashes, level, index):
        if level == 0:
            return hashes[index]
        left, right = (self._node(hashes, level - 1, 2 * index + side) for side in (0, 1))
        return hashlib.sha256(b"\x01" + left + right).digest()

    def root(self, size):
        return range_root(0, size, lambda level, index: self._node(self.hashes, level, index))

    def checkpoint(self, size=None):
        size = self.size if size is None else size
        return Checkpoint(self.origin, size, self.root(size))

    def note(self, size=None):
        return sign_checkpoint(self.key, self.checkpoint(size))

    def consistency(self, old, new=None):
        new = self.size if new is None else new
        if old > new:
            return ()
        return tuple(prove_consistency(old, new, lambda level, index: self._node(self.hashes, level, index)))

    def evidence(self, slots=(), *, seen=(), versions=()):
        """Prove slots, each a tree and a number, under the newest head."""
        shown, proofs = [], []
        for tree in (USERS, FILES):
            numbers = sorted({number for each, number in slots if each == tree})
            if numbers:
                shown += [ProvedSlot(tree, number, self.records[tree][number]) for number in numbers]
                proofs.append(SlotsProof(tree, tuple(self.trees[tree].prove(numbers))))
        inclusion = prove_inclusion(self.size - 1, self.size, lambda at, index: self._node(self.hashes, at, index))
        return Evidence(
            self.leaf, tuple(inclusion), tuple(shown), tuple(proofs),
            tuple(ProvedHead(size, self.consistency(size)) for size in sorted(set(seen)) if 0 < size < self.size),
            tuple(versions),
        )  # fmt: skip

    def page(self, asked):
        """The newest leaves of the kinds that were asked for, with their records."""
        end = self.size if asked.end is None else asked.end
        numbers = [
            number
            for number, (kind, _, facts) in enumerate(self.logged[:end])
            if number >= asked.start
            and kind in asked.kinds
            and (asked.file_id is None or asked.file_id.hex().encode() in facts.body)
        ][::-1]
        most = min(asked.limit, LINES_OF_A_PAGE)
        numbers, more = numbers[:most], len(numbers) > most
        tree = StateTree(self.hashes)
        proof = tuple(tree.prove(numbers)) if numbers else ()
        shown = [
            LoggedLeaf(number, entry, facts.salt + facts.body, None)
            for number, (_, entry, facts) in ((number, self.logged[number]) for number in numbers)
        ]
        return LoggedPage(tuple(shown), proof, self.note(), numbers[-1] if more else asked.start, more=more)

    def evidence_of_user(self, user_id):
        """Prove a user, if there is one."""
        return self.evidence([(USERS, user_id - 1)] if user_id - 1 in self.records[USERS] else [])

    def evidence_of(self, *files):
        """Prove files as an answer has to that shows them."""
        slots, seen, versions = [], [], []
        for file in files:
            if file.id not in self.places:
                continue
            place = self.places[file.id]
            slots.append((FILES, place))
            if file.version.author_id - 1 in self.records[USERS]:
                slots.append((USERS, file.version.author_id - 1))
            above = split_path(file.path)[0]
            while above in self.folders and above:
                slots.append((FILES, self.folders[above]))
                above = split_path(above)[0]
            kept = self.versions[place]
            if 0 < file.version.number < kept[-1].number <= len(kept):
                at = file.version.number - 1
                hashes = [each.hash() for each in kept]
                proof = prove_inclusion(at, len(kept), lambda level, index, of=hashes: self._node(of, level, index))
                versions.append(ProvedVersion(place, file.version.number, tuple(proof)))
            with contextlib.suppress(SignatureInvalidError):  # a file of a test that looks at no signature
                comment = FileComment.parse(FileSignature.parse(file.version.signature).comment)
                epoch, _, size = comment.head.partition(":")[0].partition(".")
                if int(epoch) <= self.origin.epoch:
                    seen.append(int(size))
        return self.evidence(slots, seen=seen, versions=versions)
