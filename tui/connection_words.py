"""What is said of the connection: one table of words for its status, and the sentences that name servers and times.

Rules. Header, lists, message line and reasons take their words from here. Texts are harmless.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sft.client.connection_info import ConnectionInfo, Status
from sft.errors import ConnectionLostError, LedgerError, UnreachableError
from sft.model.text import clock_text, count_text, shown_name
from tui.gateway import Account
from tui.messages import Notification, Severity
from tui.text import error_text, shown


@dataclass(frozen=True, slots=True)
class StatusWords:
    """Words for one status.

    Args:
        header: beside the account, in the first line.
        state, tone: in the list of servers.
        absence: in place of the server's folder.
        reason: why nothing can be asked of the server.
        about: beside the list of servers.
    """

    header: str = ""
    state: str = ""
    tone: str = "muted"
    absence: str = ""
    reason: str = ""
    about: str = ""


_NO_ANSWER: Final = frozenset({UnreachableError.code, ConnectionLostError.code})

STATUS_WORDS: Final = {
    Status.NONE: StatusWords(
        absence="No server is in use: 6 shows how to join one.", reason="No server is in use: 6 shows those you joined."
    ),
    Status.CONNECTING: StatusWords(
        header="connecting",
        state="connecting",
        absence="Connecting…",
        reason="The server has not answered yet.",
        about="Connecting.",
    ),
    Status.LOCKED: StatusWords(
        header="locked",
        state="locked",
        tone="doubt",
        absence="Your key is locked: 6, then enter, opens it.",
        reason="Your key is locked: 6, then enter, opens it.",
        about="Your key is locked: enter asks for its passphrase.",
    ),
    Status.ONLINE: StatusWords(state="connected", tone="good"),
    Status.AWAY: StatusWords(
        header="away",
        state="no answer",
        tone="doubt",
        absence="The server does not answer.",
        reason="The server does not answer just now.",
    ),
    Status.REFUSED: StatusWords(
        header="refused",
        state="lets you in no more",
        tone="bad",
        absence="The server does not let this key in.",
        reason="The server does not let this key in.",
    ),
    Status.STOPPED: StatusWords(
        header="STOP",
        state="STOP: another key",
        tone="bad",
        absence="The server shows another key. Nothing was sent.",
        reason="The server shows another key than the pinned one.",
        about="STOP: it shows another key than the pinned one. Nothing was sent. Enter says more.",
    ),
}
_LOG_STOPPED: Final = StatusWords(
    header="STOP",
    state="STOP: its log",
    tone="bad",
    absence="The server's log contradicts what it proved. Nothing of it is used.",
    reason="The server's log contradicts what it proved: nothing is asked of it any more.",
    about="STOP: its log contradicts what it proved. Nothing of it is used. Enter says more.",
)


def words_of(connection: ConnectionInfo) -> StatusWords:
    """Return the words for how an account stands; a stop for its log is another than one for its key."""
    stopped = connection.status is Status.STOPPED and isinstance(connection.error, LedgerError)
    return _LOG_STOPPED if stopped else STATUS_WORDS[connection.status]


def status_of(account: Account, connection: ConnectionInfo) -> Status:
    """Return how an account stands; one that is not in use has no status."""
    return connection.status if connection.account == account.name else Status.NONE


def state_of(account: Account, connection: ConnectionInfo) -> str:
    """Return how an account stands, in a word or two."""
    status = status_of(account, connection)
    has_cause = status is Status.AWAY and any(_cause(connection, 0.0))
    if has_cause:
        return "not connected"
    return STATUS_WORDS[status].state if status is Status.NONE else words_of(connection).state


def about_connection(account: Account, connection: ConnectionInfo, now: float) -> tuple[str, str]:
    """Return what stands beside the list of how an account is connected, and its tone."""
    if not account.joined:
        return ("Joining was not finished. Paste the same invitation again: it goes on with this key.", "doubt")
    status = status_of(account, connection)
    words = STATUS_WORDS[status] if status is Status.NONE else words_of(connection)
    error = error_text(connection.error, now) if connection.error else None
    name = shown(shown_name(account.user))
    if status is Status.ONLINE:
        text = f"Connected as {name} since {clock_text(connection.since)[:5]}."
    elif status is Status.AWAY:
        text = f"{error[0] if error else 'No answer.'} It is tried again by itself; R tries now."
    elif status is Status.REFUSED:
        text = f"{error[0]} {error[1]}." if error else "."
    else:
        text = words.about or f"Not in use. Enter connects you as {name}."
    return text, words.tone


def absence_of(connection: ConnectionInfo, now: float) -> str:
    """Return what stands in place of the server's folder; empty while requests can be sent."""
    if connection.online:
        return ""
    cause = _cause(connection, now)[0]
    return f"{cause}\nIt is tried again by itself; R tries now." if cause else words_of(connection).absence


def reason_of(connection: ConnectionInfo, now: float) -> str:
    """Return why nothing can be asked of the server."""
    return _cause(connection, now)[0] or words_of(connection).reason


def alarm_of(connection: ConnectionInfo, unfinished: int, now: float) -> Notification | None:
    """Return what stands in the message line while something is wrong; ``unfinished`` transfers wait for it."""
    if connection.status is Status.AWAY:
        step = _waiting(unfinished) or _cause(connection, now)[1]
        return Notification(_away(connection, now), Severity.WARNING, step)
    if connection.online and connection.silent_since is not None:
        since = clock_text(connection.silent_since)
        return Notification(
            f"{shown(connection.server)} says nothing since {since}; it may be busy.",
            Severity.WARNING,
            "R connects anew: what runs goes on after it, nothing is lost",
        )
    if connection.online and connection.policy_error is not None:
        message, step = error_text(connection.policy_error, now)
        return Notification(message, Severity.WARNING, step)
    if connection.status in {Status.REFUSED, Status.STOPPED} and connection.error is not None:
        message, step = error_text(connection.error, now)
        return Notification(message, Severity.ERROR, step)
    return None


def _cause(connection: ConnectionInfo, now: float) -> tuple[str, str]:
    """Return what else than silence keeps us away, and its next step: the server's refusal, or what is wrong here."""
    error = connection.error
    is_away = connection.status is Status.AWAY
    return error_text(error, now) if is_away and error is not None and error.code not in _NO_ANSWER else ("", "")


def _away(connection: ConnectionInfo, now: float) -> str:
    since = f"{shown(connection.server)} does not answer since {clock_text(connection.since)}"
    message = _cause(connection, now)[0].removesuffix(".") or since
    seconds = 0 if connection.again_at is None else max(round(connection.again_at - now), 0)
    return f"{message}; again in {seconds} s (R now)." if seconds else f"{message}; trying again."


def _waiting(unfinished: int) -> str:
    if not unfinished:
        return ""
    many = f"{unfinished} transfers wait" if unfinished > 1 else "1 transfer waits"
    return f"{many}; nothing partial is visible."


def back_again(connection: ConnectionInfo, unfinished: int) -> str:
    """Return the sentence for a lost server that answers again."""
    name = shown(connection.server)
    if not unfinished:
        return f"{name} is back."
    return f"{name} is back; {count_text(unfinished)} transfer{'s go' if unfinished > 1 else ' goes'} on."
