"""The PyTorch side of training steps: the same networks and sizes, eager.

usage: steps.py WORKLOAD [key=value ...]      WORKLOAD: gemm, w1, w2, w2-crf, w5, tasks
`rows=lazy` trains word vectors with sparse gradients and SparseAdam; `adam=fused` takes PyTorch's fused kernel.
`tasks:balance=METHOD` walks every task's loss back alone and lets TorchJD combine the flat gradients of what tasks share;
`pcgrad` projects whole gradients one after the other, as LibMTL does, `pcgrad-torchjd` is TorchJD's.
"""
import time
from common import NAME, SECONDS, SIZES, THREADS, number as size, report
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

torch.set_num_threads(THREADS)
torch.manual_seed(0)

VOCABULARY = size("vocabulary", 20000)
SPARSE = SIZES.get("rows", "dense") == "lazy"
FUSED = {"fused": True} if SIZES.get("adam") == "fused" else {}


class TextCnn(nn.Module):
    def __init__(self, widths, filters, frozen=False):
        super().__init__()
        self.emb = nn.Embedding(VOCABULARY, 100, sparse=SPARSE and not frozen)
        self.emb.weight.requires_grad_(not frozen)
        self.convs = nn.ModuleList([nn.Conv1d(100, filters, k, padding="same") for k in widths])
        self.fc = nn.Linear(filters * len(widths), 128)

    def forward(self, x):
        e = self.emb(x).transpose(1, 2)
        return F.relu(self.fc(torch.cat([F.relu(c(e)).amax(2) for c in self.convs], 1)))


def optimizers(model, extra=()):
    params = [p for p in [*model.parameters(), *extra] if p.requires_grad]
    table = [m.weight for m in model.modules() if isinstance(m, nn.Embedding) and m.sparse]
    rest = [p for p in params if not any(p is t for t in table)]
    return [torch.optim.Adam(rest, lr=1e-3, **FUSED)] + ([torch.optim.SparseAdam(table, lr=1e-3)] if table else [])


def w1():
    batch, length = size("batch", 64), size("length", 256)
    widths = [int(k) for k in SIZES.get("widths", "3/4/5").split("/")]
    trunk = TextCnn(widths, size("filters", 100))
    a, b = nn.Linear(128, 2), nn.Linear(128, 5)
    x = torch.randint(0, VOCABULARY, (batch, length))
    y, z = torch.randint(0, 2, (batch,)), torch.randint(0, 5, (batch,))
    model = nn.ModuleList([trunk, a, b])

    def loss():
        h = trunk(x)
        return F.cross_entropy(a(h), y) + F.cross_entropy(b(h), z)

    return model, loss


def w2(crf=False):
    batch, length, hidden = size("batch", 32), size("length", 64), size("hidden", 200)
    emb = nn.Embedding(VOCABULARY, 100, sparse=SPARSE)
    width = 150 if crf else 100
    lstm = nn.LSTM(width, hidden, batch_first=True, bidirectional=True)
    out = nn.Linear(2 * hidden, 9)
    x = torch.randint(0, VOCABULARY, (batch, length))
    y = torch.randint(0, 9, (batch, length))
    if not crf:
        model = nn.ModuleList([emb, lstm, out])
        return model, lambda: F.cross_entropy(out(lstm(emb(x))[0]).reshape(-1, 9), y.reshape(-1))
    chars, conv = nn.Embedding(28, 30, padding_idx=0), nn.Conv1d(30, 50, 3, padding=1)
    letters = torch.randint(2, 28, (batch, length, 5))
    trans, start, end = (nn.Parameter(torch.zeros(*s)) for s in ((9, 9), (9,), (9,)))
    model = nn.ModuleList([emb, chars, conv, lstm, out])
    model.extra = (trans, start, end)

    def loss():
        c = chars(letters).reshape(batch * length, 5, 30).transpose(1, 2)
        c = torch.tanh(conv(c)).amax(2).reshape(batch, length, 50)
        e = out(lstm(torch.cat([emb(x), c], 2))[0])
        alpha = start + e[:, 0]
        gold = start[y[:, 0]] + e[:, 0].gather(1, y[:, :1]).squeeze(1)
        for t in range(1, length):
            alpha = torch.logsumexp(alpha.unsqueeze(2) + trans, 1) + e[:, t]
            gold = gold + trans[y[:, t - 1], y[:, t]] + e[:, t].gather(1, y[:, t : t + 1]).squeeze(1)
        z = torch.logsumexp(alpha + end, 1)
        return (z - gold - end[y[:, -1]]).sum() / (batch * length)

    return model, loss


def w5():
    batch, hidden = size("batch", 64), size("hidden", 256)
    net = nn.Sequential(nn.Linear(128, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU(), nn.Linear(hidden, 10))
    x, y = torch.randn(batch, 128), torch.randint(0, 10, (batch,))
    return net, lambda: F.cross_entropy(net(x), y)


def tasks():
    count, batch, length = size("tasks", 16), size("batch", 16), size("length", 128)
    trunk = TextCnn([3, 4, 5], 100, frozen=SIZES.get("embedding", "trained") == "frozen")
    heads = nn.ModuleList([nn.Linear(128, 2) for _ in range(count)])
    xs = [torch.randint(0, VOCABULARY, (batch, length)) for _ in range(count)]
    ys = [torch.randint(0, 2, (batch,)) for _ in range(count)]
    return nn.ModuleList([trunk, heads]), lambda: sum(F.cross_entropy(h(trunk(x)), y) for h, x, y in zip(heads, xs, ys))


def aggregate(method, count):
    """Makes one direction of the tasks' gradients, `[task, entry]`."""
    if method == "pcgrad":
        return pcgrad
    from torchjd import aggregation as jd

    made = {
        "mgda": jd.MGDA, "upgrad": jd.UPGrad, "dual-proj": jd.DualProj, "aligned-mtl": jd.AlignedMTL, "imtl-g": jd.IMTLG,
        "config": jd.ConFIG, "pcgrad-torchjd": jd.PCGrad, "cagrad": lambda: jd.CAGrad(c=0.5),
        "nash-mtl": lambda: jd.NashMTL(n_tasks=count),
    }
    return made[method]()


def pcgrad(gradients):
    projected = gradients.clone()
    for i, own in enumerate(projected):
        for j in torch.randperm(len(gradients)):
            product = torch.dot(own, gradients[j])
            if product < 0:
                own -= product / (gradients[j].norm().pow(2) + 1e-8) * gradients[j]
    return projected.sum(0)


def balanced(method):
    """A step's gradients under a balancer: the sum of the losses, with the direction of what tasks share in `.grad`."""
    count, batch, length = size("tasks", 16), size("batch", 16), size("length", 128)
    trunk = TextCnn([3, 4, 5], 100, frozen=SIZES.get("embedding", "trained") == "frozen")
    heads = nn.ModuleList([nn.Linear(128, 2) for _ in range(count)])
    xs = [torch.randint(0, VOCABULARY, (batch, length)) for _ in range(count)]
    ys = [torch.randint(0, 2, (batch,)) for _ in range(count)]
    shared = [p for p in trunk.parameters() if p.requires_grad]
    combine = aggregate(method, count)

    def backward():
        rows, total = [], 0.0
        for h, x, y in zip(heads, xs, ys):
            loss = F.cross_entropy(h(trunk(x)), y)
            for p in shared:
                p.grad = None
            loss.backward()
            rows.append(torch.cat([p.grad.flatten() for p in shared]))
            total += loss.item()
        direction, first = combine(torch.stack(rows)), 0
        for p in shared:
            p.grad = direction[first : first + p.numel()].view_as(p).clone()
            first += p.numel()
        return total

    return nn.ModuleList([trunk, heads]), backward


def gemm():
    n = size("size", 1024)
    a, b, out = torch.full((n, n), 0.5), torch.full((n, n), 0.25), torch.empty(n, n)
    times, began = [], time.perf_counter()
    while len(times) < 10 or time.perf_counter() - began < SECONDS:
        start = time.perf_counter()
        torch.mm(a, b, out=out)
        times.append(time.perf_counter() - start)
    report("torch " + torch.__version__, gflops=2e-9 * n**3 / float(np.median(times)), products=len(times))


def steps(model, loss):
    opts = optimizers(model, getattr(model, "extra", ()))
    times, began, losses = [], None, []
    while True:
        start = time.perf_counter()
        for o in opts:
            o.zero_grad()
        value = loss()
        if isinstance(value, torch.Tensor):
            value.backward()
            value = value.item()
        for o in opts:
            o.step()
        losses.append(value)
        times.append((time.perf_counter() - start) * 1e3)
        if len(times) == 5:
            began = time.perf_counter()
        if len(times) >= 15 and time.perf_counter() - began > SECONDS:
            break
    times = np.array(times[5:])
    p10, median, p90 = np.percentile(times, [10, 50, 90])
    report("torch " + torch.__version__, median_ms=median, p10_ms=p10, p90_ms=p90, steps=len(times),
           first_loss=losses[0], last_loss=losses[-1])


if NAME == "gemm":
    gemm()
elif NAME == "tasks" and SIZES.get("balance", "equal") != "equal":
    steps(*balanced(SIZES["balance"]))
else:
    steps(*{"w1": w1, "w2": w2, "w2-crf": lambda: w2(True), "w5": w5, "tasks": tasks}[NAME]())
