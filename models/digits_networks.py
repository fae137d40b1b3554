"""The two digit classifiers as rows of data: the torch module and the ONNX graph are both built from these rows.

A row's name is the name of its node and of the tensor that the node writes.
"""

from __future__ import annotations

from dataclasses import dataclass

INPUT = "image"
INPUT_CHANNELS = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One operation: ``op`` of the tensors ``inputs``; ``channels`` written, square ``kernel``, 'same' padding."""

    name: str
    op: str  # conv, bn, relu, relu6, add, pool (global average), flatten or fc
    inputs: tuple[str, ...]
    channels: int
    kernel: int = 1
    stride: int = 1
    groups: int = 1


class Plan:
    """A growing list of rows; each method appends and returns the name of the tensor it wrote."""

    def __init__(self) -> None:
        self.rows: list[Row] = []

    def channels(self, tensor: str) -> int:
        return INPUT_CHANNELS if tensor == INPUT else next(r.channels for r in self.rows if r.name == tensor)

    def add(self, name: str, op: str, *inputs: str, channels: int = 0, **shape: int) -> str:
        self.rows.append(Row(name=name, op=op, inputs=inputs, channels=channels or self.channels(inputs[0]), **shape))
        return name

    def conv_bn(self, prefix: str, index: str, x: str, channels: int, act: str = "", **shape: int) -> str:
        """Convolution, batch normalization and, where ``act`` names one, an activation."""
        x = self.add(f"{prefix}.conv{index}", "conv", x, channels=channels, **shape)
        x = self.add(f"{prefix}.bn{index}", "bn", x)
        return self.add(f"{prefix}.{act}{index}", act, x) if act else x

    def residual(self, prefix: str, x: str, channels: int, stride: int = 1) -> str:
        """Basic block of He et al. 2016 (arXiv 1512.03385, figure 2), with a 1x1 projection where the shape changes."""
        y = self.conv_bn(prefix, "1", x, channels, "relu", kernel=3, stride=stride)
        y = self.conv_bn(prefix, "2", y, channels, kernel=3)
        if stride != 1 or channels != self.channels(x):
            x = self.conv_bn(f"{prefix}.shortcut", "", x, channels, stride=stride)
        return self.add(f"{prefix}.relu", "relu", self.add(f"{prefix}.add", "add", y, x))

    def inverted(self, prefix: str, x: str, expand: int, channels: int, stride: int = 1) -> str:
        """Inverted residual with a linear bottleneck of Sandler et al. 2018 (arXiv 1801.04381, table 1)."""
        y = self.conv_bn(f"{prefix}.expand", "", x, expand, "relu6")
        y = self.conv_bn(f"{prefix}.depthwise", "", y, expand, "relu6", kernel=3, stride=stride, groups=expand)
        y = self.conv_bn(f"{prefix}.project", "", y, channels)
        return self.add(f"{prefix}.add", "add", y, x) if stride == 1 and channels == self.channels(x) else y

    def head(self, x: str, classes: int) -> tuple[Row, ...]:
        """Global average pool and the classifier; returns the finished rows."""
        x = self.add("head.flatten", "flatten", self.add("head.pool", "pool", x))
        self.add("head.fc", "fc", x, channels=classes)
        return tuple(self.rows)


def digits_resnet() -> tuple[Row, ...]:
    """Stem and three basic blocks, the second strided with a projection."""
    plan = Plan()
    x = plan.conv_bn("stem", "", INPUT, 24, "relu", kernel=3)
    x = plan.residual("block1", x, 24)
    x = plan.residual("block2", x, 48, stride=2)
    x = plan.residual("block3", x, 48)
    return plan.head(x, 10)


def digits_mobilenet() -> tuple[Row, ...]:
    """Stem, one depthwise-separable block, three inverted residuals (the second strided) and a 1x1 tail; ReLU6."""
    plan = Plan()
    x = plan.conv_bn("stem", "", INPUT, 32, "relu6", kernel=3)
    x = plan.conv_bn("block1.depthwise", "", x, 32, "relu6", kernel=3, groups=32)
    x = plan.conv_bn("block1.pointwise", "", x, 32, "relu6")
    x = plan.inverted("block2", x, 96, 32)
    x = plan.inverted("block3", x, 96, 64, stride=2)
    x = plan.inverted("block4", x, 192, 64)
    x = plan.conv_bn("tail", "", x, 128, "relu6")
    return plan.head(x, 10)


NETWORKS = {"digits_resnet": digits_resnet, "digits_mobilenet": digits_mobilenet}
