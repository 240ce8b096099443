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


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Adds to a failure what the logs have said since the test began."""
    report = yield
    if report.failed and hasattr(item, "stack_marks"):
        running, marks = item.stack_marks
        report.sections += [(f"log: {name}", text) for name, text in running.said_since(marks)]
    return report
