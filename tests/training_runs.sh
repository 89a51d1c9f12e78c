# shellcheck shell=sh
# What the tests of training from outside share: a folder to work in, results as TAP, and runs of the program that are
# stopped and resumed. A test sources this first and ends with: echo "1..$number". Nothing that was started or written
# here outlives the test.
#
# A test sets:
#   trainer   the command that trains, as words: pretrain, train intent
#   recipe    its options but --out, as words
#   whole     the folder of the undisturbed run
#   compared  the files in which a resumed run must not differ from it (default: the weights and the steps)
#   about     what the names of results begin with (default: nothing)
# shellcheck disable=SC2154 # those
program=${ASSISTIFY_BUILD:-.}/assistify
base=$(mktemp -d "${TMPDIR:-/tmp}/assistify-training.XXXXXX") || exit 99
work=$base # a test with several parts may give each a folder of its own below $base
running=
trap '[ -z "$running" ] || kill -9 "$running" 2>/dev/null; rm -rf "$base"' EXIT
trap 'exit 129' HUP INT TERM # so that the trap above runs
unset ASSISTIFY_CONFIG
number=0
about=
compared='model.safetensors train.jsonl'

# is NAME STATUS: one test; STATUS 0 is a pass
is() {
  number=$((number + 1))
  [ "$2" -eq 0 ] && echo "ok $number - $about$1" && return
  echo "not ok $number - $about$1"
  sed 's/^/# /' "$work/err" | tail -n 5
}

# run ARGUMENTS...: standard output, standard error and exit code to $work/out, $work/err and $code
run() {
  "$program" "$@" >"$work/out" 2>"$work/err" </dev/null
  code=$?
}

# gives CODE FRAGMENT ARGUMENTS...: the exit code, and a text that standard error must have
gives() {
  wanted=$1 fragment=$2
  shift 2
  run "$@"
  [ "$code" -eq "$wanted" ] && grep -qF -e "$fragment" "$work/err"
  result=$?
  [ "$result" -eq 0 ] || echo "# exit $code"
  is "exit $wanted, says '$fragment'" "$result"
}

# begin ARGUMENTS...: like run, but doesn't wait; pid in $running
begin() {
  "$program" "$@" >"$work/out" 2>"$work/err" </dev/null &
  running=$!
}

# await COMMAND...: until it succeeds or the run has ended
await() {
  until "$@"; do
    kill -0 "$running" 2>/dev/null || return
    sleep 0.02
  done
}

# steps_done OUT STEPS: whether so many are recorded
steps_done() { [ -f "$1/train.jsonl" ] && [ "$(wc -l <"$1/train.jsonl")" -ge "$2" ]; }

# stop SIGNAL: sends it and waits; exit code in $code
stop() {
  kill "-$1" "$running" 2>/dev/null
  wait "$running" 2>/dev/null
  code=$?
  running=
}

# stopped SIGNAL OUT STEPS: a training into OUT that gets the signal after so many steps; exit code in $code
stopped() {
  # shellcheck disable=SC2086 # lists of words
  begin $trainer $recipe --out "$2"
  await steps_done "$2" "$3"
  stop "$1"
}

# resumes OUT: goes on, and holds the result against the undisturbed run
resumes() {
  # shellcheck disable=SC2086 # a list of words
  run $trainer --resume "$1"
  [ "$code" -eq 0 ] || return 1
  for file in $compared; do cmp -s "$whole/$file" "$1/$file" || return 1; done
  [ ! -e "$1/training" ]
}
