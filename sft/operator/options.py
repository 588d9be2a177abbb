"""The operator's subcommands as twistd's options: words and arguments in, a command's module out.

Rules. A command's module is loaded when it runs, never before: twistd reads this one for every command. Each leaf runs in
``postOptions`` and leaves with its exit status.
"""

from __future__ import annotations

import getopt
from importlib import import_module
from itertools import zip_longest
from typing import Any, ClassVar

from twisted.python import usage

JSON = ["json", None, "print one JSON document"]


class Leaf(usage.Options):
    """A subcommand that does something.

    ``arguments`` names what must follow it, in brackets what may, ``runs`` is ``module:function`` below ``sft.operator``:
    ``async (command) -> status``.
    """

    arguments: ClassVar[tuple[str, ...]] = ()
    runs: ClassVar[str] = ""
    optFlags: ClassVar[list[list[Any]]] = [JSON]

    def parseOptions(self, options: Any = None) -> None:
        """Take options before and after the arguments, as people type them; Twisted's own stops at the first argument."""
        own: Any = self  # Twisted's tables of this command's options
        try:
            given, arguments = getopt.gnu_getopt(list(options or []), own.shortOpt, own.longOpt)
        except getopt.GetoptError as error:
            raise usage.UsageError(str(error)) from error
        valued = {f"--{name[:-1]}" for name in own.longOpt if name.endswith("=")}
        words = [f"{name}={value}" if name in valued else f"{name}{value}" for name, value in given]
        super().parseOptions([*words, "--", *arguments])  # type: ignore[no-untyped-call]

    def parseArgs(self, *given: str) -> None:
        needed = [name for name in self.arguments if not name.startswith("[")]
        if not len(needed) <= len(given) <= len(self.arguments):
            wanted = " ".join(self.arguments) or "no argument"
            raise usage.UsageError(f"this takes {wanted}")
        for name, value in zip_longest(self.arguments, given, fillvalue=""):
            self[name.strip("[]")] = value

    def postOptions(self) -> None:
        module, _, function = self.runs.partition(":")
        work = getattr(import_module(f"sft.operator.{module}"), function)
        options = outermost(self)
        raise SystemExit(options.run_command(options.home, work, self))


def outermost(options: Any) -> Any:
    """Return the options of ``twistd sft`` itself, which know the home and how a command is run."""
    while options.parent is not None and not hasattr(type(options), "home"):
        options = options.parent
    return options


def _leaf(
    runs: str, *arguments: str, flags: tuple[list[Any], ...] = (), parameters: list[Any] | None = None
) -> type[Leaf]:
    """Return the options of one leaf: what it runs, what must follow it, and what may."""
    fields = {"runs": runs, "arguments": arguments, "optFlags": [JSON, *flags], "optParameters": parameters or []}
    return type("Leaf", (Leaf,), fields)


class UserOptions(usage.Options):
    """Options of ``user``."""

    subCommands: ClassVar[list[list[Any]]] = [
        ["list", None, _leaf("people:list_users"), "who is here"],
        ["show", None, _leaf("people:show_user", "NAME"), "one person, with keys"],
        ["role", None, _leaf("people:change_role", "NAME", "ROLE"), "give a role"],
        ["disable", None, _leaf("people:disable", "NAME"), "lock out, keeping everything"],
        ["enable", None, _leaf("people:enable", "NAME"), "let in again"],
        [
            "remove",
            None,
            _leaf(
                "people:remove",
                "NAME",
                flags=(["yes", None, "do not ask"],),
                parameters=[["files-to", None, "", "who gets the files (default: the first admin)"]],
            ),
            "remove for good",
        ],
        [
            "reset-key",
            None,
            _leaf(
                "people:reset_key",
                "NAME",
                "[PUBLIC_KEY]",
                flags=(["yes", None, "do not ask"],),
                parameters=[
                    ["device", None, "device", "what to call the device that has the key"],
                    ["stolen-since", None, None, "the others were stolen: from this number of the log on, or start"],
                ],
            ),
            "let in again who lost every key: by a link, or with this key",
        ],
        [
            "add",
            None,
            _leaf(
                "people:add",
                "NAME",
                "PUBLIC_KEY",
                parameters=[
                    ["role", None, "guest", "guest, maintainer or admin"],
                    ["device", None, "first", "what to call the device that has the key"],
                ],
            ),
            "register a person by public key (a file, or RW…)",
        ],
    ]
    defaultSubCommand = "list"


class InviteOptions(usage.Options):
    """Options of ``invite``: with none of its own subcommands it makes one."""

    subCommands: ClassVar[list[list[Any]]] = [
        [
            "make",
            None,
            _leaf(
                "people:invite",
                parameters=[
                    ["role", None, "guest", "guest, maintainer or admin"],
                    ["expires", None, "2d", "such as 12h or 30d"],
                    ["user", None, None, "only for this name"],
                ],
            ),
            "make one and print its link",
        ],
        ["list", None, _leaf("people:list_invitations"), "what was made in the last month"],
        ["withdraw", None, _leaf("people:withdraw", "NUMBER"), "make one void"],
    ]
    defaultSubCommand = "make"
    optParameters: ClassVar[list[list[Any]]] = []

    def parseOptions(self, options: Any = None) -> None:
        """Read ``invite --role admin`` as ``invite make --role admin``."""
        words = list(options or [])
        known = {"make", "list", "withdraw", "--help", "--version"}
        super().parseOptions(words if words and words[0] in known else ["make", *words])  # type: ignore[no-untyped-call]


class FileOptions(usage.Options):
    """Options of ``file``."""

    _recursive: ClassVar[list[Any]] = ["recursive", "r", "a folder and all in it"]
    subCommands: ClassVar[list[list[Any]]] = [
        ["list", None, _leaf("files:list_files"), "all files, in order of creation"],
        ["show", None, _leaf("files:show", "PATH"), "one file, with its signature"],
        ["delete", None, _leaf("files:delete", "PATH", flags=(_recursive,)), "move to the trash"],
    ]
    defaultSubCommand = "list"


class SessionOptions(usage.Options):
    """Options of ``session``."""

    subCommands: ClassVar[list[list[Any]]] = [
        ["list", None, _leaf("people:list_sessions"), "who is connected"],
        ["kick", None, _leaf("people:kick", "NUMBER"), "end a session"],
    ]
    defaultSubCommand = "list"


class LocalLeaf(Leaf):
    """A subcommand that looks into the home itself: ``(home, options) -> status``."""

    def postOptions(self) -> None:
        module, _, function = self.runs.partition(":")
        raise SystemExit(getattr(import_module(f"sft.operator.{module}"), function)(outermost(self).home, self))


class QuarantineOptions(usage.Options):
    """Options of ``vault quarantine``."""

    subCommands: ClassVar[list[list[Any]]] = [
        [
            "list",
            None,
            type("Leaf", (LocalLeaf,), {"runs": "quarantine:show"}),
            "what no file names, put aside by a start",
        ],
        ["drop", None, type("Leaf", (LocalLeaf,), {"runs": "quarantine:drop"}), "delete all of it, for good"],
    ]
    defaultSubCommand = "list"


class LogOptions(usage.Options):
    """Options of ``log``."""

    _which: ClassVar[list[list[Any]]] = [
        ["user", None, None, "who did it, or had it done to them"],
        ["file", None, None, "what was done to this file"],
        ["act", None, None, "what was done; several by commas"],
        ["since", None, None, "such as 2d, 2026-05-03, or 2026-05-03T14:02:11Z"],
        ["until", None, None, "before then"],
        ["after", None, None, "all that comes after this line"],
        ["n", "n", "50", "so many, the newest"],
    ]
    _follow: ClassVar[list[Any]] = ["follow", "f", "go on with what happens; with --json one object a line"]
    _bare: ClassVar[list[Any]] = ["without-records", None, "without names, paths and who downloaded: to be published"]
    subCommands: ClassVar[list[list[Any]]] = [
        ["show", None, _leaf("log_pages:show", flags=(_follow,), parameters=_which), "what happened"],
        ["export", None, _leaf("log_pages:export", "DIR", flags=(_bare,)), "the whole log in files of C2SP tlog-tiles"],
        [
            "verify",
            None,
            _leaf(
                "log_pages:verify",
                parameters=[["folder", None, None, "an exported folder; the server's log unless told"]],
            ),
            "check the whole log, leaf by leaf",
        ],
        [
            "key",
            None,
            type("Leaf", (LocalLeaf,), {"runs": "log:show_key"}),
            "the log's name and key, for witnesses and the policies of others",
        ],
        [
            "restart",
            None,
            type(
                "Leaf",
                (LocalLeaf,),
                {
                    "runs": "log_restart:restart",
                    "optParameters": [
                        ["reason", None, "", "why what came later is gone; everybody reads it"],
                        ["name", None, "", "the server's name, for scripts: nothing is asked then"],
                    ],
                },
            ),
            "go on from a state that was put back: every client stops until its person agrees",
        ],
        [
            "witnesses",
            None,
            type("Leaf", (LocalLeaf,), {"runs": "log:show_witnesses"}),
            "who has cosigned the log's heads, and when",
        ],
    ]
    defaultSubCommand = "show"


class VaultOptions(usage.Options):
    """Options of ``vault``."""

    _reencrypt: ClassVar[list[Any]] = ["reencrypt", None, "also new data keys and a new server key: after a leak"]
    subCommands: ClassVar[list[list[Any]]] = [
        ["check", None, _leaf("files:check"), "read every row and object; names what does not hold"],
        ["rotate-key", None, _leaf("files:rotate", flags=(_reencrypt,)), "seal everything under a new master key"],
        ["collect", None, _leaf("files:collect"), "destroy what was in the trash for its time"],
        ["quarantine", None, QuarantineOptions, "list | drop what no file names"],
    ]
    defaultSubCommand = "check"


LinkOptions = _leaf("people:link")


class UpgradeOptions(usage.Options):
    """Options of ``upgrade``."""

    def postOptions(self) -> None:
        from sft.operator.control import upgrade

        raise SystemExit(upgrade(outermost(self).home))
