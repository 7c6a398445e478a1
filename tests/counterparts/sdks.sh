# Sourced by the checks of the two SDKs: the simulators that both drive, and what these have to say afterwards.
# shellcheck shell=bash

# simulators: starts one for each thing that cannot be seen beside the others. Their URLs are exported; the users of the
# first are told in $WORK/truth.json.
simulators() {
  python3 "$ROOT/tests/counterparts/people.py" "$WORK"
  local divisions="Berlin,São Paulo,Berlin Süd"
  simulate main --seed-csv "$WORK/org.csv" --rate 1000000 --divisions "$divisions"
  export SIMULATED="$url"
  rm -f "$WORK/few.jsonl"
  simulate few --rate 3 --window 4 --record "$WORK/few.jsonl"
  export SIMULATED_FEW="$url"
  simulate other --seed-csv "$WORK/org.csv" --rate 1000000 --no-rate-headers --no-cursor --deleted-is-free \
    --search-values 3 --search-case --no-username-search --page-cap 200
  export SIMULATED_OTHER="$url"
  simulate lagging --rate 1000000 --lag 86400
  export SIMULATED_LAGGING="$url"
  simulate statuses --rate 1000000 --scenario "$ROOT/tests/counterparts/scenarios/statuses.toml"
  export SIMULATED_STATUSES="$url"
  simulate tokens --scenario "$ROOT/tests/counterparts/scenarios/tokens.toml"
  export SIMULATED_TOKENS="$url"
}

# nothing_unknown: what the SDKs sent is known to the simulators, or they say at their end what is not.
nothing_unknown() {
  if grep -H "not of the service" "$WORK"/*.log; then
    echo "the simulator does not know what an official SDK sends" >&2
    return 1
  fi
}
