"""A chart shows what it was given where it belongs, whatever that is."""

import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from math import inf, nan

import pytest

from core.charts import colours
from core.charts.draw import draw
from core.charts.values import Chart, LevelKind, LevelLine, Mark, MarkKind, Panel, picture_name
from core.domain.market import Candle
from tests.core.charts.pictures import AT, MINUTES_5, Picture, candle, rising

YELLOW = colours.SERIES[0]


def chart(candles: Sequence[Candle], interval_s: int = MINUTES_5) -> Chart:
    return Chart("ETH/USD", interval_s, candles, title="ETH/USD 5m", subtitle="PAPER")


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


def test_the_picture_is_1100_by_800_and_says_nothing_of_when_or_by_what_it_was_made() -> None:
    png = draw(chart(rising(20)))
    seen = Picture(png)
    assert (seen.width, seen.height) == (1100, 800)
    assert b"Software" not in png
    assert b"tEXt" not in png
    assert b"tIME" not in png


def test_the_same_chart_is_the_same_bytes_also_in_threads_beside_each_other() -> None:
    one, other = chart(rising(30)), chart(rising(40))
    first, second = draw(one), draw(other)
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(draw, [one, other] * 4))
    assert found == [first, second] * 4
    assert first != second


def test_candles_that_rose_and_that_fell_have_their_colours_and_heights() -> None:
    seen = Picture(draw(chart([candle(0, ["100", "100", "90", "90"]), candle(1, ["90", "110", "90", "110"])])))
    down, up = seen.columns(colours.DOWN), seen.columns(colours.UP)
    assert down[1] < 500 < up[0], "in the order of time"
    assert seen.rows(colours.UP)[0] < seen.rows(colours.DOWN)[0], "110 is above 100"
    assert abs(seen.rows(colours.UP)[1] - seen.rows(colours.DOWN)[1]) <= 2, "both reach down to 90"


def test_a_gap_in_the_candles_is_a_gap_in_the_picture() -> None:
    whole = rising(30)
    holed = [one for number, one in enumerate(whole) if not 10 <= number < 20]
    for candles, is_empty in ((whole, False), (holed, True)):
        found = Picture(draw(chart(candles))).where(colours.UP)
        between = found[(found[:, 1] > 380) & (found[:, 1] < 620)]
        assert (len(between) == 0) is is_empty


def test_a_line_is_not_drawn_across_a_gap_nor_where_it_has_no_values() -> None:
    holed = [one for number, one in enumerate(rising(30)) if not 10 <= number < 20]
    seen = Picture(draw(replace(chart(holed), lines={"EMA": [nan] * 5 + [115.0] * 15})))
    found = seen.where(YELLOW)
    found = found[(found[:, 0] > 112) & (found[:, 1] < 960)]
    assert found[:, 1].min() > 190, "the first five candles have none"
    assert not ((found[:, 1] > 380) & (found[:, 1] < 620)).any()
    assert (found[:, 1] > 650).any()


def test_a_candle_that_still_runs_is_hollow() -> None:
    prices = ["100", "110", "100", "110"]
    closed = Picture(draw(chart([candle(0, prices)])))
    running = Picture(draw(chart([candle(0, prices, closed=False)])))
    assert len(running.where(colours.UP)) < len(closed.where(colours.UP)) / 10
    row, column = running.middle(colours.UP)
    assert closed.pixels[int(row), int(column)].tolist() == [0x2E, 0xBD, 0x85]
    assert running.pixels[int(row), int(column) - 30].tolist() == [0x0D, 0x11, 0x19]


@pytest.mark.parametrize("kind", list(MarkKind))
def test_a_mark_stands_at_its_time_and_price_with_its_tip_there(kind: MarkKind) -> None:
    quiet = [candle(number, ["100", "110", "90", "100"]) for number in range(41)]
    mark = Mark(AT + minutes(102.5), Decimal(100), kind)
    seen = Picture(draw(replace(chart(quiet), marks=[mark])))
    colour = colours.MARKS[kind]
    left, right = seen.columns(colour)
    assert abs((left + right) / 2 - (40 + 920 * 0.5 / 1.03 * 1.02)) < 12, "half way through the time"
    top, bottom = seen.rows(colour)
    price_row = sum(seen.rows(colours.UP)) / 2
    tip = top if kind is MarkKind.ENTRY else bottom
    assert abs(tip - price_row) < 6
    assert seen.where(colour)[:, 0].min() < 112, "and the legend names it"


def test_marks_outside_the_range_are_left_out() -> None:
    plain = chart(rising(20))
    away = [
        Mark(AT - minutes(1), Decimal(110), MarkKind.ENTRY),
        Mark(AT + minutes(101), Decimal(110), MarkKind.EXIT_WIN),
        Mark(AT + minutes(50), Decimal(9000), MarkKind.EXIT_LOSS),
        Mark(AT + minutes(50), Decimal("NaN"), MarkKind.EXIT),
    ]
    assert draw(replace(plain, marks=away)) == draw(plain)


def test_a_level_runs_from_its_beginning_to_the_right_edge_and_is_named_there() -> None:
    stop = LevelLine("stop", Decimal(95), AT + minutes(50), LevelKind.STOP)
    target = LevelLine("target", Decimal(130), AT, LevelKind.TARGET)
    seen = Picture(draw(replace(chart(rising(20)), levels=[stop, target])))
    begin, end = seen.columns(colours.LEVELS[LevelKind.STOP])
    assert abs(begin - 495) < 12
    assert end > 945
    assert seen.columns(colours.LEVELS[LevelKind.TARGET])[0] < 60
    up, down = colours.LEVELS[LevelKind.TARGET], colours.LEVELS[LevelKind.STOP]
    for colour in (up, down):
        tag = seen.where(colour)
        tag = tag[tag[:, 1] > 965]
        assert len(tag) > 500
        line = sum(seen.rows(colour)) / 2
        assert tag[:, 0].min() <= line <= tag[:, 0].max(), "the tag stands at its line"
    assert seen.rows(up)[1] < seen.rows(down)[0]


def test_a_level_far_away_does_not_press_the_candles_flat_and_is_still_named() -> None:
    plain = Picture(draw(chart(rising(20))))
    far = LevelLine("stop", Decimal(10), AT, LevelKind.STOP)
    seen = Picture(draw(replace(chart(rising(20)), levels=[far])))
    assert seen.rows(colours.UP) == plain.rows(colours.UP)
    tag = seen.where(colours.LEVELS[LevelKind.STOP])
    assert tag[:, 1].min() > 960
    assert tag[:, 0].max() > 720, "at the lower edge"


def test_tags_of_levels_that_are_near_each_other_do_not_cover_each_other() -> None:
    kinds = [LevelKind.STOP, LevelKind.TARGET, LevelKind.OTHER]
    levels = [LevelLine("level", Decimal(110) + number, AT, kind) for number, kind in enumerate(kinds)]
    seen = Picture(draw(replace(chart(rising(20)), levels=levels)))
    spans = []
    for kind in kinds:
        found = seen.where(colours.LEVELS[kind])
        found = found[found[:, 1] > 965][:, 0]
        spans.append((int(found.min()), int(found.max())))
    assert spans[0][0] > spans[1][1] > spans[1][0] > spans[2][1], "from the lowest price up"
    assert all(bottom - top > 30 for top, bottom in spans), "each is whole"


def test_panels_have_their_guides_lines_and_bars_below_the_price() -> None:
    count = 40
    panels = {
        "RSI 14": Panel({"RSI": [nan] * 14 + [50.0] * (count - 14)}, guides=(30, 70), bounds=(0, 100)),
        "Volume": Panel(bars=[float(number) for number in range(count)]),
    }
    seen = Picture(draw(replace(chart(rising(count)), panels=panels)))
    rsi = seen.rows(YELLOW, 535, 616)
    assert rsi[1] - rsi[0] < 4, "a flat line"
    assert seen.columns(YELLOW, 540, 616)[0] > 300
    guides = seen.where(colours.GUIDE, 4)
    upper, lower = guides[:, 0].min(), guides[:, 0].max()
    assert upper < rsi[0] < lower
    faded = Picture(draw(replace(chart(rising(count)), panels={"Volume": panels["Volume"]})))
    assert not faded.has(YELLOW)
    bar = seen.pixels[734, 931].tolist()
    assert bar[1] > 120 > bar[0], "the last bar is green, like its candle"
    assert seen.pixels[650, 60].tolist() == [0x14, 0x1A, 0x26], "the first one is low"


@pytest.mark.parametrize(
    "prices",
    [
        ["100", "100", "100", "100"],
        ["0", "0", "0", "0"],
        ["0.0000123", "0.0000124", "0.0000122", "0.0000123"],
        ["65000", "65100", "64000", "64900"],
        ["0.08", "0.081", "0.079", "0.0805"],
        ["1E+15", "1E+15", "1E+15", "1E+15"],
        ["NaN", "2", "1", "1"],
    ],
)
@pytest.mark.parametrize("count", [1, 2, 720])
def test_any_prices_and_any_number_of_candles_make_a_picture(prices: list[str], count: int) -> None:
    candles = [candle(number, prices) for number in range(count)]
    shown = Chart(
        "X/USD", MINUTES_5, candles,
        lines={"missing": [nan] * count, "endless": [inf] * count},
        panels={"Empty": Panel(), "Missing": Panel({"a": [nan] * count}), "Zero": Panel(bars=[0.0] * count)},
        levels=[LevelLine("stop", Decimal("NaN"), AT)],
    )  # fmt: skip
    seen = Picture(draw(shown))
    assert seen.has(colours.UP) or seen.has(colours.DOWN) or "NaN" in prices


def test_without_candles_the_picture_says_so() -> None:
    empty = Picture(draw(chart([])))
    assert empty.columns(colours.FAINT_TEXT)[0] > 350, "words in the middle"
    assert len(empty.where(colours.FIELD)) < 500, "and no field"
    unreadable = Picture(draw(chart([candle(0, ["NaN", "NaN", "NaN", "NaN"])])))
    assert (unreadable.pixels == empty.pixels).all()


def test_words_that_look_like_formulas_and_letters_that_no_font_has_are_only_words() -> None:
    strange = Chart(
        "X", MINUTES_5, rising(3), lines={"_$x^2$_": [100.0] * 3}, title="$a_b$ 🚀 中\x00", subtitle="z" * 500
    )
    seen = Picture(draw(strange))
    words = seen.where(colours.FAINT_TEXT)
    assert words[:, 1].max() < 1090, "a long line is cut within the picture"


def test_many_panels_and_levels_leave_the_price_its_half() -> None:
    count = 30
    panels = {f"P{number}": Panel({"a": [float(n % 5) for n in range(count)]}) for number in range(9)}
    levels = [LevelLine(f"stop {number}", Decimal(100 + number), AT, LevelKind.STOP) for number in range(15)]
    seen = Picture(draw(replace(chart(rising(count)), panels=panels, levels=levels)))
    top, bottom = seen.rows(colours.UP)
    assert bottom - top > 200


def test_a_value_too_few_or_too_many_and_an_interval_of_nothing_are_refused() -> None:
    three = rising(3)
    with pytest.raises(ValueError, match="EMA has 2 values for 3 candles"):
        Chart("X", 60, three, lines={"EMA": [1.0, 2.0]})
    with pytest.raises(ValueError, match="RSI: a has 4"):
        Chart("X", 60, three, panels={"RSI": Panel({"a": [1.0] * 4})})
    with pytest.raises(ValueError, match="Volume has 1"):
        Chart("X", 60, three, panels={"Volume": Panel(bars=[1.0])})
    with pytest.raises(ValueError, match="0 s"):
        Chart("X", 0, three)


def test_a_picture_is_named_after_its_symbol_and_its_moment_in_utc() -> None:
    assert picture_name("ETH/USD", AT) == "ETHUSD-20261120-120000.png"
    assert picture_name("../X", AT) == "X-20261120-120000.png"


def test_the_library_is_loaded_by_the_first_picture_and_not_before_and_never_its_global_half() -> None:
    program = (
        "import sys; from core.charts.draw import draw; from core.charts.values import Chart\n"
        "assert not any(name.startswith(('matplotlib', 'numpy')) for name in sys.modules)\n"
        "assert draw(Chart('X', 60, [])).startswith(b'\\x89PNG')\n"
        "assert 'matplotlib.pyplot' not in sys.modules"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", program], check=True, timeout=60)
