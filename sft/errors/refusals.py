"""What a server may answer: one class per wire code, with the words that its reader shows."""

from __future__ import annotations

from typing import Final

from sft.errors.root import SftError, Value


class RequestError(SftError):
    """A refusal that travels over the wire: code, values, reference.

    A code of a newer server is shown by its name alone.
    """

    sentence = "The server refused this."

    @staticmethod
    def from_wire(code: str, values: dict[str, Value], ref: str) -> RequestError:
        """Return the error of a code; an unknown code or a missing value makes an UnknownRefusalError."""
        kind = REQUEST_ERRORS.get(code)
        if kind is None or not kind.names_of_values() <= values.keys():
            return UnknownRefusalError(ref=ref, code=code)
        return kind(ref=ref, **values)


class UnknownRefusalError(RequestError):
    """A refusal with a code that this version does not know."""

    code = "UNKNOWN_REFUSAL"
    exit_status = 11
    sentence = "The server refused this for a reason that this sft does not know: {code}."


class InternalError(RequestError):
    """An unexpected fault inside the server; the reference finds it in the log."""

    code = "INTERNAL"
    sentence = "The server had a fault of its own. Nothing of yours was changed."


class LoginRefusedError(RequestError):
    """The server does not let this key in."""

    code = "LOGIN_REFUSED"
    exit_status = 4
    sentence = "{server} does not let this key in."


class KeyRevokedError(LoginRefusedError):
    """The key was this person's and has ended: said to who proves that they have it, and to nobody else."""

    code = "KEY_REVOKED"
    sentence = "{server} lets the key of this computer in no more: it was ended on {ended_at}."


class InviteUsedError(RequestError):
    """An invitation works once."""

    code = "INVITE_USED"
    exit_status = 5
    sentence = "This invitation was used on {used_at}."


class InviteExpiredError(RequestError):
    """An invitation ends, at the latest after 30 days."""

    code = "INVITE_EXPIRED"
    exit_status = 5
    sentence = "This invitation ended on {expired_at}."
    step_values = ("maker",)


class InviteWithdrawnError(RequestError):
    """An invitation was withdrawn, or its maker is no admin any more."""

    code = "INVITE_WITHDRAWN"
    exit_status = 5
    sentence = "This invitation was withdrawn."


class InviteUnknownError(RequestError):
    """No such invitation here."""

    code = "INVITE_UNKNOWN"
    exit_status = 5
    sentence = "{server} never made this invitation."


class RegistrationClosedError(RequestError):
    """The registration policy does not let people in this way."""

    code = "REGISTRATION_CLOSED"
    exit_status = 4
    sentence = "{server} lets nobody join this way."


class NameTakenError(RequestError):
    """User names are unique under case folding, for ever."""

    code = "NAME_TAKEN"
    exit_status = 5
    sentence = "{name} exists on {server} already."


class NameReservedError(RequestError):
    """The invitation is for another name."""

    code = "NAME_RESERVED"
    exit_status = 5
    sentence = "This invitation is for {name} alone."


class KeyTakenError(RequestError):
    """A key belongs to one user for ever; the server's own is nobody's."""

    code = "KEY_TAKEN"
    exit_status = 5
    sentence = "This key belongs to another user already."


class RoleForbidsError(RequestError):
    """The role table does not allow it."""

    code = "ROLE_FORBIDS"
    exit_status = 4
    sentence = "{role}s do not {act}."
    step_values = ("admins", "name", "needed")


class OperatorOnlyError(RequestError):
    """Only the operator, at the server's own control socket, may do this."""

    code = "OPERATOR_ONLY"
    exit_status = 4
    sentence = "Only the operator may do this, on the server itself."


class NotYoursError(RequestError):
    """Only the owner or an admin may change a file."""

    code = "NOT_YOURS"
    exit_status = 4
    sentence = "{path} belongs to {owner}: only they or an admin may {act} it."
    step_values = ("admins",)


class HandingOverError(RequestError):
    """What is asked for has something in it that was handed over, and whose row does not yet name the new owner."""

    code = "HANDING_OVER"
    exit_status = 9
    sentence = "{path}, or something in it, is still being handed over to {owner}. Nothing was changed."


class NotFoundError(RequestError):
    """No such file, folder, version, person or invitation."""

    code = "NOT_FOUND"
    exit_status = 3
    sentence = "There is no {what} {name}."


class NoVersionError(NotFoundError):
    """A file that is there, and never had a version of that number, or of which it is lost."""

    code = "NO_VERSION"
    sentence = "{path} has no version {version}; it has {versions}."


class ExistsError(RequestError):
    """A put without --replace, or an act onto a name in use; the digest tells a retry from a clash."""

    code = "EXISTS"
    exit_status = 5
    sentence = "{path} exists: version {version} by {author}, {stored_at}."


class FolderInTheWayError(RequestError):
    """A folder has the name that a file is to get, or a file the name of a folder."""

    code = "NAME_IN_USE"
    exit_status = 5
    sentence = "{path} is a {what} already."


class FolderNotEmptyError(RequestError):
    """Only an empty folder is removed."""

    code = "NOT_EMPTY"
    exit_status = 5
    sentence = "{path} is not empty."


class ChangedSinceError(RequestError):
    """Somebody stored another version meanwhile: no update is lost."""

    code = "CHANGED_SINCE"
    exit_status = 5
    sentence = "{author} stored version {version}, {stored_at}, while you worked on version {seen}."
    step_values = ("path",)


class TrashChangedError(RequestError):
    """What was seen in the trash is not what lies there: nothing else is destroyed or brought back instead."""

    code = "TRASH_CHANGED"
    exit_status = 5
    sentence = "What lies in the trash as {path} is not what was listed: {by} deleted this, {trashed_at}."


class VersionDestroyedError(RequestError):
    """Of an old version everything is known but its content: older ones than are kept, or somebody had it destroyed."""

    code = "VERSION_DESTROYED"
    exit_status = 3
    sentence = "The content of version {version} of {path} was destroyed on {destroyed_at} by {destroyed_by}."


class NewestVersionError(RequestError):
    """The newest version is what a file is: it is never destroyed by itself, and there is nothing to go back to."""

    code = "NEWEST_VERSION"
    exit_status = 5
    sentence = (
        "Version {version} is the newest of {path}: only older ones are brought back, or destroyed by themselves."
    )


class NameNotAllowedError(RequestError):
    """A name that some computer cannot store, or that could mislead."""

    code = "NAME_NOT_ALLOWED"
    exit_status = 10
    sentence = '"{name}" has {problem}.'
    step_values = ("safer",)


class UserNameNotAllowedError(RequestError):
    """A name of a person, device or server is shorter and plainer than a file's."""

    code = "USER_NAME_NOT_ALLOWED"
    exit_status = 10
    sentence = '"{name}" has {problem}.'
    step_values = ("safer",)


class NameClashError(RequestError):
    """Names must differ in more than case."""

    code = "NAME_CLASH"
    exit_status = 5
    sentence = "{name} is there as {existing}; names must differ in more than case."


class SignatureRefusedError(RequestError):
    """The server checked what was uploaded or asked for, and it does not fit its signature."""

    code = "SIGNATURE_REFUSED"
    exit_status = 7
    sentence = "What arrived is not what was signed ({problem}). Nothing was changed."


class ContentDamagedError(RequestError):
    """The vault's object does not open: changed or cut on the server's disk."""

    code = "CONTENT_DAMAGED"
    exit_status = 7
    sentence = "The stored content of {path} was changed or damaged on the server. Nothing was kept."


class RecordForgedError(RequestError):
    """A row of the server's database does not carry the server's MAC."""

    code = "RECORD_FORGED"
    exit_status = 7
    sentence = "The server's record of {what} was changed outside the server."


class DatabaseBusyError(RequestError):
    """Another program held the database for too long; nothing was written."""

    code = "DATABASE_BUSY"
    exit_status = 9
    sentence = "The server could not do this now: another program holds its database. Nothing was changed."


class BackupRunningError(RequestError):
    """Keys cannot be changed while they are copied."""

    code = "BACKUP_RUNS"
    exit_status = 9
    sentence = "A backup of the server is being taken, which needs its keys as they are. Nothing was changed."


class ServerFullError(RequestError):
    """No room; a floor is kept for the database."""

    code = "SERVER_FULL"
    exit_status = 9
    sentence = "The server has no room for {size_bytes}. Getting and deleting still work."


class QuotaBytesError(RequestError):
    """It would be more than a person may own, or all together: every version counts, and what is in the trash."""

    code = "QUOTA_BYTES"
    exit_status = 9
    sentence = "{path} does not fit the quota of {owner}: {used_bytes} of {quota_bytes} are taken."
    step_values = ("admins",)


class QuotaFilesError(RequestError):
    """It would be one file more than a person may own, or all together; those in the trash count."""

    code = "QUOTA_FILES"
    exit_status = 9
    sentence = "{path} does not fit the quota of {owner}: {used} of {quota} files are there."
    step_values = ("admins",)


class ClockDoubtedError(RequestError):
    """What is old by the server's clock may not be: it moved otherwise than time can have passed, and nobody agreed with it."""

    code = "CLOCK_DOUBTED"
    exit_status = 11
    sentence = "The server's clock says {now_at}, which nothing confirms since {sound_at}: nothing is destroyed by age."


class ReceiverQuotaError(RequestError):
    """What would be handed over is more than who gets it may own: all versions count, and what is reserved."""

    code = "RECEIVER_QUOTA"
    exit_status = 9
    sentence = "{path} does not fit the quota of {owner}, who would get it: {missing} more would be needed."
    step_values = ("admins",)


class TooManySessionsError(RequestError):
    """One person has as many sessions as one may have."""

    code = "TOO_MANY_SESSIONS"
    exit_status = 9
    sentence = "You have {limit} sessions at {server} already, which is as many as one person may have."


class ServerBusyError(RequestError):
    """The server has as many sessions as it can serve."""

    code = "SERVER_BUSY"
    exit_status = 6
    sentence = "{server} has no room for another session now."


class TooLargeError(RequestError):
    """More than one file, list or session may hold."""

    code = "TOO_LARGE"
    exit_status = 9
    sentence = "{what} is over the limit of {limit}."


class NotSmallError(RequestError):
    """Asked for among small files, and too large to be one: it is got by itself."""

    code = "NOT_SMALL"
    exit_status = 9
    sentence = "{path} is too large to come together with others."


class LastAdminError(RequestError):
    """Nobody can remove, demote or disable the last admin."""

    code = "LAST_ADMIN"
    exit_status = 4
    sentence = "{name} is the only admin; someone must be."


class LastKeyError(RequestError):
    """Nobody revokes the only key that lets them in."""

    code = "LAST_KEY"
    exit_status = 4
    sentence = "This is the only key that lets {name} in; one must."


class TooManyKeysError(RequestError):
    """A person has as many keys, ended ones too, as they may add; or as anybody may have."""

    code = "TOO_MANY_KEYS"
    exit_status = 9
    sentence = "{name} has had {limit} keys, and no other can be added."


class NoKeyLeftError(RequestError):
    """Every key of a person was vouched for by a stolen one, or by one that this one vouched for: all would fall."""

    code = "NO_KEY_LEFT"
    exit_status = 4
    sentence = (
        "Every key that lets {name} in was vouched for with the stolen one, from {cut_off} on: none would be left."
    )


class CutOffError(RequestError):
    """From a cut-off on a thief may have signed: it lies within the time of the key, and not ahead."""

    code = "CUT_OFF"
    exit_status = 2
    sentence = "{cut_off} is not within the time of the key: it began at {start}, and the log is at {now}."


class MasterKeyElsewhereError(RequestError):
    """A master key that the server only reads is changed where it comes from."""

    code = "MASTER_KEY_ELSEWHERE"
    exit_status = 5
    sentence = "The master key comes from {source}: the server cannot change it there."


class MasterKeyGoneError(RequestError):
    """What gives the master key is not where the running server had it from: no start would open anything."""

    code = "MASTER_KEY_GONE"
    exit_status = 5
    sentence = "The master key cannot be read any more: {problem}."


class ServerKeyFixedError(RequestError):
    """Clients follow so many keys of a server's and no more."""

    code = "SERVER_KEY_FIXED"
    exit_status = 5
    sentence = "The server key was renewed {times} times, and clients follow no further: nothing was changed."


class PassphraseFixedError(RequestError):
    """A new passphrase would have to be asked for where the old one was."""

    code = "PASSPHRASE_FIXED"
    exit_status = 5
    sentence = "The passphrase that the master key is made of cannot be changed."


class BadRequestError(RequestError):
    """A request that no honest client makes: fields that do not fit one another."""

    code = "BAD_REQUEST"
    exit_status = 2
    sentence = "The server could not make sense of the request ({problem})."


class RightsChangedError(RequestError):
    """What a user may do changed while a transfer ran; nothing of it was kept."""

    code = "RIGHTS_CHANGED"
    exit_status = 4
    sentence = "{problem} while this ran. Nothing of it was kept."


class TransferEndedError(RequestError):
    """A transfer that the server ended: access changed, or the server stops."""

    code = "INTERRUPTED"
    exit_status = 6
    sentence = "The server ended this transfer ({problem}). Nothing partial is visible."


class UploadGoneError(RequestError):
    """Of an upload that was cut off nothing is kept: it ended, its time is over, or it is another person's."""

    code = "UPLOAD_GONE"
    exit_status = 3
    sentence = "The server keeps nothing of an upload that was cut off."


class ResumeRefusedError(RequestError):
    """A transfer cannot go on where it stopped, and can begin anew."""

    code = "RESUME_REFUSED"
    exit_status = 5
    sentence = "{path} cannot go on where it stopped ({problem}). Nothing of it was stored."


def _classes(root: type[RequestError]) -> list[type[RequestError]]:
    return [root, *(k for child in root.__subclasses__() for k in _classes(child))]


REQUEST_ERRORS: Final[dict[str, type[RequestError]]] = {
    kind.code: kind for kind in _classes(RequestError) if "code" in vars(kind) and kind is not UnknownRefusalError
}
