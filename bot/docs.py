"""The generated parts of README.md and all of .env.example: `make docs` writes them, a test holds them fresh."""

import re
import sys
import textwrap
from pathlib import Path

from pydantic import SecretStr

from bot.settings import Settings
from core.commands.base import Danger, registry

ROOT = Path(__file__).parents[1]
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


def fresh(readme: str) -> str:
    """`readme` with its generated parts written again."""
    parts = {"commands": commands_table, "settings": settings_table}
    return _MARK.sub(lambda match: f"{match[1]}{parts[match[2]]()}{match[3]}", readme)


def main() -> int:
    """Write both files."""
    readme = ROOT / "README.md"
    readme.write_text(fresh(readme.read_text(encoding="utf-8")), encoding="utf-8")
    (ROOT / ".env.example").write_text(env_example(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
