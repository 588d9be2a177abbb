"""What is kept when a server shows another key than the pinned one: the key, and the proof of having it.

    evidence/<pinned server id>-<shown key>.txt     lines of a name and a value, then nothing

Rules. The first sight of a key is kept, and later ones change nothing; after twenty keys no more are: whoever stands in
between may show a new one each time. The proof is a signature over the hellos of that one
connection (PROTOCOL.md §6): it shows later who could have answered, and it may be false, which is kept too. That the evidence
cannot be written changes nothing about the stop.
"""

from __future__ import annotations

from typing import Final

from sft.client.profiles import Profile
from sft.client.state import StateFolder
from sft.crypto.keys import ServerPublic
from sft.crypto.signatures import verify_server_hello
from sft.errors import ClientError, CryptoError, ServerKeyChangedError
from sft.model.text import utc_time

_ID_DIGITS: Final = 16
_MOST_KEYS: Final = 20


def keep_evidence(
    state: StateFolder, profile: Profile, stop: ServerKeyChangedError, *, now: int
) -> ServerKeyChangedError:
    """Write down what the server has shown (blocks); return the stop with both keys, and the file that keeps it."""
    pinned = profile.server.words()
    try:
        point = bytes.fromhex(str(stop.values["shown_key"]))
        transcript = bytes.fromhex(str(stop.values["transcript"]))
        signature = bytes.fromhex(str(stop.values["signature"]))
    except KeyError:  # it did not come so far: there is no proof
        return stop
    shown = ServerPublic(point)
    seen = ServerKeyChangedError(stop.detail, server=profile.name, shown=shown.words(), pinned=pinned)
    name = f"evidence/{profile.server_id.hex()[:_ID_DIGITS]}-{point.hex()[:_ID_DIGITS]}.txt"
    lines = [
        ("sft-evidence", "1"),
        ("seen-at", utc_time(now)),
        ("server", f"{profile.server_name} at {profile.address}"),
        ("pinned-key", profile.server_key.hex()),
        ("pinned-words", pinned),
        ("shown-key", point.hex()),
        ("shown-words", shown.words()),
        ("hellos-sha512", transcript.hex()),
        ("signature", signature.hex()),
        ("signature-holds", "yes" if _holds(shown, transcript, signature) else "no"),
    ]
    text = "".join(f"{name} {value}\n" for name, value in lines)
    try:
        if state.read(name) is None:
            if _kept(state, name) >= _MOST_KEYS:
                return seen
            state.write(name, text.encode())
    except ClientError:
        return seen
    seen.values["evidence"] = str(state.path(name))
    return seen


def _kept(state: StateFolder, name: str) -> int:
    path = state.path(name)
    server = path.name.partition("-")[0]
    return sum(1 for _ in path.parent.glob(f"{server}-*.txt"))


def _holds(shown: ServerPublic, transcript: bytes, signature: bytes) -> bool:
    try:
        verify_server_hello(shown, transcript, signature)
    except CryptoError:
        return False
    return True
