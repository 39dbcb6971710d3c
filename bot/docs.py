"""The generated parts of README.md and docs/, and all of .env.example: `make docs` writes, a test holds them fresh."""

import re
import sys
import textwrap
from decimal import Decimal
from pathlib import Path

from pydantic import SecretStr

from bot.settings import Settings
from core.commands.base import Danger, registry
from core.domain.brackets import Level, LevelUnit
from core.domain.orders import OrderState
from core.lifecycle.states import MOVES
from core.risk.prices import BracketConfig, compute_bracket_prices

ROOT = Path(__file__).parents[1]
PAGES = ("README.md", "docs/brackets.md")
_MARK = re.compile(r"(<!-- begin (\w+) -->\n).*?(<!-- end \2 -->)", re.DOTALL)
_WIDTH = 110


def commands_table() -> str:
    """Every command with what it does and an example, as a Markdown table."""
    rows = ["| command | what it does | for example |", "| --- | --- | --- |"]
    for entry in sorted(registry().values(), key=lambda one: (not one.command.declaration.built, one.name)):
        declaration = entry.command.declaration
        later = "" if declaration.built else " *(not built yet)*"
        mark = " ⚠" if declaration.danger is Danger.TRADE else ""
        rows.append(f"| `/{declaration.name}`{mark} | {entry.command.summary()}{later} | {declaration.examples[0]} |")
    return "\n".join(rows) + "\n"


def settings_table() -> str:
    """Every setting with its default, as a Markdown table."""
    rows = ["| setting | default | meaning |", "| --- | --- | --- |"]
    for name, info in Settings.model_fields.items():
        default = _default(name)
        rows.append(f"| `{name.upper()}` | {f'`{default}`' if default else ''} | {info.description} |")
    return "\n".join(rows) + "\n"


def states_diagram() -> str:
    """The moves of an order's state as a Mermaid diagram."""
    rows = ["```mermaid", "stateDiagram-v2", f"    [*] --> {OrderState.HELD}", f"    [*] --> {OrderState.SUBMITTING}"]
    for before, states in MOVES.items():
        rows += [f"    {before} --> {after}" for after in OrderState if after in states]
    return "\n".join([*rows, "```"]) + "\n"


_HUNDREDTH = Decimal("0.01")
_EXAMPLES = (
    ("500", None, Level(Decimal(1), LevelUnit.PERCENT), Level(Decimal(2), LevelUnit.PERCENT)),
    ("512.37", None, Level(Decimal(1), LevelUnit.PERCENT), Level(Decimal(2), LevelUnit.R)),
    ("500", "3.2", Level(Decimal(2), LevelUnit.ATR), Level(Decimal(3), LevelUnit.ATR)),
    ("500", "3.2", None, None),
    ("500", None, None, None),
)


def prices_table() -> str:
    """Stops and targets as the code makes them, for a few entries."""
    rows = ["| bought at | ATR | asked for | stop | target | risk |", "| --- | --- | --- | --- | --- | --- |"]
    for entry, atr, stop, target in _EXAMPLES:
        spread = Decimal(atr) if atr else None
        made = compute_bracket_prices(
            Decimal(entry), spread, BracketConfig(), stop=stop, target=target, tick_size=_HUNDREDTH
        )
        asked = "nothing" if stop is None else f"stop {stop.value} {stop.unit}"
        asked += f", target {target.value} {target.unit}" if target else ""
        rows.append(f"| {entry} | {atr or 'none yet'} | {asked} | {made.stop} | {made.target} | {made.risk} |")
    return "\n".join(rows) + "\n"


def env_example() -> str:
    """`.env.example`: every setting explained, none of them set."""
    parts = ["# Copy this file to .env and set what you need; a line without # counts.\n"]
    for name, info in Settings.model_fields.items():
        explained = "\n".join(
            textwrap.wrap(info.description or "", _WIDTH, initial_indent="# ", subsequent_indent="# ")
        )
        parts.append(f"{explained}\n#{name.upper()}={_default(name)}\n")
    return "\n".join(parts)


def _default(name: str) -> str:
    value = Settings.model_fields[name].default
    if value is None or value == frozenset() or isinstance(value, SecretStr):
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def fresh(page: str) -> str:
    """A page with its generated parts written again."""
    parts = {
        "commands": commands_table,
        "settings": settings_table,
        "states": states_diagram,
        "prices": prices_table,
    }
    return _MARK.sub(lambda match: f"{match[1]}{parts[match[2]]()}{match[3]}", page)


def main() -> int:
    """Write them all."""
    for name in PAGES:
        page = ROOT / name
        page.write_text(fresh(page.read_text(encoding="utf-8")), encoding="utf-8")
    (ROOT / ".env.example").write_text(env_example(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
