"""What a witness does with a request: compare, persist, cosign; one at a time.

Rules. Between comparing and persisting no other request comes in (tlog-witness): the lock is over both, and over the whole
witness, for a cosignature takes a millisecond and a disk no longer for one log than for another. What the disk did not confirm
is not answered and ends the witness: its next start reads what the disk has. May be called from any thread.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from sft.crypto.note_keys import CosignerKey
from sft.ledger.add_checkpoint import AddCheckpoint, answer, cosign, judge
from sft.ledger.policy import Policy
from sft.witness.cosigned import CosignedCheckpoints


class Cosigner:
    """A witness without its HTTP.

    Args:
        logs: the logs that it witnesses, by their keys.
        clock: Unix seconds.
    """

    def __init__(
        self, cosigners: Sequence[CosignerKey], records: CosignedCheckpoints, logs: Policy, clock: Callable[[], int]
    ) -> None:
        self._cosigners = cosigners
        self._records = records
        self._logs = logs
        self._clock = clock
        self._lock = threading.Lock()
        self._given_up = False

    def add_checkpoint(self, body: bytes) -> bytes:
        """Cosign the checkpoint of a request, and return the answer: signature lines.

        Raises:
            CheckpointRefusedError: it is not cosigned.
            OSError: it could not be kept, and nobody knows what the disk has: the witness must end.
        """
        request = AddCheckpoint.parse(body)
        origin = request.head.origin
        with self._lock:
            judged = judge(request, self._logs.keys_of(origin), self._records.latest(origin))
            cosigned = cosign(judged, self._cosigners, timestamp=self._clock())
            if self._given_up:
                raise OSError("the disk has not confirmed a checkpoint")
            try:
                self._records.keep(origin, cosigned)
            except OSError:
                self._given_up = True
                raise
        return answer(cosigned.signatures[len(judged.signatures) :])

    def newest(self, name: str) -> bytes | None:
        """Return the checkpoint that was cosigned last, by the hash of its log's origin; None where there is none."""
        with self._lock:
            note = self._records.note(name)
        return None if note is None else note.encode().encode("utf-8")
