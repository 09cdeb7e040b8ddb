"""Makes `korean_cloze.jsonl`: four-choice cloze items over held-out Korean documents.

Stands before everything else: it decides which documents are held out and writes them to
`korean_cloze.heldout.jsonl`; `recipes/make_sample.py` reads that file and leaves those documents out of the
sample corpus, so that no model trained on the sample has seen an item's text. Run it first:

    python -m eval.suites.make_korean_cloze --texts DIR

DIR holds `libreoffice-help-ko.jsonl.gz` and `tax-rulings-ko.jsonl.gz`, one JSON object a line (id, text, meta).
"""

import argparse
import json
import random
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

from eval.suites.cloze_fairness import FairDraw, heuristic_accuracies
from eval.suites.cloze_heldout import WINDOW, Document, Families, body, digest, read_documents, squeezed

SEED = "korean-cloze-1"
DOCUMENTS_WANTED = {"help": 85, "tribunal": 45, "supreme-court": 24}
ITEMS_PER_DOCUMENT = {"help": 2, "tribunal": 1, "supreme-court": 2}
KIND_SHARES = {"noun": 0.42, "noun phrase": 0.18, "predicate": 0.30, "number": 0.10}
CONTEXT_LENGTH = (60, 220)
AROUND = 40  # characters without spaces up to the end of the answer that no other document may have

Token = tuple[str, str, int, int]  # form, tag, start, end: what is used of Kiwi's tokens


@dataclass(frozen=True)
class Gap:
    """A span that can be taken out of a document, with the text before it."""

    document: Document
    context: str
    answer: str
    kind: str
    form: str  # spans of one form are interchangeable in grammar: the kind, and for predicates the ending's tag


def prose_runs(document: Document) -> Iterator[str]:
    """Stretches of running Korean prose: consecutive paragraphs of whole sentences, joined by a space."""
    run: list[str] = []
    paragraphs = body(document.text).replace("<br/>", "\n").split("\n")
    for paragraph in paragraphs[1:]:  # the first line is the title
        text = re.sub(r"^\s*(\[\d+\]|\d{1,2}[.)]\s)\s*", "", paragraph).strip()
        letters = squeezed(text)
        hangul = sum("가" <= letter <= "힣" for letter in letters)
        whole = text.endswith(".") or (document.group == "tribunal" and len(text) > 70)
        if whole and hangul > 0.78 * len(letters) and not re.search(r"[OㅇX]{2,}|[<>={}]|○", text):
            run.append(text)
            continue
        if run:
            yield " ".join(run)
        run = []
    if run:
        yield " ".join(run)


def split_tokens(tokens: list[Token], start: int, end: int) -> list[Token]:
    """The tokens of one eojeol, without punctuation."""
    return [token for token in tokens if start <= token[2] < end and not token[1].startswith(("SF", "SP", "SS"))]


# Nouns that carry grammar rather than meaning: a gap there asks for nothing.
EMPTY_NOUNS = {
    "경우",
    "이상",
    "이하",
    "해당",
    "여부",
    "다음",
    "때문",
    "당시",
    "이후",
    "이전",
    "관련",
    "이용",
    "각각",
    "특정",
    "기존",
    "현재",
    "정도",
    "사용",
    "필요",
}


def leading_nouns(tokens: list[Token]) -> int:
    """End offset of the nouns that an eojeol begins with, if only particles follow; else 0."""
    count = 0
    while count < len(tokens) and tokens[count][1] in ("NNG", "NNP"):
        count += 1
    if not count or tokens[count - 1][0].endswith(("할", "될")) or {token[0] for token in tokens[:count]} & EMPTY_NOUNS:
        return 0
    return tokens[count - 1][3] if all(token[1].startswith("J") for token in tokens[count:]) else 0


LIGHT_VERBS = {"있", "없", "하", "되", "이", "않", "아니", "대하", "따르", "위하", "관하", "의하", "같", "경우"}


def spans(text: str, tokens: list[Token]) -> Iterator[tuple[int, int, str, str]]:
    """Start, end, kind and form of every span of `text` that can be a gap; each begins an eojeol."""
    eojeols = [match.span() for match in re.finditer(r"\S+", text)]
    for number, (start, end) in enumerate(eojeols):
        inside = split_tokens(tokens, start, end)
        if not inside or inside[0][2] != start:
            continue
        tags = [token[1] for token in inside]
        nouns_end = leading_nouns(inside)
        if nouns_end and 2 <= nouns_end - start <= 6:
            yield start, nouns_end, "noun", "noun"
        if nouns_end == end and number + 1 < len(eojeols):
            following = split_tokens(tokens, *eojeols[number + 1])
            phrase_end = leading_nouns(following)
            if phrase_end and phrase_end - eojeols[number + 1][0] >= 2 and phrase_end - start <= 9:
                yield start, phrase_end, "noun phrase", f"noun phrase {end - start}"
        numbered = re.match(r"(제?)\d{1,3}(년|조|항|호|세대|주택|개월|개|장|월|일)", text[start:end])
        if numbered:
            yield start, start + numbered.end(), "number", f"number {numbered[1]}#{numbered[2]}"
        lexical = tags[0] in ("NNG", "VV", "VA", "XR", "VV-R", "VV-I", "VA-R", "VA-I")
        verbal = any(tag.startswith(("VV", "VA", "XSV", "XSA")) for tag in tags)
        if lexical and verbal and tags[-1] in ("EF", "EC", "ETM") and inside[0][0] not in LIGHT_VERBS:
            word = re.sub(r"[^가-힣]+$", "", text[start:end])
            if 3 <= len(word) <= 8:
                yield start, start + len(word), "predicate", f"predicate {tags[-1]}"


def gaps(document: Document, kiwi: Any) -> list[Gap]:
    """Every gap of a document whose context is long enough, begins a sentence and does not hold the answer."""
    found = []
    for text in prose_runs(document):
        starts = [0] + [match.end() for match in re.finditer(r"[다음임함됨오]\.\s+", text)]
        tokens = [(token.form, token.tag.split("-")[0], token.start, token.end) for token in kiwi.tokenize(text)]
        for start, end, kind, form in spans(text, tokens):
            sentence = max(at for at in starts if at <= start)
            answer = text[start:end]
            if len(text[sentence:start].split()) < 3:
                continue
            fitting = [at for at in starts if CONTEXT_LENGTH[0] <= start - 1 - at <= CONTEXT_LENGTH[1]]
            if not fitting or not re.fullmatch(r"[가-힣 ]+|제?\d+[가-힣]+", answer):
                continue
            context = text[fitting[0] : start].rstrip()
            # An unclosed bracket or quotation mark would leave the reader inside a citation.
            closed = all(context.count(pair[0]) == context.count(pair[1]) for pair in ("()", "‘’", "“”", "「」", "[]"))
            if closed and context.count('"') % 2 == 0 and context.count("'") % 2 == 0 and answer not in context:
                found.append(Gap(document, context, answer, kind, form))
    return found


def by_hash(document: Document) -> bytes:
    """The seeded order in which documents are considered."""
    return blake2b(f"{SEED}:{document.id}".encode(), digest_size=16).digest()


def hold_out(documents: list[Document], kiwi: Any) -> tuple[dict[str, list[Gap]], dict[str, str]]:
    """The gaps of each chosen document, and all held-out ids with the id of the document they stand for."""
    families = Families(documents)
    chosen: dict[str, list[Gap]] = {}
    held: dict[str, str] = {}
    wanted = Counter(DOCUMENTS_WANTED)
    for number in sorted(range(len(documents)), key=lambda at: by_hash(documents[at])):
        document = documents[number]
        if not wanted[document.group] or document.id in held:
            continue
        found = gaps(document, kiwi)
        members = families.family(number) if found else None
        if members is None:
            continue
        # A sentence may stand elsewhere without making the documents near copies: no item may ask for it.
        found = [gap for gap in found if families.is_alone(squeezed(gap.context + gap.answer)[-AROUND:], members)]
        if len({gap.kind for gap in found}) < 2:
            continue
        chosen[document.id] = found
        held.update({documents[member].id: document.id for member in members})
        wanted[document.group] -= 1
    return chosen, held


def fits_badly(gap: Gap, corpus: str, pool: dict[tuple[str, str, int], list[Gap]], length: int) -> list[str]:
    """Spans of the gap's form and of `length` characters that do not fit it: candidates for distractors.

    They come from the other held-out documents, as the answers do. A span that the corpus shows after the very word
    before the gap might fit, and is left out.
    """
    last = gap.context.split()[-1]
    words = []
    for other in pool["help" if gap.document.group == "help" else "rulings", gap.form, length]:
        word = other.answer
        alike = word in gap.answer or gap.answer in word
        if gap.kind.startswith("noun"):
            alike = alike or word[-2:] == gap.answer[-2:]  # 부가가치세, 가치세: the one may stand for the other
        if other.document.id == gap.document.id or alike or word in gap.context:
            continue
        if f"{last} {word}" not in corpus:
            words.append(word)
    return words


def make_items(chosen: dict[str, list[Gap]], everything: str, rest: str) -> list[dict[str, Any]]:
    """The items: at most `ITEMS_PER_DOCUMENT` a document, kinds near `KIND_SHARES`, answer positions balanced."""
    rng = random.Random(SEED)
    pool: dict[tuple[str, str, int], list[Gap]] = defaultdict(list)
    for found in chosen.values():
        for gap in found:
            pool["help" if gap.document.group == "help" else "rulings", gap.form, len(gap.answer)].append(gap)
    picked: list[tuple[Gap, list[str]]] = []
    count: Counter[str] = Counter()
    fair = FairDraw(rest, rng)
    for found in chosen.values():
        left = list(found)
        rng.shuffle(left)
        contexts: list[str] = []
        while left and len(contexts) < ITEMS_PER_DOCUMENT[found[0].document.group]:
            left.sort(key=lambda gap: count[gap.kind] / KIND_SHARES[gap.kind])
            gap = left.pop(0)
            # Two gaps of one document must not stand in the same sentences.
            if any(gap.context[:40] == other[:40] for other in contexts):
                continue
            candidates = fits_badly(gap, everything, pool, len(gap.answer))
            wrong = fair.draw(gap.context, gap.answer, candidates)
            if wrong:
                picked.append((gap, wrong))
                contexts.append(gap.context)
                count[gap.kind] += 1
    positions = [number % 4 for number in range(len(picked))]
    rng.shuffle(positions)
    items = []
    for number, ((gap, wrong), position) in enumerate(zip(picked, positions, strict=True)):
        choices = [*wrong[:position], gap.answer, *wrong[position:]]
        items.append(
            {
                "id": f"korean_cloze-{number:04d}",
                "source": gap.document.source,
                "document": gap.document.id,
                "context": gap.context,
                "choices": choices,
                "answer": position,
                "kind": gap.kind,
            }
        )
    return items


def write_lines(path: Path, rows: list[dict[str, Any]]) -> None:
    """One JSON object a line."""
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


def main() -> None:
    """Write the items and the held-out list beside this file, and print what the heuristics get."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent)
    arguments = parser.parse_args()
    from kiwipiepy import Kiwi  # a heavy import: here, so that the held-out rule can be imported without it

    documents = read_documents(arguments.texts)
    chosen, held = hold_out(documents, Kiwi(num_workers=1))
    rest = "\n".join(body(document.text) for document in documents if document.id not in held)
    everything = "\n".join(body(document.text) for document in documents)
    items = make_items(chosen, everything, rest)
    used = {item["document"] for item in items}
    kept = {identifier: origin for identifier, origin in held.items() if origin in used}
    rows = []
    for document in documents:
        if document.id in kept:
            text = squeezed(body(document.text))
            marks = [digest(text[at : at + WINDOW]) for at in range(0, len(text) - WINDOW + 1, WINDOW)]
            row = {"source": document.source, "document": document.id, "near_copy_of": None, "windows": marks}
            if kept[document.id] != document.id:
                row["near_copy_of"] = kept[document.id]
            rows.append(row)
    write_lines(arguments.out / "korean_cloze.jsonl", items)
    write_lines(arguments.out / "korean_cloze.heldout.jsonl", rows)
    print(len(items), "items of", len(used), "documents;", len(rows), "documents held out")
    print("kinds:", dict(Counter(item["kind"] for item in items)), dict(Counter(item["source"] for item in items)))
    print("heuristics:", heuristic_accuracies(items, rest))


if __name__ == "__main__":
    main()
