"""People's keys as this computer first saw them, one file per server.

Rules. A person is a user id and a name that never changes; a key belongs to one person for ever. What the registry shows first
is pinned. What it shows later for the same person is noted, never taken: no proof of it can be given yet. Who we are ourselves
is known from the login: no file and no server says another thing of it. A name counts as one only by the rules for names,
which are checked here. Whatever a server shows, a file stays below what can be read. Everything that touches the disk
blocks; what is held in memory is only ever added to.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from msgspec import Struct

from sft.client.profiles import Profile
from sft.client.record_file import Contents, RecordFile
from sft.client.state import StateFolder
from sft.errors import LocalFileError, UserNameNotAllowedError
from sft.model.names import fold, parse_user_name
from sft.model.records import User

_ID_DIGITS: Final = 32
# 1.2 KiB a person at most, 15 MiB in all: what the state reads.
_MOST_PEOPLE: Final = 12_000
_MOST_KEYS: Final = 8


class Pin(Struct, frozen=True, omit_defaults=True):
    """One person.

    Args:
        keys: public keys (minisign's 42 bytes), each with the time when this computer first saw it.
        shown_later: keys that the server showed for this person afterwards, and when.
        is_own: we are this person: there is no other key.
    """

    user_id: int
    name: str
    keys: dict[bytes, int]
    shown_later: dict[bytes, int] = {}
    is_own: bool = False


def own_pin(profile: Profile) -> Pin:
    """Return what is certain of ourselves: the key is here, and the server was told the name with it."""
    return Pin(profile.user_id, profile.user_name, {profile.public_key: profile.joined_at}, is_own=True)


class Pins:
    """The people of one server, read once and added to.

    Args:
        own: who we are there.

    Attributes:
        first_seen: whom this computer had never seen before they were learned here.
    """

    def __init__(self, state: StateFolder, server_id: bytes, *own: Pin) -> None:
        self._state = state
        self._name = f"pins/{server_id.hex()[:_ID_DIGITS]}.json"
        self._own = {pin.user_id: pin for pin in own}
        self._people: dict[int, Pin] = {**self._own}
        self.first_seen: list[Pin] = []

    def load(self) -> None:
        """Read what is pinned (blocks)."""
        self._people = {**self._people, **_by_id(self._contents().records), **self._own}

    @property
    def people(self) -> Mapping[int, Pin]:
        return self._people

    def knows(self, user_id: int, public_key: bytes) -> bool:
        """Return whether the registry has nothing to say of a key: it is pinned, or it would have to be our own."""
        pin = self._people.get(user_id)
        return pin is not None and (pin.is_own or public_key in pin.keys)

    def learn(self, users: Iterable[User], *, now: int) -> None:
        """Pin whoever is new and note what is shown later (blocks); nothing is written where nothing is new."""
        users = list(users)
        if not learned(self._people, users, now=now):
            return
        with self._state.locked():
            before = self._contents()
            people = {**_by_id(before.records), **self._own}
            changed = learned(people, users, now=now)
            self.first_seen += [pin for pin in changed.values() if pin.user_id not in people and pin.keys]
            people.update(changed)
            kept = [pin for pin in people.values() if not pin.is_own]
            self._state.write(self._name, _FORM.write(kept, before))
        self._people = people

    def _contents(self) -> Contents[Pin]:
        try:
            return _FORM.read(self._state.read(self._name), self._state.path(self._name))
        except ValueError as error:
            raise LocalFileError(
                str(error),
                path=str(self._state.path(self._name)),
                problem="is damaged",
                remedy="Move it aside: everybody's key is then seen as for the first time",
            ) from error


_FORM: Final = RecordFile(Pin, "people", key="user_id")


def _by_id(pins: Iterable[Pin]) -> dict[int, Pin]:
    return {pin.user_id: pin for pin in pins}


def pinned_everywhere(state: StateFolder, profiles: Iterable[Profile]) -> Iterator[tuple[bytes, list[Pin]]]:
    """Yield what is pinned for the server of each of these profiles, ourselves included (blocks)."""
    own: dict[bytes, list[Pin]] = {}
    for profile in profiles:
        own.setdefault(profile.server_id, []).extend([own_pin(profile)] if profile.joined else [])
    for server_id, ourselves in own.items():
        pins = Pins(state, server_id, *ourselves)
        pins.load()
        yield server_id, list(pins.people.values())


def learned(people: Mapping[int, Pin], users: Iterable[User], *, now: int) -> dict[int, Pin]:
    """Return the pins that change by what the registry shows; pure."""
    changed: dict[int, Pin] = {}
    owners = {key: pin.user_id for pin in people.values() for key in pin.keys}
    named = {fold(pin.name): pin.user_id for pin in people.values()}
    room = _MOST_PEOPLE - len(people)
    for user in users:
        shown = [key.public_key for key in user.keys]
        old = changed.get(user.id) or people.get(user.id)
        if old is None:
            if not shown or not room:
                continue
            room -= 1
            # Somebody else's name or key says nothing for this person: an impostor would be shown as them.
            honest = _is_name(user.name) and named.setdefault(fold(user.name), user.id) == user.id
            own = [key for key in shown if honest and owners.setdefault(key, user.id) == user.id][:_MOST_KEYS]
            other = [key for key in shown if key not in own][:_MOST_KEYS]
            changed[user.id] = Pin(user.id, user.name, dict.fromkeys(own, now), dict.fromkeys(other, now))
        elif not old.is_own:
            later = [key for key in shown if key not in old.keys and key not in old.shown_later]
            later = later[: _MOST_KEYS - len(old.shown_later)]
            if later:
                noted = {**old.shown_later, **dict.fromkeys(later, now)}
                changed[user.id] = Pin(old.user_id, old.name, old.keys, noted)
    return changed


def _is_name(text: str) -> bool:
    """Return whether a server may call a person so: its own rule against look-alikes is no promise of a hostile one."""
    try:
        return parse_user_name(text) == text
    except UserNameNotAllowedError:
        return False
