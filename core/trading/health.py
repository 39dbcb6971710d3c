"""PURE. What the world around a desk allows: how the venue answers, how old the prices are, whether the tick runs.

Nothing of this stops protecting what is open: it only decides whether new positions are taken.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from core.domain.modes import TradingState

UNREACHABLE_AFTER = timedelta(seconds=20)
TICK_OVERDUE_TIMES = 6
TICK_OVERDUE_LEAST_S = 45.0
SKEW_MAX_S = 5.0
"""A clock further off than this makes ages and deadlines doubtful."""
STANDSTILL_MAX_S = 5.0
"""How long Zyn may stand still, and how far this machine's clock may jump, before its prices and plans are doubted."""
HICCUP_REMEMBERED = timedelta(seconds=60)
NONCE_REFUSALS_MAX = 3


class Trouble(StrEnum):
    """What can be wrong around a desk. A trouble that is worded anew is still the same."""

    VENUE = "venue"
    STATUS = "status"
    NONCE = "nonce"
    PRICES = "prices"
    TICK = "tick"
    SKEW = "skew"
    HICCUP = "hiccup"


@dataclass(frozen=True, slots=True)
class Health:
    """What the watchdog last found. `because` has a line for each of the `troubles`."""

    state: TradingState = TradingState.ACTIVE
    because: tuple[str, ...] = ()
    troubles: tuple[Trouble, ...] = ()

    @property
    def text(self) -> str:
        """All of it in one line."""
        return "; ".join(self.because)


@dataclass(frozen=True, slots=True)
class Signs:
    """What there is to judge by. Durations in seconds; None where nobody can say or nothing is wanted."""

    now: datetime
    failing_since: datetime | None = None
    """Since when the account cannot be read, and `failure`: what was said then."""
    failure: str = ""
    silent_since: datetime | None = None
    """Since when the venue does not tell its clock and state."""
    status: str = "online"
    nonce_refusals: int = 0
    price_age_s: float | None = None
    price_age_max_s: float = 30.0
    last_tick_at: datetime | None = None
    tick_every_s: float = 5.0
    skew_s: float | None = None
    hiccup_at: datetime | None = None
    hiccup: str = ""
    """The last time that this machine's time did not go on as it should, and how."""


_BY_STATUS = {
    "online": TradingState.ACTIVE,
    "unknown": TradingState.ACTIVE,
    "post_only": TradingState.REDUCING,
    "limit_only": TradingState.REDUCING,
    "reduce_only": TradingState.REDUCING,
}


def hiccup_of(slept_s: float, wanted_s: float, wall_s: float, most_s: float = STANDSTILL_MAX_S) -> str:
    """What went wrong between two looks `slept_s` apart on the steady clock and `wall_s` on the wall; "" if nothing."""
    if slept_s - wanted_s > most_s:
        return f"Zyn stood still for {slept_s - wanted_s:.0f} s"
    if abs(wall_s - slept_s) > most_s:
        return f"this machine's clock jumped by {wall_s - slept_s:+.0f} s"
    return ""


def judge(signs: Signs) -> Health:
    """The state that these signs allow, with the reasons. No sign is waited out: each heals as soon as it is gone."""
    checks = {
        Trouble.VENUE: _venue,
        Trouble.STATUS: _status,
        Trouble.NONCE: _nonce,
        Trouble.PRICES: _prices,
        Trouble.TICK: _tick,
        Trouble.SKEW: _skew,
        Trouble.HICCUP: _hiccup,
    }
    found = {trouble: one for trouble, check in checks.items() if (one := check(signs)) is not None}
    state = TradingState.ACTIVE
    for allowed, _ in found.values():
        state = state.or_less(allowed)
    return Health(state, tuple(text for _, text in found.values()), tuple(found))


_Found = tuple[TradingState, str]


def _venue(signs: Signs) -> _Found | None:
    """The account that cannot be read, and the public word that does not come: each lasts by itself."""
    both = ((signs.failing_since, signs.failure), (signs.silent_since, ""))
    lasting = [(since, why) for since, why in both if since is not None and signs.now - since >= UNREACHABLE_AFTER]
    if not lasting:
        return None
    since, why = min(lasting)
    said = f" ({why.rstrip('.')})" if why else ""
    return TradingState.REDUCING, f"the exchange has not answered as it should since {since:%H:%M:%S} UTC{said}"


def _status(signs: Signs) -> _Found | None:
    state = _BY_STATUS.get(signs.status, TradingState.HALTED)
    return None if state is TradingState.ACTIVE else (state, f"the exchange is in {signs.status} mode")


def _nonce(signs: Signs) -> _Found | None:
    if signs.nonce_refusals < NONCE_REFUSALS_MAX:
        return None
    return TradingState.REDUCING, "the exchange refuses our nonces: another program uses the same key"


def _prices(signs: Signs) -> _Found | None:
    age = signs.price_age_s
    if age is None or age <= signs.price_age_max_s:
        return None
    return TradingState.REDUCING, f"the prices are older than {signs.price_age_max_s:.0f} s"


def _tick(signs: Signs) -> _Found | None:
    limit = max(TICK_OVERDUE_LEAST_S, TICK_OVERDUE_TIMES * signs.tick_every_s)
    last = signs.last_tick_at
    if last is None or (signs.now - last).total_seconds() <= limit:
        return None
    return TradingState.REDUCING, f"the tick is overdue: none was finished for more than {limit:.0f} s"


def _skew(signs: Signs) -> _Found | None:
    if signs.skew_s is None or abs(signs.skew_s) <= SKEW_MAX_S:
        return None
    which = "behind" if signs.skew_s > 0 else "ahead of"
    return TradingState.REDUCING, f"this machine's clock is more than {SKEW_MAX_S:.0f} s {which} the exchange's"


def _hiccup(signs: Signs) -> _Found | None:
    if signs.hiccup_at is None or abs(signs.now - signs.hiccup_at) >= HICCUP_REMEMBERED:
        return None
    return TradingState.REDUCING, signs.hiccup
