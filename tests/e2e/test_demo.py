"""`python -m bot demo`: the main job in a terminal, on a fresh machine and on every run after it."""

import re

import pytest

from tests.e2e.books import disagreements, read_books
from tests.e2e.kit import Home

pytestmark = pytest.mark.e2e

BUY = "Paper buy 0.04 ZEC/USD market. SL 1% below. TP 2% above. Execute."
OPEN = "Show open positions and open orders."


def after(text: str, question: str) -> str:
    """The answer to one question in the demo's output."""
    _, found, rest = text.partition(f"> {question}\n")
    assert found, text
    return rest.partition("\n> ")[0]


def assert_shows_the_trade(answer: str) -> None:
    lines = answer.splitlines()
    assert lines[0] == "Mode: PAPER."
    assert "Positions (1):" in lines
    assert "Open orders (2):" in lines
    assert sum(line.startswith("• ZEC/USD 0.04 bought at ") for line in lines) == 1
    assert re.search(r"^• stop ZEC/USD sell 0\.04 at [\d.]+ · resting · PX-\d+$", answer, re.MULTILINE)
    assert re.search(r"^• target ZEC/USD sell 0\.04 at [\d.]+ · held by Zyn · \S+$", answer, re.MULTILINE)


async def test_the_demo_fills_the_piped_order_and_shows_it_again_on_the_next_run(home: Home) -> None:
    first = await home.run("demo", stdin=f"{BUY}\n{OPEN}\n")
    second = await home.run("demo", stdin=f"{OPEN}\n")
    assert (first.status, first.err, second.status, second.err) == (0, "", 0, "")
    filled = after(first.out, BUY)
    assert filled.startswith("Mode: PAPER.\n")
    assert re.search(r"^Bought 0\.04 ZEC \(ZEC/USD\) at [\d.]+, order PX-000001, fee ", filled, re.MULTILINE)
    assert_shows_the_trade(after(first.out, OPEN))
    assert_shows_the_trade(after(second.out, OPEN))
    books = read_books(home.path / "data" / "demo.db")
    assert disagreements(books) == []
    assert [row["role"] for row in books.orders] == ["entry", "stop", "target"]


async def test_the_demo_without_input_runs_the_main_job_by_itself(home: Home) -> None:
    ran = await home.run("demo", stdin="")
    assert (ran.status, ran.err) == (0, "")
    assert "Bought 0.04 ZEC (ZEC/USD) at " in after(ran.out, BUY)
    assert_shows_the_trade(after(ran.out, OPEN))


async def test_the_demo_meets_neither_the_owners_database_nor_his_keys(home: Home) -> None:
    own = {
        "MARKET": "replay:/nowhere.csv",
        "TELEGRAM_BOT_TOKEN": "123456:never-used-by-the-demo",
        "OPENAI_API_KEY": "sk-never-used-by-the-demo",
        "LOG_FILE": "zyn.log",
    }
    ran = await home.run("demo", stdin=f"{OPEN}\nHow are you today, my friend?\n", **own)
    assert "No positions." in ran.out
    assert "never-used" not in ran.out + ran.err
    assert sorted(file.name for file in home.path.rglob("*") if file.is_file()) == ["demo.db", "demo.db.lock"]


async def test_the_demo_reads_its_pipe_to_the_end_and_ends_with_one_after_a_refusal(home: Home) -> None:
    ran = await home.run("demo", stdin="buy 0.04 NOSUCHCOIN/USD\n\n" + OPEN)
    assert ran.status == 1
    assert "[EXEC-ERR]" in ran.out
    assert "No positions." in after(ran.out, OPEN)
    assert ran.err == ""
