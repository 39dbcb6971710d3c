"""`zyn`: run, shell, do, parse, demo, backup, history. The same as `python -m bot`."""

import argparse
import asyncio
import io
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bot.history import add_parser as add_history_parser
from bot.history import run_history
from bot.settings import Settings, SettingsError, load_settings

if TYPE_CHECKING:
    from bot.grammar.parse import Grammar

USAGE_STATUS = 2
_DEMO = {"market": "generated", "database_url": "sqlite:///data/demo.db", "mode": "PAPER"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one subcommand and return the exit status: 0 done, 1 refused or failed, 2 not understood."""
    options = _parser().parse_args(arguments)
    try:
        settings = load_settings(overrides=_demo_overrides() if options.command == "demo" else {})
    except SettingsError as error:
        print("Zyn cannot start, the settings are wrong:", file=sys.stderr)
        for problem in error.problems:
            print(f"  {problem}", file=sys.stderr)
        return USAGE_STATUS
    if options.command == "parse":
        return _parse(settings, options)
    if options.command == "backup":
        return _back_up(settings, options)
    if options.command == "history":
        _print_what_the_terminal_knows()
        return run_history(settings, options)
    return _open(settings, options)


def _demo_overrides() -> dict[str, object]:
    """A market and a database of its own, and nobody else's keys: the demo meets neither Telegram nor Kraken."""
    nobody = {"telegram_bot_token": None, "openai_api_key": None, "openai_base_url": None, "dead_man_url": None}
    return {**_DEMO, **nobody, "log_file": None}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="zyn", description="Zyn, a Kraken spot trading bot that you talk to.")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    commands.add_parser("run", help="run the bot (the default)")
    commands.add_parser("shell", help="talk to Zyn here, line by line")
    do = commands.add_parser("do", help='one command, for example: zyn do "buy $50 of SOL"')
    do.add_argument("text")
    do.add_argument("--json", action="store_true", help="print the reply as one JSON object")
    parse = commands.add_parser("parse", help="show how a sentence is understood, as one JSON object; nothing is done")
    parse.add_argument("text", nargs="?")
    parse.add_argument("--jsonl", action="store_true", help="read one JSON string a line from standard input")
    commands.add_parser("demo", help="the main job on a generated market, with a database of its own")
    backup = commands.add_parser("backup", help="copy the database, whether the bot runs or not; nothing else is done")
    backup.add_argument(
        "path", metavar="PATH", type=Path, nargs="?", help="default: beside it, with the time in its name"
    )
    add_history_parser(commands)
    return parser


def _open(settings: Settings, options: argparse.Namespace) -> int:
    from bot import run  # noqa: PLC0415 - `zyn parse` needs neither database nor network
    from bot.live import LiveSetupError  # noqa: PLC0415
    from bot.logs import set_up_logs  # noqa: PLC0415
    from bot.wiring import WiringError  # noqa: PLC0415
    from core.domain.errors import ZynError  # noqa: PLC0415
    from storage.database import DatabaseError  # noqa: PLC0415

    _print_what_the_terminal_knows()
    quiet = options.command in {"shell", "do", "demo"} and settings.log_level in {"INFO", "WARNING"}
    try:
        set_up_logs("ERROR" if quiet else settings.log_level, settings.log_file, settings.secrets())
        if options.command == "shell":
            return asyncio.run(run.run_shell(settings))
        if options.command == "do":
            return asyncio.run(run.run_do(settings, options.text, as_json=options.json))
        if options.command == "demo":
            return asyncio.run(run.run_demo(settings))
        return asyncio.run(run.run_bot(settings))
    except (WiringError, LiveSetupError, DatabaseError, ZynError, OSError) as error:
        print(f"Zyn cannot start: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _back_up(settings: Settings, options: argparse.Namespace) -> int:
    from core.market.clocks import wall_clock  # noqa: PLC0415 - the others do not need it here
    from storage.backup import back_up  # noqa: PLC0415
    from storage.database import DatabaseError  # noqa: PLC0415

    _print_what_the_terminal_knows()
    try:
        made = back_up(settings.database_url, options.path, wall_clock())
    except DatabaseError as error:
        print(f"Zyn makes no backup: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    print(
        f"{made.path}: {made.size_bytes:,} bytes, schema {made.revision}, brackets: {made.brackets:,}, "
        f"orders: {made.orders:,}"
    )
    return 0


def _print_what_the_terminal_knows() -> None:
    """A letter that the terminal does not know becomes a question mark instead of an error."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def _parse(settings: Settings, options: argparse.Namespace) -> int:
    from bot.wiring import grammar_without_house  # noqa: PLC0415

    if options.jsonl == (options.text is not None):
        print("zyn parse takes a TEXT or --jsonl, one of them", file=sys.stderr)
        return USAGE_STATUS
    grammar = grammar_without_house(settings)
    if options.text is not None:
        answer = grammar.parse(options.text).as_json()
        print(json.dumps(answer))
        return 0 if answer["ok"] else 1
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(errors="replace")
    for line in sys.stdin:
        print(json.dumps(_of_line(grammar, line)), flush=True)
    return 0


def _of_line(grammar: "Grammar", line: str) -> dict[str, object]:
    """The answer to one line of JSON; a line that is no JSON string is answered, not skipped."""
    try:
        text = json.loads(line)
    except (ValueError, RecursionError):
        text = None
    if not isinstance(text, str):
        return {
            "ok": False,
            "error": {"code": "NOT_A_COMMAND", "message": "[EXEC-ERR] NOT_A_COMMAND: the line is no JSON string"},
        }
    answer: dict[str, object] = grammar.parse(text).as_json()
    return answer
