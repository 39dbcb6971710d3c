"""PURE. What is wrong with a model or its server: whether another try may help, and how to say it."""

import json

_BUSY = 429
_OVERLOADED = frozenset({_BUSY, 500, 502, 503, 504})
_REFUSED = {
    401: "its server refuses the key, see OPENAI_API_KEY",
    403: "its server forbids this key the model, see OPENAI_API_KEY",
    404: "its server does not know the model, see OPENAI_MODEL and OPENAI_BASE_URL",
    _BUSY: "its server takes no more questions just now",
}


def is_passing(error: BaseException) -> bool:
    """True for what may be over in a second: a busy server, a connection that broke. A time-out is not asked again."""
    if isinstance(error, TimeoutError) or type(error).__name__ == "APITimeoutError":
        return False
    return _status(error) in _OVERLOADED or type(error).__name__ == "APIConnectionError"


def trouble_of(error: BaseException, budget_s: float) -> str:
    """A few words for the user. Nothing of what the server sent is in them."""
    status = _status(error)
    if isinstance(error, TimeoutError) or type(error).__name__ == "APITimeoutError":
        return f"it took longer than {budget_s:g} s"
    if status is not None:
        return _REFUSED.get(status, f"its server answers with an error, {status}")
    if type(error).__name__ == "APIConnectionError":
        return "its server cannot be reached, see OPENAI_BASE_URL"
    if isinstance(error, (json.JSONDecodeError, ValueError, TypeError, AttributeError)):
        return "its server did not send a chat completion, see OPENAI_BASE_URL"
    return type(error).__name__


def _status(error: BaseException) -> int | None:
    status = getattr(error, "status_code", None)
    return status if isinstance(status, int) else None
