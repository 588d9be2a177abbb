"""Whoever is told of a log and believes nothing: every head, every last leaf and every slot of a session, in order."""

from __future__ import annotations

from typing import Any

from sft.crypto.keys import ServerPublic
from sft.crypto.signed_note import text_of
from sft.ledger.checkpoints import Checkpoint, Origin, open_checkpoint
from sft.ledger.current import check_last_leaf, check_slots, follow
from sft.ledger.leaves import LogLeaf, StateTreeKind
from sft.ledger.slots import FileSlot, FolderSlot, Slot, SlotVersion, UserSlot
from sft.ledger.verdicts import SignatureVerdict, judge_signature
from sft.model.evidence import Evidence
from sft.model.records import File
from sft.wire import messages as m
from sft.wire.events import MessageReceived, Welcomed
from tests.integration.raw import Raw


class Proved:
    """The slots of one answer, checked, and what they say."""

    def __init__(self, head: Checkpoint, leaf: LogLeaf, evidence: Evidence) -> None:
        self.head = head
        self.evidence = evidence
        assert len({(each.tree, each.number) for each in evidence.slots}) == len(evidence.slots)
        assert {each.tree for each in evidence.proofs} == {each.tree for each in evidence.slots}
        self.users: dict[int, Slot] = {}
        self.files: dict[int, Slot] = {}
        for proof in evidence.proofs:
            tree = StateTreeKind(proof.tree)
            records = {each.number: each.record for each in evidence.slots if each.tree == tree}
            found = check_slots(leaf, tree, records, proof.hashes)
            (self.users if tree is StateTreeKind.USERS else self.files).update(found)

    def user(self, user_id: int) -> UserSlot:
        slot = self.users[user_id - 1]
        assert isinstance(slot, UserSlot)
        assert slot.id == user_id
        return slot

    def require(self, file: File) -> FileSlot:
        """Hold what an answer says of a file to its slots."""
        ((number, slot),) = [
            (number, each) for number, each in self.files.items() if isinstance(each, FileSlot) and each.id == file.id
        ]
        said = file.version
        version = SlotVersion(said.number, said.leaf, said.digest, said.size)
        if said.number == slot.newest.number:
            assert version == slot.newest
        else:
            (proof,) = [
                each.inclusion for each in self.evidence.versions if (each.file, each.version) == (number, said.number)
            ]
            slot.check_version(version, proof)
        assert self.path(slot) == file.path
        signer = self.user(said.author_id)
        assert signer.name == said.author
        assert judge_signature(signer, said.public_key, said.leaf).verdict is SignatureVerdict.VALID
        assert self.user(file.owner_id).name == file.owner
        return slot

    def path(self, slot: FileSlot) -> str:
        names, above = [slot.name], slot.folder
        while above:
            folder = self.files[above]
            assert isinstance(folder, FolderSlot)
            names.append(folder.name)
            above = folder.parent
        assert above == 0
        assert isinstance(self.files[0], FolderSlot)
        return "/".join(reversed(names))


class ToldLog:
    """What a raw session was told of the server's log.

    Args:
        claimed: heads whose sizes the login named, in that order; None where they were made up.
    """

    def __init__(
        self, raw: Raw, server: ServerPublic, server_id: bytes, claimed: tuple[Checkpoint, ...] | None = ()
    ) -> None:
        self._raw = raw
        self._server = server
        self._server_id = server_id
        self._claimed = claimed
        self._read = 0
        self._proved: dict[int, Proved] = {}
        self.heads: list[Checkpoint] = []
        self.welcome: Proved | None = None

    @property
    def head(self) -> Checkpoint:
        self._follow()
        return self.heads[-1]

    async def ask(self, kind: type[m.Request], **fields: Any) -> tuple[Any, Proved]:
        """Ask, and check all that came; the answer has evidence."""
        answer = await self._raw.ask(kind, **fields)
        assert not isinstance(answer, m.Refusal), answer
        return answer, self.proved(answer)

    def proved(self, answer: m.Reply) -> Proved:
        self._follow()
        return self._proved[answer.id]

    def _follow(self) -> None:
        for event in self._raw.inbox[self._read :]:
            self._read += 1
            if isinstance(event, Welcomed):
                welcome = event.welcome
                self.heads.append(self._opened(welcome.head))
                if self._claimed is not None:
                    for known, consistency in zip(self._claimed, welcome.consistency, strict=True):
                        follow(known, self.heads[-1], consistency)
                assert welcome.evidence is not None
                self.welcome = self._checked(welcome.evidence)
            elif isinstance(event, MessageReceived):
                self._hear(event.message)

    def _hear(self, message: m.Message) -> None:
        if isinstance(message, m.LogHead):
            head = self._opened(message.note)
            assert head.size > self.heads[-1].size, "a head that is no news"
            follow(self.heads[-1], head, message.consistency)
            self.heads.append(head)
        evidence = getattr(message, "evidence", None)
        if isinstance(message, m.Reply) and evidence is not None:
            self._proved[message.id] = self._checked(evidence)

    def _checked(self, evidence: Evidence) -> Proved:
        head = self.heads[-1]
        return Proved(head, check_last_leaf(head, evidence.leaf, evidence.inclusion), evidence)

    def _opened(self, note: str) -> Checkpoint:
        said = Checkpoint.parse(text_of(note)).origin
        return open_checkpoint(note, Origin.of_server(said.host, self._server_id, said.epoch), self._server)
