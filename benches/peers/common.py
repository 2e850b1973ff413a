"""Which sizes does a measurement have, and what does its process use? Import before torch or onnxruntime.

usage of every script: SCRIPT WORKLOAD [key=value ...]     the same sizes as polytask-bench; prints one line of JSON
"""
import json, os, resource, sys

NAME = sys.argv[1]
SIZES = dict(word.split("=", 1) for word in sys.argv[2:])


def number(key, default):
    return int(SIZES.get(key, default))


def word(key, default=None):
    value = SIZES.get(key, default)
    if value is None:
        sys.exit(f"the workload needs {key}=PATH")
    return value


THREADS = number("threads", 2)
SECONDS = float(SIZES.get("secs", 6))
os.environ["OMP_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = str(THREADS)


def peak_mib():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def report(side, **fields):
    print(json.dumps({"side": side, "workload": NAME, **fields, "peak_mib": peak_mib()}))
