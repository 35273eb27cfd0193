"""What the API's JSON looks like, declared once: from these follow the OpenAPI page and its checks."""
