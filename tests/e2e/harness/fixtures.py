"""The fixtures of every suite that runs against real Envoy."""

import pytest

from .dialects import ALL
from .scene import Scene
from .stack import Stack

DEPLOYMENTS = ["ads", "guest"]


@pytest.fixture(scope="session", params=DEPLOYMENTS)
def deployment(request):
    """Which way Envoy is configured: both, one after the other."""
    return request.param


@pytest.fixture(scope="session")
def stack(deployment, tmp_path_factory):
    """The Sluice that most tests share."""
    running = Stack(deployment, tmp_path_factory.mktemp("stack") / deployment)
    yield running
    running.stop()


@pytest.fixture
def scene(request, stack):
    """One test's part of the shared Sluice."""
    yield from _scene(request, stack)


@pytest.fixture(scope="module")
def private_stack(deployment, tmp_path_factory):
    """A Sluice of a module's own, which it may break and mend."""
    running = Stack(deployment, tmp_path_factory.mktemp("private") / deployment)
    yield running
    running.stop()


@pytest.fixture
def private_scene(request, private_stack):
    """One test's part of the module's own Sluice."""
    yield from _scene(request, private_stack)


def _scene(request, running):
    request.node.stack_marks = (running, running.marks())
    opened = Scene(running)
    yield opened
    opened.close()


@pytest.fixture(params=ALL, ids=lambda dialect: dialect.name)
def client(request):
    """The client's dialect: each."""
    return request.param


@pytest.fixture(params=ALL, ids=lambda dialect: f"to_{dialect.name}")
def upstream(request):
    """The provider's dialect: each."""
    return request.param


@pytest.fixture(params=[False, True], ids=["buffered", "streamed"])
def stream(request):
    """Whether the client wants a stream: both."""
    return request.param
