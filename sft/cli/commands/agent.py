"""`sft unlock`, `sft lock`: have an agent hold your key for a time, so that no command asks for its passphrase; end that.

Rules. The passphrase is asked for once, as for any command. What the agent holds it forgets at the time's end, with
``sft lock`` and at logout; the key file stays as it is.
"""

from __future__ import annotations

from typing import Any, Final

import click

from sft.cli.invocation import PASSPHRASE_TRIES, Invocation
from sft.cli.options import common
from sft.client.agent.held_key import lock
from sft.client.identity import Identity
from sft.errors import AgentError, PassphraseWrongError, UsageError
from sft.model.text import held_seconds, local_time, shown_name, utc_time

DEFAULT: Final = "1d"


@click.command("unlock")
@click.option("--for", "span", metavar="TIME", default=DEFAULT, show_default=True, help="Such as 8h or 1d.")
@common
def unlock_command(invocation: Invocation, span: str) -> int:
    """Have an agent hold your key for a day: no command asks for its passphrase then."""
    seconds = held_seconds(span)
    profile = invocation.profile()
    identity = Identity(invocation.state, profile)
    if not identity.encrypted():
        raise UsageError(
            problem=f"Your key for {shown_name(profile.name)} has no passphrase: there is nothing to unlock",
            remedy="Protect it: sft key passphrase",
        )
    runtime = invocation.state.runtime
    if runtime is None:
        raise AgentError(problem="this login has no folder for its socket")

    async def hold(reactor: Any) -> None:
        # What starts processes is wanted by this command alone.
        from sft.client.agent.starting import start

        with invocation.environment.threads(reactor) as pool:
            key = await identity.open(pool, invocation.ask(profile.name))
            await pool.run(start, runtime, key, seconds, invocation.environ)

    for left in reversed(range(PASSPHRASE_TRIES)):
        try:
            invocation.run(hold)
            break
        except PassphraseWrongError:
            invocation.forget_passphrase()
            if not left or invocation.environ.get("SFT_PASSPHRASE_FILE"):
                raise
            invocation.console.warn("That passphrase does not open the key.")
    until = int(invocation.now) + seconds
    when = local_time(until, now=invocation.now, weekday=True)
    invocation.console.show(
        {"profile": profile.name, "until": utc_time(until)},
        f"Your key for {shown_name(profile.name)} is unlocked until {when}; sft lock ends that.",
    )
    return 0


@click.command("lock")
@common
def lock_command(invocation: Invocation) -> int:
    """Have agents forget your keys now: all of them, or that of one server (--profile)."""
    profiles = [invocation.profile()] if invocation.profile_name else invocation.profiles.all()
    runtime = invocation.state.runtime
    locked = [profile.name for profile in profiles if runtime is not None and lock(runtime, profile.key)]
    names = ", ".join(map(shown_name, locked))
    invocation.console.show({"profiles": locked}, f"Locked: {names}." if locked else "No agent held a key of yours.")
    return 0
