"""Shape rules: the output shapes of every operator of ``hwsim.graph.ops.OPS``, by the operator's own rule."""

from hwsim.interchange.shapes.rules import SHAPE_RULES, output_shapes

__all__ = ["SHAPE_RULES", "output_shapes"]
