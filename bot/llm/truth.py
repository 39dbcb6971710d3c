"""PURE. Whether a text claims that something was traded. Claims are only for receipts to make."""

import re

_DONE = (
    r"(bought|sold|filled|executed|placed|opened|closed|canceled|cancelled|protected|submitted|flattened|entered|exited|"
    r"bracketed|traded|purchased|liquidated|moved|set)"
)
_WHO = r"(i|we|i've|we've|zyn|you|order|orders|trade|position|stop|target|it)"
_CLAIMS = re.compile(
    rf"\b{_WHO}\b[^.?!\n]{{0,60}}\b{_DONE}\b"
    rf"|\b{_DONE}\b\s+(?:\d|the\b|your\b|an?\b|[A-Z]{{2,6}}\b)"
    r"|\bdone\b[!.]|\bexecution (?:complete|successful)|\bsuccessfully\b"
    r"|\bwent (?:in|through)\b|\b(?:order|px-\d+)\b[^.?!\n]{0,40}\bfilled\b|\bnow own\b|\bpurchase\b[^.?!\n]{0,40}\d"
    r"|\b(order|trade) (?:is )?(?:in|live|complete|confirmed|active|open)\b|✅",
    re.IGNORECASE,
)
_DENIED = re.compile(
    r"\b(not|never|no|nothing|didn't|haven't|hasn't|wasn't|couldn't|cannot|can't|won't|unable)\b", re.IGNORECASE
)


_NUMBER = re.compile(r"\d")
"""A denial with a number in it ("No problem, I bought 0.04 ZEC") denies nothing."""


class TradeResultValidator:
    """The first layer of truth between the model's prose and the user."""

    @staticmethod
    def claims_execution(text: str) -> bool:
        """True when some sentence of `text` reads as if an order had been executed, canceled or protected."""
        sentences = re.split(r"(?<=[.!?])\s+|\n", text)
        return any(_CLAIMS.search(one) and not (_DENIED.search(one) and not _NUMBER.search(one)) for one in sentences)
