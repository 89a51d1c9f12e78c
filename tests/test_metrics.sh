#!/bin/sh
# assistify metrics from outside: JSON lines and CSV in, JSON lines out, exit codes. Prints TAP.
set -u
# shellcheck source=tests/from_outside.sh
. "$(dirname "$0")/from_outside.sh"
input=$work/in
globals=metrics # the command of every run

# ---- JSON lines ------------------------------------------------------------
printf '{"b":0,"c":0}\r\n{"id":"x","c":0,"b":5}\n' >"$work/in"
run mcnemar
[ "$code" -eq 0 ] && [ "$(head -n 1 "$work/out")" = \
  '{"exact_p":1.0,"midp":1.0,"chi2_cc":0.0,"chi2_cc_p":1.0,"chi2":0.0,"chi2_p":1.0}' ]
is 'no discordant pair is no evidence' $?
[ "$(wc -l <"$work/out")" -eq 2 ]; is 'one line for each line' $?
cp "$work/in" "$work/lines.jsonl"
cp "$work/out" "$work/from-stdin"
run mcnemar --input "$work/lines.jsonl"
cmp -s "$work/out" "$work/from-stdin"; is 'a file gives the same as standard input' $?

printf '{"hyp":"caf\\u00e9","refs":["caf\\u00e9"]}\n' >"$work/in"
run text
grep -q '"exact_match":true' "$work/out"; is 'text compares code points' $?

printf '{"b":1,"c":2}\n{"b":1}\n{"b":1,"c":2}\n' >"$work/in"
gives 3 'line 2' mcnemar
[ "$(wc -l <"$work/out")" -eq 1 ]; is 'what came before a wrong line is printed' $?
printf '{"b":1,"c":2}\n{"b":1,' >"$work/in"
gives 3 'line 2' mcnemar
printf '{"b":1,"c":2}\n\n' >"$work/in"
gives 3 'line 2' mcnemar
gives 3 'no-such-file' mcnemar --input "$work/no-such-file"
: >"$work/in"
run mcnemar
[ "$code" -eq 0 ] && [ ! -s "$work/out" ]; is 'nothing in, nothing out' $?

# ---- CSV ------------------------------------------------------------
printf 'y_pred,text,y_true\nbuy,"a, b",buy\nzoo,x, buy\n"o""k",y,"o""k"\n' >"$work/in"
run classification --format csv
[ "$code" -eq 0 ] && grep -qF '"confusion":[[1,0,1],[0,1,0],[0,0,0]]' "$work/out" &&
  grep -qF '"labels":["buy","o\"k","zoo"]' "$work/out"
is 'CSV of labels: numbered by bytes' $?
cp "$work/in" "$work/answers.csv"
cp "$work/out" "$work/from-stdin"
run classification --input "$work/answers.csv"
cmp -s "$work/out" "$work/from-stdin"; is 'a name in .csv is CSV' $?
sed '1s/y_true/intent/' "$work/answers.csv" >"$work/in"
run classification --format csv --truth-col intent
cmp -s "$work/out" "$work/from-stdin"; is '--truth-col names the column' $?
gives 3 "y_true" classification --format csv
printf 'y_true,y_pred\na,b\n,b\n' >"$work/in"
gives 3 'line 3' classification --format csv
printf 'y_true,y_pred\na,b\na\n' >"$work/in"
gives 3 'line 3' classification --format csv
printf 'y_true,y_pred\n' >"$work/in"
gives 3 'no rows' classification --format csv

# ---- usage ------------------------------------------------------------
gives 2 "no metrics are called 'clasification'" clasification
gives 2 'not CSV' mcnemar --input "$work/no-such-file.csv"
gives 2 'assistify metrics --help'
gives 2 'jsonl' classification --format xml

echo "1..$number"
