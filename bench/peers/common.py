"""What train.py, infer.py and generate.py share: workloads, running programs in turn, and the table.

Both sides are timed in processes of their own, one after the other, ours, theirs, ours, theirs: so that what the machine
does meanwhile meets both, and that each has its own peak of memory.
"""
import argparse
import collections
import importlib.metadata
import json
import os
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
WORKLOADS = os.path.join(ROOT, "bench", "workloads")

# As the program's --size has them: dim, hidden_dim, heads, layers.
SIZES = {"tiny": (128, 512, 2, 2), "mini": (256, 1024, 4, 4), "small": (512, 2048, 8, 4), "base": (768, 3072, 12, 6)}
POSITIONS = 512
# As the program's --arch has them: name, vocabulary, padding id, classes, layers where they differ from SIZES.
Architecture = collections.namedtuple("Architecture", "name vocabulary pad classes layers")
ARCHITECTURES = {"distilbert": Architecture("DistilBERT", 30522, 0, 77, {}),
                 "roberta": Architecture("RoBERTa", 50265, 1, 3, {"base": 12}),
                 "t5": Architecture("T5", 32128, 0, 0, {"small": 6, "base": 12})}


def add_options(parser, architectures=tuple(ARCHITECTURES), size="base"):
    parser.add_argument("--program", default=os.path.join(ROOT, "build", "assistify"), help="ours; default: %(default)s")
    parser.add_argument("--arch", default=architectures[0], choices=architectures)
    parser.add_argument("--size", default=size, choices=list(SIZES))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3, help="ours and theirs in turn, so many times; default: %(default)s")
    parser.add_argument("--markdown", action="store_true", help="print the rows of a Markdown table")
    parser.add_argument("--child", help=argparse.SUPPRESS)


def chosen(only, parts):
    """The parts that --only names, a comma list; "train" is all that begin with "train."."""
    if not only:
        return list(parts)
    wanted = only.split(",")
    for name in wanted:
        if not any(part == name or part.startswith(name + ".") for part in parts):
            raise SystemExit(f"--only {name}: there is no such part; there are {', '.join(parts)}")
    return [part for part in parts if any(part == name or part.startswith(name + ".") for name in wanted)]


def read_workload(path, limit=0):
    """Of the first `limit` batches (0: all) [[(pad_to, [length, ...]), ...]]: one such list a batch, for the rows; with pairs
    two, for sources and targets."""
    batches = []
    with open(path, encoding="ascii") as lines:
        for line in lines:
            pads, *lengths, _ = line.rstrip("\n").split("\t")
            batches.append([(int(pad_to), [int(n) for n in side.split(",")])
                            for pad_to, side in zip(pads.split(","), lengths, strict=True)])
            if len(batches) == limit:
                break
    return batches


def model(arch, size, attention=None):
    """transformers' model with fresh weights, of the shape that ours has."""
    import torch
    import transformers
    torch.manual_seed(1)
    of = ARCHITECTURES[arch]
    dim, hidden, heads, layers = SIZES[size]
    layers = of.layers.get(size, layers)
    if arch == "t5":
        return transformers.T5ForConditionalGeneration(transformers.T5Config(
            vocab_size=of.vocabulary, d_model=dim, d_kv=64, d_ff=hidden, num_heads=heads, num_layers=layers,
            decoder_start_token_id=0))
    common = {"vocab_size": of.vocabulary, "num_labels": of.classes, "pad_token_id": of.pad}
    if attention:
        common["attn_implementation"] = attention
    if arch == "distilbert":
        config = transformers.DistilBertConfig(max_position_embeddings=POSITIONS, dim=dim, hidden_dim=hidden, n_heads=heads,
                                               n_layers=layers, **common)
        return transformers.DistilBertForSequenceClassification(config)
    config = transformers.RobertaConfig(max_position_embeddings=POSITIONS + of.pad + 1, hidden_size=dim,
                                        intermediate_size=hidden, num_attention_heads=heads, type_vocab_size=1,
                                        num_hidden_layers=layers,
                                        layer_norm_eps=1e-5, **common)
    return transformers.RobertaForSequenceClassification(config)


def padded(arch, lengths, pad_to, generator):
    """Random ids and the attention mask, [rows, pad_to], as numpy arrays."""
    import numpy
    of = ARCHITECTURES[arch]
    ids = numpy.full((len(lengths), pad_to), of.pad, numpy.int64)
    mask = numpy.zeros((len(lengths), pad_to), numpy.int64)
    for row, length in enumerate(lengths):
        ids[row, :length] = generator.integers(of.pad + 1, of.vocabulary, length)
        mask[row, :length] = 1
    return ids, mask


def peak_mib():
    with open("/proc/self/status", encoding="ascii") as status:
        return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmHWM"))


def describe(arguments, *packages):
    """Prints what was compared, and where."""
    describe_machine(f"{ARCHITECTURES[arguments.arch].name} {arguments.size}, {arguments.threads} threads, fp32",
                     arguments.rounds, *packages)


def describe_machine(what, rounds, *packages):
    with open("/proc/cpuinfo", encoding="utf-8") as info:
        cpu = next((line.split(":", 1)[1].strip() for line in info if line.startswith("model name")), "unknown processor")
    versions = "".join(f"{name} {importlib.metadata.version(name)}, " for name in packages)
    print(f"{cpu}, {os.cpu_count()} processors; {what}; {versions}{rounds} rounds: median (min–max)\n", flush=True)


# ---- running ----------------------------------------------------------------------------------------------------------
def run(command):
    """The JSON lines that a program prints."""
    environment = dict(os.environ, HF_HUB_OFFLINE="1", TOKENIZERS_PARALLELISM="false")
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stderr[-3000:]}")
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def ours(arguments, *words):
    return run([arguments.program, "--threads", str(arguments.threads), *map(str, words)])


def theirs(script, arguments, what, *words):
    return run([sys.executable, script, "--child", what, "--arch", arguments.arch, "--size", arguments.size, "--threads", str(arguments.threads),
                *map(str, words)])


class Neighbours:
    """Cores that other programs kept busy since this was made; for judging a measurement. Nearly 0 is well."""

    def __init__(self):
        self.start = self.read()

    @staticmethod
    def read():
        ticks = os.sysconf("SC_CLK_TCK")
        with open("/proc/stat", encoding="ascii") as stat:
            fields = [int(x) / ticks for x in stat.readline().split()[1:9]]
        return time.perf_counter(), fields[0] + fields[1] + fields[2] + fields[5] + fields[6] + fields[7], sum(os.times()[:4])

    def cores(self):
        clock, busy, own = (now - before for now, before in zip(self.read(), self.start))
        return max(0.0, (busy - own) / clock)


# ---- the table --------------------------------------------------------------------------------------------------------
class Side:
    """What was measured on one side: values of all rounds, and the largest peak of memory."""

    def __init__(self):
        self.rounds, self.mib = [], 0.0

    def add(self, values, mib):
        self.rounds.append(list(values))
        self.mib = max(self.mib, mib)

    def text(self, digits):
        values = [value for one in self.rounds for value in one]
        return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f}–{max(values):.{digits}f})"


def ratios(a, b, higher_is_better):
    """How many times as fast a is as b, by the medians of each round."""
    pairs = [(statistics.median(x), statistics.median(y)) for x, y in zip(a.rounds, b.rounds)]
    return [x / y if higher_is_better else y / x for x, y in pairs]


class Table:
    COLUMNS = ("what", "ours", "rival", "theirs", "times as fast", "memory, MiB", "of theirs", "others")

    def __init__(self, markdown):
        self.markdown, self.begun = markdown, False

    def line(self, cells, widths=(32, 26, 14, 26, 20, 14, 10, 6)):
        if self.markdown:
            print("| " + " | ".join(cells) + " |", flush=True)
        else:
            print("  ".join(cell.ljust(width) for cell, width in zip(cells, widths)).rstrip(), flush=True)

    def row(self, what, our, rival, their, higher_is_better, digits, cores):
        if not self.begun:
            self.line(self.COLUMNS)
            if self.markdown:
                self.line(["---"] * len(self.COLUMNS))
            self.begun = True
        r = ratios(our, their, higher_is_better)
        self.line((what, our.text(digits), rival, their.text(digits),
                   f"{statistics.median(r):.2f} ({min(r):.2f}–{max(r):.2f})", f"{our.mib:.0f} / {their.mib:.0f}",
                   f"{100 * our.mib / their.mib:.0f} %", f"{cores:.2f}"))

    def text(self, heading, rows):
        """A table of its own, for what has other columns."""
        print()
        self.begun = False
        for i, cells in enumerate([heading, *rows]):
            self.line(cells, (26, 28, 28, 28))
            if i == 0 and self.markdown:
                self.line(["---"] * len(heading))
        print(flush=True)
