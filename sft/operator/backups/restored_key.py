"""Where the master key of a home that is put back comes from, before anything in its backup is proved.

Rules. It is never taken from settings that are not proved yet, but for places that they cannot choose. The parameters of a
passphrase are there while it is opened, and go again where that fails; whoever only reads a backup has them apart.
"""

from __future__ import annotations

import re
import tempfile
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from sft import durable
from sft.model.names import safe
from sft.operator import configuration_file
from sft.operator.backups.folder import BackupFolder
from sft.operator.home import Home

# Of these the settings choose nothing: the home's own file, who sits at the terminal, what systemd gives.
_SAFE_SOURCE: Final = re.compile(r"file|passphrase|credential:[A-Za-z0-9_.-]+")


@contextmanager
def parameters_put(home: Home, files: Mapping[str, bytes]) -> Iterator[None]:
    """Have the parameters of a passphrase in the home within the block; they go again where it fails, and were not there.

    They are no secret, and choose nothing but how long it takes: within bounds (``sft.crypto.passphrase``).
    """
    name = home.parameters.name
    put = name in files and not home.parameters.exists()
    if put:
        home.write_private(name, files[name])
    try:
        yield
    except BaseException:
        if put:
            home.parameters.unlink(missing_ok=True)
        raise


@contextmanager
def parameters_apart(home: Home, files: Mapping[str, bytes]) -> Iterator[Path]:
    """Have the parameters of a passphrase within the block, and give where: the home's own, else in a folder for the time."""
    name = home.parameters.name
    if name not in files or home.parameters.exists():
        yield home.parameters
        return
    with tempfile.TemporaryDirectory(prefix="sft-verify-") as scratch:
        with durable.opened_folder(Path(scratch)) as folder:
            durable.write_new(folder, name, files[name])
        yield Path(scratch) / name


def chosen_source(home: Home, folder: BackupFolder, files: Mapping[str, bytes], flags: Mapping[str, Any]) -> str:
    """Return where the master key comes from: as a flag, the environment or the home's own settings say; else as these do.

    Raises:
        BackupError: only the settings in the backup say it, and they would choose a file or a program.
        ConfigurationError: the home's own settings are wrong.
    """
    given = home.configured(flags)
    if "master_key" in given.sources or home.configuration_file.exists():
        return given.required().master_key
    try:
        said = tomllib.loads(files.get(configuration_file.NAME, b"").decode("utf-8")).get("master_key", "file")
    except (ValueError, RecursionError):
        said = "file"
    if isinstance(said, str) and not _SAFE_SOURCE.fullmatch(said):
        folder.refuse(
            f"its settings take the master key from elsewhere ({safe(said)}), and nobody vouches for them yet",
            "Say yourself where it is: sftd restore DIR --master-key file:PATH, or another source",
        )
    return str(said)
