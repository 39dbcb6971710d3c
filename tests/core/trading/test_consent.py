"""Who must be asked before what."""

import itertools

import pytest

from core.commands.base import Command, Danger, registry
from core.commands.buy import Buy
from core.commands.flatten import Flatten
from core.commands.mode import SwitchMode
from core.commands.open import Open
from core.commands.risk import Risk
from core.domain.modes import Mode
from core.trading.consent import Author, ConsentPolicy, must_ask

BUY = Buy.model_validate({"symbol": "ZEC/USD", "amount": {"value": "0.04", "unit": "base"}})
DEFAULT = ConsentPolicy()
STRICT = ConsentPolicy(paper="always", live="always")
PAPER, LIVE = Mode.PAPER, Mode.LIVE


@pytest.mark.parametrize(
    ("command", "mode", "author", "named", "policy", "asks"),
    [
        (BUY, PAPER, Author.PERSON, False, DEFAULT, False),
        (BUY, LIVE, Author.PERSON, False, DEFAULT, False),
        (BUY, LIVE, Author.PERSON, False, STRICT, True),
        (BUY, LIVE, Author.SCRIPT, False, STRICT, True),
        (BUY, PAPER, Author.PERSON, False, STRICT, False),
        (BUY, PAPER, Author.MODEL, False, DEFAULT, True),
        (BUY, PAPER, Author.MODEL, True, DEFAULT, False),
        (BUY, PAPER, Author.MODEL, True, STRICT, True),
        (BUY, LIVE, Author.MODEL, True, DEFAULT, True),
        (BUY, PAPER, Author.BUTTON, True, DEFAULT, True),
        (Flatten(), PAPER, Author.PERSON, False, DEFAULT, True),
        (Flatten(), LIVE, Author.SCRIPT, False, DEFAULT, False),
        (Flatten(), PAPER, Author.MODEL, True, DEFAULT, True),
        (SwitchMode(target="LIVE"), PAPER, Author.PERSON, False, DEFAULT, True),
        (SwitchMode(target="PAPER"), LIVE, Author.PERSON, False, DEFAULT, False),
        (SwitchMode(target="PAPER"), LIVE, Author.MODEL, False, DEFAULT, True),
        (Risk(action="resume"), PAPER, Author.PERSON, False, DEFAULT, True),
        (Risk(), PAPER, Author.MODEL, False, DEFAULT, False),
        (Open(), LIVE, Author.MODEL, False, STRICT, False),
        (Open(), LIVE, Author.BUTTON, False, STRICT, False),
    ],
)
def test_a_person_is_asked_exactly_where_the_table_says_so(
    command: Command, mode: Mode, author: Author, policy: ConsentPolicy, *, named: bool, asks: bool
) -> None:
    assert must_ask(command, mode, author, policy, named=named) is asks


def test_no_setting_lets_a_model_trade_live_or_do_what_is_dangerous_by_itself() -> None:
    policies = [ConsentPolicy(paper, live) for paper in ("named", "always") for live in ("model", "always")]
    for policy, named in itertools.product(policies, (True, False)):
        assert must_ask(BUY, LIVE, Author.MODEL, policy, named=named)
        for mode in Mode:
            assert must_ask(Flatten(), mode, Author.MODEL, policy, named=named)
            assert must_ask(Risk(action="resume"), mode, Author.MODEL, policy, named=named)


def test_flatten_mode_live_and_risk_resume_are_the_dangerous_ones_and_mode_paper_is_not() -> None:
    dangerous = {name for name, entry in registry().items() if entry.command.declaration.dangerous}
    assert dangerous == {"flatten", "mode", "risk"}
    assert Flatten().is_dangerous
    assert SwitchMode(target="LIVE").is_dangerous
    assert not SwitchMode(target="PAPER").is_dangerous
    assert Risk(action="resume").is_dangerous
    assert not Risk().is_dangerous


def test_every_command_that_may_have_to_be_confirmed_can_show_itself_first() -> None:
    for name, entry in registry().items():
        declaration = entry.command.declaration
        if declaration.built and (declaration.danger is Danger.TRADE or declaration.dangerous):
            assert entry.previewer is not None, f"{name} would be confirmed unseen"
