"""The bare job: what any such transfer in Python has to do, over blocking sockets, 64 KiB at a time, and nothing else.

    python -m tests.campaigns.bench.bare serve FOLDER PORT
    python -m tests.campaigns.bench.bare put PORT SOURCE NAME
    python -m tests.campaigns.bench.bare get PORT NAME TARGET

A put hashes and seals at the client, and opens, hashes, seals for the disk and writes at the server; a get reads, opens and
seals at the server, and opens, hashes and writes at the client. Both sync what they wrote. No login, no signatures.
"""

from __future__ import annotations

import hashlib
import os
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from nacl.bindings import crypto_secretbox_easy, crypto_secretbox_open_easy

CHUNK = 64 * 1024
TAG = 16
LINE_KEY, DISK_KEY = bytes([1]) * 32, bytes([2]) * 32
NAME_BYTES = 64
PUT, GET, DONE = b"p", b"g", b"d"


def nonce(number: int) -> bytes:
    return number.to_bytes(24, "big")


def chunks(read: Callable[[int], bytes], size: int, extra: int = 0) -> Iterator[tuple[int, bytes]]:
    """Give number and bytes of each piece, so many bytes longer than its part of the size."""
    for number in range(-(-size // CHUNK)):
        piece = read(min(CHUNK, size - number * CHUNK) + extra)
        if not piece:
            raise ConnectionError("cut")
        yield number, piece


def exactly(line: socket.socket) -> Callable[[int], bytes]:
    """Make a reader of so many bytes, no fewer."""

    def read(count: int) -> bytes:
        whole = bytearray(count)
        view, got = memoryview(whole), 0
        while got < count:
            some = line.recv_into(view[got:])
            if not some:
                raise ConnectionError("cut")
            got += some
        return bytes(whole)

    return read


def synced(path: Path, pieces: Iterator[bytes]) -> None:
    """Write a file, durably."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        for piece in pieces:
            os.write(handle, piece)
        os.fsync(handle)
    finally:
        os.close(handle)


def serve(folder: Path, port: int) -> None:
    """Serve one after the other."""
    with socket.create_server(("127.0.0.1", port)) as listener:
        while True:
            line, _ = listener.accept()
            with line, suppress(ConnectionError):  # of whoever only looked whether it listens
                line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                read = exactly(line)
                kind = read(1)
                place = folder / read(NAME_BYTES).rstrip(b"\0").decode()
                if kind == PUT:
                    take(read, place)
                    line.sendall(DONE)
                else:
                    give(line, place)


def take(read: Callable[[int], bytes], place: Path) -> None:
    """Server's side of a put."""
    digest = hashlib.blake2b()

    def pieces() -> Iterator[bytes]:
        size = int.from_bytes(read(8), "big")
        for number, box in chunks(read, size, TAG):
            data = crypto_secretbox_open_easy(box, nonce(number), LINE_KEY)
            digest.update(data)
            yield crypto_secretbox_easy(data, nonce(number), DISK_KEY)

    synced(place, pieces())
    if read(64) != digest.digest():
        raise ValueError("other bytes")


def give(line: socket.socket, place: Path) -> None:
    """Server's side of a get."""
    with place.open("rb", buffering=0) as file:
        count = -(-place.stat().st_size // (CHUNK + TAG))
        size = place.stat().st_size - count * TAG
        line.sendall(size.to_bytes(8, "big"))
        for number, box in chunks(file.read, size, TAG):
            data = crypto_secretbox_open_easy(box, nonce(number), DISK_KEY)
            line.sendall(crypto_secretbox_easy(data, nonce(number), LINE_KEY))


def put(line: socket.socket, source: Path) -> None:
    """Client's side."""
    digest = hashlib.blake2b()
    size = source.stat().st_size
    line.sendall(size.to_bytes(8, "big"))
    with source.open("rb", buffering=0) as file:
        for number, data in chunks(file.read, size):
            digest.update(data)
            line.sendall(crypto_secretbox_easy(data, nonce(number), LINE_KEY))
    line.sendall(digest.digest())
    if exactly(line)(1) != DONE:
        raise ConnectionError("not stored")


def get(line: socket.socket, target: Path) -> None:
    """Client's side."""
    digest, read = hashlib.blake2b(), exactly(line)

    def pieces() -> Iterator[bytes]:
        for number, box in chunks(read, int.from_bytes(read(8), "big"), TAG):
            data = crypto_secretbox_open_easy(box, nonce(number), LINE_KEY)
            digest.update(data)
            yield data

    synced(target, pieces())


def main() -> None:
    """Do as the words say."""
    kind, *words = sys.argv[1:]
    if kind == "serve":
        serve(Path(words[0]), int(words[1]))
        return
    name = words[2] if kind == "put" else words[1]
    with socket.create_connection(("127.0.0.1", int(words[0]))) as line:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        line.sendall((PUT if kind == "put" else GET) + name.encode().ljust(NAME_BYTES, b"\0"))
        if kind == "put":
            put(line, Path(words[1]))
        else:
            get(line, Path(words[2]))


if __name__ == "__main__":
    main()
