"""Train the two digit classifiers and write the models and the data files beside this script.

    pip install "hwsim[train,oracle]"
    python models/train_digits.py                    # both networks, about two minutes on one core
    python models/train_digits.py digits_resnet      # one of them
    python models/train_digits.py --data             # the data files only

The recipe is fixed: the weights are the exponential moving average at the end of the last epoch. The test part is
read once, after training, to report the accuracy: it selects nothing. The calibration part is not trained on.
The script prints the lines of ``zoo.toml`` that follow from the new files.
"""

from __future__ import annotations

import argparse
import copy
import hashlib
import math
import sys
import time
from pathlib import Path

import numpy as np
import onnx
import torch
import torch.nn.functional as F
from digits_data import CALIBRATION, SPLIT_SEED, TEST, Part, random_affine, split
from digits_export import to_onnx
from digits_networks import INPUT, INPUT_CHANNELS, NETWORKS, Row
from torch import nn

HERE = Path(__file__).resolve().parent
SEED = 1
EPOCHS = 150
BATCH = 64
PEAK_RATE = 4e-3
WEIGHT_DECAY = 0.02
SMOOTHING = 0.1
EMA_DECAY = 0.995


class Network(nn.Module):
    """The rows of :mod:`digits_networks` as a torch module: [n, 1, 8, 8] in [0, 1] to logits [n, 10]."""

    def __init__(self, rows: tuple[Row, ...]):
        super().__init__()
        self.rows = rows
        self.layers = nn.ModuleDict()
        channels = {INPUT: INPUT_CHANNELS} | {row.name: row.channels for row in rows}
        for row in rows:
            source = channels[row.inputs[0]]
            if row.op == "conv":
                layer: nn.Module = nn.Conv2d(
                    source, row.channels, row.kernel, row.stride, row.kernel // 2, groups=row.groups, bias=False
                )
                nn.init.kaiming_normal_(layer.weight, mode="fan_in", nonlinearity="relu")
            elif row.op == "bn":
                layer = nn.BatchNorm2d(source)
            elif row.op == "fc":
                layer = nn.Linear(source, row.channels)
            else:
                continue
            self.layers[_key(row)] = layer

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        values = {INPUT: image}
        for row in self.rows:
            x = values[row.inputs[0]]
            if _key(row) in self.layers:
                y = self.layers[_key(row)](x)
            elif row.op == "add":
                y = x + values[row.inputs[1]]
            elif row.op == "pool":
                y = x.mean((2, 3), keepdim=True)
            elif row.op == "flatten":
                y = x.flatten(1)
            else:
                y = {"relu": F.relu, "relu6": F.relu6}[row.op](x)
            values[row.name] = y
        return values[self.rows[-1].name]

    def weights(self) -> dict[str, np.ndarray]:
        """Return every parameter under its ONNX name, ``<row>.<parameter>``."""
        found = {}
        for row in self.rows:
            if row.op == "bn":
                bn = self.layers[_key(row)]
                parts = {"scale": bn.weight, "bias": bn.bias, "mean": bn.running_mean, "variance": bn.running_var}
            elif _key(row) in self.layers:
                parts = dict(self.layers[_key(row)].named_parameters())
            else:
                continue
            found |= {f"{row.name}.{part}": value.detach().numpy() for part, value in parts.items()}
        return found


def _key(row: Row) -> str:
    return row.name.replace(".", "_")  # torch reserves the dot


def train(rows: tuple[Row, ...], part: Part, seed: int, epochs: int = EPOCHS) -> Network:
    """Train on ``part`` with AdamW, a one-cycle cosine rate and label smoothing; return the averaged network."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    net = Network(rows)
    average = copy.deepcopy(net).eval()
    decayed = [p for p in net.parameters() if p.ndim > 1]
    plain = [p for p in net.parameters() if p.ndim <= 1]
    optimizer = torch.optim.AdamW(
        [{"params": decayed, "weight_decay": WEIGHT_DECAY}, {"params": plain, "weight_decay": 0.0}]
    )
    image, labels = torch.from_numpy(part.image), torch.from_numpy(part.labels)
    steps, step = epochs * (len(labels) // BATCH), 0
    for _ in range(epochs):
        order = rng.permutation(len(labels))
        for start in range(0, len(labels) - BATCH + 1, BATCH):
            for group in optimizer.param_groups:
                group["lr"] = PEAK_RATE * _rate(step / steps)
            pick = torch.from_numpy(order[start : start + BATCH])
            grid = F.affine_grid(torch.from_numpy(random_affine(BATCH, rng)), [BATCH, 1, 8, 8], align_corners=False)
            moved = F.grid_sample(image[pick], grid, align_corners=False)
            loss = F.cross_entropy(net.train()(moved), labels[pick], label_smoothing=SMOOTHING)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            step += 1
            _average(average, net, min(EMA_DECAY, step / (step + 10)))
    return average


def _rate(progress: float) -> float:
    """Linear warm-up over the first tenth of training, then a half cosine to zero; progress and result in 0..1."""
    if progress < 0.1:
        return progress / 0.1
    return 0.5 + 0.5 * math.cos(math.pi * (progress - 0.1) / 0.9)


@torch.no_grad()
def _average(average: Network, net: Network, decay: float) -> None:
    """Move weights and batch-normalization statistics of ``average`` towards ``net``."""
    for kept, new in zip(average.state_dict().values(), net.state_dict().values(), strict=True):
        if kept.dtype.is_floating_point:
            kept.lerp_(new, 1 - decay)
        else:
            kept.copy_(new)


@torch.no_grad()
def logits(net: Network, image: np.ndarray) -> np.ndarray:
    """Return the logits float32 [n, 10] of images float32 [n, 1, 8, 8]."""
    return net.eval()(torch.from_numpy(image)).numpy()


def export(name: str, net: Network, test: Part) -> None:
    """Write ``<name>.onnx``, compare it with torch on the test images and print its lines of ``zoo.toml``."""
    import onnxruntime

    expected = logits(net, test.image)
    accuracy = float((expected.argmax(1) == test.labels).mean())
    metadata = {
        "training_script": "models/train_digits.py",
        "seed": str(SEED),
        "split_seed": str(SPLIT_SEED),
        "float_test_accuracy": f"{accuracy:.6f}",
        "data": "UCI Optical Recognition of Handwritten Digits (scikit-learn load_digits), CC BY 4.0",
    }
    model = to_onnx(name, net.rows, net.weights(), metadata | {"producer": "hwsim models/train_digits.py"})
    path = HERE / f"{name}.onnx"
    onnx.save(model, path)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    error = float(np.abs(session.run(None, {INPUT: test.image})[0] - expected).max())
    if error > 1e-4:
        raise SystemExit(f"{path.name}: onnxruntime differs from torch by {error:g}, the limit is 1e-4")
    print(f'[models.{name}]\nsha256 = "{_sha256(path)}"\nfloat_accuracy = {accuracy:.6f}')
    print(f"# {path.stat().st_size} bytes, |onnxruntime - torch| <= {error:.1e}")


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def write_data(parts: dict[str, Part]) -> None:
    """Write ``digits_test.npz`` and ``digits_calibration.npz``: ``image`` and ``labels``."""
    assert (parts["test"].labels.size, parts["calibration"].labels.size) == (TEST, CALIBRATION)
    for role in ("test", "calibration"):
        path = HERE / f"digits_{role}.npz"
        np.savez_compressed(path, image=parts[role].image, labels=parts[role].labels)
        print(f'{role} = {{ file = "{path.name}", sha256 = "{_sha256(path)}", images = {parts[role].labels.size} }}')


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(description="Train the digit classifiers.")
    parser.add_argument("names", nargs="*", help=f"networks to train, of {', '.join(NETWORKS)} (default: all)")
    parser.add_argument("--data", action="store_true", help="write the data files and train nothing")
    options = parser.parse_args(arguments)
    unknown = sorted(set(options.names) - set(NETWORKS))
    if unknown:
        parser.error(f"unknown network {unknown[0]!r}; known: {', '.join(NETWORKS)}")
    torch.set_num_threads(1)  # one thread sums in one order: the same machine gives the same bits
    torch.use_deterministic_algorithms(True)
    parts = split()
    write_data(parts)
    for name in [] if options.data else options.names or NETWORKS:
        start = time.perf_counter()
        net = train(NETWORKS[name](), parts["train"], SEED)
        export(name, net, parts["test"])
        print(f"# trained in {time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main(sys.argv[1:])
