# shellcheck shell=sh
# What the tests that run the program share: a folder to work in, runs of the program, and results as TAP. A test sources
# this first and ends with: echo "1..$number". Nothing that was started or written here outlives the test.
#
# A test may set:
#   globals   global options of every run, as words (default: none)
#   input     the file that runs read as standard input (default: none)
#   about     what the names of results begin with (default: nothing)
#   cleanup   a command that is run before the folder is removed (default: none)
# shellcheck disable=SC2034 # which a test uses
program=${ASSISTIFY_BUILD:-.}/assistify
case $program in /*) ;; *) program=$PWD/$program ;; esac
base=$(mktemp -d "${TMPDIR:-/tmp}/assistify-test.XXXXXX") || exit 99
work=$base # a test with several parts may give each a folder of its own below $base
globals='' input=/dev/null about='' cleanup=true running='' number=0
trap '[ -z "$running" ] || kill -9 "$running" 2>/dev/null; $cleanup; rm -rf "$base"' EXIT
trap 'exit 129' HUP INT TERM # so that the trap above runs
unset ASSISTIFY_CONFIG

# is NAME STATUS: one test; STATUS 0 is a pass
is() {
  number=$((number + 1))
  [ "$2" -eq 0 ] && echo "ok $number - $about$1" && return
  echo "not ok $number - $about$1"
  [ ! -f "$work/err" ] || sed 's/^/# /' "$work/err" | tail -n 5
}

# run ARGUMENTS...: standard output, standard error and exit code to $work/out, $work/err and $code
run() {
  # shellcheck disable=SC2086 # a list of words
  "$program" $globals "$@" >"$work/out" 2>"$work/err" <"$input"
  code=$?
}

# gives CODE FRAGMENT ARGUMENTS...: the exit code, and a text that standard output or standard error must have
gives() {
  wanted=$1 fragment=$2
  shift 2
  run "$@"
  [ "$code" -eq "$wanted" ] && cat "$work/out" "$work/err" | grep -qF -e "$fragment"
  result=$?
  [ "$result" -eq 0 ] || echo "# exit $code: $*"
  is "${1-}${2:+ $2}: exit $wanted, says '$fragment'" "$result"
}

# refuses CODE FRAGMENT ARGUMENTS...: the exit code, a text that standard error must have, and no output
refuses() {
  wanted=$1 fragment=$2
  shift 2
  run "$@"
  [ "$code" -eq "$wanted" ] && grep -qF -e "$fragment" "$work/err" && [ ! -s "$work/out" ]
  result=$?
  [ "$result" -eq 0 ] || echo "# exit $code"
  is "exit $wanted, says '$fragment': $*" "$result"
}

# begin ARGUMENTS...: like run, but doesn't wait; pid in $running
begin() {
  # shellcheck disable=SC2086 # a list of words
  "$program" $globals "$@" >"$work/out" 2>"$work/err" <"$input" &
  running=$!
}

# await COMMAND...: until it succeeds or the run has ended
await() {
  until "$@"; do
    kill -0 "$running" 2>/dev/null || return
    sleep 0.02
  done
}

# stop SIGNAL: sends it and waits; exit code in $code
stop() {
  kill "-$1" "$running" 2>/dev/null
  wait "$running" 2>/dev/null
  code=$?
  running=
}
