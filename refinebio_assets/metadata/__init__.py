"""What submitters said of their samples, as fields that can be compared between experiments.

Neither the archives' protocols nor storage are known here.
"""
