#!/usr/bin/env python3
"""Makes masked_lm_distilbert and masked_lm_roberta: tiny masked language models with random weights, a batch with masks, and
the logits, the loss and the gradients that transformers computes from them. With --check DIR it opens a folder that
`assistify pretrain` wrote and prints transformers' loss on the batch of DIR/inputs.json instead.

    pip install torch transformers safetensors
    python tests/golden/make_masked_lm.py
"""
import json
import os
import sys

import torch
from safetensors.torch import save_file
from transformers import AutoModelForMaskedLM, DistilBertConfig, DistilBertForMaskedLM, RobertaConfig, RobertaForMaskedLM

HERE = os.path.dirname(os.path.abspath(__file__))
LENGTHS = [9, 1, 14, 5]
MASK = 4


def build(kind):
    if kind == "distilbert":
        config = DistilBertConfig(vocab_size=61, dim=24, hidden_dim=40, n_heads=2, n_layers=2, max_position_embeddings=32,
                                  dropout=0.0, attention_dropout=0.0, initializer_range=0.2)
        return DistilBertForMaskedLM(config), 0, "vocab_projector.bias", "vocab_layer_norm"
    config = RobertaConfig(vocab_size=61, hidden_size=24, intermediate_size=40, num_attention_heads=2,
                           num_hidden_layers=2, max_position_embeddings=34, type_vocab_size=1, hidden_dropout_prob=0.0,
                           attention_probs_dropout_prob=0.0, initializer_range=0.2, layer_norm_eps=1e-5)
    return RobertaForMaskedLM(config), 1, "lm_head.bias", "lm_head.layer_norm"


def batch(pad, generator):
    width = max(LENGTHS)
    ids = torch.full((len(LENGTHS), width), pad)
    labels = torch.full((len(LENGTHS), width), -100)
    for row, length in enumerate(LENGTHS):
        ids[row, :length] = torch.randint(5, 61, (length,), generator=generator)
        for i in range(1, length):
            if torch.rand(1, generator=generator).item() < 0.4:
                labels[row, i] = ids[row, i]
                ids[row, i] = MASK if i % 3 else 5 + (7 * i) % 56
    return ids, labels


def run(model, ids, labels, lengths):
    mask = torch.zeros_like(ids)
    for row, length in enumerate(lengths):
        mask[row, :length] = 1
    return model(input_ids=ids, attention_mask=mask, labels=labels)


def make(kind):
    torch.manual_seed(7)
    model, pad, bias, norm = build(kind)
    generator = torch.Generator().manual_seed(11)
    with torch.no_grad():  # biases and norms are not where they begin
        for name, p in model.named_parameters():
            if p.ndim == 1:
                p.add_(0.1 * torch.randn(p.shape, generator=generator))
    model.eval()
    ids, labels = batch(pad, generator)
    out = run(model, ids, labels, LENGTHS)
    out.loss.backward()
    folder = os.path.join(HERE, "masked_lm_" + kind)
    model.save_pretrained(folder)
    if os.path.exists(os.path.join(folder, "generation_config.json")):
        os.remove(os.path.join(folder, "generation_config.json"))
    tensors = {"logits": out.logits[labels != -100].detach().contiguous(), "loss": out.loss.detach().reshape(1)}
    for name, p in model.named_parameters():
        if p.grad is not None:
            tensors["grad." + name] = p.grad.contiguous()
    save_file(tensors, os.path.join(folder, "expected.safetensors"))
    with open(os.path.join(folder, "inputs.json"), "w") as f:
        json.dump({"input_ids": ids.tolist(), "labels": labels.tolist(), "lengths": LENGTHS}, f)
        f.write("\n")
    print(kind, "loss", out.loss.item(), "masked", int((labels != -100).sum()), sorted(tensors)[:40])


def check(folder):
    with open(os.path.join(folder, "inputs.json")) as f:
        inputs = json.load(f)
    model = AutoModelForMaskedLM.from_pretrained(folder).eval()
    with torch.no_grad():
        out = run(model, torch.tensor(inputs["input_ids"]), torch.tensor(inputs["labels"]), inputs["lengths"])
    print("%.9g" % out.loss.item())


if __name__ == "__main__":
    if len(sys.argv) == 3 and sys.argv[1] == "--check":
        check(sys.argv[2])
    else:
        for kind in ("distilbert", "roberta"):
            make(kind)
