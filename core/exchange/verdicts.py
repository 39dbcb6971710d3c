"""PURE. What Kraken's error strings prove, and what they mean to the owner.

Only a string of Kraken's own, known to be sent before an order is taken, proves a refusal. Below a pair's minimum it
sends another than it documents, so both are here.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

_STRING = re.compile(r"E[A-Z][A-Za-z]+:[^\"'\]]+")


class Proof(StrEnum):
    """What an error string proves about the order that it answers."""

    REFUSED = "refused"
    """It was not taken."""
    NOTHING = "nothing"
    """It may have been taken all the same: the next look decides."""
    LANDED = "landed"
    """An order of this name rests already."""
    GONE = "gone"
    """What was to be changed or canceled is over, filled or canceled: the next look tells which."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """A string of Kraken's, its proof, and a sentence for the owner. `is_known` is False for one never seen before."""

    text: str
    proof: Proof
    words: str
    is_known: bool = True


_REFUSED, _NOTHING = Proof.REFUSED, Proof.NOTHING
_TABLE: tuple[tuple[str, Proof, str], ...] = (
    ("EGeneral:Invalid arguments:volume minimum not met", _REFUSED, "the quantity is below the pair's minimum"),
    ("EGeneral:Invalid arguments:cl_ord_id not unique", Proof.LANDED, "an order of this name is there already"),
    ("EGeneral:Invalid arguments", _REFUSED, "Kraken does not understand the order"),
    ("EGeneral:Permission denied", _REFUSED, "the API key may not do that; see its permissions at Kraken"),
    ("EGeneral:Unknown order", Proof.GONE, "Kraken has no such order any more"),
    ("EGeneral:Unknown method", _REFUSED, "Kraken does not know this request"),
    (
        "EGeneral:Temporary lockout",
        _REFUSED,
        "Kraken has locked the key out for a while, after too many wrong requests",
    ),
    ("EGeneral:Too many requests", _REFUSED, "too many requests; Zyn slows down"),
    ("EGeneral:Internal error", _NOTHING, "Kraken had an error of its own"),
    ("EDatabase:Internal error", _NOTHING, "Kraken had an error of its own"),
    ("EAccount:Invalid permissions", _REFUSED, "this account may not trade that, in its country or at its level"),
    ("EAPI:Feature disabled", _REFUSED, "Kraken has switched this off"),
    ("EAPI:Invalid arguments", _REFUSED, "Kraken does not understand the request"),
    ("EAPI:Invalid key", _REFUSED, "Kraken does not know the key, see KRAKEN_API_KEY"),
    ("EAPI:Invalid signature", _REFUSED, "the signature is wrong, see KRAKEN_API_SECRET"),
    ("EAPI:Invalid nonce", _REFUSED, "another program uses the same key, or the clock was set back"),
    ("EAPI:Bad request", _REFUSED, "Kraken does not understand the request"),
    ("EAPI:Rate limit", _REFUSED, "too many requests; Zyn slows down"),
    ("EAuth:Failed", _REFUSED, "Kraken refuses the key"),
    ("EAuth:Account temporary disabled", _REFUSED, "Kraken has disabled the account for now"),
    ("EAuth:Account unconfirmed", _REFUSED, "the account is not confirmed at Kraken yet"),
    ("EAuth:Rate limit", _REFUSED, "too many requests; Zyn slows down"),
    ("EAuth:Too many requests", _REFUSED, "too many requests; Zyn slows down"),
    ("ESession:Invalid session", _REFUSED, "the session is over"),
    ("EOrder:Insufficient funds", _REFUSED, "the account does not have enough, or other orders hold it"),
    ("EOrder:Margin allowance exceeded", _REFUSED, "that would need margin; Zyn trades spot only"),
    ("EOrder:Margin level too low", _REFUSED, "that would need margin; Zyn trades spot only"),
    ("EOrder:Margin position size exceeded", _REFUSED, "that would need margin; Zyn trades spot only"),
    ("EOrder:Insufficient margin", _REFUSED, "that would need margin; Zyn trades spot only"),
    ("EOrder:Order minimum not met", _REFUSED, "the quantity is below the pair's minimum"),
    ("EOrder:Cost minimum not met", _REFUSED, "the cost is below the pair's minimum"),
    ("EOrder:Tick size check failed", _REFUSED, "the price is not on the pair's tick"),
    ("EOrder:Invalid price", _REFUSED, "Kraken does not take the price"),
    ("EOrder:Post only order", _REFUSED, "it would have traded at once, and was to wait"),
    ("EOrder:Orders limit exceeded", _REFUSED, "too many open orders at Kraken"),
    ("EOrder:Positions limit exceeded", _REFUSED, "too many open positions at Kraken"),
    ("EOrder:Scheduled orders limit exceeded", _REFUSED, "too many scheduled orders at Kraken"),
    ("EOrder:Domain rate limit exceeded", _REFUSED, "too many orders from this account; Zyn waits"),
    ("EOrder:Rate limit", _REFUSED, "too many orders for this pair; Zyn waits"),
    ("EOrder:Unknown order", Proof.GONE, "Kraken has no such order any more"),
    ("EOrder:Cannot open opposing position", _REFUSED, "that would need margin; Zyn trades spot only"),
    ("EOrder:Unknown position", _REFUSED, "Kraken has no such position"),
    ("EOrder:Trading agreement required", _REFUSED, "Kraken wants its trading agreement accepted first, on its site"),
    ("EOrder:Cannot open position", _REFUSED, "the account may not trade this"),
    ("EOrder:Invalid order", _REFUSED, "Kraken does not understand the order"),
    ("EQuery:Unknown asset pair", _REFUSED, "Kraken does not have this pair"),
    ("EQuery:Invalid asset pair", _REFUSED, "Kraken does not have this pair"),
    ("EQuery:Unknown asset", _REFUSED, "Kraken does not have this coin"),
    ("EService:Deadline elapsed", _REFUSED, "it came too late, past its deadline"),
    ("EService:Market in cancel_only mode", _REFUSED, "the pair only takes cancels just now"),
    ("EService:Market in post_only mode", _REFUSED, "the pair only takes orders that wait just now"),
    ("EService:Market in limit_only mode", _REFUSED, "the pair only takes limit orders just now"),
    ("EService:Market in reduce_only mode", _REFUSED, "the pair only takes sales of positions just now"),
    ("EService:Unavailable", _NOTHING, "Kraken is not available"),
    ("EService:Busy", _NOTHING, "Kraken is busy"),
    ("EService:Timeout", _NOTHING, "Kraken took too long"),
    ("EService:Throttled", _NOTHING, "Kraken is slowing requests down"),
    ("ETrade:User Locked", _REFUSED, "Kraken has locked the account"),
    ("ETrade:Locked", _REFUSED, "Kraken has locked the account"),
    ("EBM:limit exceeded", _REFUSED, "the account has reached a limit of Kraken's"),
)
"""Longest first where one begins like another."""


def meaning_of(failure: str) -> Meaning:
    """What a failure with this text means. One without a string of Kraken's, or with a new one, proves nothing."""
    found = _STRING.search(failure)
    if found is None:
        return Meaning(failure[:200], Proof.NOTHING, "no answer of Kraken's that proves anything")
    text = found.group().strip()
    for start, proof, words in _TABLE:
        if text.startswith(start):
            return Meaning(text, proof, words)
    return Meaning(text, Proof.NOTHING, "Kraken says something that Zyn has never heard", is_known=False)
