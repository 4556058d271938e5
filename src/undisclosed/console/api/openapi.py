# SPDX-License-Identifier: Apache-2.0
"""What the API can be asked, as an OpenAPI 3.1 document made from the tables."""

from typing import Final

from undisclosed.console.api.schema import OBJECTS, Schema, schema_of

VERSION: Final = "1"
"""Of the API. It stands in every path; what is added does not change it."""

ANSWERS: Final = (
    (200, "Advice", "The advice."),
    (401, "Problem", "The access token is missing, revoked or over."),
    (403, "Problem", "The account of the access token may not decide this."),
    (413, "Problem", "The question is too large."),
    (422, "Problem", "The question cannot be understood, or nothing can be cleared."),
    (429, "Problem", "The access token was used too often; Retry-After says when."),
    (503, "Problem", "The store is away for now; Retry-After says when."),
)
"""Every status that POST /v1/check answers with, the object in it, and its meaning."""


def document() -> Schema:
    """The whole document."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Undisclosed",
            "version": VERSION,
            "description": "Asks before a mail is sent: who would be shown to whom?",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": {"/v1/check": {"post": _check()}},
        "components": {
            "schemas": {name: schema_of(table) for name, table in OBJECTS.items()},
            "securitySchemes": {
                "accessToken": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "Made by `undisclosed token make NAME --purpose "
                    "check`.",
                }
            },
        },
    }


def _check() -> Schema:
    return {
        "operationId": "check",
        "summary": "Who would see whom, and what would the guard do?",
        "security": [{"accessToken": []}],
        "requestBody": {"required": True, "content": _json("Check")},
        "responses": {
            str(status): {"description": meaning, "content": _json(name)}
            for status, name, meaning in ANSWERS
        },
    }


def _json(name: str) -> Schema:
    reference = {"$ref": f"#/components/schemas/{name}"}
    return {"application/json": {"schema": reference}}
