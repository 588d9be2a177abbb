"""The witnesses of a server: the policy in its home that names them, and the checkpoint that they cosigned last.

    HOME/policy      C2SP tlog-policy: whose ``witness`` line has a URL is asked; ``quorum`` says whose cosignatures are enough
    HOME/cosigned    0600: that checkpoint, as clients are given it

Rules. Without a policy nobody is asked. One that is not written as one is refused at the start, before anything is opened: a
server that thinks itself witnessed and is not would be worse. What was cosigned can be asked for again: nothing rests on the
file.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Final

from sft import durable, limits
from sft.errors import HomeError, PolicyError
from sft.ledger.policy import Policy
from sft.operator.home import Home
from sft.server.context import ServerContext
from sft.server.witness_post import WitnessPost, split_url
from sft.server.witnessing import Witnessing
from sft.transport.threads import Pool

POLICY: Final = "policy"
COSIGNED: Final = "cosigned"
THREADS: Final = 4  # witnesses that are asked at once


class Witnesses:
    """The witnesses of one running server.

    Args:
        policy: as ``read_policy`` gave it.
    """

    def __init__(self, context: ServerContext, home: Home, policy: Policy) -> None:
        self._post = WitnessPost()
        self._pool = Pool(context.reactor, threads=THREADS, name="witnesses")
        self.witnessing = Witnessing(
            context.reactor,
            self._pool,
            context.ledger,
            policy,
            post=self._post,
            keep=lambda data: home.write_private(COSIGNED, data),
            kept=read_cosigned(home),
            event_log=context.event_log,
        )

    def start(self) -> None:
        self._pool.start()
        self.witnessing.start()

    def stop(self) -> None:
        """Cut what is under way, and begin nothing more."""
        self.witnessing.stop()
        self._post.cut()
        self._pool.stop()


def read_policy(home: Home) -> Policy:
    """Read the policy of a home; one without witnesses and quorum where there is none.

    Raises:
        HomeError: it cannot be read, is not written as one, or names a URL that nothing can be posted to.
    """
    path = home.path / POLICY
    try:
        with durable.opened_folder(home.path) as folder:
            policy = Policy.parse(durable.read_regular(folder, POLICY, limits.POLICY_BYTES))
    except FileNotFoundError:
        return Policy()
    except OSError as error:
        raise HomeError(
            home=str(home.path), problem=f"its {POLICY} cannot be read ({error.strerror})", remedy="Look at whose it is"
        ) from error
    except PolicyError as error:
        problem = f"line {error.values['line']} of its {POLICY}: {error.values['problem']}"
        raise HomeError(home=str(home.path), problem=problem, remedy=f"Mend that line of {path}") from error
    for witness in policy.witnesses:
        try:
            if witness.url:
                split_url(witness.url)
        except ValueError as error:
            raise HomeError(
                home=str(home.path),
                problem=f"its {POLICY} names a URL of {witness.name} that is none",
                remedy="Write it as https://HOST or http://HOST:PORT, perhaps with a path",
            ) from error
    return policy


def read_cosigned(home: Home) -> bytes | None:
    """Read the checkpoint that was cosigned last; None where there is none, or none that can be read."""
    with suppress(OSError), durable.opened_folder(home.path) as folder:
        return durable.read_regular(folder, COSIGNED, limits.NOTE_BYTES)
    return None
