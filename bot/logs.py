"""The log: one format, secrets masked, other libraries' lines through the same door."""

import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from loguru import logger

if TYPE_CHECKING:
    from loguru import Record

_QUIET = {
    **dict.fromkeys(("httpx", "httpcore", "telegram", "openai", "asyncio", "ccxt", "alembic"), logging.WARNING),
    # A tick that takes longer than its interval is no news, and an outage is told by the face, once.
    "apscheduler": logging.ERROR,
    "telegram.ext.Updater": logging.CRITICAL,
    "telegram.request": logging.CRITICAL,
}


class _ToLoguru(logging.Handler):
    """Hands the lines of the standard library's logging over."""

    def emit(self, record: logging.LogRecord) -> None:
        logger.opt(depth=6, exception=record.exc_info).log(record.levelname, "{}: {}", record.name, record.getMessage())


def set_up_logs(level: str, file: str | None, secrets: Sequence[str]) -> None:
    """Send the log to stderr and, where given, to `file`. Whatever a line holds, the secrets in it become ***."""
    hidden = sorted((secret for secret in secrets if secret), key=len, reverse=True)

    def mask(record: "Record") -> None:
        # One event is one line, whatever somebody wrote into it.
        message = _masked(record["message"], hidden)
        record["message"] = message.replace("\r", "\\r").replace("\n", "\\n")

    def line(record: "Record") -> str:
        # The traceback is masked as well: an exception's text may carry a URL with a token in it.
        text = "{time:YYYY-MM-DD HH:mm:ss.SSS} | {level: <7} | {message}\n"
        if record["exception"] is not None:
            record["extra"]["trace"] = _masked(_trace(record), hidden)
            text += "{extra[trace]}"
        return text

    logger.remove()
    logger.configure(patcher=mask)
    logger.add(sys.stderr, level=level, format=line, colorize=False, backtrace=False, diagnose=False)
    if file:
        try:
            Path(file).absolute().parent.mkdir(parents=True, exist_ok=True)
            Path(file).open("a", encoding="utf-8").close()
        except OSError as error:
            raise OSError(
                f"LOG_FILE {file} cannot be written ({error.strerror}); name another file, or none"
            ) from error
        logger.add(file, level=level, format=line, rotation="20 MB", retention=5, backtrace=False, diagnose=False)
    logging.basicConfig(handlers=[_ToLoguru()], level=logging.WARNING, force=True)
    for name, least in _QUIET.items():
        logging.getLogger(name).setLevel(least)


def _masked(text: str, hidden: Sequence[str]) -> str:
    for secret in hidden:
        text = text.replace(secret, "***")
    return text


def _trace(record: "Record") -> str:
    import traceback  # noqa: PLC0415 - only an exception needs it

    error = record["exception"]
    if error is None or error.value is None:
        return ""
    return "".join(traceback.format_exception(error.type, error.value, error.traceback))
