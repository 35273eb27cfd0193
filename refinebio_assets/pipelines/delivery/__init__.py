"""What all deliveries share: what they are made from, metadata, other files, report pages, the publish gate.

``pins`` are the commits that one is made from, ``lock_entries`` what locks say of them, ``metadata`` and
``metadata_files`` what is told of samples, ``quant_files`` and ``manifest`` other files. ``gate`` judges,
``zipped`` reads what it judges. ``page``, ``plotting`` and ``explanations`` are what reports are made of.
What is delivered is the work of ``datasets`` and ``compendia``.
"""
