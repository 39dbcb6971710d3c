"""How far something long has come: a bar where a person looks, a plain line now and then where nobody does."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

LINE_EVERY_S = 10.0

Advance = Callable[[int], None]
"""Told how much more is done."""


@contextmanager
def progress(title: str, total: int) -> Iterator[Advance]:
    """Shows `title` and how much of `total` is done, on stderr, until the context ends; the bar leaves no trace."""
    if sys.stderr.isatty():
        with _bar(title, total) as advance:
            yield advance
    else:
        yield _Lines(title, total)


@contextmanager
def _bar(title: str, total: int) -> Iterator[Advance]:
    from rich.console import Console  # noqa: PLC0415 - a tenth of a second that only a long job has
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn  # noqa: PLC0415

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    # What is printed meanwhile goes above the bar, but only where both are one terminal: a pipe keeps its lines.
    shared = sys.stdout.isatty()
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, redirect_stdout=shared, redirect_stderr=True) as bar:
        task = bar.add_task(title, total=total)
        yield lambda more: bar.advance(task, more)


class _Lines:
    """A line every ten seconds, for a log."""

    def __init__(self, title: str, total: int) -> None:
        self._title = title
        self._total = total
        self._done = 0
        self._next_at = time.monotonic() + LINE_EVERY_S

    def __call__(self, more: int) -> None:
        """Count, and say so when it is time."""
        self._done += more
        if time.monotonic() >= self._next_at:
            self._next_at = time.monotonic() + LINE_EVERY_S
            print(f"{self._title}: {self._done / max(self._total, 1):.0%}", file=sys.stderr)
