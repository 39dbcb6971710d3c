"""Whatever is said reaches Telegram in parts that it takes, lacks nothing, and fits a phone."""

from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.faces.telegram.render import PHONE_COLUMNS, TEXT_MAX, render, render_alerts, render_lines, units
from core.domain.errors import Code
from core.domain.modes import Mode
from core.ledger.store import Alert
from core.trading.reply import Reply, Row, refusal
from tests.standins.markup import visible

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=60)


@settings(max_examples=150)
@given(st.lists(TEXT, min_size=1, max_size=8), st.integers(1, 120))
def test_the_parts_are_valid_small_enough_and_together_are_the_text(lines: list[str], times: int) -> None:
    parts = render_lines(lines * times)
    for part in parts:
        assert units(part.plain) <= TEXT_MAX
        assert units(visible(part.html)) <= TEXT_MAX
    whole = [line for part in parts for line in part.plain.split("\n") if line.strip()]
    assert whole == [piece for line in lines * times for piece in (line.splitlines() or [""]) if piece.strip()]


def test_one_endless_line_is_cut_without_breaking_a_character() -> None:
    parts = render_lines(["🚀" * 5000])
    assert "".join(part.plain for part in parts).replace("\n", "") == "🚀" * 5000
    assert all(units(part.plain) <= TEXT_MAX for part in parts)


def test_a_part_ends_where_a_line_ends() -> None:
    parts = render_lines(["x" * 1000] * 9)
    assert [len(part.plain.split("\n")) for part in parts] == [4, 4, 1]


def test_mode_refusal_and_ids_are_set_off_and_what_looks_like_markup_is_text() -> None:
    [part] = render(Reply(("Stop 1 & <b>2</b>, order PX-000001, zy00000001-3.",), mode=Mode.LIVE))
    assert part.html == (
        "<b>Mode: LIVE.</b>\nStop 1 &amp; &lt;b&gt;2&lt;/b&gt;, order <code>PX-000001</code>, "
        "<code>zy00000001-3</code>."
    )
    assert part.plain == "Mode: LIVE.\nStop 1 & <b>2</b>, order PX-000001, zy00000001-3."
    [refused] = render(refusal(Code.BALANCE, "too dear"))
    assert refused.html == "<b>[EXEC-ERR] BALANCE:</b> too dear"


def test_rows_become_a_table_that_fits_a_phone() -> None:
    rows = [Row("• USD 10,000.00", "USD", "10,000.00", "10,000.00 USD"), Row("• ZEC 0.04", "ZEC", "0.04", "23.55 USD")]
    [part] = render_lines(["Balance:", *rows, "Equity: 1."])
    assert part.html == (
        "Balance:\n<pre>USD  10,000.00  10,000.00 USD\nZEC       0.04      23.55 USD</pre>\nEquity: 1."
    )
    assert all(len(line) <= PHONE_COLUMNS for line in part.plain.split("\n"))


def test_rows_that_are_too_wide_for_a_phone_stay_lines() -> None:
    [part] = render_lines([Row("• one long line of words", "x" * 20, "y" * 20)])
    assert part.html == "• one long line of words"


def test_a_long_table_is_split_between_its_rows_and_each_part_is_whole() -> None:
    rows = [Row(f"• C{number:04d} 1", f"C{number:04d}", "1.00000000") for number in range(400)]
    parts = render_lines(rows)
    assert len(parts) > 1
    assert all(part.html.startswith("<pre>") and part.html.endswith("</pre>") for part in parts)
    assert sum(visible(part.html).count("C") for part in parts) == 400


def test_alerts_that_waited_come_together_in_order_as_many_as_fit() -> None:
    alerts = [Alert(number, "PAPER", "closed", NOW, f"{number} " + "x" * 200, 0) for number in range(50)]
    parts, count = render_alerts(alerts, NOW)
    assert len(parts) == 1
    assert units(parts[0].plain) <= TEXT_MAX
    assert [line.split()[1] for line in parts[0].plain.split("\n")] == [str(number) for number in range(count)]
    assert count == 19
    long = [Alert(1, "LIVE", "closed", NOW, "y" * 9000, 0)]
    parts, count = render_alerts(long, NOW)
    assert count == 1
    assert "".join(part.plain for part in parts).count("y") == 9000
