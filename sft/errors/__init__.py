"""Every exception that crosses a package of sft, and what a person is told of each.

    SftError
    ├── ProtocolError             the wire (never raised itself)
    │   ├── LocalProtocolError        our side broke a rule: a bug here
    │   └── RemoteProtocolError       the peer broke a rule: the connection ends
    ├── CryptoError               a key, box or signature does not hold
    ├── RequestError              what a server may answer, one class per wire code
    ├── VaultError                objects and the keyring on the server's disk
    ├── StoreError                the database on the server's disk
    ├── HomeError                 a server's home cannot be used
    └── ClientError               what happens on a user's own computer

Rules. A class that a person can meet carries a stable ``code``, an ``exit_status`` and the template ``sentence`` (who did
what, then the rule). What can be done next is a template of the front end that shows the error, by the same code:
``sft.cli.next_steps``, ``tui.next_steps``. Values for both are keyword arguments; a name that ends in ``_at`` is Unix
seconds, one in ``_bytes`` a size, any other text of a peer: templates are filled in one place, ``sft.model.text``, which
escapes them. ``detail`` is for the log alone and never leaves this computer. Over the wire travel code, values and
reference; the words are the reader's own.
"""

from sft.errors.client import (
    AccountChangedError,
    ClientError,
    ConnectionLostError,
    KeyEndedError,
    KeyLockedError,
    KeyNotEndorsedError,
    KeyUnknownError,
    LedgerError,
    LinkIncompleteError,
    ListingTooLongError,
    LocalChangedError,
    LocalDiskFullError,
    LocalExistsError,
    LocalFileError,
    LockedOutError,
    LogForkedError,
    LogProofError,
    LogRestartedError,
    LogStaleError,
    LogWentBackError,
    MoveUnsignedError,
    NotAsListedError,
    NotJoinedError,
    NotShownError,
    OlderVersionError,
    OwnKeyUnknownError,
    PinChangedError,
    PipeLostError,
    ProfileUnknownError,
    ReceiptBadError,
    RemovedError,
    ServerKeyChangedError,
    SessionEndedError,
    SignatureBadError,
    SignatureMissingError,
    SignerKeyEndedError,
    SignerKeyStolenError,
    SignerNotPinnedError,
    SignerUnknownError,
    SourceChangedError,
    SourceNamelessError,
    TamperedError,
    TargetAmbiguousError,
    TooManyDeletionsError,
    UnreachableError,
    UsageError,
)
from sft.errors.disk import (
    HomeError,
    LogDamagedError,
    LogRolledBackError,
    ObjectCorruptError,
    ObjectMissingError,
    OutcomeUnknownError,
    RowForgedError,
    SchemaOutdatedError,
    StoreError,
    VaultError,
    VaultFullError,
)
from sft.errors.protocol import (
    CheckpointRefusedError,
    CryptoError,
    CryptoUnavailableError,
    DecryptionFailedError,
    FrameForgedError,
    FrameTooLargeError,
    HandshakeFailedError,
    KeyExchangeError,
    KeyFormatError,
    LedgerFormatError,
    LocalProtocolError,
    PassphraseWrongError,
    PolicyError,
    ProofInvalidError,
    ProtocolError,
    RemoteProtocolError,
    ServerKeyMismatchError,
    SignatureInvalidError,
    StreamTruncatedError,
    VersionUnknownError,
)
from sft.errors.refusals import (
    REQUEST_ERRORS,
    BadRequestError,
    ChangedSinceError,
    ContentDamagedError,
    CutOffError,
    DatabaseBusyError,
    ExistsError,
    FolderInTheWayError,
    FolderNotEmptyError,
    HandingOverError,
    InternalError,
    InviteExpiredError,
    InviteUnknownError,
    InviteUsedError,
    InviteWithdrawnError,
    KeyRevokedError,
    KeyTakenError,
    LastAdminError,
    LastKeyError,
    LoginRefusedError,
    MasterKeyElsewhereError,
    NameClashError,
    NameNotAllowedError,
    NameReservedError,
    NameTakenError,
    NoKeyLeftError,
    NotFoundError,
    NotSmallError,
    NotYoursError,
    OperatorOnlyError,
    PassphraseFixedError,
    RecordForgedError,
    RegistrationClosedError,
    RequestError,
    ResumeRefusedError,
    RightsChangedError,
    RoleForbidsError,
    ServerBusyError,
    ServerFullError,
    ServerKeyFixedError,
    SignatureRefusedError,
    TooLargeError,
    TooManySessionsError,
    TransferEndedError,
    UnknownRefusalError,
    UploadGoneError,
    UserNameNotAllowedError,
)
from sft.errors.root import SftError, Value
