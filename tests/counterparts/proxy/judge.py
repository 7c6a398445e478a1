"""Judges what was recorded on both sides of the validating proxy.

    judge.py STRICT EXPECTED|- CHAIN...

Of each CHAIN there are `CHAIN.front.jsonl` (between the client and the proxy), `CHAIN.back.jsonl` (between the proxy and
the simulator) and `CHAIN-prism.out` (what the proxy said). The proxy must have had no violation and no word of its own:
what the client got is what the simulator sent. What the proxy does not look at, names of query parameters and of headers,
is looked at here. EXPECTED lists the operations and statuses that the job has to have met, one `METHOD /path STATUS...` a
line; `-` stands for a job that was cut off.
"""

import collections
import json
import re
import sys
from pathlib import Path
from urllib.parse import parse_qsl

sys.path.append(str(Path(__file__).resolve().parent.parent))
import strict

TRANSPORT = {"content-type", "content-length", "transfer-encoding", "connection", "keep-alive", "date"}
ID = "inin-correlation-id"


def matcher(spec):
    """(method, path) → the operation's name and its object. A path without variables goes before one with."""
    known = []
    for path, method, operation in strict.operations(spec):
        pattern = re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path)) + "$")
        known.append((path.count("{"), method.upper(), pattern, f"{method.upper()} {path}", operation))
    known.sort(key=lambda entry: entry[0])

    def match(exchange):
        for _, method, pattern, name, operation in known:
            if method == exchange["method"] and pattern.match(exchange["path"]):
                return name, operation
        return None, None

    return match


def told(text):
    try:
        return json.loads(text)
    except ValueError:
        return text


def essence(exchange):
    """What both sides have to agree on."""
    return (
        exchange["method"],
        exchange["path"],
        sorted(parse_qsl(exchange["query"], keep_blank_values=True)),
        told(exchange["sent"]),
        exchange["status"],
        told(exchange["body"]),
        sorted((name, value) for name, value in exchange["headers"].items() if name not in TRANSPORT),
    )


def strays(spec, match, exchange):
    """Names that the spec does not have."""
    name, operation = match(exchange)
    if name is None:
        yield f"no operation: {exchange['method']} {exchange['path']}"
        return
    declared = {given["name"] for given in operation.get("parameters", ())}
    for parameter, _ in parse_qsl(exchange["query"], keep_blank_values=True):
        if parameter not in declared:
            yield f"{name}: no query parameter {parameter}"
    headers = {header.lower() for header in spec["components"]["headers"]} | TRANSPORT
    for header in exchange["headers"]:
        if header not in headers:
            yield f"{name} {exchange['status']}: no header {header}"


def faults_of(chain, spec, match):
    front, back = (read(f"{chain}.{side}.jsonl") for side in ("front", "back"))
    for exchange in front:
        about = f"{exchange['method']} {exchange['path']} {exchange['status']}"
        if violations := exchange["headers"].get("sl-violations"):
            yield f"violation at {about}: {violations}"
        if "problem+json" in exchange["headers"].get("content-type", ""):
            problem = told(exchange["body"])
            yield f"the proxy's own word at {about}: {problem.get('validation') or problem}"
    for exchange in back:
        yield from strays(spec, match, exchange)
    sent, got = (pool(side) for side in (back, front))
    for key in sorted(sent.keys() ^ got.keys(), key=str) + [k for k in sent.keys() & got.keys() if sent[k] != got[k]]:
        yield f"client and simulator disagree about {key}: {str(sent.get(key))[:300]} / {str(got.get(key))[:300]}"


def pool(exchanges):
    """By correlation id."""
    found = collections.defaultdict(list)
    for exchange in exchanges:
        found[exchange["headers"].get(ID)].append(essence(exchange))
    return found


def read(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def seen(chains, match):
    """Operation → status → how often."""
    table = collections.defaultdict(collections.Counter)
    for chain in chains:
        for exchange in read(f"{chain}.front.jsonl"):
            table[match(exchange)[0] or "?"][exchange["status"]] += 1
    return table


def expected(path):
    with open(path, encoding="utf-8") as file:
        lines = [line.split() for line in file if line.strip() and not line.startswith("#")]
    return {f"{method} {where}": {int(status) for status in statuses} for method, where, *statuses in lines}


def log_faults(path):
    with open(path, encoding="utf-8") as file:
        for line in file:
            if "Violation:" in line or "terminated with error" in line:
                yield f"{path}: {line.strip()}"


def main():
    spec_path, expected_path, *chains = sys.argv[1:]
    with open(spec_path, encoding="utf-8") as file:
        spec = json.load(file)
    match = matcher(spec)
    faults = [fault for chain in chains for fault in faults_of(chain, spec, match)]
    faults += [fault for chain in chains for fault in log_faults(f"{chain}-prism.out")]
    table = seen(chains, match)
    for name in sorted(table):
        print(f"  {name:64} " + ", ".join(f"{status}: {n}" for status, n in sorted(table[name].items())))
    wanted = {} if expected_path == "-" else expected(expected_path)
    for name in sorted(wanted.keys() | table.keys()) if wanted else ():
        if wanted.get(name) != set(table.get(name, ())):
            faults.append(f"{name}: statuses {sorted(table.get(name, ()))} where {sorted(wanted.get(name, ()))} belong")
    for fault, n in collections.Counter(faults).most_common(20):
        print(f"FAULT ({n} times) {fault[:1000]}", file=sys.stderr)
    print(f"  {sum(sum(row.values()) for row in table.values())} exchanges, {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
