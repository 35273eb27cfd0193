"""refinebio-assets: uniformly processed gene expression as a Dagster asset platform.

Only the version lives here; importing the package does nothing else.
"""

__version__ = "0.1.0"
