"""Documents: where they come from, what they say, whether they stay. The first package; it imports no other."""

__distribution__ = "hanjo"
