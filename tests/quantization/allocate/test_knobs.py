"""Rules that widths become."""

from hwsim.hardware.precision import PrecisionPlan, PrecisionRule
from hwsim.quantization import Scheme
from hwsim.quantization.allocate.knobs import Knob, is_stated, with_widths


def test_rules_win_over_the_scheme_and_keep_its_signs():
    plan = PrecisionPlan(default={"weights": "int8n"}, layer=(PrecisionRule(match="*", activations="int8"),))
    found = with_widths(Scheme(plan=plan), (Knob("fc", "weights"), Knob("fc", "activations")), (3, 4)).plan
    assert [str(found.for_layer("fc").weights), str(found.for_layer("fc").activations)] == ["int3n", "int4"]
    assert [str(found.for_layer("conv").weights), str(found.for_layer("conv").activations)] == ["int8n", "int8"]


def test_names_are_no_patterns():
    found = with_widths(Scheme(), (Knob("a[0]*", "weights"),), (2,)).plan
    assert found.for_layer("a[0]*").weights.bits == 2
    assert found.for_layer("a0x").weights.bits == 8


def test_widths_that_rules_state_are_not_free():
    plan = PrecisionPlan(layer=(PrecisionRule(match="fc*", weights="int8"), PrecisionRule(match="*", range="mse")))
    assert is_stated(plan, Knob("fc1", "weights"))
    assert not is_stated(plan, Knob("fc1", "activations"))
    assert not is_stated(plan, Knob("conv", "weights"))
