"""The agent against a model that is helpful, broken, or lies."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import respx

from bot.grammar.parse import NotParsed
from bot.llm.lazy import LazyAgent, make_agent
from bot.settings import load_settings
from core.domain.errors import Code
from core.trading.reply import Reply
from tests.rig import Rig, open_rig

URL = "http://127.0.0.1:9/v1"
BUY = {"symbol": "ZEC/USD", "amount": {"value": "0.04", "unit": "base"}, "order_type": "market"}
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


@asynccontextmanager
async def _asked(*answers: Answer) -> AsyncIterator[tuple[Rig, Callable[..., Any], respx.Route]]:
    settings = load_settings({}, Path("/nonexistent/.env"), {"openai_base_url": URL})
    async with open_rig() as rig:
        agent = make_agent(settings, rig.approvals, rig.grammar, rig.store)
        with respx.mock(assert_all_called=False) as router:
            route = router.post(f"{URL}/chat/completions").mock(side_effect=list(answers))

            async def ask(text: str = "hello", why_not: NotParsed = NO_COMMAND) -> Reply:
                return await agent.answer("u1", text, why_not)

            yield rig, ask, route


async def test_a_tool_call_is_executed_once_and_told_by_its_receipt() -> None:
    async with _asked(_calls(("buy", json.dumps(BUY))), _says("I bought it twice!")) as (rig, ask, route):
        reply = await ask("grab a bit of zcash")
        assert reply.text.startswith("Mode: PAPER.\nBought 0.04 ZEC")
        assert "twice" not in reply.text
        assert (route.call_count, len(rig.desk.ledger.unfinished())) == (1, 1)


async def test_two_orders_in_one_answer_become_one() -> None:
    async with _asked(_calls(("buy", json.dumps(BUY)), ("buy", json.dumps(BUY)))) as (rig, ask, _):
        await ask("grab a bit of zcash")
        assert len(rig.desk.ledger.unfinished()) == 1


async def test_prose_that_claims_a_trade_without_one_is_replaced_by_the_truth() -> None:
    async with _asked(_says("Done! I bought 0.04 ZEC for you.")) as (rig, ask, _):
        reply = await ask("grab a bit of zcash")
        assert "bought" not in reply.text
        assert "Nothing was executed" in reply.text
        assert rig.desk.ledger.unfinished() == ()


async def test_harmless_prose_is_passed_on_and_marked_as_the_models() -> None:
    async with _asked(_says("Hello jimmy.")) as (_, ask, _route):
        reply = await ask()
        assert reply.lines[0] == "Hello jimmy."
        assert "not the ledger's" in reply.lines[1]


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
    "answer",
    [
        httpx.Response(401, json={"error": {"message": "bad key"}}),
        httpx.Response(429, json={"error": {"message": "slow down"}}),
        httpx.Response(200, html="<html>login</html>"),
        httpx.Response(200, json={"choices": []}),
        httpx.Response(500, text="oops"),
        httpx.ConnectError("refused"),
        httpx.ReadTimeout("slow"),
    ],
    ids=["401", "429", "html", "empty", "500", "refused", "time-out"],
)
async def test_a_broken_model_gets_one_honest_sentence_and_one_try(answer: Answer) -> None:
    async with _asked(answer) as (rig, ask, route):
        reply = await ask("tell me a story")
        assert "The model is not answering" in reply.text
        assert "I know no command in that" in reply.text
        assert route.call_count == 1
        assert (await rig.tell("open")).ok


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
