"""What several journeys share: a lab with two printers and work ahead, one lab for each module."""

from collections.abc import Iterator

import pytest

from tests.fakes.faulty_proxy import FaultyProxy
from tests.fixtures.octoprint import free_ports, running
from tests.journeys.floor import Floor
from tests.journeys.lab import open_lab

LARGEST_UPLOAD = 20_000  # bytes of a whole request that these printers' servers accept


@pytest.fixture(scope="module")
def floor_of_module(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Floor]:
    """Take `floor`, where nothing prints."""
    folder = tmp_path_factory.mktemp("floor")
    closed = f"127.0.0.1:{free_ports(1)}"
    with (
        running(2, respawn=True, ambient=205, max_upload=LARGEST_UPLOAD) as (printers, starter),
        FaultyProxy(printers[1].port) as proxy,
        open_lab(folder, printers, addresses=[printers[0].url, proxy.url], more_networks=(closed,)) as lab,
    ):
        floor = Floor(lab, starter, proxy, f"http://{closed}")
        floor.fill("Ada", "Blaise")
        yield floor


@pytest.fixture
def floor(floor_of_module: Floor) -> Iterator[Floor]:
    """Two printers where nothing prints. Afterwards no file of ours may ever have been started twice."""
    floor_of_module.rest()
    yield floor_of_module
    floor_of_module.witness()
