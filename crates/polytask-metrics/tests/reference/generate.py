"""Writes cases.json: inputs of metrics, and what scikit-learn and scipy say of them.

    pip install scikit-learn scipy
    python generate.py > cases.json

`python generate.py 100` makes a hundred times the random cases, for a longer comparison. The same seed gives the same
file with the same versions, which the file names.

A value that does not exist is null. Where scikit-learn has a number for it (0 for a correlation with a constant, or for
the precision of a class that does not occur) or leaves out too much (AUROC is NaN as soon as one class of many is
absent), the functions below say so.
"""

import json
import sys
import warnings

import numpy as np
import scipy
import sklearn
from scipy import stats
from sklearn import metrics
from sklearn.calibration import calibration_curve

warnings.simplefilter("ignore")
MASK = (1 << 64) - 1


class SplitMix:
    """The generator that the test has too, so that large inputs need not be stored."""

    def __init__(self, seed):
        self.state = seed

    def below(self, bound):
        self.state = (self.state + 0x9E3779B97F4A7C15) & MASK
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        return (z ^ (z >> 31)) % bound


def scores(prefix, values):
    return {f"{name}-{prefix}": value for name, value in zip(("precision", "recall", "f1"), values[:3])}


def known(values):
    """Plain numbers, with null for NaN."""
    return {key: None if value is None or np.isnan(value) else float(value) for key, value in values.items()}


# Classes: gold and predicted class of each example.


def label_values(gold, predicted, classes):
    prf = lambda average: metrics.precision_recall_fscore_support(gold, predicted, average=average, zero_division=0)
    values = {"accuracy": metrics.accuracy_score(gold, predicted)}
    values |= scores("macro", prf("macro")) | scores("micro", prf("micro"))
    # scikit-learn: 0.
    constant = len(set(gold)) < 2 or len(set(predicted)) < 2
    values["mcc"] = None if constant else metrics.matthews_corrcoef(gold, predicted)
    positive = np.array(gold) == 1, np.array(predicted) == 1
    binary = metrics.precision_recall_fscore_support(*positive, average="binary", zero_division=0)
    # scikit-learn: 0.
    absent = not positive[0].any() and not positive[1].any()
    values |= scores("binary", [None] * 3 if absent else binary)
    return known(values)


def label_case(name, classes, gold, predicted, made=None):
    matrix = metrics.confusion_matrix(gold, predicted, labels=range(classes)).tolist()
    case = {"name": name, "classes": classes}
    case |= {"made": made} if made else {"gold": gold, "predicted": predicted}
    return case | {"matrix": matrix, "expected": label_values(gold, predicted, classes)}


def made_labels(seed, count, classes):
    random = SplitMix(seed)
    gold, predicted = [], []
    for _ in range(count):
        gold.append(random.below(classes))
        predicted.append(gold[-1] if random.below(3) else random.below(classes))
    return gold, predicted


def label_cases(rng, times):
    fixed = [
        ("one right", 2, [0], [0]),
        ("one wrong", 2, [0], [1]),
        ("all right", 3, [0, 1, 2, 1], [0, 1, 2, 1]),
        ("two classes, all wrong", 2, [0, 1, 0], [1, 0, 1]),
        ("three classes, all wrong", 3, [0, 1, 2, 2], [1, 2, 0, 1]),
        ("constant prediction", 2, [0, 1, 1, 0, 1], [1, 1, 1, 1, 1]),
        ("constant gold", 2, [1, 1, 1], [0, 1, 1]),
        ("positive class absent", 2, [0, 0, 0], [0, 0, 0]),
        ("positive class only predicted", 2, [0, 0, 0], [0, 1, 0]),
        ("one class of three absent", 3, [0, 2, 2, 0, 0], [2, 2, 2, 0, 0]),
        ("disjoint", 4, [0, 1, 0, 1], [2, 3, 3, 2]),
        ("one of a hundred", 2, [0] * 99 + [1], [0] * 98 + [1, 0]),
    ]
    cases = [label_case(*case) for case in fixed]
    for i in range(10 * times):
        classes, count = [(2, 20), (3, 15), (5, 40), (9, 30), (2, 3)][i % 5]
        gold = rng.integers(classes, size=count)
        predicted = np.where(rng.random(count) < 0.5, gold, rng.integers(classes, size=count))
        cases.append(label_case(f"random {i}", classes, gold.tolist(), predicted.tolist()))
    for made in ({"seed": 1, "count": 20000, "classes": 2}, {"seed": 2, "count": 30000, "classes": 12}):
        name = f"{made['count']} examples"
        cases.append(label_case(name, made["classes"], *made_labels(**made), made=made))
    return cases


# Probabilities: gold class and probability of each class, as 32-bit numbers.


def probability_values(gold, probabilities, classes):
    gold, probabilities = np.array(gold), np.array(probabilities, np.float32).astype(np.float64)
    onehot = np.eye(classes, dtype=int)[gold]
    columns = [1] if classes == 2 else range(classes)
    # Classes without an example, or with all of them, have no value; scikit-learn: NaN and 0.
    ranked = [k for k in columns if 0 < onehot[:, k].sum() < len(gold)]
    occurring = [k for k in columns if onehot[:, k].any()]
    mean = lambda score, chosen: score(onehot[:, chosen], probabilities[:, chosen], average="macro") if chosen else None
    values = {"auroc": mean(metrics.roc_auc_score, ranked), "auprc": mean(metrics.average_precision_score, occurring)}
    if len(set(gold)) == classes:
        # Nothing is left out: the functions for whole answers say the same.
        score = probabilities[:, 1] if classes == 2 else probabilities
        whole = metrics.roc_auc_score(gold, score, multi_class="ovr", average="macro")
        assert abs(whole - values["auroc"]) < 1e-12
        whole = metrics.average_precision_score(gold, score, average="macro")
        assert abs(whole - values["auprc"]) < 1e-12
    labels = list(range(classes))
    values["brier"] = metrics.brier_score_loss(gold, probabilities, labels=labels, scale_by_half=True)
    values["nll"] = metrics.log_loss(gold, probabilities, labels=labels)
    values["ece"] = calibration_error(gold, probabilities)
    return known(values)


def calibration_error(gold, probabilities):
    """The reliability diagram is scikit-learn's, the weight of a bin a count of ours."""
    confidence, correct = probabilities.max(axis=1), probabilities.argmax(axis=1) == gold
    accuracy, mean = calibration_curve(correct, confidence, n_bins=15, strategy="uniform")
    edges = np.linspace(0, 1, 16)
    count = [((low < confidence) & (confidence <= high)).sum() for low, high in zip(edges, edges[1:])]
    return (np.array([n for n in count if n]) * np.abs(accuracy - mean)).sum() / len(gold)


def probability_case(name, gold, probabilities, made=None):
    classes = len(probabilities[0])
    case = {"name": name, "classes": classes}
    case |= {"made": made} if made else {"gold": gold, "probabilities": probabilities}
    return case | {"expected": probability_values(gold, probabilities, classes)}


def made_probabilities(seed, count, classes):
    random = SplitMix(seed)
    gold, rows = [], []
    for _ in range(count):
        weights = np.array([1 + random.below(16) for _ in range(classes)], np.float32)
        rows.append(weights / np.float32(weights.sum()))
        gold.append(random.below(classes) if random.below(3) else int(rows[-1].argmax()))
    return gold, rows


def normal(weights):
    """Rows that sum to one, rounded to 32 bits and written as short as these allow."""
    rows = np.array(weights, np.float64)
    rows = (rows / rows.sum(axis=1, keepdims=True)).astype(np.float32)
    return [[float(str(value)) for value in row] for row in rows]


def positive(scores):
    return [[float(str(np.float32(1) - np.float32(score))), float(str(np.float32(score)))] for score in scores]


def probability_cases(rng, times):
    fixed = [
        ("one example", [1], positive([0.25])),
        ("two in order", [0, 1], positive([0.2, 0.9])),
        ("two in reverse", [1, 0], positive([0.2, 0.9])),
        ("all tie", [0, 1, 1, 0, 1], positive([0.5] * 5)),
        ("only the positive class", [1, 1, 1], positive([0.3, 0.7, 0.5])),
        ("only the negative class", [0, 0, 0], positive([0.3, 0.7, 0.5])),
        ("ties across classes", [1, 0, 1, 0, 0, 1], positive([0.75, 0.75, 0.5, 0.5, 0.5, 0.25])),
        ("sure and right or wrong", [0, 1, 0, 1, 1], positive([0, 1, 1, 0, 1])),
        ("extreme", [0, 1, 0, 1, 0, 1], positive([1e-45, 1e-30, 1e-38, 0.99999994, 0, 1])),
        ("on the edges of bins", [0, 1, 1, 0], positive([0.2, 0.6, 0.8, 0.4])),
        ("one positive of fifty", [0] * 49 + [1], positive([(i * 7 % 50) / 64 for i in range(50)])),
        ("one class of three absent", [0, 1, 1, 0], normal([[3, 1, 1], [1, 1, 2], [1, 5, 1], [4, 4, 1]])),
        ("one class of three only", [2, 2], normal([[3, 1, 1], [1, 1, 2]])),
        ("a class of three for each", [2, 0, 1], normal([[1, 1, 1], [1, 1, 1], [2, 2, 1]])),
    ]
    cases = [probability_case(*case) for case in fixed]
    for i in range(12 * times):
        classes, count = [(2, 25), (3, 20), (6, 25), (2, 4)][i % 4]
        gold = rng.integers(classes, size=count)
        if i % 3 == 0:
            weights = 1.0 + rng.integers(4, size=(count, classes))
        elif i % 3 == 1:
            weights = rng.random((count, classes)).round(3) + 0.001
        else:
            weights = np.exp(rng.normal(scale=12, size=(count, classes)))
        weights[np.arange(count), gold] *= 2
        cases.append(probability_case(f"random {i}", gold.tolist(), normal(weights)))
    for made in ({"seed": 3, "count": 20000, "classes": 2}, {"seed": 4, "count": 5000, "classes": 30}):
        gold, rows = made_probabilities(**made)
        cases.append(probability_case(f"{made['count']} examples", gold, rows, made))
    return cases


# Numbers: gold and predicted number of each example.


def number_values(gold, predicted):
    several = len(gold) > 1
    varies = several and len(set(gold)) > 1 and len(set(predicted)) > 1
    values = {
        "rmse": metrics.root_mean_squared_error(gold, predicted),
        "mae": metrics.mean_absolute_error(gold, predicted),
        "r2": metrics.r2_score(gold, predicted) if several else None,
        "pearson": stats.pearsonr(gold, predicted).statistic if varies else None,
        "spearman": stats.spearmanr(gold, predicted).statistic if varies else None,
    }
    return known(values)


def number_case(name, gold, predicted, made=None):
    inputs = {"made": made} if made else {"gold": gold, "predicted": predicted}
    return {"name": name} | inputs | {"expected": number_values(gold, predicted)}


def made_numbers(seed, count):
    random = SplitMix(seed)
    gold, predicted = [], []
    for _ in range(count):
        gold.append(random.below(1000) / 8)
        predicted.append(gold[-1] + random.below(800) / 8 - 50)
    return gold, predicted


def number_cases(rng, times):
    fixed = [
        ("one example", [1.5], [1.0]),
        ("two rising", [1.0, 2.0], [5.0, 5.5]),
        ("two falling", [1.0, 2.0], [5.5, 5.0]),
        # A constant whose mean is exact: of others scikit-learn's R² is a quotient of rounding errors.
        ("constant gold", [0.5, 0.5, 0.5], [0.1, 0.2, 0.3]),
        ("constant gold, all right", [0.5, 0.5, 0.5], [0.5, 0.5, 0.5]),
        ("constant prediction", [1.0, 2.0, 4.0], [0.3, 0.3, 0.3]),
        ("ties on both sides", [1.0, 1.0, 2.0, 2.0, 3.0], [2.0, 1.0, 1.0, 2.0, 2.0]),
        ("all right", [3.0, -1.0, 2.5], [3.0, -1.0, 2.5]),
        ("an outlier", [1.0, 2.0, 3.0, 1e6], [2.0, 1.0, 4.0, 3.0]),
        ("a large offset", [1e6 + i * i % 7 for i in range(9)], [1e6 + i * i % 5 for i in range(9)]),
        ("tiny", [1e-9, 2e-9, 4e-9], [3e-9, 1e-9, 5e-9]),
        ("exponential", [float(i) for i in range(8)], [float(np.exp(i)) for i in range(8)]),
    ]
    cases = [number_case(*case) for case in fixed]
    for i in range(8 * times):
        gold = rng.normal(size=20).round(i % 4)
        predicted = (gold * rng.normal() + rng.normal(size=20)).round(i % 4)
        cases.append(number_case(f"random {i}", gold.tolist(), predicted.tolist()))
    made = {"seed": 5, "count": 20000}
    cases.append(number_case("20000 examples", *made_numbers(**made), made=made))
    return cases


# Many labels an example: rows of 0 and 1.


def multilabel_values(gold, predicted):
    gold, predicted = np.array(gold), np.array(predicted)
    prf = lambda average: metrics.precision_recall_fscore_support(gold, predicted, average=average, zero_division=0)
    # scikit-learn: 0.
    micro = prf("micro") if gold.any() or predicted.any() else [None] * 3
    values = scores("micro", micro) | scores("macro", prf("macro")) | scores("samples", prf("samples"))
    exact = {"subset-accuracy": metrics.accuracy_score(gold, predicted)}
    return known(values | exact | {"hamming-loss": metrics.hamming_loss(gold, predicted)})


def multilabel_case(name, gold, predicted):
    rows = lambda matrix: ["".join(map(str, row)) for row in matrix]
    return {"name": name, "gold": rows(gold), "predicted": rows(predicted), "expected": multilabel_values(gold, predicted)}


def multilabel_cases(rng, times):
    fixed = [
        ("one right", [[1, 0]], [[1, 0]]),
        ("one partly right", [[1, 1, 0]], [[1, 0, 1]]),
        ("no label anywhere", [[0, 0], [0, 0]], [[0, 0], [0, 0]]),
        ("an example without labels", [[1, 0], [0, 0]], [[1, 1], [0, 0]]),
        ("nothing predicted", [[1, 0], [1, 1]], [[0, 0], [0, 0]]),
        ("all predicted", [[1, 0], [0, 0]], [[1, 1], [1, 1]]),
    ]
    cases = [multilabel_case(*case) for case in fixed]
    for i in range(6 * times):
        count, labels = [(12, 4), (5, 9), (30, 3)][i % 3]
        gold = (rng.random((count, labels)) < 0.4).astype(int)
        predicted = np.where(rng.random(gold.shape) < 0.7, gold, 1 - gold)
        cases.append(multilabel_case(f"random {i}", gold.tolist(), predicted.tolist()))
    return cases


# Numbers under normal distributions.


def likelihood_case(name, gold, mean, deviation):
    inputs = {"gold": gold, "mean": mean, "deviation": deviation}
    value = -np.mean(stats.norm.logpdf(gold, mean, deviation))
    return {"name": name} | inputs | {"expected": known({"gaussian-nll": value})}


def likelihood_cases(rng, times):
    fixed = [
        ("one example", [1.5], [1.0], [0.5]),
        ("sharp and right", [1.0, 2.0], [1.0, 2.0], [1e-3, 1e-4]),
        ("sharp and wrong", [1.0, 2.0], [2.0, 1.0], [1e-3, 1e-4]),
        ("wide", [1.0, -3.0, 2.0], [0.0, 0.0, 0.0], [1e3, 1e4, 1e5]),
    ]
    cases = [likelihood_case(*case) for case in fixed]
    for i in range(4 * times):
        gold = rng.normal(size=15)
        mean, deviation = gold + rng.normal(size=15), np.exp(rng.normal(size=15))
        cases.append(likelihood_case(f"random {i}", gold.tolist(), mean.tolist(), deviation.tolist()))
    return cases


def main():
    times = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    rng = np.random.default_rng(20)
    sections = {
        "labels": label_cases(rng, times),
        "probabilities": probability_cases(rng, times),
        "numbers": number_cases(rng, times),
        "multilabel": multilabel_cases(rng, times),
        "likelihoods": likelihood_cases(rng, times),
    }
    print(f'{{"scikit-learn":"{sklearn.__version__}","scipy":"{scipy.__version__}"', end="")
    for name, cases in sections.items():
        lines = ",\n".join(json.dumps(case, separators=(",", ":"), allow_nan=False) for case in cases)
        print(f',\n"{name}":[\n{lines}\n]', end="")
    print("}")


main()
