"""The integers of a run, layer by layer and fold by fold, as golden vectors for hardware."""

from hwsim.simulation.vectors.write import write_vectors

__all__ = ["write_vectors"]
