"""Which samples of a dataset have a ``quant.sf`` that can be delivered: whole files only."""

from __future__ import annotations

from dataclasses import replace

from refinebio_assets.lake.store import Lake
from refinebio_assets.pipelines.datasets.selection import Filtered, Member, Selection
from refinebio_assets.pipelines.delivery.quant_files import DamagedError, whole_quant_sf


def sound_quant_files(lake: Lake, selection: Selection) -> Selection:
    """Return a selection without the samples whose file is damaged or lost; they are filtered.

    Files are read to their end, as only that tells whether one is whole.
    """
    groups, filtered = [], list(selection.filtered)
    for group in selection.groups:
        kept = []
        for member in group.members:
            problem = _problem(lake, member)
            if problem:
                filtered += [Filtered(member.sample, name, group.key, problem) for name in member.experiments]
            else:
                kept.append(member)
        if kept:
            groups.append(replace(group, members=tuple(kept)))
    return Selection(tuple(groups), tuple(filtered))


def _problem(lake: Lake, member: Member) -> str:
    if member.quant_sf is None:
        return "it has no quant.sf"
    try:
        whole_quant_sf(lake, member.quant_sf)
    except DamagedError as error:
        return str(error)
    return ""
