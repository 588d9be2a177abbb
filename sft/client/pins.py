"""People's keys as this computer first saw them, one file per server.

Rules. A person is a user id and a name that never changes; a key belongs to one person for ever. What the registry shows first
is pinned. What it shows later for the same person is taken if a key that is pinned vouched for it; else it is noted, until a
person says that it is right (``accept``). What was taken by the word of a key that had been stolen by then is noted again.
Who we are ourselves is known from the login: no server says another thing of it, and of a file only what was kept of these
very keys counts. A name counts as one only by the rules for names, which are checked here. Whatever a server shows, a file
stays below what can be read. Everything that touches the disk blocks; what is held in memory is only ever added to.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from sft.client.endorsement import fallen_unsaid, is_endorsed
from sft.client.profiles import Profile
from sft.client.record_file import Contents, RecordFile
from sft.client.state import StateFolder, name_of_server
from sft.errors import LocalFileError
from sft.model.names import fold, is_user_name
from sft.model.records import User

# 1.2 KiB a person at most, 15 MiB in all: what the state reads.
_MOST_PEOPLE: Final = 12_000
_MOST_NOTED: Final = 8
_MOST_KEYS: Final = 120_000  # of all people together, at 75 bytes


class Pin(Struct, frozen=True, omit_defaults=True):
    """One person.

    Args:
        keys: public keys (minisign's 42 bytes), each with the time when this computer first saw it.
        shown_later: keys that the server showed for this person afterwards, and when; none that is pinned vouched for them.
        is_own: we are this person.
    """

    user_id: int
    name: str
    keys: dict[bytes, int]
    shown_later: dict[bytes, int] = {}
    is_own: bool = False


def own_pin(profile: Profile) -> Pin:
    """Return what is certain of ourselves: the key is here, and the server was told the name with it."""
    keys = dict.fromkeys((profile.public_key, *profile.former_keys), profile.joined_at)
    return Pin(profile.user_id, profile.user_name, keys, is_own=True)


class Pins:
    """The people of one server, read once and added to.

    Args:
        own: who we are there.

    Attributes:
        first_seen: whom this computer had never seen before they were learned here.
    """

    def __init__(self, state: StateFolder, server_id: bytes, *own: Pin) -> None:
        self._state = state
        self._server_id = server_id
        self._name = f"pins/{name_of_server(server_id)}.json"
        self._own = {pin.user_id: pin for pin in own}
        self._people: dict[int, Pin] = {**self._own}
        self.first_seen: list[Pin] = []

    def load(self) -> None:
        """Read what is pinned (blocks)."""
        self._people = {**self._people, **self._kept(self._contents())}

    @property
    def people(self) -> Mapping[int, Pin]:
        return self._people

    def knows(self, user_id: int, public_key: bytes) -> bool:
        """Return whether the registry has nothing to say of a key, for it is pinned."""
        pin = self._people.get(user_id)
        return pin is not None and public_key in pin.keys

    def learn(self, users: Iterable[User], *, now: int) -> None:
        """Pin whoever is new and note what is shown later (blocks); nothing is written where nothing is new."""
        users = list(users)
        if not learned(self._people, users, self._server_id, now=now):
            return
        with self._state.locked():
            before = self._contents()
            people = self._kept(before)
            changed = learned(people, users, self._server_id, now=now)
            self.first_seen += [pin for pin in changed.values() if pin.user_id not in people and pin.keys]
            people.update(changed)
            self._write(people, before)
        self._people = people

    def accept(self, name: str) -> list[bytes]:
        """Take every key that was noted for a person, because somebody says that they are right (blocks); return them."""
        with self._state.locked():
            before = self._contents()
            people = self._kept(before)
            pin = next((pin for pin in people.values() if fold(pin.name) == fold(name)), None)
            noted = {} if pin is None else pin.shown_later
            if pin is not None and noted:
                people[pin.user_id] = replace(pin, keys={**pin.keys, **noted}, shown_later={})
                self._write(people, before)
        self._people = people
        return list(noted)

    def _kept(self, contents: Contents[Pin]) -> dict[int, Pin]:
        """Return what a file says, and what is certain of ourselves beside it."""
        people = _by_id(contents.records)
        for own in self._own.values():
            kept = people.get(own.user_id)
            ours = kept is not None and kept.is_own and not own.keys.keys().isdisjoint(kept.keys)
            people[own.user_id] = own if kept is None or not ours else replace(kept, keys={**kept.keys, **own.keys})
        return people

    def _write(self, people: Mapping[int, Pin], before: Contents[Pin]) -> None:
        self._state.write(self._name, _FORM.write(people.values(), before))

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


def learned(people: Mapping[int, Pin], users: Iterable[User], server_id: bytes, *, now: int) -> dict[int, Pin]:
    """Return the pins that change by what the registry shows; pure."""
    changed: dict[int, Pin] = {}
    owners = {key: pin.user_id for pin in people.values() for key in pin.keys}
    named = {fold(pin.name): pin.user_id for pin in people.values()}
    room = _MOST_PEOPLE - len(people)
    keys_room = _MOST_KEYS - sum(len(pin.keys) + len(pin.shown_later) for pin in people.values())
    for user in users:
        shown = [key.public_key for key in user.keys]
        old = changed.get(user.id) or people.get(user.id)
        if old is None:
            if not shown or not room or len(shown) > keys_room:
                continue
            room -= 1
            keys_room -= len(shown)
            # Somebody else's name or key says nothing for this person: an impostor would be shown as them.
            honest = is_user_name(user.name) and named.setdefault(fold(user.name), user.id) == user.id
            own = [key for key in shown if honest and owners.setdefault(key, user.id) == user.id]
            other = [key for key in shown if key not in own][:_MOST_NOTED]
            changed[user.id] = Pin(user.id, user.name, dict.fromkeys(own, now), dict.fromkeys(other, now))
            continue
        new = _with_later(old, user, owners, server_id, now, keys_room)
        if new != old:
            keys_room -= len(new.keys) + len(new.shown_later) - len(old.keys) - len(old.shown_later)
            changed[user.id] = new
    return changed


def _with_later(old: Pin, user: User, owners: dict[bytes, int], server_id: bytes, now: int, room: int) -> Pin:
    """Return a pin with what the registry shows of its person now: what is vouched for is taken, all else noted."""
    keys, noted = dict(old.keys), dict(old.shown_later)
    # Taken by the word of a key that had been stolen by then: a person is asked, as of one that nobody vouched for.
    fallen = set() if old.is_own else fallen_unsaid(user, server_id) & keys.keys()
    noted.update((each, keys.pop(each)) for each in fallen)
    before_us = _came_before_us(old, user, server_id)
    for key in sorted(user.keys, key=lambda key: key.start_leaf):
        public_key = key.public_key
        if public_key in keys or owners.get(public_key, user.id) != user.id or not room:
            continue
        if public_key in fallen:
            continue
        if public_key in before_us or is_endorsed(user, key, keys, server_id):
            keys[public_key] = now
            owners[public_key] = user.id
            noted.pop(public_key, None)
            room -= 1
        elif public_key not in noted and len(noted) < _MOST_NOTED:
            noted[public_key] = now
            room -= 1
    return replace(old, keys=keys, shown_later=noted)


def _came_before_us(old: Pin, user: User, server_id: bytes) -> set[bytes]:
    """Return, at the first look at our own keys, those that were ours before the one that is here.

    One that still signs has to have vouched for ours, or for one that did: whoever joins has none before, and a server that
    shows one could sign as us from the first day on.
    """
    ours = next((key for key in user.keys if key.public_key in old.keys), None)
    if not old.is_own or len(old.keys) > 1 or old.shown_later or ours is None:
        return set()
    before = [key for key in user.keys if key.start_leaf < ours.start_leaf]
    line = [ours]
    for key in sorted(before, key=lambda key: key.start_leaf, reverse=True):
        if any(is_endorsed(user, later, {key.public_key}, server_id) for later in line):
            line.append(key)
    return {key.public_key for key in before if key in line or key.end_leaf is not None}
