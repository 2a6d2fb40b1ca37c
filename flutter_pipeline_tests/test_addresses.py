"""Addresses with passwords: taken apart, checked, and never shown whole."""

from urllib.parse import quote

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from flutter_pipeline.addresses import (
    check_address,
    check_postgres,
    hidden,
    host_and_port,
    passwords_apart,
    schema_in,
    secrets_in,
    taken_apart,
    with_driver,
    with_schema,
    without_password,
)
from flutter_pipeline.errors import ConfigError

PLAIN = "postgresql://owl:hoot@host:6543/nest"


def test_an_address_is_shown_without_name_and_password():
    assert without_password(PLAIN) == "postgresql://host:6543/nest"
    assert without_password("https://owl:hoot@host/x") == "https://host/x"
    assert without_password("sqlite:////owl@home/mlflow.db") == "sqlite:////owl@home/mlflow.db"


def test_an_address_with_a_schema_is_shown_as_it_was_written():
    address = with_schema(PLAIN, "dagster_nest")
    assert without_password(address) == "postgresql://host:6543/nest"


def test_a_schema_is_put_into_an_address_beside_what_is_asked_for_there():
    address = with_schema(f"{PLAIN}?sslmode=require&options=-cwork_mem%3D9MB", "mlflow_nest")
    assert address == (
        "postgresql+psycopg2://owl:hoot@host:6543/nest?connect_timeout=10&sslmode=require"
        "&options=-cwork_mem%3D9MB%20-csearch_path%3Dmlflow_nest"
    )
    assert schema_in(address) == "mlflow_nest"
    assert schema_in(PLAIN) is None


def test_a_socket_has_an_address_without_a_host():
    address = with_schema("postgresql:///nest?host=/run", "dagster_nest")
    assert address == (
        "postgresql+psycopg2:///nest?connect_timeout=10&host=%2Frun"
        "&options=-csearch_path%3Ddagster_nest"
    )
    assert host_and_port(address) is None


def test_the_driver_that_is_installed_is_named():
    assert with_driver("postgres://host/nest") == "postgresql+psycopg2://host/nest"
    assert with_driver("postgresql://host/nest") == "postgresql+psycopg2://host/nest"
    assert with_driver("http://host") == "http://host"


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("http://host", ("host", 80)),
        ("https://host/x", ("host", 443)),
        (PLAIN, ("host", 6543)),
        ("postgresql+psycopg2://host/nest", ("host", 5432)),
        ("sqlite:////nest.db", None),
    ],
)
def test_where_an_address_is_answered(address: str, place: tuple[str, int] | None):
    assert host_and_port(address) == place


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://owl:ho/ot@host/nest",
        "postgresql://owl:5/ot@host/nest",
        "postgresql://owl:5#ot@host/nest",
        "postgresql://owl:5?ot@host/nest",
        "postgresql://owl:ot@host",
        "postgresql://owl:ot@host/",
        "postgresql://owl:ot@[host/nest",
        "mysql://owl:ot@host/nest",
        "ot",
    ],
)
def test_what_names_no_database_is_refused_without_being_repeated(address: str):
    with pytest.raises(ConfigError, match="FLUTTER_POSTGRES_URL") as refused:
        check_postgres(address, "FLUTTER_POSTGRES_URL")
    told = str(refused.value)
    assert "%XX" in told and "ot@" not in told and "owl" not in told and "\n" not in told


@pytest.mark.parametrize("address", ["http://owl:p/w@host", "http://[host"])
def test_an_address_that_cannot_be_read_is_refused_without_being_repeated(address: str):
    with pytest.raises(ConfigError, match="MLFLOW_TRACKING_URI is no address") as refused:
        check_address(address, "MLFLOW_TRACKING_URI")
    assert "p/w" not in str(refused.value) and "host" not in str(refused.value)


@given(name=st.text(min_size=1, max_size=20), password=st.text(min_size=1, max_size=20))
def test_any_password_is_taken_out_whole(name: str, password: str):
    assume("\x00" not in name + password)
    written = f"postgresql://{quote(name, safe='')}:{quote(password, safe='')}@host/nest"
    check_postgres(written, "X")
    assert taken_apart(written) == (
        name,
        password,
        f"postgresql://{quote(name, safe='')}@host/nest",
    )


def test_a_password_of_postgresql_goes_where_its_client_looks():
    changed = passwords_apart({"FLUTTER_POSTGRES_URL": "postgresql://owl:ho%2Fot@host/nest"})
    assert changed == {
        "FLUTTER_POSTGRES_URL": "postgresql://owl@host/nest",
        "PGPASSWORD": "ho/ot",
    }


def test_the_credentials_of_a_tracking_server_go_where_mlflow_looks():
    assert passwords_apart({"MLFLOW_TRACKING_URI": "https://owl:hoot@host:5000/x"}) == {
        "MLFLOW_TRACKING_URI": "https://host:5000/x",
        "MLFLOW_TRACKING_USERNAME": "owl",
        "MLFLOW_TRACKING_PASSWORD": "hoot",
    }


def test_a_second_password_of_postgresql_stays_where_it_is():
    second = "postgresql://owl:other@there/nest"
    changed = passwords_apart({"FLUTTER_POSTGRES_URL": PLAIN, "MLFLOW_TRACKING_URI": second})
    assert changed["PGPASSWORD"] == "hoot" and "MLFLOW_TRACKING_URI" not in changed
    same = passwords_apart({"FLUTTER_POSTGRES_URL": PLAIN, "MLFLOW_TRACKING_URI": PLAIN})
    assert same["MLFLOW_TRACKING_URI"] == "postgresql://owl@host:6543/nest"


def test_taking_passwords_apart_twice_changes_nothing_more():
    once = passwords_apart({"FLUTTER_POSTGRES_URL": PLAIN})
    assert passwords_apart(once) == {}
    assert passwords_apart({"MLFLOW_TRACKING_URI": "sqlite:///x", "PGPASSWORD": "hoot"}) == {}


def test_every_secret_is_found_and_hidden():
    environment = {
        "FLUTTER_POSTGRES_URL": "postgresql://owl:one@host/nest",
        "MLFLOW_TRACKING_URI": "http://owl:one-two@host",
        "MLFLOW_TRACKING_TOKEN": "three",
        "PGPASSWORD": "",
    }
    secrets = secrets_in(environment)
    assert set(secrets) == {"one", "one-two", "three"}
    assert secrets_in({"MLFLOW_TRACKING_URI": "https://four@host"}) == ("four",)
    assert hidden("http://owl:one-two@host said three to one", secrets) == (
        "http://owl:***@host said *** to ***"
    )
