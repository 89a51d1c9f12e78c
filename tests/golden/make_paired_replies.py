"""Makes paired_replies.json: sacrebleu's scores of two systems for given resamples of their rows.

  assistify data synth --rows-per-class 10 --seed 4 --out t.csv
  python make_paired_replies.py t.csv > paired_replies.json

Sentences are the project's own (data/templates_*.c). Needs sacrebleu (2.6.0).
"""
import csv
import json
import random
import sys

import sacrebleu
from sacrebleu.metrics import BLEU, CHRF

rng = random.Random(5)
with open(sys.argv[1], encoding="utf-8") as file:
    replies = [row["response"] for row in csv.DictReader(file)]
refs = [reply for reply in replies if reply.isascii()][:16]


def spoil(text, share, whole=1.0):
    words = text.split(" ")
    kept = [word for word in words if rng.random() > share]
    if rng.random() > whole:
        kept = kept[: max(1, len(kept) // 2)]
    for _ in range(int(share * len(kept))):
        kept[rng.randrange(len(kept))] = rng.choice(words)
    return " ".join(kept)


first = [spoil(text, 0.25) for text in refs]
second = [spoil(text, 0.2, 0.8) for text in refs]
second[3], first[5], second[7], second[9] = refs[3], refs[5], first[7], ""
resamples = [[rng.randrange(len(refs)) for _ in refs] for _ in range(25)]
expected = {}
for key, metric in (("bleu", BLEU()), ("chrf", CHRF())):
    stats = [metric._extract_corpus_statistics(system, [refs]) for system in (first, second)]
    drawn = [[metric._aggregate_and_compute([rows[i] for i in ids]).score for ids in resamples] for rows in stats]
    whole = [metric.corpus_score(system, [refs]).score for system in (first, second)]
    expected[key] = {"a": whole[0], "b": whole[1], "resamples_a": drawn[0], "resamples_b": drawn[1]}
json.dump({"sacrebleu": sacrebleu.__version__, "refs": refs, "hyp_a": first, "hyp_b": second, "resamples": resamples,
           "expected": expected}, sys.stdout, separators=(",", ":"))
print()
