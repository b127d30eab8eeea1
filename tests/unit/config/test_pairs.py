from datetime import timedelta
from pathlib import Path

import pytest

from skytui import paths
from skytui.config.hooks import Hooks
from skytui.config.pairs import load_pair, pair_names
from skytui.config.tables import Fault, FaultyFileError
from skytui.errors import ConfigError
from skytui.pair.procedure import PHASES, STEP_IDS
from skytui.pair.thresholds import Thresholds
from skytui.runbook.steps import STEPS

PAIR = """\
schema = 1
[pair.NAME]
profile = "skybot"
secrets = { admin = { prompt = "admin password" } }
[pair.NAME.server.sky-a]
address = "10.0.0.1"
listen_port = 7508
url = "https://10.0.0.1:7508"
ssh = { host = "10.0.0.1", user = "sky", known_hosts = "~/.ssh/known_hosts" }
home = "/opt/skybot"
ports = [7508, 5432]
[pair.NAME.server.sky-b]
address = "10.0.0.2"
listen_port = 7508
[pair.NAME.thresholds]
zero_seconds = 30
"""


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.delenv("SKYTUI_CONFIG", raising=False)
    monkeypatch.setattr("skytui.config.pairs.SYSTEM_FILE", tmp_path / "etc.toml")
    (tmp_path / "config" / "skytui").mkdir(parents=True)
    return tmp_path


def own(text: str) -> None:
    (paths.config_dir() / "config.toml").write_text(text)


def faults(text: str, name: str = "prod") -> list[str]:
    own(text)
    with pytest.raises(ConfigError) as error:
        load_pair(name)
    return [line.split("config.toml", 1)[-1] for line in str(error.value).splitlines()]


def test_a_pair() -> None:
    own(PAIR.replace("NAME", "prod"))
    pair = load_pair("prod")
    assert (pair.name, pair.profile, pair.practice) == ("prod", "skybot", False)
    assert list(pair.servers) == ["sky-a", "sky-b"]
    a = pair.servers["sky-a"]
    assert a.ports == [7508, 5432]
    assert a.ssh is not None
    assert (a.ssh.port, a.ssh.key, a.ssh.sudo) == (None, None, False)
    assert a.ssh.known_hosts == Path("~/.ssh/known_hosts").expanduser()
    assert pair.peer("sky-a").name == "sky-b"
    assert pair.thresholds == Thresholds(zero_seconds=30)
    assert pair.secrets["admin"].prompt == "admin password"


def test_the_order_files_are_searched_in(folders: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folders / "etc.toml").write_text(PAIR.replace("NAME", "prod").replace("30", "1"))
    own(PAIR.replace("NAME", "prod").replace("30", "2"))
    assert load_pair("prod").thresholds.zero_seconds == 2
    (folders / "named.toml").write_text(PAIR.replace("NAME", "prod").replace("30", "3"))
    monkeypatch.setenv("SKYTUI_CONFIG", str(folders / "named.toml"))
    assert load_pair("prod").thresholds.zero_seconds == 3
    monkeypatch.setenv("SKYTUI_CONFIG", str(folders / "none.toml"))
    with pytest.raises(ConfigError, match="which is not a file"):
        load_pair("prod")


def test_all_names(folders: Path) -> None:
    own(PAIR.replace("NAME", "prod"))
    (folders / "etc.toml").write_text(PAIR.replace("NAME", "test"))
    paths.lab_dir().mkdir(parents=True)
    (paths.lab_dir() / "pair.toml").write_text(PAIR.replace("NAME", "practice"))
    assert pair_names() == ["prod", "test", "practice"]
    assert load_pair("practice").name == "practice"


def test_an_unknown_name_gets_the_nearest_known_one() -> None:
    own(PAIR.replace("NAME", "production"))
    with pytest.raises(ConfigError, match="There is no pair `prodution`; did you mean `production`"):
        load_pair("prodution")


def test_no_configuration_at_all() -> None:
    with pytest.raises(ConfigError, match=r"write .*config\.toml first\.$"):
        load_pair("prod")
    with pytest.raises(ConfigError, match="skytui lab up"):
        load_pair("practice")


def test_what_ssh_is_told() -> None:
    text = PAIR.replace("NAME", "prod").replace(
        'user = "sky"', 'user = "sky", config = false, sudo = "skybot"'
    )
    own(text.replace('known_hosts = "~/.ssh/known_hosts"', 'key = "~/key"'))
    ssh = load_pair("prod").servers["sky-a"].ssh
    assert ssh is not None
    assert (ssh.config, ssh.sudo, ssh.files) == (False, "skybot", ())
    assert (ssh.key, ssh.known_hosts) == (Path("~/key").expanduser(), None)
    own(PAIR.replace("NAME", "prod").replace(', user = "sky", known_hosts = "~/.ssh/known_hosts"', ""))
    ssh = load_pair("prod").servers["sky-a"].ssh
    assert ssh is not None
    assert (ssh.host, ssh.user, ssh.port) == ("10.0.0.1", None, None)
    assert ssh.files == (Path("~/.ssh/config").expanduser(), Path("/etc/ssh/ssh_config"))


@pytest.mark.parametrize(
    ("table", "fault"),
    [
        ('host = "a", config = "ssh_config"', "config: is the whole path of a file, from / or ~ on"),
        ('host = "a", config = 3', "config: Expected `bool | str`"),
        ('host = "a", sudo = "-u root"', "sudo: is true, or the name of the user"),
        ('host = "-oProxyCommand=x"', "host: cannot begin with a dash, nor have spaces in it"),
        ('host = "a", user = "a b"', "user: cannot begin with a dash, nor have spaces in it"),
        ('host = ""', "host: Expected `str` of length >= 1"),
        ('host = "a", port = 0', "port: Expected `int` >= 1"),
    ],
)
def test_what_ssh_cannot_be_told(table: str, fault: str) -> None:
    text = PAIR.replace("NAME", "prod")
    start = text.index("ssh = {")
    text = text[:start] + f"ssh = {{ {table} }}" + text[text.index("}", start) + 1 :]
    assert any(fault in found for found in faults(text)), faults(text)


def test_every_fault_at_once() -> None:
    text = PAIR.replace("NAME", "prod").replace("schema = 1", "schema = 2").replace("home =", "hoem =")
    text = (
        text.replace("[7508, 5432]", "[0]").replace("zero_seconds", "zero_second").replace("https:", "ftp:")
    )
    text = text.replace("prompt", "promt")
    assert faults(text) == [
        ":1: schema: must be 1, the only form this version reads",
        ":4: [pair.prod.secrets.admin] promt: is not known here; did you mean `prompt`?",
        ":8: [pair.prod.server.sky-a] url: Expected `str` matching regex '^https?://[^/\\\\s]+$'",
        ":10: [pair.prod.server.sky-a] hoem: is not known here; did you mean `home`?",
        ":11: [pair.prod.server.sky-a] ports: Expected `int` >= 1 - at `$[0]`",
        ":16: [pair.prod.thresholds] zero_second: is not known here; did you mean `zero_seconds`?",
    ]


def test_a_pair_is_two_servers() -> None:
    text = PAIR.replace("NAME", "prod").replace("[pair.prod.server.sky-b]", "[pair.prod.server.sky-a.x]")
    assert any("a pair is two servers; 1 given" in fault for fault in faults(text))


def test_a_secret_has_one_source() -> None:
    text = PAIR.replace("NAME", "prod").replace('{ prompt = "admin password" }', '{ env = "A", file = "/b" }')
    assert faults(text) == [":4: [pair.prod.secrets] admin: give only one of file, env, command, prompt"]


def test_a_run_that_is_alive_cannot_look_dead() -> None:
    text = PAIR.replace("NAME", "prod").replace("zero_seconds = 30", "heartbeat_seconds = 30")
    text += "mark_stale_seconds = 80\n"
    assert faults(text) == [
        ":17: [pair.prod.thresholds] mark_stale_seconds: must be at least three times heartbeat_seconds:"
        " a heartbeat may come late"
    ]
    own(text.replace("80", "90"))
    assert load_pair("prod").thresholds.mark_stale_seconds == 90


MORE = """\
[pair.prod.deadlines]
promote = "20m"
agents-back = "1.5m"
[pair.prod.hooks]
before_shut_down = ["page", "--team", "ops"]
after_convert = ["page"]
deadline = "5s"
"""


def test_when_how_long_and_what_else_is_run() -> None:
    text = PAIR.replace("NAME", "prod").replace(
        'profile = "skybot"',
        'profile = "skybot"\nevery = "8w"\nquiet = "Sun 02:00-05:00 Europe/Berlin"\n'
        'alarm = ["page", "now"]\nwatch_hours = 48',
    )
    own(text + MORE)
    pair = load_pair("prod")
    assert pair.deadlines == {"promote": 1200.0, "agents-back": 90.0}
    assert pair.every == timedelta(days=56)
    assert pair.quiet is not None
    assert pair.quiet.words == "Sun 02:00-05:00 Europe/Berlin"
    assert (pair.alarm, pair.watch_hours) == (["page", "now"], 48.0)
    assert pair.hooks.command("before", "shut-down") == ["page", "--team", "ops"]
    assert pair.hooks.command("after", "convert") == ["page"]
    assert pair.hooks.command("before", "convert") is None
    assert pair.hooks.deadline == 5.0


def test_everything_that_is_not_said_is_as_the_procedure_has_it() -> None:
    own(PAIR.replace("NAME", "prod"))
    pair = load_pair("prod")
    assert (pair.deadlines, pair.every, pair.quiet, pair.alarm) == ({}, None, None, None)
    assert (pair.watch_hours, pair.group) == (24.0, None)
    assert all(pair.hooks.command(when, phase) is None for when in ("before", "after") for phase in PHASES)


def test_each_phase_has_both_hooks() -> None:
    names = {f"{when}_{phase.replace('-', '_')}" for when in ("before", "after") for phase in PHASES}
    assert {*names, "deadline"} == set(Hooks.__struct_fields__)


def test_the_steps_of_the_runbook_are_those_a_deadline_can_name() -> None:
    assert set(STEPS) <= set(STEP_IDS)


def test_every_fault_of_every_table() -> None:
    text = PAIR.replace("NAME", "prod").replace(
        'profile = "skybot"', 'every = "2h"\nquiet = "Sun 02:00-05:00"\nwatch_hours = -1\ngroup = "ops"'
    )
    text = text.replace('"10.0.0.2"', "10").replace("[7508, 5432]", '[0, 7508, "x"]')
    text = text.replace("{ admin = {", '{ other = { env = "A", file = "/b" }, admin = {')
    text += "fresh_seconds = nan\nzero_readings = 0\nheartbeat_seconds = 40\n"
    text += '[pair.prod.deadlines]\npromte = "1m"\nconvert = "soon"\n'
    text += '[pair.prod.hooks]\nbefore_promote = ["x"]\nafter_activate = []\nbefore_convert = "x"\n'
    assert faults(text) == [
        ":2: [pair.prod] profile: is missing",
        ":3: [pair.prod] every: '2h' is no number of days; write it as `60d` or `8w`",
        ":4: [pair.prod] quiet: 'Sun 02:00-05:00' is no quiet window; write it as"
        " `Sun 02:00-05:00 Europe/Berlin`; days may be `Mon,Thu` or `Mon-Fri`, or left out",
        ":5: [pair.prod] watch_hours: Expected `float` >= 0.0",
        ":6: [pair.prod] group: is the group of a team's folder; name that as `state`",
        ":7: [pair.prod.secrets] other: give only one of file, env, command, prompt",
        ":14: [pair.prod.server.sky-a] ports: Expected `int` >= 1 - at `$[0]`",
        ":14: [pair.prod.server.sky-a] ports: Expected `int`, got `str` - at `$[2]`",
        ":16: [pair.prod.server.sky-b] address: Expected `str`, got `int`",
        ":18: [pair.prod.thresholds] mark_stale_seconds: must be at least three times heartbeat_seconds:"
        " a heartbeat may come late",
        ":20: [pair.prod.thresholds] fresh_seconds: must be from 0.5 to 300; it is nan",
        ":21: [pair.prod.thresholds] zero_readings: must be from 1 to 50; it is 0",
        ":24: [pair.prod.deadlines] promte: is not known here; did you mean `promote`?",
        ":25: [pair.prod.deadlines] convert: 'soon' is not a duration; write it as `10m`, `1.5s` or `250ms`",
        ":27: [pair.prod.hooks] before_promote: is not known here; did you mean `before_prepare`?",
        ":28: [pair.prod.hooks] after_activate: Expected `array` of length >= 1",
        ":29: [pair.prod.hooks] before_convert: Expected `array`, got `str`",
    ]


def test_a_group_is_that_of_a_folder_that_is_shared() -> None:
    text = PAIR.replace("NAME", "prod").replace('profile = "skybot"', 'profile = "skybot"\ngroup = "ops"')
    assert faults(text) == [":4: [pair.prod] group: is the group of a team's folder; name that as `state`"]


def test_a_fault_says_file_line_table_and_key_apart() -> None:
    own(PAIR.replace("NAME", "prod").replace("home =", "hoem ="))
    with pytest.raises(FaultyFileError) as error:
        load_pair("prod")
    assert error.value.faults == (
        Fault(
            file=str(paths.config_dir() / "config.toml"),
            line=10,
            table="pair.prod.server.sky-a",
            key="hoem",
            says="is not known here; did you mean `home`?",
        ),
    )
    own("schema = 1\n[pair.prod\n")
    with pytest.raises(FaultyFileError) as error:
        load_pair("prod")
    assert [fault.line for fault in error.value.faults] == [2]


def test_plain_http_is_for_drills_only() -> None:
    text = PAIR.replace("NAME", "prod").replace("https:", "http:")
    assert faults(text) == [":8: [pair.prod.server.sky-a] url: must be https: passwords go over it"]
    own(text.replace('profile = "skybot"', 'profile = "skybot"\npractice = true'))
    assert load_pair("prod").practice


@pytest.mark.parametrize(
    "text", ["pair = 3", "[pair]\nprod = 3", "[pair.prod]\nserver = 3", "[pair.prod.server]\na = 1\nb = 2"]
)
def test_values_where_tables_belong(text: str) -> None:
    own(f"schema = 1\n{text}")
    with pytest.raises(ConfigError):
        load_pair("prod")


A_URL = 'url = "https://10.0.0.1:7508"'


@pytest.mark.parametrize(
    ("keys", "fault"),
    [
        ('pin = "sha256:AB:CD"', "pin: is `sha256:` and the 64 hexadecimal digits"),
        ('pin = "' + "ab" * 32 + '"', "pin: is `sha256:` and"),
        (
            'insecure = "yes"',
            'insecure: turns verification off only as: insecure = "I accept that sky-a is not',
        ),
        ('insecure = "I accept that sky-b is not verified"', "insecure: turns verification off only as"),
        ('cert = "own.pem"', "cert: our certificate needs both `cert` and `key`"),
        ('key = "own.key"', "key: our certificate needs both `cert` and `key`"),
        (f'ca_file = "ca.pem"\npin = "sha256:{"ab" * 32}"', "pin: give one of ca_file and pin"),
        ('proxy = "proxy"', "proxy: is `http://HOST:PORT`"),
        ('url = "http://10.0.0.1"', "url: must be https: passwords go over it"),
    ],
)
def test_what_is_wrong_with_https_is_said_with_its_line(keys: str, fault: str) -> None:
    text = PAIR.replace("NAME", "prod").replace(A_URL, keys)
    (found,) = faults(text)
    line, says = found.split(": [pair.prod.server.sky-a] ", 1)
    assert int(line.removeprefix(":")) in range(8, 10)
    assert says.startswith(fault)


def test_https_as_it_may_be() -> None:
    pin = f"sha256:{'AB:' * 31}AB"
    own(PAIR.replace("NAME", "prod").replace(A_URL, f'{A_URL}\npin = "{pin}"\ncert = "c"\nkey = "k"'))
    assert load_pair("prod").servers["sky-a"].pin == pin
    accepted = 'insecure = "I accept that sky-a is not verified"'
    own(PAIR.replace("NAME", "prod").replace(A_URL, f"{A_URL}\n{accepted}"))
    servers = load_pair("prod").servers
    assert [servers[name].unverified for name in ("sky-a", "sky-b")] == [True, False]


def test_a_pairs_proxy_is_that_of_each_server_that_names_none() -> None:
    proxy = 'profile = "skybot"\nproxy = "http://proxy:3128"\nproxy_user = "ops"\nproxy_secret = "admin"'
    text = PAIR.replace("NAME", "prod").replace('profile = "skybot"', proxy)
    own(text.replace(A_URL, f'{A_URL}\nproxy = "none"'))
    servers = load_pair("prod").servers
    assert (servers["sky-a"].proxy, servers["sky-a"].proxy_user) == ("none", "")
    assert (servers["sky-b"].proxy, servers["sky-b"].proxy_secret) == ("http://proxy:3128", "admin")
    (fault,) = faults(text.replace('proxy_secret = "admin"', 'proxy_secret = "admn"'))
    assert fault.endswith(
        "[pair.prod] proxy_secret: the pair has no secret of that name; did you mean `admin`?"
    )
    practice = text.replace('profile = "skybot"', 'profile = "skybot"\npractice = true')
    (fault,) = faults(practice.replace("https://10", "http://10"))
    assert fault.endswith("url: must be https: the pair's proxy is for https only")


def test_optional_steps_are_names_or_a_table_that_says_what_to_do() -> None:
    own(
        PAIR.replace("NAME", "prod").replace(
            'profile = "skybot"', 'profile = "skybot"\noptional = ["announce"]'
        )
    )
    assert load_pair("prod").by_hand == {"announce": ""}
    own(PAIR.replace("NAME", "prod") + '[pair.prod.optional.repoint]\nmanual = "move the VIP"\n')
    assert load_pair("prod").by_hand == {"repoint": "move the VIP"}
    own(PAIR.replace("NAME", "prod"))
    assert load_pair("prod").by_hand == {}


def test_an_optional_step_that_does_not_exist_is_named_with_the_nearest() -> None:
    (found,) = faults(PAIR.replace("NAME", "prod") + '[pair.prod.optional.repiont]\nmanual = "x"\n')
    assert "there is no optional step `repiont`" in found
    assert "repoint" in found
