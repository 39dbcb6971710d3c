"""Ways in which a private call goes wrong: before Kraken has processed it, or after."""

from collections.abc import Callable
from dataclasses import dataclass

Policy = Callable[[str, dict[str, str]], "PrivateFault | None"]
"""Asked with each call's endpoint and parameters."""

DROPPED = "dropped"
HTML = "502"
BROKEN = "broken"
SLOW = "slow"
ERROR = "error"
WARNING = "warning"


@dataclass(frozen=True, slots=True)
class PrivateFault:
    """One way. `after`: the order, the cancel, the read has been processed, and only its answer goes wrong."""

    kind: str
    after: bool = False
    text: str = ""
    """Kraken's string, for an error or a warning."""
    wait_s: float = 0.0

    def __str__(self) -> str:
        return f"{self.text or self.kind} {'after' if self.after else 'before'}"


def error(text: str, *, after: bool = False) -> PrivateFault:
    """Kraken answers with this string in its envelope."""
    return PrivateFault(ERROR, after, text)


def slow(wait_s: float, *, after: bool = False) -> PrivateFault:
    """The call waits on its way to Kraken, or the answer on its way back."""
    return PrivateFault(SLOW, after, wait_s=wait_s)


DROP_BEFORE = PrivateFault(DROPPED)
DROP_AFTER = PrivateFault(DROPPED, after=True)
HTML_502_BEFORE = PrivateFault(HTML)
HTML_502_AFTER = PrivateFault(HTML, after=True)
BROKEN_JSON_AFTER = PrivateFault(BROKEN, after=True)
RATE_LIMIT = error("EAPI:Rate limit exceeded")
INVALID_NONCE = error("EAPI:Invalid nonce")
UNAVAILABLE_BEFORE = error("EService:Unavailable")
UNAVAILABLE_AFTER = error("EService:Unavailable", after=True)
BUSY_BEFORE = error("EService:Busy")
BUSY_AFTER = error("EService:Busy", after=True)
INTERNAL_AFTER = error("EGeneral:Internal error", after=True)
NEW_STRING_BEFORE = error("EOrder:Something new")
NEW_STRING_AFTER = error("EOrder:Something new", after=True)
WARNING_BESIDE = PrivateFault(WARNING, after=True, text="WGeneral:Danger")
"""The result comes, and a warning beside it."""

EVERY_FAULT = (
    DROP_BEFORE,
    DROP_AFTER,
    HTML_502_BEFORE,
    HTML_502_AFTER,
    BROKEN_JSON_AFTER,
    RATE_LIMIT,
    INVALID_NONCE,
    UNAVAILABLE_BEFORE,
    UNAVAILABLE_AFTER,
    BUSY_BEFORE,
    BUSY_AFTER,
    INTERNAL_AFTER,
    NEW_STRING_BEFORE,
    NEW_STRING_AFTER,
    WARNING_BESIDE,
)
"""All but the slow ones and refusals, for whoever draws one."""
