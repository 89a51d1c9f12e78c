#!/bin/sh
# train all and analyze from outside: plan, summary, what is left out, answers, failures, interruptions and kills. Prints
# TAP.
set -u
[ -n "${TMPDIR-}" ] || [ ! -w /dev/shm ] || TMPDIR=/dev/shm # thousands of small files are brought to the disk here
# shellcheck source=tests/from_outside.sh
. "$(dirname "$0")/from_outside.sh"
cleanup="chmod -R u+w $base"
cd "$work" || exit 99

"$program" data synth --shop data --customers 60 --seed 3 || exit 99
"$program" data synth --rows-per-class 24 --seed 3 --out data/messages.csv || exit 99
cat >a.conf <<END
[train]
vocab-size = 300
batch = 8
max-length = 32
save-every = 1
epochs = 2
[train response]
max-target-length = 16
[train recommend]
epochs = 2
END
globals="--config a.conf --models store"
all='--data-dir data --size tiny --seed 5'
weights() { (cd "$1" && for m in intent sentiment response recommend; do sha256sum $m/v0001/model.safetensors; done); }
narrow() { awk 'length($0) > 80 { print; wide = 1 } END { exit wide }' "$1"; }
json() { python3 -c 'import json, sys; d = json.load(sys.stdin); sys.exit(not ('"$1"'))' <out; }
command -v python3 >/dev/null || json() { grep -q '^{.*}$' out; }

# ---- wrong usage and data ------------------------------------------------------------------------------------------
refuses 2 'needs --data-dir' train all
refuses 3 'nowhere: is no folder' train all --data-dir nowhere
mkdir empty
gives 3 'nothing to train here' train all --data-dir empty
grep -q 'intent     left out: there is no empty/messages.csv' out && narrow out; is 'the plan says what is not there' $?
[ ! -e store ]; is 'a start that comes to nothing leaves no store' $?
refuses 2 'none of intent' train all $all --only intent,reply
refuses 2 'contradict each other' train all $all --only intent --without response
refuses 4 'no `train all` here' train all --resume
refuses 2 'contradict each other' train all --resume --data-dir data
mkdir odd && echo 'text,intent' >odd/messages.csv && echo 'hello,buy' >>odd/messages.csv
gives 3 'odd/messages.csv has no column content' train all --data-dir odd
gives 3 'intent     failed: odd/messages.csv has no column content' train all --data-dir odd --only intent
printf 'content,intent\n"open' >odd/messages.csv
gives 3 'line 2' train all --data-dir odd
printf 'content,intent,sentiment\nbuy it,buy,good\nwhere,track,\n' >odd/messages.csv
gives 3 'response   left out: odd/messages.csv has no column response' train all --data-dir odd --dry-run
chmod 000 odd/messages.csv
[ -r odd/messages.csv ] || gives 3 'odd/messages.csv' train all --data-dir odd
chmod 644 odd/messages.csv

export ASSISTIFY_TRAIN_INTENT_OUT=elsewhere
gives 2 'intent     failed: train intent would put its model into elsewhere' train all $all --only intent
unset ASSISTIFY_TRAIN_INTENT_OUT
[ ! -e store ] && [ ! -e elsewhere ]; is 'and nothing is trained' $?

# ---- the plan --------------------------------------------------------------------------------------------------------
gives 0 'together' train all $all --dry-run
narrow out && [ ! -e store ] && [ "$(grep -c ' MiB$' out)" -eq 5 ]; is 'a plan for each, 80 columns wide, and nothing is made' $?
grep -q '^response .* 2 ' out; is 'epochs come from the configuration file' $?
gives 0 '"expected_seconds"' train all $all --dry-run --json --epochs 3
json 'd["models"][2]["epochs"] == 3 and d["models"][3]["epochs"] == 2 and d["models"][0]["state"] == "waiting"'
is '--epochs is of those that read messages' $?

# ---- the whole -------------------------------------------------------------------------------------------------------
"$program" --config a.conf --models whole train all $all >out 2>err; code=$?
[ "$code" -eq 0 ] && narrow out && [ "$(grep -c '  done$' out)" -eq 4 ]; is 'all four are trained' $?
grep -q 'accuracy .* %, macro-F1 .* %; beside it: always the commonest' out && grep -q "BLEU .*; beside it: the most" out
is 'figures stand beside the simplest answers' $?
for m in intent sentiment response recommend; do [ -s whole/$m/champion/card.md ] || break; done; is 'each is a version with its card' $?
grep -qF -- '--epochs 2' whole/intent/v0001/card.md && grep -qF -- '--seed 5' whole/intent/v0001/card.md; is 'which says how it was made' $?
[ ! -e whole/train_all.json ]; is 'nothing is left to go on with' $?
"$program" --models whole models verify >out 2>err; is 'the store verifies' $?

# ---- analyze: what the commands say one by one ------------------------------------------------------------------------
# together OPTION... : analyze prints, but for the time, what the commands print
together() {
  said='I want to buy the "gold" lamp'
  i=$("$program" --models whole predict intent "$said" 2>err) && s=$("$program" --models whole predict sentiment "$said" 2>err) &&
    r=$("$program" --models whole respond "$said" 2>err) || return 1
  if [ $# -gt 0 ]; then
    case $i in
    '{"intent":"purchase"'* | '{"intent":"inquiry"'*)
      p=$("$program" --models whole recommend 7 --type purchase --message "$said" -n 3 2>err) || return 1 ;;
    *) p=$("$program" --models whole recommend 7 -n 3 2>err) || return 1 ;;
    esac
  else
    p=$("$program" --models whole recommend --type trending -n 3 2>err) || return 1
  fi
  "$program" --models whole analyze "$said" "$@" >out 2>err || return 1
  printf '{"text":"%s","intent":%s,"sentiment":%s,"response":%s,"recommendations":%s}\n' 'I want to buy the \"gold\" lamp' \
    "$i" "$s" "$r" "$p" >expected
  sed 's/,"latency_ms":[0-9.]*}$/}/' out | cmp -s - expected
}
together; is 'analyze says what each command says' $?
together --customer 7; is 'and for a customer' $?
cp data/messages.csv good.csv
(echo 'content,customer_id'; sed -n '2,150s/^\("[^"]*"\|[^,"]*\),.*/\1,7/p' good.csv; echo '" ",7') >rows.csv
"$program" --models whole analyze --input rows.csv >out 2>err; code=$?
"$program" --models whole predict intent --input rows.csv >expected 2>err
[ "$code" -eq 0 ] && [ "$(wc -l <out)" -eq "$(wc -l <expected)" ] && [ "$(wc -l <out)" -gt 100 ]; is 'a line for each row of a file' $?
sed -n 's/^{"text":.*,"intent":\({"intent":[^}]*}[^}]*}\),"sentiment":.*/\1/p; s/^\({"error":.*\)$/\1/p' out | cmp -s - expected
is 'with the same bytes, and an empty text is an error in its place' $?
[ "$(grep -c '"customer_id":"7".*"known_customer":true' out)" -gt 100 ]; is 'the file says who the customer is' $?
"$program" --models whole analyze 'Where is my parcel? I have waited for two weeks and nobody answers the telephone, day or night' ' ' \
  --customer 7 --table >out 2>err && narrow out && [ "$(grep -c '^  [irs][a-z]*  *[^ ]' out)" -eq 3 ] && tail -n 1 out | grep -q '^error: '
is '--table prints lines for people' $?
head -n 3 rows.csv | tail -n 2 | tr -d '"' | "$program" --models whole analyze >out 2>err && [ "$(wc -l <out)" -eq 2 ]
is 'lines of standard input are messages' $?
"$program" --models whole analyze 'where is it' --log --db log.db >out 2>err && grep -q '"request_id":"[0-9a-f]*","latency_ms"' out && [ -s log.db ]
is '--log gives the answer an id' $?
mkdir -p part && cp -r whole/intent part/
"$program" --models part analyze a b >out 2>err
[ "$(grep -c '"sentiment":null,"response":null,"recommendations":null' out)" -eq 2 ] && [ "$(grep -c 'no model for response in part' err)" -eq 1 ]
is 'models that are not there are null, and told once' $?
refuses 4 'there is no model here' analyze hello
refuses 4 'intent/v0009' --models whole analyze hello --intent-model intent/9
refuses 2 'not both' analyze hello --input rows.csv

# ---- a failure loses nothing ------------------------------------------------------------------------------------------
cp -r data worse && sed -i '5s/^.*$/a,b,c,d,e,f,g/' worse/messages.csv
gives 3 'recommend  1 champion' train all --data-dir worse --size tiny --json=no
[ "$(grep -c 'failed: worse/messages.csv: line 5' out)" -ge 3 ] && narrow out; is 'those that cannot be trained failed, with the line' $?
gives 3 '"exit_code":3' train all --data-dir worse --only intent,recommend --json
json '[m["state"] for m in d["models"]] == ["failed", "left out", "left out", "done"] and d["models"][3]["alias"] == "challenger"'
is 'JSON says it too' $?
awk -F, 'NR == 1 { print "content,intent,sentiment"; next } { print "word" NR "," "only,only" }' OFS=, good.csv | head -n 30 >worse/messages.csv
gives 3 'needs at least two labels' train all --data-dir worse --without recommend
rm -rf store

# ---- interruption -------------------------------------------------------------------------------------------------------
trained() { [ -d "store/$1/$2" ]; }
begin train all $all
await trained sentiment unfinished/training; cp err kept
gives 1 'another `train all` works in this store' train all $all
stop INT
[ "$code" -eq 130 ] && grep -q 'intent     1 champion' out && grep -q 'sentiment  interrupted' out && grep -q 'response   waiting' out
is 'Ctrl-C ends with a summary of what is done and left' $?
grep -q 'assistify train all --resume' err; is 'and says how to go on' $?
refuses 2 'has not ended here' train all $all
cp data/messages.csv kept.csv; echo '"more",purchase,positive,"Thank you."' >>data/messages.csv
refuses 3 'data/messages.csv: line 1: the file is not the one' train all --resume
cp kept.csv data/messages.csv
gives 0 'response   1 champion' train all --resume --json=no
[ "$(weights store)" = "$(weights whole)" ] && [ ! -e store/train_all.json ] && ! trained intent v0002
is 'going on ends with the same bytes, and nothing is trained twice' $?
echo '{"format":1,"trainings":[{}]}' >store/train_all.json
refuses 4 'store/train_all.json: model is missing or wrong' train all --resume
gives 0 'intent     2 challenger' train all $all --only intent --overwrite
mkdir -p store/response/unfinished/training && echo '{}' >store/response/unfinished/training/recipe.json
gives 2 'holds an unfinished training' train all $all --only response
gives 0 'response   2 challenger' train all $all --only response --overwrite

# ---- kills -----------------------------------------------------------------------------------------------------------------
# KILLS: how many there are; each store is killed three times at moments of its own before it is finished
kills=${KILLS:-3} round=0 good=0
while [ $round -lt "$kills" ]; do
  [ $((round % 3)) -ne 0 ] || rm -rf store
  round=$((round + 1))
  if [ -e store/train_all.json ]; then begin train all --resume; else begin train all $all; fi
  [ -e store/train_all.json ] || await test -e store/train_all.json
  sleep "$(printf '%d.%02d' $((round * 13 % 37 / 20)) $((round * 29 % 100)))"
  stop KILL
  [ ! -d store/intent ] || "$program" --models store models verify >out 2>err || break
  [ $((round % 3)) -ne 0 ] && [ $round -lt "$kills" ] && continue
  [ ! -e store/train_all.json ] || run train all --resume
  [ "$(weights store)" = "$(weights whole)" ] && [ ! -e store/train_all.json ] || break
  good=1
done
[ $round -eq "$kills" ] && [ $good -eq 1 ]; is "$kills kills: the store verifies, and going on ends with the same bytes" $?

# ---- a store that cannot be written ---------------------------------------------------------------------------------------
chmod -R a-w store
if [ ! -w store ]; then
  gives 1 'store' train all $all --only recommend
fi
chmod -R u+w store
echo "1..$number"
