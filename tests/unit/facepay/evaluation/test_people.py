"""Data sets, fairness and attack rates: what people supply, and what is said about it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from facepay.errors import InputUnusable
from facepay.evaluation.attacks import Evidence, Trial, TrialStatus, attack_rates, fates, not_compared
from facepay.evaluation.datasets import (
    Photo,
    left_aside,
    load_folders,
    load_pairs,
    printable,
    suspected_label_errors,
)
from facepay.evaluation.fairness import fairness_table, load_groups, who_stands_outside
from facepay.evaluation.samples import left_aside as samples_left_aside
from facepay.evaluation.samples import load_references, load_samples, readable_samples

People = Callable[[int, int, float], tuple[np.ndarray, list[int]]]


def write(root: Path, *names: str) -> Path:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    return root


def test_folders_are_identities_in_a_fixed_order(tmp_path: Path) -> None:
    photos = load_folders(write(tmp_path, "b/1.jpg", "a/2.png", "a/1.JPG", "a/notes.txt"))
    assert [(photo.identity, photo.path.name) for photo in photos] == [
        ("a", "1.JPG"),
        ("a", "2.png"),
        ("b", "1.jpg"),
    ]


@pytest.mark.parametrize(
    ("names", "says"),
    [
        ((), "holds no images"),
        (("a/1.jpg", "a/2.jpg"), "1 person"),
        (("a/1.jpg", "b/1.jpg"), "one image of each"),
    ],
)
def test_a_data_set_that_cannot_be_measured_is_refused(
    tmp_path: Path, names: tuple[str, ...], says: str
) -> None:
    with pytest.raises(InputUnusable, match=says):
        load_folders(write(tmp_path, *names))


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputUnusable, match="give a folder"):
        load_folders(tmp_path / "nowhere")


def test_pairs_join_photos_of_one_person(tmp_path: Path) -> None:
    table = write(tmp_path, "1.jpg", "2.jpg", "3.jpg", "4.jpg") / "pairs.csv"
    table.write_text("path_a;path_b;same\n1.jpg; 2.jpg;1\n2.jpg;3.jpg;1\n3.jpg;4.jpg;0\n")
    photos = load_pairs(table)
    assert len({photo.identity for photo in photos if photo.path.name != "4.jpg"}) == 1
    assert len({photo.identity for photo in photos}) == 2


def test_a_photo_written_in_two_ways_is_one_photo(tmp_path: Path) -> None:
    table = write(tmp_path, "a/1.jpg", "a/2.jpg", "3.jpg") / "pairs.csv"
    table.write_text("path_a,path_b,same\na/1.jpg,./a/2.jpg,1\na/../a/1.jpg,3.jpg,0\n")
    photos = load_pairs(table)
    assert [photo.path.name for photo in photos] == ["3.jpg", "1.jpg", "2.jpg"]
    assert {photo.identity for photo in photos} == {"3.jpg", "a/1.jpg"}


def test_pairs_without_a_row_are_named(tmp_path: Path) -> None:
    table = tmp_path / "pairs.csv"
    table.write_text("path_a,path_b,same\n")
    with pytest.raises(InputUnusable, match=r"pairs\.csv names no photos"):
        load_pairs(table)


def test_contradicting_pairs_are_refused(tmp_path: Path) -> None:
    table = write(tmp_path, "1.jpg", "2.jpg") / "pairs.csv"
    table.write_text("path_a,path_b,same\n1.jpg,2.jpg,1\n2.jpg,1.jpg,0\n")
    with pytest.raises(InputUnusable, match=r"pairs.csv:3: .*different people"):
        load_pairs(table)


@pytest.mark.parametrize(
    ("row", "says"),
    [("1.jpg,9.jpg,1", "no photo .*9.jpg"), ("1.jpg", "under path_b and same"), ("1.jpg,1.jpg,2", "0 or 1")],
)
def test_a_broken_row_of_pairs_is_named(tmp_path: Path, row: str, says: str) -> None:
    table = write(tmp_path, "1.jpg") / "pairs.csv"
    table.write_text(f"path_a,path_b,same\n{row}\n")
    with pytest.raises(InputUnusable, match=f"pairs.csv:2: .*{says}"):
        load_pairs(table)


def test_what_is_not_measured_is_found_and_named(tmp_path: Path) -> None:
    root = write(
        tmp_path, "a/1.jpg", "a/2.jpg", "b/1.heic", "b/deep/1.jpg", "loose.jpg", "b/2.png", "a/.hidden"
    )
    (root / "a" / "gone.jpg").symlink_to("nowhere")
    (root / "b" / "folder.jpg").mkdir()
    assert [photo.name for photo in load_folders(root)] == ["1.jpg", "2.jpg", "gone.jpg", "2.png"]
    aside = {path.relative_to(root).as_posix() for path in left_aside(root)}
    assert aside == {"loose.jpg", "b/1.heic", "b/deep", "b/folder.jpg"}


def test_a_name_in_another_encoding_can_be_written() -> None:
    assert printable(b"caf\xe9".decode("utf-8", "surrogateescape")) == r"caf\xe9"
    assert printable("caf\N{LATIN SMALL LETTER E WITH ACUTE}").encode() == b"caf\xc3\xa9"


def test_people_outside_the_groups_are_named() -> None:
    ungrouped, absent = who_stands_outside(["p1", "p2"], {"p2": "x", "p3": "y"})
    assert "(p1)" in ungrouped
    assert "(p3)" in absent
    assert who_stands_outside(["p1"], {"p1": "x"}) == ()


def test_one_person_in_a_group_gives_no_certainty(people: People) -> None:
    features, identity = people(40, 3, 0.8)
    names = [f"p{number}" for number in range(40)]
    table = fairness_table(features, identity, names, {"p0": "one", "p1": "two"}, threshold=0.99)
    (one, _) = table.groups
    assert one.fnmr.value == 1
    assert one.fnmr.low < 0.3
    assert "can show no rate below 95.0 %" in table.statement
    assert "about 3,000 people" in table.statement


def test_one_person_under_two_names_is_reported(people: People) -> None:
    features, identity = people(4, 3, 0.2)
    photos = [Photo(Path(f"{row}.jpg"), f"person-{number}") for row, number in enumerate(identity)]
    photos[0] = Photo(Path("0.jpg"), "person-3")
    found = suspected_label_errors(photos, features, same_above=0.6, different_below=0.3)
    assert {suspicion.says for suspicion in found} == {
        "one person under two names?",
        "two people under one name?",
    }
    assert all("0.jpg" in (s.first.path.name, s.second.path.name) for s in found)


def test_groups_come_from_the_operator_and_small_ones_are_flagged(people: People, tmp_path: Path) -> None:
    features, identity = people(40, 3, 0.8)
    names = [f"p{number}" for number in range(40)]
    table = tmp_path / "groups.csv"
    table.write_text("identity,group\n" + "".join(f"p{n},{'x' if n < 35 else 'y'}\n" for n in range(40)))
    result = fairness_table(features, identity, names, load_groups(table), threshold=0.3)
    assert [(row.group, row.people) for row in result.groups] == [("x", 35), ("y", 5)]
    assert result.groups[0].fnmr.trials == 70
    assert result.groups[0].fpir.trials == 105
    assert "Fewer than 30 people in y" in result.statement


def test_a_group_of_single_photos_has_no_false_non_match_rate(people: People) -> None:
    features, identity = people(80, 2, 0.8)
    single = [row for row, number in enumerate(identity) if number < 40 or row % 2]
    names = [f"p{number}" for number in range(80)]
    groups = {name: "x" if number < 40 else "y" for number, name in enumerate(names)}
    numbers = [identity[row] for row in single]
    statement = fairness_table(features[single], numbers, names, groups, threshold=0.3).statement
    assert "Nobody in y has two usable photos" in statement


@pytest.mark.parametrize(("size", "said"), [(4, True), (20, False)])
def test_of_many_groups_two_may_lie_apart_by_chance(people: People, size: int, said: bool) -> None:
    features, identity = people(100, 3, 0.8)
    features[: 3 * 16 : 3] *= -1  # the first sixteen are never found
    names = [f"p{number}" for number in range(100)]
    groups = {name: f"g{max(0, number - 16) // size:02d}" for number, name in enumerate(names)}
    statement = fairness_table(features, identity, names, groups, threshold=0.2).statement
    assert "the groups differ" in statement
    assert ("by chance" in statement) == said


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a,b\n", "columns identity and group"),
        ("identity,group\np,\n", "nothing stands under group"),
        ("identity,group\np,x\np,y\n", "already"),
    ],
)
def test_a_broken_group_file_is_named(tmp_path: Path, text: str, says: str) -> None:
    table = tmp_path / "groups.csv"
    table.write_text(text)
    with pytest.raises(InputUnusable, match=says):
        load_groups(table)


def test_the_worst_species_counts_and_non_response_is_apart() -> None:
    trials = [
        *(Trial(f"s{n}", None, TrialStatus.ACCEPTED, 1, matched=True) for n in range(8)),
        Trial("s8", None, TrialStatus.REFUSED, 1),
        Trial("s9", None, TrialStatus.NON_RESPONSE, 1),
        *(Trial("s1", "print", TrialStatus.REFUSED, 1) for _ in range(4)),
        *(Trial("s1", "replay", TrialStatus.ACCEPTED, 1, matched=True) for _ in range(2)),
        *(Trial("s1", "replay", TrialStatus.NON_RESPONSE, 1) for _ in range(2)),
    ]
    (rates,) = attack_rates(trials)
    assert rates.worst is not None
    assert rates.worst[0] == "replay"
    assert rates.worst[1].value == 0.5
    assert rates.apcer["print"].value == 0
    assert rates.bpcer.value == 0.1
    assert rates.bona_fide_non_response.value == 0.1
    assert rates.riapar is not None
    assert rates.riapar.species == "replay"
    assert rates.riapar.value == pytest.approx(0.5 + 0.2)
    assert 0.2 < rates.riapar.low < 0.7 < rates.riapar.high < 1.3
    assert fates(rates) == {"bona fide": (8, 1, 1), "print": (0, 4, 0), "replay": (2, 0, 2)}


def test_real_and_simulated_trials_never_share_a_table() -> None:
    trials = [
        Trial("s", "print", TrialStatus.REFUSED, 1, evidence=evidence)
        for evidence in (Evidence.REAL, Evidence.SIMULATED)
    ]
    assert len(attack_rates(trials)) == 2


def test_references_are_no_trials_and_may_be_left_out(tmp_path: Path) -> None:
    root = write(tmp_path, "bona_fide/ann_1.mp4", "attacks/print/ann_1.jpg", "references/ann_badge.jpg")
    assert [sample.species for sample in load_samples(root)] == [None, "print"]
    assert [subject for _, subject in load_references(root)] == ["ann"]
    assert load_references(root / "attacks") == ()


def test_samples_that_cannot_be_read_are_no_trials(tmp_path: Path) -> None:
    root = write(tmp_path, "bona_fide/ann.png", "attacks/print/ann.png", "attacks/print/eve.mp4")
    write(root, "attacks/notes.txt", "bona_fide/ann.gif", "attacks/print/.hidden")
    for folder in ("bona_fide", "attacks/print"):
        assert cv2.imwrite(str(root / folder / "ann.png"), np.full((60, 80, 3), 90, np.uint8))
    shown, damaged = readable_samples(load_samples(root))
    assert [sample.path.name for sample in shown] == ["ann.png", "ann.png"]
    assert [path.name for path in damaged] == ["eve.mp4"]
    assert [path.name for path in samples_left_aside(root)] == ["notes.txt", "ann.gif"]
    (root / "attacks" / "print" / "ann.png").write_bytes(b"")
    with pytest.raises(InputUnusable, match="no attack can be read"):
        readable_samples(load_samples(root))


def test_riapar_needs_to_know_who_matched() -> None:
    trials = [Trial("s", None, TrialStatus.ACCEPTED, 1), Trial("s", "print", TrialStatus.REFUSED, 1)]
    assert attack_rates(trials)[0].riapar is None
    assert not_compared(trials) == ["s"]
    assert not_compared([Trial("t", None, TrialStatus.ACCEPTED, 1, matched=False)]) == []
