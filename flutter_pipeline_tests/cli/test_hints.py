"""Commands in messages can be typed as they stand."""

from pathlib import Path

from flutter_pipeline.cli.hints import with_folder

TOLD = "f is damaged; `flutter-pipeline verify --repair` mends it, see `flutter-pipeline versions`"


def test_the_default_folder_is_not_named():
    assert with_folder(TOLD, Path("data").resolve()) == TOLD


def test_every_command_names_another_folder():
    assert with_folder(TOLD, Path("/my data")) == (
        "f is damaged; `flutter-pipeline --data '/my data' verify --repair` mends it, "
        "see `flutter-pipeline --data '/my data' versions`"
    )


def test_a_command_that_names_its_folder_already_stays():
    said = "run `flutter-pipeline --data /one run` first"
    assert with_folder(said, Path("/two")) == said
