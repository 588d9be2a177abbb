"""`sft proof`: a file for somebody without an account, with its signature and the proof that the server's log tells of it."""

from __future__ import annotations

from pathlib import Path

import click

from sft.cli.completing import folders_here, paths
from sft.cli.invocation import Invocation
from sft.cli.json_output import key_document
from sft.cli.options import common
from sft.client.file_proof import prove_stored
from sft.client.local_verify import read_text
from sft.client.os_errors import translating_os_errors
from sft.client.session import Session
from sft.client.transfers.batch import GetResult, get_all
from sft.client.transfers.part_file import ConflictPolicy
from sft.client.transfers.plan import plan_get
from sft.client.trust_words import minisign_command
from sft.crypto.comment import FileComment
from sft.crypto.keys import PublicKey
from sft.crypto.signatures import FileSignature
from sft.errors import CryptoError, LocalExistsError, LocalFileError, UsageError
from sft.ledger.file_proof import LoggedFile, check_file_proof
from sft.model.names import safe
from sft.model.records import File
from sft.model.text import count_text, shell_path, shown_name


@click.command("proof")
@click.argument("name", shell_complete=paths)
@click.option(
    "--to", metavar="DIR", shell_complete=folders_here, help="The folder on this computer; this one, unless told."
)
@click.option("--force", is_flag=True, help="Replace what is there.")
@common
def command(invocation: Invocation, name: str, to: str | None, *, force: bool) -> int:
    """Write a file, its signature and its proof, for somebody who has no account."""
    place = Path(to or ".")
    existing = ConflictPolicy.FORCE if force else ConflictPolicy.REFUSE

    async def ask(session: Session) -> tuple[GetResult, str, LoggedFile]:
        plan = await plan_get(session, [name], with_signature=True)
        for refused in plan.refused:
            raise refused.error
        if plan.folders or len(plan.items) != 1:
            raise UsageError(problem="A proof is of one file", remedy="Name that file")
        (got,) = await get_all(session, plan.items, to=place, existing=existing, with_signature=True)
        if got.error is not None:
            raise got.error
        if got.file is None:
            raise TypeError("a get that did not fail has a file")
        return got, *await prove_stored(session, got.file)

    got, text, logged = invocation.talk(ask)
    if got.file is None:
        raise TypeError("a get that did not fail has a file")
    local = place / got.item.parts[-1]
    proof = local.with_name(f"{local.name}.sftproof")
    written = force or not _shows_the_same(proof, got.file, logged)
    if written:
        _write(proof, text, force=force)
    return _show(invocation, got, proof, logged, is_new=written)


def _shows_the_same(proof: Path, file: File, logged: LoggedFile) -> bool:
    """Say whether a proof lies here already that shows the same of this very version, under whichever checkpoint."""
    try:
        comment = FileComment.parse(FileSignature.parse(file.version.signature).comment)
        shown = check_file_proof(read_text(proof), comment)
    except (LocalFileError, CryptoError):
        return False
    return (shown.origin, shown.index) == (logged.origin, logged.index)


def _write(proof: Path, text: str, *, force: bool) -> None:
    with translating_os_errors(proof):
        try:
            with proof.open("w" if force else "x", encoding="utf-8") as file:
                file.write(text)
        except FileExistsError as error:
            raise LocalExistsError(path=str(proof)) from error


def _show(invocation: Invocation, got: GetResult, proof: Path, logged: LoggedFile, *, is_new: bool) -> int:
    file, local = got.file, got.local
    if file is None or local is None:
        raise TypeError("a get that did not fail has a file and a place")
    signature = got.signature or local.with_name(f"{local.name}.minisig")
    key = PublicKey.decode(file.version.public_key)
    author = shown_name(file.version.author)
    document = {
        "path": file.path,
        "version": file.version.number,
        "author": file.version.author,
        **key_document(key),
        "local": str(local),
        "signature_file": str(signature),
        "proof_file": str(proof),
        "leaf": logged.index,
        "log": logged.origin.text(),
    }
    shown = shell_path(str(local))
    invocation.console.show(
        document,
        f"{'wrote' if is_new else 'here already:'} {', '.join(safe(str(each)) for each in (local, signature, proof))}",
        f"Version {file.version.number}, in the log {logged.origin.text()} at {count_text(logged.index)}.",
        f"Without an account: sft verify {shown} --key {key.text()} --proof {shell_path(str(proof))}",
        f"Without sft: {minisign_command(str(local), key)}",
        f"That key is {author}'s: {key.words()}",
        f"Let {author} confirm these words by another way than the one by which the files go.",
    )
    return 0
