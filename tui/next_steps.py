"""What can be done next about each error, as the full-screen UI says it: by the error's code; keys, where a key does it.

Rules. A template may name the values of its error; an empty one is an explicit none. A test demands a step for every code,
and none that is a command of ``sft``.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from sft.errors import SftError
from sft.model.text import filled

_DECIDE: Final = "2, then enter, decides"
_KEY_WORDS: Final = "Ask {author} for the words of their key: their Identity screen (5) shows them"
_TELL: Final = "Tell the operator"
_STOP_USING_IT: Final = "Stop using it, and show the operator the evidence"
_CHECK_VAULT: Final = "Tell the operator (sftd vault check)"
_MORE_QUOTA: Final = "What is deleted counts until it leaves the trash. An admin can give more: {admins}"
_UPGRADE: Final = "pipx upgrade sft"

STEPS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "ACCOUNT_CHANGED": "Ask an admin in person who you are there",
        "BAD_REQUEST": _UPGRADE,
        "CHANGED_HERE": "Copy what of it is to stay, then again",
        "CUT_OFF": "The details of a file (i) say its number in the log: take that of the first one that is not yours",
        "TRASH_CHANGED": "Look at the trash again (T), then decide",
        "CHANGED_SINCE": "Read the newer version, then decide",
        "CLOCK_DOUBTED": "Tell the operator (sftd status)",
        "CONFIGURATION": "{remedy}",
        "CONNECTION_LOST": "It is tried again by itself",
        "CONTENT_DAMAGED": _CHECK_VAULT,
        "CRYPTO_UNAVAILABLE": "pip install --upgrade cryptography",
        "DISK_FULL": "Make room, then R on it in Transfers (2)",
        "EXISTS": _DECIDE,
        "FAULT": "Report it with what you did",
        "FILE_EXISTS": _DECIDE,
        "BACKUP": "{remedy}",
        "HOME": "{remedy}",
        "INTERNAL": "Tell the operator the reference",
        "INTERRUPTED": "R on it in Transfers (2) begins it again",
        "INVITE_EXPIRED": "Ask {maker} for a new one",
        "INVITE_UNKNOWN": "Ask the admin who sent it",
        "INVITE_USED": "You? Then it is in Servers (6). Not you? Tell the admin who sent it now",
        "INVITE_WITHDRAWN": "Ask an admin for a new one",
        "KEY_ENDED": "Not your doing? An admin can give you a new key",
        "KEY_FORMAT": "Put back a copy of its file, or ask an admin for a new key",
        "AGENT": "Without one your passphrase is asked for at each start",
        "KEY_LOCKED": "6, then enter, asks for its passphrase",
        "KEY_NOT_ENDORSED": _KEY_WORDS,
        "KEY_REVOKED": "On another device of yours, Identity (5), n lets a new key in; none left? An admin can",
        "KEY_TAKEN": "Ask an admin for another invitation: its key is made anew",
        "KEY_UNKNOWN": (
            "Another device of yours lets it in ({device}, {key}), or an admin; then join here again. New there? "
            "Ask an admin for an invitation"
        ),
        "LAST_ADMIN": "Make somebody else an admin first",
        "LAST_KEY": "Let another key follow it first",
        "LINK_INCOMPLETE": "Copy it again, from sft:// to the end",
        "LISTEN": "{remedy}",
        "LOCAL_FILE": "{remedy}",
        "LOCKED_OUT": "Ask why; an admin can let you in again, and R connects then",
        "LOGIN_REFUSED": "Removed or disabled? An admin knows. R tries again",
        "LOG_DAMAGED": _TELL,
        "LOG_FORKED": _STOP_USING_IT,
        "LOG_PROOF": _STOP_USING_IT,
        "LOG_RESTARTED": "Ask the operator why: was a backup put back?",
        "LOG_ROLLED_BACK": _TELL,
        "LOG_STALE": _TELL,
        "LOG_WENT_BACK": _STOP_USING_IT,
        "MASTER_KEY": "Tell the operator",
        "MASTER_KEY_OPEN": "Tell the operator",
        "MASTER_KEY_GONE": "Tell the operator, before the server stops (sftd status)",
        "MASTER_KEY_ELSEWHERE": "On the server itself: sftd vault rotate-key says how",
        "MOVE_UNSIGNED": "Ask {author} whether it belongs there, and tell an admin",
        "NAME_CLASH": _DECIDE,
        "NAME_IN_USE": "Choose another name, or rename what is there (r) first",
        "NAME_NOT_ALLOWED": "2, then enter, offers a name that will do",
        "NAME_RESERVED": "Join under that name",
        "NAME_TAKEN": "Choose another name; your invitation is still good",
        "NO_SERVER": "Start one: sftd --home {home} serve",
        "NO_KEY_LEFT": "An admin ends them all and gives you a new one",
        "NOT_AS_LISTED": "R on it in Transfers (2) tries again; if it says so again, tell the operator",
        "NEWEST_VERSION": "d deletes the file; V brings an older content back",
        "NOT_EMPTY": "d deletes a folder with all in it",
        "NOT_FOUND": "Somebody may have moved or deleted it: R reads the list anew",
        "NO_VERSION": "V shows which are there",
        "NOT_JOINED": "6 takes an invitation from an admin",
        "NOT_SHOWN": "Ask whoever gave it to you for another",
        "NOT_YOURS": "Ask {owner}, or an admin ({admins})",
        "OLDER_VERSION": "Ask the operator: was a backup put back? Only then move {remembered} aside",
        "OPERATOR_ONLY": "Ask the operator (sftd)",
        "OWN_KEY_UNKNOWN": "Another device of yours? Its Identity screen (5) shows these words. Else tell an admin now",
        "PASSPHRASE_FIXED": "Start a server with another passphrase in a new home, and put the files there",
        "PASSPHRASE_WRONG": "Again; without it, an admin can give you a new key, and no file is lost",
        "PIN_CHANGED": _KEY_WORDS,
        "PROFILE_UNKNOWN": "6 shows those it knows",
        "PROOF_INVALID": "Ask for it again, from whoever gave it",
        "POLICY": "Mend that line: the syntax is that of C2SP tlog-policy",
        "PROTOCOL": "Right address? 6 shows it, and a changes it",
        "RECEIVER_QUOTA": "Choose somebody else, or have an admin give {owner} more: {admins}",
        "QUOTA_BYTES": _MORE_QUOTA,
        "QUOTA_FILES": _MORE_QUOTA,
        "RECEIPT_BAD": "Look at it in Files (1), and tell the operator",
        "RECORD_FORGED": _CHECK_VAULT,
        "REGISTRATION_CLOSED": "Ask an admin for an invitation",
        "REMOVED": "Should you be back? An admin can invite you under another name",
        "RESUME_REFUSED": "R on it in Transfers (2) begins it again",
        "RIGHTS_CHANGED": "An admin can change that again; then R on it in Transfers (2)",
        "ROLE_FORBIDS": "An admin can change your role: {admins}",
        "SAME_TARGET": "Store one of them under another name",
        "SCHEMA": _TELL,
        "SCHEMA_LATER": _TELL,
        "BACKUP_RUNS": "The same again, when it has ended",
        "DATABASE_BUSY": "The same again, in a minute",
        "HANDING_OVER": "The same again, in a minute",
        "SERVER_FULL": _TELL,
        "SERVER_KEY_CHANGED": "6, then enter, shows both keys and says what to do",
        "SERVER_KEY_FIXED": "After another leak start a server in a new home, and put the files there",
        "SESSION_ENDED": "Ask why; R connects again",
        "SIGNATURE_BAD": "Tell {author} and the operator (sftd vault check)",
        "SIGNATURE_INVALID": "Ask for the file again, from its author",
        "SIGNATURE_MISSING": "Get the file again with its signature",
        "SIGNATURE_REFUSED": "R on it in Transfers (2) sends it again",
        "SIGNER_KEY_ENDED": "Ask {author} to store it again, and tell the operator",
        "SIGNER_KEY_STOLEN": "Ask {author} for it, by another way",
        "SIGNER_NOT_PINNED": "Get it again, from its server: it is verified then",
        "SIGNER_UNKNOWN": _KEY_WORDS,
        "SOURCE_CHANGED": "R on it in Transfers (2) sends it again, when nobody writes it",
        "SOURCE_NAMELESS": "Choose a file",
        "STORE": _TELL,
        "TARGET_AMBIGUOUS": "Store several files in a folder",
        "TAMPERED": "It is tried again by itself; if it says so again, tell the operator",
        "NOT_SMALL": "Get it by itself",
        "TOO_LARGE": "Send less at once",
        "TOO_MANY_DELETIONS": "",
        "LISTING_TOO_LONG": "Ask for a folder below it",
        "TOO_MANY_KEYS": "An admin can still give you one; after 64 only another name has room",
        "TOO_MANY_SESSIONS": "Close one of them; one that broke is over within two minutes",
        "SERVER_BUSY": "Try again later",
        "UNKNOWN_REFUSAL": _UPGRADE,
        "UNREACHABLE": "Moved? 6, then a, gives it another address",
        "UPLOAD_GONE": "R on it in Transfers (2) begins it again",
        "USAGE": "{remedy}",
        "USER_NAME_NOT_ALLOWED": "Letters, digits, dot, underscore and hyphen will do: {safer}",
        "VAULT": _TELL,
        "VERIFICATION": _TELL,
        "VERSION_DESTROYED": "V shows which are there",
        "VERSION_UNKNOWN": _UPGRADE,
    }
)


def next_step(error: SftError, *, now: float) -> str:
    """Return the one thing that can be done about an error; "" for nothing."""
    return filled(STEPS[error.code], error.values, now=now)
