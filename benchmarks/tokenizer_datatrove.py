"""datatrove's tokenizer steps over a Parquet file; `benchmarks/tokenizer.py` runs it where datatrove is.

    python benchmarks/tokenizer_datatrove.py DOCS.parquet TOKENIZER.json OUT documents|megatron

Prints one JSON object: seconds of processor time, imports left out. It imports nothing of hanjo.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path


def main() -> None:
    """Read, encode and write in one process, as datatrove's own pipeline does."""
    from datatrove.executor.local import LocalPipelineExecutor
    from datatrove.pipeline.readers import ParquetReader
    from datatrove.pipeline.tokens import DocumentTokenizer, MegatronDocumentTokenizer

    docs, tokenizer, out, step = sys.argv[1:]
    folder, name = str(Path(docs).parent), Path(docs).name
    reader = ParquetReader(folder, glob_pattern=name, text_key="text", id_key="id", doc_progress=False)
    if step == "documents":
        writer = DocumentTokenizer(out, tokenizer, eos_token="<|endoftext|>", shuffle_documents=False)
    else:
        writer = MegatronDocumentTokenizer(out, tokenizer_name_or_path=tokenizer, eos_token="<|endoftext|>")
    executor = LocalPipelineExecutor([reader, writer], logging_dir=f"{out}-logs", skip_completed=False)
    started = time.process_time()
    executor.run()
    print(json.dumps({"seconds": time.process_time() - started}))


if __name__ == "__main__":
    main()
