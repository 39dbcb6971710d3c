"""Broken variants of the bot, each a small patch, that the simulation must catch.

    python -m tests.simulation.mutants [--only NAME] [--seeds N]

Each is applied in a temporary copy of the project and lived there, seed after seed, until a promise breaks. The
table tells how many seeds that took. A mutant that survives all seeds makes the run fail, and so does one whose
patch no longer fits the code.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.simulation.live_mutants import LIVE_MUTANTS
from tests.simulation.mutant import Edit, Mutant

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("bot", "core", "storage", "tests")
SEEDS = 3000
HUNT_S = 900.0
_HUNT = """
import gc, sys
from loguru import logger
from tests.simulation.life import live
logger.remove()
gc.disable()
for count, seed in enumerate(range(1, int(sys.argv[1]) + 1), 1):
    if count % 25 == 0:
        gc.collect()
    try:
        broken = live(seed).violation
    except Exception as error:
        broken = f"crashed, {type(error).__name__}: {error}"
    if broken:
        print(f"CAUGHT {count} {broken.splitlines()[0][:100]}")
        break
else:
    print("SURVIVED")
"""


UNGUARDED = (Edit("core/trading/tick.py", "broken(decision) if decision.changed else []", "[]"),)
"""Takes the promises out that the house keeps an eye on itself, so that the simulation has to notice alone."""


MUTANTS = (
    Mutant(
        "save after send",
        "core/trading/tick.py",
        """                desk.ledger.save([decision])
                desk.note_change(base)
                # Sent before the next bracket is decided: each order's deadline begins when it can be sent.
                outcomes += [(action, await act(desk, action)) for action in decision.actions]
""",
        """                outcomes += [(action, await desk.exchange.perform(action)) for action in decision.actions]
                desk.ledger.save([decision])
                desk.note_change(base)
""",
    ),
    Mutant(
        "save after send, at the door",
        "core/trading/door.py",
        """        desk.ledger.save([decision])
        desk.note_change(bracket.base)
        for action in decision.actions:
            await act(desk, action)
""",
        """        for action in decision.actions:
            await desk.exchange.perform(action)
        desk.ledger.save([decision])
        desk.note_change(bracket.base)
""",
    ),
    Mutant(
        "retry an unknown entry",
        "core/trading/tick.py",
        "    outcome = await desk.exchange.perform(action)\n",
        """    outcome = await desk.exchange.perform(action)
    if isinstance(outcome, Unknown) and isinstance(action, Submit) and action.order.role is Role.ENTRY:
        outcome = await desk.exchange.perform(replace(action, order=replace(action.order, client_id="zyagain-1")))
""",
    ),
    Mutant(
        "a lost entry is repeated, and nothing in the house asks",
        "core/lifecycle/decide.py",
        """    if entry is None:
        if bracket.cancel_entry""",
        """    if entry is None or (entry.state is OrderState.LOST and not bracket.cancel_entry):
        if bracket.cancel_entry""",
        UNGUARDED,
    ),
    Mutant(
        "absence from a partial snapshot",
        "core/lifecycle/absorb.py",
        "    return snapshot.complete and snapshot.began_at > order.deadline\n",
        "    return snapshot.began_at > order.deadline\n",
    ),
    Mutant(
        "absence before the deadline",
        "core/lifecycle/absorb.py",
        "    return snapshot.complete and snapshot.began_at > order.deadline\n",
        "    return snapshot.complete\n",
    ),
    Mutant(
        "closed read before open",
        "core/exchange/reading.py",
        """    still_open = await read_open()
    closed = await read_closed()
""",
        """    closed = await read_closed()
    still_open = await read_open()
""",
    ),
    Mutant(
        "no grace",
        "core/lifecycle/rules.py",
        "    child_grace_s: float = 5.0\n",
        "    child_grace_s: float = 0.0\n",
    ),
    Mutant(
        "exit not waiting for the stop",
        "core/lifecycle/cover.py",
        "    if sellable > ZERO and resting <= wanted and remaining(targets) <= wanted:\n",
        "    if sellable > ZERO:\n",
    ),
    Mutant(
        "exit not waiting for the stop, and nothing in the house asks",
        "core/lifecycle/cover.py",
        "    if sellable > ZERO and resting <= wanted and remaining(targets) <= wanted:\n",
        "    if sellable > ZERO:\n",
        UNGUARDED,
    ),
    Mutant(
        "final is final",
        "core/lifecycle/absorb.py",
        "    if shown is not None:\n        return _merge(order, shown, snapshot)\n",
        """    if order.is_terminal:
        return order
    if shown is not None:
        return _merge(order, shown, snapshot)
""",
    ),
    Mutant(
        "stop replaced instead of added",
        "core/lifecycle/cover.py",
        "    order = draft.new_order(Role.STOP, OrderType.STOP_LOSS, missing, trigger_price=bracket.stop_price)\n",
        """    if draft.stops():
        for resting in draft.stops():
            draft.cancel(resting)
        return
    order = draft.new_order(Role.STOP, OrderType.STOP_LOSS, missing, trigger_price=bracket.stop_price)
""",
    ),
    Mutant(
        "rounding up",
        "core/domain/instruments.py",
        "        return floor_to(value, self.lot_size)\n",
        "        return ceil_to(value, self.lot_size)\n",
    ),
    Mutant(
        "resend with the same id",
        "core/trading/tick.py",
        "    outcome = await desk.exchange.perform(action)\n",
        """    outcome = await desk.exchange.perform(action)
    if isinstance(outcome, Unknown):
        outcome = await desk.exchange.perform(action)
""",
    ),
    Mutant(
        "alert outside the transaction",
        "core/ledger/ledger.py",
        """                self._write(connection, changed, events)
        except""",
        """                mute = [Decision(one.before, one.after, one.fills, one.actions, ()) for one in changed]
                self._write(connection, mute, [])
            with self._database.transaction() as connection:
                news = [*events, *(event for one in changed for event in one.events)]
                self._write(connection, [], news)
        except""",
    ),
    Mutant(
        "partial leg fill cancels the sibling",
        "core/lifecycle/cover.py",
        "    _fit(draft, stops, wanted + ahead, draft.bracket.stop_price)\n",
        """    sibling_traded = any(order.filled > ZERO for order in bracket.of_role(Role.TARGET))
    _fit(draft, stops, ZERO if sibling_traded else wanted + ahead, draft.bracket.stop_price)
""",
    ),
    Mutant(
        "lock per bracket instead of per asset",
        "core/trading/door.py",
        "    async with desk.lock(bracket.base):\n",
        "    async with desk.lock(bracket.id):\n",
        (
            Edit(
                "core/trading/tick.py",
                "        async with desk.lock(group):\n",
                "        async with desk.lock(next(one.id for one in brackets if one.base == group)):\n",
            ),
            Edit(
                "core/trading/levels.py",
                "    async with desk.lock(base):\n",
                "    async with desk.lock(brackets[0].id):\n",
            ),
        ),
    ),
    Mutant(
        "a partial sale cancels the whole stop",
        "core/lifecycle/cover.py",
        "        cut = min(max(excess, ZERO), order.remaining)\n",
        "        cut = order.remaining if excess > ZERO else ZERO\n",
    ),
    Mutant(
        "stops are never moved",
        "core/lifecycle/cover.py",
        "order.price != price and not _is_dust(draft, order.remaining)):",
        "order.price is None):",
    ),
    Mutant(
        "the held target never fires",
        "core/lifecycle/cover.py",
        "    if quote.bid < bracket.target_price:\n",
        "    if quote.bid < bracket.target_price * 10:\n",
    ),
    Mutant(
        "every coin that is missing once is written off",
        "core/lifecycle/shortage.py",
        "SHORTAGE_PAUSE = timedelta(seconds=120)\n",
        "SHORTAGE_PAUSE = timedelta(seconds=0)\n",
        (Edit("core/lifecycle/shortage.py", "not snapshot.complete or not snapshot.balances or not", "not"),),
    ),
    Mutant(
        "a refused change is never forgotten",
        "core/lifecycle/decide.py",
        "    elif not is_bare and bracket.protect_failures > 0 and _rests_as_wished(draft):\n",
        "    elif False:\n",
    ),
    Mutant(
        "child counted twice",
        "core/lifecycle/absorb.py",
        "    fresh = [child for child in children if child.venue_id not in known]\n",
        "    fresh = [child for child in children for _ in range(2) if child.venue_id not in known]\n",
    ),
    Mutant(
        "unknown taken for accepted",
        "core/lifecycle/note.py",
        "    if isinstance(outcome, Accepted):\n        _accepted(draft, action, order, outcome)\n",
        """    if not isinstance(outcome, Refused):
        _accepted(draft, action, order, outcome if isinstance(outcome, Accepted) else Accepted())
""",
    ),
    Mutant(
        "stop not reborn",
        "core/lifecycle/cover.py",
        "    if missing <= ZERO or bracket.stop_price is None:\n",
        """    dead = any(order.state in {OrderState.LOST, OrderState.CANCELED} for order in bracket.of_role(Role.STOP))
    if missing <= ZERO or bracket.stop_price is None or dead:
""",
    ),
    Mutant(
        "late entry kept",
        "core/lifecycle/decide.py",
        "    if unwanted and entry.state is OrderState.OPEN:\n",
        "    if bracket.cancel_entry and entry.filled <= ZERO and entry.state is OrderState.OPEN:\n",
    ),
    Mutant(
        "sent past its deadline",
        "core/trading/tick.py",
        "    if isinstance(action, Submit) and desk.clock() + SEND_MARGIN > action.order.deadline:\n",
        "    if False and isinstance(action, Submit):\n",
    ),
    Mutant(
        "memory told as the venue's word",
        "core/trading/execute.py",
        "    if read_at >= asked_at:\n",
        "    if bases:\n",
    ),
    Mutant(
        "coins sold by hand counted on",
        "core/lifecycle/shortage.py",
        "        missing -= part\n",
        "        missing -= part\n        continue\n",
    ),
    Mutant(
        "strays of closed brackets left alone",
        "core/trading/tick.py",
        "    _take_up_strays(desk, shared)\n",
        "",
    ),
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of one mutant: the seeds that it took and the promise that it broke, or that it survived."""

    mutant: Mutant
    seeds: int | None
    broken: str


def hunt(mutant: Mutant, seeds: int) -> Verdict:
    """Live in a copy with the fault planted until a promise breaks."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        for package in PACKAGES:
            shutil.copytree(ROOT / package, copy / package, ignore=shutil.ignore_patterns("__pycache__", "e2e"))
        mutant.apply(copy)
        environment = os.environ | {"PYTHONPATH": str(copy), "PYTHONHASHSEED": "0"}
        done = subprocess.run(
            [sys.executable, "-c", _HUNT, str(seeds)], cwd=copy, env=environment, capture_output=True, text=True,
            check=False, timeout=HUNT_S,
        )  # fmt: skip
    found = re.search(r"^CAUGHT (\d+) (.*)$", done.stdout, re.MULTILINE)
    if found is not None:
        return Verdict(mutant, int(found.group(1)), found.group(2))
    if "SURVIVED" in done.stdout:
        return Verdict(mutant, None, "")
    raise RuntimeError(f"{mutant.name}: the hunt itself broke: {done.stderr[-2000:]}")


def hunt_all(mutants: tuple[Mutant, ...], seeds: int, workers: int) -> Iterator[Verdict]:
    """All of them, as many at a time as there are cores, in order."""
    with ThreadPoolExecutor(workers) as pool:
        yield from pool.map(lambda mutant: hunt(mutant, seeds), mutants)


def main() -> int:
    """Print the table; 1 where a mutant survives."""
    parser = argparse.ArgumentParser(prog="tests.simulation.mutants", description=__doc__)
    parser.add_argument("--only", help="the name of one")
    parser.add_argument("--seeds", type=int, default=SEEDS, help="lives that each gets")
    given = parser.parse_args()
    chosen = tuple(one for one in (*MUTANTS, *LIVE_MUTANTS) if given.only in {None, one.name})
    print(f"{'mutant':40} {'seeds':>6}  caught by")
    survived = 0
    for verdict in hunt_all(chosen, given.seeds, os.cpu_count() or 1):
        seeds = "-" if verdict.seeds is None else str(verdict.seeds)
        print(f"{verdict.mutant.name:40} {seeds:>6}  {verdict.broken or 'SURVIVED'}", flush=True)
        survived += verdict.seeds is None
    print(f"{len(chosen)} mutants, {len(chosen) - survived} caught, {survived} survived")
    return 1 if survived or not chosen else 0


if __name__ == "__main__":
    sys.exit(main())
