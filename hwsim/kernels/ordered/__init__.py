"""Ordered accumulation, for registers that wrap or saturate after every addition.

``optimistic`` sums chunk by chunk (``checkpoints``, ``chunk``) and proves with ``norms`` which outputs saw no overflow; ``follow``
follows the registers of the others addition by addition: of whole tiles (``loop``, ``registers``, ``recount``) or of single
outputs (``scattered``), both around one ``Follower``. ``lanes`` proves that nothing leaves its lane. Called by
``hwsim.kernels.accumulate``.
"""
