"""A model to numbers with error bars. Comes after pretrain; only hanjo imports it (never write `import eval`)."""

__distribution__ = "hanjo"
