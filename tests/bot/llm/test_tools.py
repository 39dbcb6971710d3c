"""The registry's commands as a model's tools, and a tool call as a command."""

import json
from typing import Any

import pytest

from bot.llm.tools import ToolError, command_of, tools
from core.commands.base import Danger, registry
from core.domain.modes import Mode

ALL = frozenset(Danger)
LOOK = frozenset({Danger.QUERY})
BUY = {"symbol": "ZEC/USD", "amount": {"value": "0.04", "unit": "base"}, "order_type": "market", "limit_price": None}


def _names(schemas: list[dict[str, Any]]) -> set[str]:
    return {schema["function"]["name"] for schema in schemas}


def test_every_built_command_is_a_tool_and_nothing_else_is() -> None:
    assert _names(tools(ALL)) == {name for name, entry in registry().items() if entry.command.declaration.built}


def test_looking_only_has_no_tool_that_trades_or_changes() -> None:
    assert _names(tools(LOOK)) & {"buy", "sell", "close", "flatten", "mode", "cancel", "protect", "diagnostic"} == set()


@pytest.mark.parametrize("schema", tools(ALL), ids=lambda schema: str(schema["function"]["name"]))
def test_a_schema_is_strict_whole_and_takes_decimals_as_strings(schema: dict[str, Any]) -> None:
    text = json.dumps(schema)
    assert "$ref" not in text
    assert '"number"' not in text
    _assert_strict(schema["function"]["parameters"])


def _assert_strict(node: Any) -> None:
    if isinstance(node, dict):
        if node.get("type") == "object":
            assert node["additionalProperties"] is False
            assert set(node["required"]) == set(node["properties"])
        for value in node.values():
            _assert_strict(value)
    elif isinstance(node, list):
        for value in node:
            _assert_strict(value)


def test_a_call_becomes_the_command_that_the_grammar_would_have_made() -> None:
    parsed = command_of("buy", json.dumps({**BUY, "mode": "PAPER"}), ALL)
    assert parsed.mode is Mode.PAPER
    assert parsed.command.arguments()["amount"] == {"value": "0.04", "unit": "base"}


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("teleport", "{}", "there is no tool"),
        ("backtest", '{"symbol": "ETH/USD"}', "there is no tool"),
        ("buy", "{broken", "not JSON"),
        ("buy", "[1]", "must be an object"),
        ("buy", json.dumps({**BUY, "leverage": "5"}), "leverage"),
        ("buy", json.dumps({"symbol": "ZEC/USD"}), "amount"),
        ("buy", json.dumps({**BUY, "amount": {"value": "lots", "unit": "base"}}), "amount"),
        ("open", json.dumps({"symbol": None, "mode": "REAL"}), "wrong"),
    ],
)
def test_a_call_that_is_no_command_is_told_to_the_model(name: str, arguments: str, said: str) -> None:
    with pytest.raises(ToolError, match=said):
        command_of(name, arguments, ALL)


def test_a_trade_is_no_tool_where_only_looking_is_allowed() -> None:
    with pytest.raises(ToolError, match="not allowed"):
        command_of("buy", json.dumps(BUY), LOOK)
