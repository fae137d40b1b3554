"""BRECQ: the weights of a block are rounded together, weighed by how much the network's output depends on the block.

The paper keeps the first and the last layer at 8 bits, which the option ``ends=8`` does. Without it every layer has the width that
the plan states.
"""

from __future__ import annotations

from hwsim.quantization.ends import SetEnds
from hwsim.quantization.recipes.losses import reported
from hwsim.quantization.recipes.record import Option, Recipe
from hwsim.quantization.reconstruct import Brecq
from hwsim.quantization.set_grids import SetGrids

RECIPE = Recipe(
    title="learned rounding block by block under Fisher weights, then activation scales, one scale per output channel",
    paper="Li et al. 2021, arXiv 2102.05426",
    steps=lambda options: (
        *((SetEnds(bits=options["ends"]),) if options["ends"] else ()),
        SetGrids(keys={"range": "mse", "weight_granularity": "channel"}),
        Brecq(iterations=options["iterations"], scale_iterations=options["scale_iterations"], loss=options["loss"]),
    ),
    loss=reported("brecq.loss"),
    baseline=reported("brecq.nearest"),
    options=(
        Option(name="iterations", default=600, help="steps of Adam per block for the rounding", least=1),
        Option(
            name="loss",
            default="fisher",
            help="weigh errors by the Fisher information of [images, classes] logits, or not at all",
            choices=("fisher", "mse"),
        ),
        Option(name="scale_iterations", default=300, help="steps per block for the scales of activations", least=0),
        Option(
            name="ends",
            default=0,
            help="bits of the weights of the first and the last layer, 8 in the paper; 0: as the plan states",
            least=0,
        ),
    ),
    needs_torch=True,
)
