"""The network of examples/three-tasks.toml in PyTorch: words and characters, a BiLSTM, convolutions on it, heads, a CRF."""
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence
from corpus import ILLEGAL, legal


class Network(nn.Module):
    """`classes` are the tag or label names of each task, `rows` and `letters` the sizes of the two tables."""

    def __init__(self, config, rows, letters, classes, sparse=False, lstm="packed"):
        super().__init__()
        words = config["input"]["words"]
        spell, (low, high) = words["characters"], config["encoder"]["trunk"]["layers"]
        self.rates = {"input": words.get("dropout", 0.0), "low": low.get("dropout", 0.0)}
        self.rates |= {name: task.get("dropout", 0.0) for name, task in config["task"].items()}
        self.words = nn.Embedding(rows, words.get("dim", 100), sparse=sparse)
        self.letters = nn.Embedding(letters, spell["dim"], padding_idx=0)
        self.spell = nn.Conv1d(spell["dim"], spell["filters"], spell.get("width", 3), padding="same")
        width = self.words.embedding_dim + spell["filters"]
        self.lstm = (PackedLstm if lstm == "packed" else FlippedLstm)(width, low["hidden"])
        tokens = 2 * low["hidden"]
        self.convs = nn.ModuleList(nn.Conv1d(tokens, high["filters"], k, padding="same") for k in high["widths"])
        pooled = high["filters"] * len(high["widths"])
        self.heads, self.chains = nn.ModuleDict(), nn.ModuleDict()
        for name, task in config["task"].items():
            tagging = task["kind"] == "tag"
            self.heads[name] = nn.Linear(tokens if tagging else pooled, len(classes[name]))
            if tagging:
                self.chains[name] = Chain(classes[name])

    @staticmethod
    def of_run(task, lstm="packed"):
        """The network of a run's model, for predicting."""
        rows, letters = (len(task.weights[f"input.words.{part}"]) for part in ("vectors", "characters.vectors"))
        network = Network(task.config, rows, letters, task.classes, lstm=lstm).eval()
        network.load(task.weights)
        return network

    def dropout(self, x, where):
        return F.dropout(x, self.rates[where], self.training)

    def tokens(self, words, letters, lengths, index=None):
        """[batch, time, 2 hidden], zero past the lengths."""
        flat = letters.flatten(0, -2)
        windows = self.spell(self.letters(flat).transpose(1, 2))
        windows = windows.masked_fill((flat == 0).unsqueeze(1), -torch.inf).amax(2)
        x = torch.cat([self.words(words), torch.tanh(windows).view(*words.shape, -1)], -1)
        if index is not None:
            x = F.embedding(index, x)
        x = self.dropout(x, "input")
        return self.dropout(self.lstm(x, lengths), "low")

    def tag(self, name, *batch):
        """Emissions [batch, time, tag]."""
        return self.heads[name](self.dropout(self.tokens(*batch), name))

    def classify(self, name, words, letters, lengths, index=None):
        """Logits [batch, class]."""
        x = self.tokens(words, letters, lengths, index).transpose(1, 2)
        past = torch.arange(x.shape[2]) >= lengths.unsqueeze(1)
        pooled = [conv(x).masked_fill(past.unsqueeze(1), -torch.inf).amax(2) for conv in self.convs]
        return self.heads[name](self.dropout(F.relu(torch.cat(pooled, 1)), name))

    def load(self, weights):
        """Takes polytask's weights: matrices stand [input, output], windows [width * input, output]."""
        copy = lambda parameter, values: parameter.data.copy_(torch.tensor(values))
        window = lambda name, conv: weights[name].reshape(*conv.kernel_size, conv.in_channels, -1).transpose(2, 1, 0)
        copy(self.words.weight, weights["input.words.vectors"])
        copy(self.letters.weight, weights["input.words.characters.vectors"])
        self.letters.weight.data[0] = 0
        copy(self.spell.weight, window("input.words.characters.weight", self.spell))
        copy(self.spell.bias, weights["input.words.characters.bias"])
        for direction, parameters in zip(("forward", "backward"), self.lstm.directions()):
            part = lambda what: weights[f"encoder.trunk.low.{direction}.{what}"]
            values = [part("weight_ih").T, part("weight_hh").T, part("bias"), np.zeros_like(part("bias"))]
            for parameter, value in zip(parameters, values):
                copy(parameter, value)
        biases = np.split(weights["encoder.trunk.high.bias"], len(self.convs))
        for conv, bias in zip(self.convs, biases):
            copy(conv.weight, window(f"encoder.trunk.high.width{conv.kernel_size[0]}.weight", conv))
            copy(conv.bias, bias)
        for name, head in self.heads.items():
            copy(head.weight, weights[f"task.{name}.head.weight"].T)
            copy(head.bias, weights[f"task.{name}.head.bias"])
            for part, parameter in self.chains[name].named_parameters() if name in self.chains else ():
                copy(parameter, weights[f"task.{name}.head.{part}"])


class PackedLstm(nn.Module):
    """The documented way: both directions in one module over a packed batch."""

    def __init__(self, inputs, hidden):
        super().__init__()
        self.both = nn.LSTM(inputs, hidden, batch_first=True, bidirectional=True)

    def directions(self):
        return self.both.all_weights

    def forward(self, x, lengths):
        packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        return pad_packed_sequence(self.both(packed)[0], batch_first=True)[0]


class FlippedLstm(nn.Module):
    """The same values on oneDNN's LSTM, which takes no packed batch: the second direction reads each text reversed."""

    def __init__(self, inputs, hidden):
        super().__init__()
        self.each = nn.ModuleList(nn.LSTM(inputs, hidden, batch_first=True) for _ in range(2))

    def directions(self):
        return [lstm.all_weights[0] for lstm in self.each]

    def forward(self, x, lengths):
        at = torch.arange(x.shape[1])
        inside = at < lengths.unsqueeze(1)
        mirror = torch.where(inside, lengths.unsqueeze(1) - 1 - at, at).unsqueeze(2)
        flip = lambda x: x.gather(1, mirror.expand(-1, -1, x.shape[2]))
        onward, back = self.each
        return torch.cat([onward(x)[0], flip(back(flip(x))[0])], 2) * inside.unsqueeze(2)


class Chain(nn.Module):
    """A linear-chain CRF over BIOES tags, batched."""

    def __init__(self, names):
        super().__init__()
        count = len(names)
        self.start, self.end = nn.Parameter(torch.zeros(count)), nn.Parameter(torch.zeros(count))
        self.transitions = nn.Parameter(torch.zeros(count, count))
        for part, allowed in zip(("start", "transitions", "end"), legal(names)):
            self.register_buffer(f"no_{part}", ~torch.tensor(allowed), persistent=False)

    def scores(self):
        """Start [tag], transitions [from, to] and end [tag]."""
        parts = ("start", "transitions", "end")
        return [getattr(self, part).masked_fill(getattr(self, f"no_{part}"), ILLEGAL) for part in parts]

    def loss(self, emissions, tags, lengths):
        """Negative log-likelihood, the mean over tokens; tags [batch, time] are 0 past the lengths."""
        start, transitions, end = self.scores()
        rows = torch.arange(len(lengths))
        inside = torch.arange(emissions.shape[1]) < lengths.unsqueeze(1)
        alpha = start + emissions[:, 0]
        for t in range(1, emissions.shape[1]):
            new = torch.logsumexp(alpha.unsqueeze(2) + transitions, 1) + emissions[:, t]
            alpha = torch.where(inside[:, t].unsqueeze(1), new, alpha)
        total = torch.logsumexp(alpha + end, 1)
        gold = (emissions.gather(2, tags.unsqueeze(2)).squeeze(2) * inside).sum(1)
        gold = gold + (transitions[tags[:, :-1], tags[:, 1:]] * inside[:, 1:]).sum(1)
        gold = gold + start[tags[:, 0]] + end[tags[rows, lengths - 1]]
        return (total - gold).sum() / lengths.sum()


def tensors(words, letters, lengths, index):
    """A padded batch as the network reads it."""
    batch = [torch.from_numpy(np.ascontiguousarray(array)) for array in (words, letters, lengths)]
    return batch if index is None else [*batch, torch.from_numpy(index)]
