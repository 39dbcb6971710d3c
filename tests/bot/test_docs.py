"""The generated parts of the documentation are what the code says today."""

import ast
import re
from datetime import timedelta

from bot import docs
from core.lifecycle.absorb import ABSENCE_PAUSE
from core.lifecycle.rules import Rules
from core.lifecycle.shortage import SHORTAGE_PAUSE
from core.market.builtin import builtin_instruments
from core.trading.tick import SEND_MARGIN
from core.trading.wanted import WATCHED
from tests.simulation.promises import LEAVING_BY_S, REDUCING_BY_S


def test_the_readme_shows_the_commands_and_settings_of_the_code() -> None:
    readme = (docs.ROOT / "README.md").read_text(encoding="utf-8")
    assert docs.fresh(readme) == readme, "run `make docs`"
    assert "| `/buy` ⚠ |" in readme
    assert "| `PAPER_BALANCE` | `10000` |" in readme


def test_the_example_of_the_environment_is_fresh() -> None:
    assert (docs.ROOT / ".env.example").read_text(encoding="utf-8") == docs.env_example(), "run `make docs`"


def test_the_page_on_brackets_shows_the_states_and_prices_of_the_code() -> None:
    page = (docs.ROOT / "docs" / "brackets.md").read_text(encoding="utf-8")
    assert docs.fresh(page) == page, "run `make docs`"
    assert "    submitting --> lost\n" in page
    assert "| 500 | none yet | nothing | 490.00 | 515.00 | 10.00 |" in page


def test_every_function_that_the_page_on_brackets_names_is_where_it_says() -> None:
    page = (docs.ROOT / "docs" / "brackets.md").read_text(encoding="utf-8")
    named = re.findall(r"`([\w/]+\.py)` · `(\w+)`", page)
    assert len(named) > 12
    for path, name in named:
        tree = ast.parse((docs.ROOT / path).read_text(encoding="utf-8"))
        known = {
            one.name for one in ast.walk(tree) if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        }
        assert name in known, f"{path} has no {name}"


def test_the_page_on_brackets_names_every_path_that_opens_a_position() -> None:
    page = (docs.ROOT / "docs" / "brackets.md").read_text(encoding="utf-8")
    door = "open_position_with_brackets("
    callers = {
        str(path.relative_to(docs.ROOT))
        for folder in ("bot", "core")
        for path in (docs.ROOT / folder).rglob("*.py")
        if door in path.read_text(encoding="utf-8")
    }
    assert callers == {
        "core/trading/door.py",
        "core/autopilot/entering.py",
        "core/commands/diagnostic.py",
        "core/commands/entering.py",
        "core/commands/force_trade_test.py",
    }
    assert all(f"`{path}`" in page for path in callers)


def test_the_times_that_the_page_on_brackets_gives_are_those_of_the_code() -> None:
    page = (docs.ROOT / "docs" / "brackets.md").read_text(encoding="utf-8")
    for words in (
        "for 5 s (`child_grace_s`)", "After 60 s without a stop", "1, 2, 4 … 60 s", "at least 3 s apart",
        "of the next 120 s", "2 s before its deadline", "for five minutes after the end", "After 45 s", "after 95 s",
    ):  # fmt: skip
        assert words in page, words
    rules = Rules(next(iter(builtin_instruments().values())))
    assert (rules.child_grace_s, rules.unprotected_limit_s, rules.backoff_max_s) == (5.0, 60.0, 60.0)
    assert tuple(timedelta(seconds=s) for s in (3, 120, 2)) == (ABSENCE_PAUSE, SHORTAGE_PAUSE, SEND_MARGIN)
    assert timedelta(minutes=5) == WATCHED
    assert (REDUCING_BY_S, LEAVING_BY_S) == (45.0, 95.0)


def test_every_decision_is_listed() -> None:
    folder = docs.ROOT / "docs" / "decisions"
    index = (folder / "README.md").read_text(encoding="utf-8")
    for path in folder.glob("0*.md"):
        assert f"({path.name})" in index
