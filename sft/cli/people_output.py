"""People and invitations, as `sft` and `sftd` show them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from sft.cli.console import Console
from sft.cli.json_output import invitation_document, user_document
from sft.client.pins import Pin
from sft.crypto.keys import PublicKey
from sft.errors import KeyFormatError, LocalFileError, UsageError
from sft.model.links import InvitationLink
from sft.model.names import safe
from sft.model.quotas import Quota, Usage
from sft.model.records import DeviceKey, Invitation, KeyEnd, User, UserState
from sft.model.text import count_text, local_time, over_quota_text, role_noun, shown_name, size_text, utc_time

_KEY_FILE_BYTES = 4096
_MOST_FIRST_SEEN: Final = 3  # said one by one


def show_users(console: Console, users: Sequence[User]) -> None:
    if console.json:
        console.document([user_document(user) for user in users])
        return
    console.table(
        [_shown(console, user) for user in users],
        head=("", "name", "role", "state", "files", "size", "quota", "key"),
        right=(4, 5, 6),
        fields=[_fields(user) for user in users],
    )


def show_role(console: Console, user: User, before: str) -> None:
    tail = "already" if before == user.role.value else f"now (was {safe(before)})"
    document = {**user_document(user), "before": before}
    console.show(document, f"{shown_name(user.name)} is {role_noun(user.role)} {tail}.")


def show_invitations(console: Console, invitations: Sequence[Invitation], now: float) -> None:
    if console.json:
        console.document([invitation_document(one) for one in invitations])
        return
    console.table(
        [
            (
                str(one.id),
                safe(one.name or "anybody"),
                "new key" if one.resets else one.role.value,
                one.state.value if one.used_by is None else f"used by {safe(one.used_by)}",
                local_time(one.expires_at, now=now, weekday=True),
                safe(one.maker),
            )
            for one in invitations
        ],
        head=("id", "for", "role", "state", "until", "by"),
        right=(0,),
        fields=[
            (
                str(one.id),
                safe(one.name or ""),
                "new key" if one.resets else one.role.value,
                one.state.value,
                safe(one.used_by or ""),
                utc_time(one.expires_at),
                safe(one.maker),
            )
            for one in invitations
        ],
    )


def show_new_invitation(
    console: Console, link: InvitationLink, made: Invitation, now: float, *, written_to: str | None = None
) -> None:
    """Show an invitation that was made: its link alone on standard output, or in a file; what goes with it elsewhere."""
    _show_link(console, link, made, written_to)
    until = local_time(made.expires_at, now=now, weekday=True)
    for_whom = "For whoever has it" if made.name is None else f"For {shown_name(made.name)}"
    alone = "one person" if made.name is None else shown_name(made.name)
    thing = "line" if written_to is None else "file"
    console.note(
        f"{for_whom}, {made.role}, once, until {until}. "
        f"Whoever has this {thing} can join with it: send it to {alone} alone."
    )


def show_reset_link(console: Console, link: InvitationLink, made: Invitation, now: float) -> None:
    """Show the link by which somebody comes back: alone on standard output; what goes with it elsewhere."""
    _show_link(console, link, made, None)
    name, until = shown_name(made.name or ""), local_time(made.expires_at, now=now, weekday=True)
    console.note(
        f"Every key of {name} has ended. For {name}: sft join, once, until {until}. Whoever has this line comes back as "
        f"{name}: give it to {name} alone, and by a way that a thief has not."
    )


def _show_link(console: Console, link: InvitationLink, made: Invitation, written_to: str | None) -> None:
    if console.json:
        shown = None if written_to else link.text()
        console.document({**invitation_document(made), "link": shown, "file": written_to})
    elif written_to is None:
        # Alone, and also with --quiet: without it there would be no result at all.
        console.write(link.text() + "\n")


def show_disabled(console: Console, user: User, *, back: str) -> None:
    """Show that somebody was locked out.

    Args:
        back: the command that lets them in again.
    """
    said = f"{shown_name(user.name)} is disabled: signed out now; files and account stay. Back: {back}"
    console.show(user_document(user), said)


def show_enabled(console: Console, user: User) -> None:
    console.show(user_document(user), f"{shown_name(user.name)} can sign in again, as {user.role}.")


def show_removed(console: Console, user: User, before: User, heir: str) -> None:
    """Show that somebody was removed, and whose the files are.

    Args:
        before: as they were.
        heir: "" for the first admin.
    """
    document = {**user_document(user), "files": before.files, "files_to": heir or None}
    console.show(document, f"{shown_name(user.name)} is removed. {files_of(before, heir, 'belong')}")


def files_of(user: User, heir: str, verb: str) -> str:
    """Say what becomes of somebody's files; ``verb`` is "belong", or "will belong"."""
    if not user.files:
        return "No files are theirs."
    to = shown_name(heir) if heir else "the first admin"
    files = "The one file stays" if user.files == 1 else f"The {count_text(user.files)} files stay"
    verb = "belongs" if user.files == 1 and verb == "belong" else verb
    return f"{files}, signed by {shown_name(user.name)}, and {verb} to {to}."


def over_quota(console: Console, heir: User, *, command: str) -> None:
    """Say of who got the files of a removed user that they own more than they may, if so: nothing refuses a removal for that.

    Args:
        command: by which they may own more.
    """
    name, limits = shown_name(heir.name), (heir.quota_files, heir.quota_bytes)
    if said := over_quota_text(name, heir.files, heir.bytes_stored, *limits):
        console.note(f"{said}: {command}")


def removed_before(user: User) -> str:
    """Say of a tombstone that there is nothing to remove: whose the files are was decided then."""
    return (
        f"{shown_name(user.name)} was removed before; nothing was changed, and the files stay with whom they went to."
    )


def reason_of(since: str | None, start: int = 0, *, shown_by: str = "sft info FILE") -> tuple[KeyEnd, int]:
    """Read why a key ends, and of a stolen one since when, as ``--stolen-since`` says it.

    Args:
        start: of the key.
        shown_by: the command that shows numbers of the log.
    """
    if since is None:
        return KeyEnd.RETIRED, 0
    if since == "start":
        return KeyEnd.COMPROMISED, start
    if not since.isascii() or not since.replace(",", "").isdigit():
        raise UsageError(problem=f"{safe(since)} is no number of the log", remedy=f"{shown_by} shows it; or: start")
    return KeyEnd.COMPROMISED, int(since.replace(",", ""))


def key_since(key: DeviceKey, user: User, *, now: float) -> str:
    """Say since when a key is somebody's, by whose word, and what became of it."""
    word = by_whose_word(key, user)
    since = f"since {local_time(key.added_at, now=now)}{f', {word}' if word else ''}"
    if key.ended_at is None:
        return since
    ended = f"; ended {local_time(key.ended_at, now=now)}"
    if key.cut_off_leaf is None:
        return since + ended
    return f"{since}{ended}: stolen, nothing from {key.cut_off_leaf:,} of the log on counts"


def by_whose_word(key: DeviceKey, user: User) -> str:
    """Return by whose word a key is somebody's; "" for the one that they joined with."""
    if key.endorsement:
        return "vouched for by another"
    return "" if key is user.keys[0] else "given by an admin or the operator"


def read_public_key(text: str, otherwise: str) -> PublicKey:
    """Read a public key that was typed, or the file that holds one.

    Args:
        otherwise: what to do if the file cannot be read.

    Raises:
        KeyFormatError: it is none.
        LocalFileError: the file cannot be read.
    """
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
        raise LocalFileError(str(error), path=text, problem="cannot be read", remedy=otherwise) from error


def _shown(console: Console, user: User) -> tuple[str, ...]:
    active = user.state is UserState.ACTIVE
    return (
        console.mark("●" if active else "⊘"),
        safe(user.name),
        user.role.value,
        "" if active else user.state.value,
        count_text(user.files),
        size_text(user.bytes_stored) if user.bytes_stored else "0",
        quota_percent(user),
        _words(user),
    )


def _fields(user: User) -> tuple[str, ...]:
    limits = ("" if limit is None else str(limit) for limit in (user.quota_files, user.quota_bytes))
    counts = str(user.files), str(user.bytes_stored), *limits
    return safe(user.name), user.role.value, user.state.value, *counts, _words(user)


def quota_percent(user: User) -> str:
    """Say how much of their quota somebody owns, of bytes or files what is nearer to it; "" where there is none."""
    quota = Quota(user.quota_files, user.quota_bytes)
    return "" if not quota.limits else f"{quota.percent(Usage(user.files, user.bytes_stored)):,} %"


def _words(user: User) -> str:
    live = [key for key in user.keys if key.ended_at is None] or list(user.keys)
    return ", ".join(words_of(PublicKey.decode_or_none(key.public_key)) for key in live)


def first_seen_lines(pins: Sequence[Pin]) -> list[str]:
    """Say whose keys this computer has just seen for the first time, and what makes sure that they are theirs."""
    if len(pins) > _MOST_FIRST_SEEN:
        many = f"First seen now: the keys of {count_text(len(pins))} people. sft users shows their words"
        return [f"{many}; compare those that matter by phone or in person."]
    return [
        f"First seen now: {shown_name(pin.name)}'s key, {words_of(PublicKey.decode_or_none(key))}. "
        "Compare its words by phone or in person."
        for pin in pins
        for key in pin.keys
    ]


def words_of(key: PublicKey | None) -> str:
    return "no valid key" if key is None else key.words()
