"""The Sequence Read Archive, asked through ENA: studies, their runs, samples and files.

``survey`` makes the experiment; ``studies`` decides which of ENA's services answers; ``portal`` and
``browser`` are those services, ``xml_records`` the meaning of the second one's records; ``run_files`` says
what can be downloaded. Fetching is done by ``sources.web``; what may be processed is judged in ``platforms``.
"""
