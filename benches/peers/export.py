"""Writes the network of a polytask run as ONNX, without the decoding of tags.

usage: export.py tag-conll|classify-imdb|start onnx=FILE run=RUN [chars=tokens|distinct]
"""
import json, warnings
from common import SIZES, word
import torch
from inference import Task
from network import Network

task = Task()
network = Network.of_run(task)


class One(torch.nn.Module):
    """The network with one task."""

    def __init__(self):
        super().__init__()
        self.network = network

    def forward(self, words, letters, lengths, index=None):
        run = network.tag if task.tagging else network.classify
        return run(task.name, words, letters, lengths, index)


words, letters, lengths = torch.ones(2, 5, dtype=torch.long), torch.ones(2, 5, 7, dtype=torch.long), torch.tensor([5, 3])
batch = {"words": (words, {0: "batch", 1: "time"}), "letters": (letters, {0: "batch", 1: "time", 2: "letter"}),
         "lengths": (lengths, {0: "batch"})}
if SIZES.get("chars") == "distinct":
    index = torch.zeros(2, 5, dtype=torch.long)
    batch = {"words": (words[0], {0: "word"}), "letters": (letters[0], {0: "word", 1: "letter"}),
             "lengths": (lengths, {0: "batch"}), "index": (index, {0: "batch", 1: "time"})}
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    torch.onnx.export(One().eval(), tuple(values for values, _ in batch.values()), word("onnx"), dynamo=False,
                      input_names=list(batch), output_names=["scores"],
                      dynamic_axes={name: axes for name, (_, axes) in batch.items()}, opset_version=17)
print(json.dumps({"onnx": word("onnx")}))
