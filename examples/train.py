"""Train a small neural network on two spirals, in plain Python. It takes about a minute."""

import argparse
import json
import math
import os
import random
import time


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=200)
    parser.add_argument("--lr", type=float, default=0.05, help="learning rate")
    parser.add_argument("--hidden", type=int, default=40, help="neurons in each hidden layer")
    parser.add_argument("--points", type=int, default=500, help="points on each spiral")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--checkpoint", default="checkpoint.json", help="where the weights are written")
    return parser.parse_args()


def make_spirals(points, noise, rng):
    samples = []
    for index in range(points):
        turn = index / points * 1.5 * 2 * math.pi
        radius = 0.15 + 0.85 * index / points
        for label in (0, 1):
            angle = turn + label * math.pi
            x = radius * math.cos(angle) + rng.gauss(0, noise)
            y = radius * math.sin(angle) + rng.gauss(0, noise)
            samples.append(([x, y], label))
    return samples


def make_layer(inputs, outputs, rng):
    scale = math.sqrt(2 / inputs)
    return {
        "weights": [[rng.gauss(0, scale) for _ in range(inputs)] for _ in range(outputs)],
        "biases": [0.0] * outputs,
    }


def apply_layer(layer, inputs):
    return [
        sum(weight * value for weight, value in zip(row, inputs)) + bias
        for row, bias in zip(layer["weights"], layer["biases"])
    ]


def forward(layers, inputs):
    activations = [inputs]
    for layer in layers[:-1]:
        activations.append([math.tanh(value) for value in apply_layer(layer, activations[-1])])
    logit = apply_layer(layers[-1], activations[-1])[0]
    return activations, 1 / (1 + math.exp(-max(-60.0, min(60.0, logit))))


def update_layer(layer, inputs, gradients, rate):
    below = [0.0] * len(inputs)
    for neuron, gradient in enumerate(gradients):
        row = layer["weights"][neuron]
        for index, value in enumerate(inputs):
            below[index] += gradient * row[index]
            row[index] -= rate * gradient * value
        layer["biases"][neuron] -= rate * gradient
    return below


def train_sample(layers, inputs, label, rate):
    activations, probability = forward(layers, inputs)
    gradients = [probability - label]
    for depth in range(len(layers) - 1, -1, -1):
        below = update_layer(layers[depth], activations[depth], gradients, rate)
        gradients = [value * (1 - output * output) for value, output in zip(below, activations[depth])]
    likelihood = probability if label == 1 else 1 - probability
    return -math.log(max(likelihood, 1e-12)), (probability > 0.5) == (label == 1)


def save_checkpoint(path, epoch, loss, layers):
    temporary = f"{path}.tmp"
    with open(temporary, "w") as file:
        json.dump({"epoch": epoch, "loss": loss, "layers": layers}, file)
    os.replace(temporary, path)


def main():
    arguments = parse_arguments()
    rng = random.Random(arguments.seed)
    samples = make_spirals(arguments.points, 0.02, rng)
    layers = [
        make_layer(2, arguments.hidden, rng),
        make_layer(arguments.hidden, arguments.hidden, rng),
        make_layer(arguments.hidden, 1, rng),
    ]
    gpus = os.environ.get("CUDA_VISIBLE_DEVICES", "none")
    print(f"{len(samples)} points, lr {arguments.lr}, seed {arguments.seed}, GPU {gpus or 'none'}", flush=True)
    started = time.monotonic()
    for epoch in range(1, arguments.epochs + 1):
        rng.shuffle(samples)
        rate = arguments.lr * (1 - (epoch - 1) / arguments.epochs)
        results = [train_sample(layers, inputs, label, rate) for inputs, label in samples]
        loss = sum(result[0] for result in results) / len(results)
        accuracy = sum(result[1] for result in results) / len(results)
        print(f"epoch {epoch:3d}/{arguments.epochs}  loss {loss:.4f}  accuracy {accuracy:.3f}", flush=True)
        save_checkpoint(arguments.checkpoint, epoch, loss, layers)
    print(f"done in {time.monotonic() - started:.0f} s; checkpoint in {arguments.checkpoint}")


if __name__ == "__main__":
    main()
