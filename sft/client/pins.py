"""People's keys as this computer first saw them, one file per server.

Rules. A person is a user id and a name that never changes; a key belongs to one person for ever. What the registry shows first
is pinned. What it shows later for the same person is noted, never taken: no proof of it can be given yet. Everything that
touches the disk blocks; what is held in memory is only ever added to.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

import msgspec
from msgspec import Struct

from sft.client.state import StateFolder
from sft.errors import LocalFileError
from sft.model.names import fold
from sft.model.records import User

_ID_DIGITS: Final = 32


class Pin(Struct, frozen=True):
    """One person.

    Args:
        keys: public keys (minisign's 42 bytes), each with the time when this computer first saw it.
        shown_later: keys that the server showed for this person afterwards, and when.
    """

    user_id: int
    name: str
    keys: dict[bytes, int]
    shown_later: dict[bytes, int] = {}


class Pins:
    """The people of one server, read once and added to."""

    def __init__(self, state: StateFolder, server_id: bytes) -> None:
        self._state = state
        self._name = f"pins/{server_id.hex()[:_ID_DIGITS]}.json"
        self._people: dict[int, Pin] = {}

    def load(self) -> None:
        """Read what is pinned (blocks)."""
        self._people = {**self._people, **self._read()}

    @property
    def people(self) -> Mapping[int, Pin]:
        return self._people

    def knows(self, user_id: int, public_key: bytes) -> bool:
        pin = self._people.get(user_id)
        return pin is not None and public_key in pin.keys

    def learn(self, users: Iterable[User], *, now: int) -> None:
        """Pin whoever is new and note what is shown later (blocks); nothing is written where nothing is new."""
        users = list(users)
        if not learned(self._people, users, now=now):
            return
        with self._state.locked():
            people = self._read()
            people.update(learned(people, users, now=now))
            self._state.write(self._name, msgspec.json.encode([*people.values()]))
        self._people = people

    def _read(self) -> dict[int, Pin]:
        data = self._state.read(self._name)
        try:
            pins = [] if data is None else msgspec.json.decode(data, type=list[Pin])
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise LocalFileError(
                str(error),
                path=str(self._state.path(self._name)),
                problem="is damaged",
                remedy="Move it aside: everybody's key is then seen as for the first time",
            ) from error
        return {pin.user_id: pin for pin in pins}


def pinned_everywhere(state: StateFolder, server_ids: Iterable[bytes]) -> Iterator[tuple[bytes, list[Pin]]]:
    """Yield what is pinned for each of these servers (blocks)."""
    for server_id in server_ids:
        pins = Pins(state, server_id)
        pins.load()
        yield server_id, list(pins.people.values())


def learned(people: Mapping[int, Pin], users: Iterable[User], *, now: int) -> dict[int, Pin]:
    """Return the pins that change by what the registry shows; pure."""
    changed: dict[int, Pin] = {}
    owners = {key: pin.user_id for pin in people.values() for key in pin.keys}
    named = {fold(pin.name): pin.user_id for pin in people.values()}
    for user in users:
        shown = [key.public_key for key in user.keys]
        old = changed.get(user.id) or people.get(user.id)
        if old is None:
            # Somebody else's name or key says nothing for this person: an impostor would be shown as them.
            honest = named.setdefault(fold(user.name), user.id) == user.id
            own = [key for key in shown if honest and owners.setdefault(key, user.id) == user.id]
            other = [key for key in shown if key not in own]
            if shown:
                changed[user.id] = Pin(user.id, user.name, dict.fromkeys(own, now), dict.fromkeys(other, now))
            continue
        later = {key: now for key in shown if key not in old.keys and key not in old.shown_later}
        if later:
            changed[user.id] = Pin(old.user_id, old.name, old.keys, {**old.shown_later, **later})
    return changed
