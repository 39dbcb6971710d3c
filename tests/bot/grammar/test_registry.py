"""The declarations: one file per command, from which grammar, help, tools and menus come."""

import inspect
import re

import pytest

from bot.grammar.vocabulary import slash_names
from core.commands.base import Command, Danger, Registered, SlotKind, registry
from core.domain.errors import Code
from tests.bot.grammar.support import does, parsed

ENTRIES = sorted(registry().values(), key=lambda entry: entry.name)
EXAMPLES = [(entry.name, example) for entry in ENTRIES for example in entry.command.declaration.examples]
NAMES = (
    "autopilot backtest balance bracket buy cancel chart close debug_trade diagnostic evaluations executed_orders "
    "explain flatten force_trade_test help insights market mode open performance price protect report risk sell status "
    "trades watchlist"
).split()
LATER = "backtest report performance insights".split()
ORDER = frozenset({"symbol", "amount", "order_type", "limit_price", "stop_loss", "take_profit"})
FIELDS = {
    "open": {"symbol"},
    "balance": set(),
    "trades": set(),
    "executed_orders": {"symbol"},
    "price": {"symbol"},
    "cancel": {"target"},
    "close": {"symbol"},
    "protect": {"symbol", "stop_loss", "take_profit", "trail"},
    "force_trade_test": {"symbol"},
    "mode": {"target"},
    "status": set(),
    "diagnostic": set(),
    "flatten": set(),
    "help": set(),
    "autopilot": {"action"},
    "risk": {"action"},
    "watchlist": {"action", "symbol"},
    "market": {"symbol"},
    "explain": {"symbol"},
    "evaluations": {"symbol"},
    "debug_trade": {"symbol"},
    "chart": {"symbol"},
    "backtest": {"symbol", "days"},
    "report": {"period"},
    "performance": set(),
    "insights": set(),
    "buy": ORDER,
    "sell": ORDER,
    "bracket": ORDER,
}


def named(entry: Registered) -> str:
    return entry.name


def test_exactly_the_promised_commands_exist() -> None:
    assert sorted(registry()) == sorted(NAMES)


def test_what_comes_later_says_that_it_is_not_built() -> None:
    assert sorted(entry.name for entry in ENTRIES if not entry.command.declaration.built) == sorted(LATER)


@pytest.mark.parametrize("entry", ENTRIES, ids=named)
def test_a_command_has_the_arguments_of_the_contract(entry: Registered) -> None:
    assert set(entry.command.model_fields) == FIELDS[entry.name]


@pytest.mark.parametrize(("name", "example"), EXAMPLES)
def test_an_example_parses_to_its_own_command(name: str, example: str) -> None:
    answer = parsed(example)
    assert answer["ok"], answer
    assert answer["command"] == ("status" if (name, example) == ("mode", "mode") else name)


@pytest.mark.parametrize(("name", "example"), EXAMPLES)
def test_an_example_means_the_same_with_a_slash(name: str, example: str) -> None:
    slashed = _slashed(name, example)
    if slashed is not None:
        assert parsed(slashed) == parsed(example), slashed


def test_most_examples_have_a_slash_form() -> None:
    assert sum(_slashed(name, example) is not None for name, example in EXAMPLES) >= len(EXAMPLES) // 2


def _slashed(name: str, example: str) -> str | None:
    """The example with its leading call replaced by the slash name; None where it does not begin with one."""
    declaration = registry()[name].command.declaration
    for call in sorted(declaration.calls, key=len, reverse=True):
        match = re.match(rf"{re.escape(call)}\b", example, re.IGNORECASE)
        if match is not None and call not in declaration.presets:
            return f"/{name}{example[match.end() :].rstrip('?')}"
    return None


@pytest.mark.parametrize("entry", ENTRIES, ids=named)
def test_a_command_is_its_slash_name_alone_when_it_needs_nothing(entry: Registered) -> None:
    required = [name for name, info in entry.command.model_fields.items() if info.is_required()]
    answer = parsed(f"/{entry.name}")
    if required or entry.command.declaration.any_of:
        assert answer["ok"] is (entry.command.declaration.bare is not None)
    else:
        assert (answer["ok"], answer["command"]) == (True, entry.name)
    assert parsed(f"/{entry.name}@ZynBot") == answer


@pytest.mark.parametrize("entry", ENTRIES, ids=named)
def test_a_command_is_documented_and_handled(entry: Registered) -> None:
    declaration = entry.command.declaration
    assert entry.command.summary().endswith(".")
    assert len(entry.command.summary().split()) >= 3
    assert declaration.examples
    assert declaration.calls
    assert inspect.iscoroutinefunction(entry.handler)
    assert list(inspect.signature(entry.handler).parameters) == ["desk", "command"]


@pytest.mark.parametrize("entry", ENTRIES, ids=named)
def test_every_argument_says_how_it_is_spoken(entry: Registered) -> None:
    slots = entry.command.slots()
    assert set(slots) == set(entry.command.model_fields)
    for slot in slots.values():
        assert isinstance(slot.code, Code)
        assert slot.hint
        assert bool(slot.choices) == (slot.kind is SlotKind.CHOICE)


def test_a_command_that_moves_money_is_dangerous_and_no_other() -> None:
    trades = {entry.name for entry in ENTRIES if entry.command.declaration.danger is Danger.TRADE}
    assert trades == {"buy", "sell", "bracket", "close", "cancel", "protect", "flatten", "force_trade_test"}
    changes = {entry.name for entry in ENTRIES if entry.command.declaration.danger is Danger.CONTROL}
    assert changes == {"mode", "autopilot", "risk", "watchlist", "diagnostic"}


def test_names_are_unique_and_each_is_a_module_of_its_own() -> None:
    modules = [entry.command.__module__ for entry in ENTRIES]
    assert len(modules) == len(set(modules))
    assert all(entry.command.declaration.name == name for name, entry in registry().items())


def test_a_preset_belongs_to_a_call_and_fills_a_field() -> None:
    for entry in ENTRIES:
        for call, fields in entry.command.declaration.presets.items():
            assert call in entry.command.declaration.calls
            assert set(fields) <= set(entry.command.model_fields)


def test_a_command_refuses_fields_that_it_does_not_have_and_never_changes() -> None:
    command = registry()["price"].command.model_validate({"symbol": "ETH/USD"})
    with pytest.raises(ValueError, match="frozen"):
        command.symbol = "BTC/USD"  # type: ignore[attr-defined]
    with pytest.raises(ValueError, match="Extra"):
        registry()["price"].command.model_validate({"symbol": "ETH/USD", "leverage": "5"})


def test_no_slash_name_hides_another_command() -> None:
    for spoken, name in slash_names().items():
        assert spoken == name or spoken not in registry()


def test_only_calls_that_need_nothing_more_act_by_themselves() -> None:
    alone = {call for entry in ENTRIES for call in entry.command.declaration.calls if does(call)}
    assert {parsed(call)["command"] for call in alone} == {"flatten", "force_trade_test", "diagnostic", "close", "risk"}
    assert {call for call in alone if parsed(call)["command"] == "close"} == {"sell everything", "dump everything"}
    assert {call for call in alone if parsed(call)["command"] == "risk"} == {"resume trading"}


def test_the_base_is_no_command() -> None:
    assert Command not in [entry.command for entry in ENTRIES]
