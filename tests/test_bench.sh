#!/bin/sh
# The commands bench train, bench generate, bench infer, bench recommend and bench tokenize from outside: what they print, and what they
# refuse. What the figures are is not a test's business. Prints TAP.
set -u
# shellcheck source=tests/from_outside.sh
. "$(dirname "$0")/from_outside.sh"
source=${ASSISTIFY_SOURCE:-.}
globals='--threads 1'

# has LINES KEY...: the last run printed this many lines, each a JSON object with these keys, each key once
has() {
  lines=$1 missing=
  shift
  [ "$code" -eq 0 ] && [ "$(grep -c '^{.*}$' "$work/out")" -eq "$lines" ] && [ "$(wc -l <"$work/out")" -eq "$lines" ] ||
    missing="$lines lines"
  for key in "$@"; do
    [ "$(grep -o "[{,]\"$key\":[\"{0-9]" "$work/out" | wc -l)" -eq "$lines" ] || missing="$missing $key"
  done
  [ -z "$missing" ] || { echo "# exit $code, lacks $missing:" && sed 's/^/# /' "$work/out" "$work/err"; }
  [ -z "$missing" ]
  is "$lines lines with $*" $?
}

# refuses_line LINE FRAGMENT TEXT: a workload of this text (for printf) is refused with the number of the line
refuses_line() {
  # shellcheck disable=SC2059 # the text is a format, for its escapes
  printf "$3" >"$work/bad.txt"
  refuses 3 "bad.txt: line $1: $2" bench train --size tiny --workload "$work/bad.txt"
}

printf '6\t4,6,3\t2,0,5\n9\t9\t1\n4\t4,4\t3,4\n' >"$work/small.txt"
what='what model size threads isa peak_resident_bytes'
workload='workload batches rows real_tokens padded_tokens rows_per_second tokens_per_second'

# ---- train -----------------------------------------------------------------------------------------------------------
run bench train --size tiny --repeats 2 --workload "$work/small.txt" --json
# shellcheck disable=SC2086 # lists of words
has 1 $what $workload parameters steps step_ms loss planned_bytes
grep -qF '"batches":3,"rows":6,"real_tokens":30,"padded_tokens":35,' "$work/out" && grep -q '"steps":6,' "$work/out"
is 'train counts the rows, the tokens and the steps' $?
grep -q '"rows_per_second":{"median":[^,]*,"min":[^,]*,"max":[^,]*,"n":2}' "$work/out" &&
  grep -q '"step_ms":{"median":[^,]*,"min":[^,]*,"max":[^,]*,"n":6}' "$work/out"
is 'a pass is one measurement of rows a second, a step one of its time' $?
run bench train --size tiny --limit 1 --repeats 1 --workload "$work/small.txt"
[ "$code" -eq 0 ] && grep -q 'small.txt: 1 batches, 3 rows, 13 tokens (18 if padded)$' "$work/out" &&
  grep -q '^real tokens/s ' "$work/out" && grep -q '^memory: .* at its peak, .* planned$' "$work/out"
is 'train --limit takes the first batches and prints a table' $?
for arch in distilbert roberta; do
  for workload_file in "$source/bench/workloads/$arch".train.*; do
    run bench train --arch $arch --size tiny --limit 1 --repeats 1 --workload "$workload_file"
    [ "$code" -eq 0 ] && grep -q "^$arch tiny, " "$work/out" && grep -Eq ' 1 batches, (16|8) rows, ' "$work/out"
    is "train reads $(basename "$workload_file")" $?
  done
done
for size in small base; do
  workload_file=$(ls "$source/bench/workloads/t5-$size".train.*)
  run bench train --arch t5 --size tiny --limit 1 --repeats 1 --workload "$workload_file"
  [ "$code" -eq 0 ] && grep -q '^t5 tiny, ' "$work/out" && grep -q ' 1 batches, 8 rows, ' "$work/out"
  is "train reads $(basename "$workload_file")" $?
done

# ---- generate --------------------------------------------------------------------------------------------------------
run bench generate --size tiny --prompt 7 --new 5 --beams 2 --batch 3 --repeats 2 --json
# shellcheck disable=SC2086 # lists of words
has 1 $what batch beams prompt_tokens new_tokens tokens_per_second latency_ms first_token_ms loaded_resident_bytes
grep -qF '"model":"t5","size":"tiny","threads":1,' "$work/out" &&
  grep -qF '"batch":3,"beams":2,"prompt_tokens":7,"new_tokens":5,' "$work/out"
is 'generate says what it measured' $?
run bench generate --size tiny --new 3 --repeats 1
[ "$code" -eq 0 ] && grep -q '^batch 1, 1 beam, 32 tokens in, 3 out$' "$work/out" && grep -q '^tokens/s ' "$work/out" &&
  grep -q '^memory: .* at its peak, .* with the model alone$' "$work/out"
is 'generate prints a table' $?
refuses 2 'from 1 to' bench generate --beams 0

# ---- infer -----------------------------------------------------------------------------------------------------------
run bench infer --arch roberta --size tiny --tokens 3,8 --requests 4 --json
# shellcheck disable=SC2086 # lists of words
has 2 $what tokens latency_ms
grep -q '"model":"roberta","size":"tiny"' "$work/out"; is 'infer names the architecture' $?
grep -q '"tokens":8,"latency_ms":{"median":[^,]*,"min":[^,]*,"max":[^,]*,"p10":[^,]*,"p90":[^,]*,"n":4}' "$work/out"
is 'infer tells the spread of its answers' $?
run bench infer --size tiny --requests 0 --repeats 2 --workload "$work/small.txt" --json
# shellcheck disable=SC2086 # lists of words
has 1 $what $workload
run bench infer --size tiny --tokens 8 --requests 3 --workload "$work/small.txt"
[ "$code" -eq 0 ] && grep -q '^one row of *8 tokens: ' "$work/out" && grep -q '^6 rows of 30 tokens: ' "$work/out" &&
  grep -q '^memory: ' "$work/out"
is 'infer prints lines for people' $?

# ---- what is refused -------------------------------------------------------------------------------------------------
refuses_line 2 'a row of 13 tokens in a batch padded to 12' '12\t8,12\t0,1\n12\t13\t2\n'
refuses_line 3 'must begin with the length to pad to' '4\t4\t0\n4\t4\t1\n\n4\t4\t2\n'
refuses_line 1 'must begin with the length to pad to' '99999999999999999999\t1\t0\n'
refuses_line 1 '2 lengths, but 1 rows' '4\t4,4\t0\n'
refuses_line 1 'a length at "513' '600\t513\t0\n'
refuses_line 1 'a length at "0' '4\t0\t0\n'
refuses_line 1 'a row at "-1" must be a number from 0' '4\t4\t-1\n'
refuses_line 1 'a row at "" must be a number from 0' '4\t4\t\n'
refuses_line 1 '",4' '4,4\t4\t4\t0\n'
refuses_line 1 '"' '4\t4\t0\t0\n'
refuses_line 1 'has a NUL byte' '4\t4\t0\000\n'
refuses_line 1 'there is no batch' ''
# A tokenizer of one letter, and two texts of it.
printf '[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\n' >"$work/vocab.txt"
printf 'content,words\na a,2\n"a, b",3\n' >"$work/texts.csv"
run bench tokenize --tokenizer "$work/vocab.txt" --data "$work/texts.csv" --repeats 3 --json
has 1 what model rows tokens rows_per_second tokens_per_second peak_resident_bytes
grep -qF '"what":"tokenize","model":"WordPiece","rows":2,"tokens":9,' "$work/out"
is 'bench tokenize counts rows and tokens' $?
run bench tokenize --tokenizer "$work/vocab.txt" --data "$work/texts.csv"
[ "$code" -eq 0 ] && grep -qE '^WordPiece, one thread: [0-9]+ rows/s .* 2 rows, 9 tokens$' "$work/out"
is 'bench tokenize in words' $?
refuses 4 'no-such.json' bench tokenize --tokenizer "$work/no-such.json" --data "$work/texts.csv"
refuses 3 'text.csv' bench tokenize --tokenizer "$work/vocab.txt" --data "$work/text.csv"
refuses 3 "no column 'content'" bench tokenize --tokenizer "$work/vocab.txt" --data "$work/vocab.txt"
refuses 2 '--data' bench tokenize --tokenizer "$work/vocab.txt"

made='--customers 200 --catalogue 50,80 --pairs 2000'
# shellcheck disable=SC2086 # words
run bench recommend $made --dim 4 --repeats 2 --json --save "$work/pairs.csv"
has 6 what threads isa customers products pairs dim peak_resident_bytes
[ "$(sort -u "$work/pairs.csv" | wc -l)" -eq 2001 ] && grep -q '^customer_id,product_id$' "$work/pairs.csv"
is 'bench recommend saves its pairs, each once' $?
# shellcheck disable=SC2086
run bench recommend $made --dim 4 --repeats 1 -n 0 --loss als
[ "$code" -eq 0 ] && [ "$(grep -c 'training, pairs/s' "$work/out")" -eq 2 ]
is 'bench recommend in words, ALS, training only' $?
shop=$source/tests/golden/recommend/shop
run bench recommend --interactions "$shop/interactions.csv" --products "$shop/products.csv" --features category \
  --epochs 2 --repeats 1 --dim 3 --hogwild --json
has 3 what threads isa customers products pairs dim peak_resident_bytes
refuses 2 'go together' bench recommend --interactions "$shop/interactions.csv"
refuses 2 'have none' bench recommend --features category
refuses 2 'no --hogwild' bench recommend --loss als --hogwild
refuses 2 'half of the possible' bench recommend --customers 10 --catalogue 10 --pairs 90
refuses 2 'from 2 on' bench recommend --catalogue 10,1
refuses 3 'no-such.csv' bench recommend --interactions "$work/no-such.csv" --products "$shop/products.csv"

refuses 3 'no-such.txt' bench infer --size tiny --workload "$work/no-such.txt"
refuses 2 'leaves nothing to measure' bench infer --requests 0
refuses 2 'lengths from 1 to 512' bench infer --tokens 8,,3
refuses 2 'lengths from 1 to 512' bench infer --tokens 513
refuses 2 'distilbert or roberta' bench infer --arch bert
refuses 2 '--workload' bench train

echo "1..$number"
