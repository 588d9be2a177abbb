"""The signs of what is known of a signature."""

from __future__ import annotations

from typing import Final

from sft.client.trust import SignatureState

MARKS: Final = {
    SignatureState.SIGNED: "·",
    SignatureState.VERIFIED: "✓",
    SignatureState.UNKNOWN: "?",
    SignatureState.BAD: "✗",
}
