"""The PyTorch side of an epoch: from files to scores on the test sets and saved weights, eager, with the usual DataLoader.

usage: epoch.py epoch data=FOLDER [config=FILE] [epochs=1] [threads=2] [rows=lazy|dense] [chars=tokens|distinct]
                      [lstm=packed|flipped] [workers=0] [adam=default|fused] [steps=N]
The configuration is polytask's, of the form of examples/three-tasks.toml: its files, sizes, rates and batch sizes hold
for both sides. `rows=lazy` (as the example) is a sparse embedding gradient with SparseAdam; `chars=distinct` encodes the
characters of each distinct word of a batch once; `lstm=flipped` avoids packed batches, whose backward pass on a CPU grows
with the square of the length; `steps` ends an epoch early, for trying out.
"""
import itertools, random, tempfile, time, tomllib
from pathlib import Path
from common import SIZES, THREADS, number, report, word
import numpy as np
import torch
import torch.nn.functional as F
from torch.utils.data import DataLoader
import corpus
from network import Network, tensors

CONFIG = Path(__file__).parents[2] / "examples" / "three-tasks.toml"
torch.set_num_threads(THREADS)
torch.manual_seed(0)
random.seed(0)


def split(examples, shares):
    """Training examples, then those drawn for each share."""
    random.shuffle(examples)
    sizes = [round(share * len(examples)) for share in shares]
    drawn = [[examples.pop() for _ in range(size)] for size in sizes]
    return examples, *drawn


def read(config, words):
    """Of each dataset: train, valid and test, each example (word ids, target in words)."""
    data, most, sets = Path(word("data")), config["input"]["words"]["max_tokens"], {}
    for name, source in config["data"].items():
        if source["format"] == "conll":
            target = next(task["target"] for task in config["task"].values() if task["data"] == name)
            parts = [corpus.conll(data / source[part], source["columns"], target) for part in ("train", "valid", "test")]
            parts = [[(sentence, corpus.bioes(tags)) for sentence, tags in part] for part in parts]
        else:
            if source["format"] == "imdb":
                reviews = corpus.imdb(data / source["path"])
                train, valid = split(reviews["train"], [source["split"]["valid"]])
                parts = [train, valid, reviews["test"]]
            else:
                reviews, shares = corpus.blitzer(data / source["path"]), source["split"]
                parts = split(reviews, [shares["valid"], shares["test"]])
        # A text becomes numbers at once, so that its words are not all in memory.
        cut = lambda text: text if isinstance(text, list) else corpus.head_tail(corpus.TOKEN.findall(text), most)
        sets[name] = [[(words.add(cut(text)), target) for text, target in part] for part in parts]
        for part in sets[name][1:]:
            part.sort(key=lambda example: len(example[0]))  # evaluation in batches of little padding
    return sets


def classes_of(task, train):
    names = {tag for _, tags in train for tag in tags} if task["kind"] == "tag" else {label for _, label in train}
    if task["kind"] != "tag":
        return sorted(names)
    kinds = sorted({tag[2:] for tag in names if tag != "O"})
    return ["O", *(f"{prefix}-{kind}" for kind in kinds for prefix in "BIES")]


class Collate:
    """Makes a list of examples a padded batch and its targets."""

    def __init__(self, pad, names, tagging):
        self.pad, self.tagging, self.place = pad, tagging, {name: place for place, name in enumerate(names)}

    def __call__(self, examples):
        words, letters, lengths, index = self.pad([text for text, _ in examples])
        if not self.tagging:
            targets = np.array([self.place[label] for _, label in examples])
        else:
            targets = np.zeros((len(examples), lengths.max()), np.int64)
            for row, (_, tags) in zip(targets, examples):
                row[: len(tags)] = [self.place[tag] for tag in tags]
        return tensors(words, letters, lengths, index), torch.from_numpy(targets)


def loss_of(network, task, batch, targets):
    if task in network.chains:
        return network.chains[task].loss(network.tag(task, *batch), targets, batch[2])
    return F.cross_entropy(network.classify(task, *batch), targets)


def optimizers_of(network, spec):
    """Adam with the configured rates, and SparseAdam for a sparse table; their schedules."""
    fused = {"fused": True} if SIZES.get("adam") == "fused" else {}
    rate, table = spec["learning_rate"], network.words.weight
    slow = rate * spec.get("scale", {}).get("vectors", 1.0)
    vectors = [network.letters.weight] + ([] if network.words.sparse else [table])
    rest = [p for p in network.parameters() if all(p is not other for other in (table, *vectors))]
    groups = [{"params": vectors, "lr": slow}, {"params": rest}]
    made = [torch.optim.Adam(groups, lr=rate, **fused)]
    return made + ([torch.optim.SparseAdam([table], lr=slow)] if network.words.sparse else [])


def clip(parameters, most):
    """Scales gradients down to a global norm; `clip_grad_norm_` does not take sparse ones."""
    gradients = [p.grad.coalesce() if p.grad.is_sparse else p.grad for p in parameters if p.grad is not None]
    norms = [torch.linalg.vector_norm(g.values() if g.is_sparse else g) for g in gradients]
    factor = most / torch.linalg.vector_norm(torch.stack(norms))
    if factor < 1:
        for p in parameters:
            if p.grad is not None:
                p.grad.mul_(factor)


@torch.inference_mode()
def evaluate(network, task, loader, names):
    """Mean loss, and span F1 of a tagger, accuracy of a classifier."""
    losses, counts = [], np.zeros(3)
    for batch, targets in loader:
        if task not in network.chains:
            logits = network.classify(task, *batch)
            losses.append(F.cross_entropy(logits, targets).item())
            counts += [(logits.argmax(1) == targets).sum().item(), len(targets), len(targets)]
            continue
        chain, emissions, lengths = network.chains[task], network.tag(task, *batch), batch[2]
        losses.append(chain.loss(emissions, targets, lengths).item())
        found = corpus.viterbi(emissions.numpy(), lengths.numpy(), *(part.numpy() for part in chain.scores()))
        for guess, gold, length in zip(found, targets.tolist(), lengths.tolist()):
            guess, gold = ({*corpus.spans([names[tag] for tag in row[:length]])} for row in (guess, gold))
            counts += [len(guess & gold), len(guess), len(gold)]
    score = 2 * counts[0] / max(counts[1] + counts[2], 1)
    return {"loss": float(np.mean(losses)), "f1" if task in network.chains else "accuracy": float(score)}


def main():
    began = time.perf_counter()
    config = tomllib.loads(Path(SIZES.get("config", CONFIG)).read_text(encoding="utf-8"))
    inputs, optimizer = config["input"]["words"], config["optimizer"]
    words = corpus.Words()
    sets = read(config, words)
    found, table = corpus.vectors(Path(word("data")) / inputs["vectors"], words)
    counts = words.counts([text for train, *_ in sets.values() for text, _ in train])
    own = corpus.own_words(words, counts, found, inputs.get("min_count", 2))
    characters = sorted({letter for text, id in words.ids.items() if counts[id] for letter in text})
    rows, letters = corpus.lexicon(words, found, own, characters)
    pad = corpus.Padder(rows, letters, SIZES.get("chars", "tokens") == "distinct")
    tasks = config["task"]
    classes = {name: classes_of(task, sets[task["data"]][0]) for name, task in tasks.items()}
    sparse = SIZES.get("rows", "lazy") == "lazy"
    network = Network(config, 1 + len(found) + len(own), 2 + len(characters), classes, sparse, SIZES.get("lstm", "packed"))
    network.words.weight.data[1 : 1 + len(found)] = torch.from_numpy(table)

    def loader(name, part, **how):
        task = tasks[name]
        collate = Collate(pad, classes[name], task["kind"] == "tag")
        return DataLoader(sets[task["data"]][part], collate_fn=collate, num_workers=number("workers", 0), **how)

    size = lambda name: config["data"][tasks[name]["data"]].get("batch_size", config["train"]["batch_size"])
    loaders = {name: loader(name, 0, shuffle=True, batch_size=size(name)) for name in tasks}
    parameters, made = list(network.parameters()), optimizers_of(network, optimizer)
    total = number("epochs", 1) * sum(map(len, loaders.values()))
    linear = lambda step: 1 - step / total if optimizer.get("decay") == "linear" else 1.0
    schedules = [torch.optim.lr_scheduler.LambdaLR(each, linear) for each in made]
    read_s, train_s, evaluate_s, scores = time.perf_counter() - began, 0.0, 0.0, {}

    def judge(part):
        network.eval()
        judged = {name: evaluate(network, name, loader(name, part, batch_size=64), classes[name]) for name in tasks}
        network.train()
        return judged

    for _ in range(number("epochs", 1)):
        start = time.perf_counter()
        passes = lambda name: config["data"][tasks[name]["data"]].get("passes", 1)
        order = [name for name in tasks for _ in range(round(passes(name) * len(loaders[name])))]
        random.shuffle(order)
        batches = {name: itertools.chain.from_iterable(itertools.repeat(each)) for name, each in loaders.items()}
        for name in order[: number("steps", len(order))]:
            for each in made:
                each.zero_grad()
            loss_of(network, name, *next(batches[name])).backward()
            clip(parameters, optimizer.get("clip_norm", 5.0))
            for each in (*made, *schedules):
                each.step()
        trained = time.perf_counter()
        scores["valid"] = judge(1)
        train_s, evaluate_s = train_s + trained - start, evaluate_s + time.perf_counter() - trained
    start = time.perf_counter()
    scores["test"] = judge(2)
    evaluate_s += time.perf_counter() - start
    with tempfile.TemporaryDirectory() as folder:
        torch.save(network.state_dict(), Path(folder) / "model.pt")
    report("torch " + torch.__version__, seconds=time.perf_counter() - began, read_s=read_s, train_s=train_s,
           evaluate_s=evaluate_s, steps=len(order), test=scores["test"])


main()
