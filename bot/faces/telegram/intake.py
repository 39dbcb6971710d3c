"""Where updates come in: committed before Telegram is told that we have them."""

import asyncio
from collections.abc import Callable

from loguru import logger
from sqlalchemy.exc import SQLAlchemyError
from telegram import Update
from telegram.error import NetworkError


class Intake(asyncio.Queue[object]):
    """The queue of python-telegram-bot, which is awaited before an update is acknowledged. Ours commits it first."""

    def __init__(self) -> None:
        super().__init__()
        self.take: Callable[[Update], bool] | None = None
        self.unreadable: Callable[[Update], None] | None = None

    async def put(self, item: object) -> None:
        """Commit an update. Raises NetworkError where that fails, so that Telegram is asked for it again."""
        if not isinstance(item, Update) or self.take is None:
            await super().put(item)
            return
        try:
            is_urgent = self.take(item)
        except SQLAlchemyError as error:
            logger.error("Telegram: an update could not be stored and will be asked for again: {}", error)
            raise NetworkError("the inbox cannot be written") from error
        except Exception as error:  # noqa: BLE001 - an update that nobody can read must not make the bot deaf to the next
            logger.opt(exception=error).error("Telegram: update {} cannot be read and is left out", item.update_id)
            if self.unreadable is not None:
                self.unreadable(item)
        else:
            if is_urgent:
                # Its answer is on its way before Telegram is asked for more.
                await asyncio.sleep(0)
