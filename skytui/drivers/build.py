"""The drivers of a pair, as its configuration and profile ask for."""

from skytui.clock import Clock
from skytui.config.pairs import PairConfig
from skytui.config.profile import Profile
from skytui.config.profile_file import load_profile
from skytui.config.secrets import SecretStore
from skytui.config.tables import nearest
from skytui.drivers.driver import Driver
from skytui.drivers.profiled import ProfiledDriver
from skytui.errors import ConfigError
from skytui.remote.credentials import Credentials
from skytui.remote.network import Network


def open_drivers(
    config: PairConfig,
    clock: Clock,
    secrets: SecretStore,
    profile: Profile | None = None,
    credentials: Credentials | None = None,
) -> dict[str, Driver]:
    """The same as `open_profiled`, as what every driver offers."""
    return dict(open_profiled(config, clock, secrets, profile, credentials))


def open_profiled(
    config: PairConfig,
    clock: Clock,
    secrets: SecretStore,
    profile: Profile | None = None,
    credentials: Credentials | None = None,
) -> dict[str, ProfiledDriver]:
    """One driver for each server of a pair, by the profile it names where none is given.

    `credentials` are what its hosts are logged in to with.

    Nothing is connected yet. Raises ConfigError when the profile is faulty, or asks for a secret that the
    pair does not have.
    """
    profile = profile or load_profile(config.profile, config.file)
    for name in sorted(profile.secret_names() - set(config.secrets)):
        hint = nearest(name, config.secrets) or f'write `secrets = {{ {name} = {{ prompt = "…" }} }}`'
        raise ConfigError(
            f"{config.file}: the profile {profile.name} needs the secret `{name}`, "
            f"and [pair.{config.name}] has none of that name; {hint}"
        )
    for name, spec in profile.readings.items():
        for server in sorted(set(spec.server) - set(config.servers)):
            hint = nearest(server, config.servers)
            raise ConfigError(
                f"{profile.file}: [reading.{name}.server] {server}: is no server of [pair.{config.name}];"
                f" {hint}"
            )
    network = Network(clock, credentials)
    drivers = {
        server: ProfiledDriver(config, server, profile, clock, secrets, network=network)
        for server in config.servers
    }
    for server, driver in drivers.items():
        driver.reader.beside(drivers[config.peer(server).name].reader)
    return drivers
