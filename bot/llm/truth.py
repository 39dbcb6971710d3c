"""PURE. Whether a text claims that something was traded. Claims are only for receipts to make."""

import re
import unicodedata

_DONE = (
    r"(?:bought|sold|filled|executed|placed|canceled|cancelled|protected|submitted|flattened|exited|bracketed"
    r"|purchased|liquidated|acquired|booked|dumped|grabbed|scooped|stopped out|picked up|loaded up|locked in"
    r"|took profit|cashed out)"
)
_AS_MARKETS_DO = (
    r"(?:opened|closed|entered|traded|moved|set|sent|confirmed|completed|triggered|secured|hit|raised|lowered)"
)
"""What a market does as well ("ETH opened at 3000"): a claim only where one of us, or an order, is said to have."""
_WHO = r"(?:i|we|zyn|you|orders?|trades?|positions?|stops?|targets?|it|they|house|kraken|exchange)"
_THING = r"(?:order|trade|position|stop|target|stop[- ]loss|take[- ]profit|bracket|coins?|entry|exit|fill)s?"
_CLAIMS = re.compile(
    rf"\b{_WHO}\b[^.?!\n]{{0,60}}\b{_DONE}\b"
    rf"|\b{_DONE}\b:?\s+(?:\d|the\b|your\b|an?\b|all\b|everything\b|[a-z]{{2,6}}\b)"
    rf"|\b(?:i|we|zyn|you|{_THING})\b[^.?!\n]{{0,40}}\b{_AS_MARKETS_DO}\b"
    rf"|\b{_THING} (?:open|live|on|active|up|in)\b"
    rf"|^\W*{_AS_MARKETS_DO}\b:?\s+(?:\d|the\b|your\b|an?\b|all\b|everything\b)"
    r"|\bdone\b\s*(?:[!.,:]|$)|\bexecution (?:complete|successful)|\bsuccess(?:ful|fully)?\b"
    r"|\ball set\b|\btaken care of\b|\bgot you\b[^.?!\n]{0,20}\d|\bgot rid of\b|\bswapped\b|\badded to your\b"
    r"|\bin your (?:wallet|account|portfolio|bag)\b|\b(?:purchase|sale|buy|sell|order|trade)\b (?:is )?complete"
    r"|^\W*(?:filled|executed|bought|sold|canceled|cancelled|placed)\W*$"
    r"|\bno longer\b[^.?!\n]{0,30}\b(?:order|position|stop)"
    r"|\b(?:status|fill price|fill|receipt|confirmation|order id|stop|target|sl|tp|entry)\s*:\s*[^.?!\n]{0,30}"
    r"(?:\d|filled|done|active|ok\b)|\b(?:long|short)\b \d|@\s*\d"
    r"|\bwent (?:in|through)\b|\b(?:order|px-\d+)\b[^.?!\n]{0,40}\bfilled\b|\bpurchase\b[^.?!\n]{0,40}\d"
    r"|\b(?:now|you|we) (?:own|hold|holds|owns|have|(?:are |is )?(?:in|long|flat|out|protected|covered))\b"
    r"[^.?!\n]{0,40}(?:\d|\blong\b|\bflat\b|\bprotected\b|\bcovered\b)"
    rf"|\b{_THING}\b (?:now )?(?:is|are|was|were|has been|have been|sits?|rests?|stands?|got) (?:now |already )?"
    r"(?:in\b|live\b|complete|confirmed|active|open|placed|set\b|at\b|resting|working|up\b|on\b|gone|safe|protected|covered)"
    r"|✅|☑|✔|🎯|💰",
    re.IGNORECASE,
)
_ELSEWHERE = re.compile(
    r"\b(?:gekauft|verkauft|ausgeführt|platziert|storniert|geschlossen|abgesichert|erledigt|eröffnet"
    r"|comprad[oa]|compré|vendid[oa]|vendí|ejecutad[oa]|cancelad[oa]|cerrad[oa]|protegid[oa]|colocad[oa]"
    r"|acheté|vendu|exécuté|annulé|clôturé|fermé|placé|protégé"
    r"|comprato|venduto|eseguito|annullato|chiuso|protetto|comprei|vendi|executad[oa]|fechad[oa]"
    r"|gekocht|verkocht|uitgevoerd|geannuleerd|gesloten"
    r"|erworben|kaufte|kauf ist durch|ho preso|j'ai pris|ich habe ge\w+"
    r"|kupiłem|kupiono|kupione|sprzedałem|sprzedano|zrealizowan\w+|satın aldım|aldım|sattım|gerçekleşti"
    r"|köpt\w*|sålt\w*|sålde|utförd\w*|købt\w*|solgt\w*|koupil\w*|prodal\w*|proveden\w*|ostin|ostettu|myin|myyty"
    r"|cumpărat\w*|vândut\w*|executat\w*"
    r"|купил\w*|куплен\w*|продал\w*|продан\w*|исполнен\w*|отмен[её]н\w*|закрыт\w*)\b"
    r"|매수했|매도했|체결|اشتريت|بعت|تم الشراء|तुम्हारे लिए खरीद|खरीद लिया|खरीदा|बेच दिया|买了|賣了|卖了|买好了"
    r"|已买|已賣|已卖|买入了|卖出了|成交|已下单|買いました|売りました|約定しました",
    re.IGNORECASE,
)
_DENIED = re.compile(
    r"\b(?:not|never|no(?! longer)|nothing|didn't|haven't|hasn't|wasn't|couldn't|cannot|can't|won't|unable|isn't|aren't"
    r"|nicht|nichts|kein\w*|nada|ningun\w*|rien|pas|niente|niet|не|ничего)\b",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"\d")
"""A denial with a number in it ("No problem, I bought 0.04 ZEC") denies nothing."""
_OUTWEIGHED = re.compile(
    r"\b(?:but|however|though|only|until|problem|worries|doubt|aber|pero|mais)\b|[,;:]", re.IGNORECASE
)
"""Neither does one that goes on ("Never better, I sold everything")."""
_ORDER_ID = re.compile(r"\b(?:PX-\d+|zy[0-9a-f]{8}(?:-\d+)?|[A-Z0-9]{6}-[A-Z0-9]{5}-[A-Z0-9]{6})\b", re.IGNORECASE)
_LOOKALIKES = str.maketrans("аеорсхуіАЕОРСХУІ", "aeopcxyiAEOPCXYI")
_QUOTES = str.maketrans("’ʼ‘", "'''")
_LONG = {"'re": " are", "'ve": " have", "'m": " am", "'ll": " will"}
_SHORT = re.compile(r"'(?:re|ve|m|ll)\b", re.IGNORECASE)
_SPACED = re.compile(r"\b\w(?: \w\b){3,}")
_MARKS = re.compile(r"[*_~`|]+")


class TradeResultValidator:
    """The first layer of truth between the model's prose and the user."""

    @staticmethod
    def claims_execution(text: str) -> bool:
        """True when some sentence of `text` reads as if an order had been executed, canceled or protected."""
        whole = _flat(text)
        return any(_claims(one) for one in re.split(r"(?<=[.!?])\s+|\n", whole))

    @staticmethod
    def names_unknown_order(text: str, known: str) -> bool:
        """True when `text` has an order id in it that `known`, the receipts of the turn, does not have."""
        told = {found.group().lower() for found in _ORDER_ID.finditer(known)}
        return any(found.group().lower() not in told for found in _ORDER_ID.finditer(_flat(text)))

    @classmethod
    def is_unproven(cls, text: str, known: str) -> bool:
        """True when `text` says what only a receipt may say. `known` is what the house has said in this turn."""
        return cls.claims_execution(text) or cls.names_unknown_order(text, known)


_ASKS = re.compile(
    r"^\W*(?:shall|should|would|could|can|may|do|does|did|is|are|which|what|how|when|where|why)\b", re.IGNORECASE
)


def _claims(sentence: str) -> bool:
    if sentence.rstrip().endswith("?") and _ASKS.search(sentence) and not _NUMBER.search(sentence):
        return False
    if not any(_CLAIMS.search(form) or _ELSEWHERE.search(form) for form in (sentence, _latin(sentence))):
        return False
    denied = _DENIED.search(sentence)
    return not denied or bool(_NUMBER.search(sentence)) or bool(_OUTWEIGHED.search(sentence))


def _flat(text: str) -> str:
    """Without marks, invisible signs, full-width forms and s p a c i n g, behind which words could hide."""
    flat = unicodedata.normalize("NFKC", text)
    flat = "".join(char for char in flat if unicodedata.category(char) != "Cf")
    flat = _SPACED.sub(_joined, _MARKS.sub("", flat))
    return _SHORT.sub(lambda found: _LONG[found.group().lower()], flat.translate(_QUOTES))


def _joined(found: re.Match[str]) -> str:
    """The word of spaced letters; a leading I is a word of its own."""
    text = found.group()
    return f"I {text[1:].replace(' ', '')}" if text[:2] in {"I ", "i "} else text.replace(" ", "")


def _latin(text: str) -> str:
    return text.translate(_LOOKALIKES)
