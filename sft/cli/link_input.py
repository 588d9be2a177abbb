"""How a link comes in: pasted at a prompt, from a file, or on standard input; never as an argument."""

from __future__ import annotations

from collections.abc import Sequence

from sft.cli.invocation import Invocation
from sft.cli.prompts import read_secret_file
from sft.errors import LinkIncompleteError, UsageError
from sft.model.links import parse_link


def link_text(invocation: Invocation, link_file: str | None, prompt: str) -> str:
    """Take a link from where it comes.

    Raises:
        UsageError: there is none.
    """
    if link_file is not None:
        return read_secret_file(link_file, invocation.surroundings.stdin, "The link")
    text = invocation.asking.pasted(prompt, whole=_is_whole)
    if not text.strip():
        raise UsageError(
            problem="No link was given", remedy="Paste it, or name its file: --link-file FILE"
        )
    return text


def refuse_arguments(arguments: Sequence[str]) -> None:
    """Refuse a link that was given as an argument, and whatever else was.

    Raises:
        UsageError: always, if there is one; it does not repeat it.
    """
    if not arguments:
        return
    if any("sft:" in argument.lower() for argument in arguments):
        raise UsageError(
            problem="A link given as an argument is in the shell's history, and everybody on this computer can read it "
            "(ps) and join with it",
            remedy="sft join alone asks for it; or --link-file FILE. Shared computer? Ask for a new invitation",
        )
    raise UsageError(
        problem="sft join takes no name or address",
        remedy="sft join alone asks for the invitation; your name: --user NAME",
    )


def _is_whole(text: str) -> bool:
    try:
        parse_link(text)
    except LinkIncompleteError:
        return False
    except UsageError:
        return True
    return True
