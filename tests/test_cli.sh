#!/bin/sh
# The program from outside: usage, help, manual, completion, streams. Prints TAP.
set -u
# shellcheck source=tests/from_outside.sh
. "$(dirname "$0")/from_outside.sh"

# Commands as the help lists them: two words where the second column of the name has a second word.
run --help
commands=$(sed -n '/^Commands:/,/^$/p' "$work/out" | sed -n 's/^  \([a-z]\{1,\}\( [a-z]\{1,\}\)\{0,1\}\).*/\1/p')
[ "$code" -eq 0 ] && [ -n "$commands" ]; is '--help lists commands' $?

# ---- usage -----------------------------------------------------------------------------------------------------------
refuses 2 'no command was given'
refuses 2 "did you mean 'doctor'?" doctr
refuses 2 "did you mean '--threads'?" --treads 2 doctor
refuses 2 "did you mean '--json'?" doctor --jsno
refuses 2 'from 1 to 1024' doctor --threads 0
refuses 2 'from 1 to 1024' --threads two doctor
refuses 2 'needs a whole number' doctor --threads
refuses 2 'takes options only' doctor now
refuses 2 'nonexistent.conf' --config "$work/nonexistent.conf" doctor
printf 'threads = 1\nthraeds = 2\n' >"$work/bad.conf"
refuses 2 "bad.conf: line 2: no option is called 'thraeds' (did you mean 'threads'?)" --config "$work/bad.conf" doctor
run doctor --threads many
awk 'length > 80 { exit 1 }' "$work/err"; is 'a usage message fits 80 columns' $?

# A usage error is found before any file is read: a named pipe without a writer would block, an absent file would be exit 3.
echo "$commands" >"$work/commands"
bad=
while IFS= read -r command; do
  # shellcheck disable=SC2086 # the words of a command are words
  run $command --no-such-option
  [ "$code" -eq 2 ] || bad="$bad [$command: $code]"
done <"$work/commands"
[ -z "$bad" ]; is "an unknown option is exit 2 with every command$bad" $?

# ---- help ------------------------------------------------------------------------------------------------------------
bad=
while IFS= read -r command; do
  # shellcheck disable=SC2086
  run $command --help
  [ "$code" -eq 0 ] && [ ! -s "$work/err" ] && grep -q "^Usage: assistify $command" "$work/out" || bad="$bad [$command: exit $code]"
  awk 'length > 80 { exit 1 } / $/ { exit 1 }' "$work/out" || bad="$bad [$command: wide or ragged]"
  cat "$work/out" >>"$work/all-help"
done <"$work/commands"
[ -z "$bad" ]; is "every command has help of at most 80 columns$bad" $?
run --help
cat "$work/out" >>"$work/all-help"
awk 'length > 80 { exit 1 }' "$work/out"; is '--help has at most 80 columns' $?
"$program" help doctor >"$work/help" && "$program" doctor --help | cmp -s - "$work/help"; is 'help COMMAND is COMMAND --help' $?

# ---- manual pages ------------------------------------------------------------------------------------------------------
mkdir "$work/man"
run --manual
[ "$code" -eq 0 ] && grep -q '^\.TH ASSISTIFY 1' "$work/out"; is '--manual prints the manual page of the program' $?
cp "$work/out" "$work/man/assistify.1"
sed 's/\\f[BIR]//g; s/\\-/-/g' "$work/man/assistify.1" >"$work/manual.txt"
bad=
while IFS= read -r command; do
  # shellcheck disable=SC2086
  run $command --manual
  page=assistify-$(echo "$command" | tr ' ' -)
  sed 's/\\f[BIR]//g; s/\\-/-/g' "$work/out" >"$work/page.txt"
  [ "$code" -eq 0 ] && grep -q "^$page - [a-z]" "$work/page.txt" && grep -q "^assistify $command \[options\]" "$work/page.txt" &&
    grep -qxF "$page(1)" "$work/manual.txt" || bad="$bad [$command]"
  cp "$work/out" "$work/man/$page.1"
done <"$work/commands"
[ -z "$bad" ]; is "every command has a manual page, which that of the program names$bad" $?
sed 's/\\f[BIR]//g; s/\\-/-/g' "$work"/man/*.1 >"$work/manual.txt"
# The options of the completion script are those of the table.
run --completion
cp "$work/out" "$work/completion"
missing=
for option in $(sed -n "s/.*options+='\(.*\)'.*/\1/p" "$work/completion" | tr ' ' '\n' | sort -u); do
  grep -q -e "$option\( \|$\|,\|\[\)" "$work/all-help" || missing="$missing $option(help)"
  grep -q -e "$option\( \|$\|,\|\[\)" "$work/manual.txt" || missing="$missing $option(manual)"
done
[ -z "$missing" ]; is "every option is in help and manual$missing" $?
source=${ASSISTIFY_SOURCE:-.}
formats=$source/docs/formats.md
awk -v version=1 -f "$source/docs/formats_man.awk" "$formats" >"$work/man/assistify-formats.5" 2>"$work/err" &&
  [ "$(grep -c '^\.S[HS] ' "$work/man/assistify-formats.5")" -eq $(($(sed '/^```/,/^```/d' "$formats" | grep -c '^#') + 2)) ]
is 'the page of the formats has all its sections' $?
! grep -n '`\|](\|^|\|^##' "$work/man/assistify-formats.5" >"$work/lint"; is 'nothing of Markdown is left in it' $?
sed 's/^/# /' "$work/lint"
if command -v mandoc >/dev/null; then # the pages have no date, so that a build is the same tomorrow
  mandoc -T lint -W warning "$work"/man/*.[15] 2>&1 | grep -v 'missing date' >"$work/lint"
  sed 's/^/# /' "$work/lint"
  [ ! -s "$work/lint" ]; is 'mandoc finds nothing wrong with the manual pages' $?
fi
if command -v groff >/dev/null; then
  for page in "$work"/man/*.[15]; do groff -man -Tutf8 -Kutf8 -ww -b "$page" 2>&1 >/dev/null; done >"$work/lint"
  sed 's/^/# /' "$work/lint"
  [ ! -s "$work/lint" ]; is 'groff finds nothing wrong with the manual pages' $?
fi

# ---- completion --------------------------------------------------------------------------------------------------------
mkdir -p "$work/store/intent/v0001" "$work/store/intent/v0012" "$work/store/mood/v0002"
ln -s v0012 "$work/store/intent/champion"
if command -v bash >/dev/null; then
  bash -n "$work/completion"; is 'bash parses the completion script' $?
  # offered WORDS...: what is offered for the last one, the words cut as bash cuts them
  cat >"$work/complete.bash" <<'EOF'
source "$1"
shift
COMP_WORDS=(assistify "$@")
COMP_CWORD=$#
_assistify
echo "${COMPREPLY[*]}"
EOF
  offered() { bash "$work/complete.bash" "$work/completion" "$@" 2>/dev/null; }
  [ "$(offered doc)" = doctor ]; is 'completes a command' $?
  [ "$(offered --models "$work" train int)" = intent ]; is 'completes the second word of a command' $?
  [ "$(offered --thr)" = --threads ]; is 'completes a global option' $?
  [ "$(offered --threads 2 --quiet doctor --js)" = --json ]; is "completes a command's option" $?
  [ "$(offered train intent --schedule co)" = 'cosine constant' ]; is "completes an option's words" $?
  [ -z "$(offered doctor --threads '')" ]; is 'offers nothing for a number' $?
  : >"$work/some file"
  [ "$(offered --config "$work/some")" = "$work/some file" ]; is 'completes a file' $?
  [ "$(offered --models "$work/store" predict intent --model i)" = 'intent intent/1 intent/12 intent@champion' ] &&
    [ "$(offered models --models = "$work/store" show intent/)" = 'intent/1 intent/12' ] &&
    [ "$(offered models --models "$work/store" promote intent @ ch)" = '@champion' ] &&
    [ "$(offered --models "$work/store" compare intent intent/1 m)" = 'mood mood/2' ] &&
    [ "$(cd "$work" && offered evaluate intent --model sto)" = store ]
  is 'completes models of the store, and folders' $?
  [ "$(offered retrain sen)" = sentiment ] && [ "$(offered config show tra)" = train ] &&
    [ "$(offered config show train sen)" = sentiment ]
  is 'completes operands that are words' $?
fi
if command -v zsh >/dev/null; then
  "$program" --completion=zsh >"$work/_assistify"
  zsh -n "$work/_assistify"; is 'zsh parses its completion script' $?
fi
if command -v fish >/dev/null; then
  "$program" --completion=fish >"$work/assistify.fish"
  fished() { (cd "$work" && HOME=$work fish -c "source '$work/assistify.fish'; complete -C 'assistify $*'") 2>/dev/null | cut -f 1 | tr '\n' ' '; }
  [ "$(fished doc)" = 'doctor ' ] && [ "$(fished train intent --schedule co)" = 'constant cosine ' ] &&
    [ "$(fished --models "$work/store" models show in)" = 'intent intent/1 intent/12 intent@champion ' ]
  is 'fish completes by its script' $?
fi
refuses 2 'bash, zsh or fish' --completion=tcsh

# ---- version, doctor ---------------------------------------------------------------------------------------------------
run --version
[ "$code" -eq 0 ] && grep -q '^assistify [0-9]' "$work/out" && grep -q '^kernels' "$work/out" && grep -q 'jansson [0-9]' "$work/out"
is '--version tells version, kernels and libraries' $?
run doctor
[ "$code" -eq 0 ] && ! grep -q FAIL "$work/out"; is 'doctor finds nothing wrong' $?
run doctor --json --threads 2
[ "$code" -eq 0 ] && [ "$(wc -l <"$work/out")" -eq 1 ]; is 'doctor --json prints one line' $?
if command -v jq >/dev/null; then
  jq -e '.ok == true and .threads == 2 and (.kernels.chosen | length > 0) and ([.tests[].ok] | all)' "$work/out" >/dev/null
  is 'doctor --json is JSON with the findings' $?
fi
ASSISTIFY_ISA=scalar run doctor --json
grep -q '"chosen":"scalar"' "$work/out"; is 'ASSISTIFY_ISA forces an instruction set' $?
ASSISTIFY_ISA=pdp11 run doctor
[ "$code" -eq 1 ] && grep -q 'pdp11' "$work/err"; is 'an unknown instruction set is refused' $?

# ---- configuration --------------------------------------------------------------------------------------------
printf '[doctor]\njson = yes\nthreads = 1\n' >"$work/good.conf"
run --config "$work/good.conf" doctor
grep -q '"threads":1' "$work/out"; is 'the configuration file gives defaults' $?
ASSISTIFY_CONFIG=$work/good.conf run doctor --threads 2
grep -q '"threads":2' "$work/out"; is 'ASSISTIFY_CONFIG names it, the command line wins' $?

# ---- environment, config show ------------------------------------------------------------------------------------------
printf '# mine\nseed = 7\n[train]\nepochs = 9\n[train intent]\nthreads = 2\nlabel-col = "a # b"\n' >"$work/my.conf"
# run_with VARIABLES ARGUMENTS...: run with more in the environment
run_with() {
  variables=$1
  shift
  # shellcheck disable=SC2086 # the variables are words
  env $variables "$program" "$@" >"$work/out" 2>"$work/err" </dev/null
  code=$?
}
# shown OPTION SOURCE VALUE: the row of the table in $work/out
shown() { grep -q "^  $1 *$2  *$3\$" "$work/out"; }
(cd "$work" && ASSISTIFY_BATCH=4 ASSISTIFY_TRAIN_EPOCHS=5 "$program" config show train intent --config my.conf --models m) \
  >"$work/out" 2>"$work/err"
shown threads my.conf:6 2 && shown batch ASSISTIFY_BATCH 4 &&
  shown epochs ASSISTIFY_TRAIN_EPOCHS 5 && shown models 'command line' m && shown overwrite default no &&
  grep -q "configuration file is my.conf" "$work/err"
is 'config show tells where each value comes from' $?
(cd "$work" && cp my.conf assistify.conf && "$program" config show train intent) >"$work/out" 2>"$work/err"
shown epochs assistify.conf:4 9 && shown label-col assistify.conf:7 'a # b'; is 'assistify.conf is read where the program runs' $?
(cd "$work" && ASSISTIFY_CONFIG='' "$program" config show train intent) >"$work/out" 2>"$work/err"
! grep -q assistify.conf "$work/out" && grep -q 'no configuration file' "$work/err"; is 'an empty ASSISTIFY_CONFIG reads none' $?
rm -f "$work/assistify.conf"
run config show
[ "$code" -eq 0 ] && grep -q "^all commands:$" "$work/out" && [ "$(grep -c "^train intent:$" "$work/out")" -eq 1 ]
is 'config show lists the commands' $?
awk 'length > 80 { exit 1 } / $/ { exit 1 }' "$work/out"; is 'config show has at most 80 columns' $?
run config show --changed
[ "$code" -eq 0 ] && [ ! -s "$work/out" ]; is 'config show --changed shows nothing where all is default' $?
if command -v jq >/dev/null; then
  run_with ASSISTIFY_BATCH=4 config show train intent --json --config "$work/my.conf"
  jq -es --arg conf "$work/my.conf" 'map({key: .option, value: .}) | from_entries |
    .batch.value == 4 and .batch.source == "environment" and .batch.where == "ASSISTIFY_BATCH" and
    .epochs.where == ($conf + ":4") and .epochs.source == "file" and .overwrite.value == false and .data.value == null and
    .data.source == "default" and .data.command == "train intent"' "$work/out" >/dev/null
  is 'config show --json is JSON, a line each' $?
fi
refuses 2 "did you mean 'train intent'?" config show train intnet
refuses 2 "there is no command 'zebra'" config example zebra
refuses 2 'bad.conf: line 2' config check "$work/bad.conf"
refuses 2 'no configuration file is read' config check
printf '[train]\nbatch = 4\nbatch-tokens = 100\n' >"$work/both.conf"
refuses 2 'contradict each other' config check "$work/both.conf"
printf '[train]\nepochs = many\n' >"$work/other.conf"
run --config "$work/other.conf" doctor
[ "$code" -eq 0 ]; is "another command's value is not looked at" $?
refuses 2 'other.conf: line 2: epochs needs' config check "$work/other.conf"
run config check "$work/my.conf"
[ "$code" -eq 0 ] && grep -q 'nothing is wrong' "$work/out"; is 'config check finds nothing wrong' $?
run config example
cp "$work/out" "$work/example.conf"
awk 'length > 80 { exit 1 }' "$work/out"; is 'config example has at most 80 columns' $?
run config check "$work/example.conf"
[ "$code" -eq 0 ]; is 'config example is a configuration file' $?
"$program" config example doctor | sed 's/^#threads = N/#threads = 1/; s/^#\([a-z-]* = \)/\1/' >"$work/example.conf"
run doctor --config "$work/example.conf"
[ "$code" -eq 0 ] && grep -q '^threads = 1' "$work/example.conf"; is 'its keys can be set' $?
run_with 'ASSISTIFY_THREADS=1 ASSISTIFY_DOCTOR_JSON=yes' doctor
grep -q '"threads":1' "$work/out" && [ ! -s "$work/err" ]; is 'the environment gives values' $?
run_with ASSISTIFY_THREADS=zero doctor
[ "$code" -eq 2 ] && grep -q 'ASSISTIFY_THREADS needs a whole number' "$work/err"; is 'a wrong value of the environment is named' $?
run_with 'ASSISTIFY_THREDS=2 ASSISTIFY_HOME=/nowhere' doctor
[ "$code" -eq 0 ] && [ "$(wc -l <"$work/err")" -eq 1 ] && grep -q 'did you mean ASSISTIFY_THREADS?' "$work/err"
is 'a variable that is nearly an option gets a warning' $?

# ---- streams -----------------------------------------------------------------------------------------------------------
if [ -c /dev/full ]; then
  "$program" doctor >/dev/full 2>"$work/err"
  [ $? -eq 1 ] && grep -q 'could not be written' "$work/err"; is 'a full disk is exit 1' $?
fi
"$program" doctor >&- 2>"$work/err"
[ $? -eq 1 ] && grep -q 'could not be written' "$work/err"; is 'a closed standard output is exit 1' $?
{ "$program" --manual 2>"$work/err"; echo $? >"$work/code"; } | :
[ "$(cat "$work/code")" -eq 0 ] && [ ! -s "$work/err" ]; is 'a reader that went away is no failure' $?

echo "1..$number"
