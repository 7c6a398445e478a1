"""Makes the strict copy of the published shapes that the checks use: objects closed, so that a misspelt field is a fault.

    strict.py [--no-rate-headers] [--open-requests] [--only "GET /path,POST /path"] < genesys-openapi-users.json > strict.json

The original closes no object, as the service may add fields at any time. What is added to it here is said in `patch`;
nothing else is changed. With --no-rate-headers a success may be without them, with --open-requests the bodies of requests
stay as open as they were published, with --only other operations are left out.
"""

import argparse
import copy
import json
import sys

METHODS = ("get", "put", "post", "delete", "patch")
REF = "#/components/schemas/"
RATE_HEADERS = ("inin-ratelimit-count", "inin-ratelimit-allowed", "inin-ratelimit-reset")


def nodes(node):
    """Every object of a document, the outer ones first."""
    if isinstance(node, dict):
        yield node
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from nodes(child)


def operations(spec):
    for path, item in spec["paths"].items():
        for method in METHODS:
            if method in item:
                yield path, method, item[method]


def patch(spec, rate_headers):
    """What the reconstruction leaves open and a source closes. Each with its source."""
    schemas = spec["components"]["schemas"]
    # A stub there. PyPI PureCloudPlatformClientV2 269.0.0, models/chat.py: one member.
    schemas["Chat"] = {"type": "object", "properties": {"jabberId": {"type": "string"}}}
    # A logged success of 2021 has all of them (MyPureCloud/developer-center-blog @1e5c598d, 2021-05-06-sdk-config-and-
    # logging), a 429 since that year Retry-After (developer.genesys.cloud/forum 12028). A client must live without them;
    # the simulator has to send them unless it is told not to.
    for name in ("ININ-Correlation-Id", "Retry-After", *(RATE_HEADERS if rate_headers else ())):
        spec["components"]["headers"][name]["required"] = True


def close(spec):
    """Closes every object whose members are listed. Stubs and maps have none: they stay."""
    for node in nodes(spec):
        # A second branch would refuse what the first one knows, and OpenAPI 3.0 has no word for "in none of them".
        if len(node.get("allOf", ())) > 1 or "allOf" in node and "properties" in node:
            raise SystemExit(f"an allOf of several cannot be closed: {json.dumps(node)[:200]}")
        if node.get("type") == "object" and isinstance(node.get("properties"), dict):
            node.setdefault("additionalProperties", False)


def reach(schemas, node, found):
    """Names of the schemas that a node refers to, through any number of others."""
    for inner in nodes(node):
        name = str(inner.get("$ref", "")).removeprefix(REF)
        if name in schemas and name not in found:
            found.add(name)
            reach(schemas, schemas[name], found)
    return found


def opened(original, spec):
    """Gives the bodies of requests schemas of their own, as they were published."""
    schemas = original["components"]["schemas"]
    sent = set()
    for path, method, operation in operations(original):
        if "requestBody" in operation:
            reach(schemas, operation["requestBody"], sent)
            spec["paths"][path][method]["requestBody"] = copy.deepcopy(operation["requestBody"])
            rename(spec["paths"][path][method]["requestBody"])
    for name in sent:
        spec["components"]["schemas"][f"{name}.sent"] = rename(copy.deepcopy(schemas[name]))


def rename(node):
    for inner in nodes(node):
        if str(inner.get("$ref", "")).startswith(REF):
            inner["$ref"] += ".sent"
    return node


def keep(spec, wanted):
    known = {f"{method.upper()} {path}" for path, method, _ in operations(spec)}
    if missing := wanted - known:
        raise SystemExit(f"not in the spec: {', '.join(sorted(missing))}")
    for path, item in list(spec["paths"].items()):
        for method in METHODS:
            if f"{method.upper()} {path}" not in wanted:
                item.pop(method, None)
        if not any(method in item for method in METHODS):
            del spec["paths"][path]


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--no-rate-headers", action="store_true")
    arguments.add_argument("--open-requests", action="store_true")
    arguments.add_argument("--only", default="")
    options = arguments.parse_args()
    original = json.load(sys.stdin)
    patch(original, not options.no_rate_headers)
    spec = copy.deepcopy(original)
    close(spec)
    if options.open_requests:
        opened(original, spec)
    if options.only:
        keep(spec, set(options.only.split(",")))
    json.dump(spec, sys.stdout, indent=1, ensure_ascii=False)


if __name__ == "__main__":
    main()
