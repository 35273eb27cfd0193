"""Whether the groups of a factor can be told apart from the experiments that their samples are of.

Arrays in, facts out. What a factor is and what is said of it is the work of other rooms.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Codes = npt.NDArray[np.integer]


@dataclass(frozen=True, slots=True)
class Separation:
    """Which groups can be compared within experiments.

    ``connected`` are sets of groups (their numbers, sorted; the set with most samples first): two groups of
    one set are in one experiment, or are joined by others that are, so that their difference can be
    estimated beside those of the experiments. ``joining`` are the experiments with two groups or more, the
    one with most samples first, and ``samples`` is how many samples those have.
    """

    connected: tuple[tuple[int, ...], ...]
    joining: tuple[int, ...]
    samples: int


def separate(groups: Codes, experiments: Codes) -> Separation:
    """Return how groups and experiments, given for each sample by number from 0, lie to each other.

    In a linear model with an effect of each experiment the difference of two groups is estimable just when
    they are connected through experiments that hold both (Searle, Linear Models, 1971, chapter 7: connected
    designs). Raises ValueError when there is not one experiment for each sample's group.
    """
    if groups.shape != experiments.shape:
        raise ValueError(f"{len(groups):,} samples have {len(experiments):,} experiments")
    pairs, counts = np.unique(np.column_stack((experiments, groups)), axis=0, return_counts=True)
    number = int(groups.max(initial=-1)) + 1
    of_groups = np.bincount(groups, minlength=number)
    parents = list(range(number))
    joining: list[tuple[int, int]] = []
    starts = np.flatnonzero(np.diff(pairs[:, 0], prepend=-1))
    for start, stop in zip(starts.tolist(), [*starts[1:].tolist(), len(pairs)], strict=True):
        held = pairs[start:stop, 1].tolist()
        if len(held) > 1:
            joining.append((-int(counts[start:stop].sum()), int(pairs[start, 0])))
            for group in held[1:]:
                parents[_root(parents, group)] = _root(parents, held[0])
    joining.sort()
    return Separation(
        _sets(parents, of_groups), tuple(place for _, place in joining), -sum(count for count, _ in joining)
    )


def _root(parents: list[int], group: int) -> int:
    while parents[group] != group:
        parents[group] = parents[parents[group]]
        group = parents[group]
    return group


def _sets(parents: list[int], samples: npt.NDArray[np.intp]) -> tuple[tuple[int, ...], ...]:
    found: dict[int, list[int]] = {}
    for group in np.flatnonzero(samples).tolist():
        found.setdefault(_root(parents, group), []).append(group)
    by_size = sorted(found.values(), key=lambda held: (-int(samples[held].sum()), held))
    return tuple(map(tuple, by_size))
