from pathlib import Path

import pytest
from pydantic import BaseModel, Field

from flutter_pipeline.errors import ConfigError
from flutter_pipeline.settings import Settings, read_settings


class Owl(BaseModel, frozen=True, extra="forbid"):
    """A bird with a setting."""

    hoots: int = Field(default=3, gt=0)
    loud: bool = False


def settings_with(folder: Path, toml: str) -> Settings:
    (folder / "flutter.toml").write_text(toml, encoding="utf-8")
    return read_settings({"FLUTTER_DATA": str(folder)})


def refusal(folder: Path, toml: str) -> str:
    with pytest.raises(ConfigError) as refused:
        settings_with(folder, toml)
    told = str(refused.value)
    assert "\n" not in told and str(folder / "flutter.toml") in told
    return told


def test_without_a_file_everything_has_its_default(tmp_path: Path):
    settings = read_settings({"FLUTTER_DATA": str(tmp_path)})
    assert settings.data == tmp_path
    assert (settings.cadence, settings.cadence_hours) == ("daily", 24)
    assert settings.use_encoders == ("tfidf", "cbow", "bert")
    assert settings.mlflow_uri == f"sqlite:///{tmp_path / 'mlflow' / 'mlflow.db'}"
    assert settings.landing == tmp_path / "landing" and settings.mapping is None
    assert settings.config(Owl, "text") == Owl()


def test_the_folder_is_data_in_the_working_directory_unless_named(tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert read_settings({}).data == tmp_path / "data"
    assert read_settings({"FLUTTER_DATA": "other"}).data == tmp_path / "other"


def test_a_mapping_beside_the_landed_files_is_found(tmp_path: Path):
    (tmp_path / "landing").mkdir()
    (tmp_path / "landing" / "mapping.toml").touch()
    settings = read_settings({"FLUTTER_DATA": str(tmp_path)})
    assert settings.mapping == tmp_path / "landing" / "mapping.toml"


def test_the_tracking_server_and_the_pages_come_from_the_environment(tmp_path: Path):
    settings = read_settings(
        {
            "FLUTTER_DATA": str(tmp_path),
            "MLFLOW_TRACKING_URI": "http://tracking:5000",
            "FLUTTER_MLFLOW_UI": "http://here:5001",
            "FLUTTER_DAGSTER_UI": "http://here:3001",
        }
    )
    assert settings.mlflow_uri == "http://tracking:5000"
    assert (settings.mlflow_ui, settings.dagster_ui) == ("http://here:5001", "http://here:3001")


def test_sections_set_what_they_name_and_leave_the_rest(tmp_path: Path):
    settings = settings_with(tmp_path, "[text]\nhoots = 5\n[encoders.bert]\nloud = true\n")
    assert settings.config(Owl, "text") == Owl(hoots=5)
    assert settings.config(Owl, "encoders.bert") == Owl(loud=True)
    assert settings.config(Owl, "encoders.cbow") == Owl()


def test_an_hourly_cadence_is_one_hour(tmp_path: Path):
    settings = settings_with(tmp_path, 'cadence = "hourly"')
    assert (settings.cadence, settings.cadence_hours) == ("hourly", 1)


def test_encoders_are_used_in_the_order_named(tmp_path: Path):
    settings = settings_with(tmp_path, 'use_encoders = ["cbow", "tfidf"]')
    assert settings.use_encoders == ("cbow", "tfidf")


def test_another_cadence_names_those_there_are(tmp_path: Path):
    told = refusal(tmp_path, 'cadence = "weekly"')
    assert "'weekly'" in told and "'daily' or 'hourly'" in told


def test_an_unknown_section_names_those_there_are(tmp_path: Path):
    told = refusal(tmp_path, "[encodres.bert]\n")
    assert "no section 'encodres'" in told and "encoders" in told and "use_encoders" in told


@pytest.mark.parametrize("value", ["[]", '"tfidf"', "[1]", '["tfidf", "tfidf"]', '["word2vec"]'])
def test_encoders_that_cannot_be_used_name_those_there_are(tmp_path: Path, value: str):
    told = refusal(tmp_path, f"use_encoders = {value}")
    assert "use_encoders" in told and "tfidf" in told


def test_a_section_of_an_encoder_that_is_none_names_those_there_are(tmp_path: Path):
    told = refusal(tmp_path, "[encoders.bort]\ndim = 3\n")
    assert "[encoders.bort]" in told and "tfidf, cbow, bert" in told


@pytest.mark.parametrize(
    ("toml", "section"),
    [
        ("text = 3", "text"),
        ("encoders = 3", "encoders.bert"),
        ("[encoders]\nbert = 3", "encoders.bert"),
    ],
)
def test_a_value_where_a_section_belongs_is_refused(tmp_path: Path, toml: str, section: str):
    with pytest.raises(ConfigError, match=r"flutter\.toml: .* = 3 is not a section; write \["):
        settings_with(tmp_path, toml).config(Owl, section)


def test_a_file_that_is_no_toml_says_where_it_breaks(tmp_path: Path):
    told = refusal(tmp_path, "cadence = daily\n")
    assert "not valid TOML" in told and "line 1" in told and "correct or remove" in told


def test_a_file_that_is_no_text_is_refused(tmp_path: Path):
    (tmp_path / "flutter.toml").write_bytes(b"cadence = '\xff\xfe'")
    with pytest.raises(ConfigError, match="not valid TOML"):
        read_settings({"FLUTTER_DATA": str(tmp_path)})


@pytest.mark.parametrize(
    ("toml", "place"),
    [("hoots = 0", "text.hoots"), ("hoots = 'x'", "text.hoots"), ("hoot = 1", "text.hoot")],
)
def test_a_value_that_does_not_fit_names_its_place_and_what_is_known(
    tmp_path: Path, toml: str, place: str
):
    settings = settings_with(tmp_path, f"[text]\n{toml}\n")
    with pytest.raises(ConfigError) as refused:
        settings.config(Owl, "text")
    told = str(refused.value)
    assert f"[{place}]" in told and "known in [text]: hoots, loud" in told and "\n" not in told


def test_a_wrong_key_in_an_inner_section_names_what_is_known_there(tmp_path: Path):
    class Nest(BaseModel, extra="forbid"):
        owl: Owl = Owl()

    settings = settings_with(tmp_path, "[text.owl]\nhoot = 1\n")
    with pytest.raises(ConfigError, match=r"known in \[text.owl\]: hoots, loud"):
        settings.config(Nest, "text")


def test_a_data_folder_that_is_a_file_is_refused(tmp_path: Path):
    file = tmp_path / "data"
    file.touch()
    with pytest.raises(ConfigError, match=r"is a file.*name a folder"):
        read_settings({"FLUTTER_DATA": str(file)})


class Tree(BaseModel, frozen=True, extra="forbid"):
    """Where owls sit."""

    height: float | None = 3.0
    owl: Owl = Owl()


def test_null_is_written_as_a_word_since_toml_has_none(tmp_path: Path):
    settings = settings_with(tmp_path, '[text]\nheight = "null"\n')
    assert settings.config(Tree, "text").height is None
    assert "hoots" in refusal_of_tree(tmp_path, '[text.owl]\nhoots = "null"\n')


def refusal_of_tree(folder: Path, toml: str) -> str:
    with pytest.raises(ConfigError) as refused:
        settings_with(folder, toml).config(Tree, "text")
    return str(refused.value)


NEST = "postgresql://owl@host:5433/nest"


def test_one_address_of_postgresql_is_for_dagster_and_mlflow_and_one_folder(tmp_path: Path):
    folders = [tmp_path / "My data!", tmp_path / "my-data"]
    environments = [
        {"FLUTTER_DATA": str(folder), "FLUTTER_POSTGRES_URL": NEST} for folder in folders
    ]
    first, second = (read_settings(environment) for environment in environments)
    start = "postgresql+psycopg2://owl@host:5433/nest?connect_timeout=10&options=-csearch_path%3D"
    assert str(first.dagster_database).startswith(f"{start}dagster_my_data_")
    assert first.mlflow_uri.startswith(f"{start}mlflow_my_data_")
    assert first.mlflow_uri != second.mlflow_uri
    assert first.dagster_database != second.dagster_database
    assert read_settings(environments[0]) == first


def test_without_an_address_of_postgresql_dagster_has_no_database(tmp_path: Path):
    assert read_settings({"FLUTTER_DATA": str(tmp_path)}).dagster_database is None


def test_a_tracking_server_that_is_named_wins_over_postgresql(tmp_path: Path):
    environment = {"FLUTTER_DATA": str(tmp_path), "FLUTTER_POSTGRES_URL": NEST}
    named = read_settings({**environment, "MLFLOW_TRACKING_URI": "http://tracking:5000"})
    assert named.mlflow_uri == "http://tracking:5000"
    assert named.dagster_database is not None
    other = read_settings({**environment, "MLFLOW_TRACKING_URI": "postgresql://owl@there/eggs"})
    assert other.mlflow_uri == "postgresql+psycopg2://owl@there/eggs"


@pytest.mark.parametrize("name", ["FLUTTER_POSTGRES_URL", "MLFLOW_TRACKING_URI"])
def test_an_address_that_cannot_be_read_names_its_variable(tmp_path: Path, name: str):
    with pytest.raises(ConfigError, match=f"{name} .*%XX"):
        read_settings({"FLUTTER_DATA": str(tmp_path), name: "postgresql://owl:p/w@host/nest"})


def test_a_misspelt_name_in_a_part_that_may_be_off_is_told_with_those_of_that_part(tmp_path: Path):
    class Nest(BaseModel, frozen=True, extra="forbid"):
        owl: Owl | None = None

    settings = settings_with(tmp_path, "[text.owl]\nhoot = 4\n")
    said = r"\[text.owl.hoot\] is no setting; known in \[text.owl\]: hoots, loud$"
    with pytest.raises(ConfigError, match=said):
        settings.config(Nest, "text")
