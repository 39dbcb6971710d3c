"""PURE. The words that every command shares. What belongs to one command stands in its declaration."""

LABELS: dict[str, tuple[str, ...]] = {
    "stop": (
        "sl", "s/l", "stop", "stop loss", "stop-loss", "stoploss", "stop price", "stop out", "protective stop", "my stop",
        "stop loss price", "stop order", "cut losses", "cut loss", "stop_loss",
    ),
    "target": (
        "tp", "t/p", "take profit", "take-profit", "takeprofit", "target", "profit target", "take profits",
        "take_profit", "take profit price",
    ),
    "limit": ("limit", "lmt", "limit price", "limit order", "limit_price"),
    "entry": ("entry", "entry price", "entry at"),
    "market": (
        "market", "mkt", "at market", "market order", "market price", "at market price", "at the market", "by market",
        "at the market price", "spot price",
    ),
    "risk": ("risk", "risking", "at risk"),
    "at": ("@", "at", "at price", "at a price of", "price", "for a price of"),
}  # fmt: skip
"""What a value is: the label stands beside it, before or after."""

DIRECTIONS: dict[str, int] = {
    "below": -1, "under": -1, "lower": -1, "down": -1, "underneath": -1, "beneath": -1,
    "above": 1, "over": 1, "higher": 1, "up": 1,
}  # fmt: skip

PARTS: dict[str, str] = {
    "half": "50", "half of": "50", "all": "100", "all of": "100", "everything": "100", "quarter": "25", "a quarter of": "25", "a half of": "50", "whole": "100", "entire": "100", "the whole": "100", "full": "100", "three quarters": "75",
    "three quarters of": "75", "every": "100",
}  # fmt: skip
"""Parts that people name in words, as percentages."""

FRACTIONS: dict[str, str] = {
    "half a": "0.5",
    "half an": "0.5",
    "a half": "0.5",
    "a quarter of a": "0.25",
    "a quarter": "0.25",
}
"""Parts of one coin: "half a bitcoin" is 0.5 BTC, not half of anything that one has."""

BREAK_EVEN = (
    "entry",
    "break even",
    "breakeven",
    "break-even",
    "b/e",
    "be",
    "entry price",
    "my entry",
    "cost basis",
    "the entry",
)

MODES: dict[str, str] = {"paper": "PAPER", "live": "LIVE"}

CURRENCIES: dict[str, str] = {
    "usd": "USD", "dollar": "USD", "dollars": "USD", "bucks": "USD", "buck": "USD", "eur": "EUR", "euro": "EUR", "euros": "EUR",
}  # fmt: skip
SIGNS = {"$": "USD", "€": "EUR"}

PERCENT_WORDS = frozenset({"%", "percent", "pct", "per cent"})

COURTESY = (
    "please", "pls", "plz", "zyn", "hey", "hi", "hello", "ok", "okay", "thanks", "thank you", "thx", "cheers", "execute",
    "execute it", "execute this", "now", "right now", "immediately", "asap", "do it", "just", "for me", "go ahead", "quickly",
    "today", "kindly", "yo", "mate", "buddy", "bro", "i want to", "i want you to", "i wanna", "i'd like to", "i would like to",
    "i'd like you to", "i would like you to", "i need to", "i need you to", "let's", "lets", "let us", "good morning",
    "good evening", "good afternoon", "send it", "confirm", "confirmed", "yes", "alright", "ty", "dear", "quick", "fast",
    "straight away", "at once", "sir", "i want", "i'd like", "i need", "execute now", "execute trade", "execute order",
    "execute the order", "execute the trade", "submit", "submit it", "place order", "place an order to", "place an order",
    "place a", "place", "make it", "make a trade", "and execute", "put in a", "put in", "submit a",
)  # fmt: skip

BEFORE_A_CALL = frozenset(""", . : ; ! - ( & | on in with use using at @ of to and + = for""".split())
"""Small words that may stand before the verb of an order; "my", "the" or "is" there make a description of it."""

DANGLING = frozenset(
    "and with to for at @ of set then on in from by plus or add put use using via the a my = : - + & | /".split()
)
"""An order that ends so has lost its end."""

GLUE = frozenset(
    """the a an my of to in on with and for is = : , . ; ! it its this that me from worth using use set put add plus also
    & ( ) - + • * | / as both some our total size amount qty quantity symbol pair entering
    away from trade coin crypto""".split()
)
"""Small words that carry nothing in an order."""

QUERY_GLUE = GLUE | frozenset(
    """show list give tell display see view check get fetch print what what's whats which is are any anything do does i we you
    have has there current currently right now how how's hows many much where let can could be got u us your status'
    ? all every each please look find out going currently me about on up doing give's i've we've whats' those these so
    latest recent full complete my mine jimmy've did was yet still open's something exactly actually really""".split()
)
"""Small words that carry nothing in a question about how things stand."""

CHANGE_GLUE = GLUE - frozenset("is it its this that me our".split())
"""Small words in an order to the house ("turn the autopilot on"); with "is" it would only tell how things stand."""

LEVEL_GLUE = frozenset("to at for on of and : = , . ; ! @".split())
"""Small words of a sentence that names a level and a coin and no verb ("ETH stop to 3000")."""

NOUNS_OF_CASH = frozenset("balance account funds cash capital equity portfolio money wallet bankroll available".split())
"""What one buys with, and cannot sell."""

NOUNS_OF_MONEY = frozenset(
    "balance account funds cash capital equity portfolio money wallet bankroll holding holdings position stack bag available".split()
)

# -- words that decide for the whole sentence --------------------------------------------------------------------

ASKING_PHRASES = ("is it", "is that", "is this", "ok to", "okay to", "worth it", "good idea", "is there")
"""Where these stand, something is asked, with a question mark or without."""

INTERROGATIVES = frozenset(
    """what what's whats which who whose why how where should shall can could would will may do does did is are was were am has
    have had isn't aren't wasn't weren't doesn't didn't can't couldn't wouldn't won't shouldn't haven't hasn't how's who's""".split()
)
"""A sentence that begins so asks."""

SPEECH = frozenset(
    """said says saying told tells heard thinks recommends recommended suggests suggested advises advised tweeted wrote
    according apparently allegedly claims claimed he she they him her them friend wife husband brother analyst guru article
    reddit twitter youtube news rumor rumour someone somebody everyone everybody people he's she's they're reported reports
    reportedly quote unquote asked mentioned elon posted""".split()
)
PAST = frozenset(
    """bought sold was were did had closed exited dumped flattened canceled cancelled went opened entered grabbed longed
    shorted purchased got yesterday ago already earlier been placed executed've executed stopped liquidated moved
    used""".split()
)
NEGATIONS = frozenset(
    """don't dont not never no without avoid refrain nothing none neither nor cannot can't cant won't wont shouldn't
    wouldn't doesn't isn't didn't nope nah cancel that stop buying stop selling doesnt isnt shouldnt wouldnt""".split()
) - frozenset({"cancel", "that", "stop", "buying", "selling"})
NEGATION_PHRASES = (
    "instead of",
    "rather than",
    "do not",
    "stop buying",
    "stop selling",
    "hold off",
    "forget about",
    "forget it",
)
CONDITIONS = frozenset(
    """if when whenever once unless until till provided assuming otherwise else while depending maybe perhaps might could would
    possibly suppose supposing hypothetically after before thinking considering whether except only unless wondering
    ifs probably""".split()
)
CONDITION_PHRASES = (
    "in case",
    "as soon as",
    "as long as",
    "on condition",
    "in the event",
    "should it",
    "should the",
    "or else",
)
DEFERRALS = frozenset(
    """tomorrow tonight later soon eventually next monday tuesday wednesday thursday friday saturday sunday noon midnight
    morning afternoon evening wait will i'll we'll gonna schedule daily weekly monthly hourly o'clock someday
    afterwards overnight tmrw tmr weekend january february march april june july august september october november
    december""".split()
)
DEFERRAL_PHRASES = (
    "going to",
    "in a bit",
    "in a while",
    "in an hour",
    "in a minute",
    "at the open",
    "at open",
    "at close",
    "not yet",
    "from now",
    "half an hour",
    "few minutes",
    "few hours",
    "couple of",
    "every day",
    "every hour",
    "every week",
    "every month",
    "every minute",
    "each day",
)
TIME_UNITS = frozenset(
    "second seconds sec secs minute minutes min mins hour hours hr hrs day days week weeks month months s m h d".split()
)
