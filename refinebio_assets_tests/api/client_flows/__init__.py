"""What users of pyrefinebio do, as flows that the unmodified client runs against a server.

``python -m refinebio_assets_tests.api.client_flows FOLDER`` with REFINEBIO_BASE_URL and REFINEBIO_CONFIG_FILE
set runs all of them; the lake is that of ``test_clients.py``.
"""
