"""Tokens to a model: the order of samples, the training loop, checkpoints. Comes after tokenizer, before eval."""

__distribution__ = "hanjo"
