"""Makes the OpenAPI that FastAPI writes say what the service does: a schema in, a truer one out."""

from __future__ import annotations

from typing import Any

_ERROR = {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorBody"}}}


def true_schema(schema: dict[str, Any], *, asks_for_token: bool) -> dict[str, Any]:
    """Corrects the schema in place and returns it.

    Malformed requests get 400, not 422; refusals are JSON also where the answer is a file; a
    service without a token has no security to declare.
    """
    for path in schema["paths"].values():
        for operation in path.values():
            responses = operation["responses"]
            if "security" in operation and asks_for_token:  # wrong tokens, one after the other
                responses.setdefault("429", {"description": "Too many; see `Retry-After`."})
            responses.pop("422", None)
            for status, response in responses.items():
                if int(status) >= 400:
                    response["content"] = _ERROR
            if not asks_for_token:
                operation.pop("security", None)
                responses.pop("401", None)
    parts = schema["components"]
    for unused in ("HTTPValidationError", "ValidationError"):
        parts["schemas"].pop(unused, None)
    if not asks_for_token:
        parts.pop("securitySchemes", None)
    return schema
