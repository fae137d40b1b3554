"""Records of widths: valid from birth, sums by hand."""

import pytest

from hwsim.errors import HwsimError
from hwsim.quantization.allocate.knobs import Knob
from hwsim.quantization.allocate.widths import Choices, WidthTable
from tests.quantization.allocate.small import table

KNOBS = (Knob("a", "weights"), Knob("a", "activations"), Knob("b", "weights"))
CHOICES = Choices(knobs=KNOBS, bits=((2, 4, 8), (4, 8), (4,)))


def test_nearest_widest_and_under():
    assert CHOICES.widest == (8, 8, 4)
    assert CHOICES.nearest({"weights": 5, "activations": 4}) == (4, 4, 4)
    assert CHOICES.nearest({"weights": 2, "activations": 2}) == (2, 4, 4)  # none is narrow enough: the narrowest
    assert CHOICES.under((4, 8, 4)).bits == ((2, 4), (4, 8), (4,))
    assert CHOICES.of_key("weights") == (2, 4, 8)


def test_totals_and_rows():
    found = WidthTable(choices=CHOICES, values=((5, 3, 1), (0.5, 0), (7,)), unit="pJ", base=100)
    assert found.total((4, 8, 4)) == 110
    assert found.only(CHOICES.under((4, 8, 4))).values == ((5, 3), (0.5, 0), (7,))
    assert found.least(CHOICES.under((4, 8, 4))) == (4, 8, 4)
    assert list(found.table().rows())[3] == {"layer": "a", "key": "activations", "bits": 4, "value": 0.5}


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Choices(knobs=(), bits=()), "0 knobs need as many tuples of widths, not 0"),
        (lambda: Choices(knobs=KNOBS[:1], bits=((4, 2),)), "widths must ascend, and be at least one, not (4, 2)"),
        (lambda: CHOICES.only(lambda knob, b: b < 4), "a activations: widths must ascend, and be at least one, not ()"),
        (lambda: table([[1, 2]], choices=CHOICES), "one value per knob and width"),
    ],
)
def test_refused(make, message):
    with pytest.raises(HwsimError) as caught:
        make()
    assert message in str(caught.value)
