"""help: what can be said."""

from typing import ClassVar

from core.commands.base import Command, Danger, Declaration, registry
from core.trading.desk import Desk
from core.trading.reply import Reply


class Help(Command):
    """Show the commands with an example of each."""

    declaration: ClassVar[Declaration] = Declaration(
        name="help",
        calls=("help", "commands", "what can you do", "what can i say", "start", "how does this work", "usage", "menu"),
        danger=Danger.QUERY,
        nouns=frozenset({"commands", "help", "list"}),
        examples=("help", "/help", "what can you do?"),
    )


async def handle(desk: Desk, command: Help) -> Reply:
    """List every command from the registry."""
    del command
    lines = [f"I am Zyn, {desk.house.owner}. Say it in your words, or use a slash:"]
    for entry in sorted(registry().values(), key=lambda one: (not one.command.declaration.built, one.name)):
        declaration = entry.command.declaration
        later = "" if declaration.built else " (not built yet)"
        lines.append(f"/{declaration.name} – {entry.command.summary()}{later} e.g. “{declaration.examples[0]}”")
    return Reply(tuple(lines))
