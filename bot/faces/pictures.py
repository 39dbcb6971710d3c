"""Pictures of answers as files, for faces that print text only."""

import re
from base64 import b64decode
from collections.abc import Mapping
from pathlib import Path
from typing import Any

FOLDER = "charts"
_NAME_MAX = 80
_TRIES = 10_000


def pictures_folder(database_url: str) -> Path:
    """Where the pictures of this database go: a folder beside its file, or in `data` where it is no file."""
    path = database_url.removeprefix("sqlite:///") if database_url.startswith("sqlite:///") else "data/zyn"
    return Path(path).parent / FOLDER


def keep_picture(folder: Path, picture: Mapping[str, Any]) -> Path:
    """Write the picture of a reply's JSON into a new file. No other file is ever touched.

    Raises OSError where it cannot be written, and ValueError, KeyError or TypeError for what is no picture.
    """
    png, stem = b64decode(picture["png"], validate=True), _stem(str(picture["name"]))
    folder.mkdir(parents=True, exist_ok=True)
    names = (f"{stem}{end}.png" for end in ("", *(f"-{number}" for number in range(2, _TRIES))))
    for name in names:
        path = folder / name
        try:
            with path.open("xb") as file:
                file.write(png)
        except FileExistsError:
            continue
        return path
    raise FileExistsError(f"{folder} has too many pictures called {stem}")


def _stem(name: str) -> str:
    """A name without folder and ending, of harmless letters only."""
    harmless = re.sub(r"[^A-Za-z0-9_-]+", "-", name.removesuffix(".png"))
    return harmless.strip("-")[:_NAME_MAX] or "chart"
