"""What is done with several people of the People screen at once: those who are selected are locked out, or let in.

Rules. It is asked about first, with the names. One that fails keeps no other from being done, and stays selected.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sft.errors import RequestError, SftError
from sft.model.records import User, UserState
from sft.model.text import count_text, sentence
from tui.dialogs.confirm import Confirm
from tui.messages import Severity
from tui.screens.people_context import PeopleContext, name_of

_NAMED: Final = 6  # in a question; the rest is counted


def to_switch(selected: Sequence[User]) -> tuple[bool, list[User]]:
    """Return whether those selected are locked out, as long as anybody among them can come in, and whom it is about."""
    active = [user for user in selected if user.state is UserState.ACTIVE]
    return bool(active), active or [user for user in selected if user.state is UserState.DISABLED]


async def switch_all(people: PeopleContext, selected: Sequence[User]) -> None:
    """Lock out whoever of those selected can come in; where nobody can, let them in."""
    out, users = to_switch(selected)
    if not users:
        people.report("All of them were removed for good.", Severity.WARNING)
        return
    names = [name_of(user.name) for user in users[:_NAMED]]
    lines = [f"and {count_text(len(users) - _NAMED)} more"] if len(users) > _NAMED else []
    if out:
        lines += ["", "They are signed out now; files and accounts stay: e lets them in again."]
        if any(user.id == people.connection.user_id for user in users):
            lines.append("You are among them: only another admin can let you in again.")
    act = "Disable" if out else "Enable"
    what = f"{count_text(len(users))} people" if len(users) > 1 else names[0]
    if await people.app.push_screen_wait(Confirm(f"{act} {what}?", lines, names=names, act=act, destroys=out)):
        await _switch(people, users, out=out)


async def _switch(people: PeopleContext, users: Sequence[User], *, out: bool) -> None:
    registry = people.gateway.people
    failed: list[tuple[User, SftError]] = []
    me = people.connection.user_id
    for user in sorted(users, key=lambda one: one.id == me):  # whoever asks comes last: they are signed out then
        try:
            await (registry.disable(user.name) if out else registry.enable(user.name))
        except SftError as error:
            failed.append((user, error))
            if not isinstance(error, RequestError):  # the connection is gone, for all who are left
                break
    people.select_people([user for user, _ in failed])
    done = len(users) - len(failed)
    if failed:
        (user, why), *more = failed
        others = f" ({count_text(len(more))} more were refused)" if more else ""
        message = f"{name_of(user.name)}: {sentence(why, now=people.now)}{others} {count_text(done)} are done."
        people.report(message, Severity.ERROR)
    else:
        state = "are disabled: signed out now; files and accounts stay." if out else "can sign in again."
        people.report(f"{count_text(done)} people {state}", Severity.SUCCESS)
    await people.read()
