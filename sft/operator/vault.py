"""Answer ``twistd sft vault …``."""

from __future__ import annotations

from typing import Any

from sft.client.connection import ServerConnection
from sft.model.names import safe
from sft.model.records import VaultReport
from sft.model.text import count_text, size_text
from sft.operator.printing import print_json
from sft.wire import messages as m

FAULTS_STATUS = 7


async def check(session: ServerConnection, options: Any) -> int:
    """Read every row and object; status 7 where something does not hold."""
    return _report((await session.request(m.CheckVault, m.VaultChecked)).report, options, "checked")


async def rotate(session: ServerConnection, options: Any) -> int:
    """Seal everything under a new master key."""
    done = await session.request(
        m.RotateMasterKey, m.VaultChecked, reencrypt=bool(options["reencrypt"])
    )
    status = _report(done.report, options, "sealed anew")
    if status == 0 and not options["json"]:
        print(
            "Keep a copy of the new master key away from this disk; the old one opens nothing any more."
        )
    return status


async def collect(session: ServerConnection, options: Any) -> int:
    """Destroy what was in the trash for its time."""
    return _report(
        (await session.request(m.CollectTrash, m.VaultChecked)).report, options, "destroyed"
    )


def _report(report: VaultReport, options: Any, done: str) -> int:
    if options["json"]:
        print_json(
            {
                "files": report.files,
                "versions": report.versions,
                "bytes": report.bytes_checked,
                "faults": [{"what": each.what, "problem": each.problem} for each in report.faults],
                "more_faults": report.more_faults,
                "notes": list(report.notes),
            }
        )
    else:
        for fault in report.faults:
            print(f"✗ {safe(fault.what)}: {safe(fault.problem)}")
        if report.more_faults:
            print(f"  and {count_text(report.more_faults)} more")
        for note in report.notes:
            print(safe(note))
        faults = len(report.faults) + report.more_faults
        verdict = "clean" if not faults else f"{count_text(faults)} faults"
        print(
            f"{done}: {count_text(report.files)} files, {count_text(report.versions)} versions, "
            f"{size_text(report.bytes_checked)}: {verdict}"
        )
    return FAULTS_STATUS if report.faults else 0
