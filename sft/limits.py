"""Every limit of wire, vault and sessions, each with its reason. Sizes in bytes, times in seconds."""

from typing import Final

KIB: Final = 1024
MIB: Final = 1024 * KIB
GIB: Final = 1024 * MIB
DAY_SECONDS: Final = 24 * 3600

# -- frames (sft/wire/PROTOCOL.md) ----------------------------------------------------------------
# Wire and vault map one to one; above 128 KiB a box falls off malloc's fast path: 0.4 GB/s instead of 1.1.
CHUNK_BYTES: Final = 64 * KIB
FRAME_OVERHEAD_BYTES: Final = KIB  # box tag, type, request id and small fields
FRAME_BYTES: Final = CHUNK_BYTES + FRAME_OVERHEAD_BYTES
EARLY_FRAME_BYTES: Final = 4 * KIB  # nobody has proved anything yet
# A whole handshake with room for shares of later groups: what a stranger can hold. No state lets more arrive: an early
# frame or two at the server, and at the client before its server has proved itself (a test adds them up).
EARLY_TOTAL_BYTES: Final = 16 * KIB
SMALL_FILE_BYTES: Final = 60 * KIB  # content, fields and signature in one frame
RECEIVED_AT_ONCE: Final = (
    256  # versions that one statement says were received: its text has 43 KiB, so it fits a record
)
BATCH_FILES: Final = 64  # small files of one request: a group of the writer's, and some ms of a thread
# The one-way ratchet of a direction: a stolen key opens at most so much of the past.
REKEY_BYTES: Final = GIB
REKEY_SECONDS: Final = 3600  # the same for a session that sends little
# A turn costs some microseconds: one that comes sooner is taken once a second, so that nobody is kept busy by 21 bytes; and
# those of a day together, from a peer whose hourly ones lay waiting.
REKEY_LEAST_BYTES: Final = 64 * KIB
EARLY_REKEYS: Final = 32
SESSION_SECONDS: Final = 24 * 3600  # a new handshake heals what a stolen key could read

# -- before login -----------------------------------------------------------------------------------
LOGIN_SECONDS: Final = 20  # absolute, from the first byte to M5: ten round trips of a bad line
UNAUTHENTICATED: Final = 1024  # 16 KiB each: 16 MiB, and descriptors stay for the sessions
# Per /32, or /64 of IPv6: an office behind one address that reconnects at once.
UNAUTHENTICATED_PER_SOURCE: Final = 32
# Broke the protocol after a well-formed hello, which no client of ours does: refused at once. What fails before is a browser
# or a probe that lost its way, and the office behind the same address goes on.
PENALTY_CRASH_SECONDS: Final = 90
# A login that did not hold: a person who errs now and then waits never.
PENALTY_LOGIN_SECONDS: Final = 5
PENALTY_SILENT_SECONDS: Final = 1  # went away without one, or never spoke sft: a scanner, or a lost link
PENALTY_COUNTS_SECONDS: Final = 15  # below this sum nobody is refused
PENALTY_MOST_SECONDS: Final = 600  # whoever mended their client waits no longer
PENALTY_SOURCES: Final = 65_536  # some 10 MiB at most, however many addresses somebody has

# -- a session ----------------------------------------------------------------------------------------
# Two groups of the writer: small files keep it busy over a slow line.
REQUESTS_IN_FLIGHT: Final = 128
SESSION_BUFFER_BYTES: Final = 4 * MIB  # of messages that the peer does not take: then it is not read
IDLE_SECONDS: Final = 15 * 60  # with nothing in flight: a forgotten session is a door
SILENCE_SECONDS: Final = 60  # while a client asks something: then its server is as good as gone
QUIET_SECONDS: Final = 10  # after which whoever waits is told that there is no answer
FLUSHED_PER_SECOND: Final = 16 * MIB  # a disk that makes a large upload durable may need so long for it
SLOW_FRAME_BYTES: Final = 30 * KIB  # within a frame, at least this much …
SLOW_FRAME_SECONDS: Final = 30  # … each so many seconds: 1 KiB/s, below which a line is of no use
SESSION_CREDIT_CHUNKS: Final = 64  # 4 MiB: what one person may make the server buffer, and a session its client
# 2 MiB: measured, less slows one large transfer; two run at full speed.
TRANSFER_CREDIT_CHUNKS: Final = 32
OPEN_UPLOADS: Final = 16  # of one person; each may hold its first window beyond the credit: 8 MiB in all
OPEN_DOWNLOADS: Final = 64  # of one person; small files are asked for in dozens
# Granted back together; also a flow's batch: 0.5 MiB a hop to a thread.
CREDIT_STEP_CHUNKS: Final = 8
# Of one person, ended ones too: all of them fit a slot, and with their endorsements an answer. As many as a person added
# themselves leave room for as many resets: whoever had all of theirs, or a thief who took them, is let in again.
KEYS_MOST: Final = 64
VOUCHED_KEYS_MOST: Final = 32
ROLES_MOST: Final = (
    100  # that one person has had: beside KEYS_MOST keys, each ended, they fit a slot, or no key of theirs could end
)
ENDORSEMENT_BYTES: Final = KIB  # a statement of a few hundred characters
LIST_ENTRIES: Final = 500  # a page costs some milliseconds of a reader
NAMES_SCANNED: Final = 50_000  # of folders, that one search looks through: some 20 ms of a reader
SEARCH_EFFORT: Final = (
    60_000  # microseconds of a reader, about, that one search looks for files: through a million of names
)
SEARCH_WORDS: Final = 8  # of one search: each is looked for in each name
LIST_BYTES: Final = 60 * KIB  # a page is one frame
# What a client takes of a server that goes on and on: a gigabyte or so; and what others may add to a folder meanwhile.
LISTED_AT_ONCE: Final = 1_000_000
ADDED_MEANWHILE: Final = 10_000

# -- what one person may hold, and all of them ---------------------------------------------------------
SESSIONS_PER_PERSON: Final = 8  # two computers with a screen, a script and a mount each
READS_AT_ONCE: Final = 3  # of one person: both readers and one that waits, so that others wait for three at most
ACTS_AT_ONCE: Final = 128  # of one person: two groups of the writer
PERSON_REQUEST_BYTES: Final = 4 * MIB  # waiting for their answers: then this person's sessions are not read
REQUEST_BYTES: Final = 256 * MIB  # the same, of all people
RECEIVE_CREDIT_CHUNKS: Final = 4096  # 256 MiB in flight towards the server; each transfer keeps one chunk beyond it
# Of a session whose peer does not read: a frame in its transport, so much that was read ahead for downloads, and so much of
# answers: 1 MiB together.
READ_AHEAD_CHUNKS: Final = 8
ANSWER_BYTES: Final = 384 * KIB
FILES_ANSWER_BYTES: Final = 3 * CHUNK_BYTES  # small files of one answer: said in one leaf of the log, proved together
UNSENT_BYTES: Final = 512 * MIB  # of all sessions: beyond it the fullest ends
# Descriptors that are never a session's: database, vault, log, sockets and threads; and connections of the operator.
OWN_DESCRIPTORS: Final = 64
CONTROL_CONNECTIONS: Final = 16
SESSIONS_KEPT_FOR_ADMINS: Final = 8  # who can end the others

# -- the log ------------------------------------------------------------------------------------------
# Lines that strangers, refused requests or damage cause, of each kind: enough to see what goes on, 300 KB a minute at most.
LIMITED_LINES_PER_CAUSE: Final = 10
LIMITED_LINES: Final = 1000
LIMITED_LINES_SECONDS: Final = 60
# Refused logins are one leaf of the ledger an hour, whatever strangers do; it names those from whom most came.
LOGIN_FAILURES_SECONDS: Final = 3600
LOGIN_FAILURES_SOURCES: Final = 1000
LOGIN_FAILURES_NAMED: Final = 8
# Of a file whose index was made again: its slot stays small, and beyond these its older versions are left out.
LOST_VERSIONS_RANGES: Final = 64
LOGGED_TEXT: Final = 200  # characters of what a peer sent
LOG_JSON_BYTES: Final = 40 * KIB  # of one object, where it can be several: below those 48 KiB
LOG_LINE_CHARACTERS: Final = 16 * KIB  # systemd's journal cuts a line after 48 KiB; a character has four bytes at most

# -- files ----------------------------------------------------------------------------------------------
NAME_BYTES: Final = 255  # what the file systems of all clients take
# What macOS takes, and percent-encoded it fits into a comment of COMMENT_BYTES.
PATH_BYTES: Final = 1024
USER_NAME_BYTES: Final = 64  # a full name in any script, and a line of a list holds it
COMMENT_BYTES: Final = 4096  # stock minisign refuses more than 8,192
NOTE_BYTES: Final = MIB  # a signed note, as Go's reader takes it; and so many signatures
NOTE_SIGNATURES: Final = 100
FILE_BYTES: Final = 1 << 46  # 64 TiB: u64 offsets and 2^30 chunks stay far away
LOW_ROOM_BYTES: Final = (
    4 * GIB
)  # above the floor: some minutes of one fast upload, and the first warning; then at each half
ROOM_SECONDS: Final = 60  # how often that is looked at: one call of the file system
SPACE_STEP_BYTES: Final = 64 * MIB  # room is promised so far ahead of the data: an announced size alone takes nothing
# Of a content under a name of its own: what is sent again after a crash at most, made durable while the next one comes, and
# one plain request where objects lie elsewhere.
SEGMENT_CHUNKS: Final = 256
SEGMENT_BYTES: Final = SEGMENT_CHUNKS * CHUNK_BYTES
UPLOAD_RUNS: Final = 1000  # of one object, each under a data key of its own; 76 bytes each in the version's row
PARKED_SECONDS: Final = (
    600  # an upload that lost its connection goes on at its last chunk: a train's tunnel, a changed network
)
WORKING_SECONDS: Final = 10  # a client hears so often at least of an upload that is read again to go on
UPLOAD_SILENT_SECONDS: Final = 600  # an open upload that gets no byte for so long ends: it holds a file and room
KEPT_SECONDS: Final = 7 * 24 * 3600  # what was not finished: somebody was ill, or away
INLINE_OBJECT_BYTES: Final = 16 * KIB  # sealed size up to which an object lies in the database
FLOOR_BYTES: Final = 256 * MIB  # free space kept for the database: deleting works on a full disk
TRASH_DAYS: Final = 30  # a mistake is seen within a month of work; the operator's to change
VERSIONS_KEPT: Final = (
    10  # of a file with their contents: what changes daily goes back over two weeks of work; the operator's to change
)
EXPIRY_MOST_SECONDS: Final = 100 * 366 * 24 * 3600  # as far as anybody plans
EXPIRY_LOOK_SECONDS: Final = 60  # how often is looked what has expired: one search of an index
SCRUB_SECONDS: Final = (
    30 * 24 * 3600
)  # all contents are read so often: a copy that is kept for a month has yet what a disk lost
COLLECT_SECONDS: Final = 24 * 3600  # the trash is collected so often
KEPT_PAGES_BYTES: Final = 64 * MIB  # free within the database: room for the next small files without growing

# -- people -----------------------------------------------------------------------------------------------
INVITATION_SECONDS: Final = 2 * 24 * 3600  # over a night, and a day off
INVITATION_MOST_SECONDS: Final = 30 * 24 * 3600  # a link in a mailbox is a key to the server
RESET_LINK_SECONDS: Final = 24 * 3600  # one that lets somebody back in is asked for when it is needed
FIRST_ADMIN_SECONDS: Final = 24 * 3600  # that one makes an admin, and the operator can have another

# -- the ledger (sft/ledger) --------------------------------------------------------------------------------
LOG_LEAVES: Final = 1 << 40  # ten thousand acts a second for three years; no proof has more than 40 hashes a leaf
LEAF_SLOTS: Final = (
    512  # that one leaf changes, 41 bytes each: all folders of the longest path; pages of purging are shorter
)
RECORD_BYTES: Final = 64 * KIB  # of one part: as many versions as are received at once, with their statement

# -- what is proved (sft/model/evidence.py): together with its answer each fits one frame ------------------
# The last one rides with every answer, one of a page of hand-over until the next act.
LEAF_BYTES: Final = LEAF_SLOTS * 41 + KIB
SLOT_BYTES: Final = 8 * KIB  # a user with KEYS_MOST keys and ROLES_MOST roles
# A path of PATH_BYTES has 512 folders at most; the files of a batch, their authors and their folders: more fit no frame.
EVIDENCE_SLOTS: Final = 1024
STATE_TREES: Final = 8  # whose roots a leaf names: two today
EVIDENCE_HASHES: Final = 2048  # more fit no frame either; slots that were made together need some twenty
RESTARTS_PROVED: Final = 4  # of one answer: a file each from before as many; the leaf of one has some 4 KiB
LOG_HEADS_KEPT: Final = 4  # that one login proves; more are proved by the next ones
LOG_ENTRIES: Final = 100  # leaves of one page: with records of usual length some 60 KB, which is a frame
LOG_KINDS: Final = 64  # of leaves that one question names
LOG_SCANNED: Final = 500  # rows that one question looks through, whatever it asks for: 10 ms
PAGE_HASHES: Final = 1900  # that prove the leaves of a page together; more fit no frame
LOG_PROOF_HASHES: Final = 64  # inclusion or consistency, whatever the size of the log
HEAD_BYTES: Final = 8 * KIB  # the checkpoint, two signatures of the server's, and some witnesses'
STATEMENT_BYTES: Final = COMMENT_BYTES + 512  # a minisign signature, with the longest comment
JOIN_STATEMENT_BYTES: Final = 2 * KIB  # it names no path, and M4 is an early frame

# -- the writer -------------------------------------------------------------------------------------------
# 42 µs an act beside some ms of a synced commit: more gain nothing, and wait longer.
GROUP_ACTS: Final = 64
GROUP_BYTES: Final = 16 * MIB  # bounds memory, and the write-ahead log of one transaction

# -- witnesses (sft/ledger/policy.py, sft/witness, sft/server/witnesses.py) ---------------------------------
# 64 logs and 64 witnesses, 2 KiB each with a key of ML-DSA-44: C2SP asks for 32 of each.
POLICY_BYTES: Final = 256 * KIB
# 63 hashes, and a note of the 16 signatures of 5 kB that C2SP has a verifier take.
ADD_CHECKPOINT_BYTES: Final = 128 * KIB
WITNESS_CONNECTIONS: Final = 64  # a log needs one for a moment; those of strangers are worth 32 MiB at most
WITNESS_CONNECTION_BYTES: Final = 512 * KIB  # received on one: some dozens of requests of a log that keeps it open
WITNESS_CONNECTION_SECONDS: Final = 60  # absolute, so that nobody holds one by a byte a minute
WITNESS_LOOK_SECONDS: Final = 10  # a server looks so often whether there is a newer head to be cosigned
SUBMIT_SECONDS: Final = 10  # for one request: a line to another continent, and a disk there
WITNESS_PAUSE_SECONDS: Final = 3600  # the longest until a witness that failed is asked again
COSIGN_AGAIN_SECONDS: Final = 6 * 3600  # a head that nothing follows: clients want a cosignature of today
COSIGNED_BYTES: Final = (
    32 * KIB
)  # what a login has of cosignatures: nine witnesses with both keys, beside a leaf of any size
UNWITNESSED_SECONDS: Final = 24 * 3600  # then a client says that a log has no quorum of its witnesses

# -- the health page (sft/server/health_page.py) ------------------------------------------------------------
HEALTH_CONNECTIONS: Final = 16  # of programs of this computer: each asks now and then
HEALTH_CONNECTION_SECONDS: Final = 300  # a program that asks every quarter of a minute keeps its connection for a while
HEALTH_CONNECTION_BYTES: Final = 64 * KIB  # a hundred requests

# -- hooks (sft/server/hooks.py) ----------------------------------------------------------------------------
HOOKS_MOST: Final = 16  # each may take a thread and a process while it is slow
HOOK_SECONDS: Final = 10  # for one delivery, unless told: who has more to do takes it over and answers
HOOK_SECONDS_MOST: Final = 300
HOOK_PAUSE_SECONDS: Final = (
    600  # the longest until what failed is tried again: a receiver that is mended waits no longer
)
HOOK_FAILURES_SAID: Final = 3  # in a row: then the health page says so; a receiver that restarts has fewer
HOOK_KEEP_SECONDS: Final = 1  # what was delivered since is delivered again after a crash; each keeping is a commit
HOOK_PAGE: Final = 32  # leaves that are read at once, of 144 KiB at most each
HOOK_OUTPUT_BYTES: Final = 2 * KIB  # that are read of what a program prints, or a receiver answers
EVENT_BYTES: Final = MIB  # one event as it is delivered: leaf, both parts of its record, twice, and the proof
