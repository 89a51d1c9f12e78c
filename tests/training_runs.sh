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
# shellcheck source=tests/from_outside.sh
. "$(dirname "$0")/from_outside.sh"
compared='model.safetensors train.jsonl'

# steps_done OUT STEPS: whether so many are recorded
steps_done() { [ -f "$1/train.jsonl" ] && [ "$(wc -l <"$1/train.jsonl")" -ge "$2" ]; }

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
