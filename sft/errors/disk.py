"""Faults of the server's own computer: vault, database, home, where it listens."""

from __future__ import annotations

from sft.errors.root import SftError


class VaultError(SftError):
    """Something is wrong with objects or keyring."""

    code = "VAULT"
    sentence = "The vault cannot be used: {problem}."


class MasterKeyError(VaultError):
    """The master key is missing, open to others, or another one."""

    code = "MASTER_KEY"


class MasterKeyOpenError(MasterKeyError):
    """Others may read the file of the master key."""

    code = "MASTER_KEY_OPEN"
    sentence = "The vault cannot be used: the {kind} {path} is open to others."


class ObjectMissingError(VaultError):
    """No object of this id."""


class ObjectCorruptError(VaultError):
    """An object's bytes are not what was sealed."""


class ObjectUnreadableError(VaultError):
    """An object that the system does not let be read, as another user's; of its bytes nothing is known."""


class VaultFullError(VaultError):
    """The file system has no room above the floor."""


class StoreError(SftError):
    """The database cannot be used."""

    code = "STORE"
    sentence = "The database cannot be used: {problem}."


class OutcomeUnknownError(StoreError):
    """A commit failed: nobody knows whether the disk holds it. Whatever fails otherwise has certainly written nothing."""


class RowForgedError(StoreError):
    """A row's MAC does not hold."""

    def __init__(self, table: str, row: str) -> None:
        super().__init__(problem=f"the row {row} of {table} was changed outside the server")
        self.table = table
        self.row = row


class LogRolledBackError(StoreError):
    """The database has fewer leaves of the log than the last signed head."""

    code = "LOG_ROLLED_BACK"
    sentence = "The database is an older copy, or lacks its write-ahead log: {found} leaves, and a head of {signed} was signed."


class LogDamagedError(StoreError):
    """The log, or the state that its leaves make, is not the one whose head was signed: nothing is signed over it."""

    code = "LOG_DAMAGED"
    sentence = "The server's log cannot be gone on with: {problem}."


class SchemaOutdatedError(StoreError):
    """The database is of another version than this program."""

    code = "SCHEMA"
    exit_status = 11
    sentence = "The database is at version {found}, this program needs {needed}."
    step_values = ("home",)


class SchemaLaterError(StoreError):
    """The database is of a later program, and no upgrade leads back."""

    code = "SCHEMA_LATER"
    exit_status = 11
    sentence = "The database is at version {found}, of a later sft; this one knows those up to {needed}."


class HomeError(SftError):
    """A server's home cannot be used as it is."""

    code = "HOME"
    exit_status = 10
    sentence = "The home {home} cannot be used: {problem}."
    step_values = ("remedy",)


class ConfigurationError(SftError):
    """What a server is to run with, in its file or in the environment, is not right."""

    code = "CONFIGURATION"
    exit_status = 10
    sentence = "{place}: {problem}."
    step_values = ("remedy",)


class BackupError(SftError):
    """A folder of backups cannot be used as it is."""

    code = "BACKUP"
    exit_status = 10
    sentence = "The backup {folder} cannot be used: {problem}."
    step_values = ("remedy",)


class NoServerError(SftError):
    """A home in which nothing was started yet."""

    code = "NO_SERVER"
    exit_status = 10
    sentence = "There is no server in {home} yet."


class ListenError(SftError):
    """Nobody could connect: the system does not let us listen there."""

    code = "LISTEN"
    exit_status = 10
    sentence = "Nothing can listen at {listen}: {reason}."
    step_values = ("remedy",)
