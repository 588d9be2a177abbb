"""What is kept when a server shows what it must not: another key than the pinned one, or a log that contradicts itself.

    evidence/<server id>-key-<shown key>.txt    both keys, and the proof of having the one that was shown
    evidence/<server id>-log-<digest>.txt       what was known, what was shown, as it came; the same again has the same name

Rules. A file is lines of a name and a value, then what was shown, each under its title. What is kept stays as it is, and of one
server twenty of each: whoever lies may do so each time. That it cannot be written changes nothing about the stop.
The proof of a key is a signature over the hellos of that one connection (PROTOCOL.md §6): it shows later who could have
answered, and it may be false, which is kept too. Everything here blocks.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Final

from sft.client.profiles import Profile
from sft.client.state import StateFolder, name_of_server
from sft.crypto.keys import ServerPublic
from sft.crypto.signatures import verify_server_hello
from sft.errors import ClientError, CryptoError, LedgerError, ServerKeyChangedError
from sft.model.text import utc_time

_KEY_DIGITS: Final = 16
_MOST: Final = 20


def keep_key(state: StateFolder, profile: Profile, stop: ServerKeyChangedError, *, now: int) -> ServerKeyChangedError:
    """Write down which key a server has shown; return the stop with both keys, and the file that keeps it."""
    pinned = profile.server.words()
    try:
        point = bytes.fromhex(str(stop.values["shown_key"]))
        transcript = bytes.fromhex(str(stop.values["transcript"]))
        signature = bytes.fromhex(str(stop.values["signature"]))
    except KeyError:  # it did not come so far: there is no proof
        return stop
    shown = ServerPublic(point)
    seen = ServerKeyChangedError(stop.detail, server=profile.name, shown=shown.words(), pinned=pinned)
    facts = [
        ("pinned-key", profile.server_key.hex()),
        ("pinned-words", pinned),
        ("shown-key", point.hex()),
        ("shown-words", shown.words()),
        ("hellos-sha512", transcript.hex()),
        ("signature", signature.hex()),
        ("signature-holds", "yes" if _holds(shown, transcript, signature) else "no"),
    ]
    kept = _keep(state, profile, "key", point.hex()[:_KEY_DIGITS], facts, now=now)
    if kept is not None:
        seen.values["evidence"] = kept
    return seen


def keep_log(
    state: StateFolder, profile: Profile, error: LedgerError, exhibits: Iterable[tuple[str, str]], *, now: int
) -> str | None:
    """Write down how a server's log contradicts itself; return the path of the file, None where it could not be kept.

    Args:
        exhibits: what each is, and its text as it came.
    """
    facts = [("server-key", profile.server_key.hex()), ("what", f"{error.code}: {error.detail or error.code}")]
    shown = list(exhibits)
    which = hashlib.sha256(repr((facts, shown)).encode("utf-8", "backslashreplace")).hexdigest()[:_KEY_DIGITS]
    return _keep(state, profile, "log", which, facts, shown, now=now)


def _keep(
    state: StateFolder,
    profile: Profile,
    kind: str,
    which: str,
    facts: Sequence[tuple[str, str]],
    exhibits: Iterable[tuple[str, str]] = (),
    *,
    now: int,
) -> str | None:
    begin = f"{name_of_server(profile.server_id)}-{kind}-"
    name = f"evidence/{begin}{which}.txt"
    lines = [
        ("sft-evidence", "1"),
        ("seen-at", utc_time(now)),
        ("server", f"{profile.server_name} at {profile.address}"),
        *facts,
    ]
    text = "".join(f"{title} {value}\n" for title, value in lines)
    text += "".join(f"\n-- {title}\n{shown}" + ("" if shown.endswith("\n") else "\n") for title, shown in exhibits)
    try:
        if state.read(name) is None:
            if sum(each.startswith(begin) for each in state.names("evidence")) >= _MOST:
                return None
            state.write(name, text.encode("utf-8", "backslashreplace"))
    except ClientError:
        return None
    return str(state.path(name))


def _holds(shown: ServerPublic, transcript: bytes, signature: bytes) -> bool:
    try:
        verify_server_hello(shown, transcript, signature)
    except CryptoError:
        return False
    return True
