"""One tape, two desks: what paper decides and earns on it, life decides and earns as well."""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from loguru import logger

from core.domain.brackets import ExitReason
from core.domain.orders import OrderType, Role, Side
from core.market.replay import load_series
from tests.contract.tape import (
    TICK,
    Decided,
    Ending,
    Story,
    Tape,
    World,
    generated_tape,
    live_on_tape,
    paper_on_tape,
    play,
    said_over,
)

SEEDS = (11, 2026)
CRASH = datetime(2024, 8, 5, 0, 0, tzinfo=UTC)
CANDLES = 140
WORLDS = {
    "the stop is sent after the fill": World("after", stop_holds=True),
    "the stop is attached, stops hold": World("attached", stop_holds=True),
    "the stop is attached, stops hold nothing": World("attached", stop_holds=False),
}
SPREAD = TICK
"""The stand-in asks a tick more than it bids, the market made by hand does not."""


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Thousands of log lines help nobody here."""
    logger.disable("core")
    yield
    logger.enable("core")


async def _both(tape: Tape, world: World, folder: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Story, Story]:
    async with paper_on_tape(tape) as on_paper:
        paper = await play(tape, on_paper)
    async with live_on_tape(tape, world, folder, monkeypatch) as in_life:
        live = await play(tape, in_life)
    apart = [abs(one.result - two.result) for one, two in zip(paper.endings, live.endings, strict=False)]
    print(Counter(one.reason.value for one in paper.endings), f"at most {max(apart)} apart")
    return paper, live


def _require_same(paper: Story, live: Story) -> None:
    """The same orders in the same intervals, the same reasons, and results no further apart than the spread."""
    assert live.protests == paper.protests
    assert _that_matter(live) == _that_matter(paper)
    assert [(one.step, one.reason) for one in live.endings] == [(one.step, one.reason) for one in paper.endings]
    for number, (mine, theirs) in enumerate(zip(paper.endings, live.endings, strict=True)):
        apart = abs(mine.result - theirs.result)
        assert apart <= _bound(mine), f"trade {number}: paper {mine}, live {theirs}"


def _that_matter(story: Story) -> list[Decided]:
    """Every order but the target of a trade that ended by its stop in the interval in which the target was made.

    There an entry filled at a price that was below its stop already: an attached stop has sold before anybody could
    think of a target, and one that is sent sells as it arrives.
    """
    ends = {trade: one.step for trade, one in enumerate(story.endings) if one.reason is ExitReason.STOP}
    return [one for one in story.decided if one.role is not Role.TARGET or ends.get(one.trade) != one.step]


def _bound(ending: Ending) -> Decimal:
    """How far the two results of one trade may lie apart: the spread of its purchase, on its quantity, and half a
    percent more for the fees on that. The price moves only between two looks, so that neither desk is ever a whole
    interval behind the other; and the spread is less than any interval's move.
    """
    return SPREAD * ending.quantity * Decimal("1.005")


@pytest.mark.simulation
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("world", WORLDS.values(), ids=WORLDS)
async def test_paper_and_live_decide_the_same_on_a_generated_tape(
    seed: int, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tape = generated_tape(seed)
    print(f"seed {seed}, {len(tape.prices)} prices, {len(tape.said)} commands")
    paper, live = await _both(tape, world, tmp_path, monkeypatch)
    _require_same(paper, live)
    _require_life(paper)


@pytest.mark.simulation
@pytest.mark.parametrize("world", WORLDS.values(), ids=WORLDS)
async def test_paper_and_live_decide_the_same_on_recorded_candles(
    recording: Callable[[str], Path],
    world: World,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (series,) = load_series(recording("candles/kraken_ETH_USD_5m.parquet"))
    first = next(number for number, start in enumerate(series.starts) if start >= CRASH.timestamp())
    prices = [series.candle(number).close for number in range(first, first + CANDLES)]
    tape = Tape("ETH/USD", tuple(prices), said_over(prices, "ETH/USD", "0.05", "0.1"))
    print(f"{CANDLES} closes from {CRASH}")
    paper, live = await _both(tape, world, tmp_path, monkeypatch)
    _require_same(paper, live)
    _require_life(paper)


def _require_life(story: Story) -> None:
    """A tape on which nothing happens proves nothing."""
    reasons = {one.reason for one in story.endings}
    assert {ExitReason.STOP, ExitReason.TARGET} <= reasons
    assert len(story.endings) >= 8
    assert {(one.role, one.side, one.type) for one in story.decided} >= {
        (Role.ENTRY, Side.BUY, OrderType.MARKET),
        (Role.ENTRY, Side.BUY, OrderType.LIMIT),
        (Role.STOP, Side.SELL, OrderType.STOP_LOSS),
        (Role.TARGET, Side.SELL, OrderType.LIMIT),
    }
