"""Topology files in every form that is written, and every mistake at once."""

import pytest

from hwsim.errors import GraphError
from hwsim.interchange.scalesim import read_topology

CONV = "Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, Strides,"


@pytest.fixture
def topology(tmp_path):
    def read(text, encoding="utf-8"):
        path = tmp_path / "net.csv"
        path.write_text(text, encoding=encoding)
        return read_topology(path)

    return read


def problem(topology, text):
    """Return what is wrong with a file, without its folder."""
    with pytest.raises(GraphError) as caught:
        topology(text)
    return "\n".join("net.csv" + line.partition("net.csv")[2] for line in str(caught.value).splitlines())


@pytest.mark.parametrize("end", ["", ",", ", ", ",1:1", ",2:4,", ", 2 : 4 , "])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_convolutions(topology, end, newline):
    net = topology(newline.join([CONV, "", f"Conv1  , 9 ,8, 3,2,4,5,2{end}", ",,,,,,,", ""]))
    (layer,) = net.layers
    assert (layer.name, net.name) == ("Conv1", "net")
    assert (layer.ofmap_height, layer.ofmap_width) == (4, 4)
    assert (layer.m, layer.k, layer.n, layer.macs) == (16, 24, 5, 1920)
    assert layer.overhang == (0, 0)
    assert net.states_sparsity == ("2" in end)


def test_sizes_are_rounded_up_and_the_overhang_is_known(topology):
    (layer,) = topology(f"{CONV}\nc,10,7,3,2,1,1,4,\n").layers
    assert (layer.ofmap_height, layer.ofmap_width, layer.overhang) == (3, 3, (1, 3))


@pytest.mark.parametrize("header", ["Layer,M,N,K,", "Layer Name, m, n, k, Sparsity,", "L,M,N,K"])
def test_products(topology, header):
    net = topology(f"{header}\nqk, 3,5,7,\nqk,1,1,1")
    assert [(layer.m, layer.k, layer.n, layer.is_gemm) for layer in net.layers] == [(3, 7, 5, True), (1, 1, 1, True)]


def test_byte_order_mark(topology):
    assert len(topology(f"{CONV}\nc,3,3,1,1,1,1,1,", encoding="utf-8-sig").layers) == 1


def test_depthwise_layers_are_one_layer_per_channel(topology):
    layers = topology(f"{CONV}\naDPb,5,5,3,3,3,1,1,\n").layers
    assert [layer.name for layer in layers] == ["aDPbChannel_0", "aDPbChannel_1", "aDPbChannel_2"]
    assert {layer.channels for layer in layers} == {1}
    assert len(topology("L,M,N,K,\nDP,4,4,4,").layers) == 1


def test_all_wrong_rows_at_once(topology):
    text = f"{CONV}\na,3,3,5,3,1,1,1,\nb,3,x,1,1,0,1,1,\nAlexNet,\nc,3,3,1,1,1,1,1,1,\nd,3,3,1,1,1,1,1,3:2,\ne,3,3,1,1,1,1,1,1:2,1,\n"
    assert problem(topology, text).splitlines() == [
        "net.csv: line 2: layer 'a': the filter's height must be at most the ifmap's 3, not 5; SCALE-Sim has no padding: write "
        "the padded size of the ifmap",
        "net.csv: line 3: sizes must be positive integers, not IFMAP Width 'x', Channels '0'",
        "net.csv: line 4: 0 of the 7 numbers IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, "
        "Strides are there; state them all",
        *(
            f"net.csv: line {line}: behind Strides may stand one ratio of sparsity N:M, not {what}; SCALE-Sim has no batch, "
            "padding or second stride"
            for line, what in ((5, "'1'"), (6, "'3:2'"), (7, "'1:2', '1'"))
        ),
    ]


@pytest.mark.parametrize("first", ["c,3,3,1,1,1,1,1,", "", "qk,3,5,7,"])
def test_a_header_is_needed(topology, first):
    assert f"line 1 must be the header, which SCALE-Sim skips, not {first!r}" in problem(topology, f"{first}\n")


def test_no_layers(topology):
    assert problem(topology, f"{CONV}\n\n") == "net.csv: has no layers below its header"


def test_no_file(tmp_path):
    with pytest.raises(
        GraphError, match=r"none\.csv: cannot be read: No such file or directory; give a SCALE-Sim topology"
    ):
        read_topology(tmp_path / "none.csv")
