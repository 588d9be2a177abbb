"""`sft whoami`: profile, person, role, keys and what is owned. Role and figures are asked from the server."""

from __future__ import annotations

import click

from sft.cli.columns import aligned
from sft.cli.invocation import Invocation
from sft.cli.json_output import profile_document
from sft.cli.options import common
from sft.cli.witnessed_output import standing_of, warning_of
from sft.client.api.people import show_self
from sft.client.witnessed import standing_text
from sft.model.names import safe
from sft.model.text import ROLE_WORDS, owned_text, shown_name


@click.command("whoami")
@common
def command(invocation: Invocation) -> int:
    """Show who you are on the server: name, role, device and keys."""
    profile = invocation.profile()
    user = invocation.talk(show_self, profile).user
    default = invocation.profiles.default_name()
    standing = standing_of(invocation.state, profile, now=invocation.now)
    rows = [
        ("server", f"{safe(profile.server_name)} ({profile.address})"),
        ("user", shown_name(profile.user_name)),
        ("role", f"{user.role}: {ROLE_WORDS[user.role]}"),
        ("owned", owned_text(user.files, user.bytes_stored, user.quota_files, user.quota_bytes)),
        ("device", safe(profile.device)),
        ("key", profile.key.words()),
        ("minisign", profile.key.text()),
        ("server key", profile.server.words()),
        ("log", standing_text(standing, now=invocation.now)),
        ("profile", safe(profile.name)),
    ]
    document = profile_document(profile, default, role=user.role.value, log=standing, owned=user)
    invocation.console.show(document, *aligned(rows))
    if overdue := warning_of(profile, standing):
        invocation.console.warn(overdue)
    return 0
