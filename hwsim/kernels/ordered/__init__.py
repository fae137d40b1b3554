"""The compiled loops of ordered accumulation, for registers that wrap or saturate after every addition.

``sweep`` and ``optimistic`` sum without reductions and watch the extremes; ``recount`` and ``registers`` follow the
registers addition by addition where an extreme did not fit; ``loop`` runs both over rows, tiles and folds; ``lanes`` proves
that nothing leaves its lane. Called by ``hwsim.kernels.accumulate``.
"""
