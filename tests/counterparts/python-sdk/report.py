"""What was expected and what came: every difference is told, by where it is."""

import re
import traceback

_section = ""
_n_held = 0
_wrong = []
TOLD_MAX = 25


def expect(what, wanted, got):
    """Holds if both are the same value of the same types (`True` is not 1)."""
    told = list(differences("", wanted, got))
    if not told:
        global _n_held
        _n_held += 1
        return True
    for line in told:
        _wrong.append(f"{_section}: {what}{line}")
    return False


def differences(path, wanted, got):
    """A line for every place in which two JSON values differ."""
    if isinstance(wanted, dict) and isinstance(got, dict):
        for key in sorted(wanted.keys() | got.keys()):
            if key not in got:
                yield f"{path}.{key}: expected {wanted[key]!r}, nothing came"
            elif key not in wanted:
                yield f"{path}.{key}: expected nothing, got {got[key]!r}"
            else:
                yield from differences(f"{path}.{key}", wanted[key], got[key])
    elif isinstance(wanted, list) and isinstance(got, list) and len(wanted) == len(got):
        for at, (one, other) in enumerate(zip(wanted, got)):
            yield from differences(f"{path}[{at}]", one, other)
    elif type(wanted) is not type(got) or wanted != got:
        yield f"{path}: expected {wanted!r}, got {got!r}"


def section(name, body, *args):
    """Runs `body`; what it dies of is one more thing that is wrong, and the others still run."""
    global _section
    _section, n_before = name, len(_wrong)
    try:
        body(*args)
    except Exception:
        _wrong.append(f"{name}: broke off\n{traceback.format_exc(limit=4)}")
    print(f"  {'ok    ' if len(_wrong) == n_before else 'WRONG '} {name}", flush=True)


def close():
    """Says what is wrong, one line of those about the same place of the same thing; the exit code."""
    kinds = {}
    for line in _wrong:
        kinds.setdefault(re.sub(r"\[\d+\]", "[]", line.partition(": expected ")[0]), []).append(line)
    for lines in list(kinds.values())[:TOLD_MAX]:
        print(f"  {lines[0]}" + (f" (and {len(lines) - 1} like it)" if len(lines) > 1 else ""))
    if len(kinds) > TOLD_MAX:
        print(f"  and {len(kinds) - TOLD_MAX} other kinds")
    print(f"{_n_held} expectations held, {len(_wrong)} did not")
    return 1 if _wrong or not _n_held else 0
