"""Where the trials of claims ran, in words."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from harness.store.records.parts import PlaceRecord
    from harness.trials.place import Clock, Gpu, Place, Torch


def machine_words(clock: Clock) -> str:
    """Return what computed: `a processor, 2 cores, a GPU`."""
    return ", ".join(filter(None, (clock.processor, f"{clock.cores} core{'s' * (clock.cores != 1)}", clock.gpu)))


def machines(places: Iterable[PlaceRecord]) -> str:
    """Return what computed, each once, that of most trials first; nothing without places."""
    return " and ".join(dict.fromkeys(machine_words(found.place.clock) for found in places))


def lines(places: list[PlaceRecord]) -> Iterator[tuple[str, str]]:
    """Yield where trials ran, each place with its name, and which models they mix."""
    for found in places:
        yield "measured on", f"{_trials(found)}: {place_words(found.place)}"
    for names in ((found.place.processor for found in places), (found.place.clock.gpu for found in places)):
        trials: Counter[str] = Counter()
        for name, found in zip(names, places, strict=True):
            trials[name or "no GPU"] += found.trials
        if len(trials) > 1:
            models = ", ".join(f"{name} ({_number(number)})" for name, number in trials.items())
            yield (
                "several models",
                f"{models}; last bits of their numbers may differ, and their durations do not compare",
            )


def _trials(found: PlaceRecord) -> str:
    company = "alone" if found.place.alone else "beside others"
    timed = f", durations of {found.durations}" if found.durations else ""
    again = f", begun {found.place.attempt} times" if found.place.attempt > 1 else ""
    return f"{_number(found.trials)} {company}{timed}{again}"


def _number(trials: int) -> str:
    return f"{trials} trial{'s' * (trials != 1)}"


def place_words(place: Place) -> str:
    """Return a place with all that is known of it, but for the company it had."""
    parts = (
        place.host + (f" (node {place.node})" if place.node else ""),
        machine_words(place.clock._replace(gpu=None)),
        f"governor {place.governor}" if place.governor else None,
        f"{_gigabytes(place.memory)} of memory" if place.memory else None,
        _gpu(place.gpu) if place.gpu else None,
        f"{place.threads} thread{'s' * (place.threads != 1)}",
        _torch(place.torch) if place.torch else "without torch",
    )
    return "; ".join(filter(None, parts))


def _gpu(gpu: Gpu) -> str:
    part = f" ({gpu.mig} of it)" if gpu.mig else ""
    facts = (
        _gigabytes(gpu.memory),
        gpu.uuid,
        f"driver {gpu.driver}" if gpu.driver else None,
        f"at most {gpu.power_limit:g} W" if gpu.power_limit else None,
    )
    return f"{gpu.model}{part}, {', '.join(filter(None, facts))}"


def _torch(torch: Torch) -> str:
    told = (
        "deterministic algorithms" if torch.deterministic_algorithms else "",
        "deterministic cuDNN" if torch.cudnn_deterministic else "",
        f"float32 matrix products at {torch.float32_matmul_precision} precision",
    )
    cudnn = f" and cuDNN {torch.cudnn}" if torch.cudnn else ""
    built = f" with CUDA {torch.cuda}{cudnn}" if torch.cuda else ""
    return f"torch {torch.version}{built}: {', '.join(filter(None, told))}"


def _gigabytes(number: int) -> str:
    return f"{number / 1e9:.1f} GB"
