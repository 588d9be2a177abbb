"""Faults on a user's own computer, or on the way to the server."""

from __future__ import annotations

from sft.errors.root import SftError


class ClientError(SftError):
    """Something on this computer, or on the way to the server."""

    exit_status = 10


class UsageError(ClientError):
    """A command that contradicts itself."""

    code = "USAGE"
    exit_status = 2
    sentence = "{problem}."
    next_step = "{remedy}"


class NotJoinedError(ClientError):
    """No profile."""

    code = "NOT_JOINED"
    exit_status = 8
    sentence = "This computer has not joined a server."
    next_step = "sft join, with an invitation from an admin"


class ProfileUnknownError(ClientError):
    """--profile names none."""

    code = "PROFILE_UNKNOWN"
    exit_status = 8
    sentence = "This computer knows no server named {name}."
    next_step = "See which it knows: sft servers"


class LinkIncompleteError(ClientError):
    """A pasted link that was cut or mistyped."""

    code = "LINK_INCOMPLETE"
    exit_status = 2
    sentence = "This is not a whole invitation: its last characters do not fit."
    next_step = "Copy it again, from sft:// to the end"


class KeyLockedError(ClientError):
    """A passphrase is needed, and nobody can be asked."""

    code = "KEY_LOCKED"
    exit_status = 8
    sentence = "Your key is locked and there is no terminal to ask on."
    next_step = "Set SFT_PASSPHRASE_FILE to a file that holds the passphrase"


class UnreachableError(ClientError):
    """No connection."""

    code = "UNREACHABLE"
    exit_status = 6
    sentence = "{address} does not answer ({reason})."
    next_step = "Moved? sft servers address {profile} HOST:PORT"


class ConnectionLostError(ClientError):
    """The connection broke in the middle."""

    code = "CONNECTION_LOST"
    exit_status = 6
    sentence = "The connection broke; nothing partial is visible."
    next_step = "The same command again"


class SessionEndedError(ClientError):
    """An admin or the operator ended this session: coming back at once would undo that."""

    code = "SESSION_ENDED"
    exit_status = 6
    sentence = "{by} ended this session."
    next_step = "Ask why; then the same command again"


class LockedOutError(ClientError):
    """An admin or the operator disabled this account while it was connected."""

    code = "LOCKED_OUT"
    exit_status = 4
    sentence = "{by} locked you out of {server}. Your files stay there."
    next_step = "Ask why; an admin can let you in again"


class RemovedError(ClientError):
    """An admin or the operator removed this account while it was connected."""

    code = "REMOVED"
    exit_status = 4
    sentence = "{by} removed you from {server}. What you got stays with you."
    next_step = "Should you be back? An admin can invite you"


class ServerKeyChangedError(ClientError):
    """The server is not the one that was pinned."""

    code = "SERVER_KEY_CHANGED"
    exit_status = 7
    sentence = "{server} shows another key than the pinned one. Nothing was sent."
    next_step = (
        "Ask an admin in person for a server link (twistd sft link); then sft servers link {server}"
    )


class SignatureBadError(ClientError):
    """A file's bytes, signature or description do not fit: nothing is kept."""

    code = "SIGNATURE_BAD"
    exit_status = 7
    sentence = "The bytes of {path} are not what {author} signed. Nothing was kept."
    next_step = "Tell {author} and the operator (twistd sft vault check)"


class ReceiptBadError(ClientError):
    """The server stored something and gave no receipt for it that holds."""

    code = "RECEIPT_BAD"
    exit_status = 7
    sentence = "{server} gave no receipt for {path} that holds: it may be stored, or not."
    next_step = "Look: sft info {path}; and tell the operator"


class SignerUnknownError(ClientError):
    """A signature by a key that this computer has no word for."""

    code = "SIGNER_UNKNOWN"
    exit_status = 7
    sentence = "{path} is signed by a key that {server} never registered for {author}."
    next_step = "Ask {author} for the words of their key: sft key show"


class SignerNotPinnedError(SignerUnknownError):
    """Offline: nothing on this computer says whose key made a signature."""

    sentence = "{path} is signed by a key that is pinned nowhere on this computer."
    next_step = "sft verify {path} --key RW..., with the key that its author gave you"


class PinChangedError(ClientError):
    """A person's key is not the one that this computer saw first."""

    code = "PIN_CHANGED"
    exit_status = 7
    sentence = "{server} shows another key for {author} than the one pinned here. Nothing was kept."
    next_step = "Ask {author} for the words of their key: sft key show"


class SourceChangedError(ClientError):
    """The file was written while it was read."""

    code = "SOURCE_CHANGED"
    sentence = "{path} changed while it was read; nothing was stored."
    next_step = "Send it again when nobody writes it"


class LocalFileError(ClientError):
    """A file or folder of this computer cannot be used."""

    code = "LOCAL_FILE"
    sentence = "{path} {problem}."
    next_step = "{remedy}"


class LocalDiskFullError(ClientError):
    """No room on this computer."""

    code = "DISK_FULL"
    sentence = "There is no room on this computer for {path}."
    next_step = "Make room, then the same command again"


class LocalExistsError(ClientError):
    """A download never replaces silently."""

    code = "FILE_EXISTS"
    exit_status = 5
    sentence = "{path} is there already."
    next_step = "--force replaces it, --keep-both keeps both, --to DIR stores elsewhere"
