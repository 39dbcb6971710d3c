"""The one way from a command to a desk, and the line that it logs."""

import re
from collections.abc import Iterator

import pytest
from loguru import logger

from core.commands.base import registry
from core.domain.errors import Code
from core.domain.modes import Mode
from core.exchange.port import Exchange
from tests.core.trading.faults import FaultyExchange
from tests.rig import Wiring, open_rig

FIELDS = re.compile(
    r"\[EXEC\] mode=(?P<mode>\S+), ex=(?P<ex>\S+), symbol=(?P<symbol>\S+), side=(?P<side>\S+), size=(?P<size>.+), "
    r"entry=(?P<entry>.+), sl=(?P<sl>.+), tp=(?P<tp>.+), source=(?P<source>\S+), outcome=(?P<outcome>.+)$"
)


@pytest.fixture
def log() -> Iterator[list[str]]:
    lines: list[str] = []
    handler = logger.add(lambda message: lines.append(message.record["message"]), level="DEBUG")
    yield lines
    logger.remove(handler)


def _exec(log: list[str]) -> dict[str, str]:
    found = [match for line in log if (match := FIELDS.match(line))]
    assert len(found) == 1, log
    fields = found[0].groupdict()
    assert all(value.strip() and value != "-" for value in fields.values()), fields
    return fields


async def test_a_success_logs_every_field_with_what_happened(log: list[str]) -> None:
    async with open_rig() as rig:
        await rig.tell("Paper buy 0.04 ZEC/USD market. SL 1% below. TP 2% above. Execute.")
    assert _exec(log) == {
        "mode": "PAPER", "ex": "PaperExchangeWrapper", "symbol": "ZEC/USD", "side": "buy", "size": "0.04",
        "entry": "512", "sl": "506.88", "tp": "522.24", "source": "command", "outcome": "filled:0.04",
    }  # fmt: skip


async def test_a_denial_logs_every_field_with_what_was_asked(log: list[str]) -> None:
    async with open_rig() as rig:
        reply = await rig.tell("buy 1 BTC sl 2%")
    fields = _exec(log)
    assert (fields["symbol"], fields["size"], fields["sl"], fields["tp"]) == ("BTC/USD", "1", "2%", "default")
    assert fields["outcome"] == reply.code == Code.BALANCE
    assert any(line.startswith("[EXEC-ERR] BALANCE: ") for line in log)


async def test_a_failure_at_the_venue_logs_every_field_and_claims_nothing(log: list[str]) -> None:
    def refuse(exchange: Exchange) -> Exchange:
        return FaultyExchange(exchange, refuse={"entry": "EOrder:Insufficient funds"})

    async with open_rig(Wiring(wrap=refuse)) as rig:
        reply = await rig.tell("buy 0.04 ZEC sl 1% tp 2%")
    assert (reply.ok, reply.code) == (False, Code.REJECTED)
    assert "Not bought" in reply.text
    fields = _exec(log)
    assert (fields["outcome"], fields["sl"]) == ("REJECTED", "506.88")


async def test_every_trading_command_that_fails_still_fills_every_field(log: list[str]) -> None:
    async with open_rig() as rig:
        for text in ("sell 1 ETH", "close ETH", "cancel ETH", "protect ETH sl 1%", "cancel PX-000099"):
            log.clear()
            assert not (await rig.tell(text)).ok
            _exec(log)


async def test_live_orders_in_paper_mode_are_refused_with_the_way_to_switch() -> None:
    async with open_rig() as rig:
        reply = await rig.tell("live buy 0.04 ZEC")
        assert reply.code is Code.WRONG_MODE
        assert "mode live" in reply.text
        assert await rig.exchange.fetch_open_orders() == []


async def test_before_the_recovery_is_done_trading_is_refused_and_looking_is_not() -> None:
    async with open_rig(start=False) as rig:
        assert (await rig.tell("buy 0.04 ZEC")).code is Code.NOT_READY
        assert (await rig.tell("status")).ok


async def test_a_storage_failure_is_a_refusal_that_says_what_stands() -> None:
    async with open_rig() as rig:
        await rig.tell("buy 0.04 ZEC")
        with rig.database.transaction() as connection:
            connection.exec_driver_sql("ALTER TABLE orders RENAME TO gone")
        reply = await rig.tell("close ZEC")
        assert reply.code is Code.STORAGE
        with rig.database.transaction() as connection:
            connection.exec_driver_sql("ALTER TABLE gone RENAME TO orders")
        assert (await rig.tell("close ZEC")).ok


@pytest.mark.parametrize("name", [name for name, entry in registry().items() if not entry.command.declaration.built])
async def test_a_command_that_is_not_built_says_so_and_does_nothing(name: str) -> None:
    async with open_rig() as rig:
        command = registry()[name].command
        given = {"symbol": "ETH/USD"} if "symbol" in command.model_fields else {}
        reply = await rig.run(command.model_validate(given), Mode.PAPER)
        assert reply.code is Code.NOT_BUILT_YET
        assert name in reply.text
