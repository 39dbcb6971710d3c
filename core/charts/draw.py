"""From a chart to a picture."""

from core.charts import colours
from core.charts.price import PricePart
from core.charts.sheet import WIDTH, Sheet
from core.charts.strips import paint_strip
from core.charts.values import Chart
from core.charts.view import LEFT, SIZE, SMALL, View, bars_of

TOP, BOTTOM = 690, 62
"""Between these heights, in pixels, everything is drawn that has a time."""
PANEL_HEIGHT, PANEL_GAP = 112, 8
PANELS_SHARE = 0.5
"""How much of it the panels may have, however many they are."""
_TITLE_MAX, _SUBTITLE_MAX = 58, 92


def draw(chart: Chart) -> bytes:
    """The chart as a PNG of 1100 by 800 pixels, the same bytes for the same chart.

    Candles stand at their true times (UTC), prices on the right. A candle that still runs is hollow. Candles and values
    that are no numbers are left out; so are marks outside the range, and a level outside it is named at the edge. It
    takes tenths of a second of one core, and may run in any thread.
    """
    sheet = Sheet()
    sheet.say(_cut(chart.title or chart.symbol, _TITLE_MAX), LEFT, 772, 27, is_bold=True)
    sheet.say(_cut(chart.subtitle, _SUBTITLE_MAX), LEFT, 740, SIZE, colours.FAINT_TEXT)
    bars = bars_of(chart)
    if bars:
        _paint(View(sheet, chart, bars))
    else:
        sheet.say("No data", WIDTH / 2, 400, 40, colours.FAINT_TEXT, align="center", is_bold=True)
        sheet.say("There are no candles to draw.", WIDTH / 2, 350, SIZE, colours.FAINT_TEXT, align="center")
    return sheet.png()


def _paint(view: View) -> None:
    panels = view.chart.panels
    height = min(PANEL_HEIGHT, (TOP - BOTTOM) * PANELS_SHARE / max(1, len(panels)) - PANEL_GAP)
    floor = BOTTOM + len(panels) * (height + PANEL_GAP)
    _times(view)
    PricePart(view, floor, TOP).paint()
    for place, (name, panel) in enumerate(panels.items(), 1):
        paint_strip(view, floor - place * (height + PANEL_GAP), height, name, panel)


def _times(view: View) -> None:
    """The labels of the round times, and whose times they are."""
    for tick in view.ticks:
        view.sheet.say(tick.label, view.x(tick.at), BOTTOM - 18, SIZE, colours.FAINT_TEXT, align="center")
        view.sheet.say(tick.below, view.x(tick.at), BOTTOM - 42, SMALL, colours.FAINT_TEXT, align="center")
    view.sheet.say("UTC", WIDTH - LEFT, BOTTOM - 18, SIZE, colours.FAINT_TEXT, align="right", is_bold=True)


def _cut(text: str, most: int) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= most else flat[: most - 1] + "…"
