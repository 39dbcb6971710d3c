"""A pytest plugin that names the Tests A to D as they pass, also when workers ran them."""

import re
from collections.abc import Iterator

import pytest

_NAME = re.compile(r"tests/acceptance/\w+\.py::test_([a-d])_(\w+)")
_outcomes = pytest.StashKey[dict[str, list[str]]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_outcomes] = {}
    config.pluginmanager.register(_Watcher(config), "acceptance-watcher")


class _Watcher:
    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        match = _NAME.search(report.nodeid)
        if match is None or not (report.when == "call" or report.failed):
            return
        line = f"Test {match[1].upper()} {report.outcome}: {match[2].replace('_', ' ')}"
        self._config.stash[_outcomes].setdefault(match[1], []).append(line)


@pytest.hookimpl(wrapper=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> Iterator[None]:
    yield
    for letter in sorted(config.stash[_outcomes]):
        for line in sorted(config.stash[_outcomes][letter]):
            terminalreporter.write_line(line)
