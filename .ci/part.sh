# shellcheck shell=bash
# For scripts that run in parts. Source it with bash.

# part NAME COMMAND...: runs the command between two lines with its name and its time in seconds. Ends the script
# when the command fails. File descriptor 4, if it is open, gets a line for the summary.
part() {
  local name=$1 start=$SECONDS code=0 took
  shift
  printf '\n== %s (%s)\n' "$name" "$(date +%T)"
  "$@" 4>&- || code=$?
  took=$((SECONDS - start))
  if [ "$code" = 0 ]; then
    printf '== %s: %d s\n' "$name" "$took"
  else
    printf '== %s: failed with exit code %d after %d s\n' "$name" "$code" "$took"
    name="$name (failed)"
  fi
  if { : >&4; } 2>/dev/null; then printf '%6d s  %s\n' "$took" "$name" >&4; fi
  [ "$code" = 0 ] || exit "$code"
}
