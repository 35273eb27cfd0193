"""What all deliveries have in common: the publish gate, reading a zip back, its manifest, and report pages.

``gate`` judges, ``zipped`` reads what it judges, ``manifest`` promises checksums, and ``page`` and
``plotting`` are what reports are made of. What is delivered is the work of ``datasets`` and ``compendia``.
"""
