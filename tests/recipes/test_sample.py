"""The sample corpus holds what NOTICE.md says, states its rights in full, and shares no passage with held-out texts."""

import gzip
import io
import json
import re
from fnmatch import fnmatch
from hashlib import blake2b
from html import unescape
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "recipes" / "sample"
SUITES = ROOT / "eval" / "suites"
WINDOW = 60
SOURCES = ["hwpx-form", "libreoffice-help", "libreoffice-site", "shop-strings", "tax-rulings", "udhr"]


def squeezed(text: str) -> str:
    return re.sub(r"\s+", "", text)


def texts_of(path: Path) -> list[str]:
    """The texts of one file of the sample; plain libraries only, so that no reader of ours is trusted here."""
    name, data = path.name, path.read_bytes()
    if name.endswith((".jsonl", ".jsonl.gz")):
        lines = lines_of((gzip.decompress(data) if name.endswith(".gz") else data).decode())
        # A broken line is taken as it is: what it holds of a text counts too.
        return [json.loads(line)["text"] if line.endswith("}") else line.replace("\\n", "\n") for line in lines]
    if name.endswith(".parquet"):
        parquet = pytest.importorskip("pyarrow.parquet")
        return list(parquet.read_table(path)["text"].to_pylist())
    if name.endswith(".pdf"):
        pdfium = pytest.importorskip("pypdfium2")
        return ["\n".join(page.get_textpage().get_text_range() for page in pdfium.PdfDocument(data))]
    if name.endswith(".warc.gz"):
        return [text_of_html(payload) for payload in payloads(gzip.decompress(data))]
    return [text_of_html(data) if name.endswith(".html") else decoded(data)]


def lines_of(text: str) -> list[str]:
    """Lines as JSON Lines has them: str.splitlines would also split at U+0085 and U+2028 within a text."""
    return [line for line in text.split("\n") if line]


def decoded(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("cp949")


def text_of_html(data: bytes) -> str:
    return unescape(re.sub(r"<[^>]+>", "", decoded(data)))


def payloads(records: bytes) -> list[bytes]:
    """The bodies of a WARC file's text/html responses."""
    found, stream = [], io.BytesIO(records)
    while line := stream.readline():
        assert line == b"WARC/1.0\r\n"
        head = {}
        while (line := stream.readline().rstrip()) and b": " in line:
            key, value = line.split(b": ", 1)
            head[key] = value
        block = stream.read(int(head[b"Content-Length"]))
        assert stream.read(4) == b"\r\n\r\n"
        http, _, payload = block.partition(b"\r\n\r\n")
        if b"Content-Encoding: gzip" in http:
            payload = gzip.decompress(payload)
        if b"text/html" in http:
            found.append(payload)
    return found


def data_files() -> list[Path]:
    listed = [path for path in sorted(SAMPLE.rglob("*")) if path.is_file()]
    return [path for path in listed if path.name not in ("NOTICE.md", "submission.yaml") and path.suffix != ".hwpx"]


@pytest.fixture(scope="module")
def squeezed_sample() -> str:
    return "\n".join(squeezed(text) for path in data_files() for text in texts_of(path))


def test_notice_names_every_file() -> None:
    rows = lines_of((SAMPLE / "NOTICE.md").read_text(encoding="utf-8"))
    patterns = [match[1] for row in rows if (match := re.match(r"\| `([^`]+)` \|", row))]
    files = [str(path.relative_to(SAMPLE)) for path in SAMPLE.rglob("*") if path.is_file()]
    unnamed = [name for name in files if name != "NOTICE.md" and not any(fnmatch(name, each) for each in patterns)]
    assert unnamed == []
    assert [each for each in patterns if not any(fnmatch(name, each) for name in files)] == []


def test_sample_is_small_enough_to_clone() -> None:
    assert sum(path.stat().st_size for path in SAMPLE.rglob("*") if path.is_file()) <= 3 * 2**20


def test_sample_holds_enough_text_to_train_on(squeezed_sample: str) -> None:
    assert len(squeezed_sample.encode()) > 2_000_000


@pytest.mark.parametrize("name", SOURCES)
def test_submission_states_its_rights_in_full(name: str) -> None:
    submission = yaml.safe_load((SAMPLE / name / "submission.yaml").read_text(encoding="utf-8"))
    assert set(submission) - {"key"} == {"contributor", "source", "lang", "domain", "origin", "rights"}
    assert submission["source"] == name
    assert submission["lang"] == "ko"
    assert submission["origin"] in ("natural", "synthetic", "translated")
    rights = dict(submission["rights"])
    for field in ("train", "publish_weights", "redistribute", "derive", "commercial"):
        assert isinstance(rights.pop(field), bool)
    assert set(rights) == {"attribution", "until", "license", "evidence"}
    assert len(rights["evidence"]) > 40


def test_every_folder_is_a_source() -> None:
    assert sorted(path.name for path in SAMPLE.iterdir() if path.is_dir()) == SOURCES


def test_two_lines_are_broken_on_purpose() -> None:
    broken = 0
    for line in lines_of((SAMPLE / "libreoffice-help" / "help-extra.jsonl").read_text(encoding="utf-8")):
        try:
            json.loads(line)
        except json.JSONDecodeError:
            broken += 1
    assert broken == 2


def test_no_passage_of_a_heldout_document_is_in_the_sample(squeezed_sample: str) -> None:
    lines = lines_of((SUITES / "korean_cloze.heldout.jsonl").read_text(encoding="utf-8"))
    marks = {mark for line in lines for mark in json.loads(line)["windows"]}
    assert len(marks) > 1000
    found = 0
    for text in squeezed_sample.split("\n"):
        for at in range(len(text) - WINDOW + 1):
            found += blake2b(text[at : at + WINDOW].encode(), digest_size=8).hexdigest() in marks
    assert found == 0


def test_no_60_characters_of_an_item_are_in_the_sample(squeezed_sample: str) -> None:
    for line in lines_of((SUITES / "korean_cloze.jsonl").read_text(encoding="utf-8")):
        item = json.loads(line)
        passage = squeezed(item["context"] + item["choices"][item["answer"]])
        for at in range(max(1, len(passage) - WINDOW + 1)):
            assert passage[at : at + WINDOW] not in squeezed_sample, item["id"]


def test_no_heldout_document_is_in_the_sample_under_its_key() -> None:
    lines = lines_of((SUITES / "korean_cloze.heldout.jsonl").read_text(encoding="utf-8"))
    keys = {json.loads(line)["document"].split(":", 1)[1] for line in lines}
    listed = set()
    for path in SAMPLE.rglob("*.jsonl.gz"):
        listed |= {json.loads(line)["id"] for line in lines_of(gzip.decompress(path.read_bytes()).decode())}
    parquet = pytest.importorskip("pyarrow.parquet")
    for path in SAMPLE.rglob("*.parquet"):
        listed |= set(parquet.read_table(path)["id"].to_pylist())
    listed |= {path.stem for path in (SAMPLE / "tax-rulings" / "supreme-court").iterdir()}
    assert len(listed) > 1000
    assert keys & listed == set()
