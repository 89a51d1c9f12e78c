#!/bin/sh
# A year of a shop that changes, in some minutes: 52 exports, 52 runs of `retrain`, one week of broken data, one of
# wrong labels. Everything lies in one folder. Prints a line a week and ends with what must hold; exit 1 if something
# does not.
#
#   bench/simulated_year.sh [FOLDER]     default: a new folder below $TMPDIR, removed when all held
#
# Variables: ASSISTIFY (the program), WEEKS (52), ROWS (messages of each class in a week, 40), WINDOW (weeks that an
# export holds, 12), BROKEN and NOISY (the two weeks, 20 and 33), MODELS ("intent recommend"), LOGGED (messages of a
# week that are asked and logged, 120), OPTIONS (of retrain), KEEP (5), SIZE, EPOCHS (of the models, tiny and 16).
set -u
program=${ASSISTIFY:-assistify}
case $program in */*) program=$(cd "$(dirname "$program")" && pwd)/$(basename "$program") ;; esac
weeks=${WEEKS:-52} rows=${ROWS:-40} window=${WINDOW:-12} broken=${BROKEN:-20} noisy=${NOISY:-33}
models=${MODELS:-intent recommend} logged=${LOGGED:-120} keep=${KEEP:-5}
own=
if [ $# -gt 0 ]; then mkdir -p "$1" && cd "$1" || exit 2; else own=$(mktemp -d "${TMPDIR:-/tmp}/assistify-year.XXXXXX") && cd "$own" || exit 2; fi
[ ! -e store ] || { echo "$PWD/store is there already: take an empty folder" >&2; exit 2; }
asker=
trap 'touch stop; [ -z "$asker" ] || wait "$asker"' EXIT
trap 'exit 129' HUP INT TERM # so that the trap above runs
mkdir -p export || exit 2
cat >assistify.conf <<EOF
models = store
[train intent]
size = ${SIZE:-tiny}
vocab-size = 2000
epochs = ${EPOCHS:-16}
max-length = 48
[train sentiment]
size = ${SIZE:-tiny}
vocab-size = 2000
epochs = ${EPOCHS:-16}
max-length = 48
[retrain]
data-dir = export
hold-out = 0.2
keep = $keep
EOF
ASSISTIFY_CONFIG=$PWD/assistify.conf
export ASSISTIFY_CONFIG

# field NAME FILE: a member's number or text in the one-line JSON of a retraining
field() { sed -n "s/.*\"$1\":\"\{0,1\}\([^,\"}]*\).*/\1/p" "$2"; }

# Half of the rows lose their fields' order, as when a column is added on the way.
break_rows() { awk 'NR % 2 == 0 { gsub(/,/, ";") } { print }' export/messages.csv >other && mv other export/messages.csv; }

# Forty labels of a hundred become another one.
mix_labels() {
  awk 'BEGIN { srand(1); n = split("complaint inquiry purchase return support tracking", label, " ") }
       match($0, /,(complaint|inquiry|purchase|return|support|tracking),(negative|neutral|positive),/) && rand() < 0.4 {
         rest = substr($0, RSTART + 1)
         printf "%s,%s%s\n", substr($0, 1, RSTART - 1), label[1 + int(rand() * n)], substr(rest, index(rest, ","))
         next
       }
       { print }' export/messages.csv >other && mv other export/messages.csv
}

# The export at the end of week $1; the first one holds a whole window already.
export_week() {
  "$program" data synth --week $(($1 + window - 1)) --weeks "$window" --rows-per-class "$rows" --out export/messages.csv &&
    "$program" data synth --shop export --week $(($1 * 40 / weeks + 10)) --customers 1000 || exit 1
  [ "$1" -ne "$broken" ] || break_rows
  [ "$1" -ne "$noisy" ] || mix_labels
}

# log_week WEEK MESSAGES DATABASE: what customers write in that week is answered by the champion, and logged.
log_week() {
  "$program" data synth --week $(($1 + window - 1)) --weeks 1 --rows-per-class $(($2 / 6)) --seed 7 --out asked.csv &&
    "$program" predict intent --input asked.csv --log --db "$3" >answers 2>>notes ||
    echo "week $1: not logged" >>unanswered
}

# Asks the champion all the time, as a shop does.
ask_on() {
  until [ -e stop ]; do
    "$program" predict intent 'where is my parcel' >answer 2>>notes && grep -q '"intent"' answer ||
      echo "no answer at $(date +%T)" >>unanswered
    echo >>asked
    sleep 0.5
  done
}

printf '%4s  %-10s %7s  %-9s %9s %9s  %-7s %9s  %s\n' week model rows verdict champion trained drift 'store KiB' why
week=1 most=0
while [ "$week" -le "$weeks" ]; do
  export_week "$week"
  if [ "$week" -gt 1 ]; then log_week "$week" "$logged" store/assistify.db; fi
  for model in $models; do
    # shellcheck disable=SC2086 # a list of words
    "$program" retrain "$model" --quiet --drift ${OPTIONS:-} >table 2>>notes </dev/null
    code=$?
    tail -n 1 store/retrain.jsonl >line
    used=$(du -sk store | cut -f 1)
    [ "$used" -le "$most" ] || most=$used
    [ "$week" -ne 12 ] || after_twelve=$used
    printf '%4d  %-10s %7s  %-9s %9.9s %9.9s  %-7s %9s  %s\n' "$week" "$model" "$(field rows line)" \
      "$(field verdict line)" "$(field of_champion line)" "$(field of_version line)" "$(field drift line)" "$used" "$(sed -n 's/^    //p' table | head -n 1 | cut -c 1-100)"
    echo "$week $model $code $(field verdict line)" >>verdicts
  done
  if [ "$week" -eq 1 ]; then ask_on & asker=$!; fi
  week=$((week + 1))
done
touch stop
wait "$asker"
asker=

# ---- what must hold --------------------------------------------------------------------------------------------------
failed=0
# holds NAME: of the command before it
holds() {
  if [ $? -eq 0 ]; then echo "holds   $1"; else echo "FAILS   $1"; failed=1; fi
}
of() { grep "^$1 intent " verdicts | cut -d ' ' -f 4; }
count() { grep -c "^[0-9]* intent [0-9]* $1\$" verdicts; }
echo
echo "intent: $(count promoted) promoted, $(count refused) refused by the gate, $(count data) for their data, $(count same) had nothing new"
[ "$(grep -c ' intent ' verdicts)" -eq "$weeks" ]; holds "$weeks runs of retrain"
[ "$(count failed)$(count interrupted)" = 00 ]; holds 'none failed'
if [ "$broken" -le "$weeks" ]; then
  [ "$(of "$broken")" = data ]; holds "week $broken, broken data: refused, exit $(grep "^$broken intent" verdicts | cut -d ' ' -f 3)"
  [ "$(count data)" -eq 1 ]; holds 'no other week was refused for its data'
  case $(of $((broken + 1))) in promoted | refused) true ;; *) [ "$broken" -eq "$weeks" ] ;; esac; holds 'the week after goes on'
fi
if [ "$noisy" -le "$weeks" ]; then
  [ "$(of "$noisy")" = refused ]; holds "week $noisy, wrong labels: refused, exit $(grep "^$noisy intent" verdicts | cut -d ' ' -f 3)"
  case $(of $((noisy + 1))) in promoted | refused) true ;; *) [ "$noisy" -eq "$weeks" ] ;; esac; holds 'the week after goes on'
fi
[ "$weeks" -lt 12 ] || [ "$(count promoted)" -ge $((weeks / 5)) ]; holds "$(count promoted) times a version was promoted"
[ ! -e unanswered ]; holds "the champion answered $(wc -l <asked) times in between, and always"
[ "$("$program" models list intent | wc -l)" -le $((keep + 3)) ]; holds "at most $keep versions and the three aliases' stay"
# What is kept of versions does not grow; the interactions in a recommender do, and the history of figures.
[ "$weeks" -lt 13 ] || [ "$most" -le $((after_twelve * 2)) ]
holds "disk use is bounded: ${after_twelve:-not known} KiB after 12 weeks, $most KiB at most, $(du -k store/assistify.db | cut -f 1) of them the database"
[ "$(find store/reports -type f | wc -l)" -le 200 ]; holds "$(find store/reports -type f | wc -l) reports"
"$program" models verify >verified 2>&1; holds "the store verifies: $(tr '\n' ' ' <verified)"
echo
echo "history of figures (monitor metrics)"
"$program" monitor metrics --model intent --metric f1.macro_seen 2>>notes | tail -n 12; holds 'there is a history'
echo
echo 'drift, of the week after the last one and of the week half a year later, if nobody retrained (monitor drift)'
log_week $((weeks + 1)) "$logged" store/assistify.db
"$program" monitor drift intent 2>&1
code=$?
[ "$code" -eq 0 ] || [ "$code" -eq 5 ]; holds "there is a drift report (exit $code)"
log_week $((weeks + 27 - window + (window - 1) / 2)) 600 later.db # half a year from the middle of the last export
"$program" monitor drift intent --db later.db 2>&1
code=$?
[ "$weeks" -lt 12 ] || [ "$code" -eq 5 ]; holds "half a year of change is an alarm (exit $code)"
if [ "$failed" -eq 0 ] && [ -n "$own" ]; then cd / && rm -rf "$own"; elif [ -n "$own" ]; then echo "see $own" >&2; fi
exit "$failed"
