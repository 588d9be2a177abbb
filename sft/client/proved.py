"""What an answer proves to be so: the slots of files, their folders and people, under the head that it is under.

Rules. What is believed of a file, where it lies, which version is its newest, whose it is, and of a person's keys and roles,
stands in slots and nowhere else; what the server says beside them must be the same. A slot says itself of what it is, and a
user's place follows from the id. Whatever does not fit is no fault of the way, and stops the session (``LogFollower.refuse``).
Pure but for that.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NoReturn

from msgspec import Struct

from sft.client.log_follower import LogFollower, Under
from sft.client.versions_seen import NO_PLACE
from sft.errors import CryptoError
from sft.ledger.current import check_slots
from sft.ledger.leaves import StateTreeKind
from sft.ledger.slots import FileSlot, FileState, FolderSlot, FolderState, Slot, SlotVersion, UserSlot
from sft.model.evidence import Evidence
from sft.model.records import File, FileVersion, User, UserState

_ROOT: Final = 0  # the root folder's slot, which has no name
_MOST_FOLDERS: Final = 512  # as deep as a path can be: every name has a byte, and a slash
_FIRST_EPOCH: Final = 1


class ProvedFile(Struct, frozen=True):
    """A file and the version that was asked for, as the log has them.

    Args:
        number: of the file's slot, which is never another file's.
        signer: slot of the user whom the server names as author.
    """

    number: int
    slot: FileSlot
    version: SlotVersion
    signer: UserSlot


class ProvedState:
    """The slots of one answer.

    Args:
        what: the answer says, in words.
    """

    def __init__(self, log: LogFollower, evidence: Evidence | None, what: str) -> None:
        self._log = log
        self._under = log.under(evidence, what)
        if evidence is None:
            raise TypeError("evidence that is none is under nothing")
        self._evidence = evidence
        self._what = what
        self._users = self._checked(StateTreeKind.USERS)
        self._files = self._checked(StateTreeKind.FILES)
        files = [(slot.id, number) for number, slot in self._files.items() if isinstance(slot, FileSlot)]
        self._numbers = dict(files)
        if len(self._numbers) != len(files):
            self._refuse("one file in two slots")

    @property
    def under(self) -> Under:
        return self._under

    def require_one_log(self, seen: str, witness: str) -> None:
        """Hold the head that somebody signed to have seen to this log; as ``LogFollower.require_one_log``."""
        self._log.require_one_log(self._evidence, seen, witness)

    def user(self, user_id: int) -> UserSlot:
        """Return the slot of a user; LogProofError if it is not proved."""
        slot = self._users.get(user_id - 1)
        if not isinstance(slot, UserSlot) or slot.id != user_id:
            self._refuse(f"user {user_id} has no slot")
        return slot

    def require_user(self, user: User) -> UserSlot:
        """Return a user's slot, which says what the server says: name, role, state, keys; else LogProofError."""
        slot = self.user(user.id)
        # When a key ended by the clock says no leaf; that it did has to be the same.
        keys = {
            (key.public_key, key.start_leaf, key.end_leaf, key.cut_off_leaf, key.end_reason, key.ended_at is None)
            for key in user.keys
        }
        proved = {(key.public_key, key.start, key.end, key.cut_off, key.reason, key.end is None) for key in slot.keys}
        said = (user.name, user.role, user.state, keys)
        if said != (slot.name, slot.role, slot.state, proved):
            self._refuse(f"user {user.id} is another in the registry")
        return slot

    def file(self, file: File) -> ProvedFile:
        """Return what is proved of a live file and a version of it, which is what the server says; else LogProofError."""
        number = self._numbers.get(file.id)
        slot = None if number is None else self._files[number]
        if number is None or not isinstance(slot, FileSlot):
            self._refuse("the file has no slot")
        # Versions are lost with an index alone, and the log of one that was made again is of a later epoch.
        if slot.versions_lost and self._under.head.checkpoint.origin.epoch == _FIRST_EPOCH:
            self._refuse("versions were lost, and the log was never begun again")
        said = file.version
        version = slot.newest if said.number == slot.newest.number else self._older(number, slot, said)
        if (said.leaf, said.digest, said.size) != (version.commit, version.digest, version.size):
            self._refuse("another content")
        if file.owner_id != slot.owner and self.user(slot.owner).state is not UserState.REMOVED:
            self._refuse("another owner")
        # What is asked for by its name lies there: a deleted file, though it is said to be one, is an answer about another.
        if slot.state is not FileState.LIVE or file.trashed_at is not None:
            self._refuse(f"the file is {slot.state.value}")
        path = self._path(slot)
        if path != file.path:
            self._refuse(f"the file is at {path}")
        signer = self.user(said.author_id)
        if signer.name != said.author:
            self._refuse(f"user {signer.id} has another name")
        return ProvedFile(number, slot, version, signer)

    def require_place(self, proved: ProvedFile, known: int) -> None:
        """Hold a file to the slot where it was proved before: a second one could tell others of another history."""
        if known not in {NO_PLACE, proved.number}:
            self._refuse(f"it was in slot {known} and is in {proved.number}")

    def _older(self, number: int, slot: FileSlot, said: FileVersion) -> SlotVersion:
        """Return a version that is kept beside the newest one."""
        version = SlotVersion(said.number, said.leaf, said.digest, said.size)
        proofs = [
            each.inclusion for each in self._evidence.versions if (each.file, each.version) == (number, said.number)
        ]
        try:
            (inclusion,) = proofs
            slot.check_version(version, inclusion)
        except (CryptoError, ValueError) as error:
            self._refuse(f"version {said.number}: {error}")
        return version

    def _path(self, slot: FileSlot) -> str:
        """Return where a live file lies, by the chain of its folders."""
        names, above = [slot.name], slot.folder
        while above is not None and above != _ROOT:
            folder = self._files.get(above)
            if not isinstance(folder, FolderSlot) or folder.state is not FolderState.LIVE:
                self._refuse(f"folder {above} is not live")
            names.append(folder.name)
            above = folder.parent
            if len(names) > _MOST_FOLDERS:
                self._refuse("folders in one another in a circle")
        return "/".join(reversed(names))

    def _checked(self, kind: StateTreeKind) -> Mapping[int, Slot]:
        shown = [(each.number, each.record) for each in self._evidence.slots if each.tree == kind]
        records = dict(shown)
        if len(records) != len(shown):
            self._refuse("a slot twice")
        proofs = [each.hashes for each in self._evidence.proofs if each.tree == kind]
        if not records and not proofs:
            return {}
        try:
            (hashes,) = proofs
            return check_slots(self._under.leaf, kind, records, hashes)
        except (CryptoError, ValueError) as error:
            self._refuse(str(error))

    def _refuse(self, detail: str) -> NoReturn:
        self._log.refuse(self._what, self._evidence, detail)
