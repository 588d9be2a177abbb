"""Requests of a hook: signed as Standard Webhooks has it, and by keys that nobody else can read."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from sft.server.webhook import headers, read_keys

# The specification's own example.
SPECIFIED = ("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
SIGNED = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def secret(folder: Path, text: str, mode: int = 0o600) -> str:
    path = folder / "secret"
    path.write_text(text)
    path.chmod(mode)
    return str(path)


def test_the_example_of_the_specification_is_signed_as_it_says(tmp_path: Path):
    key, name, sent_at, body = SPECIFIED
    keys = read_keys(secret(tmp_path, f"whsec_{key}\n"))
    said = headers(name, sent_at, body, keys)
    assert said["webhook-signature"] == SIGNED
    assert (said["webhook-id"], said["webhook-timestamp"]) == (name, str(sent_at))


def test_each_key_signs_and_none_signs_nothing(tmp_path: Path):
    key, name, sent_at, body = SPECIFIED
    other = base64.b64encode(bytes(24)).decode()
    keys = read_keys(secret(tmp_path, f"whsec_{other}\nwhsec_{key}\n"))
    old, new = headers(name, sent_at, body, keys)["webhook-signature"].split()
    assert (new, old != new) == (SIGNED, True)
    assert "webhook-signature" not in headers(name, sent_at, body, [])


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_file_that_others_can_read_is_no_secret(tmp_path: Path, mode: int):
    with pytest.raises(OSError, match="others can read"):
        read_keys(secret(tmp_path, f"whsec_{SPECIFIED[0]}", mode))


@pytest.mark.parametrize("text", ["", "whsec_", "whsec_ä", "whsec_!!!!", "whsec_QUJD", f"{SPECIFIED[0]}\n" * 5])
def test_what_is_no_key_is_refused(tmp_path: Path, text: str):
    with pytest.raises(OSError, match="secret"):
        read_keys(secret(tmp_path, text))


def test_a_folder_and_nothing_are_no_keys(tmp_path: Path):
    with pytest.raises(OSError, match=r".*"):
        read_keys(str(tmp_path))
    with pytest.raises(FileNotFoundError):
        read_keys(str(tmp_path / "none"))
