"""What `hanjo corpus check` says, in English and Korean: one entry a sentence, so that neither language lags behind.

Names of causes, rules and identifiers have their own file, `check_names.py`. Light: the command line reads it for help.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

LANGUAGES = ("en", "ko")

WORDS: dict[str, tuple[str, str]] = {
    # Help
    "help.check": (
        "Check files or folders before any upload: what counts, what does not and why, and what to mend. Nothing "
        "leaves "
        "this machine. Ends with 0 where all is acceptable, 1 where something must be mended.",
        "올리기 전에 파일이나 폴더를 검사합니다. 무엇이 인정되고 무엇이 왜 빠지는지, 무엇을 고쳐야 하는지 알려 "
        "줍니다. 자료는 이 "
        "컴퓨터를 떠나지 않습니다. 문제가 없으면 0, 고칠 것이 있으면 1로 끝납니다.",
    ),
    "help.paths": ("Files or folders with the data.", "검사할 파일이나 폴더."),
    "help.lang": ("en or ko; default: by the locale.", "en 또는 ko. 기본값은 시스템 언어."),
    "help.html": ("Write the verdict as one HTML page, too.", "결과를 HTML 문서 하나로도 저장합니다."),
    "help.json": ("Print JSON on standard output instead of text.", "글 대신 JSON을 표준 출력에 씁니다."),
    "help.tokenizer": (
        "Folder of a tokenizer (Hugging Face) to estimate tokens with.",
        "토큰 수를 추정할 토크나이저 폴더(Hugging Face 형식).",
    ),
    "help.index": (
        "Folder of a dedup index: documents that it has already do not count. Nothing of it is shown.",
        "dedup 색인 폴더. 이미 그 안에 있는 문서는 인정되지 않습니다. 색인의 내용은 보여 주지 않습니다.",
    ),
    "help.submission": (
        "The submission.yaml; default: the one beside the data.",
        "submission.yaml의 위치. 기본값은 자료와 같은 폴더.",
    ),
    "help.text": ("Field or column that holds the text.", "본문이 들어 있는 필드나 열의 이름."),
    "help.init": (
        "Ask, and write DIR/submission.yaml; an existing one is never overwritten.",
        "질문에 답하면 DIR/submission.yaml을 만듭니다. 이미 있는 파일은 덮어쓰지 않습니다.",
    ),
    "help.texts": (
        "Give files or folders, or --init DIR to write a submission.yaml.",
        "파일이나 폴더를 주거나, --init 폴더로 submission.yaml을 만드세요.",
    ),
    # Questions
    "init.no_folder": ("no such folder", "그런 폴더가 없습니다"),
    "init.make_it": ("make it and put the data there first", "먼저 폴더를 만들고 자료를 넣으세요"),
    "init.exists": ("it exists already and is not overwritten", "이미 있는 파일이라 덮어쓰지 않습니다"),
    "init.edit_it": ("edit it, or move it away", "그 파일을 고치거나 옮겨 두세요"),
    "init.ended": (
        "the answers ended before {field!r}; nothing was written",
        "{field!r}에 답하기 전에 끝나서 아무것도 쓰지 않았습니다",
    ),
    "init.answer_all": ("answer every question", "모든 질문에 답하세요"),
    "init.written": (
        "wrote {path}; next: hanjo corpus check {folder}",
        "{path} 파일을 만들었습니다. 다음: hanjo corpus check {folder}",
    ),
    "path.missing": ("no such file or folder", "그런 파일이나 폴더가 없습니다"),
    "path.give": ("give files or folders with the data", "자료가 있는 파일이나 폴더를 주세요"),
    # Progress
    "progress.check": ("check", "검사"),
    "progress.divide": ("dividing", "나누기"),
    "progress.lines": ("lines", "줄 세기"),
    "progress.read": ("read", "읽기"),
    "progress.known": ("index", "색인"),
    "progress.pairs": ("similar", "비슷한 글"),
    "progress.compare": ("compare", "비교"),
    "progress.tokens": ("tokens", "토큰"),
    # Verdict
    "title": ("Check before upload", "올리기 전 검사"),
    "acceptable": ("Acceptable: nothing must be mended.", "문제없습니다. 고칠 것이 없습니다."),
    "not_acceptable": ("Not yet: mend this first.", "아직 올릴 수 없습니다. 먼저 아래를 고쳐 주세요."),
    "mend.rights": (
        "The rights are not settled: see Rights.",
        "권리가 확인되지 않았습니다. ‘권리’ 항목을 보세요.",
    ),
    "mend.files": ("There is no file to read in: {paths}", "읽을 파일이 없습니다: {paths}"),
    "mend.quarantine": (
        "{share} of the records could not be read; at most 1 % may be: see Errors.",
        "기록의 {share}를 읽지 못했습니다. 1 %까지만 허용됩니다. ‘오류’ 항목을 보세요.",
    ),
    "mend.nothing": ("No document is left that would count.", "인정되는 문서가 하나도 없습니다."),
    "remark.language": (
        "submission.yaml says the language is Korean, but less than half of the text is.",
        "submission.yaml에는 한국어라고 되어 있으나, 한국어 글이 절반도 되지 않습니다.",
    ),
    "remark.key": (
        "{times} records lack the key that submission.yaml names: without it a record is known by its place in "
        "the file "
        "alone, and a corrected file makes new documents of old ones.",
        "submission.yaml이 말하는 키가 없는 기록이 {times}개 있습니다. 키가 없으면 파일 안의 위치로만 문서를 "
        "알아보므로, 파일을 고치면 "
        "같은 글이 새 문서가 됩니다.",
    ),
    "counts": (
        "{eojeol} words (eojeol) in {documents} documents would count.",
        "문서 {documents}건, 어절 {eojeol}개가 인정됩니다.",
    ),
    # Units and columns
    "documents": ("documents", "문서"),
    "eojeol": ("words (eojeol)", "어절"),
    "chars": ("characters", "글자"),
    "bytes": ("bytes", "바이트"),
    "tokens": ("tokens", "토큰"),
    "share": ("share", "비율"),
    "file": ("file", "파일"),
    "format": ("format", "형식"),
    "encoding": ("encoding", "인코딩"),
    "kept": ("kept", "통과"),
    "unreadable": ("unreadable", "읽지 못함"),
    "rule": ("rule", "규칙"),
    "value": ("value", "값"),
    "limit": ("limit", "한계"),
    "kind": ("kind", "종류"),
    "times": ("times", "횟수"),
    "place": ("place", "위치"),
    "byte": ("byte {offset}", "{offset}번째 바이트"),
    "row": ("row {offset}", "{offset}번째 행"),
    "what_to_do": ("what it is and what to do", "내용과 고치는 방법"),
    "example": ("example", "예"),
    "unknown": ("unknown", "알 수 없음"),
    "none": ("none", "없음"),
    "not_text": ("no text file", "텍스트 파일 아님"),
    # Sections
    "section.funnel": ("What would count", "인정되는 분량"),
    "funnel.came": ("came in", "들어온 기록"),
    "funnel.unread": ("could not be read", "읽지 못함"),
    "funnel.removed": ("removed by rules", "규칙에 걸림"),
    "funnel.index": ("in the index already", "이미 색인에 있음"),
    "funnel.repeated": ("duplicates of others in here", "안에서 중복"),
    "funnel.counts": ("would count", "인정"),
    "funnel.note": (
        "Counted in the text as it would be kept: boilerplate cut, personal data masked. Words are eojeol, the "
        "pieces "
        "between white space.",
        "상투적인 문구를 잘라 내고 개인정보를 가린 뒤의 글로 셉니다. 어절은 빈칸으로 나뉜 조각입니다.",
    ),
    "tokens.unknown": (
        "Tokens: unknown. Give a tokenizer's folder with --tokenizer to estimate them.",
        "토큰: 알 수 없음. --tokenizer로 토크나이저 폴더를 주면 추정합니다.",
    ),
    "tokens.exact": ("Tokens: {tokens}, all documents encoded.", "토큰: {tokens}개(모든 문서를 셈)."),
    "tokens.estimate": (
        "Tokens: about {tokens} (95 % interval {low} to {high}), estimated from {sampled} of {documents} documents.",
        "토큰: 약 {tokens}개(95 % 구간 {low}~{high}). 문서 {documents}건 가운데 {sampled}건으로 추정했습니다.",
    ),
    "tokens.guess": (
        "Tokens: about {tokens}, from a single document; no interval.",
        "토큰: 약 {tokens}개. 문서 한 건으로 어림한 값이라 구간은 없습니다.",
    ),
    "section.rights": ("Rights", "권리"),
    "rights.granted": (
        "{path}: {contributor} gives {source} ({license}); training is granted.",
        "{path}: {contributor}의 {source} ({license}). 학습이 허락되어 있습니다.",
    ),
    "rights.missing": (
        "{path}: there is no {submission}. Without it nobody may use the text. Write it beside the data, or let "
        "`hanjo corpus check --init DIR` ask you:",
        "{path}: {submission} 파일이 없습니다. 이 파일이 없으면 아무도 이 글을 쓸 수 없습니다. 자료와 같은 "
        "폴더에 아래와 같이 쓰거나, "
        "`hanjo corpus check --init 폴더`로 질문에 답해 만드세요.",
    ),
    "rights.broken": (
        "{path}: submission.yaml cannot be accepted as it stands:",
        "{path}: submission.yaml에 고칠 곳이 있습니다.",
    ),
    "rights.not_granted": (
        "{path}: submission.yaml does not grant training (`train: false`). Without that right no document is used.",
        "{path}: submission.yaml이 학습을 허락하지 않습니다(`train: false`). 이 권리가 없으면 어떤 문서도 쓰지 "
        "않습니다.",
    ),
    "rights.ended": (
        "{path}: the rights ended on {until}. Agree on a new date and write it under `until`.",
        "{path}: 권리가 {until}에 끝났습니다. 새 기한을 정해 `until`에 쓰세요.",
    ),
    "right.train": ("train models on it", "모델 학습"),
    "right.publish_weights": ("publish such models", "학습한 모델 공개"),
    "right.redistribute": ("pass the text on", "원문 재배포"),
    "right.derive": ("change the text", "가공"),
    "right.commercial": ("for money", "상업적 이용"),
    "right.attribution": ("to be named as", "출처 표시"),
    "right.until": ("last day", "마지막 날"),
    "right.license": ("licence", "이용 허락"),
    "right.evidence": ("evidence", "근거"),
    "yes": ("yes", "예"),
    "no": ("no", "아니요"),
    "no_end": ("no end", "기한 없음"),
    "section.files": ("Files", "파일"),
    "files.more": ("and {number} more files", "그 밖에 파일 {number}개"),
    "files.left_out": (
        "{number} files were left out as no data by their names (README, LICENSE and the like).",
        "이름으로 보아 자료가 아닌 파일 {number}개(README, LICENSE 등)는 읽지 않았습니다.",
    ),
    "section.errors": ("Errors", "오류"),
    "errors.none": ("Every record could be read.", "모든 기록을 읽었습니다."),
    "errors.first": ("the first {number} of {documents}", "{documents}건 가운데 처음 {number}건"),
    "section.losses": ("Repaired or lost while reading", "읽으면서 고치거나 잃은 것"),
    "section.languages": ("Language", "언어"),
    "languages.note": ("Told by script, by document.", "문서마다 글자 종류로 판단했습니다."),
    "section.quality": ("Quality: what the rules say", "품질: 규칙의 판단"),
    "quality.none": ("No rule removed a document.", "규칙에 걸린 문서가 없습니다."),
    "section.private": ("Personal data", "개인정보"),
    "private.none": ("None was found.", "찾은 것이 없습니다."),
    "private.masked": ("masked", "가림"),
    "private.reported": ("only reported", "알리기만 함"),
    "private.note": (
        "Masked means that a placeholder stands in its place wherever the text is used. What was found is shown "
        "nowhere.",
        "가림은 글을 쓸 때 그 자리에 대신하는 표시를 넣는다는 뜻입니다. 찾은 내용은 어디에도 보여 주지 않습니다.",
    ),
    "spans": ("found", "개수"),
    "section.duplicates": ("Duplicates inside", "안에서 중복"),
    "duplicates.exact": (
        "{number} documents have the same text as another one (white space left out); all were compared.",
        "글이 다른 문서와 똑같은 문서가 {number}건입니다(빈칸 제외). 모든 문서를 견주었습니다.",
    ),
    "duplicates.near": (
        "{number} more are near-duplicates: at least 60 % of their shingles (five characters) are shared with "
        "one that "
        "stays. Signatures of all documents gave {compared} pairs, and each pair was compared exactly.",
        "그 밖에 거의 같은 문서가 {number}건입니다(다섯 글자 조각의 60 % 이상이 남는 문서와 같음). 모든 문서의 "
        "서명으로 {compared}쌍을 "
        "골라 한 쌍씩 정확히 견주었습니다.",
    ),
    "duplicates.unsigned": (
        "{number} documents took part in the exact comparison only: shorter than five characters, or above 8 MiB.",
        "문서 {number}건은 다섯 글자보다 짧거나 8 MiB보다 길어 똑같은지만 견주었습니다.",
    ),
    "duplicates.removed": ("would go", "빠짐"),
    "duplicates.stays": ("stays", "남음"),
    "similarity": ("similarity", "유사도"),
    "section.index": ("In the index already", "이미 색인에 있는 글"),
    "index.none": (
        "None of the documents is in the index; {compared} pairs were compared exactly.",
        "색인에 있는 문서는 없습니다. {compared}쌍을 정확히 견주었습니다.",
    ),
    "index.found": (
        "{documents} documents are in the index already and do not count: {exact} with the same text (white space "
        "left out), {near} as near-duplicates of a text there (at least 60 % of the shingles of five characters are "
        "shared; each pair was compared exactly). Once a text is accepted, a copy of it adds nothing to learn from.",
        "문서 {documents}건은 이미 색인에 있어 인정되지 않습니다. 글이 똑같은 것이 {exact}건(빈칸 제외), 색인에 있는 "
        "글과 거의 같은 것이 {near}건입니다(다섯 글자 조각의 60 % 이상이 같음. 한 쌍씩 정확히 견주었음). 한 번 "
        "받은 글의 복사본은 새로 배울 것이 없기 때문입니다.",
    ),
    "index.lost": (
        "Not counted because of it: {eojeol} words (eojeol), {chars} characters, {bytes}.",
        "이 때문에 빠지는 양: 어절 {eojeol}개, 글자 {chars}자, {bytes}.",
    ),
    "index.note": (
        "What the index holds, and whose it is, is not shown.",
        "색인에 무엇이 있고 누구의 글인지는 보여 주지 않습니다.",
    ),
    "index.exact": ("same text", "같은 글"),
    "index.near": ("near-duplicate", "거의 같은 글"),
    "index.how": ("how", "구분"),
    "index.first": ("The first {number} of {documents}:", "{documents}건 가운데 처음 {number}건:"),
    "line": ("line {line}", "{line}번째 줄"),
    "section.cut": ("Boilerplate cut", "잘라 낸 상투 문구"),
    "footer": (
        "Checked by hanjo {version} against the day {day}. Excerpts are masked, and over that e-mail addresses, long "
        "numbers, plates and names in by-lines are blotted out (•).",
        "hanjo {version}이 {day} 기준으로 검사했습니다. 보기 글은 개인정보를 가렸고, 전자우편 주소·긴 숫자·차량 "
        "번호·기자 이름 등은 한 번 더 "
        "지웠습니다(•).",
    ),
    "time": ("{size} read in {seconds} s.", "{size}를 {seconds}초 만에 읽었습니다."),
    "written": ("page: {path}", "문서: {path}"),
}


@dataclass(frozen=True, slots=True)
class Words:
    """The words of one language."""

    lang: str

    def __call__(self, key: str, **values: object) -> str:
        """The sentence of that key, its blanks filled."""
        return WORDS[key][LANGUAGES.index(self.lang)].format(**values)

    def choose(self, both: tuple[str, str]) -> str:
        """This language's of a pair (English, Korean)."""
        return both[LANGUAGES.index(self.lang)]


def asked_language(arguments: Sequence[str], environment: Mapping[str, str] = os.environ) -> str:
    """`ko` or `en`: as `--lang` among the arguments says, else as the locale does."""
    for index, one in enumerate(arguments):
        said = one.partition("=")[2] if one.startswith("--lang=") else ""
        if one == "--lang" and index + 1 < len(arguments):
            said = arguments[index + 1]
        if said in LANGUAGES:
            return said
    locale = next((environment[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if environment.get(name)), "")
    return "ko" if locale.lower().startswith("ko") else "en"
