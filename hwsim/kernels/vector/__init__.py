"""Kernels of the vector unit for conventions of ``hwsim.numerics.vector`` that are slow in numpy."""
