"""What recipes and plans have done already."""

import pytest

import hwsim
from hwsim.hardware.precision import PrecisionPlan, PrecisionRule
from hwsim.quantization.diagnose.used import Used, used_by

GRAPH = hwsim.load("digits_resnet")
PLAN = PrecisionPlan()


@pytest.mark.parametrize(
    ("recipe", "used"),
    [
        (None, {}),
        ("mse", {}),
        ("cle", {"equalized"}),
        ("adaround", {"rounding_learned"}),
        ("brecq", {"rounding_learned"}),
        ("bias_correction", {"bias_corrected"}),
        ("data_free", {"equalized", "bias_corrected"}),
        ("white_paper", {"equalized", "rounding_learned"}),
    ],
)
def test_steps_of_the_recipe_tell(recipe, used):
    assert used_by(GRAPH, PLAN, recipe) == Used(**dict.fromkeys(used, True))


def test_exponents_are_learned_with_codes_where_the_option_says_so():
    assert not used_by(GRAPH, PLAN, "nupes").rounding_learned
    assert used_by(GRAPH, PLAN, "nupes", {"learn": True}).rounding_learned


def test_every_layer_has_to_have_the_range():
    fitted = PrecisionPlan(default={"range": "mse"})
    assert used_by(GRAPH, fitted).fits_activation_ranges
    rule = PrecisionRule(match="stem*", activation_range="minmax")
    assert not used_by(GRAPH, fitted.model_copy(update={"layer": (rule,)})).fits_activation_ranges
