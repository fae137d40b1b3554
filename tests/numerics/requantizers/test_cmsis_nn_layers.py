"""Whole layers of CMSIS-NN's own test data: ``cmsis_nn`` and, for a 64-bit bias, ``tflite_int16x8``."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

from hwsim.kernels.requantize import requantize
from hwsim.numerics.requantizer import Requantizer
from hwsim.numerics.requantizers._constants import Constants

FOLDER = Path(os.environ.get("HWSIM_REFERENCE_DATA", Path(__file__).parents[4] / "shared" / "data"))


@pytest.fixture(scope="module")
def cases():
    """Every case as ``name, record, arrays``, but for packed int4 weights and grouped convolutions."""
    found = sorted(FOLDER.glob("arithmetic/cmsis_nn_cases*.npz"))
    if not found:
        pytest.skip(f"no reference data: {FOLDER}/arithmetic/cmsis_nn_cases*.npz (set HWSIM_REFERENCE_DATA)")
    kept = []
    for path in found:
        with np.load(path) as data:
            for name, record in json.loads(bytes(data["__meta__"]).decode()).items():
                arrays = {
                    key: data[f"{name}/{key}"]
                    for key in ("x", "w", "b", "mult", "shift", "ref")
                    if f"{name}/{key}" in data
                }
                if not record["int4"] and not _grouped(record["cfg"], arrays["w"].size):
                    kept.append((name, record, arrays))
    return kept


def _grouped(cfg, weights):
    if "CH_MULT" in cfg or "ACCUMULATION_DEPTH" in cfg:
        return False
    return weights != cfg["OUT_CH"] * cfg["FILTER_Y"] * cfg["FILTER_X"] * cfg["IN_CH"]


def layer_sums(cfg, x, w):
    """Exact sums ``[pixels, out_channels]`` of a fully connected or depthwise layer or a convolution, NHWC and OHWI."""
    x, w = x.astype(np.int64) + cfg["INPUT_OFFSET"], w.astype(np.int64) + cfg.get("FILTER_OFFSET", 0)
    if "ACCUMULATION_DEPTH" in cfg:
        return x.reshape(-1, cfg["ACCUMULATION_DEPTH"]) @ w.reshape(cfg["OUT_CH"], -1).T
    height, width, channels, out = (cfg[key] for key in ("INPUT_H", "INPUT_W", "IN_CH", "OUT_CH"))
    rows, columns, up, left = (cfg[key] for key in ("FILTER_Y", "FILTER_X", "PAD_Y", "PAD_X"))
    down, along, tall, wide = (cfg[key] for key in ("STRIDE_Y", "STRIDE_X", "OUTPUT_H", "OUTPUT_W"))
    apart, beside = cfg.get("DILATION_Y", 1), cfg.get("DILATION_X", 1)
    x = x.reshape(-1, height, width, channels)
    padded = np.zeros(
        (len(x), tall * down + rows * apart + height, wide * along + columns * beside + width, channels), int
    )
    padded[:, up : up + height, left : left + width] = x
    depthwise = "CH_MULT" in cfg
    w = w.reshape((rows, columns, out) if depthwise else (out, rows, columns, channels))
    total = np.zeros((len(x), tall, wide, out), np.int64)
    for i, j in np.ndindex(rows, columns):
        part = padded[:, i * apart :: down, j * beside :: along][:, :tall, :wide]
        total += part.repeat(out // channels, -1) * w[i, j] if depthwise else part @ w[:, i, j].T
    return total.reshape(-1, out)


def differences(cfg, arrays, unit, reduced):
    """How many outputs differ from the library's, and how many there are."""
    acc = layer_sums(cfg, arrays["x"], arrays["w"]) + arrays.get("b", np.zeros(1)).astype(np.int64)
    multiplier = np.atleast_1d(arrays.get("mult", cfg.get("OUTPUT_MULTIPLIER"))).astype(np.int64)
    shift = 31 - np.atleast_1d(arrays.get("shift", cfg.get("OUTPUT_SHIFT"))).astype(np.int64)
    if reduced:
        multiplier, shift = np.minimum((multiplier + (1 << 15)) >> 16, 0x7FFF), shift - 16
    bounds = cfg["OUT_ACTIVATION_MIN"], cfg["OUT_ACTIVATION_MAX"]
    got = requantize(acc, Constants(multiplier=multiplier, shift=shift), unit, cfg["OUTPUT_OFFSET"], *bounds)
    return int((got.codes.ravel() != arrays["ref"]).sum()), got.codes.size


@pytest.mark.parametrize("reduced", [False, True])
def test_every_output(cases, reduced):
    unit = Requantizer(scheme="tflite_int16x8" if reduced else "cmsis_nn")
    compared = 0
    for name, record, arrays in cases:
        if (record["in_t"] == "int16" and record["bias_t"] == "int64") == reduced:
            wrong, outputs = differences(record["cfg"], arrays, unit, reduced)
            assert wrong == 0, f"{name}: {wrong} of {outputs} outputs differ"
            compared += outputs
    assert compared


def test_the_rule_of_the_bias_can_be_seen(cases):
    """The other path gives other codes in some 16-bit layer."""
    wide = [(r["cfg"], a) for _, r, a in cases if r["in_t"] == "int16" and r["bias_t"] == "int64"]
    assert sum(differences(cfg, arrays, Requantizer(scheme="cmsis_nn"), False)[0] for cfg, arrays in wide)
