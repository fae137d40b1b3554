"""What a reconstruction can learn, one file each; ``Learned`` is what the loop asks of them."""

from hwsim.quantization.reconstruct.parameters.activation_scale import ActivationScale
from hwsim.quantization.reconstruct.parameters.adaround import RoundedWeight
from hwsim.quantization.reconstruct.parameters.exponent import Exponent
from hwsim.quantization.reconstruct.parameters.learned import Learned
from hwsim.quantization.reconstruct.parameters.norm import RealConstant
from hwsim.quantization.reconstruct.parameters.straight_through import StraightThroughWeight
from hwsim.quantization.reconstruct.parameters.weight_scale import ClippedWeight

__all__ = [
    "ActivationScale",
    "ClippedWeight",
    "Exponent",
    "Learned",
    "RealConstant",
    "RoundedWeight",
    "StraightThroughWeight",
]
