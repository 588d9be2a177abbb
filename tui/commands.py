r"""What is done here, as the `sft` command that does the same: pure, one function for each act of the gateway and the queue.

Rules. A function has the arguments of what it stands for, and none of them that is secret gets into a command: links and
passphrases are asked for by the command itself. A text of a peer or a disk is one quoted word, whatever it holds, and
printable: what is odd in it stands as bytes that a shell reads (``$'\xe2\x80\xae'``). A name that begins with ``-`` stands
behind ``--``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from sft.client.transfers.progress import Report
from sft.client.transfers.queue.job import Decision, Direction, Failure, Job
from sft.client.transfers.queue.run import beside_path
from sft.crypto.keys import PublicKey
from sft.errors import LocalExistsError
from sft.model.access import Role
from sft.model.links import Link
from sft.model.quotas import NO_LIMIT, limit_text
from sft.model.records import FileSeen, KeyEnd, TrashSeen
from sft.model.sizes import typed_size
from sft.model.text import count_text, shell_word, shown_name

_LONGEST: Final = 4000  # characters of a command; what is longer nobody types, and a log of them would not be small
_DECIDED: Final = 20  # that have a command each
_SPANS: Final = ((86_400, "d"), (3600, "h"), (60, "m"))


@dataclass(frozen=True, slots=True)
class CommandLine:
    """One command.

    Args:
        words: behind ``sft``, as a shell hands them on; empty where no command does it.
        tail: what a shell does besides; written by us alone.
        remark: what is to be said of it.
        of_server: it asks the server in use, so it may have to be told which.
    """

    words: tuple[str, ...] = ()
    tail: str = ""
    remark: str = ""
    of_server: bool = True

    def text(self, profile: str = "") -> str:
        """Write it so that a shell can read it.

        Args:
            profile: of the server, where it is not the one that is used when none is named.
        """
        comment = f"# {self.remark}" if self.remark else ""
        if not self.words:
            return comment
        named = ("--profile", profile) if profile and self.of_server else ()
        line = " ".join(["sft", *map(shell_word, (*named, *self.words)), *filter(None, [self.tail])])
        if len(line) > _LONGEST:
            return f"# sft {self.words[0]}: more names than fit into one command"
        return f"{line}  {comment}" if comment else line


def _command(words: Sequence[str], names: Sequence[str], options: Sequence[str] = ()) -> CommandLine:
    """Put names behind the words of a command, and options where they cannot be taken for names."""
    if any(name.startswith("-") for name in names):
        return CommandLine((*words, *options, "--", *names))
    return CommandLine((*words, *names, *options))


def _option(name: str, value: str) -> tuple[str, ...]:
    """Return an option with its value; what begins with ``-`` is no other option."""
    return (f"{name}={value}",) if value.startswith("-") else (name, value)


# -- files ------------------------------------------------------------------------------------------------


def write_proof(path: str, to: Path, *, report: Report | None = None) -> CommandLine:
    del report
    return _command(["proof"], [path], _option("--to", str(to)))


def make_folder(path: str) -> CommandLine:
    return _command(["mkdir"], [path])


def move(old: str, new: str) -> CommandLine:
    return _command(["mv"], [old, new])


def change_owner(path: str, owner: str) -> CommandLine:
    return _command(["owner"], [owner, path], ["--yes"])


def delete(path: str, *, recursive: bool = False, seen: FileSeen | None = None) -> CommandLine:
    del seen
    return _command(["rm"], [path], ["-r"] if recursive else [])


def restore(path: str, seen: TrashSeen) -> CommandLine:
    del seen
    return _command(["restore"], [path])


def set_expiry(path: str, file_id: bytes, expires_at: int | None) -> CommandLine:
    del file_id
    if expires_at is None:
        return _command(["expire"], [path], ["--never"])
    return CommandLine(remark=f"{shown_name(path)} goes to the trash by itself: sft expire NAME --in TIME")


def restore_version(path: str, number: int) -> CommandLine:
    return _command(["restore"], [path], ["--version", str(number)])


def destroy_version(path: str, file_id: bytes, number: int) -> CommandLine:
    del file_id
    return _command(["rm"], [path], ["--version", str(number), "--yes"])


def destroy_trashed(path: str, seen: TrashSeen) -> CommandLine:
    del seen
    return _command(["rm"], [path], ["--trash", "--yes"])


# -- people -----------------------------------------------------------------------------------------------


def change_role(name: str, role: Role) -> CommandLine:
    return _command(["role"], [name, role.value])


def disable(name: str) -> CommandLine:
    return _command(["disable"], [name])


def enable(name: str) -> CommandLine:
    return _command(["enable"], [name])


def remove(name: str, files_to: str) -> CommandLine:
    return _command(["remove"], [name], _option("--files-to", files_to))


def change_quota(name: str, size_bytes: int | None, files: int | None) -> CommandLine:
    limits = ["--bytes", _typed(size_bytes), "--files", limit_text(files)]
    return _command(["quota", "set"], [name], limits)


def _typed(size_bytes: int | None) -> str:
    is_number = size_bytes is not None and size_bytes != NO_LIMIT
    return typed_size(size_bytes) if is_number and size_bytes is not None else limit_text(size_bytes)


def invite(*, role: Role, name: str | None, seconds: int) -> CommandLine:
    user = () if name is None else _option("--user", name)
    return CommandLine(("invite", *user, "--role", role.value, "--expires", _span(seconds)))


def _span(seconds: int) -> str:
    unit, letter = next((unit, letter) for unit, letter in _SPANS if seconds % unit == 0)
    return f"{seconds // unit}{letter}"


def offer_reset(name: str, reason: KeyEnd, cut_off: int = 0) -> CommandLine:
    stolen = ["--stolen-since", str(cut_off)] if reason is KeyEnd.COMPROMISED else []
    return _command(["reset-key"], [name], [*stolen, "--yes"])


def withdraw(invitation_id: int) -> CommandLine:
    return CommandLine(("invite", "withdraw", str(invitation_id)))


def kick(session_id: int) -> CommandLine:
    return CommandLine(remark=f"session {session_id} ended: at the server that is sftd session kick {session_id}")


# -- one's own keys ---------------------------------------------------------------------------------------


def device_link() -> CommandLine:
    return CommandLine(("key", "device", "link"))


def add(public_key: PublicKey, device: str) -> CommandLine:
    return _command(["key", "device", "add"], [public_key.text()], _option("--device", device))


def revoke(public_key: bytes, reason: KeyEnd, cut_off: int = 0) -> CommandLine:
    stolen = ["--stolen-since", str(cut_off)] if reason is KeyEnd.COMPROMISED else []
    return _command(["key", "device", "revoke"], [PublicKey.decode(public_key).text()], stolen)


def rotate(passphrase: str | None) -> CommandLine:
    del passphrase
    return CommandLine(("key", "rotate"))


def change_passphrase(old: str | None, new: str | None) -> CommandLine:
    del old, new
    return CommandLine(("key", "passphrase"))


def unlock(passphrase: str, seconds: int) -> CommandLine:
    del passphrase
    return CommandLine(("unlock", "--for", _span(seconds)))


def lock() -> CommandLine:
    return CommandLine(("lock",), of_server=False)


# -- servers ----------------------------------------------------------------------------------------------


def join(link: Link, *, user_name: str, device: str, passphrase: str | None) -> CommandLine:
    del link
    unprotected = [] if passphrase else ["--no-passphrase"]
    words = ("join", *_option("--user", user_name), *_option("--device", device), *unprotected)
    return CommandLine(words, remark="asks for the invitation", of_server=False)


def set_first(account: str) -> CommandLine:
    return _of_accounts("default", account)


def set_address(account: str, address: str) -> CommandLine:
    return _of_accounts("address", account, address)


def set_policy(account: str, file: str) -> CommandLine:
    return _of_accounts("policy", account, file)


def accept_link(account: str, link: str) -> CommandLine:
    del link
    found = _of_accounts("link", account)
    return CommandLine(found.words, remark="asks for the server link", of_server=False)


def forget(account: str) -> CommandLine:
    return _of_accounts("forget", account)


def _of_accounts(act: str, *names: str) -> CommandLine:
    return CommandLine(_command(["servers", act], names).words, of_server=False)


# -- transfers --------------------------------------------------------------------------------------------


def transfer(job: Job) -> CommandLine:
    """What a whole job does, with nothing decided yet."""
    if job.direction is Direction.PUT:
        safe_names = ["--safe-names"] if job.safe_names else []
        return _command(["put"], job.names, [*(_option("--to", job.to) if job.to else ()), *safe_names, *_expires(job)])
    if job.direction is Direction.GET:
        return _command(["get"], job.names, [*_option("--to", job.to), *_version(job)])
    # No command reads without keeping: whoever wants that deletes the folder. A leading slash is dropped at the server.
    names = [f"/{name}" if name.startswith("-") else name for name in job.names]
    return CommandLine(("get", *names), tail='--to "$(mktemp -d)"', remark="verified, and kept in a new folder")


def decided(job: Job, decisions: Sequence[tuple[Failure, Decision]], user: str, now: float) -> list[CommandLine]:
    """What a person decided of what was in the way, each as a command of its own while they are few."""
    done = [(failure, decision) for failure, decision in decisions if decision is not Decision.SKIP]
    if any(decision is Decision.SAFE_NAME for _, decision in done):
        to = _option("--to", job.to) if job.to else ()
        return [_command(["put"], job.names, [*to, "--safe-names", *_expires(job)])]
    if len(done) > _DECIDED:
        return [CommandLine(remark=f"{count_text(len(done))} names decided, each as the one before them")]
    one = _put_decided if job.direction is Direction.PUT else _get_decided
    return [one(job, failure, decision, user, now) for failure, decision in done]


def _put_decided(job: Job, failure: Failure, decision: Decision, user: str, now: float) -> CommandLine:
    if decision is Decision.BESIDE:
        beside = _option("--as", beside_path(failure.place, user, now))
        return _command(["put"], [failure.name], [*beside, *_expires(job)])
    seen = failure.seen
    replacing = ["--if-version", str(seen.version)] if seen.version else ["--replace"]
    return _command(["put"], [failure.name], [*_option("--as", failure.place), *replacing, *_expires(job)])


def _expires(job: Job) -> list[str]:
    return ["--expires", _span(job.expires_seconds)] if job.expires_seconds else []


def _get_decided(job: Job, failure: Failure, decision: Decision, user: str, now: float) -> CommandLine:
    del user, now
    local = str(failure.values["path"]) if failure.code == LocalExistsError.code else ""
    place = local or str(Path(job.to) / PurePosixPath(failure.place).name)
    if decision is Decision.BESIDE:
        return _command(
            ["get"], [failure.place], [*_option("--to", str(Path(place).parent)), "--keep-both", *_version(job)]
        )
    return _command(["get"], [failure.place], [*_option("--as", place), "--force", *_version(job)])


def _version(job: Job) -> list[str]:
    return ["--version", str(job.version)] if job.version else []
