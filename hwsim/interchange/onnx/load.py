"""From a path, bytes or a ModelProto to a checked ModelProto with its weights loaded."""

from __future__ import annotations

import os
from pathlib import Path

import onnx
from onnx import external_data_helper

from hwsim.errors import GraphError

Source = str | os.PathLike[str] | bytes | onnx.ModelProto


def load_model(source: Source) -> tuple[onnx.ModelProto, str, str]:
    """Return the model, the text that names it in errors, and a name for the graph.

    Raises:
        GraphError: a missing file, a file that is no ONNX model, external weights that are missing, a checker error.
    """
    if isinstance(source, onnx.ModelProto):
        model, where = source, source.graph.name or "model"
        name, folder, data = where, None, None
    elif isinstance(source, bytes):
        data = source
        model = _parse(data, "model bytes")
        where = name = model.graph.name or "model"
        folder = None
    else:
        path = Path(source)
        where, name, folder = os.fspath(source), path.stem, path.parent
        data = _read(path, where)
        model = _parse(data, where)
    _check(model, data, where)
    return _with_weights(model, where, folder), where, name


def _read(path: Path, where: str) -> bytes:
    if not path.exists():
        raise GraphError(f"{where}: there is no such file; give the path of an ONNX model")
    if path.is_dir():
        raise GraphError(f"{where}: is a folder; give the path of an ONNX model inside it")
    try:
        return path.read_bytes()
    except OSError as error:
        raise GraphError(f"{where}: cannot be read: {error.strerror}") from None


def _parse(data: bytes, where: str) -> onnx.ModelProto:
    model = onnx.ModelProto()
    try:
        model.ParseFromString(data)
    except Exception:  # protobuf's DecodeError, whichever of its implementations is installed
        raise GraphError(
            f"{where}: is not an ONNX model, or was cut off: {len(data)} bytes do not parse as a protobuf ModelProto; "
            "export or download it again"
        ) from None
    if not model.HasField("graph") or not model.ir_version:
        raise GraphError(f"{where}: is not an ONNX model: it holds no graph; export or download it again")
    return model


def _check(model: onnx.ModelProto, data: bytes | None, where: str) -> None:
    checkable = _checkable(model)
    if data is None or checkable is not model:
        try:
            data = checkable.SerializeToString()
        except Exception:  # protobuf's EncodeError: more than 2 GiB, which the checker cannot take
            return
    try:
        onnx.checker.check_model(data)
    except (onnx.checker.ValidationError, ValueError, RuntimeError) as error:
        reason = " ".join(str(error).split())
        raise GraphError(
            f"{where}: is not a valid ONNX model: {reason}; export it again, or update onnx if the model is newer"
        ) from None


def _external(model: onnx.ModelProto) -> list[onnx.TensorProto]:
    return [tensor for tensor in model.graph.initializer if tensor.data_location == onnx.TensorProto.EXTERNAL]


def _checkable(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return what the checker can judge: it looks for external weights in the current folder, and wants every shape.

    It also wants a version for every domain; QONNX files exist that state none for their own.
    """
    values = [*model.graph.input, *model.graph.output]
    unstated = _unstated_domains(model)
    if not _external(model) and not unstated and all(value.type.tensor_type.HasField("shape") for value in values):
        return model
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    for tensor in _external(copy):
        del tensor.external_data[:]
        tensor.data_location = onnx.TensorProto.DEFAULT
        del tensor.dims[:]
        tensor.dims.append(0)
    for value in (*copy.graph.input, *copy.graph.output):
        if value.type.HasField("tensor_type"):
            value.type.tensor_type.shape.SetInParent()
    copy.opset_import.extend(onnx.helper.make_opsetid(domain, 1) for domain in unstated)
    return copy


def _unstated_domains(model: onnx.ModelProto) -> list[str]:
    """Return the domains of operators for which the model states no version, ONNX's own aside."""
    stated = {"", "ai.onnx"} | {item.domain for item in model.opset_import}
    return sorted({node.domain for node in model.graph.node} - stated)


def _with_weights(model: onnx.ModelProto, where: str, folder: Path | None) -> onnx.ModelProto:
    tensors = _external(model)
    if not tensors:
        return model
    if folder is None:
        raise GraphError(
            f"{where}: the weight {tensors[0].name!r} lies in another file, which only a path can lead to; "
            "give the path of the model, or load it with onnx.load first"
        )
    for tensor in tensors:
        location = external_data_helper.ExternalDataInfo(tensor).location
        if not (folder / location).is_file():
            raise GraphError(
                f"{where}: the weight {tensor.name!r} lies in {location!r}, which is not beside the model; "
                "copy that file there"
            )
    try:
        external_data_helper.load_external_data_for_model(model, os.fspath(folder))
    except (onnx.checker.ValidationError, ValueError, OSError) as error:
        raise GraphError(f"{where}: the external weights cannot be read: {' '.join(str(error).split())}") from None
    return model
