"""PURE. What an API key may do, by Kraken's own word."""

from dataclasses import dataclass

from core.exchange.translate import mapping, unreadable


@dataclass(frozen=True, slots=True)
class KeyRights:
    """What an API key may do, in Kraken's words."""

    permissions: frozenset[str]

    @property
    def may_withdraw(self) -> bool:
        """True for a key that could send coins away."""
        return any("withdraw" in one for one in self.permissions)

    @property
    def missing(self) -> tuple[str, ...]:
        """The rights that trading needs and this key lacks, as Kraken's page of keys calls them."""
        words = " ".join(self.permissions)
        return tuple(right for right, signs in _NEEDED.items() if not any(sign in words for sign in signs))


_NEEDED = {
    "Query funds": ("query-funds", "query_funds"),
    "Query open orders & trades": ("query-open", "query_open"),
    "Query closed orders & trades": ("query-closed", "query_closed"),
    "Create & modify orders": ("modify-trades", "modify-orders", "create-orders", "modify_trades", "modify_orders"),
    "Cancel/close orders": ("close-trades", "cancel-orders", "close-orders", "close_trades", "cancel"),
}


def key_rights(result: object) -> KeyRights:
    """GetApiKeyInfo. Raises VenueUnreadableError where it names no permissions: then nobody knows."""
    listed = mapping(result, "answer about the key").get("permissions")
    if not isinstance(listed, list | tuple):
        raise unreadable("answer about the key", "it names no permissions")
    return KeyRights(frozenset(str(one).strip().lower().replace(" ", "-") for one in listed))
