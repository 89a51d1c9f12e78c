#!/usr/bin/env python3
"""The speed of generation with T5 (--size small, base): assistify beside CTranslate2 and transformers on PyTorch, in fp32. Parts:

  generate.greedy  greedy search, one source
  generate.beam4   four beams, one source
  generate.batch8  greedy search, eight sources together

All read the same folder of random weights, 32 tokens a source, and make exactly 64 new ones; ids in, ids out. The script
checks that CTranslate2 and PyTorch, which see the same ids, make the same tokens. Memory is the peak of the process.

Needs Python with torch, transformers, tokenizers and ctranslate2. Nothing is downloaded.
"""
import argparse
import json
import os
import tempfile
import time

import common
import folder

SCRIPT = os.path.abspath(__file__)
RIVALS = {"ct2": "CTranslate2", "torch": "PyTorch"}
# Part: beams, sources.
PARTS = {"generate.greedy": (1, 1), "generate.beam4": (4, 1), "generate.batch8": (1, 8)}
PROMPT, NEW = 32, 64


def sources(count):
    import numpy
    generator = numpy.random.default_rng(1)
    vocabulary = common.ARCHITECTURES["t5"].vocabulary
    return [[*map(int, generator.integers(3, vocabulary, PROMPT - 1)), 1] for _ in range(count)]


# ---- the rivals, each in a process of its own -----------------------------------------------------------------------
def pytorch(arguments, beams):
    """A function from sources to the new tokens' ids."""
    import torch
    import transformers
    torch.set_num_threads(arguments.threads)
    transformers.logging.set_verbosity_error()
    model = transformers.T5ForConditionalGeneration.from_pretrained(os.path.join(arguments.folder, "hf"),
                                                                    dtype=torch.float32).eval()

    def answer(ids):
        x = torch.tensor(ids)
        with torch.inference_mode():
            made = model.generate(input_ids=x, attention_mask=torch.ones_like(x), do_sample=False, num_beams=beams,
                                  min_new_tokens=NEW, max_new_tokens=NEW)
        return [row[1:].tolist() for row in made]

    return answer


def ctranslate2(arguments, beams):
    import ctranslate2 as ct2
    translator = ct2.Translator(os.path.join(arguments.folder, "ct2"), device="cpu", inter_threads=1,
                                intra_threads=arguments.threads, compute_type="float32")
    vocabulary = common.ARCHITECTURES["t5"].vocabulary
    number_of = {folder.t5_token(i): i for i in range(vocabulary)}

    def answer(ids):
        made = translator.translate_batch([[folder.t5_token(i) for i in row] for row in ids], beam_size=beams,
                                          min_decoding_length=NEW, max_decoding_length=NEW)
        return [[number_of[token] for token in one.hypotheses[0]] for one in made]

    return answer


def rival(arguments):
    beams, count = PARTS[arguments.only]
    answer = {"ct2": ctranslate2, "torch": pytorch}[arguments.child](arguments, beams)
    ids = sources(count)
    made = answer(ids)
    rates = []
    for _ in range(arguments.repeats):
        start = time.perf_counter()
        answer(ids)
        rates.append(count * NEW / (time.perf_counter() - start))
    print(json.dumps({"rates": rates, "made": made, "peak_mib": common.peak_mib()}))


# ---- the comparison ---------------------------------------------------------------------------------------------------
def compare(arguments, part, rivals, table):
    beams, count = PARTS[part]
    neighbours, our, first = common.Neighbours(), common.Side(), common.Side()
    their = {name: common.Side() for name in rivals}
    made = {}
    for _ in range(arguments.rounds):
        one, = common.ours(arguments, "bench", "generate", "--model", os.path.join(arguments.folder, "hf"), "--json",
                           "--prompt", PROMPT, "--new", NEW, "--beams", beams, "--batch", count, "--repeats",
                           arguments.repeats)
        rate, milliseconds = one["tokens_per_second"], one["first_token_ms"]
        our.add([rate["min"], rate["median"], rate["max"]], one["peak_resident_bytes"] / 2**20)
        first.add([milliseconds["min"], milliseconds["median"], milliseconds["max"]], 0)
        for name in rivals:
            other, = common.theirs(SCRIPT, arguments, name, "--only", part, "--folder", arguments.folder, "--repeats",
                                   arguments.repeats)
            their[name].add(other["rates"], other["peak_mib"])
            made[name] = other["made"]
    cores = neighbours.cores()
    for name in rivals:
        table.row(f"T5 {arguments.size}, {part}, tokens/s", our, RIVALS[name], their[name], True, 1, cores)
    if any(len(row) != NEW for rows in made.values() for row in rows):
        print(f"{part}: not all made {NEW} tokens", flush=True)
    if len({json.dumps(rows) for rows in made.values()}) > 1:
        print(f"{part}: {' and '.join(RIVALS[name] for name in made)} made different tokens", flush=True)
    return f"{part}: ours has its first token after {first.text(1)} ms"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    common.add_options(parser, ("t5",), "small")
    parser.add_argument("--only", help="comma list of parts; default: all")
    parser.add_argument("--rivals", default="ct2,torch", help="comma list; default: %(default)s")
    parser.add_argument("--repeats", type=int, default=5, help="answers in a round; default: %(default)s")
    parser.add_argument("--folder", help="for the model; default: a temporary one")
    arguments = parser.parse_args()
    if arguments.child:
        rival(arguments)
        return
    rivals = arguments.rivals.split(",")
    if any(name not in RIVALS for name in rivals):
        parser.error(f"--rivals: one or more of {', '.join(RIVALS)}")
    with tempfile.TemporaryDirectory() as temporary:
        arguments.folder = os.path.abspath(arguments.folder) if arguments.folder else temporary
        os.makedirs(arguments.folder, exist_ok=True)
        folder.prepare(arguments.folder, "t5", arguments.size, {"ct2"} & set(rivals))
        common.describe(arguments, "torch", "transformers", "ctranslate2")
        table = common.Table(arguments.markdown)
        for line in [compare(arguments, part, rivals, table) for part in common.chosen(arguments.only, PARTS)]:
            print(line)


if __name__ == "__main__":
    main()
