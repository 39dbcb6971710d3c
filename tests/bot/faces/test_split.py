"""Long texts reach Telegram in parts that it takes."""

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.faces.telegram import TEXT_MAX, split


@settings(derandomize=True, max_examples=100)
@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=60), st.integers(1, 400))
def test_the_parts_are_small_enough_and_together_are_the_text(line: str, times: int) -> None:
    text = "\n".join([line] * times)
    parts = list(split(text))
    assert all(len(part.encode("utf-16-le")) // 2 <= TEXT_MAX for part in parts)
    assert "".join(parts).strip() == text.strip()


def test_one_endless_line_is_cut_without_breaking_a_character() -> None:
    parts = list(split("🚀" * 5000))
    assert "".join(parts) == "🚀" * 5000


def test_a_part_ends_where_a_line_ends() -> None:
    parts = list(split("\n".join(["x" * 1000] * 9)))
    assert all(part.endswith("\n") for part in parts[:-1])
