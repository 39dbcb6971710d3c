"""The log masks secrets, wherever in a line they stand."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from loguru import logger

from bot.logs import set_up_logs

SECRET = "123456:AAverysecrettoken"


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "zyn.log"
    set_up_logs("DEBUG", str(path), [SECRET, ""])
    yield path
    logger.remove()
    logging.getLogger().handlers.clear()


def test_a_secret_in_a_message_becomes_stars(file: Path) -> None:
    logger.info("GET https://host/bot{}/getMe", SECRET)
    text = file.read_text()
    assert "bot***/getMe" in text
    assert SECRET not in text


def test_a_secret_in_a_traceback_becomes_stars(file: Path) -> None:
    try:
        raise ValueError(f"no such token {SECRET}")
    except ValueError:
        logger.exception("it failed with {}", SECRET)
    text = file.read_text()
    assert "ValueError: no such token ***" in text
    assert SECRET not in text


def test_lines_of_other_libraries_go_through_the_same_door(file: Path) -> None:
    logging.getLogger("telegram.ext").warning("polling with %s failed", SECRET)
    logging.getLogger("httpx").info("not wanted")
    text = file.read_text()
    assert "telegram.ext: polling with *** failed" in text
    assert "not wanted" not in text


def test_braces_in_a_message_are_no_format(file: Path) -> None:
    logger.warning("{}", '{"error": {}}')
    assert '{"error": {}}' in file.read_text()
