"""The PyTorch side of inference: the equivalent network, eager, with the weights of a polytask run.

usage: inference_torch.py tag-conll|classify-imdb|start run=RUN texts=FILE [batch=64] [chars=tokens|distinct]
                          [lstm=packed|flipped] [out=FILE]
"""
import time
from common import SIZES, THREADS
import torch
from inference import Task, measure
from network import Network, tensors

torch.set_num_threads(THREADS)
began = time.perf_counter()
task = Task()
network = Network.of_run(task, SIZES.get("lstm", "packed"))


@torch.inference_mode()
def scores(*batch):
    run = network.tag if task.tagging else network.classify
    return run(task.name, *tensors(*batch)).numpy()


measure(task, scores, "torch " + torch.__version__, time.perf_counter() - began)
