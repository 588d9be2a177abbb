"""Where a server or a witness listens: HOST:PORT as everywhere in sft, or an endpoint of Twisted's.

Rules. What cannot be listened at is told with the system's own reason, before anything is made.
"""

from __future__ import annotations

import errno
import os
from ipaddress import ip_address
from typing import Any, Final

from twisted.internet.endpoints import serverFromString
from twisted.internet.interfaces import IListeningPort

from sft.errors import ListenError, UsageError
from sft.model.links import parse_address

LISTEN: Final = "127.0.0.1:7361"
WITNESS_LISTEN: Final = "127.0.0.1:7362"
BACKLOG: Final = 1024
_LAST_PORT: Final = 65_535
_EVERYWHERE: Final = "0.0.0.0"  # noqa: S104 - said to a person

_REMEDIES: Final = {
    errno.EADDRINUSE: "Another program listens there: stop it, or choose another port (--listen HOST:PORT)",
    errno.EACCES: "Ports below 1024 are the system's own: choose another (--listen HOST:PORT)",
    errno.EADDRNOTAVAIL: f"At all addresses of this computer: --listen {_EVERYWHERE}:PORT",
}
_OTHERWISE: Final = "Choose another place: --listen HOST:PORT"


def endpoint_of(listen: str) -> str:
    """Return the endpoint of a place to listen; UsageError for what is no place, or a name that is no address."""
    host, _, port = listen.rpartition(":")
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    if bare == "localhost":
        bare = "127.0.0.1"
    try:
        address = ip_address(bare)
    except ValueError:
        return _endpoint(listen)
    if not port.isdecimal() or int(port) > _LAST_PORT or (address.version == 6) != host.startswith("["):  # noqa: PLR2004
        raise _no_place(listen)
    kind, escaped = ("tcp6", bare.replace(":", "\\:")) if address.version == 6 else ("tcp", bare)  # noqa: PLR2004
    return f"{kind}:{port}:interface={escaped}"


def loopback_endpoint(listen: str) -> str:
    """Return the endpoint of an address of loopback with a port; UsageError for any other."""
    host, _, _ = listen.rpartition(":")
    try:
        is_loopback = host == "localhost" or ip_address(host.strip("[]")).is_loopback
    except ValueError:
        is_loopback = False
    if not is_loopback:
        raise UsageError(
            problem=f"{listen} is no address that only this computer reaches",
            remedy="127.0.0.1:PORT or [::1]:PORT; whoever asks from elsewhere comes through a proxy",
        )
    return endpoint_of(listen)


def _endpoint(listen: str) -> str:
    """Return what is no HOST:PORT, if it is an endpoint."""
    kind, colon, rest = listen.partition(":")
    if not colon or not rest or "." in kind or not kind.isalnum():
        try:
            named, port = parse_address(listen)
        except UsageError:
            raise _no_place(listen) from None
        raise UsageError(
            problem=f"{named} is a name, and a server listens at addresses of its computer",
            remedy=f"--listen {_EVERYWHERE}:{port}; a name is what links say: sftd serve --public HOST:PORT",
        )
    return listen


def _no_place(listen: str) -> UsageError:
    return UsageError(
        problem=f"{listen} is no place to listen at",
        remedy=f"--listen HOST:PORT, such as {_EVERYWHERE}:7361 or [::]:7361",
    )


async def listen_at(reactor: Any, listen: str, factory: Any) -> IListeningPort:
    """Listen; ListenError with the system's reason where that cannot be."""
    text = endpoint_of(listen)
    try:
        endpoint = serverFromString(reactor, text + _backlog(text))
    except Exception as error:  # Twisted's parsers raise whatever they meet
        raise _no_place(listen) from error
    try:
        port: IListeningPort = await endpoint.listen(factory)
    except Exception as error:  # or what an endpoint does
        cause = getattr(error, "socketError", None) or error
        number = getattr(cause, "errno", None)
        reason = os.strerror(number) if number else str(cause).removesuffix(".")
        raise ListenError(
            str(error), listen=listen, reason=reason, remedy=_REMEDIES.get(number or 0, _OTHERWISE)
        ) from error
    return port


def _backlog(endpoint: str) -> str:
    return "" if "backlog=" in endpoint or not endpoint.startswith(("tcp", "ssl")) else f":backlog={BACKLOG}"
