# Sourced by every check. Given: ROSTERDIFF (the binary), WORK (a folder of the part's own), ROOT (the repository).
# shellcheck shell=bash
set -euo pipefail

: "${ROSTERDIFF:?run tests/counterparts/run}" "${WORK:?}" "${ROOT:?}"
export PYTHONDONTWRITEBYTECODE=1
children=()

stop_children() {
  for pid in "${children[@]}"; do
    kill "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
  done
  children=()
}
trap stop_children EXIT

# serve NAME COMMAND...: starts a server that says "listening on URL"; the URL is in $url, what it says in $WORK/NAME.out
# and $WORK/NAME.log.
serve() {
  local name="$1"
  shift
  # What an earlier run said must not be taken for this one's word.
  : >"$WORK/$name.out"
  "$@" >>"$WORK/$name.out" 2>"$WORK/$name.log" &
  local pid=$!
  children+=("$pid")
  until url="$(sed -n 's/.*listening on \(http:[^ ]*\).*/\1/p' "$WORK/$name.out")" && [[ -n "$url" ]]; do
    kill -0 "$pid" 2>/dev/null || { cat "$WORK/$name.out" "$WORK/$name.log" >&2; return 1; }
    sleep 0.05
  done
}

# simulate NAME ARGS...: a simulator on a free port; its URL is in $url.
simulate() {
  local name="$1"
  shift
  serve "$name" "$ROSTERDIFF" simulate --listen 127.0.0.1:0 "$@"
}

# python_with PACKAGE==VERSION...: a virtual environment of the part's own; its interpreter is in $python.
python_with() {
  python="$WORK/venv/bin/python"
  local wanted="$*"
  if [[ ! -x "$python" || "$(cat "$WORK/venv/wanted" 2>/dev/null)" != "$wanted" ]]; then
    rm -rf "$WORK/venv"
    python3 -m venv "$WORK/venv"
    "$python" -m pip install --quiet --disable-pip-version-check "$@"
    printf '%s' "$wanted" >"$WORK/venv/wanted"
  fi
}

# node_with PACKAGE@VERSION...: node_modules of the part's own, in $WORK.
node_with() {
  local wanted="$*"
  if [[ "$(cat "$WORK/node_modules/.wanted" 2>/dev/null)" != "$wanted" ]]; then
    npm install --prefix "$WORK" --loglevel=error --no-fund --no-audit --no-save "$@"
    printf '%s' "$wanted" >"$WORK/node_modules/.wanted"
  fi
}
