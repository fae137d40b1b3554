"""Options that several verbs share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

DEFAULT_NETWORK = "digits_resnet"
DEFAULT_HARDWARE = "edge_16x16"
DEFAULT_OBJECTIVE = "edp"

Network = Annotated[
    str, typer.Argument(help="A bundled network (`hwsim show models`), or an .onnx, .tflite or SCALE-Sim .csv file.")
]
Hardware = Annotated[str, typer.Option(help="A preset (`hwsim show hardware`), a .toml or a SCALE-Sim .cfg file.")]
Overrides = Annotated[
    list[str] | None, typer.Option("--set", help="Override a key of the machine, as array.rows=32; repeatable.")
]
Precision = Annotated[Path | None, typer.Option(help="A .toml file with bits, registers and requantizers per layer.")]
Weights = Annotated[
    str | None,
    typer.Option(
        help="Weight format: int1 .. int32, uint4, int8n, ternary, pot4, power4, power4:0.5, codebook4, fp4e2m1. [int8]"
    ),
]
Activations = Annotated[str | None, typer.Option(help="Activation format, as uint8 or int8. [uint8]")]
AccumulatorText = Annotated[
    str | None, typer.Option("--accumulator", help="Accumulator: exact, int16:saturate, int20:wrap, int32:exact.")
]
PsumText = Annotated[str | None, typer.Option("--psum", help="Partial-sum register inside the array, written alike.")]
RequantizerText = Annotated[
    str | None, typer.Option("--requantizer", help="As fixed_point:16:half_up, float32 or power_of_two.")
]
RuntimeText = Annotated[
    str | None,
    typer.Option(
        "--runtime",
        help="Compute the integers of a runtime: onnxruntime, tflite or cmsis_nn (sets requantizer and vector arithmetic).",
    ),
]
RangeText = Annotated[
    str | None, typer.Option("--range", help="Range estimator, as minmax or percentile (`hwsim show ranges`). [mse]")
]
Granularity = Annotated[
    str | None,
    typer.Option(help="Weight scales per tensor, per channel, or per group of N input channels: group:32. [channel]"),
]
RecipeName = Annotated[
    str | None, typer.Option("--recipe", help="A published method by name (`hwsim show recipes`) finds the grids.")
]
RecipeOptions = Annotated[
    list[str] | None, typer.Option("--option", help="An option of the recipe, as iterations=500; repeatable.")
]
Inputs = Annotated[
    Path | None, typer.Option(help="An .npz whose keys are the network's input names, optionally with labels.")
]
Calibration = Annotated[
    Path | None, typer.Option(help="An .npz of images that set the ranges; the first images of --inputs if absent.")
]
Images = Annotated[int | None, typer.Option(min=1, help="Use the first N images (of a bundled topology: draw N).")]
Batch = Annotated[int, typer.Option(min=1, help="Images per inference of the cost model.")]
Dimensions = Annotated[
    list[str] | None, typer.Option("--dimension", help="Value of a symbolic dimension, as seq=128; repeatable.")
]
Seed = Annotated[int, typer.Option(help="Seed of drawn weights and images of untrained bundled topologies.")]
MetricText = Annotated[
    str, typer.Option("--metric", help="accuracy, or module:function that takes (outputs by name, labels).")
]
ObjectiveText = Annotated[str, typer.Option("--objective", help="What the mapper minimizes: cycles, energy or edp.")]
Residency = Annotated[
    bool, typer.Option("--residency/--no-residency", help="Activations stay on chip between layers where that helps.")
]
Prefetch = Annotated[
    bool,
    typer.Option(
        "--prefetch/--no-prefetch", help="A layer's first weights come while DRAM is idle under the layer before."
    ),
]
MappingFile = Annotated[
    Path | None, typer.Option("--mapping", help="A .toml file with tiles per layer, see --save-mapping of hwsim run.")
]
