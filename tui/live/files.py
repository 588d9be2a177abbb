"""The files of the server in use: pages of folders and single versions, with what is known here of their signatures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from msgspec.structs import replace

from sft.client.api import files, trash
from sft.client.api.rights import PersonRight, explain_right, list_allowed
from sft.client.api.search import NameQuestion, next_found
from sft.client.proof_files import write_proof
from sft.client.receipts import has_receipt
from sft.client.session import Session
from sft.client.transfers.look import LookedInto, look_into
from sft.client.transfers.older_version import bring_version_back
from sft.client.trust import SignatureState, known_of, prove_file
from sft.client.trust_chain import ChainFacts
from sft.client.trust_facts import chain_facts
from sft.crypto.keys import PublicKey
from sft.errors import NotFoundError, NotYoursError, RoleForbidsError, SftError, SignatureBadError
from sft.model.access import Caller, Permission, Resource, may
from sft.model.records import File, FileReader
from tui.gateway import Details, Listed
from tui.live.session_access import SessionAccess


class LiveFiles:
    """Files and folders."""

    def __init__(self, access: SessionAccess) -> None:
        self._checked = access.checked
        self._clock = access.clock
        self.list_folder = access.asking(self._page)
        self.search = access.asking(self._found)
        self.list_trash = access.asking(trash.list_trash)
        self.last_deleted = access.asking(trash.last_deleted)
        self.details = access.asking(self._details)
        self.chain = access.asking(self._chain)
        self.look = access.asking(self._look)
        self.readers = access.asking(self._readers)
        self.write_proof = access.asking(write_proof)
        self.rights = access.asking(self._rights)
        self.allowed = access.asking(self._allowed)
        self.make_folder = access.asking(files.make_folder)
        self.move = access.asking(files.move)
        self.change_owner = access.asking(files.change_owner)
        self.delete = access.asking(files.delete)
        self.restore = access.asking(trash.restore)
        self.set_expiry = access.asking(files.set_expiry)
        self.restore_version = access.asking(self._restore_version)
        self.destroy_version = access.asking(files.destroy_version)
        self.destroy_trashed = access.asking(trash.destroy_trashed)

    async def _page(self, session: Session, path: str, cursor: str = "", *, judged: bool = True) -> Listed:
        listing, following = await files.list_page(session, path, cursor, signatures=judged)
        return await self._listed(session, listing, following, judged=judged)

    async def _found(
        self, session: Session, question: NameQuestion, cursor: str = "", *, judged: bool = True
    ) -> Listed:
        listing, following = await next_found(session, question, cursor, signatures=judged)
        return await self._listed(session, listing, following, judged=judged)

    async def _listed(self, session: Session, listing: files.Listing, following: str, *, judged: bool) -> Listed:
        found = tuple(listing.files)
        states = [SignatureState.NOT_LOOKED_AT] * len(found)
        if judged:
            known = await known_of(session, found, None)
            states = [self._checked.state(file, each.state) for file, each in zip(found, known, strict=True)]
        return Listed(tuple(listing.folders), found, tuple(states), following)

    async def _details(self, session: Session, path: str, version: int = 0) -> Details:
        file, evidence = await files.show_proved(session, path, version)
        (known,) = await known_of(session, [file], prove_file(session, evidence, file), newest=version == 0)
        shown, error = file.version, known.error
        state = self._checked.state(file, known.state)
        if state is SignatureState.BAD and error is None:
            error = SignatureBadError(path=file.path, author=shown.author)
        key = PublicKey.decode_or_none(shown.public_key)
        pin = session.pins.people.get(shown.author_id)
        kept = await session.pool.run(has_receipt, session.state, session.server_id, file.id, shown.number)
        return Details(
            file=file,
            state=state,
            words="no valid key" if key is None else key.words(),
            first_seen_at=None if pin is None else pin.keys.get(shown.public_key),
            receipt_kept=kept,
            error=error,
        )

    async def _chain(self, session: Session, path: str, version: int = 0) -> ChainFacts:
        facts = await chain_facts(session, path, version)
        return replace(facts, read=self._checked.read(facts.file))

    async def _look(self, session: Session, path: str, version: int = 0) -> LookedInto | None:
        try:
            looked = await look_into(session, path, version)
        except SftError as error:
            await self._checked.note_read(session, path, version, None, error, self._clock())
            raise
        if looked is not None:
            await self._checked.note_read(session, path, version, looked.file, None, self._clock())
        return looked

    @staticmethod
    async def _rights(session: Session, about: str, acts: Sequence[str], user: str) -> list[PersonRight]:
        return [await explain_right(session, user, act, about) for act in acts]

    @staticmethod
    async def _allowed(session: Session, about: str, act: str) -> list[PersonRight]:
        return await list_allowed(session, act, about)

    @staticmethod
    async def _restore_version(session: Session, path: str, number: int) -> int:
        with TemporaryDirectory(prefix="sft-") as folder:
            result = await bring_version_back(session, path, number, within=Path(folder))
        return number if result.stored is None else result.stored.version

    @staticmethod
    async def _readers(session: Session, file: File) -> list[FileReader] | None:
        caller = Caller(session.user_id, 0, "", session.role)
        if not may(caller, Permission.DOWNLOAD_READ, Resource(file.owner_id)):
            return None
        try:
            return await files.list_readers(session, file.path)
        except (NotFoundError, NotYoursError, RoleForbidsError):
            return None  # it is another's by now, or gone, or we are somebody else
