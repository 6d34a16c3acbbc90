from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from disentangle_metrics import InputError
from reference_models.models.parts.networks import Affine, Blocks, FlatNetwork, LadderNetwork


def weights(module: nn.Module) -> list[tuple[int, ...]]:
    """The shapes of a module's weights, biases left out."""
    return [tuple(p.shape) for name, p in module.named_parameters() if name.endswith("weight")]


def test_layers_are_those_of_the_published_network() -> None:
    network = LadderNetwork((1, 64, 64), latents_per_layer=2, layers=3)

    assert [weights(step) for step in network.trunk] == [[(32, 1, 4, 4)], [(32, 32, 4, 4)], [(32, 32, 4, 4)]]
    for branch, side in zip(network.branches, (16, 8, 4), strict=True):
        assert weights(branch) == [(32, 32, 4, 4), (256, 32 * side * side), (2, 256), (2, 256)]
    for features, side in zip(network.features, (16, 8, 4), strict=True):
        assert weights(features) == [(256, 2), (32 * side * side, 256)]
    # Weights are (in, out, 4, 4) here: the lower two take their own features and those from above.
    assert [weights(g) for g in network.generators] == [[(64, 32, 4, 4)], [(64, 32, 4, 4)], [(32, 32, 4, 4)]]
    assert weights(network.output) == [(32, 1, 4, 4)]


def test_sides_halve_down_the_trunk_and_double_up_the_generators() -> None:
    network = LadderNetwork((3, 64, 64), latents_per_layer=2, layers=3)
    sides: list[int] = []
    for module in [*network.trunk, *reversed(network.generators), network.output]:
        module.register_forward_hook(lambda _m, _i, output: sides.append(output.shape[-1]))

    mean, logvar = network.posterior(torch.rand(5, 3, 64, 64))
    logits = network.decode(torch.randn(5, 3, 2))

    assert sides == [32, 16, 8, 8, 16, 32, 64]
    assert mean.shape == logvar.shape == (5, 3, 2)
    assert logits.shape == (5, 3, 64, 64)


@pytest.mark.parametrize("side", [32, 128])
def test_other_sides(side: int) -> None:
    network = LadderNetwork((1, side, side), latents_per_layer=1, layers=3)
    mean, _ = network.posterior(torch.rand(2, 1, side, side))
    assert network.decode(mean).shape == (2, 1, side, side)


def test_four_layers_are_the_published_network_for_faces() -> None:
    network = LadderNetwork((3, 64, 64), latents_per_layer=7, layers=4)
    shapes = [weights(step)[0][:2] for step in network.trunk]
    assert shapes == [(64, 3), (128, 64), (256, 128), (512, 256)]
    conv, heads = (4, 4), [(7, 64 * 16 * 16)] * 2
    assert weights(network.branches[0]) == [(64, 64, *conv), (64, 64, *conv), *heads]
    assert weights(network.branches[3]) == [(1024, 512 * 4 * 4), (1024, 1024), (7, 1024), (7, 1024)]
    assert weights(network.features[3]) == [(1024, 7), (1024, 1024), (512 * 4 * 4, 1024)]
    assert [weights(g) for g in network.generators] == [
        [(128, 64, *conv)],
        [(512, 128, *conv), (128, 64, *conv)],
        [(1024, 512, *conv), (512, 256, *conv)],
        [],
    ]
    mean, _ = network.posterior(torch.rand(2, 3, 64, 64))
    assert mean.shape == (2, 4, 7)
    assert network.decode(mean).shape == (2, 3, 64, 64)


@pytest.mark.parametrize("side", [32, 128])
def test_four_layers_on_other_sides(side: int) -> None:
    with torch.device("meta"):  # shapes without the work
        network = LadderNetwork((1, side, side), latents_per_layer=1, layers=4)
        mean, _ = network.posterior(torch.rand(1, 1, side, side))
    assert network.decode(mean).shape == (1, 1, side, side)


def test_stride_one_layers_pad_as_same_does() -> None:
    # 4x4 "same" pads 1 before and 2 behind; a transposed convolution is the gradient of a convolution.
    make = Blocks(nn.Identity)
    keep, transposed = make.keep(2, 3), make.keep_transposed(3, 2)
    transposed[0].weight.data = keep[1].weight.data
    nn.init.zeros_(transposed[0].bias)
    x = torch.randn(1, 2, 6, 6, requires_grad=True)
    y = torch.randn(1, 3, 6, 6)
    (gradient,) = torch.autograd.grad((keep(x) * y).sum(), x)
    torch.testing.assert_close(transposed(y), gradient)
    one = torch.zeros(1, 2, 6, 6)
    one[0, 0, 0, 0] = 1
    keep[1].bias.data.zero_()
    # The first pixel is the second of the window around it, so that it reaches one place each way.
    assert keep(one).abs().sum(1).count_nonzero() == 4


@pytest.mark.parametrize(("side", "widths"), [(32, [32, 64, 64]), (64, [32, 32, 64, 64])])
def test_flat_network(side: int, widths: list[int]) -> None:
    network = FlatNetwork((3, side, side), latents=10)
    shapes = weights(network.posterior)
    assert [shape[0] for shape in shapes[: len(widths)]] == widths
    assert shapes[len(widths) :] == [(256, 64 * 4 * 4), (10, 256), (10, 256)]
    assert weights(network.decode)[:2] == [(256, 10), (64 * 4 * 4, 256)]
    assert [shape[0] for shape in weights(network.decode)[2:]] == widths[::-1]
    mean, logvar = network.posterior(torch.rand(2, 3, side, side))
    assert mean.shape == logvar.shape == (2, 10)
    assert network.decode(mean).shape == (2, 3, side, side)
    with pytest.raises(InputError, match="latents is 0"):
        FlatNetwork((3, side, side), latents=0)


def test_weights_start_glorot_uniform_and_biases_at_zero() -> None:
    network = LadderNetwork((1, 64, 64), latents_per_layer=3, layers=3)
    for name, parameter in network.named_parameters():
        if name.endswith("bias"):
            assert not parameter.any(), name
        else:
            fan = parameter.shape[0] + parameter.shape[1]
            limit = math.sqrt(6 / (fan * parameter[0, 0].numel()))
            assert parameter.abs().max() <= limit, name
            if parameter.numel() > 1_000:
                # The standard deviation of Uniform(-limit, limit).
                assert float(parameter.detach().std()) == pytest.approx(limit / math.sqrt(3), rel=0.1), name


def test_affine_is_an_identity_that_can_be_learned() -> None:
    plain = LadderNetwork((1, 32, 32), 2, 3)
    affine = LadderNetwork((1, 32, 32), 2, 3, affine=True)
    affine.load_state_dict(plain.state_dict(), strict=False)
    images = torch.rand(2, 1, 32, 32)
    torch.testing.assert_close(affine.posterior(images), plain.posterior(images))

    scales = [name for name, _ in affine.named_parameters() if name.endswith("scale")]
    # After every activation: 3 in the trunk, 2 in each branch and each features block, 1 in each generator.
    assert len(scales) == 3 + 3 * 2 + 3 * 2 + 3
    with torch.no_grad():
        affine.get_parameter("trunk.0.2.shift").add_(1.0)
    assert not torch.equal(affine.posterior(images)[0], plain.posterior(images)[0])


def test_gates_scale_what_branches_see_and_what_features_send() -> None:
    network = LadderNetwork((1, 32, 32), 2, 3)
    images = torch.rand(2, 1, 32, 32)
    half = torch.tensor([1.0, 0.5, 1.0])
    mean, _ = network.posterior(images, half)
    full, _ = network.posterior(images)
    below = network.trunk[1](network.trunk[0](images))
    torch.testing.assert_close(mean[:, 1], network.branches[1](0.5 * below)[0])
    assert not torch.allclose(mean[:, 1], full[:, 1])
    torch.testing.assert_close(mean[:, [0, 2]], full[:, [0, 2]])  # the trunk itself is not scaled

    z = torch.randn(2, 3, 2)
    top = network.generators[2](network.features[2](z[:, 2]))
    middle = network.generators[1](torch.cat([0.5 * network.features[1](z[:, 1]), top], 1))
    bottom = network.generators[0](torch.cat([network.features[0](z[:, 0]), middle], 1))
    torch.testing.assert_close(network.decode(z, half), network.output(bottom))


@pytest.mark.parametrize("shape", [(1, 48, 48), (1, 16, 16), (2, 64, 64), (1, 64, 32), (64, 64)])
def test_unusable_image_shapes_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match=r"image_shape is .* power of two from 32"):
        LadderNetwork(shape, 2, 3)
    with pytest.raises(InputError, match=r"image_shape is .* power of two from 32"):
        FlatNetwork(shape, 2)


def test_a_scale_and_a_shift_for_each_channel() -> None:
    affine = Affine(2)
    with torch.no_grad():
        affine.scale.copy_(torch.tensor([2.0, 3.0]))
        affine.shift.copy_(torch.tensor([10.0, 20.0]))
    rows = torch.tensor([[1.0, 2.0], [3.0, 5.0]])
    assert affine(rows).tolist() == [[12, 26], [16, 35]]
    images = rows[:, :, None, None].expand(2, 2, 4, 4)
    assert affine(images)[:, :, 1, 3].tolist() == [[12, 26], [16, 35]]


def test_unusable_layers_and_latents_are_refused() -> None:
    with pytest.raises(InputError, match="layers is 0"):
        LadderNetwork((1, 64, 64), 2, 0)
    with pytest.raises(InputError, match="latents_per_layer is 0"):
        LadderNetwork((1, 64, 64), 0, 3)
