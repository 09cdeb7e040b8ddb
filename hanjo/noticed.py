"""What a person should know of a stage that has ended well: unreadable records, an empty split, a small vocabulary."""

from __future__ import annotations

from collections.abc import Iterator

from hanjo.recipe import Recipe
from hanjo.stages import StageResult


def noticed(result: StageResult, recipe: Recipe, run: str) -> Iterator[str]:
    """Sentences for a warning, none where all is as one would expect.

    Args:
        run: how commands name the run's folder.
    """
    counts = result.counts
    causes = {reason: row["documents"] for reason, row in counts.items() if reason.startswith("quarantined/")}
    if causes:
        told = ", ".join(f"{number} {cause.partition('/')[2]}" for cause, number in causes.items())
        yield f"quarantined in {result.stage}: {told}; see `hanjo status {run}`"
    if result.stage == "dedup" and counts.get("kept", {}).get("documents"):
        for split, wanted in (("valid", recipe.dedup.valid), ("test", recipe.dedup.test)):
            if wanted and f"split/{split}" not in counts:
                yield f"the {split} split is empty: give more text, or raise dedup.{split} (now {wanted:g})"
    if result.stage == "tokenize" and recipe.tokenize.path is None and "vocabulary" in counts:
        learned = counts["vocabulary"]["entries"] - counts["vocabulary"].get("reserved", 0)
        if learned < recipe.tokenize.vocab_size - 128:
            yield f"the text has pairs for {learned:,} entries only, {recipe.tokenize.vocab_size:,} were wanted"
    differing = counts.get("encoder/differed from tokenizers", {}).get("documents", 0)
    if differing:
        yield f"{differing:,} sampled documents got other ids than from tokenizers, which then encoded their shards"
