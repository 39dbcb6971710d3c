"""PURE. The colours of a chart, on a dark ground. No two things that mean different things share one."""

from core.charts.values import LevelKind, MarkKind

GROUND = "#0d1119"
FIELD = "#141a26"
"""Where there is data."""
TEXT = "#e8ebf2"
FAINT_TEXT = "#a3adbf"
GRID = "#262f40"
GUIDE = "#5d6980"
UP = "#2ebd85"
DOWN = "#f6465d"
LAST = "#e8ebf2"
SERIES = ("#ffd166", "#7fd6ff", "#c792ea", "#ffa3d7", "#9fe8c5", "#c9b79c")
"""Of lines, in their order, again and again."""
MARKS = {
    MarkKind.ENTRY: "#3d9bff",
    MarkKind.EXIT_WIN: "#c6ff3d",
    MarkKind.EXIT_LOSS: "#ff8c1a",
    MarkKind.EXIT: "#ffffff",
}
LEVELS = {LevelKind.STOP: "#d6336c", LevelKind.TARGET: "#0c9f83", LevelKind.OTHER: "#5c6f94"}
