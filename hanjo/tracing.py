"""Where one document went: source and offset → verdict → cluster → token range → training steps → checkpoints.

Composed of what each package knows of its own tables (`locate`); nothing here searches more than one bucket of ids.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from corpus.errors import UsageError
from corpus.identity import locate as locate_document
from corpus.manifest import read_manifest
from corpus.staging import WITHDRAWN
from corpus.view import verdict


def trace(run: Path, document: str) -> dict[str, Any]:
    """Everything the run knows of a document's way, without its text.

    Args:
        document: 32 hex digits.

    Returns:
        `id`; `source` (source, path, offset, length); `verdict`, `cluster`, `tokens`, `training`, each None where the
        document did not come that far; `versions`: how many records carry the id.

    Raises:
        UsageError: no id, or no document of the run has it. StaleError: collect has not run.
    """
    if not re.fullmatch(r"[0-9a-f]{32}", document):
        raise UsageError(f"{document!r} is no document id", fix="give the 32 hex digits that the report shows")
    places = locate_document(run, document)
    if not places:
        raise UsageError(
            f"no document {document} in this run",
            where=str(run),
            fix="ids stand in the report and in the column `id` of documents/ and unique/",
        )
    # Of several records with one id the one that was kept is the document; else the last, which is the newest.
    done = set(read_manifest(run)["stages"])  # tables of a stage that is not in it are those of another recipe
    judged = [
        (
            place,
            verdict(run, place["shard"], place["row"]) if "decide" in done else None,
            _cluster(run, document, place) if "dedup" in done else None,
        )
        for place in places
    ]
    place, judgement, cluster = next((one for one in judged if one[2] and one[2]["keep"]), judged[-1])
    tokens = _tokens(run, document) if "tokenize" in done else None
    return {
        "id": document,
        "source": place,
        "versions": len(places),
        "verdict": judgement,
        "cluster": cluster,
        "tokens": tokens,
        "training": _training(run, tokens),
    }


def _cluster(run: Path, document: str, place: dict[str, Any]) -> dict[str, Any]:
    from dedup.locate import locate

    return locate(run, document, place["shard"], place["row"])


def _tokens(run: Path, document: str) -> dict[str, Any] | None:
    from tokenizer.locate import locate

    return locate(run, document)


def _training(run: Path, tokens: dict[str, Any] | None) -> dict[str, Any] | None:
    if tokens is None or tokens["split"] != "train" or not (run / "pretrain" / "checkpoints").exists():
        return None
    from pretrain.stage import locate

    first = tokens["first_token"]
    used = locate(run, f"tokens/train/{tokens['shard']}", first, first + tokens["tokens"])
    return {"steps": used.steps, "checkpoints": [name for name, steps in used.checkpoints.items() if steps]}


def tell(found: dict[str, Any]) -> str:
    """A trace as text for a person."""
    place, judgement, cluster = found["source"], found["verdict"], found["cluster"]
    gone = judgement is not None and judgement["rule"] == WITHDRAWN
    lines = [
        f"document    {found['id']}",
        f"source      {place['source']}/{place['path']}, offset {place['offset']:,}, length {place['length']:,}"
        if not gone
        else f"source      {place['source']}; where it came from went with it",
        f"documents   shard {place['shard']}, row {place['row']}"
        + (f" ({found['versions']} records carry this id)" if found["versions"] > 1 else ""),
        f"verdict     {_tell_verdict(judgement)}",
    ]
    if judgement and judgement["keep"]:
        lines.append(f"cluster     {_tell_cluster(cluster)}")
    if (cluster and cluster["keep"]) or (gone and found["tokens"]):
        lines += _tell_tokens(found["tokens"], found["training"])
    return "\n".join(lines)


def _tell_verdict(judgement: dict[str, Any] | None) -> str:
    if judgement is None:
        return "not judged yet"
    if judgement["keep"]:
        return "kept"
    if judgement["rule"] == WITHDRAWN:
        return "withdrawn"
    values = f": value {judgement['value']:g}, limit {judgement['limit']:g}" if judgement["value"] is not None else ""
    return f"removed by {judgement['rule']}{values}" + (f" ({judgement['detail']})" if judgement["detail"] else "")


def _tell_cluster(cluster: dict[str, Any] | None) -> str:
    if cluster is None:
        return "not deduplicated yet"
    if cluster["keep"]:
        others = cluster["size"] - 1
        stands = f", stands for {others} other{'s' * (others > 1)}" if others else ""
        return f"{cluster['cluster']}, {cluster['split']}{stands}"
    if cluster["rule"] == "dedup.split":
        return f"held out by {cluster['rule']}: resembles documents of two splits"
    if cluster["witness"] is None:
        return f"removed by {cluster['rule']}: a newer version of the same id stays"
    where = " of the index" if cluster["rule"].startswith("index.") else ""
    return f"removed by {cluster['rule']}: repeats {cluster['witness']}{where} (Jaccard {cluster['similarity']:.3f})"


def _tell_tokens(tokens: dict[str, Any] | None, training: dict[str, Any] | None) -> list[str]:
    if tokens is None:
        return ["tokens      not encoded yet"]
    first, end = tokens["first_token"], tokens["first_token"] + tokens["tokens"]
    lines = [f"tokens      tokens/{tokens['split']}/{tokens['shard']}.bin, tokens {first:,}:{end:,}"]
    if tokens["withdrawn"]:
        lines.append("            withdrawn: overwritten with end-of-text")
    if tokens["split"] != "train":
        return [*lines, f"training    none: the {tokens['split']} split is never trained on"]
    if training is None:
        return [*lines, "training    not trained yet"]
    steps = training["steps"]
    shown = ", ".join(map(str, steps[:20])) + (" …" if len(steps) > 20 else "")
    lines.append(f"training    steps {shown}" if steps else "training    no step has used it so far")
    return [*lines, f"checkpoints {', '.join(training['checkpoints']) or 'none contains it'}"]
