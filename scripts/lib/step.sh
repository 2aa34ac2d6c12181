# Sourced by shell scripts that must run before anything is installed. Runs steps one after the other with
# their output in .deps/log/NAME.log, says what runs, which step of how many, how far it is (from ninja's
# "[n/m]" or apt's own words) and how long it took, and shows the end of the log when a step fails.

step_total=0 step_number=0

step_count() { step_total=$1; }

step_skip() {
  step_number=$((step_number + 1))
  echo "[$step_number/$step_total] $1"
}

# How far a step is, by its log: the last "[n/m]", or the packages that apt has set up.
step_progress() {
  local log=$1 at
  at=$(tail -n 40 "$log" 2>/dev/null | grep -oE '^\[[0-9]+/[0-9]+\]' | tail -n 1 || true)
  if [ -z "$at" ]; then
    local of
    of=$(grep -oE '[0-9]+ newly installed' "$log" 2>/dev/null | tail -n 1 | cut -d' ' -f1 || true)
    [ -z "$of" ] || at="[$(grep -cE '^Setting up ' "$log" || true)/$of]"
  fi
  [ -z "$at" ] || echo "$at "
}

# step WHAT NAME COMMAND [ARG...]
step() {
  local what=$1 log=.deps/log/$2.log began=$SECONDS told=$SECONDS status=0 job
  shift 2
  step_number=$((step_number + 1))
  echo "[$step_number/$step_total] $what ..."
  "$@" >"$log" 2>&1 </dev/null &
  job=$!
  while kill -0 "$job" 2>/dev/null; do
    sleep 0.2
    if [ $((SECONDS - told)) -ge 10 ]; then
      told=$SECONDS
      echo "      $(step_progress "$log")$((SECONDS - began)) s"
    fi
  done
  wait "$job" || status=$?
  if [ "$status" != 0 ]; then
    echo "FAILED after $((SECONDS - began)) s with status $status: $what" >&2
    echo "The end of $log:" >&2
    tail -n 25 "$log" | sed 's/^/    /' >&2
    exit 1
  fi
  echo "      done in $((SECONDS - began)) s"
}
