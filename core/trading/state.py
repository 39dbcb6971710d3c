"""Telling the owner when a desk allows less, and when that is over. Once for each change."""

from collections.abc import Sequence

from core.domain.brackets import Bracket
from core.domain.events import Event, EventKind
from core.domain.modes import TradingState
from core.trading.desk import Desk


def tell_state(desk: Desk) -> None:
    """Tell what has changed since the last time. A broken promise and its end are told where they are made."""
    state, why, kinds = desk.state, reasons(desk), _kinds(desk)
    told = desk.told.state
    if desk.halted_because or (state is told and kinds == desk.told.because):
        desk.told.state, desk.told.because = state, kinds
        return
    if state is TradingState.ACTIVE and not desk.ready:
        return  # That it takes entries again is told once it does.
    if state is TradingState.ACTIVE:
        if told is TradingState.HALTED and not desk.told.because:
            desk.told.state = state
            return
        text = f"The {desk.mode} desk is active again and takes entries."
    else:
        text = f"The {desk.mode} desk is {state}, no new entries: {'; '.join(why)}. What is open stays protected."
    # Remembered only once it is saved: what could not be written is told again.
    desk.ledger.save((), [Event(EventKind.STATE_CHANGED, desk.mode, desk.clock(), text)])
    desk.told.state, desk.told.because = state, kinds


def tell_readiness(desk: Desk, unfinished: Sequence[Bracket]) -> None:
    """Tell that a desk that is used, or has something open, is not ready, and when it is. Once for each reason."""
    why = desk.not_ready_because.rstrip(".")
    # Seconds that are counted up, or a failure that is worded anew, are the same news.
    news = (bool(why), desk.is_refused, desk.has_compared) if why else ()
    is_wanted = bool(unfinished) or desk.house.active_mode is desk.mode
    if news == desk.told.not_ready or (not is_wanted and not desk.told.not_ready):
        return
    text = f"The {desk.mode} desk is ready again."
    if why:
        takes = "no new trades" if desk.has_compared else "no orders"
        text = f"The {desk.mode} desk is not ready and takes {takes}: {why}. {_who_watches(desk, unfinished)}".rstrip()
    desk.ledger.save((), [Event(EventKind.STATE_CHANGED, desk.mode, desk.clock(), text)])
    desk.told.not_ready = news


def _who_watches(desk: Desk, unfinished: Sequence[Bracket]) -> str:
    """What becomes of what is open meanwhile."""
    if not unfinished:
        return ""
    if desk.is_refused and not desk.has_compared:
        symbols = ", ".join(sorted({bracket.symbol for bracket in unfinished}))
        return f"NOBODY WATCHES OVER {symbols}: only what rests at the venue protects it. See to it there."
    return "Zyn keeps to what is open, where it can."


def _kinds(desk: Desk) -> tuple[str, ...]:
    """What is wrong, by name: which coins lack their stop, and which troubles there are."""
    now = desk.clock()
    bare = sorted({bracket.symbol for bracket in desk.ledger.unfinished() if bracket.lacks_cover(now)})
    return (*bare, *desk.health.troubles)


def reasons(desk: Desk) -> tuple[str, ...]:
    """Why this desk takes less than everything, broken promises aside; empty where nothing is wrong."""
    now = desk.clock()
    bare = sorted({bracket.symbol for bracket in desk.ledger.unfinished() if bracket.lacks_cover(now)})
    missing = f"the stop of {', '.join(bare)} is missing, or the venue refuses to place or change it; Zyn keeps trying"
    return ((missing,) if bare else ()) + desk.health.because
