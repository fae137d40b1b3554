"""A topology as a network, a configuration as a machine, and both together as a cost."""

import subprocess
import sys

import numpy as np
import pytest

import hwsim
from hwsim.errors import ConfigError, GraphError
from hwsim.interchange.scalesim import network_of, read_scalesim_machine, read_topology
from hwsim.mapping.lower import lower
from tests.interchange.scalesim.files import CONFIG

TOPOLOGY = (
    "Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, Strides,\n"
    "conv, 10, 7, 3, 2, 3, 5, 4,\nconv, 9, 9, 3, 3, 3, 5, 2,\nbeyond, 5, 6, 1, 1, 4, 4, 7, 1:2,\n"
)


@pytest.fixture
def files(tmp_path):
    (tmp_path / "net.csv").write_text(TOPOLOGY)
    (tmp_path / "gemm.csv").write_text("L,M,N,K,\nqk,6,5,4,\n")
    (tmp_path / "machine.cfg").write_text(CONFIG)
    return tmp_path


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("name", ["net.csv", "gemm.csv"])
def test_products_are_those_of_scalesim(files, name, batch):
    topology = read_topology(files / name)
    graph = hwsim.load(files / name, batch=batch)
    assert graph.batch == batch
    assert graph.network.number_of_edges() == 0
    works = [task.work for task in lower(hwsim.quantize(graph, weights="int4"))]
    assert [(work.m, work.k, work.n) for work in works] == [(batch * e.m, e.k, e.n) for e in topology.layers]
    assert {str(work.weight) for work in works} == {"int4"}


def test_rounding_sparsity_and_weights_are_noted(files):
    graph = hwsim.load(files / "net.csv", seed=3)
    assert [node.name for node in graph.nodes] == ["conv", "conv#2", "beyond"]
    assert [node.attributes["pads"] for node in graph.nodes] == [(0, 0, 1, 3), (0, 0, 0, 0), (0, 0, 3, 2)]
    assert graph.notes == (
        "a SCALE-Sim topology: layers do not feed one another, and weights are drawn from seed 3",
        "SCALE-Sim rounds output sizes up; these layers are padded with zeros below and at the right, so that the same windows "
        "are computed: conv 1 x 3, beyond 3 x 2",
        "the topology's ratios of sparsity are left out, as SCALE-Sim does without SparsitySupport",
    )


def test_weights_are_drawn_from_the_seed_and_the_name(files):
    one, same, other = (hwsim.load(files / "net.csv", seed=seed).tensors["conv.filter"].data for seed in (1, 1, 2))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)
    bare = network_of(read_topology(files / "net.csv"), drawn=False)
    assert bare.tensors["conv.filter"].shape == one.shape
    assert not bare.tensors["conv.filter"].data.any()


def test_it_computes_too(files):
    graph = hwsim.load(files / "net.csv")
    rng = np.random.default_rng(0)
    images = {name: rng.normal(size=(2, *graph.tensors[name].shape[1:])).astype(np.float32) for name in graph.inputs}
    result = hwsim.simulate(hwsim.quantize(graph, calibration=images), hwsim.accelerator("edge_16x16"), images)
    assert result.outputs["conv.ofmap"].shape == (2, 5, 3, 3)
    assert min(row["sqnr_db"] for row in result.layers.rows()) > 20


def test_machine(files):
    machine = read_scalesim_machine(files / "machine.cfg", overrides=["array.rows=6"])
    array = machine.array
    assert (machine.name, array.dataflow, array.rows, array.columns) == ("ours", "weight_stationary", 6, 14)
    assert (array.overlap_load, array.overlap_drain) == (False, False)
    assert {level.name: level.size_bytes // 1024 for level in machine.memory} == {
        "ifmap": 36,
        "filter": 37,
        "ofmap": 38,
    }
    assert machine.dram.bits_per_cycle == 80
    assert machine.memory_of("ifmap").read_bits_per_cycle == 14 * 8
    (files / "machine.cfg").write_text(CONFIG.replace("Bandwidth : 10", "Bandwidth : 100"))
    wide = read_scalesim_machine(files / "machine.cfg")
    assert wide.dram.bits_per_cycle == wide.memory_of("weight").write_bits_per_cycle == 800


def test_a_wrong_override_names_the_file(files):
    with pytest.raises(ConfigError, match=r"machine\.cfg: override 'array.row=6'"):
        read_scalesim_machine(files / "machine.cfg", overrides=["array.row=6"])


def test_no_symbolic_dimensions(files):
    with pytest.raises(GraphError, match="no symbolic dimensions; leave out seq"):
        hwsim.load(files / "net.csv", dimensions={"seq": 3})


def test_reading_compiles_and_draws_nothing(files):
    code = f"""
import sys, hwsim
from hwsim.interchange.scalesim import read_scalesim_machine
from hwsim.mapping.lower import lower
read_scalesim_machine({str(files / "machine.cfg")!r})
assert len(lower(hwsim.quantize(hwsim.load({str(files / "net.csv")!r})))) == 3
heavy = {{name.split(".")[0] for name in sys.modules}} & {{"numba", "matplotlib"}}
assert not heavy, heavy
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
