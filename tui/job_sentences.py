"""What is said of a job when a run of it has ended."""

from __future__ import annotations

from sft.client.transfers.queue.job import Direction, Job, JobState
from sft.client.transfers.queue.run import RunResult
from sft.model.text import count_text, counted, day_text, shown_name
from tui.messages import Notification, Severity
from tui.text import error_text, shown


def said_of(job: Job, outcome: RunResult) -> str:
    """Return what became of a job that worked."""
    return _done(job, outcome) + _moved(job) + _expiring(outcome, job.ended_at or job.added_at)


def _expiring(outcome: RunResult, now: float) -> str:
    until = f", until {day_text(outcome.expires_at, now)}" if outcome.expires_at else ""
    if not outcome.unexpiring:
        return until
    return f"{until}; {counted(outcome.unexpiring, 'file')} could not be given an expiry: e on it does"


def _moved(job: Job) -> str:
    if not job.moved:
        return ""
    if job.files == 1:
        return f", signed as {shown_name(job.moved[0].signed_as)}"
    return f"; {count_text(job.moved_files)} signed under another name: enter names them"


def _done(job: Job, outcome: RunResult) -> str:
    one = job.files == 1
    all_there = outcome.unchanged and outcome.unchanged == outcome.done
    if job.direction is Direction.PUT:
        if all_there:
            return "there already" if one else f"all {count_text(outcome.done)} there already"
        if one:
            return f"stored as version {outcome.version}, receipt kept"
        return f"{count_text(outcome.done)} files stored, receipts kept"
    if job.direction is Direction.GET:
        if all_there:
            return "here already, the same bytes"
        if one:
            return f"here, verified: by {shown(outcome.author)}, version {outcome.version}"
        return f"{count_text(outcome.done)} files here, verified"
    if one:
        return f"verified: signed by {shown(outcome.author)}, version {outcome.version}"
    return f"{count_text(outcome.done)} files verified"


def sentence_of(job: Job, outcome: RunResult, quota_near: str = "") -> Notification | None:
    """Return what became of a job; None for what a person stopped.

    Args:
        quota_near: how little of a quota is left, as the server told while it ran.
    """
    title = shown(job.title)
    if job.state is JobState.DONE:
        is_doubtful = bool(job.moved or quota_near or outcome.unexpiring)
        severity = Severity.WARNING if is_doubtful else Severity.SUCCESS
        return Notification(f"{title}: {job.said}", severity, quota_near)
    if job.state is JobState.NEEDS_YOU:
        count = sum(failure.is_conflict for failure in job.failures)
        what = f"{count_text(count)} of {count_text(job.files)} need you" if job.files > 1 else "needs you"
        return Notification(f"{title} {what}: something has that name already.", Severity.WARNING, "t, then enter")
    if job.state is JobState.FAILED and job.failures:
        message, step = error_text(job.failures[0].error, job.ended_at)
        total = outcome.done + len(outcome.failures)
        if total > 1:
            done = f"{count_text(outcome.done)} of {count_text(total)} done"
            return Notification(f"{title}: {done}. {message}", Severity.ERROR, step)
        # A refusal may not name what it is about; one that does needs it no second time.
        return Notification(message if title in message else f"{title}: {message}", Severity.ERROR, step)
    return None
