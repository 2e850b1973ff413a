"""The ONNX Runtime side of inference: the network that export.py wrote, on the CPU.

usage: inference_onnx.py tag-conll|classify-imdb|start onnx=FILE run=RUN texts=FILE [batch=64] [chars=..] [out=FILE]
"""
import time
from common import THREADS, word
import onnxruntime
from inference import Task, measure

began = time.perf_counter()
task = Task()
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = THREADS
session = onnxruntime.InferenceSession(word("onnx"), options, providers=["CPUExecutionProvider"])
names = [each.name for each in session.get_inputs()]


def scores(*batch):
    return session.run(None, dict(zip(names, batch)))[0]


measure(task, scores, "onnxruntime " + onnxruntime.__version__, time.perf_counter() - began)
