"""What is said where a server tells that little of a quota is left."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sft.model.text import owned_text

KIND: Final = "quota"  # of the notice


def quota_near_text(values: Mapping[str, str | int]) -> str | None:
    """Return what a notice of that kind says; None for one that says nothing that can be shown."""
    whose = {"yours": "your quota", "everybody": "the quota of all people together"}.get(str(values.get("whose")))
    percent, files, size_bytes = (values.get(name) for name in ("percent", "files", "size_bytes"))
    if whose is None or not isinstance(percent, int) or not isinstance(files, int) or not isinstance(size_bytes, int):
        return None
    limits = (values.get(name) for name in ("quota_files", "quota_bytes"))
    quota_files, quota_bytes = (each if isinstance(each, int) else None for each in limits)
    return f"{percent} % of {whose} is taken: {owned_text(files, size_bytes, quota_files, quota_bytes)}."
