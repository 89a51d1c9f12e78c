#!/usr/bin/env python3
"""The speed of an encoder's answers (--arch distilbert, roberta): assistify beside ONNX Runtime and PyTorch, in fp32. Parts:

  infer.latency     one row of 8, 32 or 128 tokens, ids in, probabilities (theirs: logits) out; milliseconds
  infer.throughput  1,000 rows; theirs in batches of 32 sorted by length and padded to the longest row, ours packed by tokens
  infer.busy        the latency at 32 tokens while another process keeps one of as many processors as there are threads busy
  infer.cold        from the start of a process to its first answer, text in, files in the page cache; seconds

Needs Python with torch, transformers, tokenizers, onnx and onnxruntime. Nothing is downloaded: the model has random weights.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

import cold
import common
import folder

SCRIPT = os.path.abspath(__file__)
COLD = os.path.join(common.HERE, "cold.py")
RIVALS = {"ort": "ONNX Runtime", "ort-opt": "ONNX R. fused", "torch": "PyTorch"}
LENGTHS = (8, 32, 128)
BUSY_LENGTH = 32
WARM_UP_REQUESTS = 5


def workload(arguments):
    return os.path.join(common.WORKLOADS, f"{arguments.arch}.infer.sorted.b32.n1000.txt")


# ---- the rivals, each in a process of its own -----------------------------------------------------------------------
def time_latency(arguments, answer, generator):
    """Milliseconds of --requests answers, or of as many as --seconds allow, but at least 20."""
    for length in map(int, arguments.tokens.split(",")):
        ids, mask = common.padded(arguments.arch, [length], length, generator)
        for _ in range(WARM_UP_REQUESTS):
            answer(ids, mask)
        milliseconds, end = [], time.perf_counter() + arguments.seconds
        while len(milliseconds) < arguments.requests and (len(milliseconds) < 20 or time.perf_counter() < end):
            start = time.perf_counter()
            answer(ids, mask)
            milliseconds.append(1e3 * (time.perf_counter() - start))
        print(json.dumps({"tokens": length, "milliseconds": milliseconds, "peak_mib": common.peak_mib()}))


def time_throughput(arguments, answer, generator):
    batches = [common.padded(arguments.arch, lengths, pad_to, generator) for ((pad_to, lengths),) in
               common.read_workload(workload(arguments), arguments.limit)]
    answer(*batches[0])
    answer(*batches[-1])
    start = time.perf_counter()
    for batch in batches:
        answer(*batch)
    rate = sum(len(ids) for ids, _ in batches) / (time.perf_counter() - start)
    print(json.dumps({"rates": [rate], "peak_mib": common.peak_mib()}))


def child(arguments):
    if arguments.child == "prepare":
        folder.prepare(arguments.work, arguments.arch, arguments.size, arguments.rivals.split(","))
        return
    import numpy
    work = {"latency": time_latency, "throughput": time_throughput}[arguments.child]
    work(arguments, cold.load(arguments.rival, arguments.work, arguments.threads), numpy.random.default_rng(1))


# ---- ours beside them -----------------------------------------------------------------------------------------------
def rival_run(arguments, what, rival, *words):
    return common.theirs(SCRIPT, arguments, what, "--work", arguments.work, "--rival", rival, *words)


def our_run(arguments, *words):
    return common.ours(arguments, "bench", "infer", "--json", "--arch", arguments.arch, "--size", arguments.size,
                       *words)


def spread_values(spread):
    return [spread["min"], spread["median"], spread["max"]]


def add_latency(arguments, our, rivals, tokens, requests, seconds=1e9):
    """One round of latencies at the lengths of `tokens`, into Sides by length (and by rival)."""
    for one in our_run(arguments, "--tokens", tokens, "--requests", requests):
        our[one["tokens"]].add(spread_values(one["latency_ms"]), one["peak_resident_bytes"] / 2**20)
    for rival, sides in rivals.items():
        for other in rival_run(arguments, "latency", rival, "--tokens", tokens, "--requests", requests, "--seconds", seconds):
            sides[other["tokens"]].add(other["milliseconds"], other["peak_mib"])


def latency(arguments, rivals, table):
    neighbours = common.Neighbours()
    our = {n: common.Side() for n in LENGTHS}
    their = {rival: {n: common.Side() for n in LENGTHS} for rival in rivals}
    for _ in range(arguments.rounds):
        add_latency(arguments, our, their, ",".join(map(str, LENGTHS)), arguments.requests)
    cores = neighbours.cores()
    for n in LENGTHS:
        for rival in rivals:
            table.row(f"infer.latency {n} tokens, ms", our[n], RIVALS[rival], their[rival][n], False, 2, cores)


def throughput(arguments, rivals, table):
    neighbours, our, their = common.Neighbours(), common.Side(), {rival: common.Side() for rival in rivals}
    limit = ["--limit", arguments.limit] if arguments.limit else []
    for _ in range(arguments.rounds):
        one, = our_run(arguments, "--requests", 0, "--repeats", 1, "--workload",
                       workload(arguments), *limit)
        our.add([one["rows_per_second"]["median"]], one["peak_resident_bytes"] / 2**20)
        for rival in rivals:
            other, = rival_run(arguments, "throughput", rival, *limit)
            their[rival].add(other["rates"], other["peak_mib"])
    cores = neighbours.cores()
    for rival in rivals:
        table.row("infer.throughput, rows/s", our, RIVALS[rival], their[rival], True, 1, cores)


def busy(arguments, rivals, table):
    """Latency alone, then beside a busy process. On a machine with more processors all share as many as there are threads."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(before)[:arguments.threads])
    sides = []
    for disturb in (False, True):
        our = {BUSY_LENGTH: common.Side()}
        their = {rival: {BUSY_LENGTH: common.Side()} for rival in rivals}
        neighbour = subprocess.Popen([sys.executable, "-c", "while True: pass"]) if disturb else None
        try:
            add_latency(arguments, our, their, BUSY_LENGTH, arguments.busy_requests, arguments.seconds)
        finally:
            if neighbour:
                neighbour.kill()
                neighbour.wait()
        sides.append([our[BUSY_LENGTH]] + [their[rival][BUSY_LENGTH] for rival in rivals])
    os.sched_setaffinity(0, before)
    names = ["assistify"] + [RIVALS[rival] for rival in rivals]
    table.text(("infer.busy 32 tokens, ms", "alone", "beside a busy process", "times as long, by medians"),
               [(name, alone.text(2), disturbed.text(2),
                 f"{statistics.median(disturbed.rounds[0]) / statistics.median(alone.rounds[0]):.2f}")
                for name, alone, disturbed in zip(names, *sides)])


def first_answer(command):
    """Seconds from the start of a process until its first line, and the answer and the number of tokens in it."""
    environment = dict(os.environ, HF_HUB_OFFLINE="1", TOKENIZERS_PARALLELISM="false")
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
    line = process.stdout.readline()
    seconds = time.perf_counter() - start
    _, errors = process.communicate()
    if process.returncode or not line:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}:\n{errors[-3000:]}")
    answer = json.loads(line)
    return seconds, answer["intent"], answer["tokens"]


def cold_start(arguments, rivals, table):
    commands = {"assistify": [arguments.program, "--threads", str(arguments.threads), "predict", "intent", folder.TEXT,
                              "--model", os.path.join(arguments.work, "hf")]}
    for rival in rivals:
        commands[RIVALS[rival]] = [sys.executable, COLD, rival, arguments.work, str(arguments.threads), folder.TEXT]
    sides, answers = {name: common.Side() for name in commands}, {}
    for i in range(arguments.cold_starts + 1):  # the first brings the files into the page cache
        for name, command in commands.items():
            seconds, *answers[name] = first_answer(command)
            if i:
                sides[name].add([seconds], 0)
    if any(answer != answers["assistify"] for answer in answers.values()):
        raise SystemExit(f"the answers differ, so the times mean nothing: {answers}")
    table.text(("infer.cold, s", "start to first answer"), [(name, side.text(3)) for name, side in sides.items()])


PARTS = {"infer.latency": latency, "infer.throughput": throughput, "infer.busy": busy, "infer.cold": cold_start}


def compare(arguments):
    rivals = arguments.rivals.split(",")
    for rival in rivals:
        if rival not in RIVALS:
            raise SystemExit(f"--rivals {rival}: there is no such rival; there are {', '.join(RIVALS)}")
    parts = common.chosen(arguments.only, PARTS)
    common.describe(arguments, "onnxruntime", "torch", "transformers")
    common.theirs(SCRIPT, arguments, "prepare", "--work", arguments.work, "--rivals", arguments.rivals)
    table = common.Table(arguments.markdown)
    for part in parts:
        PARTS[part](arguments, rivals, table)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    common.add_options(parser, ("distilbert", "roberta"))
    parser.add_argument("--only", help="comma list of parts; default: all but infer.busy")
    parser.add_argument("--busy", action="store_true", help="infer.busy too; it takes a minute")
    parser.add_argument("--rivals", default="ort,torch", help="comma list of ort, ort-opt (its graph fused by ONNX Runtime's "
                        "tool) and torch; default: %(default)s")
    parser.add_argument("--limit", type=int, default=0, help="batches of the workload, for a short run")
    parser.add_argument("--requests", type=int, default=70, help="answers for each length and round; default: %(default)s")
    parser.add_argument("--busy-requests", type=int, default=200, help="default: %(default)s")
    parser.add_argument("--seconds", type=float, default=20, help="most that a rival gets in infer.busy; default: %(default)s")
    parser.add_argument("--cold-starts", type=int, default=5, help="default: %(default)s")
    parser.add_argument("--work", help="folder for the model, kept for the next run; default: a temporary one")
    parser.add_argument("--rival", help=argparse.SUPPRESS)
    parser.add_argument("--tokens", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        child(arguments)
        return
    if not arguments.only:
        arguments.only = ",".join(part for part in PARTS if part != "infer.busy" or arguments.busy)
    elif arguments.busy:
        arguments.only += ",infer.busy"
    if arguments.work:
        compare(arguments)
        return
    with tempfile.TemporaryDirectory(prefix="assistify-peers-") as arguments.work:
        compare(arguments)


if __name__ == "__main__":
    main()
