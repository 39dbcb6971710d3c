"""A pytest plugin that names the Tests A to D as they pass, also when workers ran them."""

import re

import pytest

_NAME = re.compile(r"tests/acceptance/\w+\.py::test_([a-d])_(\w+)")


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(_Watcher(), "acceptance-watcher")


class _Watcher:
    def __init__(self) -> None:
        self._lines: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        match = _NAME.search(report.nodeid)
        if match is None or not (report.when == "call" or report.failed):
            return
        self._lines.append(f"Test {match[1].upper()} {report.outcome}: {match[2].replace('_', ' ')}")

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        for line in sorted(self._lines):
            terminalreporter.write_line(line)
