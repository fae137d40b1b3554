"""What the measurements say and what to try next: the decisions of the debugging flow (Nagel et al. 2021, arXiv 2106.08295)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf

from hwsim.graph import Graph, Node, out_axis
from hwsim.quantization.constants import WEIGHTED
from hwsim.quantization.diagnose.bench import Score
from hwsim.quantization.diagnose.channel_ranges import ChannelRanges
from hwsim.quantization.diagnose.quantizers import Quantizer
from hwsim.quantization.diagnose.sanity import FINE_BITS, LEAST_DB
from hwsim.quantization.diagnose.used import NOTHING, Used
from hwsim.quantization.transforms.rules import is_depthwise

AS_IT_CAME = "as it came"
TOLERANCE = 0.01
ENOUGH_DB = 20.0
BLAME_DB = 6.0
"""One side is to blame alone where the other makes a quarter of its noise power or less."""
WIDE_CHANNEL = 4.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A sentence with its number, and what to try because of it, the cheapest first."""

    text: str
    advice: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What the flow has measured.

    Args:
        graph: with grids.
        fine: with grids that hardly round; None where it was not tried.
        scores: by name: ``float``, ``weights``, ``activations``, ``both``, ``machine`` and, of a transformed network, ``as it came``.
        worst: the quantizer that costs most alone.
        ranges: of its tensor.
        tolerance: how much of the metric may be lost.
        used: what made the grids: it is not advised again.
    """

    graph: Graph
    fine: Score | None
    scores: dict[str, Score]
    worst: Quantizer
    ranges: ChannelRanges
    tolerance: float = TOLERANCE
    used: Used = NOTHING


def findings(measured: Measured) -> tuple[Finding, ...]:
    """Return the findings in the order of the flow; the first one with advice is where to begin."""
    found = [_transforms(measured), _sanity(measured), _machine(measured), _blame(measured), _culprit(measured)]
    return tuple(finding for finding in found if finding is not None)


def _is_fine(score: Score, reference: Score, tolerance: float) -> bool:
    """Whether a score is as good as the reference: by the metric, without labels by the noise."""
    if score.metric is None or reference.metric is None:
        return score.sqnr_db >= ENOUGH_DB
    return reference.metric - score.metric <= tolerance


def _transforms(measured: Measured) -> Finding | None:
    came, now = measured.scores.get(AS_IT_CAME), measured.scores["float"]
    if came is None:
        return None
    if came.sqnr_db == inf:
        return Finding(text="the method left the float network as it was")
    metrics = "" if came.metric is None else f"; its metric went from {came.metric:.4f} to {now.metric:.4f}"
    text = f"the float network that the method ended with is {came.sqnr_db:.1f} dB from the one it began with{metrics}"
    if _is_fine(replace(now, sqnr_db=came.sqnr_db), came, measured.tolerance):
        return Finding(text=text)
    return Finding(
        text=text,
        advice=("leave out the step that changes the float network, as ReLU for ReLU6 (--option clip_to_relu=false)",),
    )


def _sanity(measured: Measured) -> Finding | None:
    fine = measured.fine
    if fine is None:
        return None
    text = f"on {FINE_BITS}-bit grids the network is {fine.sqnr_db:.0f} dB from the float one, off by {fine.max_error:.2g} at most"
    if fine.sqnr_db >= LEAST_DB:
        return Finding(text=f"{text}: what is lost is lost by quantization")
    return Finding(
        text=f"{text}: something else than rounding changes it",
        advice=("compare tensor by tensor (hwsim run shows the error of each layer) before changing any grid",),
    )


def _machine(measured: Measured) -> Finding | None:
    both, machine = measured.scores["both"], measured.scores["machine"]
    if both.sqnr_db - machine.sqnr_db <= 1.0:
        return None
    return Finding(
        text=f"the registers of the machine lose {both.sqnr_db - machine.sqnr_db:.1f} dB more than the grids do",
        advice=("widen psum and accumulator (hwsim check prints the width that is safe) before changing any grid",),
    )


def _blame(measured: Measured) -> Finding:
    scores = measured.scores
    loss = f"weights alone leave {_text(scores['weights'])}, activations alone {_text(scores['activations'])}, both {_text(scores['both'])}"
    if _is_fine(scores["both"], scores["float"], measured.tolerance):
        return Finding(text=f"{loss}: within tolerance, nothing has to be mended")
    apart = scores["activations"].sqnr_db - scores["weights"].sqnr_db
    fine_weights = _is_fine(scores["weights"], scores["float"], measured.tolerance)
    fine_activations = _is_fine(scores["activations"], scores["float"], measured.tolerance)
    if not fine_weights and (fine_activations or apart >= BLAME_DB):
        return Finding(text=f"{loss}: the weights are to blame", advice=_for_weights(measured))
    if not fine_activations and (fine_weights or apart <= -BLAME_DB):
        return Finding(text=f"{loss}: the activations are to blame", advice=_for_activations(measured.used))
    return Finding(
        text=f"{loss}: both are to blame",
        advice=(
            *dict.fromkeys((*_for_weights(measured), *_for_activations(measured.used))),
            "quantization-aware training, where nothing else is enough",
        ),
    )


def _for_weights(measured: Measured) -> tuple[str, ...]:
    graph = measured.graph
    products = [node for node in graph.nodes if node.op in WEIGHTED and _has_one_scale(graph, node)]
    shared = bool(products)
    advice = []
    if shared and not measured.used.equalized:
        why = "depthwise channels" if any(is_depthwise(graph, node) for node in products) else "the channels of a layer"
        advice.append(f"cross-layer equalization (--recipe cle): {why} share one weight grid")
    if shared:
        advice.append(
            "one scale per output channel (--granularity channel), which costs the constants of every channel"
        )
    learned = [] if measured.used.rounding_learned else ["AdaRound (--recipe adaround)"]
    corrected = (
        [] if measured.used.bias_corrected else ["bias correction (--recipe bias_correction; without images data_free)"]
    )
    if learned or corrected:
        advice.append(" or ".join(learned + corrected))
    return (*advice, "more bits for the worst ones, see the table")


def _has_one_scale(graph: Graph, node: Node) -> bool:
    """Whether the channels of a constant weight share one scale, and could have one each."""
    weight = graph.tensors[node.inputs[1]]
    is_shared = weight.is_constant and weight.quant is not None and weight.quant.granularity.axis is None
    return is_shared and out_axis(node, weight) is not None


def _for_activations(used: Used) -> tuple[str, ...]:
    return (
        *(() if used.fits_activation_ranges else ("ranges of least squared error (--range mse)",)),
        *(
            ()
            if used.equalized
            else ("cross-layer equalization (--recipe cle), which narrows activations by widening weights",)
        ),
        "more bits for the worst ones, see the table",
    )


def _culprit(measured: Measured) -> Finding:
    worst, ranges = measured.worst, measured.ranges
    what = f"the {worst.kind} of {worst.layer!r} ({worst.format}) cost most"
    text = f"{what}; their widest channel is {ranges.imbalance:.1f} times the median one"
    wider = f'more bits for it alone, in a --precision file: [[layer]] match = "{worst.layer}", {worst.kind} = ...'
    if _is_fine(measured.scores["both"], measured.scores["float"], measured.tolerance):
        return Finding(text=text)
    if ranges.imbalance >= WIDE_CHANNEL and not measured.used.equalized:
        return Finding(text=text, advice=("equalization: a few channels decide the step of all others", wider))
    return Finding(text=text, advice=(wider,))


def _text(score: Score) -> str:
    metric = "" if score.metric is None else f"{score.metric:.4f} and "
    return f"{metric}{score.sqnr_db:.1f} dB"
