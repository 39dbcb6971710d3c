"""The autopilot on real money's desk: off until it is turned on, and then through the same door to Kraken."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from bot import wiring
from core.domain.market import Candle
from core.domain.modes import Mode, Source
from core.exchange.kraken_market import KrakenMarketData
from core.market.clocks import wall_clock
from core.risk.gates import Gate
from core.strategy.evaluation import Came
from tests.live_kit import LiveHouse, live_house
from tests.standins.kraken import KrakenStandIn

D = Decimal
ZEC = "ZEC/USD"


def _rising(ends_at: datetime, rows: int = 401) -> list[Candle]:
    """Candles up to `ends_at` of a market that rises without being exhausted, around the stand-in's price."""
    close, found = D(150), []
    for row in range(rows):
        before, close = close, close + (D(3) if row % 2 == 0 else D("-1.2"))
        at = ends_at - timedelta(minutes=5) * (rows - row)
        top, bottom = max(before, close) + D("0.5"), min(before, close) - D("0.5")
        found.append(Candle(ZEC, at, 300, before, top, bottom, close, D(100)))
    return found


@asynccontextmanager
async def _just_after_a_close(folder: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[LiveHouse]:
    """A LIVE house in a time in which a candle has closed four seconds ago, whatever the wall's clock says."""
    ahead = timedelta(seconds=304 - wall_clock().timestamp() % 300)

    def clock() -> datetime:
        return wall_clock() + ahead

    async def candles(
        _: object, symbol: str, interval_s: int, count: int, *, patient: bool = False
    ) -> Sequence[Candle]:
        ends_at = datetime.fromtimestamp(clock().timestamp() // 300 * 300, UTC)
        return _rising(ends_at)[-count:] if (symbol, interval_s) == (ZEC, 300) else ()

    monkeypatch.setattr(wiring, "wall_clock", clock)
    monkeypatch.setattr(KrakenMarketData, "candles", candles)
    async with KrakenStandIn(balances={"USD": D(10_000)}) as kraken:
        kraken.account.limits = False
        kraken.market.now = clock
        async with live_house(folder, kraken) as live:
            live.house.service.pilot.choices.watch(Mode.LIVE, [ZEC])
            yield live


async def test_it_is_off_for_real_money_until_it_is_turned_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with _just_after_a_close(tmp_path, monkeypatch) as live:
        assert await live.house.service.pilot.look() == 1
        [row] = live.house.service.pilot.evaluations.last(Mode.LIVE, ZEC)
        assert (row.came, row.gate) == (Came.STOPPED, Gate.AUTOPILOT_OFF)
        assert live.kraken.private.asked("AddOrder") == []


async def test_turned_on_it_buys_with_its_stop_attached_and_the_row_names_the_bracket(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with _just_after_a_close(tmp_path, monkeypatch) as live:
        pilot = live.house.service.pilot
        assert (await live.tell("autopilot on")).ok
        assert await pilot.look() == 1
        [row] = pilot.evaluations.last(Mode.LIVE, ZEC)
        assert row.came is Came.OPENED, row.text
        bracket = live.bracket()
        assert (bracket.id, bracket.source, bracket.mode) == (row.bracket_id, Source.AUTOPILOT, Mode.LIVE)
        [order] = live.kraken.private.asked("AddOrder")
        assert order["close[ordertype]"] == "stop-loss"
        assert bracket.held == sum(one.quantity for one in live.resting())
        assert await pilot.look() == 0
        assert len(live.kraken.private.asked("AddOrder")) == 1
