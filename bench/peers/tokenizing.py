#!/usr/bin/env python3
"""The speed of tokenizers: assistify beside Hugging Face's tokenizers, each with one thread, on the same texts.

  python bench/peers/tokenizing.py --tokenizer roberta_dir --tokenizer bert_dir --data messages.csv

Each folder must hold a tokenizer.json (assistify writes one). Theirs is encode_batch, with the texts in memory; ours, one
text after the other. Both give ids with special tokens and offsets in characters, neither truncates nor pads; the script
checks that both count the same tokens. Needs Python with the package tokenizers.
"""
import argparse
import csv
import json
import os
import sys
import time

import common

SCRIPT = os.path.abspath(__file__)


def child(arguments):
    """Rows a second of each pass, after one that is not counted."""
    os.environ["RAYON_NUM_THREADS"] = "1"
    from tokenizers import Tokenizer
    tokenizer = Tokenizer.from_file(os.path.join(arguments.tokenizer[0], "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    csv.field_size_limit(1 << 30)
    with open(arguments.data, encoding="utf-8-sig", newline="") as file:
        texts = [row[arguments.text_col] for row in csv.DictReader(file)]
    rates, tokens = [], 0
    for i in range(arguments.repeats + 1):
        start = time.perf_counter()
        encodings = tokenizer.encode_batch(texts)
        seconds = time.perf_counter() - start
        tokens = sum(len(encoding) for encoding in encodings)
        if i:
            rates.append(len(texts) / seconds)
        del encodings
    print(json.dumps({"rates": rates, "tokens": tokens, "rows": len(texts), "peak_mib": common.peak_mib()}))


def compare(arguments):
    common.describe_machine("one thread", arguments.rounds, "tokenizers")
    table = common.Table(arguments.markdown)
    for folder in arguments.tokenizer:
        our, their, neighbours = common.Side(), common.Side(), common.Neighbours()
        words = ["--tokenizer", folder, "--data", arguments.data, "--text-col", arguments.text_col,
                 "--repeats", str(arguments.repeats)]
        for _ in range(arguments.rounds):
            one, = common.run([arguments.program, "--threads", "1", "bench", "tokenize", "--json", *words])
            other, = common.run([sys.executable, SCRIPT, "--child", "encode", *words])
            if (one["rows"], one["tokens"]) != (other["rows"], other["tokens"]):
                raise SystemExit(f"{folder}: ours gives {one['tokens']} tokens for {one['rows']} rows, "
                                 f"theirs {other['tokens']} for {other['rows']}")
            rate = one["rows_per_second"]
            our.add([rate["min"], rate["median"], rate["max"]], one["peak_resident_bytes"] / 2**20)
            their.add(other["rates"], other["peak_mib"])
        table.row(f"{one['model']}, rows/s", our, "tokenizers", their, True, 0, neighbours.cores())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default=os.path.join(common.ROOT, "build", "assistify"), help="ours; default: %(default)s")
    parser.add_argument("--tokenizer", action="append", required=True, help="folder with a tokenizer.json; may stand twice")
    parser.add_argument("--data", required=True, help="CSV file with the texts")
    parser.add_argument("--text-col", default="content", help="column with the texts; default: %(default)s")
    parser.add_argument("--repeats", type=int, default=3, help="passes in each round; default: %(default)s")
    parser.add_argument("--rounds", type=int, default=3, help="ours and theirs in turn, so many times; default: %(default)s")
    parser.add_argument("--markdown", action="store_true", help="print the rows of a Markdown table")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    (child if arguments.child else compare)(arguments)


if __name__ == "__main__":
    main()
