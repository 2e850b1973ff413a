"""What do PyTorch and ONNX Runtime share when they predict with the model of a polytask run? numpy only.

Texts come as their words, sorted by length into batches. `per_second` is network and decoding; looking words and
characters up (once a word) and padding are `prepare_s`.
"""
import time, tomllib
from pathlib import Path
import numpy as np
from common import NAME, SECONDS, SIZES, number, report, word
from corpus import ILLEGAL, Padder, Words, head_tail, legal, lexicon, saved, viterbi


class Task:
    """The task that the workload asks, and what its model knows."""

    def __init__(self):
        run = word("run")
        self.weights, known = saved(run)
        self.config = tomllib.loads((Path(run) / "model" / "model.toml").read_text(encoding="utf-8"))
        self.classes = {name: task.get("names") or task["labels"] for name, task in known["tasks"].items()}
        self.name = SIZES.get("task", "imdb" if NAME == "classify-imdb" else "ner")
        self.tagging = self.config["task"][self.name]["kind"] == "tag"
        words = known["inputs"]["words"]
        self.vocabulary, self.characters = words["vocabulary"], words["characters"]
        if self.tagging:
            parts = zip(("start", "transitions", "end"), legal(self.classes[self.name]))
            self.chain = [np.where(allowed, self.weights[f"task.{self.name}.head.{part}"], ILLEGAL).astype(np.float32)
                          for part, allowed in parts]

    def read(self, texts):
        """Word ids of each text, and what makes batches of them."""
        most = 10**9 if self.tagging else self.config["input"]["words"]["max_tokens"]
        words = Words()
        ids = [words.add(head_tail(text, most)) for text in texts]
        split = self.vocabulary["vectors"]
        with_vector, own = self.vocabulary["words"][:split], self.vocabulary["words"][split:]
        rows, letters = lexicon(words, with_vector, own, self.characters)
        return ids, Padder(rows, letters, SIZES.get("chars", "tokens") == "distinct")

    def decide(self, scores, lengths):
        """Predictions in words, from emissions or logits."""
        names = np.array(self.classes[self.name])
        if not self.tagging:
            return names[scores.argmax(1)].tolist()
        tags = viterbi(scores, lengths, *self.chain)
        return [" ".join(names[row[:length]]) for row, length in zip(tags, lengths)]


def measure(task, scores, side, load):
    """Predicts the texts for `secs`, at least once, and reports; `scores` is the network on a padded batch."""
    began = time.perf_counter()
    texts = [line.split() for line in Path(word("texts")).read_text(encoding="utf-8").split("\n")[:-1]]
    ids, pad = task.read(texts)
    lookup, rates = time.perf_counter() - began, []
    order = sorted(range(len(ids)), key=lambda text: len(ids[text]))
    size = number("batch", 64)
    chunks = [order[first : first + size] for first in range(0, len(order), size)]
    began = time.perf_counter()
    while not rates or time.perf_counter() - began < SECONDS:
        predictions, spent, padding = [""] * len(ids), 0.0, 0.0
        for chunk in chunks:
            start = time.perf_counter()
            batch = pad([ids[text] for text in chunk])
            padded = time.perf_counter()
            found = task.decide(scores(*batch), batch[2])
            spent += time.perf_counter() - padded
            padding += padded - start
            for text, prediction in zip(chunk, found):
                predictions[text] = prediction
        rates.append(len(ids) / spent)
    if "out" in SIZES:
        Path(SIZES["out"]).write_text("\n".join(predictions) + "\n", encoding="utf-8")
    report(side, per_second=float(np.median(rates)), texts=len(ids), tokens=sum(map(len, texts)), passes=len(rates),
           prepare_s=lookup + padding, load_ms=load * 1e3)
