"""A sheet to paint on, in pixels from its lower left corner. All that is known of matplotlib's text and boxes is here.

Nothing global is touched (no pyplot, no settings), so that sheets can be painted in several threads at once.
"""

from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from core.charts.colours import GROUND, TEXT

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH, HEIGHT = 1100, 800
_DPI = 100
_POINTS = 72 / _DPI
_MIDDLE = 0.36
"""Where the middle of a capital letter is, in heights of letters above its baseline."""


class Sheet:
    """An empty sheet of WIDTH by HEIGHT pixels."""

    def __init__(self) -> None:
        # 0.4 s and some 55 MiB: only who wants a picture pays for it.
        import matplotlib as mpl  # noqa: PLC0415
        from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415
        from matplotlib.figure import Figure  # noqa: PLC0415
        from matplotlib.font_manager import FontProperties, get_font  # noqa: PLC0415

        self._figure = Figure(figsize=(WIDTH / _DPI, HEIGHT / _DPI), dpi=_DPI, facecolor=GROUND)
        self._canvas = FigureCanvasAgg(self._figure)
        # The fonts that come with the library, whatever the machine has: the same picture everywhere.
        fonts = Path(mpl.get_data_path()) / "fonts" / "ttf"
        self._fonts = {
            is_bold: FontProperties(fname=str(fonts / f"DejaVuSans{'-Bold' if is_bold else ''}.ttf"))
            for is_bold in (False, True)
        }
        self._glyphs = get_font(str(fonts / "DejaVuSans.ttf"))

    def box(self, left: float, bottom: float, width: float, height: float) -> "Axes":
        """A place for data, without any decoration of its own."""
        place = (left / WIDTH, bottom / HEIGHT, width / WIDTH, height / HEIGHT)
        axes = self._figure.add_axes(place, facecolor="none")
        axes.set_axis_off()
        return axes

    def say(
        self,
        text: str,
        left: float,
        middle: float,
        size: float,
        colour: str = TEXT,
        *,
        align: str = "left",
        is_bold: bool = False,
        on: str | None = None,
    ) -> float:
        """Write `text`, `size` pixels high, on a box of the colour `on` where one is given. Returns its width."""
        # By the baseline, so that words with and without tails stand on one line.
        is_block = "\n" in text
        written = self._figure.text(
            left / WIDTH,
            (middle if is_block else middle - _MIDDLE * size) / HEIGHT,
            "".join(letter if letter == "\n" or self._glyphs.get_char_index(ord(letter)) else "?" for letter in text),
            color=colour,
            fontproperties=self._fonts[is_bold],
            fontsize=size * _POINTS,
            ha=align,
            va="center" if is_block else "baseline",
            linespacing=1.05,
            parse_math=False,
            zorder=10,
            bbox=None if on is None else {"boxstyle": "square,pad=0.22", "facecolor": on, "edgecolor": "none"},
        )
        return written.get_window_extent().width

    def png(self) -> bytes:
        """The sheet as a PNG that says nothing of when or by what it was made."""
        out = BytesIO()
        self._canvas.print_png(out, metadata={"Software": None})  # type: ignore[no-untyped-call]
        # A figure is full of circles: without this its memory waits for the collector.
        self._figure.clear()
        return out.getvalue()
