"""Addresses of databases and servers, and how they are shown: without their passwords.

Nothing is connected to here; the environment is what is passed for it.
"""

from collections.abc import Mapping
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from flutter_pipeline.errors import ConfigError

POSTGRES = "FLUTTER_POSTGRES_URL"
MLFLOW = "MLFLOW_TRACKING_URI"
SECRETS = (
    "PGPASSWORD",
    "MLFLOW_TRACKING_PASSWORD",
    "MLFLOW_TRACKING_TOKEN",
    "FLUTTER_WEBHOOK",
)
"""Variables whose whole value is secret; the two addresses may hold a password besides."""

DRIVER = "postgresql+psycopg2"
"""Said outright: releases of SQLAlchemy differ in what plain ``postgresql`` stands for."""

SCHEMES = ("postgresql", "postgres", DRIVER)
PORTS = {"http": 80, "https": 443, "postgresql": 5432, "mysql": 3306, "mssql": 1433}

CONNECT_SECONDS = 10
"""For a machine that does not answer at all; PostgreSQL's own limit is minutes."""


def is_server(address: str) -> bool:
    """Whether ``address`` names a server that is spoken to by HTTP, rather than a database."""
    return address.startswith(("http://", "https://"))


def is_postgres(address: str) -> bool:
    """Whether ``address`` names a PostgreSQL database."""
    return address.partition("://")[0] in SCHEMES


def check_address(address: str, variable: str) -> None:
    """ConfigError, which does not repeat the address, unless it can be taken apart."""
    try:
        _ = urlsplit(address).port
    except ValueError:
        raise ConfigError(
            f"{variable} is no address that can be read; write a sign of its password that is "
            "neither letter nor digit as %XX (%2F for /), and correct the rest"
        ) from None


def check_postgres(address: str, variable: str) -> None:
    """ConfigError, which does not repeat the address, unless it names a PostgreSQL database."""
    check_address(address, variable)
    parts = urlsplit(address)
    database = parts.path.removeprefix("/")
    # What follows an unescaped sign of a password would be shown as if it were no secret.
    if not is_postgres(address) or not database or set(database) & set("/@:") or parts.fragment:
        raise ConfigError(
            f"{variable} does not name a PostgreSQL database; expected "
            "postgresql://NAME:PASSWORD@HOST:5432/DATABASE, with %XX for a sign of the password "
            "that is neither letter nor digit; unset it for SQLite"
        )


def without_password(address: str) -> str:
    """``address`` as it may be shown: without name and password, and without what was added here
    to what somebody wrote."""
    parts = urlsplit(address)
    netloc = parts.netloc.rpartition("@")[2]
    if schema_in(address):
        return f"postgresql://{netloc}{parts.path}"
    return address.replace(f"//{parts.netloc}", f"//{netloc}", 1) if parts.netloc else address


def taken_apart(address: str) -> tuple[str, str, str]:
    """Name and password of ``address``, and the address without its password.

    All are as they were where there is no password, or the address cannot be read.
    """
    try:
        parts = urlsplit(address)
    except ValueError:
        return "", "", address
    secret, at, host = parts.netloc.rpartition("@")
    name, colon, password = secret.partition(":")
    if not (at and colon and password):
        return unquote(name), "", address
    # PostgreSQL still has to be told the name; HTTP is told both elsewhere.
    kept = host if is_server(address) else f"{name}@{host}"
    shown = address.replace(f"//{parts.netloc}", f"//{kept}", 1)
    return unquote(name), unquote(password), shown


def with_driver(address: str) -> str:
    """A PostgreSQL address with the driver that is installed; any other one as it is."""
    return f"{DRIVER}://{address.partition('://')[2]}" if is_postgres(address) else address


def with_schema(address: str, schema: str) -> str:
    """A PostgreSQL address whose tables are those of ``schema``."""
    parts = urlsplit(address)
    query = {"connect_timeout": str(CONNECT_SECONDS), **dict(parse_qsl(parts.query))}
    options = f"{query.get('options', '')} -csearch_path={schema}".strip()
    written = urlencode({**query, "options": options}, quote_via=quote)
    return f"{DRIVER}://{parts.netloc}{parts.path}?{written}"


def schema_in(address: str) -> str | None:
    """The schema that :func:`with_schema` put into ``address``, or None."""
    options = dict(parse_qsl(urlsplit(address).query)).get("options", "")
    return options.rpartition("-csearch_path=")[2] or None if "-csearch_path=" in options else None


def host_and_port(address: str) -> tuple[str, int] | None:
    """Where ``address`` is answered, or None where that is no host and port."""
    parts = urlsplit(address)
    port = parts.port or PORTS.get(parts.scheme.split("+")[0])
    return (parts.hostname, port) if parts.hostname and port is not None else None


def hidden(text: str, secrets: tuple[str, ...]) -> str:
    """``text`` of somebody else's making, with ``***`` for every secret."""
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, "***")
    return text


def secrets_in(environment: Mapping[str, str]) -> tuple[str, ...]:
    """What is to be shown nowhere."""
    found = [environment.get(name, "") for name in SECRETS]
    for address in (environment.get(POSTGRES, ""), environment.get(MLFLOW, "")):
        name, password, _ = taken_apart(address)
        # A name alone is what a token is called where a server takes one in its address.
        found.append(password or (name if is_server(address) else ""))
    return tuple(secret for secret in found if secret)


def passwords_apart(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables to change so that no address holds a password.

    Links and messages are made of addresses; the libraries that need the password look for it in
    variables of their own.
    """
    changed: dict[str, str] = {}
    _, password, address = taken_apart(environment.get(POSTGRES, ""))
    if password and is_postgres(address):
        changed |= {POSTGRES: address, "PGPASSWORD": password}
    name, password, address = taken_apart(environment.get(MLFLOW, ""))
    if password and is_server(address):
        changed |= {
            MLFLOW: address,
            "MLFLOW_TRACKING_USERNAME": name,
            "MLFLOW_TRACKING_PASSWORD": password,
        }
    # PostgreSQL's client knows one password; a second database keeps its own in its address.
    known = {**environment, **changed}.get("PGPASSWORD", password)
    if password and is_postgres(address) and known == password:
        changed |= {MLFLOW: address, "PGPASSWORD": password}
    return changed
