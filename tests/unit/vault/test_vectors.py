"""The committed vectors: our code makes them again, and a reader written from FORMAT.md alone opens them."""

from __future__ import annotations

import hashlib
import json
import runpy
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.hashes import SHA512
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from nacl.secret import SecretBox
from nacl.signing import SigningKey

from sft.errors import ObjectCorruptError
from sft.vault.keyring import Keyring
from sft.vault.layout import SealedKey
from sft.vault.objects import open_sidecar, open_whole

FOLDER = Path(__file__).parents[2] / "vectors"
VECTORS = json.loads(FOLDER.joinpath("vault.json").read_text("utf-8"))
GENERATOR = runpy.run_path(str(FOLDER / "generate_vault.py"))
RINGS = ["keyring", "keyring_rotating", "keyring_retired"]


def raw(value):
    return {key: bytes.fromhex(text) for key, text in value.items() if _is_hex(text)}


def _is_hex(text):
    return isinstance(text, str) and not set(text) - set("0123456789abcdef")


def test_the_code_makes_the_committed_vectors():
    made = GENERATOR["build"]()
    assert made.keys() == VECTORS.keys()
    for part, values in VECTORS.items():
        assert made[part] == values, part


@pytest.mark.parametrize("name", RINGS)
def test_a_recorded_keyring_opens(name):
    item = raw(VECTORS[name])
    ring = Keyring.open(item["file"], item["master_key"])
    assert ring.row_key == item["row_key"]
    assert ring.server_seed == item["server_seed"]
    assert ring.epoch == VECTORS[name]["epoch"]
    assert ring.rotating == (name == "keyring_rotating")


def test_a_key_that_was_sealed_anew_opens_under_its_epoch():
    ring = raw(VECTORS["keyring_retired"])
    item = raw(VECTORS["resealed_key"])
    opened = Keyring.open(ring["file"], ring["master_key"])
    assert opened.unwrap(item["object_id"], SealedKey(2, item["sealed_key"])) == item["data_key"]


def test_a_recorded_sidecar_opens():
    item, ring = raw(VECTORS["sidecar"]), raw(VECTORS["keyring"])
    opened = Keyring.open(ring["file"], ring["master_key"])
    assert open_sidecar(opened, item["object_id"], item["sealed"]) == (
        item["data_key"],
        item["later_keys"],
        item["content"],
    )


# -- by the document alone ------------------------------------------------------------------------------


def derive(key, label):
    return HKDF(algorithm=SHA512(), length=32, salt=None, info=label).derive(key)


def read_by_the_document(master_key, epoch, sealed_key, sealed):
    header, rest = sealed[:28], sealed[28:]
    assert header[:8] == b"SFTOBJ\x01\x10"
    assert header[24:] == bytes(4)
    wrapping_key = derive(master_key, b"sft/1 master data keys")
    opened = SecretBox(wrapping_key).decrypt(sealed_key[24:], sealed_key[:24])
    binding = hashlib.blake2b(header + epoch.to_bytes(4, "big"), digest_size=32, person=b"sft/1 sealed key")
    assert opened[32:] == binding.digest()
    box = SecretBox(derive(opened[:32], b"sft/1 vault payload" + header))
    chunks = [rest[at : at + 65_552] for at in range(0, len(rest), 65_552)]
    return b"".join(
        box.decrypt(chunk, bytes(15) + i.to_bytes(8, "big") + bytes([i == len(chunks) - 1]))
        for i, chunk in enumerate(chunks)
    )


@pytest.mark.parametrize("index", range(len(VECTORS["objects"])))
def test_an_object_is_what_the_document_says(index):
    item = VECTORS["objects"][index]
    ring = Keyring.generate(GENERATOR["MASTER_KEY"], entropy=GENERATOR["drawn"]("vault"))
    key, sealed = [
        GENERATOR["seal_whole"](ring, GENERATOR["OBJECT_ID"], GENERATOR["content"](size)) for size in GENERATOR["SIZES"]
    ][index]
    assert len(sealed) == item["length"]
    assert hashlib.sha256(sealed).hexdigest() == item["sha256"]
    assert item["whole"] in (None, sealed.hex())
    assert (key.epoch, key.sealed.hex()) == (item["epoch"], item["sealed_key"])
    found = read_by_the_document(GENERATOR["MASTER_KEY"], key.epoch, key.sealed, sealed)
    assert hashlib.sha256(found).hexdigest() == item["content_sha256"]
    assert open_whole(ring, GENERATOR["OBJECT_ID"], item["size"], key, sealed) == found


@pytest.mark.long
def test_segments_of_two_runs_are_what_the_document_says():
    item, ring = VECTORS["segments"], raw(VECTORS["keyring"])
    object_id, later = bytes.fromhex(item["object_id"]), bytes.fromhex(item["later_keys"])
    assert (len(later), later[:4]) == (76, b"\0\0\0\1")
    headers = [b"SFTOBJ\x01\x10" + object_id + number.to_bytes(4, "big") for number in range(3)]
    sealed_key = bytes.fromhex(item["sealed_key"])
    opened = SecretBox(derive(ring["master_key"], b"sft/1 master data keys")).decrypt(sealed_key[24:], sealed_key[:24])
    first = opened[:32]
    assert first.hex() == item["data_key"]
    second = SecretBox(derive(first, b"sft/1 vault later key" + headers[1])).decrypt(later[28:], later[4:28])
    opened_ring = Keyring.open(ring["file"], ring["master_key"])
    key = SealedKey(item["epoch"], sealed_key, later)
    found = b""
    for number, sealed in enumerate(GENERATOR["segments_of"](opened_ring, key)):
        made = item["segments"][number]
        assert (len(sealed), hashlib.sha256(sealed).hexdigest()) == (made["length"], made["sha256"])
        assert sealed[:28] == headers[number]
        payload = derive(second if number else first, b"sft/1 vault payload" + headers[number])
        assert payload.hex() == made["payload_key"]
        for at in range(28, len(sealed), 65_552):
            index = number * 256 + at // 65_552
            nonce = bytes(15) + index.to_bytes(8, "big") + bytes([index == 512])
            found += SecretBox(payload).decrypt(sealed[at : at + 65_552], nonce)
    assert (len(found), hashlib.sha256(found).hexdigest()) == (item["size"], item["content_sha256"])


def test_a_keyring_is_what_the_document_says():
    item = raw(VECTORS["keyring_rotating"])
    file, master_key = item["file"], item["master_key"]
    assert file[:12] == b"SFTKEY\x01\x00" + b"\0\0\0\2"
    assert file[12:44] == derive(master_key, b"sft/1 master check value")
    record = SecretBox(derive(master_key, b"sft/1 master keyring")).decrypt(file[68:], file[44:68])
    assert record[:44] == file[:44]
    assert record[44:108] == item["row_key"] + item["server_seed"]
    server_key = SigningKey(item["server_seed"]).verify_key.encode()
    assert record[108:140] == hashlib.blake2b(server_key, digest_size=32).digest()
    assert record[140:172] == bytes(32)
    old = raw(VECTORS["keyring"])
    assert record[172:] == b"\1\0" + b"\0\0\0\1" + old["wrapping_key"]


def test_the_notes_of_a_renewed_keyring_stand_behind_the_epochs():
    item = raw(VECTORS["keyring_renewed"])
    record = item["record"]
    note = VECTORS["keyring_renewed"]["successions"][0].encode()
    old = raw(VECTORS["keyring_retired"])
    assert record[140:172] == old["row_key"]
    assert record[172:] == b"\0\1" + len(note).to_bytes(2, "big") + note
    old_key = SigningKey(old["server_seed"]).verify_key.encode()
    new_key = SigningKey(item["server_seed"]).verify_key.encode()
    assert f"old-key {old_key.hex()}\nnew-key {new_key.hex()}\n".encode() in note


def test_a_sidecar_is_what_the_document_says():
    item = raw(VECTORS["sidecar"])
    header = b"SFTOBJ\x01\x10" + item["object_id"] + bytes(4)
    key = derive(raw(VECTORS["keyring"])["row_key"], b"sft/1 vault sidecar" + header)
    sealed = item["sealed"]
    assert sealed[:8] == b"SFTMET\x01\x00"
    assert (
        SecretBox(key).decrypt(sealed[32:], sealed[8:32])
        == item["data_key"] + b"\0\1" + item["later_keys"] + item["content"]
    )


@pytest.mark.parametrize("name", VECTORS["refused"])
def test_what_is_to_be_refused_is_refused(name):
    item = VECTORS["refused"][name]
    ring = Keyring.generate(GENERATOR["MASTER_KEY"], entropy=GENERATOR["drawn"]("vault"))
    object_id = GENERATOR["OBJECT_ID"]
    both = {size: GENERATOR["seal_whole"](ring, object_id, GENERATOR["content"](size)) for size in GENERATOR["SIZES"]}
    sealed = {size: data for size, (_, data) in both.items()}
    (made,) = [data for key, _, data, _ in GENERATOR["refused_objects"](sealed) if key == name]
    assert hashlib.sha256(made).hexdigest() == item["sha256"]
    for size in {item["claimed_size"], 1, 65_537, 200_000}:
        for key, _ in both.values():
            with pytest.raises(ObjectCorruptError):
                open_whole(ring, object_id, size, key, made)
