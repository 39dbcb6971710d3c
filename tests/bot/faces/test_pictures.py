"""Faces that print text write a picture into a file and say where it is."""

import asyncio
import json
from base64 import b64encode
from pathlib import Path
from typing import Any, cast

import pytest

from bot.faces.console import ConsoleFace
from bot.faces.pictures import keep_picture, pictures_folder
from bot.faces.socket import SocketClient, SocketFace
from bot.outbox import Outbox
from bot.talk import Talk
from core.domain.modes import Mode
from core.trading.reply import Picture, Reply, picture_of

NAME = "ETHUSD-20261120-120000.png"
PNG = b"\x89PNG\r\n\x1a\n and so on"
REPLY = Reply(("ETH/USD 5m",), mode=Mode.PAPER, picture=Picture(NAME, PNG))


def named(name: str) -> dict[str, str]:
    return {"name": name, "png": b64encode(PNG).decode()}


def test_a_reply_carries_its_picture_in_base64_and_none_where_there_is_none() -> None:
    shown = json.loads(json.dumps(REPLY.as_json()))
    assert picture_of(shown["picture"]) == REPLY.picture
    assert Reply(("x",)).as_json()["picture"] is None


def test_the_folder_is_beside_the_database_file() -> None:
    assert pictures_folder("sqlite:////home/jimmy/zyn/data/zyn.db") == Path("/home/jimmy/zyn/data/charts")
    assert pictures_folder("sqlite:///data/zyn.db") == Path("data/charts")
    assert pictures_folder("postgresql://user:secret@host/zyn") == Path("data/charts")


def test_a_picture_never_overwrites_another_file(tmp_path: Path) -> None:
    paths = [keep_picture(tmp_path, named(NAME)) for _ in range(3)]
    assert [path.name for path in paths] == [NAME, NAME.replace(".png", "-2.png"), NAME.replace(".png", "-3.png")]
    (tmp_path / "elsewhere").write_bytes(b"precious")
    (tmp_path / "link.png").symlink_to(tmp_path / "elsewhere")
    assert keep_picture(tmp_path, named("link.png")).name == "link-2.png"
    assert (tmp_path / "elsewhere").read_bytes() == b"precious"


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../etc/passwd", "etc-passwd.png"),
        ("/root/.ssh/id.png", "root-ssh-id.png"),
        ("..", "chart.png"),
        ("", "chart.png"),
        ("a\x1b[31m\nb.png", "a-31m-b.png"),
        ("x" * 500, "x" * 80 + ".png"),
        ("ETH/USD 🚀", "ETH-USD.png"),
    ],
)
def test_a_name_leads_nowhere_but_into_the_folder(tmp_path: Path, name: str, kept: str) -> None:
    path = keep_picture(tmp_path / "charts", named(name))
    assert path == tmp_path / "charts" / kept
    assert path.read_bytes() == PNG


def test_the_console_prints_the_path_below_the_answer(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    face = ConsoleFace(tmp_path / "charts")
    face.show(REPLY.as_json())
    face.show(Reply(("no picture",)).as_json())
    path = tmp_path / "charts" / NAME
    assert capsys.readouterr().out == f"Mode: PAPER.\nETH/USD 5m\nPicture: {path}\nno picture\n"
    assert path.read_bytes() == PNG


def test_json_names_the_file_instead_of_the_bytes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ConsoleFace(tmp_path, as_json=True).show(REPLY.as_json())
    shown = json.loads(capsys.readouterr().out)
    assert shown["picture"] == {"name": NAME, "path": str(tmp_path / NAME), "error": None}


def test_a_picture_that_cannot_be_written_costs_nothing_but_itself(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "charts").write_text("a file where the folder should be")
    face = ConsoleFace(tmp_path / "charts")
    face.show(REPLY.as_json())
    face.show({"ok": True, "text": "odd", "picture": {"name": "x", "png": "?"}})
    lines = capsys.readouterr().out.splitlines()
    assert lines[1] == "ETH/USD 5m"
    assert lines[2].startswith("The picture could not be written: ")
    assert lines[4].startswith("The picture could not be written: ")
    assert face.all_ok


async def test_a_large_picture_comes_through_the_local_socket_whole(tmp_path: Path) -> None:
    large = Reply(("big",), picture=Picture(NAME, bytes(range(256)) * 8192))

    class Parrot:
        async def answer(self, *_: Any) -> Reply:
            return large

    class NoOutbox:
        listeners: set[Any] = set()  # noqa: RUF012 - nobody shares it

    face = SocketFace(tmp_path / "zyn.sock", cast("Talk", Parrot()), cast("Outbox", NoOutbox()))
    await face.start()
    try:
        client = await SocketClient.connect(tmp_path / "zyn.sock")
        assert client is not None
        async with asyncio.timeout(10):
            reply = await client.ask("chart eth")
        await client.close()
    finally:
        await face.stop()
    path = keep_picture(tmp_path / "charts", reply["picture"])
    assert path.read_bytes() == (large.picture.png if large.picture else b"")
