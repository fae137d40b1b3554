"""Fast twins of ``hwsim.numerics.requantizers``, one file each under the same name.

A file provides ``requantize(acc, multiplier, shift, unit, zero_point, low, high)``, which returns codes and the two clip
counts, or None where it cannot be exact and the definition has to run.
"""
