"""Search where sums do not tell: the loss of the whole network, or prices that layers decide together.

Optuna's tree-structured Parzen estimator (Bergstra et al. 2011), seeded, starts from given allocations. A proposal beyond the
budget is narrowed until its true price keeps it, so that every trial is an allocation that could be chosen; the best of all,
the starts among them, is returned.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from hwsim.errors import HwsimError
from hwsim.quantization.allocate.allocator import Allocator
from hwsim.quantization.allocate.knobs import Assignment
from hwsim.quantization.allocate.widths import Choices


def search(
    value: Callable[[Assignment], float],
    within: Callable[[Assignment], Assignment | None],
    choices: Choices,
    starts: Sequence[Assignment],
    *,
    trials: int,
    seed: int,
) -> tuple[Assignment, float]:
    """Return the best allocation found and its value.

    Args:
        value: what is minimized.
        within: the proposal itself where it keeps the budget, else one near it that does; None where there is none.
        choices: knobs and widths.
        starts: allocations that keep the budget; the first trials.
        trials: proposals beyond the starts.
        seed: of the sampler.

    Raises:
        HwsimError: Optuna is not installed, or there is no start.
    """
    if not starts:
        raise HwsimError("allocate: a search needs an allocation to start from")
    optuna = _optuna()
    sampler = optuna.samplers.TPESampler(seed=seed)
    study = optuna.create_study(sampler=sampler)
    places = [{b: i for i, b in enumerate(widths)} for widths in choices.bits]
    names = [str(knob) for knob in choices.knobs]
    distributions = {
        name: optuna.distributions.IntDistribution(0, len(widths) - 1)
        for name, widths in zip(names, choices.bits, strict=True)
    }
    for bits in starts:
        study.enqueue_trial({name: place[b] for name, place, b in zip(names, places, bits, strict=True)})
    known: dict[Assignment, float] = {}
    for _ in range(len(starts) + trials):
        trial = study.ask(distributions)
        asked = tuple(widths[trial.params[name]] for name, widths in zip(names, choices.bits, strict=True))
        kept = within(asked)
        if kept is None:
            study.tell(trial, state=optuna.trial.TrialState.FAIL)
            continue
        if kept not in known:
            known[kept] = value(kept)
        study.tell(trial, known[kept])
    best = min(known, key=lambda bits: (known[bits], bits))
    return best, known[best]


def narrowed(allocator: Allocator, budget: float) -> Callable[[Assignment], Assignment | None]:
    """Return the function ``within`` of ``search``: it narrows the knob of least sensitivity per price saved, step by step."""
    choices, pricer = allocator.choices, allocator.pricer
    sensitivity, cost = allocator.sensitivity, allocator.table

    def rate(i: int, place: int) -> float:
        lost = sensitivity.values[i][place - 1] - sensitivity.values[i][place]
        saved = cost.values[i][place] - cost.values[i][place - 1]
        return max(lost, 0.0) / max(saved, 1e-300)

    def within(bits: Assignment) -> Assignment | None:
        places = [widths.index(b) for widths, b in zip(choices.bits, bits, strict=True)]
        while True:
            found = tuple(widths[place] for widths, place in zip(choices.bits, places, strict=True))
            if pricer.price_or_inf(choices.knobs, found) <= budget:
                return found
            open_knobs = [i for i, place in enumerate(places) if place]
            if not open_knobs:
                return None
            places[min(open_knobs, key=lambda i: (rate(i, places[i]), i))] -= 1

    return within


def _optuna() -> Any:
    """Return Optuna, silent; raise HwsimError where it is not installed."""
    try:
        import optuna
    except ImportError:
        raise HwsimError(
            'allocate: a search needs Optuna, which is not installed; run pip install "hwsim[search]"'
        ) from None
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna
