"""What is wrong with a model's server, in words for the user, and whether another try may help."""

import json
from typing import Any, cast

import httpx
import openai
import pytest

from bot.llm.trouble import is_passing, trouble_of

REQUEST = httpx.Request("POST", "http://127.0.0.1:9/v1/chat/completions")


def status(code: int) -> openai.APIStatusError:
    return openai.APIStatusError("secret words", response=cast("Any", httpx.Response(code, request=REQUEST)), body=None)


@pytest.mark.parametrize(
    ("error", "passing", "words"),
    [
        (status(401), False, "OPENAI_API_KEY"),
        (status(404), False, "OPENAI_MODEL"),
        (status(429), True, "no more questions"),
        (status(500), True, "500"),
        (status(503), True, "503"),
        (status(418), False, "418"),
        (TimeoutError(), False, "longer than 30 s"),
        (openai.APITimeoutError(cast("Any", REQUEST)), False, "longer than 30 s"),
        (openai.APIConnectionError(request=cast("Any", REQUEST)), True, "cannot be reached"),
        (ValueError("<html>"), False, "OPENAI_BASE_URL"),
        (json.JSONDecodeError("x", "y", 0), False, "chat completion"),
        (KeyError("x"), False, "KeyError"),
    ],
)
def test_each_trouble_has_its_words_and_nothing_of_what_the_server_sent(
    error: Exception, words: str, *, passing: bool
) -> None:
    told = trouble_of(error, 30.0)
    assert words in told
    assert "secret" not in told
    assert "<html>" not in told
    assert is_passing(error) is passing
