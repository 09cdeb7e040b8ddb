"""Text to tokens: training a vocabulary and writing token shards. Comes after dedup, before pretrain."""

__distribution__ = "hanjo"
