"""`python -m benchmarks`: every figure with the limit that it should keep, medians of one run on this machine."""

import asyncio
import os
import platform
import sys

from rich.console import Console
from rich.table import Table

from benchmarks import autopilot, desk, live, process, telegram
from benchmarks.figures import Figure


async def measure() -> list[Figure]:
    """Run everything, one after the other."""
    return [
        await desk.command_to_reply(),
        await desk.tick_over_open_brackets(),
        await desk.open_over_stored_orders(),
        await process.start_to_first_poll(),
        await process.idle_memory(),
        await process.parse_lines(),
        *await telegram.message_to_reply(),
        await telegram.beside_a_hanging_model(),
        *await telegram.alerts_of_an_outage(),
        await telegram.idle_with_a_model(),
        *await autopilot.figures(),
        *await live.figures(),
    ]


def main() -> int:
    """Print the table. Exit status 1 when a limit was missed."""
    figures = asyncio.run(measure())
    table = Table(title=f"Zyn on {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    for column in ("figure", "measured", "limit", ""):
        table.add_column(column, justify="left" if column == "figure" else "right")
    for figure in figures:
        mark = "ok" if figure.holds else "MISSED"
        table.add_row(figure.name, figure.shown, f"≤ {figure.limit:g} {figure.unit}", mark)
    Console(width=110).print(table)
    return 0 if all(figure.holds for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
