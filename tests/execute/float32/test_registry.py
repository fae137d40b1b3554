from hwsim.execute.float32 import FLOAT_OPS
from hwsim.graph import OPS
from hwsim.interchange.shapes import SHAPE_RULES


def test_every_operator_is_executed():
    assert set(FLOAT_OPS) == set(OPS)


def test_every_operator_has_a_shape_rule():
    assert set(SHAPE_RULES) == set(OPS)
