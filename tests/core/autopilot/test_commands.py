"""The autopilot's commands: each shows what the rows show, and changes what it says."""

from dataclasses import replace
from decimal import Decimal

from core.commands.watchlist import Watchlist
from core.domain.errors import Code
from core.domain.modes import Mode
from core.trading.consent import Author, ConsentPolicy, must_ask
from tests.core.autopilot.flight import ONE, ZEC, Flight, flight
from tests.rig import Rig, open_rig

D = Decimal


async def _text(fly: Flight, words: str) -> str:
    reply = await fly.rig.tell(words)
    assert reply.ok, reply.text
    return reply.text


async def test_explain_tells_why_it_bought_with_every_vote_and_its_number() -> None:
    async with flight() as fly:
        await fly.candle(3)
        text = await _text(fly, "explain ZEC")
        assert "in a trend up: ADX" in text
        for words in ("• rsi: long", "• trend: long", "• volume: either", "• chop: either", "• atr spike: either"):
            assert words in text
        assert "Decision: LONG, since the trend is up and no filter objects (TREND_LONG)." in text
        assert f"opened, bought {fly.bracket().held}" in text.replace(",", "").replace("opened", "opened,")
        assert f"Bracket {fly.bracket().id}" in text


async def test_explain_tells_why_it_did_not_buy_and_which_gate_it_was() -> None:
    async with flight() as fly:
        await fly.candle(3)
        for step in ("-1.2", 3):
            await fly.candle(step)
        text = await _text(fly, "why didn't you buy ZEC?")
        assert "Stopped by one position for each symbol (ONE_POSITION)" in text
        assert "The last time that something came of it, or was stopped:" in text


async def test_explain_before_anything_was_looked_at_says_so() -> None:
    async with flight() as fly:
        assert "ZEC/USD was not evaluated on the PAPER desk yet." in await _text(fly, "explain ZEC")
        await fly.rig.tell("autopilot off")
        assert "The autopilot is off in PAPER." in await _text(fly, "explain ZEC")


async def test_explain_names_a_position_that_was_opened_by_hand() -> None:
    async with flight() as fly:
        await fly.rig.tell("buy 0.1 ZEC sl 50% tp 50%")
        await fly.candle(3)
        assert "was opened by command, not by the autopilot" in await _text(fly, "explain ZEC")


async def test_the_evaluation_history_is_newest_first_and_says_what_came_of_each() -> None:
    async with flight() as fly:
        for step in (3, "-1.2", 3):
            await fly.candle(step)
        lines = (await _text(fly, "evaluation history")).splitlines()
        rows = [line for line in lines if line.startswith("•")]
        assert len(rows) == 3
        assert rows[0] > rows[1] > rows[2]
        assert "stopped by ONE_POSITION" in rows[0]
        assert "opened: bought" in rows[2]
        assert all("RSI" in row and "ATR" in row for row in rows)


async def test_market_shows_each_watched_symbol_and_the_numbers_in_force() -> None:
    async with flight() as fly:
        assert "• ZEC/USD: not evaluated yet" in await _text(fly, "market")
        await fly.candle(3)
        text = await _text(fly, "market")
        assert "TREND_UP · RSI" in text
        assert "Strategy: aggressive, candles of 5 min." in text
        assert "Autopilot risks 1% a trade, 5% in all; stop 2 ATR, target 3 ATR, not asked for fees." in text
        assert "was not evaluated on the PAPER desk yet; 'watch ETH/USD'" in await _text(fly, "market ETH")


async def test_risk_shows_every_limit_with_its_use() -> None:
    async with flight() as fly:
        await fly.pilot.watch_day(fly.rig.desk)
        await fly.candle(3)
        text = await _text(fly, "risk")
        assert "Autopilot trades today: 1 of 30; of 10 each: ZEC/USD 1." in text
        assert "Kill switch: off, at a loss of 500.00 (5%)" in text
        assert "All stops together risk" in text
        assert "Positions are worth" in text
        assert "Today: " in text


async def test_the_watchlist_is_changed_and_kept() -> None:
    async with flight() as fly:
        assert "Watched in PAPER (1, as the aggressive profile has them): ZEC/USD." in await _text(fly, "watchlist")
        assert (
            "SOL/USD is watched from its next closed candle on. Watched in PAPER now (2): ZEC/USD, SOL/USD."
            in await _text(fly, "add SOL to the watchlist")
        )
        assert "watched already" in await _text(fly, "watch SOL")
        assert "ZEC/USD is watched no more" in await _text(fly, "unwatch ZEC")
        again = Flight(await fly.rig.reopen())
        assert "Watched in PAPER (1, chosen by you): SOL/USD." in await _text(again, "watchlist")


async def test_a_pair_of_another_currency_is_not_for_the_autopilot() -> None:
    async with flight() as fly:
        rig = fly.rig
        rig.hand.known = rig.hand.known | {"ZEC/EUR": replace(rig.hand.known[ZEC], symbol="ZEC/EUR")}
        reply = await rig.run(Watchlist(action="add", symbol="ZEC/EUR"))
        assert (reply.code, "pairs of USD only" in reply.text) == (Code.SYMBOL, True)


async def test_explain_shows_the_limits_that_were_in_force_then() -> None:
    async with flight() as fly:
        await fly.candle("-1.2")
        filters = ONE.filters.model_copy(update={"volume_ratio_min": 5.0})
        fly.pilot.choices.config = ONE.model_copy(update={"filters": filters})
        text = await _text(fly, "explain ZEC")
        assert "volume: either · 1 of its mean (at least 0.6)" in text


async def test_status_mode_and_flatten_say_whether_something_may_trade_by_itself() -> None:
    async with flight() as fly:
        assert "Autopilot: on (aggressive), 1 symbols watched." in await _text(fly, "status")
        await fly.candle(3)
        assert "The autopilot is on and may buy again" in await _text(fly, "flatten")
        await fly.rig.tell("autopilot off")
        assert "Autopilot: off" in await _text(fly, "status")
        assert "may buy again" not in await _text(fly, "flatten")


async def test_what_is_not_watched_cannot_be_unwatched() -> None:
    async with flight() as fly:
        reply = await fly.rig.tell("unwatch DOGE")
        assert (reply.code, "watched are ZEC/USD" in reply.text) == (Code.NOT_FOUND, True)


async def test_the_autopilots_switch_says_what_it_means_and_is_kept() -> None:
    async with flight() as fly:
        assert "Autopilot in PAPER: on (active mode)." in await _text(fly, "autopilot")
        assert "Autopilot in LIVE: off." in await _text(fly, "autopilot")
        await fly.candle(3)
        text = await _text(fly, "turn off the autopilot")
        assert "off in PAPER: it begins nothing new and leaves nothing early; ZEC/USD keep their stops" in text
        assert "off in PAPER already" in await _text(fly, "autopilot off")
        assert "it trades ZEC/USD" in await _text(fly, "autopilot on")


async def test_switching_it_on_for_real_money_is_asked_of_a_person_and_off_never() -> None:
    async with open_rig() as rig:
        on, off = (_command(rig, words) for words in ("autopilot on", "autopilot off"))
        policy = ConsentPolicy()
        assert must_ask(on, Mode.LIVE, Author.PERSON, policy)
        assert not must_ask(on, Mode.PAPER, Author.PERSON, policy)
        assert not must_ask(off, Mode.LIVE, Author.PERSON, policy)
        assert must_ask(on, Mode.PAPER, Author.MODEL, policy)


def _command(rig: Rig, words: str):  # type: ignore[no-untyped-def] # noqa: ANN202 - whatever the grammar makes of it
    return rig.grammar.parse(words).command  # type: ignore[union-attr]


async def test_debug_shows_one_line_of_time_from_the_evaluation_to_the_exit() -> None:
    async with flight() as fly:
        await fly.candle(3)
        await fly.rig.tell("close ZEC")
        lines = (await _text(fly, "debug ZEC")).splitlines()
        start, end = lines.index("Timeline (UTC):"), lines.index("Orders:")
        story = lines[start + 1 : end]
        assert "evaluation of the candle" in story[0]
        assert "LONG (TREND_LONG), bought" in story[0]
        assert "closed: closed by your command" in story[-1]
        assert any(": entry " in line or " entry filled" in line for line in story)
        assert [line[2:16] for line in story] == sorted(line[2:16] for line in story)


async def test_a_chart_is_a_picture_with_the_symbols_name_and_its_levels_in_words() -> None:
    async with flight() as fly:
        await fly.candle(3)
        reply = await fly.rig.tell("chart ZEC")
        assert reply.picture is not None
        assert reply.picture.name.startswith("ZECUSD-2026")
        assert reply.picture.png.startswith(b"\x89PNG")
        assert "ZEC/USD 5 min, close" in reply.text
        assert "TREND_UP, LONG (TREND_LONG)" in reply.text
        assert "bought at" in reply.text


async def test_a_chart_without_candles_is_refused_in_words() -> None:
    async with flight() as fly:
        reply = await fly.rig.tell("chart SOL")
        assert (reply.ok, reply.code, reply.picture) == (False, Code.NO_PRICES, None)
        assert "there are no candles of SOL/USD of 5 minutes here" in reply.text


async def test_numbers_that_are_missing_read_as_not_available() -> None:
    async with flight(rows=12) as fly:
        await fly.candle(3)
        text = await _text(fly, "explain ZEC")
        assert "ADX N/A" in text
        assert "Decision: NO_TRADE, since there is too little history yet (WARM_UP)." in text
        assert "0.0" not in text.split("Decision")[0].replace("0.005", "")
        assert fly.rows()[0].symbol == ZEC
