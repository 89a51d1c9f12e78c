"""A model that all sides can open: random weights as a Hugging Face folder, and what rivals make of it (ONNX, CTranslate2).

Nothing is downloaded. The vocabulary is made up: as large as the released model's (bert-base-uncased, roberta-base, t5-base),
special tokens in the same places, with single characters or bytes, the words of TEXT, and fillers.
"""
import json
import os
import shutil

import common

TEXT = "When will the package that I ordered last week arrive at my door?"


def vocabulary():
    words = ["[PAD]"] + [f"[unused{i}]" for i in range(99)] + ["[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    letters = "abcdefghijklmnopqrstuvwxyz0123456789"
    words += list("!?.,;:'-") + list(letters) + ["##" + letter for letter in letters]
    words += sorted({word for word in TEXT.lower().rstrip("?").split() if len(word) > 1})
    return words + [f"filler{i}" for i in range(common.ARCHITECTURES["distilbert"].vocabulary - len(words))]


def write_wordpiece(folder):
    from tokenizers import BertWordPieceTokenizer
    path = os.path.join(folder, "vocab.txt")
    with open(path, "w", encoding="utf-8") as out:
        out.write("".join(word + "\n" for word in vocabulary()))
    BertWordPieceTokenizer(path, lowercase=True).save(os.path.join(folder, "tokenizer.json"))
    with open(os.path.join(folder, "tokenizer_config.json"), "w", encoding="utf-8") as out:
        json.dump({"tokenizer_class": "DistilBertTokenizer", "do_lower_case": True, "model_max_length": common.POSITIONS}, out)


def write_byte_bpe(folder):
    from tokenizers import ByteLevelBPETokenizer
    from tokenizers.processors import RobertaProcessing
    tokenizer = ByteLevelBPETokenizer()
    tokenizer.train_from_iterator([TEXT], vocab_size=1000, min_frequency=1, show_progress=False,
                                  special_tokens=["<s>", "<pad>", "</s>", "<unk>", "<mask>"])
    tokenizer.post_processor = RobertaProcessing(("</s>", 2), ("<s>", 0), add_prefix_space=False)
    path = os.path.join(folder, "tokenizer.json")
    tokenizer.save(path)
    with open(path, encoding="utf-8") as file:
        whole = json.load(file)
    vocab = whole["model"]["vocab"]
    for i in range(len(vocab), common.ARCHITECTURES["roberta"].vocabulary):
        vocab[f"filler{i}"] = i
    with open(path, "w", encoding="utf-8") as file:
        json.dump(whole, file)
    with open(os.path.join(folder, "tokenizer_config.json"), "w", encoding="utf-8") as out:
        json.dump({"tokenizer_class": "RobertaTokenizer", "model_max_length": common.POSITIONS}, out)


def t5_token(i):
    return ("<pad>", "</s>", "<unk>")[i] if i < 3 else f"filler{i}"


def write_unigram(folder):
    from tokenizers import Tokenizer
    from tokenizers.models import Unigram
    tokens = [t5_token(i) for i in range(common.ARCHITECTURES["t5"].vocabulary)]
    Tokenizer(Unigram([(token, 0.0 if i < 3 else -10.0) for i, token in enumerate(tokens)], unk_id=2)).save(
        os.path.join(folder, "tokenizer.json"))
    with open(os.path.join(folder, "tokenizer_config.json"), "w", encoding="utf-8") as out:
        json.dump({"tokenizer_class": "PreTrainedTokenizerFast", "pad_token": "<pad>", "eos_token": "</s>",
                   "unk_token": "<unk>"}, out)


WRITE_TOKENIZER = {"distilbert": write_wordpiece, "roberta": write_byte_bpe, "t5": write_unigram}


def export(model, path):
    """The ONNX graph of the logits, any number of rows and tokens."""
    import torch

    class Logits(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.model = model

        def forward(self, input_ids, attention_mask):
            return self.model(input_ids=input_ids, attention_mask=attention_mask).logits

    ids = torch.randint(2, 1000, (2, 16))
    mask = torch.ones_like(ids)
    mask[1, 12:] = 0
    axes = {0: "rows", 1: "tokens"}
    with torch.no_grad():
        torch.onnx.export(Logits().eval(), (ids, mask), path, dynamo=False, opset_version=17,
                          input_names=["input_ids", "attention_mask"], output_names=["logits"],
                          dynamic_axes={"input_ids": axes, "attention_mask": axes, "logits": {0: "rows"}})


def optimize(source, target, size):
    """The same graph with attention, GELU and LayerNorm fused by ONNX Runtime's own tool."""
    from onnxruntime.transformers.optimizer import optimize_model
    dim, _, heads, _ = common.SIZES[size]
    optimize_model(source, model_type="bert", num_heads=heads, hidden_size=dim, opt_level=1,
                   use_gpu=False).save_model_to_file(target)


def prepare(folder, arch, size, wanted):
    """Makes folder/hf and, if wanted, folder/ort.onnx, folder/ort-opt.onnx, folder/ct2. What is there is kept."""
    done = os.path.join(folder, "done-" + "-".join([arch, size, *sorted(wanted)]))
    if os.path.exists(done):
        return
    hf = os.path.join(folder, "hf")
    shutil.rmtree(hf, ignore_errors=True)
    os.makedirs(hf)
    model = common.model(arch, size).eval()
    model.save_pretrained(hf)
    WRITE_TOKENIZER[arch](hf)
    if "ort" in wanted or "ort-opt" in wanted:
        eager = common.model(arch, size, attention="eager").eval()
        eager.load_state_dict(model.state_dict())
        export(eager, os.path.join(folder, "ort.onnx"))
    if "ort-opt" in wanted:
        optimize(os.path.join(folder, "ort.onnx"), os.path.join(folder, "ort-opt.onnx"), size)
    if "ct2" in wanted:
        from ctranslate2.converters import TransformersConverter
        TransformersConverter(hf).convert(os.path.join(folder, "ct2"), force=True)
    with open(done, "w", encoding="ascii"):
        pass
