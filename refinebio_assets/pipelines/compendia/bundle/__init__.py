"""The zip of a normalized compendium, in the layout of refine.bio's: values, mask, metadata, report, lock.

``compendium_bundle`` makes it, from what ``contents`` reads; ``metadata`` and ``matrices`` write the large
files some samples or genes at a time; ``texts`` has the README, ``inspection`` reads it back for the gate.
The report is in ``compendia.report``.
"""
