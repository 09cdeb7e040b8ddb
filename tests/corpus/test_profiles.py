"""Profiles: found by listing the folder, strict with the line named, over the default and below the recipe."""

from __future__ import annotations

from pathlib import Path

import pytest

from corpus import profiles, registers
from corpus.errors import RecipeError, UsageError
from corpus.profiles import read_profile
from corpus.rules import KNOWN, RULES, DecideSettings, settings_for, shipped_limits, with_profile_files


def written(folder: Path, text: str) -> Path:
    path = folder / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_folder_holds_the_default_and_every_register() -> None:
    assert {"default", *registers.NAMES} <= set(profiles.names())
    assert set(read_profile(profiles.FOLDER / "default.yaml", KNOWN)) == {rule.limit for rule in RULES}


@pytest.mark.parametrize("name", [name for name in profiles.names() if name != "default"])
def test_a_profile_says_only_what_differs_from_the_default(name: str) -> None:
    default = shipped_limits()["default"]
    limits = read_profile(profiles.FOLDER / f"{name}.yaml", KNOWN)
    assert all(default[limit] != value for limit, value in limits.items())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "about: mine\nlimits:\n  max_digit: 0.5\n",
            r"mine\.yaml, line 3: there is no limit 'max_digit'.*\n.*'max_digits'",
        ),
        ("limits:\n  max_digits: 1.5\n", r"line 2: max_digits: 1\.5 is more than 1"),
        ("limits:\n  max_digits: -1\n", r"line 2: max_digits: -1 is less than 0"),
        ("limits:\n  max_digits: lots\n", r"line 2: max_digits: 'lots' is no number"),
        ("limits:\n  max_digits: true\n", r"line 2: max_digits: True is no number"),
        ("limits:\n  max_digits: .nan\n", r"line 2: max_digits: nan is no number"),
        ("max_digits: 0.5\n", r"line 1: unknown key 'max_digits' in a profile"),
        ("about: mine\n", r"mine\.yaml: no `limits`"),
        ("limits: 3\n", r"line 1: the limits are no mapping"),
        ("limits:\n  max_digits: 0.5\n  max_digits: 0.6\n", r"line 3: the key 'max_digits' stands twice"),
        ("about: [a]\nlimits: {}\n", r"line 1: `about` is no text"),
    ],
)
def test_a_wrong_profile_is_refused_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(RecipeError, match=f"(?s){said}"):
        read_profile(written(tmp_path, text), KNOWN)


def test_a_length_may_be_without_end_but_a_share_may_not(tmp_path: Path) -> None:
    assert read_profile(written(tmp_path, "limits: {max_eojeol_length: .inf}"), KNOWN) == {
        "max_eojeol_length": float("inf")
    }
    with pytest.raises(RecipeError, match="more than 1"):
        read_profile(written(tmp_path, "limits: {max_digits: .inf}"), KNOWN)


def test_a_profile_file_is_read_into_the_settings_once(tmp_path: Path) -> None:
    written(tmp_path, "about: mine\nlimits:\n  max_digits: 0.7\n")
    values = with_profile_files({"profile": "mine.yaml", "profiles": {"s": "chat"}}, tmp_path)
    assert values["own_profiles"] == {"mine.yaml": {"max_digits": 0.7}}
    (tmp_path / "mine.yaml").unlink()
    assert with_profile_files(values, tmp_path) == values, "what was read in is not asked for again"
    assert DecideSettings(**values).limits()["mine.yaml"]["max_digits"] == 0.7


def test_one_profile_for_all_by_name_or_file(tmp_path: Path) -> None:
    written(tmp_path, "limits: {min_chars: 2}")
    assert settings_for("mine.yaml", tmp_path).limits()["mine.yaml"]["min_chars"] == 2
    assert settings_for("chat", tmp_path).profile == "chat"
    with pytest.raises(UsageError, match="did you mean 'chat'"):
        settings_for("chatt", tmp_path)
    with pytest.raises(RecipeError, match="no such file"):
        settings_for("other.yaml", tmp_path)
