"""The answer of commands that are understood but not built."""

from core.commands.base import Command
from core.domain.errors import Code
from core.trading.reply import Reply, refusal


def not_built_yet(command: Command) -> Reply:
    """A refusal that says what was understood and that nothing was done."""
    name = command.declaration.name
    return refusal(Code.NOT_BUILT_YET, f"I understood '{name}', but it is not built yet; nothing was done")
