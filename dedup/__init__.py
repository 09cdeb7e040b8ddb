"""Duplicates among the kept documents: exact and near. Comes after corpus, before tokenizer."""

__distribution__ = "hanjo"
