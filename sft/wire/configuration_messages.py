"""Messages about what a server runs with."""

from __future__ import annotations

from sft.model.status import OptionsInForce
from sft.wire.replies import Reply
from sft.wire.requests import Request


class ShowConfiguration(Request, frozen=True, tag=106):
    """What the server runs with."""


class ConfigurationShown(Reply, frozen=True, tag=105):
    """Answers ShowConfiguration; none of an operator's command that serves for itself alone."""

    options: OptionsInForce
