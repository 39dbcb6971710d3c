"""`zyn parse`: a public contract that needs no network, no database and no lock."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from bot.cli import USAGE_STATUS, main
from bot.settings import Settings
from core.ledger.store import Store
from core.market.builtin import builtin_instruments
from storage.database import open_database
from storage.migrate import migrate
from tests.bot.grammar.support import meaning

ROOT = Path(__file__).resolve().parents[2]
ORDER = "Paper buy 0.04 ZEC/USD market. SL 1% below. TP 2% above. Execute."
ORDER_MEANS = meaning("buy ZEC/USD 0.04 sl=1% tp=2% PAPER")
NO_STRING = {"code": "NOT_A_COMMAND", "message": "[EXEC-ERR] NOT_A_COMMAND: the line is no JSON string"}

Run = Callable[..., tuple[int, list[Any]]]


@pytest.fixture(autouse=True)
def _empty_house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder without .env and database, and an environment without settings."""
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def parse(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs `zyn parse` in this process: exit status and the JSON objects printed, one a line."""

    def run(*arguments: str, stdin: str = "") -> tuple[int, list[Any]]:
        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        status = main(["parse", *arguments])
        return status, [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    return run


def command(*arguments: str, stdin: bytes = b"", **environment: str) -> "subprocess.CompletedProcess[bytes]":
    """`python -m bot parse` as a process of its own."""
    names = {name.upper() for name in Settings.model_fields}
    kept = {name: value for name, value in os.environ.items() if name not in names}
    return subprocess.run(
        [sys.executable, "-m", "bot", "parse", *arguments],
        input=stdin,
        capture_output=True,
        env={**kept, "PYTHONPATH": str(ROOT), **environment},
        timeout=60,
        check=False,
    )


def lines(*texts: object) -> str:
    return "".join(json.dumps(text) + "\n" for text in texts)


def test_an_order_is_printed_as_one_json_object_with_status_0(parse: Run) -> None:
    assert parse(ORDER) == (0, [ORDER_MEANS])


def test_a_refusal_is_printed_as_one_json_object_with_status_1(parse: Run) -> None:
    status, (answer,) = parse("don't buy 0.1 ETH")
    assert status == 1
    assert answer["ok"] is False
    assert answer["error"]["code"] == "NEGATED"


@pytest.mark.parametrize("text", ["", " ", "\n", "🚀", "-", "--", "'", "{}"])
def test_noise_as_an_argument_is_refused_with_status_1(parse: Run, text: str) -> None:
    status, (answer,) = parse("--", text) if text.startswith("-") else parse(text)
    assert (status, answer["error"]["code"]) == (1, "NOT_A_COMMAND")


def test_parse_wants_a_text_or_jsonl_and_not_both(parse: Run) -> None:
    assert parse() == (USAGE_STATUS, [])
    assert parse(ORDER, "--jsonl") == (USAGE_STATUS, [])


def test_jsonl_answers_each_line_in_its_order_with_status_0(parse: Run) -> None:
    texts = (ORDER, "hello", "price eth", "buy 0.1 ETH?", "buy 0.1 ETH\nSL 1%")
    status, answers = parse("--jsonl", stdin=lines(*texts))
    assert status == 0
    assert [answer["ok"] for answer in answers] == [True, False, True, False, True]
    assert answers[0] == ORDER_MEANS
    assert answers[2] == meaning("price symbol=ETH/USD")
    assert answers[4] == meaning("buy ETH/USD 0.1 sl=1%")


@pytest.mark.parametrize(
    "line",
    [
        "not json",
        "buy 0.1 ETH",
        "42",
        "null",
        "true",
        "[]",
        '["price eth"]',
        '{"text": "price eth"}',
        '"open',
        "'x'",
        "{",
        "NaN",
    ],
)
def test_a_line_that_is_no_json_string_is_answered_and_the_next_one_too(parse: Run, line: str) -> None:
    status, answers = parse("--jsonl", stdin=f"{line}\n{lines('price eth')}")
    assert status == 0
    assert answers == [{"ok": False, "error": NO_STRING}, meaning("price symbol=ETH/USD")]


def test_a_deeply_nested_line_is_answered_and_the_next_one_too(parse: Run) -> None:
    status, answers = parse("--jsonl", stdin="[" * 200_000 + "\n" + lines("price eth"))
    assert status == 0
    assert [answer["ok"] for answer in answers] == [False, True]


def test_a_line_of_an_enormous_number_is_answered(parse: Run) -> None:
    status, answers = parse("--jsonl", stdin="9" * 10_000 + "\n" + json.dumps("buy " + "9" * 400 + " ETH") + "\n")
    assert status == 0
    assert [answer["ok"] for answer in answers] == [False, False]


def test_an_empty_line_is_answered_so_that_answers_and_lines_keep_their_count(parse: Run) -> None:
    _, answers = parse("--jsonl", stdin=lines("price eth") + "\n" + lines("help"))
    assert [answer["ok"] for answer in answers] == [True, False, True]


def test_a_last_line_without_an_end_is_answered(parse: Run) -> None:
    assert parse("--jsonl", stdin=lines("help") + '"price eth"')[1][-1] == meaning("price symbol=ETH/USD")


def test_nothing_on_standard_input_gives_no_answer_and_status_0(parse: Run) -> None:
    assert parse("--jsonl", stdin="") == (0, [])


@pytest.mark.parametrize(
    "text", ["\ud83d", "buy 0.1 ETH \ud83d", "/\udc00", "\u2028price eth\u2028", "\x00", "ＰＲＩＣＥ ＥＴＨ"]
)
def test_one_answer_stays_one_line_whatever_the_text_holds(parse: Run, text: str) -> None:
    status, answers = parse("--jsonl", stdin=lines(text, "help"))
    assert status == 0
    assert len(answers) == 2
    assert answers[1] == meaning("help")


def test_the_process_prints_the_same_and_leaves_with_the_same_status() -> None:
    done, refused = command(ORDER), command("should I buy 0.1 ETH")
    assert (done.returncode, json.loads(done.stdout)) == (0, ORDER_MEANS)
    assert (refused.returncode, json.loads(refused.stdout)["error"]["code"]) == (1, "QUESTION")
    assert done.stderr == refused.stderr == b""


def test_the_process_answers_lines_that_are_not_utf_8() -> None:
    bad = b'"price \xff eth"\n"price eth"\n'
    result = command("--jsonl", stdin=bad, PYTHONIOENCODING="utf-8:strict", LC_ALL="C.UTF-8")
    assert result.returncode == 0, result.stderr.decode()[-300:]
    assert len(result.stdout.splitlines()) == 2
    assert json.loads(result.stdout.splitlines()[1]) == meaning("price symbol=ETH/USD")


def test_the_process_writes_to_a_terminal_that_knows_only_ascii() -> None:
    result = command("--jsonl", stdin=lines("buy 0.1 ETH 🚀", "buy 0.1 ÄÖÜ").encode(), PYTHONIOENCODING="ascii")
    assert result.returncode == 0, result.stderr.decode()[-300:]
    assert [json.loads(line)["ok"] for line in result.stdout.splitlines()] == [False, False]


def test_parse_writes_nothing_to_the_disk(parse: Run, tmp_path: Path) -> None:
    parse(ORDER)
    parse("--jsonl", stdin=lines(ORDER))
    assert list(tmp_path.iterdir()) == []


def test_parse_knows_the_instruments_that_the_database_has_stored(
    parse: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"sqlite:///{tmp_path}/zyn.db"
    monkeypatch.setenv("DATABASE_URL", url)
    database = open_database(url)
    migrate(database, datetime.now(UTC))
    known = builtin_instruments()["ETH/USD"]
    new = replace(known, symbol="WIF/USD", venue_name="WIFUSD", lot_size=Decimal("0.00001"))
    Store(database).put_instruments({"WIF/USD": new}, datetime.now(UTC))
    database.close()
    assert parse("buy 3 wif") == (0, [meaning("buy WIF/USD 3")])
    assert parse("buy 3 eth")[0] == 1


@pytest.mark.parametrize("content", [b"", b"this is no database", b"SQLite format 3\x00" + b"\xff" * 200])
def test_parse_understands_sentences_beside_a_broken_database(
    parse: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    path = tmp_path / "zyn.db"
    path.write_bytes(content)
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{path}")
    assert parse(ORDER) == (0, [ORDER_MEANS])
    assert path.read_bytes() == content


def test_parse_uses_the_owners_quote_currency(parse: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUOTE_CURRENCY", "EUR")
    assert parse("buy 0.1 eth") == (0, [meaning("buy ETH/EUR 0.1")])


def test_wrong_settings_are_named_and_nothing_is_parsed(parse: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODE", "LIFE")
    assert parse(ORDER) == (USAGE_STATUS, [])


def test_parsing_meets_neither_network_nor_telegram_nor_model_nor_ccxt() -> None:
    code = (
        "import sys; from bot.cli import main; main(['parse', 'buy 0.1 eth']);"
        "print([name for name in ('ccxt', 'telegram', 'openai', 'pandas') if name in sys.modules])"
    )
    result = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=True,
        timeout=60,
    )
    assert result.stdout.splitlines()[-1] == b"[]"
