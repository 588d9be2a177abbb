"""`sft find`: files and folders by words of their names, wherever they lie, and files by author, size and time.

Rules. On a terminal a table, elsewhere one line an entry, both with whole paths as ``sft ls -l '**'`` has them; a JSON document
holds the files. That nothing is found is no failure, as with a pattern of ``sft ls``; a person is told.
"""

from __future__ import annotations

import click

from sft.cli.commands.ls import long_lines
from sft.cli.invocation import Invocation
from sft.cli.json_output import file_document
from sft.cli.options import common
from sft.client.api.files import Listing
from sft.client.api.search import name_question, search
from sft.client.session import Session
from sft.client.trust import SignatureState, known_of
from sft.errors import UsageError
from sft.model.text import shown_name


@click.command("find")
@click.argument("words", nargs=-1, required=True, metavar="WORD...")
@common
def command(invocation: Invocation, words: tuple[str, ...]) -> int:
    """Find files and folders wherever they lie: every WORD is in the name, in any case; '*.pdf' fits the whole name.

    Words with a colon say what a file is like: from:ada, since:yesterday (2d, 2026-05-03), until:, larger:10M, smaller:1G.
    Without a name what was stored last comes first: sft find since:yesterday shows what is new.
    """
    question = name_question(" ".join(map(_quoted, words)), invocation.now)
    if question is None:
        raise UsageError(
            problem="There is no letter to look for", remedy="sft find 'report' '*.pdf'; everything: sft ls '**'"
        )
    console = invocation.console

    async def ask(session: Session) -> tuple[Listing, list[SignatureState]]:
        found, states = Listing(), list[SignatureState]()
        async for page in search(session, question, signatures=True):
            judged = [each.state for each in await known_of(session, page.files, None)]
            found.folders.extend(page.folders)
            found.files.extend(page.files)
            states += judged
        return found, states

    found, states = invocation.talk(ask)
    if console.json:
        console.document([file_document(file, state.value) for file, state in zip(found.files, states, strict=True)])
        return 0
    if not found.folders and not found.files:
        console.note(
            f"No name holds {shown_name(question.text)}. Fewer letters find more."
            if question.criteria is None
            else f"Nothing is like {shown_name(question.text)}. Fewer words find more."
        )
    for line in long_lines(invocation, found, states, whole_paths=True):
        console.result(line)
    return 0


def _quoted(word: str) -> str:
    """Keep a value with blanks together, as it is typed into one line."""
    about, colon, value = word.partition(":")
    return f'{about}:"{value}"' if colon and " " in value else word
