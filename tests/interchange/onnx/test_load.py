import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from hwsim.errors import GraphError
from hwsim.interchange.onnx import read_onnx


def message(source, **options):
    with pytest.raises(GraphError) as caught:
        read_onnx(source, **options)
    return str(caught.value)


@pytest.fixture
def relu(build):
    return build([("Relu", ["x"], ["y"])], {"x": [1, 4]})


@pytest.fixture
def gemm(build, weights):
    return build([("Gemm", ["x", "w"], ["y"])], {"x": [1, 4]}, constants={"w": weights(4, 3)})


def test_path_bytes_and_model_give_the_same_network(relu, tmp_path):
    path = tmp_path / "net.onnx"
    path.write_bytes(relu.SerializeToString())
    graphs = [read_onnx(path), read_onnx(str(path)), read_onnx(path.read_bytes()), read_onnx(relu)]
    assert [graph.name for graph in graphs] == ["net", "net", "small", "small"]
    assert {tuple(node.name for node in graph.nodes) for graph in graphs} == {("Relu_y",)}


def test_missing_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert message("net.onnx") == "net.onnx: there is no such file; give the path of an ONNX model"


def test_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "nets").mkdir()
    assert message("nets") == "nets: is a folder; give the path of an ONNX model inside it"


@pytest.mark.parametrize(("content", "reason"), [
    (b"", "is not an ONNX model: it holds no graph; export or download it again"),
    (b"hello, this is text\n", "is not an ONNX model, or was cut off: 20 bytes do not parse as a protobuf ModelProto; "
     "export or download it again"),
])  # fmt: skip
def test_no_model(content, reason, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.onnx").write_bytes(content)
    assert message("net.onnx") == f"net.onnx: {reason}"


def test_every_truncation_is_refused(gemm):
    data = gemm.SerializeToString()
    for length in range(0, len(data) - 1, 7):
        with pytest.raises(GraphError):
            read_onnx(data[:length])


def test_checker_error_is_one_paragraph(relu):
    relu.graph.node[0].input[0] = "nothing"
    text = message(relu)
    assert text.startswith("small: is not a valid ONNX model: ")
    assert text.endswith("; export it again, or update onnx if the model is newer")
    assert "\n" not in text


def test_external_weights(gemm, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "net.onnx"
    onnx.save(gemm, path, save_as_external_data=True, location="net.bin", size_threshold=0)
    assert read_onnx(path).tensors["w"].data.shape == (4, 3)
    assert message(path.read_bytes()) == (
        "small: the weight 'w' lies in another file, which only a path can lead to; give the path of the model, or load it "
        "with onnx.load first"
    )
    (tmp_path / "net.bin").unlink()
    assert message("net.onnx") == (
        "net.onnx: the weight 'w' lies in 'net.bin', which is not beside the model; copy that file there"
    )


def test_local_functions_are_inlined():
    double = helper.make_function(
        "mine", "Double", ["a"], ["b"], [helper.make_node("Add", ["a", "a"], ["b"])], [helper.make_opsetid("", 17)]
    )
    graph = helper.make_graph(
        [helper.make_node("Double", ["x"], ["y"], domain="mine")],
        "small",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 2])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 2])],
    )
    imports = [helper.make_opsetid("", 17), helper.make_opsetid("mine", 1)]
    model = helper.make_model(graph, functions=[double], opset_imports=imports, ir_version=8)
    assert [node.op for node in read_onnx(model).nodes] == ["Add"]


def test_the_model_of_the_caller_is_not_changed(gemm):
    before = gemm.SerializeToString()
    graph = read_onnx(gemm)
    assert gemm.SerializeToString() == before
    assert not graph.tensors["w"].data.flags.writeable
    assert isinstance(graph.tensors["w"].data, np.ndarray)
