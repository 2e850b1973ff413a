"""Where do words come from, and how do they become padded arrays? numpy only: ONNX Runtime's side reads this too."""
import gzip, json, re, struct, tarfile
from pathlib import Path
import numpy as np

LETTERS = 40  # longest word in characters; longer ones keep both ends
ILLEGAL = -1e4  # score of what a CRF does not allow
TOKEN = re.compile(r"[a-z]+(?=n't\b)|n't\b|'(?:s|m|d|re|ve|ll)\b|\w+(?:[.,:]\d+)*|[^\w\s]", re.I)


def conll(path, columns, target):
    """Sentences: words and tags."""
    tag, sentences, words, tags = columns.index(target), [], [], []
    for line in [*Path(path).read_text(encoding="utf-8").splitlines(), ""]:
        fields = line.split()
        if fields and fields[0] != "-DOCSTART-":
            words.append(fields[0])
            tags.append(fields[tag])
        elif not fields and words:
            sentences.append((words, tags))
            words, tags = [], []
    return sentences


def imdb(path):
    """Reviews of each part: text and label."""
    parts = {"train": [], "test": []}
    with tarfile.open(path, "r:gz") as archive:
        for member in archive:
            names = member.name.split("/")
            if len(names) == 4 and names[1] in parts and names[2] in ("neg", "pos"):
                text = archive.extractfile(member).read().decode("utf-8", "replace")
                parts[names[1]].append((text.replace("<br />", "\n"), names[2]))
    return parts


def blitzer(path):
    """Reviews: text and label."""
    review = re.compile(r"<review>.*?<rating>\s*([\d.]+).*?<review_text>(.*?)</review_text>", re.S)
    reviews = []
    for file in sorted(Path(path).glob("*/*tive.review")):
        for stars, text in review.findall(file.read_text(encoding="cp1252", errors="replace")):
            reviews.append((text, "pos" if float(stars) > 3 else "neg"))
    return reviews


def head_tail(values, most):
    """At most `most` values: of more, the first and the last half."""
    return values if len(values) <= most else values[: most - most // 2] + values[len(values) - most // 2 :]


class Words:
    """Every word of a run once; id 0 is padding."""

    def __init__(self):
        self.ids = {"": 0}

    def add(self, words):
        return np.fromiter((self.ids.setdefault(word, len(self.ids)) for word in words), np.int64, len(words))

    def counts(self, texts):
        """How often each word stands in texts."""
        return np.bincount(np.concatenate(texts), minlength=len(self.ids))


def forms(word):
    lower = word.lower()
    return word, lower, re.sub("[0-9]", "0", lower)


def vectors(path, words):
    """Vectors of those words, in any of their forms, that a GloVe file has."""
    needed = {form.encode() for word in words.ids for form in forms(word)}
    found, rows = [], []
    with gzip.open(path, "rb") if str(path).endswith(".gz") else open(path, "rb") as lines:
        for line in lines:
            word, _, values = line.partition(b" ")
            if word in needed:
                found.append(word.decode())
                rows.append(np.array(values.split(), np.float32))
    return found, np.stack(rows)


def own_words(words, counts, with_vector, least):
    """Normal forms without a vector that occur often enough."""
    known, sums = set(with_vector), {}
    for word, id in words.ids.items():
        if id and not any(form in known for form in forms(word)):
            sums[forms(word)[2]] = sums.get(forms(word)[2], 0) + counts[id]
    return sorted(form for form, count in sums.items() if count >= least)


def lexicon(words, with_vector, own, characters):
    """Row of the table [words] and characters [words, LETTERS] of every word; 0 is the unknown row and no character."""
    vector = {word: row for row, word in enumerate(with_vector, 1)}
    other = {word: row for row, word in enumerate(own, 1 + len(with_vector))}
    character = {character: id for id, character in enumerate(characters, 2)}
    rows, letters = np.zeros(len(words.ids), np.int64), np.zeros((len(words.ids), LETTERS), np.int64)
    for word, id in words.ids.items():
        exact, lower, normal = forms(word)
        rows[id] = vector.get(exact) or vector.get(lower) or vector.get(normal) or other.get(normal, 0)
        cut = head_tail(word, LETTERS)
        letters[id, : len(cut)] = [character.get(letter, 1) for letter in cut]
    return rows, letters


class Padder:
    """Makes a batch of texts (arrays of word ids) padded arrays.

    words [batch, time], letters [batch, time, letter], lengths [batch]; where `distinct`, words [n] and letters
    [n, letter] of the distinct words, and index [batch, time] into them.
    """

    def __init__(self, rows, letters, distinct):
        self.rows, self.letters, self.distinct = rows, letters, distinct
        self.sizes = (letters > 0).sum(1)

    def __call__(self, texts):
        lengths = np.array([max(len(text), 1) for text in texts])
        ids = np.zeros((len(texts), lengths.max()), np.int64)
        for row, text in zip(ids, texts):
            row[: len(text)] = text
        index = None
        if self.distinct:
            ids, index = np.unique(ids, return_inverse=True)
        letters = self.letters[ids][..., : max(self.sizes[ids].max(), 1)]
        return self.rows[ids], letters, lengths, index


def spans(tags):
    """Spans (kind, first, last) of tags in any encoding."""
    found, first = [], None
    for at, tag in enumerate([*tags, "O"]):
        before = tags[at - 1] if at else "O"
        if first is not None and (tag[0] in "OBS" or tag[2:] != before[2:] or before[0] in "ES"):
            found.append((before[2:], first, at - 1))
            first = None
        if tag != "O" and first is None:
            first = at
    return found


def bioes(tags):
    """Tags of any encoding as BIOES."""
    written = ["O"] * len(tags)
    for kind, first, last in spans(tags):
        inner = [f"I-{kind}"] * (last - first - 1)
        written[first : last + 1] = [f"S-{kind}"] if first == last else [f"B-{kind}", *inner, f"E-{kind}"]
    return written


def legal(names):
    """Which BIOES tags may start [tag], follow each other [from, to] and end [tag]."""
    inside = lambda tag: tag[0] in "BI"
    follows = lambda a, b: b[0] in "IE" and b[1:] == a[1:] if inside(a) else b[0] in "OBS"
    return ([tag[0] in "OBS" for tag in names], [[follows(a, b) for b in names] for a in names],
            [not inside(tag) for tag in names])


def viterbi(emissions, lengths, start, transitions, end):
    """Best tags [batch, time] of emissions [batch, time, tag]; what is illegal scores -1e4."""
    batch, time, _ = emissions.shape
    score, back = start + emissions[:, 0], []
    to_from = np.ascontiguousarray(transitions.T)
    for t in range(1, time):
        ways = score[:, None, :] + to_from
        best = ways.argmax(2)
        new = np.take_along_axis(ways, best[:, :, None], 2)[:, :, 0] + emissions[:, t]
        score = np.where((t < lengths)[:, None], new, score)
        back.append(best)
    tags = np.zeros((batch, time), np.int64)
    last = (score + end).argmax(1)
    for t in range(time - 1, -1, -1):
        tags[:, t] = last
        if t:
            last = np.where(t < lengths, back[t - 1][np.arange(batch), last], last)
    return tags


def saved(run):
    """Weights by name, and what is known besides them, of the model in a run directory."""
    model = Path(run) / "model"
    data = np.memmap(model / "weights.safetensors", np.uint8, "r")
    (size,) = struct.unpack("<Q", data[:8].tobytes())
    header = json.loads(data[8 : 8 + size].tobytes())
    values = lambda first, last: data[8 + size + first : 8 + size + last].view(np.float32)
    entries = ((name, entry) for name, entry in header.items() if name != "__metadata__")
    weights = {name: values(*entry["data_offsets"]).reshape(entry["shape"]) for name, entry in entries}
    return weights, json.loads((model / "model.json").read_text(encoding="utf-8"))
