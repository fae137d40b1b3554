"""No test is timed: machines are shared, and what is fast is measured in ``reports/benchmarks``."""

from hypothesis import settings

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
