"""ArrayExpress, which BioStudies keeps today: its experiments described by MAGE-TAB (IDF and SDRF files).

``survey`` is the entrance. What SDRF columns mean for harmonization is not known here.
"""
