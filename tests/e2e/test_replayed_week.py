"""Real candles replayed at speed through the running bot with the autopilot on: every candle decided on once, by
process after process, and everything that it says of it is in its rows.

The short version replays some hours; ZYN_WEEK_CANDLES=2080 a week.
"""

import itertools
import os
from collections import Counter
from typing import Any

import pytest
from sqlalchemy import create_engine, select

from storage.tables import metadata
from tests.e2e.books import disagreements, read_books
from tests.e2e.kit import Bot, Home, eventually
from tests.e2e.recording import COINS, FROM, recorded

pytestmark = pytest.mark.e2e

CANDLES = int(os.environ.get("ZYN_WEEK_CANDLES", "230"))
SPEED = 1500.0
"""Five candles a second."""
KILLS = 2
STRATEGY = """
profile = "replayed"
[universe]
symbols = ["ETH/USD", "SOL/USD", "XRP/USD", "DOGE/USD"]
[limits]
daily_loss_pct = 1.0
"""
"""The aggressive numbers, with a kill switch that a night is long enough for."""


def rows_of(home: Home) -> list[dict[str, Any]]:
    """The evaluation log, oldest first."""
    engine = create_engine(f"sqlite:///{home.database}")
    table = metadata.tables["evaluation"]
    try:
        with engine.connect() as connection:
            return [dict(row._mapping) for row in connection.execute(select(table).order_by(table.c.at))]
    finally:
        engine.dispose()


def recorded_times(home: Home, coin: str) -> list[int]:
    """When each candle of the recording opened."""
    lines = (home.path / "candles" / f"{coin}USD_5.csv").read_text().splitlines()
    return [int(line.partition(",")[0]) for line in lines]


def disputes(home: Home) -> list[str]:
    """Every way in which rows and trades could disagree; none when all is well."""
    rows, books = rows_of(home), read_books(home.database)
    found = [f"{row['symbol']} {row['at']} was begun and not finished" for row in rows if row["came"] == "begun"]
    opened = Counter(row["bracket_id"] for row in rows if row["came"] == "opened")
    found += [f"bracket {name} came from {count} decisions" for name, count in opened.items() if count > 1]
    own = {one["id"]: one for one in books.brackets if one["source"] == "autopilot"}
    told = {row["bracket_id"] for row in rows}
    found += [f"bracket {name} came from no decision" for name in own if name not in told]
    found += [f"decision of bracket {name} and no bracket" for name in opened if name not in own]
    for coin in COINS:
        evaluated = [int(row["at"].timestamp()) for row in rows if row["symbol"] == f"{coin}/USD"]
        there = [at for at in recorded_times(home, coin) if evaluated[0] <= at <= evaluated[-1]]
        found += [f"{coin}: the candle of {at} has no row" for at in sorted(set(there) - set(evaluated))]
        found += [
            f"{coin}: the candle of {at} was evaluated and is in no recording" for at in set(evaluated) - set(there)
        ]
        found += _overlaps([one for one in own.values() if one["symbol"] == f"{coin}/USD"])
    return found


def _overlaps(brackets: list[dict[str, Any]]) -> list[str]:
    brackets.sort(key=lambda one: one["created_at"])
    return [
        f"{one['id']} and {other['id']} of {one['symbol']} were open together"
        for one, other in itertools.pairwise(brackets)
        if one["closed_at"] is None or other["created_at"] < one["closed_at"]
    ]


async def until(home: Home, bot: Bot, share: float) -> None:
    """Wait until so much of the recording has been evaluated, one look a second."""
    ends_at = FROM + share * CANDLES * 300
    seconds = CANDLES * 300 / SPEED

    def is_there() -> bool:
        rows = rows_of(home)
        return bool(rows) and rows[-1]["at"].timestamp() >= ends_at

    await eventually(is_there, f"{share:.0%} of the candles evaluated:\n{bot.log.text[-2000:]}", 60 + 3 * seconds, 1.0)


async def test_a_week_is_decided_on_candle_by_candle_though_the_process_is_killed_on_the_way(home: Home) -> None:
    folder = recorded(home.path / "candles", CANDLES)
    (home.path / "mine.toml").write_text(STRATEGY)
    home.environment |= {
        "MARKET": f"replay:{folder}", "MARKET_SPEED": str(SPEED), "AUTOPILOT": "true", "STRATEGY": "mine.toml",
        "LOG_LEVEL": "INFO",
    }  # fmt: skip
    for kill in range(KILLS):
        bot = await home.bot()
        await until(home, bot, (kill + 1) / (KILLS + 1))
        await bot.kill()
    bot = await home.bot()
    await until(home, bot, 0.97)
    texts = {
        words: await bot.done(words) for words in ("trades", "evaluation history", "explain ETH", "risk", "market")
    }
    traded = next(row for row in reversed(rows_of(home)) if row["came"] == "opened")
    debug = await bot.done(f"debug {traded['symbol']}")
    chart = await bot.ask("chart ETH")
    await bot.stop()

    rows, books = rows_of(home), read_books(home.database)
    came, missed = Counter(row["came"] for row in rows), sum(row["came"] == "missed" for row in rows)
    print(f"{len(rows)} rows: {dict(came)}; gates {dict(Counter(row['gate'] for row in rows if row['gate']))}")
    print(f"brackets: {dict(Counter(one['close_reason'] for one in books.brackets))}")
    assert disputes(home) == []
    assert disagreements(books) == []
    assert missed <= len(rows) * 0.15, "a restart and a busy machine may miss a few, not more"
    assert came["opened"] >= 3
    assert came["stopped"] >= 3
    assert any("KILL SWITCH" in text for text in books.alert_texts())
    assert any(row["gate"] == "KILL_SWITCH" for row in rows)
    _the_answers_tell_the_same(texts, debug, rows)
    assert chart["picture"]["png"].startswith("iVBORw0KGgo"), "a PNG in base64"


def _the_answers_tell_the_same(texts: dict[str, str], debug: str, rows: list[dict[str, Any]]) -> None:
    assert "autopilot" in texts["trades"]
    assert "The last 20 evaluations, newest first" in texts["evaluation history"]
    newest = next(row for row in reversed(rows) if row["symbol"] == "ETH/USD")
    assert "ETH/USD, the candle of 2024-08-" in texts["explain ETH"]
    assert "Decision: " in texts["explain ETH"] or newest["came"] == "missed"
    assert "Kill switch:" in texts["risk"]
    assert all(f"• {coin}/USD " in texts["market"] for coin in COINS)
    assert "evaluation of the candle" in debug
    assert "Fills in our ledger and in the books of PaperExchangeWrapper" in debug
