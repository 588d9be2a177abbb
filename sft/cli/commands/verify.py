"""`sft verify`: check a file of this computer against its signature, without asking anybody."""

from __future__ import annotations

from pathlib import Path

import click

from sft.cli.invocation import Invocation
from sft.cli.json_output import Document, key_document
from sft.cli.options import common
from sft.cli.people_output import read_public_key
from sft.client.local_verify import OfflineVerdict, verify_offline
from sft.crypto.digests import digest_text
from sft.model.names import safe
from sft.model.text import size_text


@click.command("verify")
@click.argument("file")
@click.option("--signature", metavar="FILE", help="The signature; FILE.minisig unless told.")
@click.option("--key", metavar="KEY", help="A minisign public key: RW..., or a file that holds one.")
@common
def command(invocation: Invocation, file: str, signature: str | None, key: str | None) -> int:
    """Check a file against its signature, offline: with the keys pinned here, or the one given."""
    verdict = verify_offline(
        invocation.state,
        Path(file),
        signature=None if signature is None else Path(signature),
        key=None if key is None else read_public_key(key, "Give the key itself: --key RW..."),
    )
    console = invocation.console
    size = size_text(verdict.size)
    console.show(
        _document(file, verdict),
        f"{console.mark('✓')} verified  {safe(file)}  {size}  signed with {verdict.key.words()}",
        *(f"  {line}" for line in verdict.holds),
        *(f"  not asked: {line}" for line in verdict.not_asked),
    )
    return 0


def _document(file: str, verdict: OfflineVerdict) -> Document:
    comment = verdict.comment
    return {
        "local": file,
        "result": "verified",
        "signer": verdict.signer,
        "server": verdict.server,
        **key_document(verdict.key),
        "signed_as": None if comment is None else comment.name,
        "version": None if comment is None else comment.version,
        "comment": verdict.foreign_comment,
        "size": verdict.size,
        "digest": digest_text(verdict.digest),
        "holds": verdict.holds,
        "not_asked": verdict.not_asked,
    }
