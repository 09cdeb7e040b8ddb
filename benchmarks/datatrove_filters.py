"""datatrove's three FineWeb-2 filters for Korean over a JSONL file; `benchmarks/corpus.py` runs it where datatrove is.

    python benchmarks/datatrove_filters.py DOCS.jsonl

Prints one JSON object: documents, bytes, seconds of processor time (loading the Kiwi model left out), how many each
filter dropped. Thresholds: huggingface/fineweb-2, configs/kor_Hang.yml. It imports nothing of hanjo.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

STOP_WORDS = "의 다 이 는 에 을 한 년 하 은 를 했 고 에서 가 있 으로 인 월 로 되".split()  # noqa: SIM905
TOP_N_GRAMS = ((2, 0.282), (3, 0.228), (4, 0.185))
DUP_N_GRAMS = ((5, 0.201), (6, 0.184), (7, 0.168), (8, 0.154), (9, 0.14), (10, 0.127))


def filters() -> list[Any]:
    """The three, in the order of FineWeb-2."""
    from datatrove.pipeline.filters import FineWebQualityFilter, GopherQualityFilter, GopherRepetitionFilter
    from datatrove.utils.typeshelper import Languages

    language = Languages.korean
    return [
        GopherRepetitionFilter(
            language=language,
            dup_para_frac=0,
            dup_line_char_frac=0,
            dup_para_char_frac=0,
            dup_line_frac=0.374,
            top_n_grams=TOP_N_GRAMS,
            dup_n_grams=DUP_N_GRAMS,
        ),
        FineWebQualityFilter(
            language=language,
            line_punct_thr=0.062,
            short_line_thr=999,
            char_duplicates_ratio=0.1,
            new_line_ratio=0.196,
        ),
        GopherQualityFilter(
            language=language,
            min_avg_word_length=1,
            max_avg_word_length=6,
            max_non_alpha_words_ratio=0.791,
            min_stop_words=2,
            stop_words=STOP_WORDS,
        ),
    ]


def main() -> None:
    """Time the filters, each document going on to the next filter as long as it is kept, as in datatrove's pipeline."""
    from datatrove.data import Document

    chain = filters()
    warm = Document(text="오늘은 날씨가 좋다. " * 20, id="warm")
    for one in chain:
        one.filter(warm)
    lines = Path(sys.argv[1]).read_text(encoding="utf-8").splitlines()
    documents = [Document(text=json.loads(line)["text"], id=str(number)) for number, line in enumerate(lines)]
    dropped = [0] * len(chain)
    started = time.process_time()
    for document in documents:
        for place, one in enumerate(chain):
            verdict = one.filter(document)
            if verdict is not True and not (isinstance(verdict, tuple) and verdict[0] is True):
                dropped[place] += 1
                break
    seconds = time.process_time() - started
    size = sum(len(document.text.encode()) for document in documents)
    print(json.dumps({"documents": len(documents), "bytes": size, "seconds": seconds, "dropped": dropped}))


if __name__ == "__main__":
    main()
