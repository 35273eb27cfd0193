"""What the documentation page and ``/openapi.json`` say: what endpoints and modules say of themselves."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from fastapi import FastAPI

PAGE = {"validatorUrl": None, "defaultModelsExpandDepth": -1, "displayRequestDuration": True}
"""How the page looks; its script would ask another server to judge the document."""


def module_tag(version: str, module: ModuleType) -> dict[str, str]:
    """Return the heading of a module's endpoints, with what the module says of itself."""
    said = (module.__doc__ or "").strip().splitlines()[0].replace("``", "`")
    return {"name": f"{version} {module.__name__.rsplit('.', 1)[-1]}", "description": said}


def say_once(app: FastAPI) -> None:
    """Have the document say once what FastAPI finds in an endpoint and the endpoint says better itself."""
    original = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            for operations in original()["paths"].values():
                for operation in operations.values():
                    _say_once(operation)
        return original()

    app.openapi = openapi  # type: ignore[method-assign]  # as FastAPI's own documentation does it


def _say_once(operation: dict[str, Any]) -> None:
    if operation.get("description", "").removesuffix(".") == operation["summary"]:
        del operation["description"]
    parameters = {(item["name"], item["in"]): item for item in operation.get("parameters", [])}
    if parameters:
        operation["parameters"] = list(parameters.values())
