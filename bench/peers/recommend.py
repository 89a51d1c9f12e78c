#!/usr/bin/env python3
"""The speed of the recommender: assistify beside LightFM, implicit and NumPy, on the same pairs. Parts:

  train.d10 .d30 .d64   WARP, one thread, --epochs passes; million pairs a second over the whole call
  train.threads         the same at 30 components with two threads: LightFM, and ours waiting and --hogwild
  train.hybrid          WARP at 30 components, each product with its categories as features too
  train.als             weighted ALS, 30 components, 15 epochs: seconds; beside implicit
  top                   the best 10 of all customers, met products left out; milliseconds
  ranks                 ranks of all unmet products of all customers; milliseconds
  synth                 100,000 customers, 50,000 products, 5 million made-up pairs, 32 components, one epoch; then the best
                        100 of 1,000 customers

Needs Python with numpy, scipy and lightfm (--python names one that has them, if it is not this one), for implicit the same
(--implicit-python). The user's files are read by both sides: every pair counts once and alike.

  python bench/peers/recommend.py --interactions train.csv --products products.csv --markdown
"""
import argparse
import csv
import json
import os
import sys
import tempfile
import time

import common

SCRIPT = os.path.abspath(__file__)
DIMS = (10, 30, 64)
SYNTHETIC = {"customers": 100000, "catalogue": 50000, "pairs": 5000000}


# ---- the rivals, each in a process of its own -----------------------------------------------------------------------
def read_pairs(arguments):
    """Pairs as a matrix of ones [customers, products], and the products' categories as features."""
    import numpy
    import scipy.sparse
    if arguments.synthetic:
        # customer_id, product_id: numbers from 1 on
        pairs = numpy.loadtxt(arguments.interactions, delimiter=",", skiprows=1, dtype=numpy.int32) - 1
        shape = SYNTHETIC["customers"], SYNTHETIC["catalogue"]
        ones = numpy.ones(len(pairs), numpy.float32)
        return scipy.sparse.coo_matrix((ones, (pairs[:, 0].copy(), pairs[:, 1].copy())), shape=shape), None
    with open(arguments.products, encoding="utf-8-sig", newline="") as file:
        catalogue = list(csv.DictReader(file))
    products = {row["product_id"]: i for i, row in enumerate(catalogue)}
    customers, rows, columns = {}, [], []
    with open(arguments.interactions, encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file):
            rows.append(customers.setdefault(row["customer_id"], len(customers)))
            columns.append(products[row["product_id"]])
    matrix = scipy.sparse.coo_matrix((numpy.ones(len(rows), numpy.float32), (rows, columns)),
                                     shape=(len(customers), len(products))).tocsr()
    matrix.data[:] = 1
    labels, items, features = {}, [], []
    for i, row in enumerate(catalogue):
        for label in filter(None, row["category"].split("|")):
            items.append(i)
            features.append(labels.setdefault(label, len(labels)))
    own = scipy.sparse.identity(len(products), dtype=numpy.float32, format="csr")
    categories = scipy.sparse.csr_matrix((numpy.ones(len(items), numpy.float32), (items, features)),
                                         shape=(len(products), len(labels)))
    return matrix.tocoo(), scipy.sparse.hstack([own, categories]).tocsr()


def fit_lightfm(matrix, dim, epochs, threads, features=None):
    """Millions of pairs a second, and the model."""
    from lightfm import LightFM
    model = LightFM(no_components=dim, loss="warp", random_state=1)
    start = time.perf_counter()
    model.fit(matrix, item_features=features, epochs=epochs, num_threads=threads)
    return matrix.nnz * epochs / (time.perf_counter() - start) / 1e6, model


def say(values):
    print(json.dumps({"values": values, "peak_mib": common.peak_mib()}))


def timed(function, repeats):
    """Milliseconds of each call, after one that is not counted."""
    function()
    milliseconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        milliseconds.append(1e3 * (time.perf_counter() - start))
    return milliseconds


def numpy_top(users, items, biases, seen, n):
    import numpy
    scores = users @ items.T + biases[None, :]
    scores[seen] = -numpy.inf
    best = numpy.argpartition(-scores, n, axis=1)[:, :n]
    return numpy.take_along_axis(best, numpy.argsort(-numpy.take_along_axis(scores, best, 1), axis=1), 1)


def train_child(arguments):
    matrix, features = read_pairs(arguments)
    say([fit_lightfm(matrix, arguments.dim, arguments.epochs, arguments.threads, features if arguments.hybrid else None)[0]
         for _ in range(arguments.repeats)])


def top_child(arguments):
    import numpy
    matrix, _ = read_pairs(arguments)
    met, model = matrix.tocsr(), fit_lightfm(matrix, arguments.dim, 1, arguments.threads)[1]
    seen = met.nonzero()
    if arguments.rival == "numpy":
        say(timed(lambda: numpy_top(model.user_embeddings, model.item_embeddings, model.item_biases, seen, 10),
                  arguments.repeats))
        return
    products = numpy.arange(met.shape[1], dtype=numpy.int32)

    def ask():
        for customer in range(met.shape[0]):
            scores = model.predict(customer, products, num_threads=arguments.threads)
            scores[met.indices[met.indptr[customer]:met.indptr[customer + 1]]] = -numpy.inf
            best = numpy.argpartition(-scores, 10)[:10]
            best[numpy.argsort(-scores[best])]
    say(timed(ask, arguments.repeats))


def ranks_child(arguments):
    import numpy
    import scipy.sparse
    matrix, _ = read_pairs(arguments)
    model = fit_lightfm(matrix, arguments.dim, 1, arguments.threads)[1]
    unmet = scipy.sparse.csr_matrix(numpy.ones(matrix.shape, numpy.float32) - matrix.toarray())
    say(timed(lambda: model.predict_rank(unmet, train_interactions=matrix.tocsr(), num_threads=arguments.threads,
                                         check_intersections=False), arguments.repeats))


def als_child(arguments):
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from implicit.als import AlternatingLeastSquares
    matrix, seconds = read_pairs(arguments)[0].tocsr(), []
    for _ in range(arguments.repeats):
        model = AlternatingLeastSquares(factors=30, iterations=15, num_threads=arguments.threads, random_state=1,
                                        regularization=30, alpha=5)
        start = time.perf_counter()
        model.fit(matrix, show_progress=False)
        seconds.append(time.perf_counter() - start)
    if arguments.rival == "top":
        seconds = timed(lambda: model.recommend(list(range(matrix.shape[0])), matrix, N=10), arguments.repeats)
    say(seconds)


def synth_child(arguments):
    import numpy
    matrix, _ = read_pairs(arguments)
    before = common.peak_mib()
    rate, model = fit_lightfm(matrix, 32, 1, arguments.threads)
    peak, asked = common.peak_mib(), numpy.arange(0, matrix.shape[0], matrix.shape[0] // 1000)[:1000]
    met = matrix.tocsr()

    def ask():
        for start in range(0, len(asked), 100):
            some = asked[start:start + 100]
            numpy_top(model.user_embeddings[some], model.item_embeddings, model.item_biases, met[some].nonzero(), 100)
    print(json.dumps({"values": [rate], "peak_mib": peak, "before_mib": before, "top": timed(ask, arguments.repeats)}))


CHILDREN = {"train": train_child, "top": top_child, "ranks": ranks_child, "als": als_child, "synth": synth_child}


# ---- ours beside them -----------------------------------------------------------------------------------------------
def rival(arguments, what, *words, threads=1, python=None):
    one, = common.run([python or arguments.python, SCRIPT, "--child", what, "--interactions", arguments.interactions,
                       "--products", arguments.products, "--epochs", str(arguments.epochs), "--repeats",
                       str(arguments.repeats), "--threads", str(threads), *map(str, words)])
    return one


def our(arguments, *words, threads=1):
    """The lines of a run on the user's files, by what they measure."""
    lines = common.run([arguments.program, "--threads", str(threads), "bench", "recommend", "--json", "--interactions",
                        arguments.interactions, "--products", arguments.products, "--repeats", str(arguments.repeats),
                        *map(str, words)])
    return {line["what"]: line for line in lines}


def values(spread, factor=1):
    return [factor * spread[key] for key in ("min", "median", "max")]


def mib(line):
    return line["peak_resident_bytes"] / 2**20


def train(arguments, table, name, dim, threads, ours_words=(), their_words=()):
    neighbours, mine, theirs = common.Neighbours(), common.Side(), common.Side()
    for _ in range(arguments.rounds):
        line = our(arguments, "--dim", dim, "--epochs", arguments.epochs, "-n", 0, *ours_words,
                   threads=threads)["recommend.train"]
        mine.add(values(line["pairs_per_second"], 1e-6), mib(line))
        one = rival(arguments, "train", "--dim", dim, *their_words, threads=threads)
        theirs.add(one["values"], one["peak_mib"])
    table.row(name, mine, "LightFM", theirs, True, 2, neighbours.cores())


def train_threads(arguments, table, name):
    train(arguments, table, name + ", M pairs/s", 30, 2)
    train(arguments, table, name + " --hogwild, M pairs/s", 30, 2, ["--hogwild"])


def train_als(arguments, table, name):
    neighbours, mine, theirs = common.Neighbours(), common.Side(), common.Side()
    for _ in range(arguments.rounds):
        line = our(arguments, "--loss", "als", "--dim", 30, "-n", 0, threads=2)["recommend.train"]
        seconds = [line["pairs"] * line["epochs"] / rate for rate in values(line["pairs_per_second"])]
        mine.add(seconds, mib(line))
        one = rival(arguments, "als", threads=2, python=arguments.implicit_python)
        theirs.add(one["values"], one["peak_mib"])
    table.row(name + ", s", mine, "implicit", theirs, False, 3, neighbours.cores())


def answers(arguments, table, what, rivals):
    """`rivals`: how a table calls them, and the child's words."""
    neighbours, mine = common.Neighbours(), common.Side()
    theirs = {name: common.Side() for name, _, _ in rivals}
    for _ in range(arguments.rounds):
        line = our(arguments, "--dim", 30, "--epochs", 1, threads=2)["recommend." + what]
        mine.add(values(line["milliseconds"]), mib(line))
        for name, words, python in rivals:
            one = rival(arguments, *words, "--dim", 30, threads=2, python=python)
            theirs[name].add(one["values"], one["peak_mib"])
    cores = neighbours.cores()
    for name, side in theirs.items():
        table.row(f"{what}, ms", mine, name, side, False, 2, cores)


def top(arguments, table, _):
    rivals = [("NumPy", ["top", "--rival", "numpy"], None), ("LightFM", ["top", "--rival", "lightfm"], None)]
    if arguments.implicit_python:
        rivals.append(("implicit", ["als", "--rival", "top"], arguments.implicit_python))
    answers(arguments, table, "top", rivals)


def ranks(arguments, table, _):
    answers(arguments, table, "ranks", [("LightFM", ["ranks"], None)])


def synth(arguments, table, name):
    sides = {threads: (common.Side(), common.Side()) for threads in (1, 2)}
    best, numpys, neighbours = common.Side(), common.Side(), common.Neighbours()
    with tempfile.TemporaryDirectory(prefix="assistify-peers-") as folder:
        pairs = os.path.join(folder, "pairs.csv")
        sizes = [word for key, size in SYNTHETIC.items() for word in ("--" + key, str(size))]
        for i in range(arguments.rounds):
            for threads, (mine, theirs) in sides.items():
                words = ["--hogwild"] if threads > 1 else ["--save", pairs] if i == 0 else []
                line, answer, _ = common.run([arguments.program, "--threads", str(threads), "bench", "recommend", "--json",
                                              "--repeats", "1", "-n", "100", *sizes, *words])
                mine.add([1e-6 * line["pairs_per_second"]["median"]], mib(line))
                one, = common.run([arguments.python, SCRIPT, "--child", "synth", "--synthetic", "--interactions", pairs,
                                   "--products", pairs, "--threads", str(threads), "--repeats", "3"])
                theirs.add(one["values"], one["peak_mib"])
                if threads > 1:
                    best.add(values(answer["milliseconds"]), mib(answer))
                    numpys.add(one["top"], one["peak_mib"])
    cores = neighbours.cores()
    table.row(name + ", one thread, M pairs/s", *_interposed(sides[1]), True, 2, cores)
    table.row(name + ", two, --hogwild, M pairs/s", *_interposed(sides[2]), True, 2, cores)
    table.row(name + ", top 100 of 1,000, ms", best, "NumPy", numpys, False, 1, cores)


def _interposed(sides):
    return sides[0], "LightFM", sides[1]


PARTS = {
    **{f"train.d{dim}": lambda arguments, table, name, dim=dim: train(arguments, table, name + ", M pairs/s", dim, 1)
       for dim in DIMS},
    "train.threads": train_threads,
    "train.hybrid": lambda arguments, table, name: train(arguments, table, name + ", M pairs/s", 30, 1,
                                                         ["--features", "category"], ["--hybrid"]),
    "train.als": train_als,
    "top": top,
    "ranks": ranks,
    "synth": synth,
}


def compare(arguments):
    parts = common.chosen(arguments.only, PARTS)
    if not arguments.implicit_python:
        parts = [part for part in parts if part != "train.als"]
    common.describe_machine(f"{os.path.basename(arguments.interactions)}, {arguments.epochs} epochs", arguments.rounds)
    table = common.Table(arguments.markdown)
    for part in parts:
        PARTS[part](arguments, table, part)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default=os.path.join(common.ROOT, "build", "assistify"), help="ours; default: %(default)s")
    parser.add_argument("--interactions", required=True, help="CSV file: customer_id, product_id, interaction_type, timestamp")
    parser.add_argument("--products", required=True, help="CSV file: product_id, name, category, price")
    parser.add_argument("--python", default=sys.executable, help="a Python with numpy, scipy and lightfm")
    parser.add_argument("--implicit-python", help="a Python with implicit; without it implicit is left out")
    parser.add_argument("--only", help="comma list of parts; default: all")
    parser.add_argument("--epochs", type=int, default=30, help="default: %(default)s")
    parser.add_argument("--repeats", type=int, default=3, help="of each measurement in a round; default: %(default)s")
    parser.add_argument("--rounds", type=int, default=3, help="ours and theirs in turn, so many times; default: %(default)s")
    parser.add_argument("--markdown", action="store_true", help="print the rows of a Markdown table")
    for name in ("--child", "--rival"):
        parser.add_argument(name, help=argparse.SUPPRESS)
    for name in ("--hybrid", "--synthetic"):
        parser.add_argument(name, action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--dim", type=int, default=30, help=argparse.SUPPRESS)
    parser.add_argument("--threads", type=int, default=1, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        CHILDREN[arguments.child](arguments)
    else:
        compare(arguments)


if __name__ == "__main__":
    main()
