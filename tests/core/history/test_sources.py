"""What a path stands for: files, folders, Kraken's bundle; and what is skipped instead of swallowed."""

import gzip
import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from core.history import sources
from core.history.rows import HistoryError
from core.history.sources import Found, Wanted, find_sources, rows_of

START = 1_719_792_000
TEXT = f"{START},1,2,1,2,3,4\n{START + 300},2,2,1,1,3,4\n"


def bundle(folder: Path, members: Mapping[str, str | bytes], name: str = "Kraken_OHLCVT.zip") -> Path:
    path = folder / name
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, text in members.items():
            archive.writestr(member, text)
    return path


def read(*paths: Path, wanted: Wanted | None = None) -> tuple[dict[str, list[int]], Found]:
    """The open times of each file, by its name."""
    with find_sources(paths, wanted or Wanted()) as found:
        held = {}
        for source in found.sources:
            with rows_of(source) as (rows, _):
                held[source.name] = [row.at - START for row in rows]
        return held, found


def refusal(path: Path) -> str:
    with pytest.raises(HistoryError) as error:
        read(path)
    return str(error.value)


def test_a_file_is_read_plain_and_gzipped(tmp_path: Path) -> None:
    (tmp_path / "ETHUSD_5.csv").write_text(TEXT)
    (tmp_path / "SOLUSD_5.csv.gz").write_bytes(gzip.compress(TEXT.encode()))
    held, _ = read(tmp_path / "ETHUSD_5.csv", tmp_path / "SOLUSD_5.csv.gz")
    assert held == {"ETHUSD_5.csv": [0, 300], "SOLUSD_5.csv.gz": [0, 300]}


def test_a_folder_stands_for_every_file_below_it(tmp_path: Path) -> None:
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "deep" / "er" / "ETHUSD_5.csv").write_text(TEXT)
    (tmp_path / "deep" / "notes.txt").write_text("mine")
    (tmp_path / ".DS_Store").write_text("his")
    bundle(tmp_path, {"SOLUSD_60.csv": f"{START},1,1,1,1,1,1\n"})
    held, found = read(tmp_path)
    assert held == {"Kraken_OHLCVT.zip: SOLUSD_60.csv": [0], "ETHUSD_5.csv": [0, 300]}
    assert found.skipped == [("notes.txt", "no .csv or .csv.gz")]


def test_members_of_a_bundle_are_read_by_their_names_and_others_are_skipped_and_told(tmp_path: Path) -> None:
    path = bundle(
        tmp_path,
        {
            "OHLCVT/ETHUSD_5.csv": TEXT, "OHLCVT/": "", "OHLCVT/readme.txt": "hello", "JITOSOLSOL_5.csv": TEXT,
            "ETHUSD.csv": TEXT, "__MACOSX/._ETHUSD_5.csv": "\0\5\x16\7",
        },
    )  # fmt: skip
    held, found = read(path)
    assert held == {"Kraken_OHLCVT.zip: OHLCVT/ETHUSD_5.csv": [0, 300]}
    assert dict(found.skipped) == {
        "Kraken_OHLCVT.zip: OHLCVT/readme.txt": "no .csv or .csv.gz",
        "Kraken_OHLCVT.zip: JITOSOLSOL_5.csv": "its pair is not known",
        "Kraken_OHLCVT.zip: ETHUSD.csv": "no interval in its name",
        "Kraken_OHLCVT.zip: __MACOSX/._ETHUSD_5.csv": "a hidden file",
    }


def test_a_pair_that_only_the_list_can_tell_is_told_by_it(tmp_path: Path) -> None:
    with find_sources([bundle(tmp_path, {"JITOSOLSOL_5.csv": TEXT})], Wanted(known={"JITOSOL/SOL"})) as found:
        assert [source.symbol for source in found.sources] == ["JITOSOL/SOL"]


def test_only_what_is_wanted_is_taken_and_the_rest_is_counted(tmp_path: Path) -> None:
    path = bundle(tmp_path, {f"{pair}_{n}.csv": TEXT for pair in ("ETHUSD", "SOLUSD", "XBTUSD") for n in (1, 5)})
    with find_sources([path], Wanted({"ETH/USD", "BTC/USD"}, {300})) as found:
        assert [(one.symbol, one.interval_s) for one in found.sources] == [("ETH/USD", 300), ("BTC/USD", 300)]
        assert (found.unwanted, found.skipped) == (4, [])


def test_a_member_can_be_read_again_from_its_beginning(tmp_path: Path) -> None:
    with find_sources([bundle(tmp_path, {"ETHUSD_5.csv": TEXT})], Wanted()) as found:
        (source,) = found.sources
        for _ in range(2):
            with rows_of(source) as (rows, position):
                assert len(list(rows)) == 2
                assert position() == source.size_bytes == len(TEXT)


def test_a_member_that_is_packed_absurdly_is_not_even_opened(tmp_path: Path) -> None:
    held, found = read(bundle(tmp_path, {"ETHUSD_5.csv": b"1" * 5_000_000, "SOLUSD_5.csv": TEXT}))
    assert list(held) == ["Kraken_OHLCVT.zip: SOLUSD_5.csv"]
    assert found.skipped == [("Kraken_OHLCVT.zip: ETHUSD_5.csv", "it is packed more than 100 to 1, as no candles are")]


def test_a_member_larger_than_any_is_not_even_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "MEMBER_BYTES_MAX", 40)
    _, found = read(bundle(tmp_path, {"ETHUSD_5.csv": TEXT}))
    assert "more than any file of candles" in found.skipped[0][1]


def test_a_member_that_lies_about_its_size_is_not_read_beyond_it(tmp_path: Path) -> None:
    path = bundle(tmp_path, {"ETHUSD_5.csv": b"1" * 50_000_000})
    data = bytearray(path.read_bytes())
    directory = data.index(b"PK\x01\x02")
    struct.pack_into("<I", data, directory + 24, 200)
    path.write_bytes(data)
    assert "Kraken_OHLCVT.zip: ETHUSD_5.csv" in refusal(path)


def test_long_real_looking_candles_are_far_from_what_counts_as_absurd(tmp_path: Path) -> None:
    flat = "".join(f"{START + 60 * n},0.5,0.5,0.5,0.5,100.00000000,1\n" for n in range(100_000))
    _, found = read(bundle(tmp_path, {"ADAUSD_1.csv": flat}))
    assert found.skipped == []


def test_an_encrypted_member_is_skipped_and_told(tmp_path: Path) -> None:
    path = bundle(tmp_path, {"ETHUSD_5.csv": TEXT})
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)
    assert read(path)[1].skipped == [("Kraken_OHLCVT.zip: ETHUSD_5.csv", "it is encrypted")]


def test_a_member_packed_in_an_unknown_way_is_skipped_and_told(tmp_path: Path) -> None:
    path = tmp_path / "b.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("ETHUSD_5.csv", TEXT)
    assert "packed in a way" in read(path)[1].skipped[0][1]


def test_the_second_of_two_members_of_one_name_is_skipped(tmp_path: Path) -> None:
    path = tmp_path / "b.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("ETHUSD_5.csv", TEXT)
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("ETHUSD_5.csv", TEXT)
    assert read(path)[1].skipped == [("b.zip: ETHUSD_5.csv", "a second file of this name")]


@pytest.mark.parametrize("where", [0.02, 0.5])
def test_a_damaged_bundle_is_named(tmp_path: Path, where: float) -> None:
    lines = "".join(f"{START + 300 * n},1,2,1,2,{n}.4575{n * 7 % 1000},24\n" for n in range(5000))
    path = bundle(tmp_path, {"ETHUSD_5.csv": lines})
    data = bytearray(path.read_bytes())
    place = max(80, int(len(data) * where))
    data[place : place + 40] = b"\xff" * 40
    path.write_bytes(data)
    assert "ETHUSD_5.csv" in refusal(path)


@pytest.mark.parametrize("name", ["b.zip", "ETHUSD_5.csv", "ETHUSD_5.csv.gz"])
def test_a_file_that_is_not_what_it_is_called_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(bytes(range(256)) * 2000)
    assert name in refusal(tmp_path / name)


def test_a_line_that_never_ends_is_not_held(tmp_path: Path) -> None:
    (tmp_path / "ETHUSD_5.csv").write_text("9" * 5_000_000)
    assert refusal(tmp_path / "ETHUSD_5.csv") == (
        "ETHUSD_5.csv has a line of more than 512 letters; it is no file of rows"
    )


def test_a_truncated_gz_is_named(tmp_path: Path) -> None:
    whole = gzip.compress(TEXT.encode() * 1)
    (tmp_path / "ETHUSD_5.csv.gz").write_bytes(whole[:-12])
    assert refusal(tmp_path / "ETHUSD_5.csv.gz").startswith("cannot read ETHUSD_5.csv.gz: ")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("ETHUSD.csv", "cannot tell the interval of ETHUSD.csv; name it like ETHUSD_5.csv"),
        ("candles_5.csv", "cannot tell the symbol of candles_5.csv"),
        ("ETHUSD_5.parquet", "ETHUSD_5.parquet is no .csv, .csv.gz, .zip or folder"),
    ],
)
def test_a_file_that_was_named_must_be_one_of_candles(tmp_path: Path, name: str, words: str) -> None:
    (tmp_path / name).write_text(TEXT)
    assert words in refusal(tmp_path / name)


def test_a_path_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert refusal(tmp_path / "nowhere") == f"there is no file or folder {tmp_path / 'nowhere'}"
