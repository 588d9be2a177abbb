"""Every limit of wire, vault and sessions, each with its reason. Sizes in bytes, times in seconds."""

from typing import Final

KIB: Final = 1024
MIB: Final = 1024 * KIB
GIB: Final = 1024 * MIB

# -- frames (sft/wire/PROTOCOL.md) ----------------------------------------------------------------
CHUNK_BYTES: Final = (
    64 * KIB
)  # wire and vault map one to one; larger boxes fall off malloc's fast path
FRAME_OVERHEAD_BYTES: Final = KIB  # box tag, type, request id and small fields
FRAME_BYTES: Final = CHUNK_BYTES + FRAME_OVERHEAD_BYTES
EARLY_FRAME_BYTES: Final = 4 * KIB  # nobody has proved anything yet
EARLY_TOTAL_BYTES: Final = 16 * KIB
SMALL_FILE_BYTES: Final = 60 * KIB  # content, fields and signature in one frame
REKEY_BYTES: Final = GIB  # one-way ratchet of a direction's key
REKEY_SECONDS: Final = 3600
SESSION_SECONDS: Final = 24 * 3600  # a new handshake heals what a stolen key could read

# -- before login -----------------------------------------------------------------------------------
LOGIN_SECONDS: Final = 20  # absolute, from the first byte to M5
UNAUTHENTICATED: Final = 1024
UNAUTHENTICATED_PER_SOURCE: Final = 32  # per /32, or /64 of IPv6
PENALTY_CRASH_SECONDS: Final = 90  # broke the protocol
PENALTY_LOGIN_SECONDS: Final = 5  # a login that did not hold
PENALTY_SILENT_SECONDS: Final = 1  # went away without one
PENALTY_COUNTS_SECONDS: Final = 15  # below this sum nobody is refused
PENALTY_MOST_SECONDS: Final = 600
PENALTY_SOURCES: Final = 65_536

# -- a session ----------------------------------------------------------------------------------------
REQUESTS_IN_FLIGHT: Final = 128
SESSION_BUFFER_BYTES: Final = 4 * MIB  # then the session is paused
IDLE_SECONDS: Final = 15 * 60  # with nothing in flight
SLOW_FRAME_BYTES: Final = 30 * KIB  # within a frame, at least this much each
SLOW_FRAME_SECONDS: Final = 30  # so many seconds: 1 KiB/s
SESSION_CREDIT_CHUNKS: Final = 64
TRANSFER_CREDIT_CHUNKS: Final = 32
OPEN_UPLOADS: Final = 16  # each may hold its first window beyond the session's credit: 8 MiB in all
OPEN_DOWNLOADS: Final = 64  # small files are asked for in dozens; each holds two batches at most
CREDIT_STEP_CHUNKS: Final = 8  # granted back together; also a lane's batch
LIST_ENTRIES: Final = 500
LIST_BYTES: Final = 60 * KIB

# -- files ----------------------------------------------------------------------------------------------
NAME_BYTES: Final = 255
PATH_BYTES: Final = 1024
USER_NAME_BYTES: Final = 64
COMMENT_BYTES: Final = 4096  # stock minisign refuses more than 8,192
FILE_BYTES: Final = 1 << 46  # 64 TiB: u64 offsets and 2^30 chunks stay far away
UNKNOWN_SIZE_STEP_BYTES: Final = 64 * MIB  # standard input reserves this much at a time
INLINE_OBJECT_BYTES: Final = 16 * KIB  # sealed size up to which an object lies in the database
FLOOR_BYTES: Final = 256 * MIB  # free space kept for the database: deleting works on a full disk
TRASH_SECONDS: Final = 30 * 24 * 3600

# -- people -----------------------------------------------------------------------------------------------
INVITATION_SECONDS: Final = 2 * 24 * 3600
INVITATION_MOST_SECONDS: Final = 30 * 24 * 3600
FIRST_ADMIN_SECONDS: Final = 24 * 3600

# -- the writer -------------------------------------------------------------------------------------------
GROUP_ACTS: Final = 64
GROUP_BYTES: Final = 16 * MIB
