"""The callback in a real Trainer, and folders of ``save_pretrained`` as models."""

from __future__ import annotations

import json

import numpy as np
import pytest

import disentangle_metrics as dm

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
pytest.importorskip("accelerate")

from torch.utils.data import DataLoader, TensorDataset  # noqa: E402

from disentangle_metrics.integrations.transformers import ScoreCallback  # noqa: E402
from tests.integrations.two_processes import in_two_processes  # noqa: E402

ROWS = 48
pytestmark = pytest.mark.filterwarnings("ignore")


class Network(torch.nn.Module):
    """A code of two factors, with dropout, and a loss as the Trainer wants it."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.mix = torch.nn.Linear(2, 2)
        self.noise = torch.nn.Dropout(0.2)

    def forward(self, inputs, labels=None):
        code = self.noise(self.mix(inputs))
        output = {"z_mean": code}
        if labels is not None:
            output["loss"] = ((code - labels) ** 2).mean()
        return output


def factors() -> torch.Tensor:
    return torch.tensor(np.random.default_rng(0).integers(0, 3, (ROWS, 2)))


def rows() -> list[dict]:
    return [{"inputs": row.float(), "labels": row.float()} for row in factors()]


def held_out(shuffle: bool = False) -> DataLoader:
    return DataLoader(TensorDataset(factors().float(), factors()), batch_size=16, shuffle=shuffle)


def trainer(tmp_path, **options):
    arguments = transformers.TrainingArguments(
        output_dir=str(tmp_path), per_device_train_batch_size=16, report_to=[], use_cpu=True, seed=1,
        disable_tqdm=True, **{"num_train_epochs": 4, "save_strategy": "no", **options},
    )  # fmt: skip
    return transformers.Trainer(Network(), arguments, train_dataset=rows(), eval_dataset=rows())


def test_scores_every_n_epochs_are_in_the_log(tmp_path) -> None:
    run = trainer(tmp_path)
    callback = ScoreCallback(run, held_out(), every_n_epochs=2, prefix="held_out_", samples=None)
    run.add_callback(callback)
    run.train()
    assert list(callback.reports) == [2, 4]
    logged = [entry for entry in run.state.log_history if "held_out_mig" in entry]
    assert [entry["epoch"] for entry in logged] == [2.0, 4.0]
    with torch.no_grad():
        code = run.model.mix(factors().float())
    assert logged[-1]["held_out_mig"] == pytest.approx(dm.mig(code, factors()).value, abs=1e-9)


class Stream(torch.utils.data.IterableDataset):
    """Rows without length."""

    def __iter__(self):
        return iter(rows())


@pytest.mark.parametrize(
    ("data", "steps", "every", "epochs"),  # an epoch has three steps
    [(rows(), 7, 1, [1, 2, 3]), (rows(), 1, 5, []), (rows(), 6, 1, [1, 2]), (Stream(), 7, 1, [1, 2, 3]),
     (Stream(), 6, 1, [1, 2])],
)  # fmt: skip
def test_an_epoch_that_is_broken_off_has_its_own_number(tmp_path, data, steps, every, epochs) -> None:
    run = trainer(tmp_path, max_steps=steps)
    run.train_dataset = data
    callback = ScoreCallback(run, held_out(), every_n_epochs=every)
    run.add_callback(callback)
    run.train()
    assert list(callback.reports) == epochs
    assert len([entry for entry in run.state.log_history if "mig" in entry]) == len(epochs)


@pytest.mark.parametrize("length", [{"num_train_epochs": 2}, {"num_train_epochs": 1.5}, {"max_steps": 4}])
def test_the_best_model_is_chosen_by_a_score(tmp_path, length) -> None:
    run = trainer(
        tmp_path, eval_strategy="epoch", save_strategy="epoch", load_best_model_at_end=True,
        metric_for_best_model="eval_mig", greater_is_better=True, **length,
    )  # fmt: skip
    callback = ScoreCallback(run, held_out())
    run.add_callback(callback)
    run.train()
    assert list(callback.reports) == [1, 2]
    best = max(report["mig"].value for report in callback.reports.values())
    assert run.state.best_metric == pytest.approx(best, abs=1e-9)


def test_the_best_model_does_not_get_the_scores_of_the_last_epoch(tmp_path) -> None:
    run = trainer(
        tmp_path, num_train_epochs=2, eval_strategy="epoch", save_strategy="epoch", load_best_model_at_end=True,
        metric_for_best_model="eval_score", greater_is_better=False,
    )  # fmt: skip
    callback = ScoreCallback(run, held_out(), prefix="score_", metrics="mig")
    run.add_callback(callback)
    evaluated = []

    class Rank(transformers.TrainerCallback):
        """Calls the first epoch the better one."""

        def on_evaluate(self, args, state, control, metrics=None, **parts):
            evaluated.append("eval_score_mig" in metrics)
            metrics["eval_score"] = state.epoch

    run.add_callback(Rank())
    run.train()
    assert (run.state.best_global_step, run.state.global_step) == (3, 6)  # the first model is back
    assert "eval_score_mig" not in run.evaluate()
    assert evaluated == [True, True, False]


def test_training_is_the_same_with_and_without(tmp_path) -> None:
    plain = trainer(tmp_path / "a")  # it seeds when it is made
    plain.train()
    scored = trainer(tmp_path / "b")
    scored.add_callback(ScoreCallback(scored, held_out(shuffle=True)))
    scored.train()
    assert torch.equal(plain.model.mix.weight, scored.model.mix.weight)


def test_arguments_are_refused_before_training(tmp_path) -> None:
    run = trainer(tmp_path)
    run.add_callback(ScoreCallback(run, held_out(), prefix="a_"))
    run.add_callback(ScoreCallback(run, held_out(), metrics="mig", prefix="b_"))
    run.add_callback(ScoreCallback(run, held_out(), metrics="mig", prefix="a_"))
    with pytest.raises(dm.InputError, match="'a_mig' is logged twice; give each callback its own `prefix`"):
        run.train()
    assert run.state.global_step == 0
    with pytest.raises(dm.InputError, match="`every_n_epochs` must be"):
        ScoreCallback(trainer(tmp_path), held_out(), every_n_epochs=0)


PROCESS = """
import json, sys, warnings
from tests.integrations.test_transformers import ScoreCallback, held_out, trainer
warnings.simplefilter("ignore")
run = trainer(
    sys.argv[1], num_train_epochs=2, eval_strategy="epoch", save_strategy="epoch", load_best_model_at_end=True,
    metric_for_best_model="eval_mig", greater_is_better=True, ddp_backend="gloo",
)
callback = ScoreCallback(run, held_out())
run.add_callback(callback)
run.train()
print(json.dumps([list(callback.reports), run.state.best_metric]))
"""


@pytest.mark.slow
def test_of_two_processes_one_scores_and_both_choose_the_best_model_by_it(tmp_path) -> None:
    printed = in_two_processes(PROCESS, str(tmp_path))
    (first, best), (second, other) = (json.loads(output.splitlines()[-1]) for output in printed)
    assert (first, second) == ([1, 2], [])
    assert best == other


@pytest.fixture
def vit(tmp_path):
    """A small ViT as ``save_pretrained`` leaves it, with images prepared to 24 x 24 and normalised."""
    torch.manual_seed(0)
    config = transformers.ViTConfig(
        image_size=24, patch_size=8, num_channels=3, hidden_size=16, num_hidden_layers=1, num_attention_heads=2,
        intermediate_size=16,
    )  # fmt: skip
    network = transformers.ViTModel(config).eval()
    network.save_pretrained(tmp_path / "vit")
    preprocessing = {
        "do_resize": True, "size": {"height": 24, "width": 24}, "do_rescale": True, "rescale_factor": 1 / 255,
        "do_normalize": True, "image_mean": [0.5, 0.5, 0.5], "image_std": [0.25, 0.5, 0.5], "resample": 2,
    }  # fmt: skip
    (tmp_path / "vit" / "preprocessor_config.json").write_text(json.dumps(preprocessing))
    return tmp_path / "vit", network


def test_a_folder_is_a_model_and_images_are_prepared_as_it_says(vit) -> None:
    folder, network = vit
    images = torch.rand(5, 3, 24, 24)
    prepared = (images - 0.5) / torch.tensor([0.25, 0.5, 0.5])[:, None, None]
    with torch.no_grad():
        expected = network(pixel_values=prepared).pooler_output
    encoder = dm.load_encoder(folder, device="cpu")
    np.testing.assert_allclose(encoder(images), expected, atol=1e-5)
    assert encoder.source.architecture == "ViTModel"
    assert "resized to 24 x 24, normalised" in encoder.source.remarks[0]
    assert encoder.source.other_files.keys() == {"config.json"}


def test_grey_images_of_another_size_are_scored(vit) -> None:
    report = dm.evaluate(
        dm.load_encoder(vit[0], device="cpu"),
        dm.load_dataset("sprites"),
        samples=40,
        metrics="mig",
        anchors=False,
    )
    assert report.shape[:2] == (40, 16)


def test_a_pooler_that_was_never_trained_is_not_read(vit) -> None:
    folder, network = vit
    transformers.ViTForImageClassification(network.config).save_pretrained(folder)
    with pytest.raises(dm.InputError, match=r"first_token \(2, 16\), mean_token \(2, 16\).*outputs="):
        dm.load_encoder(folder, device="cpu")(torch.rand(2, 3, 24, 24))
    encoder = dm.load_encoder(folder, device="cpu", outputs={"mean": "mean_token"})
    assert encoder(torch.rand(2, 3, 24, 24)).shape == (2, 16)


def test_code_in_a_folder_does_not_run(vit, tmp_path) -> None:
    folder, _ = vit
    witness = tmp_path / "ran"
    (folder / "modeling_own.py").write_text(f"open({str(witness)!r}, 'w').close()\nclass Own: pass\n")
    config = json.loads((folder / "config.json").read_text())
    config |= {
        "model_type": "own",
        "auto_map": {"AutoConfig": "modeling_own.Own", "AutoModel": "modeling_own.Own"},
    }
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(dm.ModelFileError, match=r"code in the folder is not run; give `model_code="):
        dm.load_encoder(folder)
    assert not witness.exists()


def test_a_model_of_text_is_refused(tmp_path) -> None:
    config = transformers.BertConfig(
        vocab_size=10, hidden_size=8, num_hidden_layers=1, num_attention_heads=1, intermediate_size=8
    )
    transformers.BertModel(config).save_pretrained(tmp_path)
    with pytest.raises(dm.ModelFileError, match="reads input_ids and no images"):
        dm.load_encoder(tmp_path)


def test_a_folder_gives_arguments_and_weights_to_your_code(tmp_path, monkeypatch) -> None:
    hub = pytest.importorskip("huggingface_hub")
    (tmp_path / "my_hub_model.py").write_text(
        "from torch import nn\n"
        "class Own(nn.Module):\n"
        "    def __init__(self, width=3):\n"
        "        super().__init__()\n"
        "        self.linear = nn.Linear(4, width)\n"
        "    def forward(self, x):\n"
        "        return self.linear(x.flatten(1))\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    import my_hub_model

    class Own(my_hub_model.Own, hub.PyTorchModelHubMixin):
        def __init__(self, width: int = 3) -> None:
            super().__init__(width)

    network = Own(width=5)
    network.save_pretrained(tmp_path / "folder")
    encoder = dm.load_encoder(tmp_path / "folder", model_code="my_hub_model:Own", device="cpu")
    images = torch.rand(2, 1, 2, 2)
    np.testing.assert_allclose(encoder(images), network(images).detach(), atol=1e-6)
    with pytest.raises(dm.ModelFileError, match="names no model of Transformers; give `model_code="):
        dm.load_encoder(tmp_path / "folder")


def test_images_are_cropped_and_left_in_0_to_255_if_the_folder_says_so(vit) -> None:
    folder, network = vit
    steps = {
        "do_resize": True,
        "size": {"shortest_edge": 30},
        "do_center_crop": True,
        "crop_size": 24,
        "do_rescale": False,
    }
    (folder / "preprocessor_config.json").write_text(json.dumps(steps))
    images = torch.rand(2, 3, 30, 34)
    with torch.no_grad():
        expected = network(pixel_values=255 * images[..., 3:27, 5:29]).pooler_output
    np.testing.assert_allclose(dm.load_encoder(folder, device="cpu")(images), expected, atol=1e-4)


def test_weights_that_are_missing_and_damaged_descriptions_are_refused(vit) -> None:
    folder, network = vit
    tensors = {name: value for name, value in network.state_dict().items() if "embeddings" not in name}
    pytest.importorskip("safetensors.torch").save_file(
        tensors, folder / "model.safetensors", {"format": "pt"}
    )
    with pytest.raises(dm.ModelFileError, match="has no weights embeddings"):
        dm.load_encoder(folder)
    (folder / "config.json").write_text("{")
    with pytest.raises(dm.ModelFileError, match=r"config\.json is damaged"):
        dm.load_encoder(folder)


def test_tokens_are_chosen_from_while_training_or_refused_before(tmp_path) -> None:
    config = transformers.ViTConfig(image_size=8, patch_size=4, num_channels=1, hidden_size=4, num_hidden_layers=1,
                                    num_attention_heads=1, intermediate_size=4, num_labels=3)  # fmt: skip
    images = torch.rand(24, 1, 8, 8)
    labels = torch.arange(24) % 3
    arguments = transformers.TrainingArguments(str(tmp_path), num_train_epochs=1, report_to=[], use_cpu=True,
                                               disable_tqdm=True, save_strategy="no")  # fmt: skip
    batches = DataLoader(TensorDataset(images, torch.stack([labels, labels % 2], 1)), batch_size=12)

    def trained(**options):
        pairs = [
            {"pixel_values": image, "labels": label} for image, label in zip(images, labels, strict=True)
        ]
        of_tokens = transformers.Trainer(
            transformers.ViTForImageClassification(config), arguments, train_dataset=pairs
        )
        of_tokens.add_callback(ScoreCallback(of_tokens, batches, encode_with="vit", **options))
        of_tokens.train()
        return of_tokens.state.log_history

    assert any("mig" in entry for entry in trained(outputs={"mean": "first_token"}))
    with pytest.raises(dm.InputError, match=r"first_token \(12, 4\), mean_token \(12, 4\).*outputs="):
        trained()


def test_a_map_of_one_pixel_beside_the_pooled_output_is_no_second_code(tmp_path) -> None:
    config = transformers.ConvNextConfig(
        image_size=32, num_channels=1, hidden_sizes=[4, 4, 4, 4], depths=[1, 1, 1, 1]
    )
    network = transformers.ConvNextModel(config).eval()
    network.save_pretrained(tmp_path)
    images = torch.rand(3, 1, 32, 32)
    with torch.no_grad():
        expected = network(pixel_values=images).pooler_output
    np.testing.assert_allclose(dm.load_encoder(tmp_path, device="cpu")(images), expected, atol=1e-5)
