"""The operator's subcommands as twistd's options: words and arguments in, a command's module out.

Rules. A command's module is loaded when it runs, never before: twistd reads this one for every command. Each leaf runs in
``postOptions`` and leaves with its exit status.
"""

from __future__ import annotations

import getopt
from importlib import import_module
from typing import Any, ClassVar

from twisted.python import usage

JSON = ["json", None, "print one JSON document"]


class Leaf(usage.Options):
    """A subcommand that does something.

    ``arguments`` names what must follow it, ``runs`` is ``module:function`` below ``sft.operator``:
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
        words = [f"{name}={value}" if name in valued else name for name, value in given]
        super().parseOptions([*words, "--", *arguments])  # type: ignore[no-untyped-call]

    def parseArgs(self, *given: str) -> None:
        """Take the arguments, exactly."""
        if len(given) != len(self.arguments):
            wanted = " ".join(self.arguments) or "no argument"
            raise usage.UsageError(f"this takes {wanted}")
        for name, value in zip(self.arguments, given, strict=True):
            self[name] = value

    def postOptions(self) -> None:
        """Run and leave."""
        module, _, function = self.runs.partition(":")
        work = getattr(import_module(f"sft.operator.{module}"), function)
        options = outermost(self)
        raise SystemExit(options.run_command(options.home, work, self))


def outermost(options: Any) -> Any:
    """Return the options of ``twistd sft`` itself, which know the home and how a command is run."""
    while options.parent is not None and not hasattr(type(options), "home"):
        options = options.parent
    return options


class _UserList(Leaf):
    runs = "people:list_users"


class _UserShow(Leaf):
    arguments = ("NAME",)
    runs = "people:show_user"


class _UserRole(Leaf):
    arguments = ("NAME", "ROLE")
    runs = "people:change_role"


class _UserDisable(Leaf):
    arguments = ("NAME",)
    runs = "people:disable"


class _UserEnable(Leaf):
    arguments = ("NAME",)
    runs = "people:enable"


class _UserRemove(Leaf):
    arguments = ("NAME",)
    runs = "people:remove"
    optParameters: ClassVar[list[list[Any]]] = [
        ["files-to", None, "", "who gets the files (default: the first admin)"]
    ]
    optFlags: ClassVar[list[list[Any]]] = [JSON, ["yes", None, "do not ask"]]


class _UserAdd(Leaf):
    arguments = ("NAME", "PUBLIC_KEY")
    runs = "people:add"
    optParameters: ClassVar[list[list[Any]]] = [
        ["role", None, "guest", "guest, maintainer or admin"],
        ["device", None, "first", "what to call the device that has the key"],
    ]


class UserOptions(usage.Options):
    """Options of ``user``."""

    subCommands: ClassVar[list[list[Any]]] = [
        ["list", None, _UserList, "who is here"],
        ["show", None, _UserShow, "one person, with keys"],
        ["role", None, _UserRole, "give a role"],
        ["disable", None, _UserDisable, "lock out, keeping everything"],
        ["enable", None, _UserEnable, "let in again"],
        ["remove", None, _UserRemove, "remove for good"],
        ["add", None, _UserAdd, "register a person by public key (a file, or RW…)"],
    ]
    defaultSubCommand = "list"


class LinkOptions(Leaf):
    """Options of ``link``."""

    runs = "people:link"


class _InviteMake(Leaf):
    runs = "people:invite"
    optParameters: ClassVar[list[list[Any]]] = [
        ["role", None, "guest", "guest, maintainer or admin"],
        ["expires", None, "2d", "such as 12h or 30d"],
        ["user", None, None, "only for this name"],
    ]


class _InviteList(Leaf):
    runs = "people:list_invitations"


class _InviteWithdraw(Leaf):
    arguments = ("NUMBER",)
    runs = "people:withdraw"


class InviteOptions(usage.Options):
    """Options of ``invite``: with none of its own subcommands it makes one."""

    subCommands: ClassVar[list[list[Any]]] = [
        ["make", None, _InviteMake, "make one and print its link"],
        ["list", None, _InviteList, "what was made in the last month"],
        ["withdraw", None, _InviteWithdraw, "make one void"],
    ]
    defaultSubCommand = "make"
    optParameters: ClassVar[list[list[Any]]] = []

    def parseOptions(self, options: Any = None) -> None:
        """Read ``invite --role admin`` as ``invite make --role admin``."""
        words = list(options or [])
        known = {"make", "list", "withdraw", "--help", "--version"}
        super().parseOptions(words if words and words[0] in known else ["make", *words])  # type: ignore[no-untyped-call]


class _FileList(Leaf):
    runs = "files:list_files"


class _FileShow(Leaf):
    arguments = ("PATH",)
    runs = "files:show"


class _FileDelete(Leaf):
    arguments = ("PATH",)
    runs = "files:delete"
    optFlags: ClassVar[list[list[Any]]] = [JSON, ["recursive", "r", "a folder and all in it"]]


class FileOptions(usage.Options):
    """Options of ``file``."""

    subCommands: ClassVar[list[list[Any]]] = [
        ["list", None, _FileList, "all files, in order of creation"],
        ["show", None, _FileShow, "one file, with its signature"],
        ["delete", None, _FileDelete, "move to the trash"],
    ]
    defaultSubCommand = "list"


class _SessionList(Leaf):
    runs = "people:list_sessions"


class _SessionKick(Leaf):
    arguments = ("NUMBER",)
    runs = "people:kick"


class SessionOptions(usage.Options):
    """Options of ``session``."""

    subCommands: ClassVar[list[list[Any]]] = [
        ["list", None, _SessionList, "who is connected"],
        ["kick", None, _SessionKick, "end a session"],
    ]
    defaultSubCommand = "list"


class _VaultCheck(Leaf):
    runs = "files:check"


class _VaultRotate(Leaf):
    runs = "files:rotate"
    optFlags: ClassVar[list[list[Any]]] = [
        JSON,
        ["reencrypt", None, "also new data keys: after a leak"],
    ]


class _VaultCollect(Leaf):
    runs = "files:collect"


class VaultOptions(usage.Options):
    """Options of ``vault``."""

    subCommands: ClassVar[list[list[Any]]] = [
        ["check", None, _VaultCheck, "read every row and object; names what does not hold"],
        ["rotate-key", None, _VaultRotate, "seal everything under a new master key"],
        ["collect", None, _VaultCollect, "destroy what was in the trash for its time"],
    ]
    defaultSubCommand = "check"


class UpgradeOptions(usage.Options):
    """Options of ``upgrade``."""

    def postOptions(self) -> None:
        """Upgrade and leave."""
        from sft.operator.control import upgrade

        raise SystemExit(upgrade(outermost(self).home))
