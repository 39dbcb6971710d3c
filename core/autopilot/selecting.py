"""Choosing what to watch: once a UTC day, from the market's own figures, where the owner has asked for that."""

from loguru import logger

from core.autopilot.choices import Choices
from core.domain.errors import ZynError
from core.domain.market import Quote
from core.domain.money import percent_of
from core.strategy.universe import choose
from core.trading.desk import Desk
from core.trading.door import account_now

AT_ONCE = 100
"""Pairs in one question: an address has a length that servers take."""


async def select_symbols(desk: Desk, choices: Choices) -> None:
    """Choose today's symbols where they are not chosen yet; what cannot be read leaves yesterday's."""
    day = f"{desk.clock():%Y-%m-%d}"
    if not choices.wants_selection(desk.mode) or choices.selected_on == day:
        return
    config, currency = choices.config, desk.settings.quote_currency
    try:
        known = await desk.market.instruments()
        names = sorted(one.symbol for one in known.values() if one.quote == currency)
        quotes: dict[str, Quote] = {}
        for first in range(0, len(names), AT_ONCE):
            quotes |= await desk.market.quotes(names[first : first + AT_ONCE])
        account = await account_now(desk)
    except ZynError as error:
        logger.warning("what to watch could not be chosen: {}", error.message)
        return
    position = percent_of(account.equity, config.risk.position_pct)
    chosen = choose(known.values(), quotes, config.universe, currency=currency, position_quote=position)
    # A day on which nothing passes keeps what was watched before: an empty market is a failure of ours.
    choices.select(chosen.symbols or choices.watched(desk.mode), day, chosen.left_out)
    logger.info("[{}] watched today: {}", desk.mode, ", ".join(choices.watched(desk.mode)))
