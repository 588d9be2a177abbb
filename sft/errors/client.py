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
    step_values = ("remedy",)


class TargetAmbiguousError(ClientError):
    """A path on the server for several sources, or beside a folder for them."""

    code = "TARGET_AMBIGUOUS"
    exit_status = 2
    sentence = "{path} names one file on the server: it takes one source, and no folder beside it."


class SameTargetError(ClientError):
    """Two sources of one put would be one file on the server."""

    code = "SAME_TARGET"
    exit_status = 2
    sentence = "{path} would be two files: {first} and {second}."


class SourceNamelessError(ClientError):
    """Standard input is to be stored under its own name, and has none."""

    code = "SOURCE_NAMELESS"
    exit_status = 2
    sentence = "Standard input has no name."


class NotJoinedError(ClientError):
    """No profile."""

    code = "NOT_JOINED"
    exit_status = 8
    sentence = "This computer has not joined a server."


class ProfileUnknownError(ClientError):
    """--profile names none."""

    code = "PROFILE_UNKNOWN"
    exit_status = 8
    sentence = "This computer knows no server named {name}."


class LinkIncompleteError(ClientError):
    """A pasted link that was cut or mistyped."""

    code = "LINK_INCOMPLETE"
    exit_status = 2
    sentence = "This is not a whole invitation: its last characters do not fit."


class KeyLockedError(ClientError):
    """A passphrase is needed, and nobody can be asked."""

    code = "KEY_LOCKED"
    exit_status = 8
    sentence = "Your key is locked and there is no terminal to ask on."


class AgentError(ClientError):
    """An agent that was to hold an unlocked key does not start; ``problem`` says why."""

    code = "AGENT"
    exit_status = 8
    sentence = "No agent holds your key: {problem}."


class UnreachableError(ClientError):
    """No connection."""

    code = "UNREACHABLE"
    exit_status = 6
    sentence = "{address} does not answer ({reason})."
    step_values = ("profile",)


class ConnectionLostError(ClientError):
    """The connection broke in the middle."""

    code = "CONNECTION_LOST"
    exit_status = 6
    sentence = "The connection broke; nothing partial is visible."


class PipeLostError(ConnectionLostError):
    """The connection broke when some of standard input was read: nobody has that any more, so it is not gone on with."""

    sentence = (
        "The connection broke, and what was read of standard input cannot be read again: start what writes it anew. "
        "Nothing partial is visible."
    )


class TamperedError(ConnectionLostError):
    """What arrived is not what the server sealed: no pulled cable does that."""

    code = "TAMPERED"
    sentence = "What arrived was not what the server sent, and the connection was ended; nothing partial is visible."


class SessionEndedError(ClientError):
    """An admin or the operator ended this session: coming back at once would undo that."""

    code = "SESSION_ENDED"
    exit_status = 6
    sentence = "{by} ended this session."


class LockedOutError(ClientError):
    """An admin or the operator disabled this account while it was connected."""

    code = "LOCKED_OUT"
    exit_status = 4
    sentence = "{by} locked you out of {server}. Your files stay there."


class KeyUnknownError(ClientError):
    """A key that was made with a server's link waits for somebody there who lets it in.

    Attributes:
        key: in minisign's form, as whoever lets it in types it.
    """

    code = "KEY_UNKNOWN"
    exit_status = 4
    sentence = "{server} does not know the key of this computer yet: {words}."
    step_values = ("key", "device")


class KeyEndedError(ClientError):
    """The key of this device was rotated, revoked or reset while it was connected."""

    code = "KEY_ENDED"
    exit_status = 4
    sentence = "{by} ended the key that this device has on {server}."


class RemovedError(ClientError):
    """An admin or the operator removed this account while it was connected."""

    code = "REMOVED"
    exit_status = 4
    sentence = "{by} removed you from {server}. What you got stays with you."


class ServerKeyChangedError(ClientError):
    """The server is not the one that was pinned."""

    code = "SERVER_KEY_CHANGED"
    exit_status = 7
    sentence = "{server} shows another key than the pinned one. Nothing was sent."


class AccountChangedError(ClientError):
    """The server takes us for another person than the one who joined."""

    code = "ACCOUNT_CHANGED"
    exit_status = 7
    sentence = "{server} takes you for somebody else than {name}, who joined it from this computer. Nothing was sent."


class SignatureBadError(ClientError):
    """A file's bytes, signature or description do not fit: nothing is kept."""

    code = "SIGNATURE_BAD"
    exit_status = 7
    sentence = "The bytes of {path} are not what {author} signed. Nothing was kept."


class LocalSignatureBadError(SignatureBadError):
    """A file of this computer is not what its signature is over."""

    sentence = "{path} is not what {author} signed."


class ReceiptBadError(ClientError):
    """The server stored something and gave no receipt for it that holds."""

    code = "RECEIPT_BAD"
    exit_status = 7
    sentence = "{server} gave no receipt for {path} that holds: it may be stored, or not."


class NotAsListedError(ClientError):
    """Another file or version arrives than the one that was listed."""

    code = "NOT_AS_LISTED"
    exit_status = 7
    sentence = "{server} sent another file or version than it listed as {path}. Nothing was kept."


class OlderVersionError(ClientError):
    """A version is shown as the newest, and this computer has seen a newer one."""

    code = "OLDER_VERSION"
    exit_status = 7
    sentence = "{server} shows version {version} of {path} as the newest. This computer has seen version {seen}."
    step_values = ("remembered",)


class SignerUnknownError(ClientError):
    """A signature by a key that this computer has no word for."""

    code = "SIGNER_UNKNOWN"
    exit_status = 7
    sentence = "{path} is signed by a key that {server} never registered for {author}."


class SignerNotPinnedError(SignerUnknownError):
    """Offline: nothing on this computer says whose key made a signature."""

    code = "SIGNER_NOT_PINNED"
    sentence = "{path} is signed by a key that is pinned nowhere on this computer."


class PinChangedError(ClientError):
    """A person's key is not the one that this computer saw first."""

    code = "PIN_CHANGED"
    exit_status = 7
    sentence = "{server} shows another key for {author} than the one pinned here. Nothing was kept."


class KeyNotEndorsedError(PinChangedError):
    """A person has a new key, and none that this computer knows of them says so: whoever runs the server can add one."""

    code = "KEY_NOT_ENDORSED"
    sentence = (
        "{author} has a new key on {server} since {added_at}: {shown}. Pinned here is {pinned}, and no key known here says "
        "that the new one is theirs. Nothing was kept."
    )


class OwnKeyUnknownError(PinChangedError):
    """Our own place in the registry has a key that this computer knows nothing of."""

    code = "OWN_KEY_UNKNOWN"
    exit_status = 7
    sentence = "{server} has a key as yours that this computer does not know, since {added_at}: {shown}."
    step_values = ("name",)


class SignerKeyEndedError(SignatureBadError):
    """A version that was stored with a key which was not its author's any more, or not yet."""

    code = "SIGNER_KEY_ENDED"
    sentence = "{path} is signed with a key that was not {author}'s when it was stored. Nothing was kept."


class SignerKeyStolenError(SignatureBadError):
    """A version that was stored after its author's key was stolen."""

    code = "SIGNER_KEY_STOLEN"
    sentence = "{path} is signed with {author}'s key after it was stolen. Do not use it. Nothing was kept."


class MoveUnsignedError(SignatureBadError):
    """A file that lies elsewhere than its author signed, by moves of which one at least is nobody's statement."""

    code = "MOVE_UNSIGNED"
    sentence = "{path} is what {author} signed as {signed_name}, and nobody signed that it was moved. Nothing was kept."


class LedgerError(ClientError):
    """What a server says does not fit what it has proved: it is not used any more until a person has looked."""

    exit_status = 7
    step_values = ("profile",)


class LogWentBackError(LedgerError):
    """A log that is shorter than it was."""

    code = "LOG_WENT_BACK"
    sentence = "{server} shows a history without what this computer saw at {seen}."


class LogForkedError(LedgerError):
    """Two heads of one log, of which neither goes on the other."""

    code = "LOG_FORKED"
    sentence = "{server} shows two histories: what it shows now, and what {witness} saw at {seen}, are not one log."


class LogProofError(LedgerError):
    """A proof that is missing, or does not hold."""

    code = "LOG_PROOF"
    sentence = "{server} does not prove {what}. Nothing was kept."


class LogRestartedError(LedgerError):
    """Another log than the one that was kept: of an honest restore, perhaps."""

    code = "LOG_RESTARTED"
    sentence = (
        "{server} has begun a new log. What this computer saw of the old one, up to {seen}, may be missing there."
    )


class LogStaleError(LedgerError):
    """Something newer than the log's end is shown, and the log does not know of it."""

    code = "LOG_STALE"
    sentence = "{server} shows what was stored on {stored_at}, and a log that ended on {ended_at}."


class NotShownError(ClientError):
    """A receipt or a proof that somebody gave with a file does not show what it is said to."""

    code = "NOT_SHOWN"
    exit_status = 7
    sentence = "{evidence} does not show that {path} was stored: {problem}."


class TooManyDeletionsError(ClientError):
    """A sync would delete more than it may: more often a wrong or empty source than a wish."""

    code = "TOO_MANY_DELETIONS"
    exit_status = 5
    sentence = "{count} files and folders would be deleted, and {limit} may be. Nothing was done."
    step_values = ("wanted",)


class ListingTooLongError(ClientError):
    """A listing went on beyond what one question may bring."""

    code = "LISTING_TOO_LONG"
    exit_status = 9
    sentence = "{server} lists more than {limit} entries, which is as many as sft takes at once."


class SourceChangedError(ClientError):
    """The file was written while it was read."""

    code = "SOURCE_CHANGED"
    sentence = "{path} changed while it was read; nothing was stored."


class LocalFileError(ClientError):
    """A file or folder of this computer cannot be used."""

    code = "LOCAL_FILE"
    sentence = "{path} {problem}."
    step_values = ("remedy",)


class SignatureMissingError(ClientError):
    """No file holds the signature of a file of this computer."""

    code = "SIGNATURE_MISSING"
    sentence = "{path} does not exist: it would be the signature."


class LocalDiskFullError(ClientError):
    """No room on this computer."""

    code = "DISK_FULL"
    sentence = "There is no room on this computer for {path}."


class LocalExistsError(ClientError):
    """A download never replaces silently."""

    code = "FILE_EXISTS"
    exit_status = 5
    sentence = "{path} is here already."


class LocalChangedError(ClientError):
    """What was to be replaced or deleted here is not any more what was seen: no edit is lost."""

    code = "CHANGED_HERE"
    exit_status = 5
    sentence = "{path} changed here meanwhile, and was kept."
