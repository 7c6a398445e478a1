"""Narrows the published shapes to what the simulator takes, so that everything of the narrowed shape has to be accepted and
everything else to be refused. Where the published shape leaves something open the reason stands beside the narrowing.

    narrow.py URL < strict.json > narrowed.json      with a token in $TOKEN

What only a running simulator knows, ids of divisions and tokens of pages, is asked from the one at URL.
"""

import json
import os
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parent.parent))
import strict
from client import call

class Org:
    """What the running simulator hands out."""

    def __init__(self, url):
        self.url = url
        listing = self.ask("GET", "/api/v2/authorization/divisions")
        self.divisions = [division["id"] for division in listing["entities"]]
        # An empty one is none: the official command line goes on while it is not empty.
        self.cursors = [""] + [self.ask("GET", f"/api/v2/users/query?pageSize={size}")["cursor"] for size in (1, 10)]
        bodies = ({}, {"query": [{"type": "EXACT", "fields": ["state"], "values": ["active"]}], "pageSize": 5})
        self.q64s = [self.ask("POST", "/api/v2/users/search", body)["currentPage"] for body in bodies]

    def ask(self, method, path, body=None):
        status, reply = call(self.url, method, path, os.environ["TOKEN"], body)
        assert status == 200, reply
        return reply


def queries(spec, org):
    """Size and number of a page. No spec says a maximum; official code asks for 500 users (terraform-provider-genesyscloud
    @f955430e, genesyscloud_user_proxy.go), and so the simulator's default is. A page 0 or -1 is nothing anybody sends."""
    bounds = {"pageSize": (1, 500), "pageNumber": (1, 2**32 - 1)}
    for _, _, operation in strict.operations(spec):
        for parameter in operation.get("parameters", ()):
            schema = parameter["schema"]
            if parameter["name"] in bounds:
                schema["minimum"], schema["maximum"] = bounds[parameter["name"]]
            if parameter["name"] == "expand":
                # "Resolved with a best effort approach": unknown words are let pass, and noted.
                schema["items"].pop("enum", None)
            # A cursor and a q64 are handed out, not made up. Of the limits the simulator knows one namespace.
            handed_out = {"cursor": org.cursors, "q64": org.q64s, "namespaceName": ["platform.api"]}
            if parameter["name"] in handed_out:
                schema["enum"] = handed_out[parameter["name"]]


def creates(schemas, org):
    """A create: nobody publishes what an address or a name has to be; nobody can be created deleted here."""
    user = schemas["CreateUser.sent"]["properties"]
    user["email"]["pattern"] = r"^[!-?A-~]+@[!-?A-~]+$"
    for name in ("CreateUser.sent", "UpdateUser.sent"):
        schemas[name]["properties"]["name"]["pattern"] = r"[!-~]"
    user["state"]["enum"] = ["active", "inactive"]
    user["divisionId"]["enum"] = org.divisions
    # "Mutually exclusive" says the description of the extension; a contact with neither is none.
    given = [{"required": [name], "properties": {name: {"type": "string"}}} for name in ("address", "extension")]
    schemas["Contact.sent"]["oneOf"] = given


def searches(schemas):
    """A search: of the criteria the simulator answers equality alone, over the fields that official code or its own tests
    search; a page of at most 100 (examples)."""
    asked = schemas["UserSearchRequest.sent"]["properties"]
    asked["pageSize"].update(minimum=1, maximum=100)
    asked["pageNumber"].update(minimum=1, maximum=2**32 - 1)
    criterion = schemas["UserSearchCriteria.sent"]
    criterion["required"] = ["type", "fields", "values"]
    members = criterion["properties"]
    members["type"]["enum"] = ["EXACT", "TERM", "TERMS"]
    members["fields"].update(minItems=1)
    members["fields"]["items"]["enum"] = ["email", "name", "state", "id", "username"]
    members["values"].update(minItems=1, maxItems=99)
    del members["group"]


def changes(schemas):
    """A change: an integer has 64 bits; groups are ignored by the simulator, which does not look into them."""
    schemas["UpdateUser.sent"]["properties"]["version"].update(minimum=-(2**63), maximum=2**63 - 1)
    schemas["Group.sent"] = {"type": "object", "additionalProperties": True}


def absent(schemas):
    """`null` of an optional member is the member left out: no source says otherwise, and official clients write it."""
    for name, schema in schemas.items():
        if name.endswith(".sent"):
            for member, inner in schema.get("properties", {}).items():
                if member not in schema.get("required", ()):
                    schema["properties"][member] = nullable(inner)


def nullable(schema):
    if "$ref" in schema:
        return {"nullable": True, "allOf": [schema]}
    if "enum" in schema:
        schema["enum"] = [*schema["enum"], None]
    return {**schema, "nullable": True}


def example(spec, org):
    """The published one names a division of another organisation."""
    content = spec["paths"]["/api/v2/users"]["post"]["requestBody"]["content"]["application/json"]
    content["example"]["divisionId"] = org.divisions[0]


def main():
    org = Org(sys.argv[1])
    spec = json.load(sys.stdin)
    schemas = spec["components"]["schemas"]
    queries(spec, org)
    creates(schemas, org)
    searches(schemas)
    changes(schemas)
    absent(schemas)
    example(spec, org)
    json.dump(spec, sys.stdout, indent=1, ensure_ascii=False)


if __name__ == "__main__":
    main()
