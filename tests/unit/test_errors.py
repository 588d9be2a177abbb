"""Every error that a person can meet: its code, exit status, words and next step."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC

import pytest

from sft import errors
from sft.cli.next_steps import NEXT_STEPS
from sft.errors import REQUEST_ERRORS, RequestError, SftError, UnknownRefusalError
from sft.model.text import sentence

NOW = 1_777_816_931  # 3 May 2026, 14:02 UTC


@dataclass(frozen=True)
class Row:
    """A line of the table: an error as it is raised, and what a person is told."""

    error: SftError
    code: str
    exit_status: int
    sentence: str
    next_step: str


TABLE = [
    # -- no identity, or no way to use it
    Row(
        errors.NotJoinedError(),
        "NOT_JOINED",
        8,
        "This computer has not joined a server.",
        "sft join, with an invitation from an admin",
    ),
    Row(
        errors.ProfileUnknownError(name="acme"),
        "PROFILE_UNKNOWN",
        8,
        "This computer knows no server named acme.",
        "See which it knows: sft servers",
    ),
    Row(
        errors.KeyLockedError(),
        "KEY_LOCKED",
        8,
        "Your key is locked and there is no terminal to ask on.",
        "sft unlock first, on a terminal; or set SFT_PASSPHRASE_FILE to a file that holds the passphrase",
    ),
    Row(
        errors.AgentError(problem="memory cannot be locked"),
        "AGENT",
        8,
        "No agent holds your key: memory cannot be locked.",
        "Without one: SFT_PASSPHRASE_FILE, or the passphrase at each command",
    ),
    Row(
        errors.PassphraseWrongError(),
        "PASSPHRASE_WRONG",
        8,
        "That passphrase does not open the key.",
        "Again; without it, an admin gives you a new key (sft reset-key NAME KEY), and no file is lost",
    ),
    Row(
        errors.KeyFormatError(),
        "KEY_FORMAT",
        8,
        "That is not a minisign key.",
        "Give the file that minisign -G or sft key export wrote",
    ),
    Row(
        errors.PolicyError(line=3, problem="the name is taken"),
        "POLICY",
        2,
        "The policy cannot be taken: line 3: the name is taken.",
        "Mend that line: the syntax is that of C2SP tlog-policy",
    ),
    # -- joining
    Row(
        errors.LinkIncompleteError(),
        "LINK_INCOMPLETE",
        2,
        "This is not a whole invitation: its last characters do not fit.",
        "Copy it again, from sft:// to the end",
    ),
    Row(
        errors.InviteUsedError(used_at=NOW),
        "INVITE_USED",
        5,
        "This invitation was used on 3 May 14:02.",
        "You? sft servers. Not you? Tell the admin who sent it now",
    ),
    Row(
        errors.InviteExpiredError(expired_at=NOW, maker="ada"),
        "INVITE_EXPIRED",
        5,
        "This invitation ended on 3 May 14:02.",
        "Ask ada for a new one",
    ),
    Row(
        errors.InviteWithdrawnError(),
        "INVITE_WITHDRAWN",
        5,
        "This invitation was withdrawn.",
        "Ask an admin for a new one",
    ),
    Row(
        errors.InviteUnknownError(server="acme-files"),
        "INVITE_UNKNOWN",
        5,
        "acme-files never made this invitation.",
        "Ask the admin who sent it",
    ),
    Row(
        errors.RegistrationClosedError(server="acme-files"),
        "REGISTRATION_CLOSED",
        4,
        "acme-files lets nobody join this way.",
        "Ask an admin: sft invite",
    ),
    Row(
        errors.NameTakenError(name="ivo", server="acme-files"),
        "NAME_TAKEN",
        5,
        "ivo exists on acme-files already.",
        "Choose another name; no invitation was spent",
    ),
    Row(
        errors.NameReservedError(name="ivo"),
        "NAME_RESERVED",
        5,
        "This invitation is for ivo alone.",
        "sft join --user ivo",
    ),
    Row(
        errors.KeyTakenError(),
        "KEY_TAKEN",
        5,
        "This key belongs to another user already.",
        "Take a new key: sft join makes one, where none is named",
    ),
    # -- the way to the server
    Row(
        errors.UnreachableError(address="files.acme.org:7361", reason="connection refused", profile="acme"),
        "UNREACHABLE",
        6,
        "files.acme.org:7361 does not answer (connection refused).",
        "Moved? sft servers address acme HOST:PORT",
    ),
    Row(
        errors.SessionEndedError(by="ada"),
        "SESSION_ENDED",
        6,
        "ada ended this session.",
        "Ask why; then the same command again",
    ),
    Row(
        errors.LockedOutError(by="ada", server="acme"),
        "LOCKED_OUT",
        4,
        "ada locked you out of acme. Your files stay there.",
        "Ask why; an admin can let you in again",
    ),
    Row(
        errors.RemovedError(by="ada", server="acme"),
        "REMOVED",
        4,
        "ada removed you from acme. What you got stays with you.",
        "Should you be back? An admin can invite you under another name",
    ),
    Row(
        errors.ConnectionLostError(),
        "CONNECTION_LOST",
        6,
        "The connection broke; nothing partial is visible.",
        "The same command again",
    ),
    Row(
        errors.PipeLostError(),
        "CONNECTION_LOST",
        6,
        "The connection broke, and what was read of standard input cannot be read again: start what writes it anew. "
        "Nothing partial is visible.",
        "The same command again",
    ),
    Row(
        errors.StreamTruncatedError(),
        "CONNECTION_LOST",
        6,
        "The connection broke; nothing partial is visible.",
        "The same command again",
    ),
    Row(
        errors.VersionUnknownError(theirs=2, ours=1),
        "VERSION_UNKNOWN",
        6,
        "The server speaks another protocol (2) than this sft (1).",
        "pipx upgrade sft",
    ),
    Row(
        errors.HandshakeFailedError(),
        "PROTOCOL",
        6,
        "The other end does not speak this protocol.",
        "Check the address: sft servers",
    ),
    Row(
        errors.NotAServerError(address="acme.example:80"),
        "PROTOCOL",
        6,
        "acme.example:80 is not an sft server.",
        "Check the address: sft servers",
    ),
    Row(
        errors.SameTargetError(path="same/x.txt", first="s1/x.txt", second="s2/x y.txt"),
        "SAME_TARGET",
        2,
        'same/x.txt would be two files: s1/x.txt and "s2/x y.txt".',
        "One of them under another name: sft put 's2/x y.txt' --as NAME",
    ),
    Row(
        errors.LoginRefusedError(server="acme-files"),
        "LOGIN_REFUSED",
        4,
        "acme-files does not let this key in.",
        "Removed or disabled? An admin knows: ask one",
    ),
    Row(
        errors.KeyRevokedError(server="acme-files", ended_at=NOW),
        "KEY_REVOKED",
        4,
        "acme-files lets the key of this computer in no more: it was ended on 3 May 14:02.",
        "Another device of yours? There: sft key device link, and here: sft join. None left? An admin gives you a new key",
    ),
    Row(
        errors.UploadGoneError(),
        "UPLOAD_GONE",
        3,
        "The server keeps nothing of an upload that was cut off.",
        "Send it from its beginning",
    ),
    Row(
        errors.ResumeRefusedError(path="a.bin", problem="its content is another"),
        "RESUME_REFUSED",
        5,
        "a.bin cannot go on where it stopped (its content is another). Nothing of it was stored.",
        "Send or get it from its beginning",
    ),
    Row(
        errors.NotSmallError(path="a.bin"),
        "NOT_SMALL",
        9,
        "a.bin is too large to come together with others.",
        "Get it by itself",
    ),
    Row(
        errors.RightsChangedError(problem="ada made you a guest"),
        "RIGHTS_CHANGED",
        4,
        "ada made you a guest while this ran. Nothing of it was kept.",
        "See who you are there now: sft whoami",
    ),
    Row(
        errors.TamperedError(),
        "TAMPERED",
        6,
        "What arrived was not what the server sent, and the connection was ended; nothing partial is visible.",
        "The same command again; if it says so again, another network, and tell the operator",
    ),
    Row(
        errors.ReceiptBadError(path="a.bin", server="acme-files"),
        "RECEIPT_BAD",
        7,
        "acme-files gave no receipt for a.bin that holds: it may be stored, or not.",
        "Look: sft info a.bin; and tell the operator",
    ),
    Row(
        errors.TransferEndedError(problem="the server stops"),
        "INTERRUPTED",
        6,
        "The server ended this transfer (the server stops). Nothing partial is visible.",
        "The same command again",
    ),
    # -- verification
    Row(
        errors.ServerKeyChangedError(server="acme-files"),
        "SERVER_KEY_CHANGED",
        7,
        "acme-files shows another key than the pinned one. Nothing was sent.",
        "Ask an admin in person for a server link (sftd link); then sft servers link acme-files",
    ),
    Row(
        errors.AccountChangedError(server="acme-files", name="ada"),
        "ACCOUNT_CHANGED",
        7,
        "acme-files takes you for somebody else than ada, who joined it from this computer. Nothing was sent.",
        "Ask an admin in person who you are there",
    ),
    Row(
        errors.NotAsListedError(server="acme-files", path="contract.pdf"),
        "NOT_AS_LISTED",
        7,
        "acme-files sent another file or version than it listed as contract.pdf. Nothing was kept.",
        "The same command again; if it says so again, tell the operator",
    ),
    Row(
        errors.OlderVersionError(server="acme-files", path="contract.pdf", version=2, seen=3, remembered="/home/a/v"),
        "OLDER_VERSION",
        7,
        "acme-files shows version 2 of contract.pdf as the newest. This computer has seen version 3.",
        "Ask the operator: was a backup put back? Only then move /home/a/v aside",
    ),
    Row(
        errors.SignatureBadError(path="contract.pdf", author="ada"),
        "SIGNATURE_BAD",
        7,
        "The bytes of contract.pdf are not what ada signed. Nothing was kept.",
        "Tell ada and the operator (sftd vault check)",
    ),
    Row(
        errors.LocalSignatureBadError(path="contract.pdf", author="ada"),
        "SIGNATURE_BAD",
        7,
        "contract.pdf is not what ada signed.",
        "Tell ada and the operator (sftd vault check)",
    ),
    Row(
        errors.SignerNotPinnedError(path="contract.pdf"),
        "SIGNER_NOT_PINNED",
        7,
        "contract.pdf is signed by a key that is pinned nowhere on this computer.",
        "sft verify contract.pdf --key RW..., with the key that its author gave you",
    ),
    Row(
        errors.SignerUnknownError(path="contract.pdf", server="acme-files", author="ada"),
        "SIGNER_UNKNOWN",
        7,
        "contract.pdf is signed by a key that acme-files never registered for ada.",
        "Ask ada for the words of their key: sft key show",
    ),
    Row(
        errors.PinChangedError(server="acme-files", author="ada"),
        "PIN_CHANGED",
        7,
        "acme-files shows another key for ada than the one pinned here. Nothing was kept.",
        "Ask ada for the words of their key: sft key show",
    ),
    Row(
        errors.KeyNotEndorsedError(server="acme-files", author="ada", added_at=NOW, shown="a b", pinned="c d"),
        "KEY_NOT_ENDORSED",
        7,
        "ada has a new key on acme-files since 3 May 14:02: a b. Pinned here is c d, and no key known here says that the new "
        "one is theirs. Nothing was kept.",
        "Ask ada by phone or in person for these words; the same: sft key trust ada",
    ),
    Row(
        errors.KeyUnknownError(server="acme-files", words="a b", key="RWabc", device="desk top"),
        "KEY_UNKNOWN",
        4,
        "acme-files does not know the key of this computer yet: a b.",
        "On a device of yours: sft key device add RWabc --device 'desk top'; then the same here again. None left? An admin: "
        "sft reset-key NAME RWabc. New there? sft join, with an invitation from an admin",
    ),
    Row(
        errors.KeyEndedError(by="max", server="acme-files"),
        "KEY_ENDED",
        4,
        "max ended the key that this device has on acme-files.",
        "Not your doing? An admin can give you a new key: sft reset-key NAME KEY",
    ),
    Row(
        errors.LastKeyError(name="max"),
        "LAST_KEY",
        4,
        "This is the only key that lets max in; one must.",
        "Have another follow it: sft key rotate",
    ),
    Row(
        errors.TooManyKeysError(name="max", limit=32),
        "TOO_MANY_KEYS",
        9,
        "max has had 32 keys, and no other can be added.",
        "An admin can still give you one (sft reset-key NAME); after 64 only another name has room",
    ),
    Row(
        errors.NoKeyLeftError(name="max", cut_off=12),
        "NO_KEY_LEFT",
        4,
        "Every key that lets max in was vouched for with the stolen one, from 12 on: none would be left.",
        "An admin ends them all and gives you a new one: sft reset-key NAME KEY --stolen-since NUMBER",
    ),
    Row(
        errors.CutOffError(cut_off=9, start=12, now=40),
        "CUT_OFF",
        2,
        "9 is not within the time of the key: it began at 12, and the log is at 40.",
        "Take a number from sft info FILE: that of the first file that you did not store",
    ),
    Row(
        errors.OwnKeyUnknownError(server="acme-files", added_at=NOW, shown="a b", name="max"),
        "OWN_KEY_UNKNOWN",
        7,
        "acme-files has a key as yours that this computer does not know, since 3 May 14:02: a b.",
        "Another device of yours? sft key trust max. Else tell an admin now: whoever has it signs as you",
    ),
    Row(
        errors.SignerKeyEndedError(path="contract.pdf", author="ada"),
        "SIGNER_KEY_ENDED",
        7,
        "contract.pdf is signed with a key that was not ada's when it was stored. Nothing was kept.",
        "Ask ada to store it again, and tell the operator",
    ),
    Row(
        errors.MoveUnsignedError(path="plan", author="ada", signed_name="other"),
        "MOVE_UNSIGNED",
        7,
        "plan is what ada signed as other, and nobody signed that it was moved. Nothing was kept.",
        "Ask ada whether it belongs there, and tell an admin",
    ),
    Row(
        errors.SignerKeyStolenError(path="contract.pdf", author="ada"),
        "SIGNER_KEY_STOLEN",
        7,
        "contract.pdf is signed with ada's key after it was stolen. Do not use it. Nothing was kept.",
        "Ask ada for it, by another way",
    ),
    Row(
        errors.NotShownError(path="contract.pdf", evidence="contract.pdf.sftproof", problem="it is another's"),
        "NOT_SHOWN",
        7,
        "contract.pdf.sftproof does not show that contract.pdf was stored: it is another's.",
        "Is it of this file, and of this version? Then ask whoever gave it to you for another",
    ),
    Row(
        errors.LogWentBackError(server="acme-files", seen=18240, profile="acme"),
        "LOG_WENT_BACK",
        7,
        "acme-files shows a history without what this computer saw at 18,240.",
        "Stop using it; show the operator the evidence. Settled? sft servers trust acme",
    ),
    Row(
        errors.LogForkedError(server="acme-files", seen=18240, witness="ada", profile="acme"),
        "LOG_FORKED",
        7,
        "acme-files shows two histories: what it shows now, and what ada saw at 18,240, are not one log.",
        "Stop using it; show the operator and another user the evidence. Settled? sft servers trust acme",
    ),
    Row(
        errors.LogProofError(server="acme-files", what="what it says of contract.pdf", profile="acme"),
        "LOG_PROOF",
        7,
        "acme-files does not prove what it says of contract.pdf. Nothing was kept.",
        "Stop using it; show the operator the evidence. Settled? sft servers trust acme",
    ),
    Row(
        errors.LogRestartedError(server="acme-files", seen=18240, profile="acme"),
        "LOG_RESTARTED",
        7,
        "acme-files has begun a new log. What this computer saw of the old one, up to 18,240, may be missing there.",
        "Ask the operator why. A backup was put back? sft servers trust acme",
    ),
    Row(
        errors.LogStaleError(server="acme-files", stored_at=NOW, ended_at=NOW - 2 * 86400, profile="acme"),
        "LOG_STALE",
        7,
        "acme-files shows what was stored on 3 May 14:02, and a log that ended on 1 May 14:02.",
        "Tell the operator; the same command again",
    ),
    Row(
        errors.ContentDamagedError(path="contract.pdf"),
        "CONTENT_DAMAGED",
        7,
        "The stored content of contract.pdf was changed or damaged on the server. Nothing was kept.",
        "Tell the operator (sftd vault check)",
    ),
    Row(
        errors.RecordForgedError(what="the user ivo"),
        "RECORD_FORGED",
        7,
        "The server's record of the user ivo was changed outside the server.",
        "Tell the operator (sftd vault check)",
    ),
    Row(
        errors.SignatureRefusedError(problem="another size"),
        "SIGNATURE_REFUSED",
        7,
        "What arrived is not what was signed (another size). Nothing was changed.",
        "The same command again",
    ),
    Row(
        errors.SignatureInvalidError(),
        "SIGNATURE_INVALID",
        7,
        "The signature does not hold.",
        "Ask for the file again, from its author",
    ),
    Row(
        errors.ProofInvalidError(),
        "PROOF_INVALID",
        7,
        "The proof does not hold.",
        "Ask for it again, from whoever gave it",
    ),
    Row(
        errors.DecryptionFailedError(),
        "VERIFICATION",
        7,
        "What was received does not hold. Nothing was kept.",
        "Tell the operator",
    ),
    # -- roles and ownership
    Row(
        errors.RoleForbidsError(role="guest", act="store files", name="gus", needed="maintainer", admins="ada, eva"),
        "ROLE_FORBIDS",
        4,
        "Guests do not store files.",
        "An admin can: sft role gus maintainer. Admins here: ada, eva",
    ),
    Row(
        errors.NotYoursError(path="plan.pdf", owner="ivo", act="replace", admins="ada, eva"),
        "NOT_YOURS",
        4,
        "plan.pdf belongs to ivo: only they or an admin may replace it.",
        "Ask ivo, or an admin (ada, eva)",
    ),
    Row(
        errors.OperatorOnlyError(),
        "OPERATOR_ONLY",
        4,
        "Only the operator may do this, on the server itself.",
        "Ask the operator (sftd)",
    ),
    Row(
        errors.LastAdminError(name="ada"),
        "LAST_ADMIN",
        4,
        "ada is the only admin; someone must be.",
        "sft role NAME admin, then again",
    ),
    Row(
        errors.MasterKeyElsewhereError(source="credential:sft"),
        "MASTER_KEY_ELSEWHERE",
        5,
        "The master key comes from credential:sft: the server cannot change it there.",
        "On the server itself: sftd vault rotate-key says how",
    ),
    Row(
        errors.MasterKeyGoneError(problem="there is no master key file /srv/sft/master.key"),
        "MASTER_KEY_GONE",
        5,
        "The master key cannot be read any more: there is no master key file /srv/sft/master.key.",
        "Tell the operator, before the server stops (sftd status)",
    ),
    Row(
        errors.ServerKeyFixedError(times=8),
        "SERVER_KEY_FIXED",
        5,
        "The server key was renewed 8 times, and clients follow no further: nothing was changed.",
        "After another leak start a server in a new home, and put the files there",
    ),
    Row(
        errors.PassphraseFixedError(),
        "PASSPHRASE_FIXED",
        5,
        "The passphrase that the master key is made of cannot be changed.",
        "Start a server with another passphrase in a new home, and put the files there",
    ),
    # -- names and conflicts
    Row(
        errors.NotFoundError(what="file", name="x.txt"),
        "NOT_FOUND",
        3,
        "There is no file x.txt.",
        "See what there is: sft ls",
    ),
    Row(
        errors.NoVersionError(path="fin/plan.txt", version=9, versions="1 to 3"),
        "NO_VERSION",
        3,
        "fin/plan.txt has no version 9; it has 1 to 3.",
        "See them: sft info fin/plan.txt",
    ),
    Row(
        errors.ExistsError(path="budget.xlsx", version=3, author="max", stored_at=NOW),
        "EXISTS",
        5,
        "budget.xlsx exists: version 3 by max, 3 May 14:02.",
        "Choose another name, or first sft mv budget.xlsx NAME",
    ),
    Row(
        errors.ChangedSinceError(author="ada", version=4, stored_at=NOW, seen=3, path="budget.xlsx"),
        "CHANGED_SINCE",
        5,
        "ada stored version 4, 3 May 14:02, while you worked on version 3.",
        "sft get --keep-both budget.xlsx, then decide",
    ),
    Row(
        errors.TrashChangedError(path="budget.xlsx", by="mia", trashed_at=NOW),
        "TRASH_CHANGED",
        5,
        "What lies in the trash as budget.xlsx is not what was listed: mia deleted this, 3 May 14:02.",
        "List again: sft ls --trash",
    ),
    Row(
        errors.VersionDestroyedError(path="budget.xlsx", version=2, destroyed_at=NOW, destroyed_by="ada"),
        "VERSION_DESTROYED",
        3,
        "The content of version 2 of budget.xlsx was destroyed on 3 May 14:02 by ada.",
        "See which are there: sft info budget.xlsx",
    ),
    Row(
        errors.NewestVersionError(path="budget.xlsx", version=4),
        "NEWEST_VERSION",
        5,
        "Version 4 is the newest of budget.xlsx: only older ones are brought back, or destroyed by themselves.",
        "With the file: sft rm budget.xlsx. An older content back: sft restore budget.xlsx --version N",
    ),
    Row(
        errors.NameNotAllowedError(name="a:b.txt", problem='":", which Windows cannot store', safer="a_b.txt"),
        "NAME_NOT_ALLOWED",
        10,
        '"a:b.txt" has ":", which Windows cannot store.',
        "Choose another name, for example a_b.txt",
    ),
    Row(
        errors.UserNameNotAllowedError(name="a b", problem="a blank", safer="a_b"),
        "USER_NAME_NOT_ALLOWED",
        10,
        '"a b" has a blank.',
        "Letters, digits, dot, underscore and hyphen will do: a_b",
    ),
    Row(
        errors.NameClashError(name="readme.md", existing="README.md"),
        "NAME_CLASH",
        5,
        "readme.md is there as README.md; names must differ in more than case.",
        "Choose another name, or first sft mv README.md NAME",
    ),
    Row(
        errors.FolderInTheWayError(path="docs", what="folder"),
        "NAME_IN_USE",
        5,
        "docs is a folder already.",
        "Choose another name, or first sft mv docs NAME",
    ),
    Row(
        errors.FolderNotEmptyError(path="old docs"),
        "NOT_EMPTY",
        5,
        '"old docs" is not empty.',
        "With all in it: sft rm -r 'old docs'",
    ),
    Row(
        errors.HandingOverError(owner="mia", path="old docs"),
        "HANDING_OVER",
        9,
        '"old docs", or something in it, is still being handed over to mia. Nothing was changed.',
        "The same again, in a minute",
    ),
    # -- room and bounds
    Row(
        errors.BackupRunningError(),
        "BACKUP_RUNS",
        9,
        "A backup of the server is being taken, which needs its keys as they are. Nothing was changed.",
        "The same again, when it has ended",
    ),
    Row(
        errors.DatabaseBusyError(),
        "DATABASE_BUSY",
        9,
        "The server could not do this now: another program holds its database. Nothing was changed.",
        "The same again, in a minute",
    ),
    Row(
        errors.ServerFullError(size_bytes=2 << 30),
        "SERVER_FULL",
        9,
        "The server has no room for 2.0 GiB. Getting and deleting still work.",
        "Tell the operator",
    ),
    Row(
        errors.QuotaBytesError(path="a/film", owner="max", used_bytes=49 << 30, quota_bytes=50 << 30, admins="ada"),
        "QUOTA_BYTES",
        9,
        "a/film does not fit the quota of max: 49 GiB of 50 GiB are taken.",
        "See it: sft quota. An admin can give more (sft quota set NAME --bytes SIZE): ada",
    ),
    Row(
        errors.QuotaFilesError(path="a/film", owner="max", used=2000, quota=2000, admins="ada"),
        "QUOTA_FILES",
        9,
        "a/film does not fit the quota of max: 2,000 of 2,000 files are there.",
        "See it: sft quota. An admin can give more (sft quota set NAME --bytes SIZE): ada",
    ),
    Row(
        errors.ClockDoubtedError(now_at=1_796_007_600, sound_at=1_780_000_000),
        "CLOCK_DOUBTED",
        11,
        "The server's clock says 30 Nov 03:00, which nothing confirms since 28 May 20:26: nothing is destroyed by age.",
        "Tell the operator (sftd status)",
    ),
    Row(
        errors.ReceiverQuotaError(path="a/film", owner="max", missing="12 GiB and 1 file", admins="ada"),
        "RECEIVER_QUOTA",
        9,
        "a/film does not fit the quota of max, who would get it: 12 GiB and 1 file more would be needed.",
        "To somebody else; or an admin gives max more (sft quota set max --bytes SIZE): ada",
    ),
    Row(
        errors.TooLargeError(what="The file", limit="64 TiB"),
        "TOO_LARGE",
        9,
        "The file is over the limit of 64 TiB.",
        "Send less at once",
    ),
    Row(
        errors.TooManySessionsError(server="acme", limit=8),
        "TOO_MANY_SESSIONS",
        9,
        "You have 8 sessions at acme already, which is as many as one person may have.",
        "Close one of them; one that broke is over within two minutes",
    ),
    Row(
        errors.ServerBusyError(server="acme"),
        "SERVER_BUSY",
        6,
        "acme has no room for another session now.",
        "Try again later",
    ),
    Row(
        errors.ListingTooLongError(server="acme", limit=1_000_000),
        "LISTING_TOO_LONG",
        9,
        "acme lists more than 1,000,000 entries, which is as many as sft takes at once.",
        "Ask for a folder below it",
    ),
    Row(
        errors.TooManyDeletionsError(count=1_203, limit=100, wanted="1203"),
        "TOO_MANY_DELETIONS",
        5,
        "1,203 files and folders would be deleted, and 100 may be. Nothing was done.",
        "Look whether the source is whole",
    ),
    # -- this computer
    Row(
        errors.UsageError(problem="--as takes one file", remedy="Use --to FOLDER for several"),
        "USAGE",
        2,
        "--as takes one file.",
        "Use --to FOLDER for several",
    ),
    Row(
        errors.TargetAmbiguousError(path="plan.pdf"),
        "TARGET_AMBIGUOUS",
        2,
        "plan.pdf names one file on the server: it takes one source, and no folder beside it.",
        "Several files: sft put FILES --to FOLDER",
    ),
    Row(
        errors.SourceNamelessError(),
        "SOURCE_NAMELESS",
        2,
        "Standard input has no name.",
        "Give it one: sft put - --as PATH",
    ),
    Row(
        errors.SignatureMissingError(path="plan.pdf.minisig"),
        "SIGNATURE_MISSING",
        10,
        "plan.pdf.minisig does not exist: it would be the signature.",
        "sft get NAME --with-signature writes it beside the file",
    ),
    Row(
        errors.SourceChangedError(path="report.iso"),
        "SOURCE_CHANGED",
        10,
        "report.iso changed while it was read; nothing was stored.",
        "Send it again when nobody writes it",
    ),
    Row(
        errors.LocalFileError(path="x", problem="is not there", remedy="Check the name"),
        "LOCAL_FILE",
        10,
        "x is not there.",
        "Check the name",
    ),
    Row(
        errors.LocalDiskFullError(path="out/video.mp4"),
        "DISK_FULL",
        10,
        "There is no room on this computer for out/video.mp4.",
        "Make room, then the same command again",
    ),
    Row(
        errors.LocalExistsError(path="contract.pdf"),
        "FILE_EXISTS",
        5,
        "contract.pdf is here already.",
        "Name another file, or move it away",
    ),
    Row(
        errors.LocalChangedError(path="contract.pdf"),
        "CHANGED_HERE",
        5,
        "contract.pdf changed here meanwhile, and was kept.",
        "What of it is to stay, under another name; then the same command again",
    ),
    Row(
        errors.CryptoUnavailableError(),
        "CRYPTO_UNAVAILABLE",
        10,
        "The cryptography library here has no ML-KEM-768.",
        "pip install --upgrade cryptography",
    ),
    # -- the server's own
    Row(
        errors.SftError(ref="7F3K-29QD"),
        "FAULT",
        11,
        "sft had a fault of its own. Nothing of yours was changed.",
        "Report it with what you did",
    ),
    Row(
        errors.InternalError(ref="7F3K-29QD"),
        "INTERNAL",
        11,
        "The server had a fault of its own. Nothing of yours was changed.",
        "Tell the operator the reference",
    ),
    Row(
        errors.UnknownRefusalError(code="SUN_SPOTS"),
        "UNKNOWN_REFUSAL",
        11,
        "The server refused this for a reason that this sft does not know: SUN_SPOTS.",
        "pipx upgrade sft",
    ),
    Row(
        errors.BadRequestError(problem="an offset past the end"),
        "BAD_REQUEST",
        2,
        "The server could not make sense of the request (an offset past the end).",
        "pipx upgrade sft",
    ),
    Row(
        errors.VaultError(problem="the keyring is missing"),
        "VAULT",
        11,
        "The vault cannot be used: the keyring is missing.",
        "sftd vault check",
    ),
    Row(
        errors.RowForgedError("users", "ivo"),
        "STORE",
        11,
        "The database cannot be used: the row ivo of users was changed outside the server.",
        "Read the server's log",
    ),
    Row(
        errors.LogRolledBackError(found=1200, signed=1300),
        "LOG_ROLLED_BACK",
        11,
        "The database is an older copy, or lacks its write-ahead log: 1,200 leaves, and a head of 1,300 was signed.",
        "Tell the operator",
    ),
    Row(
        errors.LogDamagedError(problem="its last head is missing"),
        "LOG_DAMAGED",
        11,
        "The server's log cannot be gone on with: its last head is missing.",
        "Tell the operator",
    ),
    Row(
        errors.SchemaOutdatedError(found="0001", needed="0002", home="/srv/my home"),
        "SCHEMA",
        11,
        "The database is at version 0001, this program needs 0002.",
        "sftd --home '/srv/my home' upgrade",
    ),
    Row(
        errors.SchemaLaterError(found="0003", needed="0002"),
        "SCHEMA_LATER",
        11,
        "The database is at version 0003, of a later sft; this one knows those up to 0002.",
        "Install the sft that it was used with last, or a later one",
    ),
    Row(
        errors.ConfigurationError(
            place="/srv/sft/sft.toml, line 3",
            problem="there is no option trash_day",
            remedy="Did you mean trash_days? All of them: sftd config show",
        ),
        "CONFIGURATION",
        10,
        "/srv/sft/sft.toml, line 3: there is no option trash_day.",
        "Did you mean trash_days? All of them: sftd config show",
    ),
    Row(
        errors.HomeError(home="/srv/sft", problem="it is open to others", remedy="chmod 700 it"),
        "HOME",
        10,
        "The home /srv/sft cannot be used: it is open to others.",
        "chmod 700 it",
    ),
    Row(
        errors.BackupError(folder="/mnt/backup", problem="it holds no backups of sft", remedy="Name another folder"),
        "BACKUP",
        10,
        "The backup /mnt/backup cannot be used: it holds no backups of sft.",
        "Name another folder",
    ),
    Row(
        errors.NoServerError(home="/srv/my sft"),
        "NO_SERVER",
        10,
        'There is no server in "/srv/my sft" yet.',
        "Start one: sftd --home '/srv/my sft' serve",
    ),
    Row(
        errors.ListenError(listen="0.0.0.0:80", reason="Permission denied", remedy="--listen HOST:PORT"),
        "LISTEN",
        10,
        "Nothing can listen at 0.0.0.0:80: Permission denied.",
        "--listen HOST:PORT",
    ),
    Row(
        errors.MasterKeyOpenError(kind="master key file", path="/srv/sft/master.key"),
        "MASTER_KEY_OPEN",
        11,
        "The vault cannot be used: the master key file /srv/sft/master.key is open to others.",
        "Tell the operator",
    ),
    Row(
        errors.MasterKeyError(problem="there is no master key file /srv/sft/master.key"),
        "MASTER_KEY",
        11,
        "The vault cannot be used: there is no master key file /srv/sft/master.key.",
        "Tell the operator",
    ),
]


def _tree(root: type[SftError]) -> set[type[SftError]]:
    return {root}.union(*(_tree(child) for child in root.__subclasses__()))


@pytest.mark.parametrize("row", TABLE, ids=lambda row: type(row.error).__name__)
def test_what_a_person_is_told(row: Row) -> None:
    assert row.error.code == row.code
    assert row.error.exit_status == row.exit_status
    assert sentence(row.error, now=NOW, zone=UTC) == row.sentence
    assert NEXT_STEPS.of(row.error, now=NOW, zone=UTC) == row.next_step


def test_every_code_stands_in_the_table() -> None:
    ours = {kind for kind in _tree(SftError) if kind.__module__.startswith("sft.")}
    assert {kind.code for kind in ours} == {row.code for row in TABLE}


def test_a_code_means_one_exit_status() -> None:
    statuses = {
        (kind.code, kind.exit_status) for kind in _tree(SftError) if "code" in vars(kind) and not kind.__subclasses__()
    }
    codes = [code for code, _ in statuses]
    assert len(codes) == len(set(codes))
    assert {status for _, status in statuses} <= {2, 3, 4, 5, 6, 7, 8, 9, 10, 11}


# "error", "failed to", "invalid", "please", "oops": a sentence says what happened instead.
_EMPTY_WORDS = re.compile(r"\b(error|failed to|invalid|please|oops)\b", re.IGNORECASE)


@pytest.mark.parametrize("row", TABLE, ids=lambda row: type(row.error).__name__)
def test_sentences_are_sentences(row: Row) -> None:
    assert row.sentence.endswith(".")
    assert not row.next_step.endswith(".")
    assert not _EMPTY_WORDS.search(row.sentence + row.next_step)


def test_an_error_without_what_its_words_need_cannot_be_made() -> None:
    with pytest.raises(TypeError, match="needs author, stored_at, version"):
        errors.ExistsError(path="x")


def test_details_are_for_the_log_alone() -> None:
    error = errors.InternalError("/secret/path: permission denied", ref="7F3K-29QD")
    assert error.detail == "/secret/path: permission denied"
    assert "secret" not in sentence(error, now=NOW) + NEXT_STEPS.of(error, now=NOW)


# -- over the wire ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "row",
    [row for row in TABLE if REQUEST_ERRORS.get(row.code) is type(row.error)],
    ids=lambda row: type(row.error).__name__,
)
def test_a_refusal_arrives_as_it_was_sent(row: Row) -> None:
    received = RequestError.from_wire(row.error.code, row.error.values, "7F3K-29QD")
    assert type(received) is type(row.error)
    assert received.values == row.error.values
    assert received.ref == "7F3K-29QD"


@pytest.mark.parametrize(
    ("code", "values"),
    [("SUN_SPOTS", {}), ("EXISTS", {"path": "x"}), ("SERVER_KEY_CHANGED", {"server": "x"}), ("", {})],
)
def test_an_unknown_or_incomplete_refusal_is_still_one(code: str, values: dict[str, str | int]) -> None:
    received = RequestError.from_wire(code, values, "")
    assert isinstance(received, UnknownRefusalError)
    assert received.values["code"] == code


def test_every_refusal_has_a_code_of_its_own() -> None:
    kinds = _tree(RequestError) - {RequestError, UnknownRefusalError}
    assert {kind for kind in kinds if kind.__module__ == "sft.errors.refusals"} == set(REQUEST_ERRORS.values())


def test_the_front_exports_the_whole_tree() -> None:
    ours = {kind.__name__ for kind in _tree(SftError) if kind.__module__.startswith("sft.errors")}
    assert ours <= set(vars(errors))
