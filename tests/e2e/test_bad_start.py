"""What is wrong at the start is said at once, by name, in words: never a traceback, never a success."""

import gzip
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.kit import ON_A_FULL_DISK, Home, Ran
from tests.e2e.recording import START, flat, write_closes

pytestmark = pytest.mark.e2e

FIRST = int(START.timestamp())
GOOD = f"{FIRST},1,1,1,1,5,1\n{FIRST + 60},1,1,1,1,5,1\n"


def assert_refused_in_words(ran: Ran) -> None:
    assert ran.status != 0
    assert "Traceback" not in ran.err + ran.out, ran.err
    assert ran.err.startswith("Zyn cannot start"), ran.err
    assert ran.out == ""


async def test_every_wrong_setting_is_named_at_once_with_what_would_be_right(home: Home) -> None:
    wrong = {
        "MODE": "SIMULATION",
        "MARKET": "binance",
        "BRACKET_CHECK_SECONDS": "often",
        "TELEGRAM_ALLOWED_USERS": "bob,alice",
        "TELEGRAM_API_URL": "localhost:8081",
        "TELEGRAM_BOT_TOKEN": "secret-but-no-token",
        "PAPER_BALANCE": "-5",
        "TARGET_MODE": "sometimes",
        "KRAKEN_WS_URL": "http://127.0.0.1",
        "QUOTE_CURRENCY": "$",
        "DATABASE_URL": "mysql://root:secret-word@localhost/zyn",
    }
    ran = await home.run("run", **wrong)
    assert_refused_in_words(ran)
    named = {line.split(":")[0].strip() for line in ran.err.splitlines()[1:]}
    assert named == set(wrong)
    assert "PAPER or LIVE" in ran.err
    assert "kraken, generated, or replay:PATH" in ran.err
    assert "secret" not in ran.err


async def test_broken_lines_of_the_env_file_are_named_by_their_number(home: Home) -> None:
    text = "# settings\nMODE=PAPER\nthis is no setting\nTELEGRAM_BOT_TOKN=123:abc\nPAPER_BALANCE=plenty\n'unclosed\n"
    (home.path / ".env").write_text(text)
    ran = await home.run("run")
    assert_refused_in_words(ran)
    assert ".env, line 3: " in ran.err
    assert ".env, line 4: TELEGRAM_BOT_TOKN is unknown; did you mean TELEGRAM_BOT_TOKEN?" in ran.err
    assert "PAPER_BALANCE: " in ran.err
    assert ".env, line 6: " in ran.err


async def test_an_env_file_of_other_bytes_is_refused(home: Home) -> None:
    (home.path / ".env").write_bytes(b"\xff\xfe\x00M\x00O")
    ran = await home.run("run")
    assert_refused_in_words(ran)
    assert ".env: cannot be read" in ran.err


async def test_the_env_file_is_read_and_the_environment_wins_over_it(home: Home) -> None:
    (home.path / ".env").write_text("OWNER_NAME=alice\nPAPER_BALANCE=777\nOPENAI_BASE_URL=\n")
    assert "777.00" in (await home.run("do", "balance")).out
    other = {"PAPER_BALANCE": "555", "DATABASE_URL": "sqlite:///other.db"}
    assert "555.00" in (await home.run("do", "balance", **other)).out


async def test_live_refuses_to_start(home: Home) -> None:
    ran = await home.run("run", MODE="LIVE", KRAKEN_API_KEY="key-of-nobody", KRAKEN_API_SECRET="secret-of-nobody")
    assert_refused_in_words(ran)
    assert "MODE=LIVE" in ran.err
    assert "MODE=PAPER" in ran.err
    assert "of-nobody" not in ran.err
    assert not home.database.exists()


async def test_a_log_file_that_cannot_be_written_is_said(home: Home) -> None:
    ran = await home.run("run", LOG_FILE="/proc/nowhere/zyn.log")
    assert_refused_in_words(ran)
    assert "LOG_FILE" in ran.err


@pytest.mark.parametrize("folder", ["/proc/nowhere", "/dev/null", "FILE"])
async def test_a_folder_that_cannot_hold_a_database_is_said(home: Home, folder: str) -> None:
    (home.path / "file").write_text("not a folder")
    ran = await home.run("run", DATABASE_URL=f"sqlite:///{folder.replace('FILE', str(home.path / 'file'))}/zyn.db")
    assert_refused_in_words(ran)
    assert "zyn.db" in ran.err or "folder" in ran.err


@pytest.mark.parametrize("exists", [False, True], ids=["new database", "own database"])
async def test_a_disk_that_takes_nothing_is_said(home: Home, exists: bool) -> None:  # noqa: FBT001
    if exists:
        assert (await home.run("do", "balance")).status == 0
    home.launch = ON_A_FULL_DISK
    ran = await home.run("run")
    assert_refused_in_words(ran)
    assert "zyn.db" in ran.err


async def test_a_terminal_that_knows_only_ascii_gets_its_answer(home: Home) -> None:
    plain = {"PYTHONIOENCODING": "ascii"}
    bought = await home.run("do", "buy 0.04 ZEC/USD sl 1% tp 2%", **plain)
    shown = await home.run("do", "open", **plain)
    assert (bought.status, shown.status) == (0, 0), bought.err + shown.err
    assert "Positions (1):" in shown.out
    assert "ZEC/USD 0.04 bought at " in shown.out


async def test_a_database_server_that_is_not_there_is_said_without_its_password(home: Home) -> None:
    ran = await home.run("run", DATABASE_URL="postgresql://zyn:pass-word-of-nobody@127.0.0.1:1/zyn")
    assert_refused_in_words(ran)
    assert "127.0.0.1" in ran.err
    assert "pass-word-of-nobody" not in ran.err


def _garbage(file: Path) -> None:
    file.write_bytes(b"not a database at all" * 500)


def _folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


def _strange(file: Path) -> None:
    file.unlink()
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE recipe (title TEXT)")
    connection.close()


def _newer(file: Path) -> None:
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()


def _torn(file: Path) -> None:
    """The schema's pages are whole, everything behind them is not."""
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 3] + b"\xa5" * (len(whole) - len(whole) // 3))


def _no_decimal(file: Path) -> None:
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE paper_balance SET total = 'a lot'")
    connection.close()


def _no_table(file: Path) -> None:
    with sqlite3.connect(file) as connection:
        connection.execute("DROP TABLE paper_fill")
        connection.execute("DROP TABLE paper_order")
    connection.close()


HARMS: tuple[Callable[[Path], None], ...] = (_garbage, _folder, _strange, _newer, _torn, _no_decimal, _no_table)


async def test_a_database_that_cannot_be_read_is_said(home: Home) -> None:
    assert (await home.run("do", "balance")).status == 0
    whole = home.path / "whole.db"
    shutil.copy(home.database, whole)
    wrong = {}
    for harm in HARMS:
        file = home.path / f"harmed{harm.__name__}.db"
        shutil.copy(whole, file)
        harm(file)
        ran = await home.run("run", DATABASE_URL=f"sqlite:///{file}")
        if ran.status == 0 or "Traceback" in ran.err or not ran.err.startswith("Zyn cannot start"):
            wrong[harm.__name__] = f"status {ran.status}: {ran.err.strip().splitlines()[-1][:200]}"
    assert wrong == {}


IN_MS = GOOD.replace(f"{FIRST},", f"{FIRST}000,").replace(f"{FIRST + 60},", f"{FIRST + 60}000,")
RECORDINGS: dict[str, tuple[str, bytes]] = {
    "no rows": ("ETHUSD_1.csv", b""),
    "words": ("ETHUSD_1.csv", b"once upon a time\nthere was a candle\n"),
    "backwards": ("ETHUSD_1.csv", "\n".join(reversed(GOOD.splitlines())).encode()),
    "milliseconds": ("ETHUSD_1.csv", IN_MS.encode()),
    "a time beyond all": ("ETHUSD_1.csv", GOOD.encode() + b"99999999999999999999,1,1,1,1,5,1\n"),
    "an endless cell": ("ETHUSD_1.csv", GOOD.encode() + b"1" * 200_000 + b",1,1,1,1,5,1\n"),
    "torn gzip": ("ETHUSD_1.csv.gz", gzip.compress(GOOD.encode() * 50)[:-20]),
    "no parquet": ("ETHUSD_1.parquet", b"PAR1 but not really"),
}


async def test_a_malformed_recording_is_refused_with_its_name(home: Home) -> None:
    wrong = {}
    for number, (name, (file, content)) in enumerate(RECORDINGS.items()):
        folder = home.path / str(number)
        folder.mkdir()
        (folder / file).write_bytes(content)
        where = {"MARKET": f"replay:{folder / file}", "DATABASE_URL": f"sqlite:///{folder}/zyn.db"}
        ran = await home.run("do", "balance", **where)
        if ran.status == 0 or "Traceback" in ran.err or file not in ran.err:
            wrong[name] = f"status {ran.status}: {(ran.err.strip() or 'silence').splitlines()[-1][:200]}"
    assert wrong == {}


async def test_a_recording_that_is_not_there_is_said(home: Home) -> None:
    for path in (home.path / "nothing_ETHUSD_1.csv", home.path):
        ran = await home.run("run", MARKET=f"replay:{path}")
        assert_refused_in_words(ran)
        assert str(path) in ran.err
        assert "MARKET" in ran.err


async def test_a_folder_with_one_good_recording_is_replayed(home: Home) -> None:
    folder = home.path / "candles"
    folder.mkdir()
    write_closes(folder / "ETHUSD_1.csv", flat("3000", 5))
    (folder / "notes.txt").write_text("not a recording")
    ran = await home.run("do", "price eth", MARKET=f"replay:{folder}")
    assert (ran.status, ran.err) == (0, "")
    assert "last 3000" in ran.out
