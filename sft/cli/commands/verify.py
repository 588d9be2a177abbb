"""`sft verify`: check a file of this computer against its signature, a proof or a receipt, without asking anybody."""

from __future__ import annotations

from pathlib import Path

import click

from sft.cli.completing import files_here
from sft.cli.invocation import Invocation
from sft.cli.json_output import Document, key_document
from sft.cli.options import common
from sft.cli.people_output import read_public_key
from sft.client.local_verify import OfflineVerdict, verify_offline
from sft.client.receipt_verify import ReceiptVerdict, verify_receipt
from sft.crypto.digests import digest_text
from sft.crypto.note_keys import NoteKey
from sft.errors import KeyFormatError, UsageError
from sft.model.names import safe
from sft.model.text import shown_name, size_text, utc_time


@click.command("verify")
@click.argument("file", shell_complete=files_here)
@click.option("--signature", metavar="FILE", shell_complete=files_here, help="The signature; FILE.minisig unless told.")
@click.option("--key", metavar="KEY", help="A minisign public key: RW..., or a file that holds one.")
@click.option(
    "--proof",
    metavar="FILE",
    shell_complete=files_here,
    help="Also that a log tells of it: FILE.sftproof, of sft proof NAME.",
)
@click.option("--log", metavar="VKEY", help="The log's key, where you have it from elsewhere: NAME+HASH+KEY.")
@click.option("--receipt", metavar="FILE", shell_complete=files_here, help="Instead: that its server acknowledged it.")
@common
def command(
    invocation: Invocation,
    file: str,
    signature: str | None,
    key: str | None,
    proof: str | None,
    log: str | None,
    receipt: str | None,
) -> int:
    """Check a file against its signature, without the server: with the keys pinned here, or the one given."""
    if log is not None and proof is None:
        raise UsageError(problem="--log is the key for a --proof", remedy="Give both")
    if receipt is not None:
        if (signature, key, proof) != (None, None, None):
            raise UsageError(problem="A receipt is checked by itself", remedy="Without --signature, --key and --proof")
        return _show_receipt(invocation, file, verify_receipt(invocation.state, Path(file), Path(receipt)))
    verdict = verify_offline(
        invocation.state,
        Path(file),
        signature=None if signature is None else Path(signature),
        key=None if key is None else read_public_key(key, "Give the key itself: --key RW..."),
        proof=None if proof is None else Path(proof),
        log=None if log is None else _read_log_key(log),
    )
    console = invocation.console
    size = size_text(verdict.size)
    console.show(
        _document(file, verdict),
        f"{console.mark('✓')} verified  {safe(file)}  {size}  signed with {verdict.key.words()}",
        *(f"  {line}" for line in verdict.holds),
        *(f"  not checked (offline): {line}" for line in verdict.not_asked),
    )
    return 0


def _read_log_key(text: str) -> NoteKey:
    try:
        return NoteKey.parse_vkey(text)
    except KeyFormatError as error:
        raise UsageError(error.detail, problem="--log takes the key of a log", remedy="NAME+HASH+KEY") from error


def _document(file: str, verdict: OfflineVerdict) -> Document:
    comment, logged = verdict.comment, verdict.logged
    return {
        "local": file,
        "result": "verified",
        "by": "signature" if logged is None else "proof",
        "signer": verdict.signer,
        "server": verdict.server,
        **key_document(verdict.key),
        "signed_as": None if comment is None else comment.name,
        "version": None if comment is None else comment.version,
        "comment": verdict.foreign_comment,
        "size": verdict.size,
        "digest": digest_text(verdict.digest),
        "leaf": None if logged is None else logged.index,
        "log": None if logged is None else logged.origin.text(),
        "stored_at": None if logged is None else utc_time(logged.time),
        "holds": verdict.holds,
        "not_asked": verdict.not_asked,
    }


def _show_receipt(invocation: Invocation, file: str, verdict: ReceiptVerdict) -> int:
    receipt = verdict.receipt
    document = {
        "local": file,
        "result": "verified",
        "by": "receipt",
        "signer": None,
        "server": verdict.server,
        **key_document(None),
        "signed_as": receipt.name,
        "version": receipt.version,
        "comment": "",
        "size": receipt.size,
        "digest": digest_text(receipt.digest),
        "leaf": receipt.leaf,
        "log": None,
        "stored_at": utc_time(receipt.stored_at),
        "holds": verdict.holds,
        "not_asked": verdict.not_asked,
    }
    console = invocation.console
    console.show(
        document,
        f"{console.mark('✓')} verified  {safe(file)}  {size_text(receipt.size)}  stored at {shown_name(verdict.server)}",
        *(f"  {line}" for line in verdict.holds),
        *(f"  not checked (offline): {line}" for line in verdict.not_asked),
    )
    return 0
