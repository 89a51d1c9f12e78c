"""The first answer of a rival: python cold.py ort|ort-opt|torch FOLDER THREADS TEXT prints the label's name as JSON.

Imports nothing but what the answer needs, since the time from the start of this process to its answer is measured.
"""
import os
import sys


def load(rival, folder, threads):
    """A function from ids and mask, [rows, tokens], to logits [rows, classes]."""
    if rival == "torch":
        import torch
        import transformers
        torch.set_num_threads(threads)
        model = transformers.AutoModelForSequenceClassification.from_pretrained(os.path.join(folder, "hf"), dtype=torch.float32)
        model.eval()

        def answer(ids, mask):
            with torch.inference_mode():
                return model(input_ids=torch.from_numpy(ids), attention_mask=torch.from_numpy(mask)).logits.numpy()
        return answer
    import onnxruntime
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    session = onnxruntime.InferenceSession(os.path.join(folder, rival + ".onnx"), options, providers=["CPUExecutionProvider"])
    return lambda ids, mask: session.run(None, {"input_ids": ids, "attention_mask": mask})[0]


def main():
    import numpy
    from tokenizers import Tokenizer
    rival, folder, threads, text = sys.argv[1:]
    answer = load(rival, folder, int(threads))
    ids = Tokenizer.from_file(os.path.join(folder, "hf", "tokenizer.json")).encode(text).ids
    logits = answer(numpy.array([ids]), numpy.ones((1, len(ids)), numpy.int64))
    print(f'{{"intent": "LABEL_{int(logits[0].argmax())}", "tokens": {len(ids)}}}', flush=True)


if __name__ == "__main__":
    main()
