"""Every act and its keys: the one table that feeds bindings, footer, help, palette and the user's keymap.

Rules. Letters lead, function and control keys are aliases, for terminals take them. ``d`` deletes, ``x`` stops, nothing else
destroys; space only selects or pauses. Never bound: ctrl+h, i, j, m, [ (terminals send them for other keys), alt and
ctrl+shift, and what a text field uses. Letters act only when no field has the focus. An id never changes: keymaps hold it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from textual.binding import Binding

from sft.model.access import Permission


@dataclass(frozen=True, slots=True)
class Action:
    """Something that a person can do.

    Args:
        id: scope and name; the method ``act_NAME`` of a screen does it.
        keys: Textual's key names, the leading one first; empty for what stands in the palette alone.
        label: in the footer.
        description: in help and palette.
        weight: the lower, the longer it stays in the footer; 0 never stands there.
        permission: what the role must hold.
        asks: it asks the server, so it needs a connection.
        deed: what a role that lacks the permission does not do; empty where the permission says it.
    """

    id: str
    keys: str
    label: str
    description: str
    weight: int = 0
    permission: Permission | None = None
    asks: bool = False
    deed: str = ""

    @property
    def scope(self) -> str:
        """Where it acts: a screen, lists or everywhere."""
        return self.id.partition(".")[0]

    @property
    def name(self) -> str:
        """What it is called in that scope."""
        return self.id.partition(".")[2]

    @property
    def key_shown(self) -> str:
        """The leading key as people write it."""
        return shown_key(self.keys.split(",")[0])

    @property
    def key_while_typing(self) -> str:
        """The first of its keys that is no text, as people write it; the leading one where all are."""
        keys = self.keys.split(",")
        return shown_key(next((key for key in keys if "+" in key or (key[:1] == "f" and key[1:].isdigit())), keys[0]))


_DISPLAYED: Final = {
    "colon": ":",
    "question_mark": "?",
    "slash": "/",
    "full_stop": ".",
    "asterisk": "*",
    "plus": "+",
    "right_square_bracket": "]",
    "left_square_bracket": "[",
    "escape": "esc",
    "at": "@",
}


def shown_key(key: str) -> str:
    """Write a key as people do: ``F5``, ``ctrl+l``, ``:``."""
    if key in _DISPLAYED:
        return _DISPLAYED[key]
    return key.upper() if key[:1] == "f" and key[1:].isdigit() else key


_LIST: Final = (
    Action("list.up", "up,k", "", "One line up"),
    Action("list.down", "down,j", "", "One line down"),
    Action("list.page_up", "pageup", "", "One page up"),
    Action("list.page_down", "pagedown", "", "One page down"),
    Action("list.first", "home,g", "", "To the first line"),
    Action("list.last", "end,G", "", "To the last line"),
    Action("list.open", "enter,l,right", "", "Open what the line stands for"),
    Action("list.back", "backspace,h,left", "", "Back, or one folder up"),
)
_SELECTING: Final = (
    Action("list.select", "space,insert", "Select", "Select this line and go on to the next", 30),
    Action("list.select_up", "shift+up", "", "Select upwards"),
    Action("list.select_down", "shift+down", "", "Select downwards"),
    Action("list.select_all", "a", "", "Select everything"),
    Action("list.invert", "asterisk", "", "Select what is not selected, and the other way round"),
)
_FILES: Final = (
    Action("files.transfer", "c,f5", "Put or get", "Copy to the other side: put, or get", 10, asks=True),
    Action("files.verify", "v", "Verify", "Check files without keeping them", 22, Permission.FILE_READ, asks=True),
    Action(
        "files.why", "w", "Why", "Show why a file can be believed, link by link", 23,
        Permission.FILE_READ, asks=True,
    ),
    Action("files.look", "", "", "Look into a file, once it was verified (enter does)", 0, Permission.FILE_READ, asks=True),
    Action("files.details", "i,f3", "Details", "Show or hide the details of a file", 28),
    Action(
        "files.rename", "r,f6", "Rename", "Rename or move on the server", 24, Permission.FILE_WRITE,
        asks=True, deed="rename files",
    ),
    Action(
        "files.owner", "O", "", "Hand over to somebody else", 0, Permission.FILE_WRITE,
        asks=True, deed="hand files over",
    ),
    Action("files.new_folder", "n,f7", "New folder", "Make a folder on the server", 32, Permission.FOLDER_MAKE, asks=True),
    Action("files.delete", "d,f8", "Delete", "Move to the trash of the server", 26, Permission.FILE_DELETE, asks=True),
    Action("files.zoom", "z", "Zoom", "Give this list the whole width, or the other one its half back", 42),
    Action("files.filter", "slash", "Filter", "Show only names that hold what is typed", 34),
    Action("files.search", "s", "Search", "Find by name on the whole server", 36, Permission.FILE_LIST, asks=True),
    Action("files.select_pattern", "plus", "", "Select by pattern, such as *.pdf"),
    Action("files.sort", "o", "Sort", "Sort by name, then size, then date", 38),
    Action("files.hidden", "full_stop", "", "Show or hide names that begin with a dot"),
    Action("files.go_to", "ctrl+l", "", "Go to a folder by its path"),
    Action(
        "files.trash", "T", "Trash", "Show what was deleted", 40, Permission.FILE_DELETE,
        asks=True, deed="look into the trash",
    ),
    Action(
        "files.restore", "u", "Restore", "Bring back what was deleted", 12, Permission.FILE_DELETE,
        asks=True, deed="bring files back",
    ),
    Action("files.versions", "V", "", "Show the versions of a file: get, bring back or destroy one", asks=True),
    Action(
        "files.expiry", "e", "", "Say when files go to the trash by themselves, also as they are put", 0,
        Permission.FILE_DELETE,
        asks=True, deed="say when files expire",
    ),
    Action(
        "files.proof", "P", "", "Write a file with signature and proof, for others", 0,
        Permission.FILE_READ, asks=True,
    ),
    Action("files.rights", "W", "", "Show who may do what with it, and by which rule", asks=True),
    Action("files.copy", "y", "", "Copy the path to the terminal's clipboard"),
    Action("files.clear", "escape", "", "Clear the filter, then the selection"),
    Action("files.other_pane", "tab", "", "To the other pane"),
)  # fmt: skip
_TRANSFERS: Final = (
    Action("transfers.pause", "space", "Pause/go on", "Pause this transfer, or let it go on", 10),
    Action("transfers.decide", "enter,l,right", "Why", "Decide what waits for you, or say why it stopped", 12),
    Action("transfers.cancel", "x", "Cancel", "Stop this transfer for good", 14),
    Action("transfers.why", "w", "", "Show why the file of this transfer can be believed", asks=True),
    Action("transfers.retry", "R,ctrl+r", "Retry", "Try again what did not work", 16),
    Action("transfers.later", "J,shift+down", "Later", "One place later in the queue", 22),
    Action("transfers.sooner", "K,shift+up", "Sooner", "One place sooner in the queue", 24),
    Action("transfers.clear", "X", "Clear finished", "Take what has ended off the list", 20),
)
_PEOPLE: Final = (
    Action("people.invite", "i", "Invite", "Invite somebody", 10, Permission.INVITATION_MANAGE, asks=True),
    Action("people.role", "r", "Role", "Give this person another role", 14, Permission.ROLE_CHANGE, asks=True),
    Action(
        "people.switch", "e", "Enable/Disable", "Lock this person out, or let them in", 16, Permission.USER_MANAGE,
        asks=True, deed="lock people out or let them in",
    ),
    Action(
        "people.remove", "d", "Remove", "Remove this person for good", 18, Permission.USER_MANAGE,
        asks=True, deed="remove people",
    ),
    Action(
        "people.stop", "x", "Withdraw/Kick", "Make the invitation void, or end the session", 12,
        Permission.INVITATION_MANAGE, asks=True, deed="withdraw invitations",
    ),
    Action(
        "people.quota", "L", "Quota", "Say how much this person may own", 20, Permission.USER_MANAGE,
        asks=True, deed="change quotas",
    ),
    Action(
        "people.reset", "K", "Lost key", "Let somebody in again who lost every key: by a link, for a day", 22,
        Permission.USER_MANAGE, asks=True, deed="give people new keys",
    ),
    Action("people.rights", "W", "", "Show who may do what with this person, and by which rule", asks=True),
    Action("people.copy", "y", "Copy key", "Copy the words of this person's key", 26),
    Action("people.words", "", "", "Read the words of this person's key one at a time, to compare them by phone"),
    Action("people.filter", "slash", "Filter", "Show only lines that hold what is typed", 30),
    Action("people.clear", "escape", "", "Clear the filter"),
    Action("people.next_tab", "right_square_bracket", "", "To the next list"),
    Action("people.previous_tab", "left_square_bracket", "", "To the list before"),
)  # fmt: skip
_ACTIVITY: Final = (
    Action(
        "activity.follow", "space", "Follow", "Show what happens as it happens, or hold the list still", 10, asks=True
    ),
    Action(
        "activity.filter",
        "slash",
        "Filter",
        "Show only what is asked for: person:  file:  act:  since:  words",
        12,
        asks=True,
    ),
    Action(
        "activity.open", "enter,l,right", "Record and proof", "Show the record of this line, and what proves it", 14
    ),
    Action("activity.why", "w", "", "Show why the version of this line can be believed", asks=True),
    Action("activity.export", "e", "Export", "Write what is shown to a file, one JSON object a line", 16, asks=True),
    Action("activity.check", "V", "Check whole log", "Read the whole log again and check all of it", 18, asks=True),
    Action("activity.copy", "y", "", "Copy what this line says to the terminal's clipboard"),
    Action("activity.clear", "escape", "", "Clear the filter"),
)
_IDENTITY: Final = (
    Action("identity.export", "e", "Export key", "Write the public key to a file, as minisign reads it", 10),
    Action("identity.new_device", "n", "New device", "Vouch for the key of another device of yours", 12, asks=True),
    Action("identity.passphrase", "P", "Passphrase", "Change the passphrase of the key on this computer", 14),
    Action(
        "identity.unlock",
        "U",
        "Unlock",
        "Have an agent hold your key for a day: no command asks for its passphrase",
        22,
    ),
    Action("identity.lock", "L", "Lock", "Have the agent forget your key now", 24),
    Action("identity.rotate", "K", "Rotate", "Have a new key follow the one of this computer", 16, asks=True),
    Action("identity.revoke", "d", "Revoke", "End another key of yours, for good", 18, asks=True),
    Action("identity.words", "", "", "Read the words of your key one at a time, to compare them by phone"),
    Action("identity.copy", "y", "Copy", "Copy the line under the cursor", 20),
)
_SERVERS: Final = (
    Action("servers.connect", "enter,l,right", "Connect", "Connect this server", 10),
    Action("servers.join", "n", "Join", "Join a server with an invitation", 12),
    Action("servers.demo", "f2,e", "Explore a demo", "Explore a demo on this computer", 14),
    Action("servers.address", "a", "Address", "Look for this server elsewhere", 18),
    Action("servers.link", "p", "Server link", "Paste a server link that an admin gave you", 20),
    Action("servers.policy", "w", "", "Say which witnesses have to cosign this server's log, by a policy file"),
    Action("servers.copy", "y", "", "Copy the server link to the terminal's clipboard: address and key, no secret"),
    Action("servers.first", "f", "Use first", "Use this server when none is named", 22),
    Action("servers.forget", "d", "Forget", "Forget this server; its key is put aside", 24),
)
_STATUS: Final = (
    Action(
        "status.read", "p", "Read link", "Read the server link out over a phone, spelled", 10,
        Permission.SESSION_MANAGE, deed="look at how the server is",
    ),
    Action("status.copy", "y", "Copy link", "Copy the server link to the terminal's clipboard: no secret", 12),
    Action(
        "status.next_tab", "right_square_bracket", "", "To the other list: sessions, what was refused last", 0,
        Permission.SESSION_MANAGE, asks=True, deed="look at how the server is",
    ),
    Action(
        "status.previous_tab", "left_square_bracket", "", "To the list before", 0,
        Permission.SESSION_MANAGE, asks=True, deed="look at how the server is",
    ),
)  # fmt: skip
_APP: Final = (
    Action("app.files", "1", "", "Go to Files"),
    Action("app.transfers", "2,t", "", "Go to Transfers"),
    Action("app.people", "3", "", "Go to People"),
    Action("app.activity", "4", "", "Go to Activity"),
    Action("app.identity", "5", "", "Go to Identity"),
    Action("app.servers", "6", "", "Go to Servers"),
    Action(
        "app.status", "7", "", "Go to Status: how the server is and what it does", 0,
        Permission.SESSION_MANAGE, deed="look at how the server is",
    ),
    Action("app.again", "R,ctrl+r", "", "Connect again, or read again, now"),
    Action("app.undo", "u", "", "Take back the last deletion, move, new folder or restoring", asks=True),
    Action("app.theme", "", "", "Choose the theme: dark, light, nord, gruvbox and others"),
    Action("app.commands", "at", "", "Show what you did, as sft commands"),
    Action("app.suspend", "ctrl+z", "", "Back to the shell for a while"),
    Action("app.palette", "colon,ctrl+p", "All", "Every act by its name", 1),
    Action("app.help", "question_mark,f1", "Help", "What can be done here", 2),
    Action("app.quit", "q,f10,ctrl+q", "", "Quit"),
    Action("app.interrupt", "ctrl+c", "", "Copy what is marked, else quit; twice quits at once"),
)  # fmt: skip

SCREEN_IDS: Final = ("files", "transfers", "people", "activity", "identity", "servers", "status")
TITLES: Final = {
    "files": "Files",
    "transfers": "Transfers",
    "people": "People",
    "activity": "Activity",
    "identity": "Identity",
    "servers": "Servers",
    "status": "Status",
    "app": "Everywhere",
    "list": "In lists",
}
ALWAYS_IN_FOOTER: Final = ("app.palette", "app.help")

ACTS: Final = {
    act.id: act
    for act in (*_LIST, *_SELECTING, *_FILES, *_TRANSFERS, *_PEOPLE, *_ACTIVITY, *_IDENTITY, *_SERVERS, *_STATUS, *_APP)
}


SELECTING: Final = frozenset(act.id for act in _SELECTING)


def acts_of(scope: str) -> list[Action]:
    """Return the acts of a scope, in the order of the table."""
    return [act for act in ACTS.values() if act.scope == scope]


def bindings_of(scope: str, *, without: frozenset[str] = frozenset()) -> list[Binding]:
    """Make the bindings of a scope but those ``without``; each runs ``action_act`` of the node that has them."""
    return [
        Binding(act.keys, f"act('{act.id}')", act.description, show=False, id=act.id)
        for act in acts_of(scope)
        if act.keys and act.id not in without
    ]
