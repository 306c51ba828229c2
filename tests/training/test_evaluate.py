import numpy as np
import pytest
import torch
from scipy.special import log_softmax

import winnow.storage
from tests.training.small import initialised, on_device, pictures
from winnow.params.training import Network
from winnow.training.batches import normalise
from winnow.training.evaluate import accuracy, log_probabilities, mean_loss, with_features


def test_outputs_are_the_log_softmax_in_evaluation_mode():
    network, images = initialised(0), on_device(pictures())
    network(normalise(images.pixels, images))  # in training mode: moves the running statistics of batch norm
    found = log_probabilities(network, images)
    with torch.no_grad():
        logits = network.eval()(normalise(images.pixels, images)).double().cpu().numpy()
    np.testing.assert_allclose(found, log_softmax(logits, axis=1), atol=1e-5)
    assert found.dtype == np.float32
    np.testing.assert_allclose(log_probabilities(network, images, batch_size=10), found, atol=1e-6)


@pytest.mark.parametrize("name", ["convnet", "resnet8", "lenet_300_100"])
def test_features_are_what_the_last_layer_makes_the_outputs_of(name):
    network, images = initialised(0, Network(name=name)), on_device(pictures())
    outputs, features = with_features(network, images, batch_size=10)
    assert (features.dtype, len(features)) == (np.float16, 43)
    np.testing.assert_array_equal(outputs, log_probabilities(network, images, batch_size=10))
    last = [module for module in network.modules() if isinstance(module, torch.nn.Linear)][-1]
    weight, bias = last.weight.detach().double().cpu().numpy(), last.bias.detach().cpu().numpy()
    logits = features.astype(np.float64) @ weight.T + bias
    np.testing.assert_allclose(log_softmax(logits, axis=1), outputs, atol=5e-3)  # of half precision
    assert not last._forward_pre_hooks


def test_outputs_that_would_take_much_memory_lie_on_the_disk(monkeypatch, tmp_path):
    network, images = initialised(0), on_device(pictures())
    in_memory = with_features(network, images, batch_size=10)
    monkeypatch.setattr(winnow.storage, "IN_MEMORY", 100)
    monkeypatch.chdir(tmp_path)
    on_disk = with_features(network, images, batch_size=10)
    for one, other in zip(in_memory, on_disk, strict=True):
        assert one.flags.writeable and not other.flags.writeable  # a map
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(log_probabilities(network, images, batch_size=10), on_disk[0])


def test_features_need_a_linear_layer():
    with pytest.raises(ValueError, match="no linear layer"):
        with_features(torch.nn.Flatten(), on_device(pictures()))


@pytest.mark.parametrize("mode", [True, False])
def test_the_network_is_left_as_it_was(mode):
    network = initialised(0).train(mode)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    log_probabilities(network, on_device(pictures()))
    assert network.training == mode
    assert all(torch.equal(before[name], tensor) for name, tensor in network.state_dict().items())


def test_no_image_has_no_loss():
    network = initialised(0)
    outputs = log_probabilities(network, on_device(pictures(0)))
    assert len(outputs) == 0
    assert np.isnan(mean_loss(outputs, np.zeros(0, int)))
    assert np.isnan(accuracy(outputs, np.zeros(0, int)))


def test_loss_and_accuracy_by_hand():
    outputs = np.log(np.array([[0.5, 0.25, 0.25], [0.1, 0.2, 0.7]], np.float32))
    assert mean_loss(outputs, np.array([0, 1])) == pytest.approx((np.log(2) + np.log(5)) / 2)
    assert accuracy(outputs, np.array([0, 1])) == 0.5
