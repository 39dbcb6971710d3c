"""Reads that failed. An unreadable venue is an answer of its own, never replaced by memory."""

from core.domain.errors import Code, ZynError


class VenueUnreadableError(ZynError):
    """The venue's books could not be read."""

    def __init__(self, message: str) -> None:
        super().__init__(Code.VENUE_UNREADABLE, message)


class MarketDownError(ZynError):
    """Market data could not be read."""

    def __init__(self, message: str) -> None:
        super().__init__(Code.NO_PRICES, message)
