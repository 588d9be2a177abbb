"""What a server may answer: one class per wire code, with the words that its reader shows."""

from __future__ import annotations

from typing import Final

from sft.errors.root import SftError, Value


class RequestError(SftError):
    """A refusal that travels over the wire: code, values, reference.

    A code of a newer server is shown by its name alone.
    """

    sentence = "The server refused this."
    next_step = "Ask an admin"

    @staticmethod
    def from_wire(code: str, values: dict[str, Value], ref: str) -> RequestError:
        """Make the class of a code; an unknown code or a missing value gives the plain class."""
        kind = REQUEST_ERRORS.get(code)
        if kind is None or not kind.names_of_values() <= values.keys():
            return UnknownRefusalError(ref=ref, code=code)
        return kind(ref=ref, **values)


class UnknownRefusalError(RequestError):
    """A refusal with a code that this version does not know."""

    exit_status = 11
    sentence = "The server refused this for a reason that this sft does not know: {code}."
    next_step = "pipx upgrade sft"


class InternalError(RequestError):
    """An unexpected fault inside the server; the reference finds it in the log."""

    code = "INTERNAL"
    sentence = "The server had a fault of its own. Nothing of yours was changed."
    next_step = "Tell the operator the reference"


class LoginRefusedError(RequestError):
    """The server does not let this key in."""

    code = "LOGIN_REFUSED"
    exit_status = 4
    sentence = "{server} does not let this key in."
    next_step = "Removed, disabled or reset? An admin knows: ask one"


class InviteUsedError(RequestError):
    """An invitation works once."""

    code = "INVITE_USED"
    exit_status = 5
    sentence = "This invitation was used on {used_at}."
    next_step = "You? sft servers. Not you? Tell the admin who sent it now"


class InviteExpiredError(RequestError):
    """An invitation ends, at the latest after 30 days."""

    code = "INVITE_EXPIRED"
    exit_status = 5
    sentence = "This invitation ended on {expired_at}."
    next_step = "Ask {maker} for a new one"


class InviteWithdrawnError(RequestError):
    """An invitation was withdrawn, or its maker is no admin any more."""

    code = "INVITE_WITHDRAWN"
    exit_status = 5
    sentence = "This invitation was withdrawn."
    next_step = "Ask an admin for a new one"


class InviteUnknownError(RequestError):
    """No such invitation here."""

    code = "INVITE_UNKNOWN"
    exit_status = 5
    sentence = "{server} never made this invitation."
    next_step = "Ask the admin who sent it"


class RegistrationClosedError(RequestError):
    """The registration policy does not let people in this way."""

    code = "REGISTRATION_CLOSED"
    exit_status = 4
    sentence = "{server} lets nobody join this way."
    next_step = "Ask an admin: sft invite"


class NameTakenError(RequestError):
    """User names are unique under case folding, for ever."""

    code = "NAME_TAKEN"
    exit_status = 5
    sentence = "{name} exists on {server} already."
    next_step = "Choose another name; your invitation is still good"


class NameReservedError(RequestError):
    """The invitation is for another name."""

    code = "NAME_RESERVED"
    exit_status = 5
    sentence = "This invitation is for {name} alone."
    next_step = "sft join --user {name}"


class KeyTakenError(RequestError):
    """A key belongs to one user for ever; the server's own is nobody's."""

    code = "KEY_TAKEN"
    exit_status = 5
    sentence = "This key belongs to another user already."
    next_step = "Join with a new key: sft join, without --key"


class RoleForbidsError(RequestError):
    """The role table does not allow it."""

    code = "ROLE_FORBIDS"
    exit_status = 4
    sentence = "{role}s do not {act}."
    next_step = "An admin can: sft role {name} {needed}. Admins here: {admins}"


class OperatorOnlyError(RequestError):
    """Only the operator, at the server's own control socket, may do this."""

    code = "OPERATOR_ONLY"
    exit_status = 4
    sentence = "Only the operator may do this, on the server itself."
    next_step = "Ask the operator (twistd sft)"


class NotYoursError(RequestError):
    """Only the owner or an admin may change a file."""

    code = "NOT_YOURS"
    exit_status = 4
    sentence = "{path} belongs to {owner}: only they or an admin may {act} it."
    next_step = "Ask {owner}, or an admin ({admins})"


class NotFoundError(RequestError):
    """No such file, folder, version, person or invitation."""

    code = "NOT_FOUND"
    exit_status = 3
    sentence = "There is no {what} {name}."
    next_step = "See what there is: {see}"


class ExistsError(RequestError):
    """A put without --replace, or an act onto a name in use; the digest tells a retry from a clash."""

    code = "EXISTS"
    exit_status = 5
    sentence = "{path} exists: version {version} by {author}, {stored_at}."
    next_step = "--replace (version {version} stays), or --as NAME"


class FolderInTheWayError(RequestError):
    """A folder has the name that a file is to get, or a file the name of a folder."""

    code = "NAME_IN_USE"
    exit_status = 5
    sentence = "{path} is a {what} already."
    next_step = "Choose another name: --as NAME"


class FolderNotEmptyError(RequestError):
    """Only an empty folder is removed."""

    code = "NOT_EMPTY"
    exit_status = 5
    sentence = "{path} is not empty."
    next_step = "sft rm -r {path}"


class ChangedSinceError(RequestError):
    """Somebody stored another version meanwhile: no update is lost."""

    code = "CHANGED_SINCE"
    exit_status = 5
    sentence = "{author} stored version {version} while you worked on version {seen}."
    next_step = "sft get --keep-both {path}, then decide"


class NameNotAllowedError(RequestError):
    """A name that some computer cannot store, or that could mislead."""

    code = "NAME_NOT_ALLOWED"
    exit_status = 10
    sentence = '"{name}" has {problem}.'
    next_step = "Rename it, or --safe-names stores {safer}"


class UserNameNotAllowedError(RequestError):
    """A name of a person, device or server is shorter and plainer than a file's."""

    code = "USER_NAME_NOT_ALLOWED"
    exit_status = 10
    sentence = '"{name}" has {problem}.'
    next_step = "Letters, digits, dot, underscore and hyphen will do: {safer}"


class NameClashError(RequestError):
    """Names must differ in more than case."""

    code = "NAME_CLASH"
    exit_status = 5
    sentence = "{name} is there as {existing}; names must differ in more than case."
    next_step = "--as another name"


class SignatureRefusedError(RequestError):
    """The server checked what was uploaded, and it does not fit its signature."""

    code = "SIGNATURE_REFUSED"
    exit_status = 7
    sentence = "What arrived is not what was signed ({problem}). Nothing was stored."
    next_step = "The same command again"


class ContentDamagedError(RequestError):
    """The vault's object does not open: changed or cut on the server's disk."""

    code = "CONTENT_DAMAGED"
    exit_status = 7
    sentence = (
        "The stored content of {path} was changed or damaged on the server. Nothing was kept."
    )
    next_step = "Tell the operator (twistd sft vault check)"


class RecordForgedError(RequestError):
    """A row of the server's database does not carry the server's mark."""

    code = "RECORD_FORGED"
    exit_status = 7
    sentence = "The server's record of {what} was changed outside the server."
    next_step = "Tell the operator (twistd sft vault check)"


class ServerFullError(RequestError):
    """No room; a floor is kept for the database."""

    code = "SERVER_FULL"
    exit_status = 9
    sentence = "The server has no room for {size_bytes}. Getting and deleting still work."
    next_step = "Tell the operator"


class TooLargeError(RequestError):
    """More than one file, list or session may hold."""

    code = "TOO_LARGE"
    exit_status = 9
    sentence = "{what} is over the limit of {limit}."
    next_step = "Send less at once"


class LastAdminError(RequestError):
    """Nobody can remove, demote or disable the last admin."""

    code = "LAST_ADMIN"
    exit_status = 4
    sentence = "{name} is the only admin; someone must be."
    next_step = "sft role NAME admin, then again"


class BadRequestError(RequestError):
    """A request that no honest client makes: fields that do not fit one another."""

    code = "BAD_REQUEST"
    exit_status = 2
    sentence = "The server could not make sense of the request ({problem})."
    next_step = "pipx upgrade sft"


class RightsChangedError(RequestError):
    """What a user may do changed while a transfer ran; nothing of it was kept."""

    code = "RIGHTS_CHANGED"
    exit_status = 4
    sentence = "{problem} while this ran. Nothing of it was kept."
    next_step = "See who you are there now: sft whoami"


class TransferEndedError(RequestError):
    """A transfer that the server ended: access changed, or the server stops."""

    code = "INTERRUPTED"
    exit_status = 6
    sentence = "The server ended this transfer ({problem}). Nothing partial was kept."
    next_step = "The same command again"


def _classes(root: type[RequestError]) -> list[type[RequestError]]:
    return [root, *(k for child in root.__subclasses__() for k in _classes(child))]


REQUEST_ERRORS: Final[dict[str, type[RequestError]]] = {
    kind.code: kind for kind in _classes(RequestError) if "code" in vars(kind)
}
