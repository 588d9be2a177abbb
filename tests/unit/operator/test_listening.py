"""Where a server listens, as people write it, and why that cannot be."""

from __future__ import annotations

import socket

import pytest
from twisted.internet.protocol import Factory

from sft.errors import ListenError, UsageError
from sft.operator.listening import endpoint_of, listen_at
from tests.loop import reactor, run


@pytest.mark.parametrize(
    ("listen", "endpoint"),
    [
        ("0.0.0.0:7361", "tcp:7361:interface=0.0.0.0"),
        ("localhost:1", "tcp:1:interface=127.0.0.1"),
        ("[::1]:7361", "tcp6:7361:interface=\\:\\:1"),
        ("[::]:7361", "tcp6:7361:interface=\\:\\:"),
        ("127.0.0.1:0", "tcp:0:interface=127.0.0.1"),
        ("tcp:7361:interface=127.0.0.1", "tcp:7361:interface=127.0.0.1"),
        ("unix:/run/sft", "unix:/run/sft"),
        ("systemd:domain=INET:index=0", "systemd:domain=INET:index=0"),
    ],
)
def test_a_place_is_an_address_or_an_endpoint(listen, endpoint):
    assert endpoint_of(listen) == endpoint


@pytest.mark.parametrize(
    "listen", ["", "bogus", "7361", ":7361", "::1:7361", "[127.0.0.1]:1", "127.0.0.1:x", "127.0.0.1:65536"]
)
def test_what_is_no_place_is_told_with_one_that_is(listen):
    with pytest.raises(UsageError) as refused:
        endpoint_of(listen)
    assert "--listen HOST:PORT, such as 0.0.0.0:7361" in str(refused.value.values["remedy"])


def test_a_name_is_what_links_say():
    with pytest.raises(UsageError) as refused:
        endpoint_of("files.example.org:7361")
    assert "--listen 0.0.0.0:7361" in str(refused.value.values["remedy"])


@pytest.mark.parametrize("listen", ["tcp6:17362:interface=::1", "bogus:1", "tcp:x"])
def test_an_endpoint_that_is_none_is_told_as_that(listen):
    with pytest.raises(UsageError):
        run(listen_at(reactor, listen, Factory()))


def test_where_nothing_can_listen_the_systems_own_reason_is_told():
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(ListenError) as refused:
        run(listen_at(reactor, f"127.0.0.1:{taken.getsockname()[1]}", Factory()))
    assert refused.value.values["reason"] == "Address already in use"
    assert "another port" in str(refused.value.values["remedy"])
    with pytest.raises(ListenError) as refused:
        run(listen_at(reactor, "203.0.113.9:0", Factory()))  # kept for documents: nobody's
    assert refused.value.values["reason"] == "Cannot assign requested address"
    assert "--listen 0.0.0.0:PORT" in str(refused.value.values["remedy"])


def test_an_address_of_version_6_is_listened_at():
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this system has no IPv6")
    port = run(listen_at(reactor, "[::1]:0", Factory()))
    assert port.getHost().host == "::1"
    port.stopListening()
