"""How far a long call has come."""

from __future__ import annotations

from . import _host

_wit = _host.interface("progress")


def is_wanted() -> bool:
    """Whether anyone listens. Reporting to nobody costs little and does nothing."""
    return _wit.is_wanted() if _wit else True


def report(progress: float, total: float | None = None, message: str | None = None) -> None:
    """Reports progress. A value that is not greater than the last one is dropped, and so are reports that come too fast.

    Args:
        progress: What is done.
        total: What is to be done, in the same unit.
        message: What was done last, or is done now.
    """
    if _wit:
        _wit.report(float(progress), None if total is None else float(total), message)
    else:
        _host.cell().progress.append((progress, total, message))
