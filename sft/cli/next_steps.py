"""What can be done next about each error, as the command line says it: by the error's code, one thing to type or do.

Rules. A template may name the values of its error, which are quoted for a shell: no text of a peer is a command. What any
command may say (``STEPS``) has whole commands alone; an option by itself is said by the commands that have it (``OF_COMMAND``).
``sftd`` says what differs in a table of its own (``sft.operator.next_steps``). Tests demand a step for every code, and have
each step that a command says parsed as it would be if it was typed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import tzinfo
from types import MappingProxyType
from typing import Final

from msgspec import Struct

from sft.errors import SftError
from sft.model.access import Role
from sft.model.names import join_path, split_path
from sft.model.text import filled, shell_name

_AGAIN: Final = "The same command again"
_UPGRADE: Final = "pipx upgrade sft"
_NAMELESS: Final = "Write a name there, such as FOLDER/NAME"
_ADMINS_ALONE: Final = "Ask an admin: {admins}"
_MORE_QUOTA: Final = "See it: sft quota. An admin can give more (sft quota set NAME --bytes SIZE): {admins}"
_CHECK_VAULT: Final = "Tell the operator (sftd vault check)"

STEPS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "ACCOUNT_CHANGED": "Ask an admin in person who you are there",
        "BAD_REQUEST": _UPGRADE,
        "CHANGED_HERE": "What of it is to stay, under another name; then the same command again",
        "CUT_OFF": "Take a number from sft info FILE: that of the first file that you did not store",
        "CHANGED_SINCE": "sft get --keep-both {path}, then decide",
        "CLOCK_DOUBTED": "Tell the operator (sftd status)",
        "CONFIGURATION": "{remedy}",
        "TRASH_CHANGED": "List again: sft ls --trash",
        "CONNECTION_LOST": _AGAIN,
        "CONTENT_DAMAGED": _CHECK_VAULT,
        "CRYPTO_UNAVAILABLE": "pip install --upgrade cryptography",
        "DISK_FULL": "Make room, then the same command again",
        "EXISTS": "Choose another name, or first sft mv {path} NAME",
        "FAULT": "Report it with what you did",
        "FILE_EXISTS": "Name another file, or move it away",
        "BACKUP": "{remedy}",
        "HOME": "{remedy}",
        "INTERNAL": "Tell the operator the reference",
        "INTERRUPTED": _AGAIN,
        "INVITE_EXPIRED": "Ask {maker} for a new one",
        "INVITE_UNKNOWN": "Ask the admin who sent it",
        "INVITE_USED": "You? sft servers. Not you? Tell the admin who sent it now",
        "INVITE_WITHDRAWN": "Ask an admin for a new one",
        "KEY_ENDED": "Not your doing? An admin can give you a new key: sft reset-key NAME KEY",
        "KEY_FORMAT": "Give the file that minisign -G or sft key export wrote",
        "AGENT": "Without one: SFT_PASSPHRASE_FILE, or the passphrase at each command",
        "KEY_LOCKED": "sft unlock first, on a terminal; or set SFT_PASSPHRASE_FILE to a file that holds the passphrase",
        "KEY_NOT_ENDORSED": "Ask {author} by phone or in person for these words; the same: sft key trust {author}",
        "KEY_REVOKED": (
            "Another device of yours? There: sft key device link, and here: sft join. None left? An admin gives you a new key"
        ),
        "KEY_TAKEN": "Take a new key: sft join makes one, where none is named",
        "KEY_UNKNOWN": (
            "On a device of yours: sft key device add {key} --device {device}; then the same here again. None left? An admin: "
            "sft reset-key NAME {key}. New there? sft join, with an invitation from an admin"
        ),
        "LAST_ADMIN": "sft role NAME admin, then again",
        "LAST_KEY": "Have another follow it: sft key rotate",
        "LINK_INCOMPLETE": "Copy it again, from sft:// to the end",
        "LISTEN": "{remedy}",
        "LOCAL_FILE": "{remedy}",
        "LOCKED_OUT": "Ask why; an admin can let you in again",
        "LOGIN_REFUSED": "Removed or disabled? An admin knows: ask one",
        "LOG_DAMAGED": "Tell the operator",
        "LOG_FORKED": (
            "Stop using it; show the operator and another user the evidence. Settled? sft servers trust {profile}"
        ),
        "LOG_PROOF": "Stop using it; show the operator the evidence. Settled? sft servers trust {profile}",
        "LOG_RESTARTED": "Ask the operator why. A backup was put back? sft servers trust {profile}",
        "LOG_ROLLED_BACK": "Tell the operator",
        "LOG_STALE": "Tell the operator; the same command again",
        "LOG_WENT_BACK": "Stop using it; show the operator the evidence. Settled? sft servers trust {profile}",
        "MASTER_KEY": "Tell the operator",
        "MASTER_KEY_OPEN": "Tell the operator",
        "MASTER_KEY_GONE": "Tell the operator, before the server stops (sftd status)",
        "MASTER_KEY_ELSEWHERE": "On the server itself: sftd vault rotate-key says how",
        "MOVE_UNSIGNED": "Ask {author} whether it belongs there, and tell an admin",
        "NAME_CLASH": "Choose another name, or first sft mv {there} NAME",
        "NAME_IN_USE": "Choose another name, or first sft mv {path} NAME",
        "NAME_NOT_ALLOWED": "Choose another name, for example {safer}",
        "NAME_RESERVED": "sft join --user {name}",
        "NAME_TAKEN": "Choose another name; no invitation was spent",
        "NO_SERVER": "Start one: sftd --home {home} serve",
        "NO_KEY_LEFT": "An admin ends them all and gives you a new one: sft reset-key NAME KEY --stolen-since NUMBER",
        "NOT_AS_LISTED": "The same command again; if it says so again, tell the operator",
        "NEWEST_VERSION": "With the file: sft rm {path}. An older content back: sft restore {path} --version N",
        "NOT_EMPTY": "With all in it: sft rm -r {path}",
        "NOT_FOUND": "See what there is: {see}",
        "NO_VERSION": "See them: sft info {path}",
        "NOT_JOINED": "sft join, with an invitation from an admin",
        "NOT_SHOWN": "Is it of this file, and of this version? Then ask whoever gave it to you for another",
        "NOT_YOURS": "Ask {owner}, or an admin ({admins})",
        "OLDER_VERSION": "Ask the operator: was a backup put back? Only then move {remembered} aside",
        "OPERATOR_ONLY": "Ask the operator (sftd)",
        "OWN_KEY_UNKNOWN": (
            "Another device of yours? sft key trust {name}. Else tell an admin now: whoever has it signs as you"
        ),
        "PASSPHRASE_FIXED": "Start a server with another passphrase in a new home, and put the files there",
        "PASSPHRASE_WRONG": "Again; without it, an admin gives you a new key (sft reset-key NAME KEY), and no file is lost",
        "PIN_CHANGED": "Ask {author} for the words of their key: sft key show",
        "PROFILE_UNKNOWN": "See which it knows: sft servers",
        "PROOF_INVALID": "Ask for it again, from whoever gave it",
        "POLICY": "Mend that line: the syntax is that of C2SP tlog-policy",
        "PROTOCOL": "Check the address: sft servers",
        "QUOTA_BYTES": _MORE_QUOTA,
        "QUOTA_FILES": _MORE_QUOTA,
        "RECEIPT_BAD": "Look: sft info {path}; and tell the operator",
        "RECEIVER_QUOTA": "To somebody else; or an admin gives {owner} more (sft quota set {owner} --bytes SIZE): {admins}",
        "RECORD_FORGED": _CHECK_VAULT,
        "REGISTRATION_CLOSED": "Ask an admin: sft invite",
        "REMOVED": "Should you be back? An admin can invite you under another name",
        "RESUME_REFUSED": "Send or get it from its beginning",
        "RIGHTS_CHANGED": "See who you are there now: sft whoami",
        "ROLE_FORBIDS": "An admin can: sft role {name} {needed}. Admins here: {admins}",
        "SAME_TARGET": "One of them under another name: sft put {second} --as NAME",
        "SCHEMA": "sftd --home {home} upgrade",
        "SCHEMA_LATER": "Install the sft that it was used with last, or a later one",
        "BACKUP_RUNS": "The same again, when it has ended",
        "DATABASE_BUSY": "The same again, in a minute",
        "HANDING_OVER": "The same again, in a minute",
        "SERVER_FULL": "Tell the operator",
        "SERVER_KEY_CHANGED": "Ask an admin in person for a server link (sftd link); then sft servers link {server}",
        "SERVER_KEY_FIXED": "After another leak start a server in a new home, and put the files there",
        "SESSION_ENDED": "Ask why; then the same command again",
        "SIGNATURE_BAD": "Tell {author} and the operator (sftd vault check)",
        "SIGNATURE_INVALID": "Ask for the file again, from its author",
        "SIGNATURE_MISSING": "sft get NAME --with-signature writes it beside the file",
        "SIGNATURE_REFUSED": _AGAIN,
        "SIGNER_KEY_ENDED": "Ask {author} to store it again, and tell the operator",
        "SIGNER_KEY_STOLEN": "Ask {author} for it, by another way",
        "SIGNER_NOT_PINNED": "sft verify {path} --key RW..., with the key that its author gave you",
        "SIGNER_UNKNOWN": "Ask {author} for the words of their key: sft key show",
        "SOURCE_CHANGED": "Send it again when nobody writes it",
        "SOURCE_NAMELESS": "Give it one: sft put - --as PATH",
        "STORE": "Read the server's log",
        "TARGET_AMBIGUOUS": "Several files: sft put FILES --to FOLDER",
        "TAMPERED": "The same command again; if it says so again, another network, and tell the operator",
        "NOT_SMALL": "Get it by itself",
        "TOO_LARGE": "Send less at once",
        "TOO_MANY_DELETIONS": "Look whether the source is whole",
        "LISTING_TOO_LONG": "Ask for a folder below it",
        "TOO_MANY_KEYS": "An admin can still give you one (sft reset-key NAME); after 64 only another name has room",
        "TOO_MANY_SESSIONS": "Close one of them; one that broke is over within two minutes",
        "SERVER_BUSY": "Try again later",
        "UNKNOWN_REFUSAL": _UPGRADE,
        "UNREACHABLE": "Moved? sft servers address {profile} HOST:PORT",
        "UPLOAD_GONE": "Send it from its beginning",
        "USAGE": "{remedy}",
        "USER_NAME_NOT_ALLOWED": "Letters, digits, dot, underscore and hyphen will do: {safer}",
        "VAULT": "sftd vault check",
        "VERIFICATION": "Tell the operator",
        "VERSION_DESTROYED": "See which are there: sft info {path}",
        "VERSION_UNKNOWN": _UPGRADE,
    }
)

_RENAME: Final = "Rename one of them: mv here, or there sft mv"

_OF_ANSWERS: Final = {
    "LOGIN_REFUSED": "An admin lets somebody in again who is disabled: sft enable NAME",
    "KEY_REVOKED": "An admin gives them a new key: sft reset-key NAME",
}

OF_COMMAND: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        "put": {
            "EXISTS": "--replace (version {version} stays), --as NAME, or first sft mv {path} NAME",
            "NAME_CLASH": "--as NAME stores it under another name; or first sft mv {there} NAME",
            "NAME_IN_USE": "--as NAME stores it under another name; or first sft mv {path} NAME",
            "NAME_NOT_ALLOWED": "Rename it, or --safe-names stores {safer}",
        },
        "get": {"FILE_EXISTS": "--force replaces it, --keep-both keeps both, --to DIR stores elsewhere"},
        "proof": {"FILE_EXISTS": "--to DIR writes elsewhere; or move it away"},
        "join": {
            "UNREACHABLE": (
                "Nothing was spent: the same command again works. Is that the address? Whoever invited you knows; "
                "and the server's firewall has to let you in"
            )
        },
        "restore": {
            "EXISTS": "First sft mv {path} NAME, then the same command again",
            "NAME_IN_USE": "First sft mv {path} NAME, then the same command again",
        },
        "mv": {"NAME_IN_USE": "Choose another name. Into a folder: sft mv FROM {path}/"},
        "verify": {
            "SIGNATURE_BAD": "Get it again: sft get NAME --force",
            "SIGNATURE_MISSING": "sft get NAME --with-signature, or name it: --signature FILE",
        },
        "why": _OF_ANSWERS,
        "who-can": _OF_ANSWERS,
        "reset-key": {"KEY_TAKEN": "Have them make a new one, by sft join, and tell you"},
        "sync": {
            "EXISTS": "The same command again: it sees what came meanwhile",
            "FILE_EXISTS": "Move it away, or delete it by --delete, and the same command again",
            "NAME_CLASH": f"{_RENAME} {{there}} NAME; or delete what is there by --delete",
            "NAME_IN_USE": f"{_RENAME} {{path}} NAME; or delete what is there by --delete",
            "TOO_MANY_DELETIONS": "Look: the same command with --dry-run. It is meant: --max-delete {wanted}",
        },
        "watch": {
            "EXISTS": "sft put FILE --as {path} --replace",
            "NAME_CLASH": f"{_RENAME} {{there}} NAME",
            "NAME_IN_USE": f"{_RENAME} {{path}} NAME",
        },
        "resume": {
            "CHANGED_HERE": "Move it away, then the same command again",
            "EXISTS": "sft put FILE --as {path} --replace",
            "FILE_EXISTS": "Move it away, then the same command again; or: sft get NAME --as {path} --force",
            "NAME_CLASH": "sft mv {there} NAME, then the same command again",
            "NAME_IN_USE": "sft mv {path} NAME, then the same command again",
        },
    }
)


def _where_to_look(what: str, name: str) -> str:
    match what:
        case "user" | "active user":
            return "sft users"
        case "key":
            return "sft key device list"
        case "invitation":
            return "sft invite list"
        case "deleted file":
            return "sft ls --trash"
        case "file like":
            return "sft ls '**'"
    folder = split_path(name)[0]
    return f"sft ls {shell_name(folder)}" if folder else "sft ls"


def _path_of(existing: str, *, beside: str) -> str:
    """Return the path of what is there: a server says its name alone."""
    return existing if "/" in existing else join_path(split_path(beside)[0], existing)


class NextSteps(Struct, frozen=True):
    """The next steps that one program says.

    Args:
        by_code: a template for every code.
        where_to_look: the command that lists what was not found, by what it is and its name; ``{see}`` in a template.
        profile: what ``--profile`` named, for the key that is to be unlocked is that one's; "" where it named none.
    """

    by_code: Mapping[str, str]
    where_to_look: Callable[[str, str], str]
    profile: str = ""

    def of(self, error: SftError, *, now: float, zone: tzinfo | None = None) -> str:
        """Return the one thing that can be typed or done about an error; "" for nothing."""
        values = dict(error.values)
        template = self.by_code[error.code]
        if error.code == "ROLE_FORBIDS" and values["needed"] == Role.ADMIN.value:
            template = _ADMINS_ALONE  # nobody is made an admin for one act
        if error.code == "NAME_NOT_ALLOWED" and not values["name"]:
            template = _NAMELESS
        if error.code == "NOT_FOUND":
            values["see"] = self.where_to_look(str(values["what"]), str(values["name"]))
        if error.code == "KEY_LOCKED" and self.profile:
            template = template.replace("sft unlock", "sft unlock --profile {profile}")
            values["profile"] = self.profile
        if error.code == "NAME_CLASH":
            values["there"] = _path_of(str(values["existing"]), beside=str(values["name"]))
        return filled(template, values, now=now, zone=zone, for_shell=True)


NEXT_STEPS: Final = NextSteps(STEPS, _where_to_look)


def steps_of_command(command: str) -> NextSteps:
    """Return what a command says, by its words, such as ``key device add``; what its first word has goes for all below."""
    own = OF_COMMAND.get(command) or OF_COMMAND.get(command.partition(" ")[0]) or {}
    return NextSteps({**STEPS, **own}, _where_to_look) if own else NEXT_STEPS
