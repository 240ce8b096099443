"""Fixtures, and what the processes said during a test that failed."""

import pytest
from harness.fixtures import (  # noqa: F401
    client,
    deployment,
    private_scene,
    private_stack,
    scene,
    stack,
    stream,
    upstream,
)


def pytest_collection_modifyitems(config, items):
    """What is about one deployment's own part has no meaning in the other."""
    marked = [(item, item.get_closest_marker("only_on")) for item in items]
    other = [item for item, mark in marked if mark and _deployment(item) not in mark.args]
    config.hook.pytest_deselected(items=other)
    items[:] = [item for item in items if item not in other]


def _deployment(item):
    return item.callspec.params["deployment"]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Adds to a failure what the logs have said since the test began."""
    report = yield
    if report.failed and hasattr(item, "stack_marks"):
        running, marks = item.stack_marks
        report.sections += [(f"log: {name}", text) for name, text in running.said_since(marks)]
    return report
