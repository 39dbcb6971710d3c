"""Many lives on all cores, and the table that tells what they were made of."""

import gc
import os
import statistics
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field

from loguru import logger

from core.domain.brackets import ExitReason
from core.domain.events import EventKind
from core.domain.orders import OrderState, Role
from core.lifecycle.states import MOVES
from tests.simulation.life import ACTS, Story, live
from tests.simulation.promises import Tally

CHUNK = 25
ACTS_MIN = 40
FAULTS_MIN = 2
ORDINARY = frozenset({"partial_fill", "chat_down"})
"""What any venue and any chat do every day; it is not counted as a fault of a life."""


@dataclass
class Sum:
    """Many lives counted together."""

    seeds: int = 0
    steps: int = 0
    crashes: int = 0
    seconds: float = 0.0
    acts: list[int] = field(default_factory=list)
    """Of the lives that were not broken off by a violation."""
    faults: list[int] = field(default_factory=list)
    by_kind: Counter[str] = field(default_factory=Counter)
    tally: Tally = field(default_factory=Tally)
    violations: list[tuple[int, str]] = field(default_factory=list)

    def add(self, story: Story) -> None:
        """Count a life in."""
        self.seeds += 1
        self.steps += story.steps
        self.crashes += story.crashes
        self.seconds += story.seconds
        self.faults.append(sum(count for kind, count in story.faults.items() if kind not in ORDINARY))
        self.by_kind.update(story.faults)
        self.tally.add(story.tally)
        if story.violation:
            self.violations.append((story.seed, story.violation))
        else:
            self.acts.append(story.acts)

    def merge(self, other: "Sum") -> None:
        """Count another sum in."""
        for name in ("seeds", "steps", "crashes", "seconds"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.acts += other.acts
        self.faults += other.faults
        self.by_kind.update(other.by_kind)
        self.tally.add(other.tally)
        self.violations += other.violations

    @property
    def counts(self) -> bool:
        """Whether the lives were long and troubled enough to prove anything."""
        return min(self.acts, default=0) >= ACTS_MIN and statistics.median(self.faults or [0]) >= FAULTS_MIN


def some_lives(seeds: range) -> Sum:
    """The lives of these seeds, one after the other, in this process."""
    logger.remove()
    gc.disable()  # A life makes many small things and few cycles: one collection for a chunk is enough.
    total = Sum()
    for seed in seeds:
        total.add(live(seed))
    gc.collect()
    return total


def many_lives(seeds: range, workers: int) -> Iterator[Sum]:
    """The same on several cores, chunk by chunk, in order."""
    chunks = [seeds[start : start + CHUNK] for start in range(0, len(seeds), CHUNK)]
    with ProcessPoolExecutor(workers) as pool:
        yield from pool.map(some_lives, chunks)


def print_table(total: Sum, took_s: float) -> None:
    """Everything that the run has to say."""
    print(f"seeds {total.seeds}, {took_s:.0f} s on {os.cpu_count()} cores")
    print(
        f"lives: {min(total.acts, default=0)} to {max(total.acts, default=0)} acts, {total.steps} steps of the loop, "
        f"{total.seconds / 3600:.0f} hours of their own time, {total.crashes} crashes"
    )
    print(f"faults: {statistics.median(total.faults):.0f} a life in the median")
    _print_counts("faults by kind", total.by_kind, ())
    _print_counts("orders sent", total.tally.actions, ())
    _print_counts("moves of orders", total.tally.moves, _legal_moves())
    _print_counts("ends of brackets", total.tally.ends, (str(reason) for reason in ExitReason))
    _print_counts("alerts", total.tally.events, (str(kind) for kind in EventKind))
    _print_counts("replies", total.tally.replies, ())
    print(
        f"longest without a stop: {total.tally.longest_bare_s:.0f} s with outages and dead processes, "
        f"{total.tally.longest_bare_seeing_s:.0f} s while Zyn could see"
    )
    print(f"violations {len(total.violations)}")
    for seed, what in total.violations[:10]:
        print(f"  seed {seed}: {what[:300]}")


def _print_counts(title: str, counts: Counter[str], expected: Iterable[str]) -> None:
    shown = ", ".join(f"{name} {count}" for name, count in sorted(counts.items(), key=lambda item: -item[1]))
    print(f"{title}: {shown}")
    never = [name for name in expected if name not in counts]
    if never:
        print(f"  never: {', '.join(never)}")


def _legal_moves() -> Iterator[str]:
    roles = {OrderState.HELD: (Role.TARGET,)}
    for before, states in MOVES.items():
        for after in sorted(states):
            for role in roles.get(before, tuple(Role)):
                yield f"{role} {before} > {after}"


def replay(seed: int) -> int:
    """Tell one life as a story: the shortest beginning of it that breaks a promise, else all of it."""
    logger.remove()
    whole = live(seed)
    if whole.violation:
        shortest = next((n for n in range(1, whole.acts + 1) if live(seed, n).violation), whole.acts)
        story = live(seed, shortest, traced=True)
        print(f"the shortest beginning of seed {seed} that breaks a promise: {shortest} of {whole.acts} acts")
        if story.violation != whole.violation:
            print(f"(the whole life breaks another one: {whole.violation})")
    else:
        story = live(seed, traced=True)
        print(f"seed {seed} keeps every promise")
    print("\n".join(story.lines))
    return 1 if story.violation else 0


def simulate(seeds: range, workers: int) -> int:
    """Run, print, and say by the exit status whether it proves what it should."""
    started, total = time.perf_counter(), Sum()
    for part in many_lives(seeds, workers):
        total.merge(part)
        if sys.stderr.isatty():
            print(f"\r{total.seeds} lives, {len(total.violations)} violations", end="", file=sys.stderr)
    print_table(total, time.perf_counter() - started)
    if not total.counts:
        print(f"does not count: each life needs {ACTS_MIN} acts of {ACTS}, the median {FAULTS_MIN} faults")
    return 0 if total.counts and not total.violations else 1
