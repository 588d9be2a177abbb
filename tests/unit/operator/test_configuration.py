"""What a server runs with: who may say it, who is stronger, and how what is wrong is refused."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from sft.errors import ConfigurationError
from sft.limits import HOOKS_MOST
from sft.model.hooks import Hook
from sft.model.policy import ServerPolicy
from sft.operator.configuration import DEFAULTS, Configuration, Source, configured
from sft.operator.options import BY_NAME, DAYS_MOST, OPTIONS, Flag

NETWORKS = ("10.1.0.0/16", "2001:db8::7")
# Of every option: another value than its default, as the file has it, and as a text.
SAMPLES = {
    "listen": ('"[::1]:7361"', "[::1]:7361", "[::1]:7361"),
    "public": ('"files.example.org:7361"', "files.example.org:7361", "files.example.org:7361"),
    "registration": ('"closed"', "closed", "closed"),
    "name": ('"acme"', "acme", "acme"),
    "exempt": ('["10.1.0.0/16", "2001:db8::7"]', "10.1.0.0/16, 2001:db8::7", NETWORKS),
    "data": ('"/srv/disk"', "/srv/disk", "/srv/disk"),
    "master_key": ('"command:kms get"', "command:kms get", "command:kms get"),
    "monitoring": ('"[::1]:7363"', "[::1]:7363", "[::1]:7363"),
    "log_format": ('"json"', "json", "json"),
    "log_level": ('"error"', "error", "error"),
    "trash_days": ("7", "7", 7),
    "versions_kept": ("5", "5", 5),
    "quota_bytes": ('"50G"', "50 GiB", 50 << 30),
    "quota_files": ("100000", "100000", 100_000),
    "total_quota_bytes": ("1500", "1500", 1500),
    "total_quota_files": ("0", "0", 0),
    "hooks": (
        '[{name = "chat", events = ["store", "damage"], url = "https://a.example/x", timeout = 3}]',
        '[{name="chat",events=["store","damage","store"],url="https://a.example/x",timeout=3}]',
        (Hook(name="chat", events=("store", "damage"), url="https://a.example/x", timeout=3),),
    ),
    "file_bytes": ('"10G"', "10G", 10 << 30),
}


@pytest.fixture
def file(tmp_path):
    return tmp_path / "sft.toml"


def read(file, text="", environment=(), **flags):
    file.write_text(text)
    return configured(file, dict(environment), flags)


def refused(file, text="", environment=()):
    with pytest.raises(ConfigurationError) as caught:
        read(file, text, environment).required()
    return caught.value.values


def test_the_table_has_every_option_and_an_act_is_ruled_by_those_of_its_policy():
    assert sorted(BY_NAME) == sorted(Configuration.__struct_fields__) == sorted(SAMPLES)
    assert Configuration(trash_days=7, name="acme").policy == ServerPolicy(trash_days=7)
    assert type(Configuration().policy) is ServerPolicy


@pytest.mark.parametrize("option", OPTIONS, ids=lambda each: each.name)
def test_an_option_says_the_same_in_the_file_and_in_the_environment_and_is_written_as_it_is_read(option, file):
    toml, text, value = SAMPLES[option.name]
    assert getattr(DEFAULTS, option.name) != value
    of_file = read(file, f"{option.name} = {toml}\n")
    of_environment = read(file, environment={option.variable: text})
    assert getattr(of_file.required(), option.name) == getattr(of_environment.required(), option.name) == value
    assert (of_file.sources, of_environment.sources) == (
        {option.name: Source.FILE}, {option.name: Source.ENVIRONMENT},
    )  # fmt: skip
    assert option.kind.toml(value) == toml
    assert option.kind.of(getattr(DEFAULTS, option.name)) == getattr(DEFAULTS, option.name)


def test_an_option_of_serve_is_stronger_than_the_environment_and_that_than_the_file(file):
    text, environment = (
        'name = "a"\npublic = "a:1"\ntrash_days = 1\n',
        {"SFT_SERVER_NAME": "b", "SFT_SERVER_PUBLIC": "b:1"},
    )
    found = read(file, text, environment, name="c")
    assert found.required() == Configuration(name="c", public="b:1", trash_days=1)
    assert found.sources == {"name": Source.FLAG, "public": Source.ENVIRONMENT, "trash_days": Source.FILE}


def test_where_there_is_no_file_all_is_as_it_is_by_default(tmp_path):
    assert configured(tmp_path / "sft.toml", {}, {}).required() == DEFAULTS


def test_an_unknown_option_is_refused_with_the_nearest_one_and_its_line(file):
    said = refused(file, '# mine\nname = "acme"\ntrash_day = 3\n')
    assert said == {
        "place": f"{file}, line 3",
        "problem": "there is no option trash_day",
        "remedy": "Did you mean trash_days? All of them: sftd config show",
    }
    assert refused(file, "[network]\nzzz = 1\n")["remedy"] == "All that there are: sftd config show"
    said = refused(file, environment={"SFT_SERVER_TRASH_DAY": "3"})
    assert (said["place"], said["problem"]) == ("The environment", "there is no option SFT_SERVER_TRASH_DAY")
    assert "SFT_SERVER_TRASH_DAYS?" in said["remedy"]


GOOD_HOOK = {"name": '"a"', "events": '["store"]', "run": '["/bin/true"]'}


@pytest.mark.parametrize(
    ("changes", "problem", "remedy"),
    [
        ({"event": '["store"]'}, "there is no word of a hook event", "Did you mean events? All of them: "),
        ({"events": '["stored"]'}, "there is no event stored", "Did you mean store? All of them: docs/hooks.md"),
        ({"events": '["zzz"]'}, "there is no event zzz", "All that there are: docs/hooks.md"),
        ({"events": "[]"}, "a has not events, and run or url", "Give it events, and one of the two"),
        ({"events": '"store"'}, "events of a is no list of texts", "Write it as"),
        ({"name": '"A b"'}, "A b is no name of a hook", "1 to 32 of"),
        ({"name": None}, "one without a name is no name of a hook", "1 to 32 of"),
        ({"run": '["true"]'}, "run of a is no absolute path", "Name the program from / on"),
        ({"run": "[]"}, "run or url of a is empty", "Name a program or a URL"),
        ({"run": None}, "a has not events, and run or url", "Give it events"),
        ({"url": '"https://a.example"'}, "a has not events, and run or url", "Give it events"),
        ({"secret": '"/x"'}, "secret of a is no absolute path, or it has no url", "Name a file from / on"),
        ({"timeout": "0"}, "timeout of a cannot be that", "Seconds, a whole number from 1 to 300"),
        ({"timeout": "true"}, "timeout of a cannot be that", "Seconds"),
        *(
            ({"run": None, "url": f'"{url}"'}, "url of a is none that can be posted to safely", "https://HOST/PATH")
            for url in (
                "http://a.example/x", "http://10.0.0.1/", "http://127.0.0.1.evil.example/", "ftp://a.example", "https://u:p@a.example/",
                "https://a.example/#x", "https://a.example/ x", "http://[2001:db8::1]/",
            )
        ),
    ],
)  # fmt: skip
def test_a_hook_that_cannot_be_is_refused_with_what_to_write(file, changes, problem, remedy):
    fields = {name: text for name, text in (GOOD_HOOK | changes).items() if text is not None}
    said = refused(file, "[[hooks]]\n" + "".join(f"{name} = {text}\n" for name, text in fields.items()))
    assert (said["place"], said["problem"]) == (f"{file}, line 1", f"hooks: {problem}")
    assert said["remedy"].startswith(remedy)


def test_hooks_have_names_of_their_own_and_are_a_few(file):
    table = '[[hooks]]\nname = "a{}"\nevents = ["all"]\nurl = "http://localhost:1/x?y=z"\n'
    assert refused(file, table.format("") * 2)["problem"] == "hooks: two of them have one name"
    several = "".join(table.format(number) for number in range(HOOKS_MOST + 1))
    assert refused(file, several)["problem"] == f"hooks: there are more than {HOOKS_MOST}"
    (hook,) = read(file, table.format("")).required().hooks
    assert (str(hook), hook.target) == ("a", "http://localhost:1")  # of what is shown: the rest of it may be a secret


def test_what_others_call_like_an_option_is_none(file):
    environment = {
        "SFT_SERVER_HOME": "/srv", "SFT_SERVER_SERVICE_HOST": "10.0.0.1", "SFT_SERVER_SERVICE_PORT_SFT": "7361",
        "SFT_SERVER_PORT": "tcp://10.0.0.1:7361", "SFT_SERVER_PORT_7361_TCP_ADDR": "10.0.0.1", "SFT_HOME": "/x",
    }  # fmt: skip
    assert read(file, environment=environment).required() == DEFAULTS


@pytest.mark.parametrize(
    ("text", "problem", "remedy"),
    [
        ("hooks = 1", "hooks cannot be that", "It is tables [[hooks]] with name, events, and run or url"),
        ("quota_files = -1", "quota_files cannot be that", "It is a number of files, or none"),
        ("quota_files = 1.5", "quota_files cannot be that", "It is a number of files, or none"),
        ('quota_bytes = "50X"', "quota_bytes cannot be that", "It is a size, such as 500M, 50G or 2T, or none"),
        ('file_bytes = "none"', "file_bytes cannot be that", "It is a size, such as 500M, 50G or 2T, at most 64T"),
        ('file_bytes = "65T"', "file_bytes cannot be that", "It is a size, such as 500M, 50G or 2T, at most 64T"),
        ("trash_days = 0", "trash_days cannot be that", f"It is a whole number from 1 to {DAYS_MOST}"),
        ("trash_days = true", "trash_days cannot be that", f"It is a whole number from 1 to {DAYS_MOST}"),
        ('trash_days = "7"', "trash_days cannot be that", f"It is a whole number from 1 to {DAYS_MOST}"),
        ('registration = "anybody"', "registration cannot be that", "It is invite, open or closed"),
        ("public = 7", "public cannot be that", "It is HOST:PORT"),
        (
            'public = "nowhere"',
            'public: "nowhere" is no address',
            "Write it as HOST:PORT, such as files.example.org:7361",
        ),
        ('name = "a/b"', "name cannot be that", "It is a name of a server"),
        ('exempt = ["all"]', "exempt cannot be that", "It is a list of networks, such as 10.1.0.0/16"),
        ('exempt = "10.0.0.0/8"', "exempt cannot be that", "It is a list of networks, such as 10.1.0.0/16"),
        ('data = "disk"', "data cannot be that", "It is a folder, from / on"),
        ('listen = "nowhere"', "listen: nowhere is no place to listen at", None),
        ('monitoring = "0.0.0.0:7363"', "monitoring: 0.0.0.0:7363 is no address that only this computer reaches", None),
        ("listen", "it is no TOML (Expected '=' after a key in a key/value pair)", "Mend that line"),
    ],
)
def test_a_value_that_cannot_be_is_refused_with_its_line_and_what_it_may_be(file, text, problem, remedy):
    said = refused(file, f"\n{text}\n")
    assert (said["place"], said["problem"]) == (f"{file}, line 2", problem)
    assert remedy is None or said["remedy"] == remedy


def test_all_that_is_wrong_is_found_at_once_and_the_rest_is_read(file):
    found = read(file, 'trash_days = 0\nnam = 1\npublic = "a:1"\n', {"SFT_SERVER_EXEMPT": "all"})
    assert [each.place for each in found.faults] == [f"{file}, line 1", f"{file}, line 2", "SFT_SERVER_EXEMPT"]
    assert found.configuration == Configuration(public="a:1")
    with pytest.raises(ConfigurationError) as caught:
        found.required()
    assert str(caught.value.values["remedy"]).endswith("; 2 more: sftd config check")


def test_a_file_that_cannot_be_read_is_refused(file):
    file.write_bytes(b"\xff")
    assert [each.problem for each in configured(file, {}, {}).faults] == ["it is no UTF-8"]
    file.unlink()
    file.mkdir()
    assert "no file" in configured(file, {}, {}).faults[0].problem


def test_what_is_there_and_cannot_be_the_file_is_refused_and_nobody_waits_for_it(file, tmp_path):
    os.mkfifo(file)
    assert "no file" in configured(file, {}, {}).faults[0].problem
    file.unlink()
    file.write_text("#" * (1 << 20) + "\n")
    assert "larger than 1 MiB" in configured(file, {}, {}).faults[0].problem
    file.unlink()
    file.symlink_to(tmp_path / "absent")
    assert "a link to what is not there" in configured(file, {}, {}).faults[0].problem
    (tmp_path / "absent").write_text("trash_days = 7\n")
    assert configured(file, {}, {}).required().trash_days == 7


def test_what_an_editor_writes_before_the_first_line_is_said(file):
    file.write_bytes(b"\xef\xbb\xbftrash_days = 7\n")
    (fault,) = configured(file, {}, {}).faults
    assert (fault.place, fault.remedy) == (str(file), "Save it as UTF-8 without one")
    assert "byte order mark" in fault.problem


def test_what_is_nested_beyond_reading_is_refused(file):
    assert "lists within lists" in refused(file, f"exempt = {'[' * 5000}{']' * 5000}\n")["problem"]


@pytest.mark.parametrize("source", ["command:", "command:'", "credential:", "vault:x"])
def test_a_master_key_comes_from_where_one_can(file, source):
    assert refused(file, f'master_key = "{source}"\n')["problem"] == "master_key cannot be that"


def test_a_value_that_an_option_of_serve_wrote_is_said_to_be_one(file):
    text = 'public = "a:1"  # by sftd serve\nname = "acme"\n'
    assert read(file, text).sources == {"public": Source.FLAG, "name": Source.FILE}


def test_serve_has_an_option_for_what_a_first_start_needs():
    kept = [each.name for each in OPTIONS if each.flag is Flag.KEPT]
    assert kept == ["public", "registration", "name", "exempt", "data", "master_key"]


def test_the_page_of_the_configuration_has_the_table_of_the_code():
    page = (Path(__file__).parents[3] / "docs" / "configuration.md").read_text("utf-8")
    rows = [line for line in page.split("## Options")[1].splitlines() if line.startswith("| `")]
    assert rows == [
        f"| `{each.name}` | `{each.kind.toml(getattr(DEFAULTS, each.name))}` | {each.kind.what} | "
        f"{'yes' if each.reloads else 'restart'} | {each.about} |"
        for each in OPTIONS
    ]
    flags = re.search(r"`sftd serve`: (.*) \|", page)
    assert flags is not None
    assert flags[1].split(", ") == [f"`{each.flag_name}`" for each in OPTIONS if each.flag is not Flag.NONE]
