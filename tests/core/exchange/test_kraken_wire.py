"""The wire to an account: whose turn it is, what is tried again, and what an answer proves."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

import pytest
from loguru import logger

from core.domain.venue import Accepted, Amend, Cancel, Refused, Submit, Unknown
from core.exchange import kraken_wire
from core.exchange.budget import RestBudget, Tier
from core.exchange.kraken_private import outcome_of
from core.exchange.kraken_wire import AccountWire, CallFailedError, Endpoint, Turns, envelope, failure_of
from tests.core.exchange.account_rig import ZEC, Bench, D, bench
from tests.core.exchange.kraken_rig import no_wait
from tests.standins import kraken_faults as faults


@pytest.fixture
async def on() -> AsyncIterator[Bench]:
    async with bench() as made:
        yield made


@pytest.fixture
def log() -> Iterator[list[str]]:
    lines: list[str] = []
    handler = logger.add(lambda message: lines.append(str(message)), level="WARNING")
    yield lines
    logger.remove(handler)


# -- turns -------------------------------------------------------------------------------------------------------


async def _line_up(turns: Turns, said: list[str], name: str, *, urgent: bool = False) -> "asyncio.Task[None]":
    async def wait() -> None:
        await turns.take(urgent=urgent)
        said.append(name)

    task = asyncio.create_task(wait())
    await asyncio.sleep(0)
    return task


async def _let_all_out(turns: Turns) -> None:
    for _ in range(6):
        turns.give()
        await asyncio.sleep(0)
        await asyncio.sleep(0)


async def test_what_is_urgent_goes_first_and_each_kind_in_the_order_of_its_coming() -> None:
    turns, said = Turns(), list[str]()
    await turns.take(urgent=False)
    tasks = [
        await _line_up(turns, said, name, urgent=name.startswith("order"))
        for name in ("read 1", "order 1", "read 2", "order 2")
    ]
    await _let_all_out(turns)
    assert said == ["order 1", "order 2", "read 1", "read 2"]
    await asyncio.gather(*tasks)


async def test_who_no_longer_waits_gives_the_place_back_even_when_the_turn_had_just_come() -> None:
    turns, said = Turns(), list[str]()
    await turns.take(urgent=False)
    gone = await _line_up(turns, said, "gone")
    late = await _line_up(turns, said, "late")
    stays = await _line_up(turns, said, "stays")
    gone.cancel()
    await asyncio.sleep(0)
    turns.give()
    late.cancel()
    await asyncio.wait_for(stays, 1)
    assert said == ["stays"]
    turns.give()
    await asyncio.wait_for(turns.take(urgent=False), 1)
    await asyncio.gather(gone, late, return_exceptions=True)


# -- a client of a few lines -------------------------------------------------------------------------------------


class Client:
    """Answers each call as `answers` says; a call that waits is let go by `let`."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.calls: list[str] = []
        self.running = 0
        self.let = asyncio.Event()
        self.urls: dict[str, Any] = {}

    def __getattr__(self, name: str) -> Any:
        async def ask(form: Mapping[str, str]) -> Any:
            self.calls.append(name.removeprefix("privatePost"))
            answer = self.answers.pop(0) if self.answers else {"result": {}}
            if answer == "wait":
                self.running += 1
                try:
                    await self.let.wait()
                finally:
                    self.running -= 1
                return {"result": {}}
            if isinstance(answer, Exception):
                raise answer
            return answer

        return ask

    async def close(self) -> None:
        self.calls.append("close")


def _wire(client: Client) -> AccountWire:
    budget = RestBudget(Tier.PRO, sleep=no_wait)
    make: Any = lambda: client  # noqa: E731
    return AccountWire(make, budget, sleep=no_wait)


async def test_a_read_that_takes_long_holds_an_order_up_no_longer_than_its_turn() -> None:
    client = Client("wait")
    wire = _wire(client)
    slow = asyncio.create_task(wire.read(Endpoint.OPEN_ORDERS, {}))
    while not client.running:
        await asyncio.sleep(0)
    began = time.monotonic()
    await wire.send(Endpoint.ADD, {})
    assert time.monotonic() - began < kraken_wire.TURN_S + 0.3
    assert (client.calls, slow.done()) == (["OpenOrders", "AddOrder"], False)
    client.let.set()
    await slow


async def test_an_order_is_sent_before_the_reads_that_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kraken_wire, "TURN_S", 30)
    client = Client("wait")
    wire = _wire(client)
    reads = [asyncio.create_task(wire.read(one, {})) for one in (Endpoint.OPEN_ORDERS, Endpoint.BALANCE)]
    await asyncio.sleep(0.01)
    order = asyncio.create_task(wire.send(Endpoint.ADD, {}))
    await asyncio.sleep(0.01)
    client.let.set()
    await asyncio.gather(*reads, order)
    assert client.calls == ["OpenOrders", "AddOrder", "BalanceEx"]


async def test_a_caller_that_goes_away_takes_its_request_along_and_frees_the_wire(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(kraken_wire, "TURN_S", 0.01)
    client = Client("wait")
    wire = _wire(client)
    read = asyncio.create_task(wire.read(Endpoint.OPEN_ORDERS, {}))
    await asyncio.sleep(0.05)
    read.cancel()
    with pytest.raises(asyncio.CancelledError):
        await read
    assert client.running == 0
    await wire.send(Endpoint.CANCEL, {})


async def test_a_caller_that_goes_away_within_its_turn_takes_its_request_along_as_well(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(kraken_wire, "TURN_S", 30)
    client = Client("wait")
    wire = _wire(client)
    read = asyncio.create_task(wire.read(Endpoint.OPEN_ORDERS, {}))
    await asyncio.sleep(0.01)
    read.cancel()
    with pytest.raises(asyncio.CancelledError):
        await read
    await wire.send(Endpoint.CANCEL, {})
    running = client.running
    client.let.set()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert running == 0


@pytest.mark.parametrize(
    ("answer", "tries"),
    [
        ("<html>502</html>", 3),
        (OSError("the line broke"), 3),
        (TimeoutError(), 3),
        (ValueError("kraken {broken"), 3),
        (RuntimeError('kraken {"error":["EService:Busy"]}'), 3),
        (RuntimeError('kraken {"error":["EAPI:Invalid nonce"]}'), 3),
        (RuntimeError('kraken {"error":["EAPI:Invalid key"]}'), 1),
        (RuntimeError('kraken {"error":["EAPI:Rate limit exceeded"]}'), 1),
        ({"error": []}, 3),
        (["no", "mapping"], 3),
    ],
)
async def test_a_read_is_tried_three_times_where_that_may_help_and_an_order_never_again(
    answer: Any, tries: int
) -> None:
    reader = Client(*[answer] * 5)
    with pytest.raises(CallFailedError):
        await _wire(reader).read(Endpoint.OPEN_ORDERS, {})
    assert reader.calls == ["OpenOrders"] * tries
    sender = Client(*[answer] * 5)
    with pytest.raises(CallFailedError):
        await _wire(sender).send(Endpoint.ADD, {})
    assert sender.calls == ["AddOrder"]


async def test_a_read_that_kraken_calls_one_too_many_fills_our_counter() -> None:
    wire = _wire(Client(RuntimeError('kraken {"error":["EAPI:Rate limit exceeded"]}')))
    with pytest.raises(CallFailedError):
        await wire.read(Endpoint.OPEN_ORDERS, {})
    assert wire.budget.counter.room < 1


async def test_a_wire_that_is_closed_sends_nothing_and_does_not_open_again() -> None:
    client = Client()
    wire = _wire(client)
    await wire.read(Endpoint.OPEN_ORDERS, {})
    await wire.close()
    await wire.close()
    for call in (wire.read(Endpoint.BALANCE, {}), wire.send(Endpoint.ADD, {}), wire.ask_public("Time")):
        with pytest.raises(CallFailedError, match="closed"):
            await call
    assert client.calls == ["OpenOrders", "close"]


@pytest.mark.parametrize(
    "text",
    [
        "", "kraken", 'kraken {"error":["EOrder:Insufficient funds"]', "kraken POST https://x 502 EOrder:Unknown order",
        'kraken {"error":"EOrder:Insufficient funds"}', 'kraken {"error":[1]}', 'kraken ["EOrder:Unknown order"]',
        'kraken {"errors":["EOrder:Unknown order"]}', "kraken " + "[" * 100_000,
    ],
)  # fmt: skip
def test_what_is_not_krakens_whole_envelope_proves_nothing(text: str) -> None:
    assert envelope(text) == ((), None)
    failure = failure_of(text, "AddOrder", "ExchangeError")
    assert failure.strings == ()
    assert isinstance(outcome_of(failure), Unknown)
    assert "https" not in failure.message


def test_every_endpoint_is_a_call_that_the_client_has() -> None:
    import ccxt.async_support as ccxt  # noqa: PLC0415 - importing it takes 0.4 s

    names = {one.path for one in Endpoint}
    assert all(hasattr(ccxt.kraken, f"private_post_{name.lower()}") for name in names)
    assert not names & {"CancelAll", "CancelAllOrdersAfter", "EditOrder", "AddOrderBatch", "Withdraw"}


def test_a_client_is_made_without_limiter_and_retries_of_its_own(on: Bench) -> None:
    client: Any = on.wire.client
    assert (client.enableRateLimit, client.options["maxRetriesOnFailure"]) == (False, 0)


# -- what an answer proves ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", faults.EVERY_FAULT, ids=str)
async def test_no_answer_to_an_order_ever_says_more_than_the_books(on: Bench, fault: faults.PrivateFault) -> None:
    on.kraken.fail(fault, endpoint="AddOrder")
    outcome = await on.exchange.perform(on.submit())
    placed = on.kraken.account.by_name("zyabcd123456-1")
    assert on.asked("AddOrder") == 1, "an order is sent once"
    if isinstance(outcome, Refused):
        assert not placed
    if isinstance(outcome, Accepted):
        assert [record.id for record in placed] == [outcome.venue_id]


async def test_a_warning_beside_an_order_id_is_an_order(on: Bench) -> None:
    on.kraken.fail(faults.WARNING_BESIDE, endpoint="AddOrder")
    assert await on.exchange.perform(on.submit()) == Accepted(on.kraken.account.by_name("zyabcd123456-1")[0].id)


async def test_a_string_that_nobody_has_heard_is_unknown_and_logged_loudly(on: Bench, log: list[str]) -> None:
    on.kraken.fail(faults.NEW_STRING_AFTER, endpoint="AddOrder")
    assert isinstance(await on.exchange.perform(on.submit()), Unknown)
    assert any("EOrder:Something new" in line for line in log)


async def test_a_name_that_is_there_already_is_unknown_because_the_first_may_be_ours(on: Bench) -> None:
    action = on.submit("zyabcd123456-1", "limit", price="400")
    assert isinstance(await on.exchange.perform(action), Accepted)
    on.kraken.fail(faults.error("EGeneral:Invalid arguments:cl_ord_id not unique"), endpoint="AddOrder")
    outcome = await on.exchange.perform(action)
    assert isinstance(outcome, Unknown)
    assert "there already" in outcome.detail


async def test_an_order_below_the_minimum_is_refused_in_krakens_words_and_a_validated_one_is_not_placed(
    on: Bench,
) -> None:
    assert isinstance(await on.exchange.perform(on.submit(quantity="0.001")), Refused)
    assert isinstance(await on.exchange.validate(on.submit(quantity="0.001")), Refused)
    assert await on.exchange.validate(on.submit()) == Accepted(None)
    assert on.kraken.account.records == {}
    assert [form.get("validate") for form in on.kraken.private.asked("AddOrder")] == [None, "true", "true"]


async def test_an_order_for_a_pair_that_is_not_listed_is_refused_without_being_sent(on: Bench) -> None:
    nowhere = Submit(on.order(), "NO/USD")
    assert isinstance(await on.exchange.perform(nowhere), Refused)
    assert isinstance(await on.exchange.validate(nowhere), Refused)
    assert on.kraken.requests == []


async def test_a_cancel_and_an_amend_reach_the_order_and_one_that_is_gone_is_gone(on: Bench) -> None:
    resting = on.submit("zyabcd123456-1", "limit", price="400")
    accepted = await on.exchange.perform(resting)
    assert isinstance(accepted, Accepted)
    amended = await on.exchange.perform(Amend(resting.order, ZEC, D(2), D(410), None))
    shown = on.kraken.account.by_name("zyabcd123456-1")[0].order.shown
    assert isinstance(amended, Accepted)
    assert (shown.quantity, shown.limit_price) == (D(2), D(410))
    assert isinstance(await on.exchange.perform(Cancel(resting.order, ZEC)), Accepted)
    assert await on.exchange.perform(Cancel(resting.order, ZEC)) == Refused("EOrder:Unknown order")
