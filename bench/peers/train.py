#!/usr/bin/env python3
"""The speed of training (--arch distilbert, roberta, t5): assistify beside transformers on PyTorch, on the same batches, in fp32.

A step is the same on both sides: forward, backward, clipping to norm 1, AdamW; dropout 0.1 on; two steps warm up. Rows are
real ones, and so are the tokens that are counted. Ours never pads; theirs pads each batch to the length that the workload
names. Parts:

  train.dynamic   batches of 16 in random order, padded to the longest row
  train.grouped   batches of 16 rows of like length, padded to the longest row
  train.padmax    batches of 16, every row padded to 128 tokens; the first 8 batches
  train.full128   batches of 8 rows of exactly 128 tokens

RoBERTa has lengths of other messages, and no grouped and full128. T5 (--size small, base) has pairs of source and target, each
cut to 128 tokens, in batches of 8 in random order.

Needs Python with torch and transformers. Nothing is downloaded: weights and ids are random.
"""
import argparse
import json
import os
import time

import common

SCRIPT = os.path.abspath(__file__)
# Part: workload, batches (0: all), passes in a round.
PARTS = {
    "distilbert": {
        "train.dynamic": ("distilbert.train.dynamic.b16.n512.txt", 0, 1),
        "train.grouped": ("distilbert.train.grouped.b16.n512.txt", 0, 1),
        "train.padmax": ("distilbert.train.padmax.b16.n512.txt", 8, 1),
        "train.full128": ("distilbert.train.full128.b8.n16.txt", 0, 4),
    },
    "roberta": {
        "train.dynamic": ("roberta.train.dynamic.b16.n256.txt", 0, 1),
        "train.padmax": ("roberta.train.padmax.b16.n256.txt", 8, 1),
    },
    "t5": {
        "train.small": ("t5-small.train.dynamic.b8.n128.txt", 0, 1),
        "train.base": ("t5-base.train.dynamic.b8.n64.txt", 0, 1),
    },
}
WARM_UP_STEPS = 2


def tensors_of(arch, batches):
    """What a model is called with, batch by batch: random ids, the mask, and labels, -100 where a target is padding."""
    import numpy
    import torch
    generator = numpy.random.default_rng(1)
    of = common.ARCHITECTURES[arch]
    made = []
    for (pad_to, lengths), *target in batches:
        ids, mask = common.padded(arch, lengths, pad_to, generator)
        if target:
            labels, counted = common.padded(arch, target[0][1], target[0][0], generator)
            labels[counted == 0] = -100
        else:
            labels = generator.integers(0, of.classes, len(lengths))
        made.append({"input_ids": torch.from_numpy(ids), "attention_mask": torch.from_numpy(mask),
                     "labels": torch.from_numpy(labels)})
    return made


def rival(arguments):
    """In a process of its own: transformers and PyTorch."""
    import torch
    from torch.nn.utils import clip_grad_norm_
    torch.set_num_threads(arguments.threads)
    batches = common.read_workload(arguments.workload, arguments.limit)
    tensors = tensors_of(arguments.arch, batches)
    model = common.model(arguments.arch, arguments.size).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-5, weight_decay=0.01, fused=True)

    def step(batch):
        model(**batch).loss.backward()
        clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    for i in range(WARM_UP_STEPS):
        step(tensors[i % len(tensors)])
    rows, rates = sum(len(batch[0][1]) for batch in batches), []
    for _ in range(arguments.repeats):
        start = time.perf_counter()
        for batch in tensors:
            step(batch)
        rates.append(rows / (time.perf_counter() - start))
    print(json.dumps({"rates": rates, "peak_mib": common.peak_mib()}))


def compare(arguments, part, table):
    name, limit, repeats = PARTS[arguments.arch][part]
    path, limit = os.path.join(common.WORKLOADS, name), arguments.limit or limit
    words = ["--workload", path, "--repeats", repeats] + (["--limit", limit] if limit else [])
    batches = common.read_workload(path, limit)
    rows = sum(len(batch[0][1]) for batch in batches)
    tokens_per_row = sum(sum(lengths) for batch in batches for _, lengths in batch) / rows
    neighbours, our, their = common.Neighbours(), common.Side(), common.Side()
    for _ in range(arguments.rounds):
        one, = common.ours(arguments, "bench", "train", "--json", "--arch", arguments.arch, "--size", arguments.size,
                           *words)
        rate = one["rows_per_second"]
        our.add([rate["min"], rate["median"], rate["max"]], one["peak_resident_bytes"] / 2**20)
        other, = common.theirs(SCRIPT, arguments, "rival", *words)
        their.add(other["rates"], other["peak_mib"])
    cores = neighbours.cores()
    table.row(f"{part}, rows/s", our, "PyTorch", their, True, 2, cores)
    for side in (our, their):
        side.rounds = [[tokens_per_row * value for value in values] for values in side.rounds]
    table.row(f"{part}, real tokens/s", our, "PyTorch", their, True, 0, cores)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    common.add_options(parser)
    parser.add_argument("--only", help="comma list of parts; default: all")
    parser.add_argument("--limit", type=int, default=0, help="batches of the workload, for a short run")
    parser.add_argument("--workload", help=argparse.SUPPRESS)
    parser.add_argument("--repeats", type=int, default=1, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        rival(arguments)
        return
    common.describe(arguments, "torch", "transformers")
    table = common.Table(arguments.markdown)
    parts = PARTS[arguments.arch]
    if arguments.arch == "t5":
        parts = {part: row for part, row in parts.items() if part == f"train.{arguments.size}"}
    for part in common.chosen(arguments.only, parts):
        compare(arguments, part, table)


if __name__ == "__main__":
    main()
