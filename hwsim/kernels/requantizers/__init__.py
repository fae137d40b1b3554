"""Fast twins of ``hwsim.numerics.requantizers``, one file each under the same name.

A file provides ``requantize(work: Columns)`` and ``rescale_sum(terms: Terms)``, which return codes and the two clip counts,
or None where they cannot be exact and the definition has to run. What a scheme takes over from the one that it is ``LIKE`` has
the fast twin of that one.
"""
