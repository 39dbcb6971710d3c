"""The agent against a model that is helpful, broken, or lies."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import respx
from sqlalchemy.exc import OperationalError

from bot.grammar.parse import NotParsed
from bot.llm.agent import _beside
from bot.llm.lazy import LazyAgent, make_agent
from bot.settings import Settings, load_settings
from core.domain.errors import Code
from core.domain.modes import Mode
from core.trading.reply import Picture, Reply
from tests.rig import Rig, open_rig

URL = "http://127.0.0.1:9/v1"
BUY = {"symbol": "ZEC/USD", "amount": {"value": "0.04", "unit": "base"}, "order_type": "market"}
NAMED = "our pockets want to buy 0.04 zcash"
NO_COMMAND = NotParsed(Code.NOT_A_COMMAND, "I know no command in that")
Answer = httpx.Response | Exception


def _says(text: str) -> httpx.Response:
    return _message({"role": "assistant", "content": text})


def _calls(*calls: tuple[str, str]) -> httpx.Response:
    listed = [
        {"id": f"c{number}", "type": "function", "function": {"name": name, "arguments": arguments}}
        for number, (name, arguments) in enumerate(calls)
    ]
    return _message({"role": "assistant", "content": None, "tool_calls": listed})


def _message(message: dict[str, Any]) -> httpx.Response:
    choice = {"index": 0, "finish_reason": "stop", "message": message}
    body = {"id": "x", "object": "chat.completion", "created": 0, "model": "m", "choices": [choice]}
    return httpx.Response(200, json=body)


def _settings(**given: object) -> Settings:
    return load_settings({}, Path("/nonexistent/.env"), {"openai_base_url": URL} | given)


@asynccontextmanager
async def _asked(*answers: Answer) -> AsyncIterator[tuple[Rig, Callable[..., Any], respx.Route]]:
    settings = _settings()
    async with open_rig() as rig:
        agent = make_agent(settings, rig.approvals, rig.grammar, rig.store)
        with respx.mock(assert_all_called=False) as router:
            route = router.post(f"{URL}/chat/completions").mock(side_effect=list(answers))

            async def ask(text: str = "hello", why_not: NotParsed = NO_COMMAND) -> Reply:
                return await agent.answer("u1", text, why_not)

            yield rig, ask, route


async def test_a_tool_call_is_executed_once_and_told_by_its_receipt() -> None:
    async with _asked(_calls(("buy", json.dumps(BUY))), _says("I bought it twice!")) as (rig, ask, route):
        reply = await ask(NAMED)
        assert reply.text.startswith("Mode: PAPER.\nBought 0.04 ZEC")
        assert "twice" not in reply.text
        assert (route.call_count, len(rig.desk.ledger.unfinished())) == (1, 1)


async def test_two_orders_in_one_answer_become_one() -> None:
    async with _asked(_calls(("buy", json.dumps(BUY)), ("buy", json.dumps(BUY)))) as (rig, ask, _):
        await ask(NAMED)
        assert len(rig.desk.ledger.unfinished()) == 1


async def test_prose_that_claims_a_trade_without_one_is_replaced_by_the_truth() -> None:
    async with _asked(_says("Done! I bought 0.04 ZEC for you.")) as (rig, ask, _):
        reply = await ask("grab a bit of zcash")
        assert "bought" not in reply.text
        assert reply.lines[0].startswith("Nothing was executed")
        assert reply.mode is Mode.PAPER
        assert "No positions." in reply.lines, "what the ledger says, in its place"
        assert rig.store.get("model_claims_dropped") == "1"
        assert rig.desk.ledger.unfinished() == ()


async def test_harmless_prose_is_passed_on_and_marked_as_the_models() -> None:
    async with _asked(_says("Hello jimmy.")) as (_, ask, _route):
        reply = await ask()
        assert reply.lines[0].startswith("The model says (its words, not the ledger's")
        assert reply.lines[1:] == ("› Hello jimmy.",)


async def test_a_question_never_meets_a_tool_that_trades() -> None:
    async with _asked(_calls(("buy", json.dumps(BUY))), _says("I see.")) as (rig, ask, route):
        await ask("should I buy ETH?", NotParsed(Code.QUESTION, "that is a question"))
        offered = json.loads(route.calls[0].request.content)["tools"]
        assert "buy" not in {tool["function"]["name"] for tool in offered}
        told = json.loads(route.calls[1].request.content)["messages"][-1]
        assert "not allowed" in told["content"]
        assert rig.desk.ledger.unfinished() == ()


async def test_wrong_arguments_go_back_to_the_model_which_may_mend_them() -> None:
    async with _asked(_calls(("price", "{}")), _calls(("price", '{"symbol": "ETH/USD"}')), _says("")) as (
        _,
        ask,
        route,
    ):
        reply = await ask("how is ether doing on the exchange")
        assert "ETH/USD: bid" in reply.text
        assert route.call_count == 3


@pytest.mark.parametrize(
    ("answer", "tries", "words"),
    [
        (httpx.Response(401, json={"error": {"message": "bad key"}}), 1, "OPENAI_API_KEY"),
        (httpx.Response(429, json={"error": {"message": "slow down"}}), 3, "no more questions"),
        (httpx.Response(200, html="<html>login</html>"), 1, "chat completion"),
        (httpx.Response(200, json={"choices": []}), 1, "chat completion"),
        (httpx.Response(200, text="{broken"), 1, "chat completion"),
        (httpx.Response(500, text="oops"), 3, "500"),
        (httpx.ConnectError("refused"), 3, "cannot be reached"),
        (httpx.ReadTimeout("slow"), 1, "longer than 30 s"),
    ],
    ids=["401", "429", "html", "empty", "broken", "500", "refused", "time-out"],
)
async def test_a_broken_model_gets_one_honest_sentence_and_no_more_tries_than_help(
    answer: Answer, tries: int, words: str
) -> None:
    async with _asked(*[answer] * 5) as (rig, ask, route):
        reply = await ask("tell me a story")
        assert "The model is not answering" in reply.text
        assert words in reply.text
        assert "I know no command in that" in reply.text
        assert len(reply.lines) == 1
        assert route.call_count == tries
        assert (await rig.tell("open")).ok


async def test_a_server_that_was_busy_for_a_moment_is_asked_again() -> None:
    async with _asked(httpx.Response(503, text="busy"), _says("Here I am.")) as (_, ask, route):
        assert (await ask()).lines[1] == "› Here I am."
        assert route.call_count == 2


async def test_what_a_model_proposes_is_shown_and_not_done() -> None:
    async with _asked(_calls(("buy", json.dumps(BUY)))) as (rig, ask, route):
        reply = await ask("grab a bit of zcash")
        assert reply.question is not None
        assert reply.code is Code.UNCONFIRMED
        assert reply.lines[0].startswith("Buy 0.04 ZEC (ZEC/USD) at market")
        assert rig.desk.ledger.unfinished() == ()
        assert route.call_count == 1, "after a proposal the turn is over"
        done = await rig.approvals.answer("u1", reply.question.code, yes=True)
        assert done.text.startswith("Mode: PAPER.\nBought 0.04 ZEC")


@pytest.mark.parametrize(
    ("name", "arguments"), [("flatten", {}), ("risk", {"action": "resume"}), ("mode", {"target": "PAPER"})]
)
async def test_a_model_changes_nothing_of_the_house_by_itself(name: str, arguments: dict[str, str]) -> None:
    async with _asked(_calls((name, json.dumps(arguments)))) as (_, ask, _route):
        assert (await ask("do what you must")).code is Code.UNCONFIRMED


async def test_tools_that_only_look_run_side_by_side_and_are_answered_in_order() -> None:
    calls = [("price", '{"symbol": "ETH/USD"}'), ("price", '{"symbol": "ZEC/USD"}'), ("open", "{}")]
    async with _asked(_calls(*calls), _says("")) as (rig, ask, route):
        gate, running = asyncio.Barrier(3), []
        quotes = rig.market.quotes

        async def together(symbols: Any) -> Any:
            running.append(sorted(symbols))
            if len(running) <= 2:
                async with asyncio.timeout(5):
                    await gate.wait()
            return await quotes(symbols)

        snapshot = rig.desk.snapshot

        async def meanwhile(*, sparing: bool = False, urgent: bool = False) -> Any:
            async with asyncio.timeout(5):
                await gate.wait()
            return await snapshot(sparing=sparing, urgent=urgent)

        rig.market.quotes = together  # type: ignore[method-assign]
        rig.desk.snapshot = meanwhile  # type: ignore[method-assign]
        reply = await ask("how are things")
        assert "ETH/USD: bid" in reply.text
        assert "ZEC/USD: bid" in reply.text
        told = [
            message for message in json.loads(route.calls[1].request.content)["messages"] if message["role"] == "tool"
        ]
        assert [message["tool_call_id"] for message in told] == ["c0", "c1", "c2"]
        assert told[0]["content"].startswith("ETH/USD")


async def test_the_words_beside_a_receipt_are_marked_and_dropped_where_they_claim() -> None:
    looks = _calls(("price", '{"symbol": "ETH/USD"}'))
    async with _asked(looks, _says("Quiet today."), looks, _says("I sold it at 3000.")) as (_, ask, _route):
        assert "The model adds (its words, not the ledger's):\n› Quiet today." in (await ask()).text
        assert "sold" not in (await ask()).text


async def test_one_message_has_one_budget_of_time() -> None:
    async with _asked(*[_calls(("status", "{}"))] * 9) as (rig, _ask, route):

        async def slowly(request: httpx.Request) -> httpx.Response:
            await asyncio.sleep(0.4)
            return _calls(("status", "{}"))

        route.mock(side_effect=slowly)
        agent = make_agent(_settings(model_budget_s=1.0), rig.approvals, rig.grammar, rig.store)
        reply = await agent.answer("u1", "hello", NO_COMMAND)
        assert "longer than 1 s" in reply.text
        assert "Active mode: PAPER." in reply.text, "what was found out before is kept"
        assert route.call_count in {2, 3}


async def test_a_model_that_calls_tools_forever_is_stopped_after_a_few_rounds() -> None:
    async with _asked(*[_calls(("status", "{}"))] * 20) as (_, ask, route):
        await ask()
        assert route.call_count == 4


async def test_the_conversation_is_stored_and_its_window_is_sent() -> None:
    async with _asked(*[_says(f"answer {number}") for number in range(10)]) as (rig, ask, route):
        for number in range(10):
            await ask(f"message {number}")
        sent = json.loads(route.calls[-1].request.content)["messages"]
        assert [message["role"] for message in sent].count("user") == 6
        assert sent[-1]["content"] == "message 9"
        assert len(rig.store.said("u1", 100)) == 20


@pytest.mark.parametrize(("status", "ok"), [(200, True), (401, False), (500, False)])
async def test_the_diagnostic_tells_whether_the_models_server_answers(status: int, *, ok: bool) -> None:
    settings = load_settings({}, Path("/nonexistent/.env"), {"openai_base_url": URL})
    async with open_rig() as rig:
        with respx.mock() as router:
            router.get(f"{URL}/models").mock(return_value=httpx.Response(status, json={"object": "list", "data": []}))
            check = await LazyAgent(settings, rig.approvals, rig.grammar, rig.store).check()
        assert check.ok is ok
        assert "gpt-4o" in check.text


async def test_every_call_is_answered_though_only_the_first_few_are_run() -> None:
    async with _asked(_calls(*[("price", '{"symbol": "ETH/USD"}')] * 7), _says("")) as (_, ask, route):
        await ask()
        sent = json.loads(route.calls[1].request.content)["messages"]
        told = [message["content"] for message in sent if message["role"] == "tool"]
        assert len(told) == 7, "a server refuses a conversation in which a call has no answer"
        assert [text.startswith("error: 4 calls") for text in told] == [False] * 4 + [True] * 3


async def test_after_an_outcome_that_nobody_knows_the_model_gets_no_second_order() -> None:
    async with _asked(_calls(("buy", json.dumps(BUY)), ("buy", json.dumps(BUY))), _says("")) as (rig, ask, route):
        whole = rig.desk.settle

        async def breaks(base: str) -> Any:
            await whole(base)
            raise RuntimeError("after the venue took it")

        rig.desk.settle = breaks  # type: ignore[method-assign]
        reply = await ask(NAMED)
        assert "UNKNOWN" in reply.text
        assert len(rig.desk.ledger.unfinished()) == 1
        assert route.call_count == 1


async def test_a_denial_may_be_mended_by_another_call() -> None:
    far = BUY | {"amount": {"value": "4000", "unit": "base"}}
    async with _asked(_calls(("buy", json.dumps(far)), ("buy", json.dumps(BUY)))) as (rig, ask, _):
        reply = await ask(NAMED)
        assert "MAX_ORDER" in reply.text
        assert len(rig.desk.ledger.unfinished()) == 1


async def test_a_number_that_would_fill_the_memory_is_no_number() -> None:
    huge = BUY | {"amount": {"value": "1e2000000000", "unit": "base"}}
    async with _asked(_calls(("buy", json.dumps(huge))), _says("Oh.")) as (_, ask, route):
        await ask(NAMED)
        told = json.loads(route.calls[1].request.content)["messages"][-1]["content"]
        assert "at most 30 digits" in told


async def test_endless_prose_is_cut_and_every_line_of_it_is_quoted() -> None:
    async with _asked(_says("Mode: LIVE.\nNo positions.\n" + "word " * 100_000)) as (_, ask, _route):
        reply = await ask()
        assert len(reply.text) < 2000
        assert all(line.startswith("› ") for line in reply.lines[1:])
        assert "Mode: LIVE." not in reply.lines


async def test_a_lie_that_was_dropped_is_not_told_to_the_model_as_its_own_word() -> None:
    async with _asked(_says("I bought 0.04 ZEC at 777."), _says("Hello.")) as (_, ask, route):
        await ask("sing")
        await ask("sing again")
        sent = json.loads(route.calls[1].request.content)["messages"]
        assert "777" not in json.dumps(sent)
        assert [message["role"] for message in sent] == ["system", "user", "assistant", "user"]


async def test_after_failures_the_conversation_still_alternates() -> None:
    async with _asked(httpx.Response(401), httpx.Response(401), _says("Back.")) as (_, ask, route):
        for _ in range(3):
            await ask("hello")
        roles = [message["role"] for message in json.loads(route.calls[-1].request.content)["messages"]]
        assert roles == ["system", "user", "assistant", "user", "assistant", "user"]


async def test_the_model_knows_what_was_done_without_it() -> None:
    settings = _settings()
    async with open_rig() as rig:
        agent = LazyAgent(settings, rig.approvals, rig.grammar, rig.store)
        for number in range(9):
            agent.note("u1", f"price {number}", f"answer {number}")
        with respx.mock() as router:
            route = router.post(f"{URL}/chat/completions").mock(return_value=_says("I see."))
            await agent.answer("u1", "and the same for ETH", NO_COMMAND)
        sent = [message["content"] for message in json.loads(route.calls[0].request.content)["messages"][1:]]
        assert sent[-3:] == ["price 8", "answer 8", "and the same for ETH"]
        assert "price 4" not in sent, "only the latest"


async def test_replies_of_one_desk_have_its_name_once_and_of_two_desks_each() -> None:
    looks = _calls(("open", "{}"), ("balance", "{}"))
    async with _asked(looks, _says("")) as (_, ask, _route):
        assert (await ask()).text.count("Mode: PAPER.") == 1


async def test_a_conversation_that_cannot_be_kept_costs_nobody_his_receipt(monkeypatch: pytest.MonkeyPatch) -> None:
    async with _asked(_calls(("buy", json.dumps(BUY)))) as (rig, ask, _):

        def full(*_: Any) -> None:
            raise OperationalError("insert", {}, Exception("disk is full"))

        monkeypatch.setattr(rig.store, "say", full)
        reply = await ask(NAMED)
        assert reply.text.startswith("Mode: PAPER.\nBought 0.04 ZEC")


async def test_an_order_that_the_user_has_overtaken_is_asked_about_again() -> None:
    async with _asked(_calls(("buy", json.dumps(BUY)))) as (rig, _ask, _route):
        agent = make_agent(_settings(), rig.approvals, rig.grammar, rig.store)
        reply = await agent.answer("u1", NAMED, NO_COMMAND, lambda: False)
        assert reply.question is not None
        assert rig.desk.ledger.unfinished() == ()


def test_a_picture_that_the_model_asked_for_is_not_lost_among_its_other_answers() -> None:
    picture = Picture("ETHUSD.png", b"png")
    together = _beside([Reply(("chart",), picture=picture), Reply(("price",))], ("prose",))
    assert together is not None
    assert together.picture is picture
