"""A look into a SQLite file that changes nothing in it, not even its mode."""

import sqlite3
from pathlib import Path


def peek_instruments(path: Path) -> dict[str, str]:
    """Symbol to venue name of the stored instruments; empty where there is no such file, table or database."""
    if not path.is_file() or path.stat().st_size == 0:
        return {}
    try:
        connection = sqlite3.connect(f"file:{path.absolute()}?mode=ro", uri=True)
    except sqlite3.Error:
        return {}
    try:
        return {
            str(symbol): str(name) for symbol, name in connection.execute("SELECT symbol, venue_name FROM instrument")
        }
    except sqlite3.Error:
        return {}
    finally:
        connection.close()
