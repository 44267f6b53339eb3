"""Pretrained networks for texts that are trained further: the same answers as the library's, stored whole."""

from __future__ import annotations

import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from autodl.features import Features
from autodl.media.tokens import FIRST, MASK, PADDING
from autodl.models import finetuned_text
from autodl.models.base import Meta, Shape
from autodl.models.finetuned_text import FinetunedText, FinetunedTextConfig
from autodl.models.nn.text_trunk_cost import layers_cost, looked_up, most_tokens
from autodl.models.nn.tuned_text import TunedTextBody, layer_stack
from autodl.models.text_transformer import TextTransformerConfig
from autodl.preprocess import piece_tokenizer
from autodl.preprocess.piece_tokenizer import PieceTokenizer
from autodl.preprocess.text_tokens import TextTokens
from autodl.pretrained import finding
from autodl.pretrained.finding import by_key, key_of, text_trunk
from autodl.pretrained.minilm_l6 import MiniLML6
from autodl.records import Modality, Task
from autodl.search.space import family_space
from autodl.serialize import dump, load
from autodl.train.optimizers import parameter_groups

transformers = pytest.importorskip("transformers", reason="the extra text is not installed")
installed = pytest.mark.skipif(bool(MiniLML6.missing()), reason="needs the extra 'text'")
META = Meta(Task.CLASSIFICATION, 2, threads=1)
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "cat", "dog", "sat", "ran", "far", "away", "good", "bad"]
SIZE = {"hidden_size": 16, "num_hidden_layers": 3, "num_attention_heads": 2, "intermediate_size": 24}
QUICK = {"epochs": 6, "batch_size": 8, "lr": 0.01, "body_rate": 1.0}


@pytest.fixture(autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield
    torch.set_num_threads(threads)


@pytest.fixture(params=["bert", "distilbert"])
def folder(request, tmp_path: Path) -> Path:
    """A network with weights drawn at random, of two kinds that call their parts differently."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

    if request.param == "bert":
        config = transformers.BertConfig(vocab_size=len(WORDS), max_position_embeddings=40, **SIZE)
        network = transformers.BertModel(config)
    else:
        config = transformers.DistilBertConfig(
            vocab_size=len(WORDS), max_position_embeddings=40, dim=16, n_layers=3, n_heads=2, hidden_dim=24
        )
        network = transformers.DistilBertModel(config)
    network.save_pretrained(tmp_path)
    rules = Tokenizer(models.WordPiece({w: k for k, w in enumerate(WORDS)}, unk_token="[UNK]"))
    rules.normalizer, rules.pre_tokenizer = normalizers.Lowercase(), pre_tokenizers.Whitespace()
    rules.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    rules.add_special_tokens(WORDS[:5])
    rules.enable_truncation(5)
    rules.enable_padding()
    rules.save(str(tmp_path / "tokenizer.json"))
    return tmp_path


def body(folder: Path, tuned: int = 1, **asked) -> TunedTextBody:
    trunk = text_trunk(key_of(str(folder)))
    made = TunedTextBody(trunk.layers(), asked.get("first", False), trunk.hidden(), tuned, 0.5, 0.1)
    made.network.load_state_dict({k: torch.from_numpy(v) for k, v in trunk.weights().items()})
    return made.train(False)


def tokens(folder: Path, texts: list[str | None]) -> torch.Tensor:
    from autodl.media.tokens import padded_tokens

    batch = PieceTokenizer.of(key_of(str(folder))).batch(texts)
    return torch.from_numpy(padded_tokens(batch, batch.rows, 40))


def reviews(n: int, seed: int = 0) -> tuple[list[str], np.ndarray]:
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, n)
    fill = WORDS[5:12]
    return [" ".join([*rng.choice(fill, rng.integers(1, 5)), ("bad", "good")[k], *rng.choice(fill, 2)]) for k in y], y


def rows(cut: TextTokens, texts, table: np.ndarray | None = None) -> Features:
    import pandas as pd

    numeric = np.empty((len(texts), 0)) if table is None else table
    frame = pd.DataFrame({"said": np.array(texts, object)})
    return Features(numeric.astype(np.float32), np.empty((len(texts), 0), np.int32), media=cut.transform(frame))


def cutter(key: str) -> TextTokens:
    import pandas as pd

    return TextTokens(("said",), key).fit(pd.DataFrame({"said": ["a"]}))


def test_very_long_texts_are_cut_at_both_ends_and_many_in_parts(folder, monkeypatch) -> None:
    rules = PieceTokenizer.of(key_of(str(folder)))
    (long,) = (rules.batch(["cat " * 9_000 + "good"]).store.get(0),)
    assert [WORDS[k - FIRST] for k in (*long[:2], *long[-2:])] == ["[CLS]", "cat", "good", "[SEP]"]
    assert len(long) < piece_tokenizer.LONGEST_TEXT
    texts = [f"a {w}" for w in WORDS[5:]] * 3
    whole = rules.batch(texts).store
    monkeypatch.setattr(piece_tokenizer, "AT_ONCE", 4)
    parted = rules.batch(texts).store
    np.testing.assert_array_equal(parted.flat, whole.flat)
    np.testing.assert_array_equal(parted.starts, whole.starts)


@pytest.mark.parametrize(
    "layers",
    [
        {"model_type": "roberta", "hidden_size": 16, "num_hidden_layers": 2, "intermediate_size": 24},
        {"model_type": "mpnet", "hidden_size": 16, "num_hidden_layers": 2, "intermediate_size": 24},
        {"model_type": "electra", "hidden_size": 16, "num_hidden_layers": 2, "intermediate_size": 24},
    ],
    ids=lambda layers: layers["model_type"],
)
def test_networks_of_other_makers_have_layers_too(layers) -> None:
    told = {**layers, "num_attention_heads": 2, "vocab_size": 20, "max_position_embeddings": 30, "pad_token_id": 1}
    unwanted = {"attn_implementation": "kernels-community/flash-attn", "auto_map": {"AutoModel": "evil.Model"}}
    network = TunedTextBody({**told, **unwanted}, False, 4, 1, 0.2, 0.9).train(False)
    assert len(layer_stack(network.network)) == 2
    with torch.no_grad():
        found = network(torch.tensor([[5, 6, 7, PADDING], [PADDING] * 4]))
    assert found.shape == (2, 16) and torch.isfinite(found).all()


def test_texts_are_cut_as_the_library_cuts_them(folder) -> None:
    rules = PieceTokenizer.of(key_of(str(folder)))
    batch = rules.batch(["A cat sat far away, good", None, "", "zebra dog"])
    found = [[WORDS[k - FIRST] for k in batch.store.get(r)] if r >= 0 else [] for r in batch.rows]
    assert found == [
        ["[CLS]", "a", "cat", "sat", "far", "away", "[UNK]", "good", "[SEP]"], [], [],
        ["[CLS]", "[UNK]", "dog", "[SEP]"],
    ]  # fmt: skip
    assert rules.size == FIRST + len(WORDS) == batch.store.size
    for copy in (pickle.loads(pickle.dumps(rules)), load(dump(rules))):
        np.testing.assert_array_equal(copy.batch(["a good dog"]).store.flat, rules.batch(["a good dog"]).store.flat)


@installed
def test_english_is_cut_as_the_sentence_encoder_cuts_it() -> None:
    texts = ["It's unwatchably bad -- déjà vu!", "great", "x " * 300]
    own = MiniLML6().load(256).tokens_of(texts[:2])  # type: ignore[attr-defined]
    batch = PieceTokenizer.of("minilm_l6").batch(texts)
    assert [[k - FIRST for k in batch.store.get(r)] for r in range(2)] == own
    assert len(batch.store.get(2)) == 302  # whatever its file says of the longest


@installed
@pytest.mark.slow
def test_features_are_those_of_the_sentence_encoder() -> None:
    texts = ["a film that is never dull", "dull", "one of the worst films of the year so far"]
    trunk, encoder = text_trunk("minilm_l6"), MiniLML6()
    network = TunedTextBody(trunk.layers(), trunk.pools_first(), trunk.hidden(), 2, 0.2, 0.9)
    network.network.load_state_dict({k: torch.from_numpy(v) for k, v in trunk.weights().items()})
    from autodl.media.tokens import padded_tokens

    batch = PieceTokenizer.of("minilm_l6").batch(texts)
    with torch.no_grad():
        found = network.train(False)(torch.from_numpy(padded_tokens(batch, batch.rows, 64))).numpy()
    np.testing.assert_allclose(
        found / np.linalg.norm(found, axis=1, keepdims=True), encoder.load(64)(texts), atol=1e-4
    )


def test_the_mean_of_the_tokens_or_the_first_one_stands_for_a_text(folder) -> None:
    network = transformers.AutoModel.from_pretrained(folder).eval()
    ids = torch.tensor([[2, 5, 6, 3]])
    with torch.no_grad():
        last = network(input_ids=ids).last_hidden_state[0]
        for first, expected in ((False, last.mean(0)), (True, last[0])):
            found = body(folder, first=first)(torch.cat([ids + FIRST, torch.full((1, 3), PADDING)], 1))[0]
            torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


def test_a_hidden_token_is_the_networks_own_mask(folder) -> None:
    network = body(folder)
    shown = tokens(folder, ["a cat sat"])
    hidden, named = shown.clone(), shown.clone()
    hidden[0, 2], named[0, 2] = MASK, FIRST + WORDS.index("[MASK]")
    with torch.no_grad():
        torch.testing.assert_close(network(hidden), network(named))
        assert not torch.allclose(network(hidden), network(shown))


@pytest.mark.parametrize("tuned", [1, 2, 9])
def test_the_last_layers_learn_and_the_deeper_the_slower(folder, tuned) -> None:
    network = body(folder, tuned)
    layers = layer_stack(network.network)
    learns = [any(p.requires_grad for p in layer.parameters()) for layer in layers]
    assert learns == {1: [False, False, True], 2: [False, True, True], 9: [True] * 3}[tuned]
    inside = {id(p) for layer in layers for p in layer.parameters()}
    assert not any(p.requires_grad for p in network.parameters() if id(p) not in inside)
    groups = parameter_groups(network, FinetunedTextConfig(lr=1.0))
    assert sorted(g["lr"] for g in groups) == pytest.approx([0.5 * 0.1**k for k in range(min(tuned, 3))][::-1])
    assert all(g["weight_decay"] == 0 for g in groups)
    network.train()
    assert [all(m.training for m in layer.modules()) for layer in layers] == learns
    assert not any(m.training for m in network.network.embeddings.modules())


def test_it_learns_is_stored_whole_and_needs_the_first_network_no_more(folder) -> None:
    key = key_of(str(folder))
    (texts, y), (new, y_new) = reviews(160), reviews(80, 1)
    cut = cutter(key)
    model = FinetunedText().build(FinetunedTextConfig(encoder=key, tuned=2, **QUICK), META)
    model.fit(rows(cut, texts), y, rows(cut, new), y_new)
    expected = model.predict_proba(rows(cut, new))
    assert (expected.argmax(1) == y_new).mean() > 0.95
    kept = model._state
    theirs = text_trunk(key).weights()
    names = {n: v for n, v in kept.items() if n.startswith("body.network.")}
    still = {
        n for n, v in names.items() if np.array_equal(v, theirs[n.removeprefix("body.network.")].astype(v.dtype))
    }
    changed = names.keys() - still
    assert not any("layer.0." in n for n in changed) and any("layer.2." in n for n in changed)
    assert {v.dtype for n, v in names.items() if "embeddings" in n and v.dtype.kind == "f"} == {np.dtype(np.float16)}
    stored = dump(model), pickle.dumps(model), dump(cut)
    shutil.rmtree(folder)
    finding.by_key.cache_clear()
    again = load(stored[2])
    for copy in (load(stored[0]), pickle.loads(stored[1])):
        np.testing.assert_array_equal(copy.predict_proba(rows(again, new)), expected)


def test_what_stands_beside_in_a_batch_does_not_matter_nor_does_the_order(folder) -> None:
    key = key_of(str(folder))
    texts, y = reviews(40)
    cut = cutter(key)
    model = FinetunedText().build(FinetunedTextConfig(encoder=key, epochs=1), META)
    model.fit(rows(cut, texts), y)
    mixed = ["good", "a cat " * 12, None, "", "bad dog ran"]
    together = model.predict_proba(rows(cut, mixed))
    for k, text in enumerate(mixed):
        np.testing.assert_allclose(model.predict_proba(rows(cut, [text]))[0], together[k], atol=1e-5)
    head = torch.softmax(model.loaded().head.bias.detach(), 0).numpy()
    np.testing.assert_allclose(together[2:4], [head, head], rtol=1e-5)


def test_columns_beside_the_texts_are_used(folder) -> None:
    key = key_of(str(folder))
    texts, word = reviews(320)
    sign = np.random.default_rng(1).integers(0, 2, 320)
    table, cut, y = np.stack([sign, np.zeros(320)], 1), cutter(key), word ^ sign
    model = FinetunedText().build(FinetunedTextConfig(encoder=key, **{**QUICK, "epochs": 25}), META)
    model.fit(rows(cut, texts[:240], table[:240]), y[:240])
    assert (model.predict(rows(cut, texts[240:], table[240:])) == y[240:]).mean() > 0.9


def test_going_on_needs_no_package(folder) -> None:
    key = key_of(str(folder))
    texts, y = reviews(120)
    cut = cutter(key)
    config = FinetunedTextConfig(encoder=key, **QUICK)
    first = FinetunedText().build(config, META)
    first.fit(rows(cut, texts[:80]), y[:80])
    shutil.rmtree(folder)
    finding.by_key.cache_clear()
    second = FinetunedText().build(config, META)
    second.start = first
    second.fit(rows(cut, texts), y)
    assert (second.predict(rows(cut, texts)) == y).mean() > 0.9


def test_without_a_network_a_tiny_one_is_trained() -> None:
    texts, y = reviews(60)
    import pandas as pd

    cut = TextTokens(("said",)).fit(pd.DataFrame({"said": texts}))
    model = FinetunedText().build(FinetunedTextConfig(epochs=1), META)
    model.fit(rows(cut, texts), y)
    assert np.isfinite(model.predict_proba(rows(cut, texts))).all()


@pytest.mark.parametrize(("width", "share"), [(16, 1.0), (384, 1.0), (768, 0.25)])
def test_wide_networks_learn_slower(monkeypatch, width, share) -> None:
    monkeypatch.setitem(finetuned_text.UNTRAINED, "hidden_size", width)
    texts, _ = reviews(8)
    model = FinetunedText().build(FinetunedTextConfig(lr=1.0, body_rate=0.2), META)
    model.learn(rows(cutter(""), texts))
    groups = parameter_groups(model.stored_module(1).body, model.config)
    assert max(g["lr"] for g in groups) == pytest.approx(0.2 * share)


def test_gradients_are_clipped_as_those_of_other_transformers() -> None:
    assert FinetunedTextConfig().grad_clip == TextTransformerConfig().grad_clip > 0


def test_the_space_begins_with_the_defaults() -> None:
    assert FinetunedTextConfig(**family_space("finetuned_text").complete({})) == FinetunedTextConfig()
    assert FinetunedText.tunes is Modality.TEXT


def test_more_layers_more_texts_and_longer_ones_take_longer(folder) -> None:
    key = key_of(str(folder))

    def seconds(rows: int = 2_000, words: int = 10, **fields) -> float:
        shape = Shape(rows=rows, numeric=0, categorical=0, text=1, text_tokens=words)
        return FinetunedText().estimate_cost(shape, FinetunedTextConfig(encoder=key, epochs=1, **fields)).seconds

    assert seconds(tuned=1) < seconds(tuned=2) < seconds() == seconds(tuned=3)
    assert seconds(4_000) > 1.9 * seconds() and seconds(words=20) > seconds()
    assert seconds(words=500) == seconds(words=5_000)  # it cannot read more


def test_weights_are_counted_as_the_library_counts_them(folder) -> None:
    layers = text_trunk(key_of(str(folder))).layers()
    stack = layer_stack(transformers.AutoModel.from_pretrained(folder))
    matrices = sum(p.numel() for p in stack.parameters() if p.ndim > 1)
    assert layers_cost(layers, 7).parameters == matrices
    assert layers_cost(layers, 7).multiplications == 7 * matrices + 3 * 2 * 7 * 7 * 16
    assert (looked_up(layers), most_tokens(layers)) == (len(WORDS) * 16, 38)


def test_what_attention_leaves_for_the_backward_pass_is_counted(folder) -> None:
    layers = text_trunk(key_of(str(folder))).layers()

    def kept(tokens: int) -> int:
        """Numbers, of three layers in training."""
        network, seen = body(folder, tuned=3).train(), {}

        def keep(x: torch.Tensor) -> torch.Tensor:
            seen[x.untyped_storage().data_ptr()] = (x.untyped_storage().nbytes(), x)
            return x

        with torch.autograd.graph.saved_tensors_hooks(keep, lambda x: x):
            network(torch.full((1, tokens), FIRST + 5))
        return sum(size for size, _ in seen.values()) // 4

    def bend(count) -> float:
        """What grows with the square of the tokens."""
        return count(36) - 2 * count(24) + count(12)

    assert bend(lambda t: layers_cost(layers, t).activations) == bend(kept) > 0


def test_marks_of_the_network_are_told_to_what_changes_texts(folder) -> None:
    key = key_of(str(folder))
    texts, y = reviews(40)
    cut = cutter(key)
    model = FinetunedText().build(FinetunedTextConfig(encoder=key, epochs=1, mask=0.99), META)
    model.fit(rows(cut, texts), y)
    given = tokens(folder, ["a cat sat", "dog zebra"])
    said = [[WORDS[k - FIRST] if k >= FIRST else "" for k in text] for text in model.augmenter().changed(given)]
    assert said == [["[CLS]", "", "", "", "[SEP]"], ["[CLS]", "", "", "[SEP]", ""]]
    shutil.rmtree(folder)
    finding.by_key.cache_clear()
    again = FinetunedText().build(model.config, META)
    again.start = model
    again.learn(rows(cut, texts))
    assert again.marks == model.marks


def test_a_folder_whose_tokenizer_cannot_be_stored_is_used_as_it_is(folder) -> None:
    (folder / "tokenizer.json").unlink()
    (folder / "vocab.txt").write_text("\n".join(WORDS))
    finding.by_key.cache_clear()
    encoder = by_key(key_of(str(folder)))
    assert not encoder.tunable
    with pytest.raises(ValueError, match="can be trained further"):
        text_trunk(encoder.key)
