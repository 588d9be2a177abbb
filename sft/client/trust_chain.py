"""Why a version of a file can be believed, link by link: from the pinned key of its server to the bytes that were read here.

    server      its key is pinned here; every answer comes over a line that this key opened
    author      the key that signed is the author's: pinned here, and by the log's order theirs when they signed
    signature   it holds over name, version and digest; who moved the file since signed that
    log         a leaf of the server's log tells of the version, proved under the newest head; witnesses
    receipt     the server's signed word on it, where that lies here
    content     the bytes that this computer read were the signed ones

Rules. Pure: everything is known already. A link *holds* if it was checked here, is *open* if it was not (yet), and *broken* if
it was and does not hold; nothing that hangs on a broken link holds. The words are those that every front end shows.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from msgspec import Struct

from sft.client.pins import Pin
from sft.client.trust import Known, SignatureState, read_sentence, unread_sentence, words_of_key
from sft.client.trust_words import (
    acknowledged,
    known_since,
    minisign_command,
    moved_by,
    pinned_key,
    signed_as,
    stored_leaf,
)
from sft.client.witnessed import LogStanding, standing_text
from sft.crypto.digests import digest_text
from sft.crypto.keys import PublicKey
from sft.crypto.notes import Receipt
from sft.errors import (
    MoveUnsignedError,
    OlderVersionError,
    PinChangedError,
    SftError,
    SignerKeyEndedError,
    SignerKeyStolenError,
    SignerUnknownError,
)
from sft.model.names import split_path
from sft.model.records import File
from sft.model.text import count_text, counted, day_text, local_time, sentence, shown_name

_OF_KEY: Final = (SignerUnknownError, PinChangedError, SignerKeyEndedError, SignerKeyStolenError)


class Standing(StrEnum):
    """How a link stands."""

    HELD = "holds"
    OPEN = "open"
    BROKEN = "broken"


class LinkName(StrEnum):
    """What a link ties."""

    SERVER = "server"
    AUTHOR = "author"
    SIGNATURE = "signature"
    LOG = "log"
    RECEIPT = "receipt"
    CONTENT = "content"


class ChainLink(Struct, frozen=True):
    """One link.

    Args:
        mark: the words or digits that a person compares; empty where there are none.
        lines: sentences, harmless.
    """

    name: LinkName
    standing: Standing
    lines: tuple[str, ...]
    mark: str = ""


class ServerPin(Struct, frozen=True):
    """The server as this computer has pinned it.

    Args:
        followed: how many keys it had before, each of which said that the next one follows it.
    """

    name: str
    words: str
    pinned_at: int
    followed: int = 0


class ReadHere(Struct, frozen=True):
    """What this computer found when it read a version to its end."""

    state: SignatureState
    at: float


class ChainFacts(Struct, frozen=True):
    """What is known of one version.

    Args:
        known: of its signature, over the digest that the log proves.
        pin: its author, as pinned here.
        standing: of the server's log.
        receipt: that is kept here, checked anew.
        receipt_fault: why what is kept here is none; empty where it is one, or nothing is kept.
        read: None where this run has not read it; an earlier one may have (``known``).
        is_newest: it was asked for as the newest version.
        key_error, age_error: what is wrong with the key, and with it as the newest version, whatever else is wrong.
    """

    file: File
    known: Known
    server: ServerPin
    pin: Pin | None
    standing: LogStanding | None = None
    receipt: Receipt | None = None
    receipt_fault: str = ""
    read: ReadHere | None = None
    is_newest: bool = True
    key_error: SftError | None = None
    age_error: OlderVersionError | None = None


class Chain(Struct, frozen=True):
    """All links, in order, and how it is shown by a tool that nobody here wrote.

    Args:
        command: of stock minisign, over the file with its signature beside it; empty where a link is broken.
    """

    links: tuple[ChainLink, ...]
    command: str

    @property
    def standing(self) -> Standing:
        """How the whole stands: a receipt that somebody else keeps leaves nothing open."""
        found = {link.standing for link in self.links if link.name is not LinkName.RECEIPT}
        broken = any(link.standing is Standing.BROKEN for link in self.links)
        return Standing.BROKEN if broken else Standing.OPEN if Standing.OPEN in found else Standing.HELD


def chain_of(facts: ChainFacts, *, now: float) -> Chain:
    """Return why a version can be believed, and up to where."""
    error = facts.known.error
    broken = None if error is None else _place_of(error)
    links = (
        _server(facts, now),
        _author(facts, error if broken is LinkName.AUTHOR else facts.key_error, now),
        _signature(facts, broken, error, now),
        _log(facts, error if broken is LinkName.LOG else facts.age_error, now),
        _receipt(facts, now),
        _content(facts, broken, now),
    )
    is_broken = any(link.standing is Standing.BROKEN for link in links)
    return Chain(links, "" if is_broken else _command(facts))  # what no get would keep has no file to check


def _place_of(error: SftError) -> LinkName:
    """Return the link that an error breaks."""
    if isinstance(error, _OF_KEY):
        return LinkName.AUTHOR
    return LinkName.LOG if isinstance(error, OlderVersionError) else LinkName.SIGNATURE


def _server(facts: ChainFacts, now: float) -> ChainLink:
    server = facts.server
    lines = [f"{shown_name(server.name)}: its key, pinned here {day_text(server.pinned_at, now)}, opened this line."]
    if server.followed:
        lines.append(f"It follows {counted(server.followed, 'earlier key')}: each said so itself.")
    return ChainLink(LinkName.SERVER, Standing.HELD, tuple(lines), server.words)


def _author(facts: ChainFacts, error: SftError | None, now: float) -> ChainLink:
    version, pin, verdict = facts.file.version, facts.pin, facts.known.verdict
    mark = words_of_key(version.public_key) or "no valid key"
    if error is not None:
        return ChainLink(LinkName.AUTHOR, Standing.BROKEN, (sentence(error, now=now),), mark)
    seen = None if pin is None or pin.name != version.author else pin.keys.get(version.public_key)
    if seen is None:
        return ChainLink(
            LinkName.AUTHOR, Standing.OPEN, (f"No key of {shown_name(version.author)} is pinned here.",), mark
        )
    lines = [f"{pinned_key(version.author)[:-1]}; {known_since(day_text(seen, now))}."]
    if pin is not None and pin.is_own:
        lines.append("It is yours.")
    if verdict is not None:
        proved = verdict.proved
        keys = () if proved is None else proved.signer.keys
        before = next((n for n, key in enumerate(keys) if key.public_key == version.public_key), 0)
        if before:
            lines.append(f"It came after {counted(before, 'other key')} of {shown_name(version.author)}.")
        lines += verdict.said_of_key()
    return ChainLink(LinkName.AUTHOR, Standing.HELD, tuple(lines), mark)


def _signature(facts: ChainFacts, broken: LinkName | None, error: SftError | None, now: float) -> ChainLink:
    file, version, verdict = facts.file, facts.file.version, facts.known.verdict
    mark = digest_text(version.digest)
    said = signed_as(version.signed_name, version.number, facts.server.name)
    if broken is LinkName.SIGNATURE and error is not None:
        lines = [sentence(error, now=now)]
        if error.detail and not isinstance(error, MoveUnsignedError):
            lines.append(f"What does not fit: {error.detail}.")
        return ChainLink(LinkName.SIGNATURE, Standing.BROKEN, tuple(lines), mark)
    lines = [said]
    if version.signed_name != file.path:
        lines.append(moved_by(version.signed_name, "" if verdict is None else verdict.moved_by, file.path))
    if broken is LinkName.AUTHOR:
        return ChainLink(
            LinkName.SIGNATURE, Standing.OPEN, (*lines, "By that key: it proves no more than the key does."), mark
        )
    return ChainLink(LinkName.SIGNATURE, Standing.HELD, tuple(lines), mark)


def _log(facts: ChainFacts, error: SftError | None, now: float) -> ChainLink:
    version, standing = facts.file.version, facts.standing
    name = shown_name(facts.server.name)
    what = "is the newest one" if facts.is_newest and error is None else "stands"
    lines = [f"{stored_leaf(version.leaf)}: version {version.number} {what} in the log of {name}."]
    unasked = "" if standing is None or standing.has_quorum else "; no witness is asked for it on this computer"
    lines.append(f"The log: {standing_text(standing, now=now)}{unasked}.")
    if error is not None:
        return ChainLink(LinkName.LOG, Standing.BROKEN, (sentence(error, now=now), *lines))
    return ChainLink(LinkName.LOG, Standing.HELD, tuple(lines))


def _receipt(facts: ChainFacts, now: float) -> ChainLink:
    receipt, version = facts.receipt, facts.file.version
    if facts.receipt_fault:
        fault = f"The receipt that is kept here does not hold: {facts.receipt_fault}."
        return ChainLink(LinkName.RECEIPT, Standing.BROKEN, (fault,))
    if receipt is None:
        author = shown_name(version.author)
        return ChainLink(
            LinkName.RECEIPT, Standing.OPEN, (f"Not on this computer: {author} got it when storing this.",)
        )
    when = local_time(receipt.stored_at, now=now)
    said = acknowledged(facts.server.name, receipt.name, receipt.version, when)
    lines = (said, f"Kept on this computer; its log tells of it at {count_text(receipt.leaf)}.")
    return ChainLink(LinkName.RECEIPT, Standing.HELD, lines)


def _content(facts: ChainFacts, broken: LinkName | None, now: float) -> ChainLink:
    read, author = facts.read, facts.file.version.author
    when = "" if read is None else f" on {local_time(read.at, now=now)}"
    if read is not None and read.state is SignatureState.BAD:
        fault = f"The bytes that came{when} are not what {shown_name(author)} signed. Nothing was kept."
        return ChainLink(LinkName.CONTENT, Standing.BROKEN, (fault,))
    if broken is not None:
        return ChainLink(LinkName.CONTENT, Standing.OPEN, ("It hangs on a broken link, whatever the bytes are.",))
    if read is not None or facts.known.state is SignatureState.VERIFIED:
        return ChainLink(LinkName.CONTENT, Standing.HELD, (read_sentence(author), f"Read on this computer{when}."))
    return ChainLink(LinkName.CONTENT, Standing.OPEN, (unread_sentence(author),))


def _command(facts: ChainFacts) -> str:
    file = facts.file
    key = PublicKey.decode_or_none(file.version.public_key)
    return "" if key is None else minisign_command(split_path(file.path)[1], key)
