"""The operations that the simulator implements, out of its sources, one `METHOD /path` a line.

    implemented.py SRC_SIM

`route.rs` says which paths there are, `org.rs` which methods each has. Three lists have to name the same routes, so that
none is missed because a source is written in another way by now.
"""

import re
import sys
from pathlib import Path

TOKEN = "Token"  # answered before the dispatch: it needs no token


def between(text, start, end):
    return text.split(start, 1)[1].split(end, 1)[0]


def main():
    folder = Path(sys.argv[1])
    route, org = ((folder / name).read_text(encoding="utf-8") for name in ("route.rs", "org.rs"))
    variants = set(re.findall(r"^    (\w+)(?:\(.*\))?,$", between(route, "enum Route", "\n}"), re.M))
    template = dict(re.findall(r'Self::(\w+)(?:\(_\))? => "(.+)",', between(route, "fn template", "\n    }")))
    methods = re.findall(r"\(Route::(\w+)(?:\(\w+\))?, Method::(\w+)\) =>", between(org, "fn dispatch", "\n    }"))
    methods.append((TOKEN, "Post"))
    named = (variants, set(template), {name for name, _ in methods})
    assert variants and named[0] == named[1] == named[2], f"the sources are read wrongly: {named}"
    for name, method in methods:
        print(method.upper(), template[name])


if __name__ == "__main__":
    main()
