"""Which microarrays and sequencers are known, and which pipeline a sample gets.

The tables in ``tables/``, look-ups in them, and pure rules on them live here. Reading what an archive
says (``sources/``) and doing what was decided (``pipelines/``) do not.
"""
