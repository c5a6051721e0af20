"""A real Ray of several nodes on one machine, whose workers and nodes are killed at random moments."""

from __future__ import annotations

import importlib.util
import os
import random
import signal
import time

import pytest
from conftest import build_model

from harness.execution.unit_runner import UnitRunner
from harness.plugins.executor import ExecutorRequest
from harness.system.work_unit import WorkerSetup
from plugins.ray_cluster import TOKEN, embeddings_of, units_of

pytestmark = pytest.mark.slow
ROUNDS = 20


@pytest.fixture(scope="module")
def cluster():
    if not os.environ.get("CI") and importlib.util.find_spec("ray") is None:
        pytest.skip("no Ray is installed")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in TOKEN.items():
            patch.setenv(name, value)
        import ray
        from ray.cluster_utils import Cluster

        from harness_ray.session import _without_api_server

        with _without_api_server(ray):
            made = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
        yield made
        ray.shutdown()
        made.shutdown()


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ray")
    units = units_of(build_model(folder / "m"), 40)
    runner = UnitRunner(WorkerSetup(folder=str(folder)))
    return folder, units, [runner.run(unit).result.embeddings.tobytes() for unit in units]


@pytest.mark.timeout(1500)
def test_workers_and_nodes_killed_at_random_moments_change_no_byte(cluster, work):
    from harness_ray.workers import open_ray

    folder, units, wanted = work
    drawn = random.Random(21)
    lost, nodes = 0, [cluster.add_node(num_cpus=1) for _ in range(2)]
    for turn in range(ROUNDS):
        moment, killed = drawn.randrange(1, len(units) - 6), []

        def kill(dispatcher, tickets, turn=turn, moment=moment, killed=killed):
            done = sum(ticket.done for ticket in tickets)
            if killed or done < moment or not dispatcher.ready:
                return
            if turn % 2:
                cluster.remove_node(nodes.pop(0), allow_graceful=False)
                nodes.append(cluster.add_node(num_cpus=1))
            else:
                time.sleep(drawn.random() / 20)
                os.kill(dispatcher.ready[0].process, signal.SIGKILL)
            killed.append((done, len(tickets) - done))

        request = ExecutorRequest(setup=WorkerSetup(folder=str(folder)), workers=2, address=cluster.address)
        found, counts, _ = embeddings_of(open_ray(request), units, kill)
        assert found == wanted, turn
        [(done, left)] = killed
        assert done > 0
        assert left > 0
        assert counts.done == len(units)
        lost += counts.ended
    assert lost >= ROUNDS // 2
