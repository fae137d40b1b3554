"""How a network is cut for reconstruction: ``layers``, ``blocks`` or ``net``, each a function from a graph to its scopes."""

from hwsim.quantization.reconstruct.scopes.blocks import blocks
from hwsim.quantization.reconstruct.scopes.layers import layers, net
from hwsim.quantization.reconstruct.scopes.scope import Scope, weights_of

__all__ = ["Scope", "blocks", "layers", "net", "weights_of"]
