"""`sft verify`: check a file of this computer against its signature, without asking anybody."""

from __future__ import annotations

from pathlib import Path

import click

from sft.cli.invocation import Invocation
from sft.cli.json_output import Document, key_document
from sft.cli.options import common, pass_invocation
from sft.client.local_verify import OfflineVerdict, verify_offline
from sft.crypto.digests import digest_text
from sft.crypto.keys import PublicKey
from sft.errors import KeyFormatError, LocalFileError
from sft.model.names import safe
from sft.model.text import size_text

_KEY_FILE_BYTES = 4096


@click.command("verify")
@click.argument("file")
@click.option("--signature", metavar="FILE", help="The signature; FILE.minisig unless told.")
@click.option(
    "--key", metavar="KEY", help="A minisign public key: RW..., or a file that holds one."
)
@common
@pass_invocation
def command(invocation: Invocation, file: str, signature: str | None, key: str | None) -> int:
    """Check a file against its signature, offline: with the keys pinned here, or the one given."""
    verdict = verify_offline(
        invocation.state,
        Path(file),
        signature=None if signature is None else Path(signature),
        key=None if key is None else _public_key(key),
    )
    console = invocation.console
    if console.json:
        console.document(_document(file, verdict))
    size = size_text(verdict.size)
    console.result(
        f"{console.mark('✓')} verified  {safe(file)}  {size}  signed with {verdict.key.words()}"
    )
    for line in verdict.holds:
        console.result(f"  {line}")
    for line in verdict.not_asked:
        console.result(f"  not asked: {line}")
    return 0


def _public_key(text: str) -> PublicKey:
    """Read a key that was typed, or the file that holds it."""
    try:
        return PublicKey.parse(text)
    except KeyFormatError:
        path = Path(text)
        if not path.is_file():
            raise
    try:
        with path.open("rb") as file:
            return PublicKey.parse(file.read(_KEY_FILE_BYTES).decode())
    except UnicodeDecodeError:
        raise KeyFormatError("a public key file is text") from None
    except OSError as error:
        raise LocalFileError(
            str(error),
            path=text,
            problem="cannot be read",
            remedy="Give the key itself: --key RW...",
        ) from error


def _document(file: str, verdict: OfflineVerdict) -> Document:
    comment = verdict.comment
    return {
        "file": file,
        "result": "verified",
        "signer": verdict.signer,
        "server": verdict.server,
        **key_document(verdict.key),
        "signed_name": None if comment is None else comment.name,
        "version": None if comment is None else comment.version,
        "comment": verdict.foreign_comment,
        "size": verdict.size,
        "digest": digest_text(verdict.digest),
        "holds": verdict.holds,
        "not_asked": verdict.not_asked,
    }
