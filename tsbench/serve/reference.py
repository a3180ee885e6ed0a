"""docs/api.md: every route as the application declares it."""

from typing import Any

from tsbench.serve.app import declared
from tsbench.serve.shared import Service
from tsbench.settings import Settings

HEAD = """\
# The API
Started by `tsbench serve`; the same, to try out, at `/docs`. Bodies and answers are JSON. An error is
`{"detail": ..., "request_id": ...}`: 4xx what the caller can mend (422 with a list of what is wrong and where), 503
with `Retry-After` when something the answer needs is away. Answers bear `X-Request-ID`, the caller's own if it is one
of up to 64 letters, digits and . _ -. A name in the query that the route does not know is a 422.
With `TSBENCH_API_TOKEN` set, all but health, `/metrics` and the docs want `Authorization: Bearer TOKEN`.
Calls with their answers: [api_examples.md](api_examples.md). This page is printed from the routes by `make docs`.
"""
METHODS = ("get", "post", "put", "delete")


def as_markdown() -> str:
    """The page: routes by group, their parameters, bodies and answers."""
    spec = declared(Service(Settings(_env_file=None))).openapi()  # type: ignore[call-arg]
    groups: dict[str, list[str]] = {}
    for path, methods in spec["paths"].items():
        for method in METHODS:
            if method in methods:
                route = methods[method]
                groups.setdefault(route.get("tags", ["other"])[0], []).append(_route(method, path, route, spec))
    return HEAD + "".join(f"\n## {name.capitalize()}\n" + "\n".join(routes) for name, routes in groups.items())


def _route(method: str, path: str, route: dict[str, Any], spec: dict[str, Any]) -> str:
    lines = [f"### {method.upper()} {path}", " ".join(str(route.get("description", "")).split()), ""]
    rows = [_parameter(parameter) for parameter in route.get("parameters", [])]
    body = _schema_of(route.get("requestBody", {}), spec)
    rows += [_field("body", *field, spec) for field in _fields(body)]
    if rows:
        lines += ["| in | name | type | meaning |", "|---|---|---|---|", *rows, ""]
    errors = []
    for status, answer in sorted(route["responses"].items()):
        fields = [name for name, _, _ in _fields(_schema_of(answer, spec))]
        if "detail" in fields:
            errors.append(status)
        else:
            named = ", ".join(f"`{name}`" for name in fields)
            lines.append(f"- {status}: {named or answer['description'].rstrip('.')}")
    lines += [f"- {', '.join(errors)}: an error"] * bool(errors)
    return "\n".join([*lines, ""])


def _parameter(parameter: dict[str, Any]) -> str:
    schema = parameter["schema"]
    must = "" if parameter.get("required") else _default(schema)
    words = " ".join(str(parameter.get("description", "")).split())
    return f"| {parameter['in']} | `{parameter['name']}` | {_kind(schema)}{must} | {_cell(words)} |"


def _field(where: str, name: str, schema: dict[str, Any], required: bool, spec: dict[str, Any]) -> str:
    must = "" if required else _default(schema)
    return f"| {where} | `{name}` | {_kind(schema, spec)}{must} | {_cell(schema.get('description', ''))} |"


def _default(schema: dict[str, Any]) -> str:
    given = schema.get("default")
    return ", optional" if given in (None, [], "") else f", default `{given}`"


def _kind(schema: dict[str, Any], spec: dict[str, Any] | None = None) -> str:
    """The type of a value in few words."""
    if "$ref" in schema and spec is not None:
        return _kind(_resolved(schema, spec), spec)
    if "enum" in schema:
        return " or ".join(f"`{choice}`" for choice in schema["enum"])
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(_kind(one, spec) for one in schema["anyOf"]))
    kind = str(schema.get("type", "any"))
    return f"list of {_kind(schema['items'], spec)}" if kind == "array" and "items" in schema else kind


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _resolved(schema: dict[str, Any], spec: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        schema = spec["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    return schema


def _schema_of(holder: dict[str, Any], spec: dict[str, Any]) -> dict[str, Any]:
    """The JSON schema of a body or an answer; of a list, that of its members."""
    schema = _resolved(holder.get("content", {}).get("application/json", {}).get("schema", {}), spec)
    return _resolved(schema["items"], spec) if schema.get("type") == "array" and "items" in schema else schema


def _fields(schema: dict[str, Any]) -> list[tuple[str, dict[str, Any], bool]]:
    required = schema.get("required", [])
    return [(name, field, name in required) for name, field in schema.get("properties", {}).items()]
