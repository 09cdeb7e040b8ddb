"""The learning rate of a step: warm-up, then stable and decay, or cosine; a pure function, so nothing to resume."""

from __future__ import annotations

import math
from typing import Literal

Shape = Literal["stable-decay", "cosine"]


def learning_rate(
    step: int, steps: int, *, peak: float, shape: Shape, warmup: float, decay: float, floor: float
) -> float:
    """The learning rate that step `step` (from 0) of `steps` is taken with.

    Args:
        peak: the highest learning rate.
        shape: `stable-decay` stays at the peak until the last `decay` of the steps and falls linearly from there
            (Hu et al. 2024, MiniCPM); `cosine` falls from the end of the warm-up on (Loshchilov and Hutter 2017).
        warmup: share of the steps over which the rate rises linearly to the peak.
        decay: share of the steps over which `stable-decay` falls.
        floor: share of the peak that the step after the last would have.
    """
    rising = math.ceil(warmup * steps)
    if step < rising:
        return peak * (step + 1) / rising
    if shape == "cosine":
        done = (step - rising + 1) / (steps - rising + 1)
        return peak * (floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * done)))
    falling = math.ceil(decay * steps)
    left = steps - step
    if left > falling:
        return peak
    return peak * (floor + (1 - floor) * left / (falling + 1))
