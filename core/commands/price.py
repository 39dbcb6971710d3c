"""price: what the market quotes."""

from typing import ClassVar

from core.commands.base import Command, Danger, Declaration, Symbol
from core.domain.money import plain
from core.trading import say
from core.trading.desk import Desk
from core.trading.offers import refresh
from core.trading.reply import Reply


class Price(Command):
    """Show bid, ask and last of a symbol, with source and age."""

    declaration: ClassVar[Declaration] = Declaration(
        name="price",
        calls=(
            "price",
            "live price",
            "live quote",
            "quote",
            "prices",
            "how much is",
            "what's the price of",
            "ticker",
            "trading at",
            "worth",
            "how much does",
        ),
        danger=Danger.QUERY,
        nouns=frozenset(
            {"price", "quote", "current", "latest", "trading", "at", "of", "cost", "costs", "worth", "going", "for"}
        ),
        examples=("price ETH", "what is the price of zcash?", "/price btc"),
    )
    symbol: Symbol


async def handle(desk: Desk, command: Price) -> Reply:
    """Quote, however old; its age is said."""
    await desk.instrument(command.symbol)
    quote = await desk.quote(command.symbol)
    line = f"{command.symbol}: bid {plain(quote.bid)}, ask {plain(quote.ask)}, last {plain(quote.last)}."
    data = {"bid": plain(quote.bid), "ask": plain(quote.ask), "last": plain(quote.last), "source": quote.source}
    offers = (refresh(f"price {command.symbol}", desk.mode),)
    return Reply((line, *say.sources([quote], desk.clock())), data=data, offers=offers)
