"""`sft proof`: a file for somebody without an account, with its signature and the proof that the server's log tells of it."""

from __future__ import annotations

from pathlib import Path

import click

from sft.cli.completing import folders_here, paths
from sft.cli.invocation import Invocation
from sft.cli.json_output import key_document
from sft.cli.options import common
from sft.client.proof_files import WrittenProof, write_proof
from sft.client.trust_words import minisign_command
from sft.crypto.keys import PublicKey
from sft.model.names import safe
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
    written = invocation.talk(lambda session: write_proof(session, name, Path(to or "."), force=force))
    return _show(invocation, written)


def _show(invocation: Invocation, written: WrittenProof) -> int:
    file, local, logged = written.file, written.local, written.logged
    signature, proof = written.signature, written.proof
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
        f"{'wrote' if written.is_new else 'here already:'} {', '.join(safe(str(each)) for each in (local, signature, proof))}",
        f"Version {file.version.number}, in the log {logged.origin.text()} at {count_text(logged.index)}.",
        f"Without an account: sft verify {shown} --key {key.text()} --proof {shell_path(str(proof))}",
        f"Without sft: {minisign_command(str(local), key)}",
        f"That key is {author}'s: {key.words()}",
        f"Let {author} confirm these words by another way than the one by which the files go.",
    )
    return 0
