"""The generated parts of the documentation are what the code says today."""

from bot import docs


def test_the_readme_shows_the_commands_and_settings_of_the_code() -> None:
    readme = (docs.ROOT / "README.md").read_text(encoding="utf-8")
    assert docs.fresh(readme) == readme, "run `make docs`"
    assert "| `/buy` ⚠ |" in readme
    assert "| `PAPER_BALANCE` | `10000` |" in readme


def test_the_example_of_the_environment_is_fresh() -> None:
    assert (docs.ROOT / ".env.example").read_text(encoding="utf-8") == docs.env_example(), "run `make docs`"


def test_every_decision_is_listed() -> None:
    folder = docs.ROOT / "docs" / "decisions"
    index = (folder / "README.md").read_text(encoding="utf-8")
    for path in folder.glob("0*.md"):
        assert f"({path.name})" in index
