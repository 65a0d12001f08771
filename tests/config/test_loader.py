"""What a person's configuration file becomes, and what is said when it cannot become anything."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.loader import load, parse
from config.problems import ConfigError
from config.values import Listen
from tests.config.conftest import RIGHT, Problems, Read


def test_the_smallest_file_gets_every_default(read: Read, tmp_path: Path) -> None:
    settings = read()
    assert settings.appservice.listen == Listen("127.0.0.1", 29330)
    assert settings.slack.api_url == "https://slack.com/api/"
    assert settings.files.max_size == 100 * 1024 * 1024
    assert settings.catch_up.look_back == timedelta(days=1)
    assert settings.database.sqlite_path == tmp_path / "causeway.db"
    assert settings.bot_id == "@causeway:example.org"


def test_all_problems_are_reported_together_with_place_and_advice(problems: Problems) -> None:
    found = problems("""\
        homeserver:
          domain: https://example.org/
          verify_tsl: true
          verify_tls: yes
        appservice:
          as_token: short
          hs_token: {env: NOWHERE}
        slack:
          mode: sokcet
          connections: 11
          workspaces:
            - bot_token: xoxp-1
              app_token: {file: missing}
        domain: x
        """)
    assert [(p.line, p.column, p.key) for p in found] == [
        (2, 11, "homeserver.domain"),
        (3, 3, "homeserver.verify_tsl"),
        (4, 15, "homeserver.verify_tls"),
        (6, 13, "appservice.as_token"),
        (7, 13, "appservice.hs_token"),
        (9, 9, "slack.mode"),
        (10, 16, "slack.connections"),
        (12, 18, "slack.workspaces[0].bot_token"),
        (13, 18, "slack.workspaces[0].app_token"),
        (14, 1, "domain"),
    ]
    hints = [p.hint for p in found]
    assert hints[0] == "write example.org"
    assert hints[1] == "did you mean verify_tls?"
    assert hints[2] == "write true without quotes"
    assert hints[5] == "did you mean socket?"
    assert hints[9] == "did you mean homeserver.domain?"


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        ("homeserver:\n\tdomain: x\n", 2, 1, "tab"),
        ("admins: []\nadmins: []\n", 2, 1, "second time"),
        ("admins: @foo\n", 1, 9, "quotes"),
        ("admins: [a\n", 2, 1, "is not YAML"),
        ("a: 1\n---\nb: 2\n", 2, 1, "more than one document"),
        ("- a\n- b\n", 1, 1, "does not hold settings"),
        ("just words\n", 1, 1, "does not hold settings"),
        ("admins: *who\n", 1, 9, "must stand in quotes"),
        ("database: {url: !!python/object:os.system x}\n", 1, 17, "tag"),
        ("? [a, b]\n: c\n", 1, 3, "must be a word"),
        ("a: b: c\n", 1, 5, "colon"),
        ("admins: '\x07'\n", 1, 10, "control character"),
    ],
)
def test_what_is_not_a_settings_file_is_explained_where_it_breaks(
    problems: Problems, text: str, line: int, column: int, words: str
) -> None:
    found = problems(text)
    assert any((p.line, p.column) == (line, column) and words in f"{p.what} {p.hint}" for p in found), found


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"a: \xff\n", "not UTF-8"),
        ("a: b\n".encode("utf-16"), "UTF-16"),
        (b"#" * (1024 * 1024 + 1), "larger than 1 MiB"),
        (b"[" * 100_000, "nested too deeply"),
        (
            b"a: &a [x,x,x,x,x,x,x,x,x,x]\n"
            + b"".join(b"%c: &%c [%s]\n" % (98 + n, 98 + n, b",".join([b"*%c" % (97 + n)] * 10)) for n in range(8)),
            "multiply",
        ),
        (b"a: &a [*a]\n", "nested too deeply"),
    ],
    ids=["latin", "utf-16", "huge", "deep", "alias bomb", "alias loop"],
)
def test_hostile_content_is_refused_in_bounded_work(problems: Problems, content: bytes, words: str) -> None:
    assert any(words in p.what for p in problems(content))


@pytest.mark.parametrize(
    ("public", "key"),
    [
        ("{avatars: true}", "public.listen"),
        ("{avatars: true, url: 'https://b.example.org'}", "public.listen"),
        ("{avatars: true, listen: '127.0.0.1:1'}", "public.url"),
        ("{listen: everywhere}", "public.listen"),
    ],
)
def test_avatars_need_an_address_at_which_they_are_fetched(problems: Problems, public: str, key: str) -> None:
    assert [problem.key for problem in problems(RIGHT + f"public: {public}\n")] == [key]


def test_nothing_is_public_unless_it_is_wished(read: Read) -> None:
    assert (read().public.listen, read().public.avatars) == (None, False)
    public = read(RIGHT + "public: {listen: '127.0.0.1:29332', url: 'https://b.example.org/', avatars: true}\n").public
    assert (str(public.listen), public.url, public.avatars) == ("127.0.0.1:29332", "https://b.example.org", True)


def test_an_empty_file_says_what_must_be_given(problems: Problems) -> None:
    assert [p.key for p in problems("")] == ["homeserver", "appservice", "slack"]


def test_a_byte_order_mark_does_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + RIGHT.encode())
    assert load(path, {}).homeserver.domain == "example.org"


def test_a_missing_file_and_a_directory_are_said_to_be_that(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no such file"):
        load(tmp_path / "none.yaml", {})
    with pytest.raises(ConfigError, match="cannot be read"):
        load(tmp_path, {})


def test_sections_and_lists_left_blank_keep_their_defaults(read: Read) -> None:
    settings = read(RIGHT + "portals:\nadmins:\nlogging:\n  # level: debug\n")
    assert settings.portals.map == ()
    assert settings.admins == ()
    assert settings.logging.level == "info"


def test_an_unquoted_channel_is_recognised_as_a_comment(problems: Problems) -> None:
    (found,) = problems(RIGHT + "portals:\n  map:\n    - slack: #general\n      matrix: create\n")
    assert found.key == "portals.map[0].slack"
    assert 'write "#general" in quotes' in found.hint


def test_an_unquoted_room_alias_does_not_silently_make_a_new_room(problems: Problems) -> None:
    (found,) = problems(RIGHT + 'portals:\n  map:\n    - slack: "#a"\n      matrix: #a:example.org\n')
    assert found.key == "portals.map[0].matrix"


def test_an_anchor_stands_once_and_its_place_is_not_quoted(problems: Problems) -> None:
    (problem,) = problems("homeserver: &a {domain: example.org}\nappservice: &a {as_token: xoxb-secret}\n")
    assert problem.what == "gives two values the same anchor"


def test_an_alias_and_an_anchor_may_be_used(read: Read) -> None:
    settings = read(RIGHT + 'admins: &people ["@a:example.org"]\nrooms: {invite: *people}\n')
    assert settings.rooms.invite == settings.admins == ("@a:example.org",)


class TestEnvironment:
    def test_overrides_any_setting(self, read: Read) -> None:
        settings = read(
            RIGHT,
            CAUSEWAY_HOMESERVER_DOMAIN="other.example",
            CAUSEWAY_SLACK_WORKSPACES_0_BOT_TOKEN="xoxb-from-environment",
            CAUSEWAY_SLACK_CONNECTIONS="4",
            CAUSEWAY_HOMESERVER_VERIFY_TLS="false",
            CAUSEWAY_ADMINS='["@a:example.org"]',
            CAUSEWAY_CATCH_UP_LOOK_BACK="2h",
        )
        assert settings.homeserver.domain == "other.example"
        token = settings.slack.workspaces[0].bot_token
        assert token is not None
        assert token.reveal() == "xoxb-from-environment"
        assert settings.slack.connections == 4
        assert not settings.homeserver.verify_tls
        assert settings.admins == ("@a:example.org",)
        assert settings.catch_up.look_back == timedelta(hours=2)

    def test_can_hold_every_required_setting(self, read: Read) -> None:
        settings = read(
            "",
            CAUSEWAY_HOMESERVER_DOMAIN="example.org",
            CAUSEWAY_APPSERVICE_AS_TOKEN="a" * 16,
            CAUSEWAY_APPSERVICE_HS_TOKEN="b" * 16,
            CAUSEWAY_SLACK_WORKSPACES_0_BOT_TOKEN="xoxb-1",
            CAUSEWAY_SLACK_WORKSPACES_0_APP_TOKEN="xapp-1",
        )
        assert settings.slack.workspaces[0].name == "main"

    def test_a_bad_value_names_the_variable(self, problems: Problems) -> None:
        (found,) = problems(RIGHT, CAUSEWAY_LOGGING_LEVEL="trace")
        assert (found.source, found.key) == ("CAUSEWAY_LOGGING_LEVEL", "logging.level")

    def test_a_misspelt_variable_is_an_error(self, problems: Problems) -> None:
        (found,) = problems(RIGHT, CAUSEWAY_HOMESERVER_DOMIAN="x")
        assert found.hint == "did you mean CAUSEWAY_HOMESERVER_DOMAIN?"

    def test_a_gap_in_a_list_is_an_error(self, problems: Problems) -> None:
        (found,) = problems(RIGHT, CAUSEWAY_SLACK_WORKSPACES_5_NAME="x")
        assert "without a gap" in found.hint

    def test_variables_of_others_are_left_alone(self, read: Read) -> None:
        read(RIGHT, CAUSEWAY_SERVICE_HOST="10.0.0.1", CAUSEWAY_PORT_29330_TCP="tcp://10.0.0.1:29330", PATH="/bin")


class TestSecrets:
    def test_come_from_the_environment_or_a_file_beside_the_configuration(self, read: Read, tmp_path: Path) -> None:
        (tmp_path / "token").write_text("xapp-from-file\n")
        text = RIGHT.replace("xoxb-1-abc", "{env: CAUSEWAY_BOT_TOKEN}").replace("xapp-1-abc", "{file: token}")
        workspace = read(text, CAUSEWAY_BOT_TOKEN="xoxb-from-env").slack.workspaces[0]
        token = workspace.bot_token
        assert token is not None
        assert token.reveal() == "xoxb-from-env"
        assert workspace.app_token is not None
        assert workspace.app_token.reveal() == "xapp-from-file"

    def test_are_in_no_error_and_no_dump(self, read: Read, problems: Problems) -> None:
        settings = read()
        for text in (str(settings), repr(settings), settings.model_dump_json(), str(settings.model_dump())):
            assert "abc" not in text
            assert "0123456789" not in text
        spoilt = RIGHT.replace("xoxb-1-abc", "xoxp-hush").replace("hs-token-0123456789", "hush-hush")
        assert "hush" not in "".join(map(str, problems(spoilt)))

    @pytest.mark.parametrize(
        "written", ["''", "'a b'", "{env: EMPTY}", "{file: nowhere}", "{env: }", "{x: y}", "[a]", "7"]
    )
    def test_that_cannot_be_tokens_are_refused(self, problems: Problems, written: str) -> None:
        (found,) = problems(RIGHT.replace("xoxb-1-abc", written), EMPTY="")
        assert found.key == "slack.workspaces[0].bot_token"

    @pytest.mark.parametrize("written", ["00000000000000000000", "1e21", "0x1234567890abcdef", "true"])
    def test_that_yaml_takes_for_a_number_want_quotes(self, problems: Problems, written: str) -> None:
        (found,) = problems(RIGHT.replace("as-token-0123456789", written))
        assert (found.key, found.hint) == ("appservice.as_token", "put it in quotes")

    def test_in_a_database_address_are_not_shown(self, read: Read) -> None:
        database = read(RIGHT + "database: {url: 'postgres://cw:s3cret@db:5432/cw?password=s3cret'}\n").database
        assert database.shown == "postgres://db:5432/cw"
        assert database.sqlite_path is None


@pytest.mark.parametrize(
    ("addition", "key"),
    [
        ("rooms: {space: false, join_rule: space}", "rooms.join_rule"),
        ("portals: {map: [{slack: '#a'}, {slack: '#a'}]}", "portals.map[1].slack"),
        ("portals: {map: [{slack: '#a', matrix: '!r:x'}, {slack: '#b', matrix: '!r:x'}]}", "portals.map[1].matrix"),
        ("portals: {map: [{slack: '#a', workspace: other}]}", "portals.map[0].workspace"),
        ("portals: {map: [{slack: general}]}", "portals.map[0].slack"),
        ("portals: {map: []", ""),
        ("files: {max_size: lots}", "files.max_size"),
        ("files: {allow: [png]}", "files.allow[0]"),
        ("catch_up: {look_back: 24}", "catch_up.look_back"),
        ("relay: {name: '{person}'}", "relay.name"),
        ("database: {url: mysql://x}", "database.url"),
        ("logging: loud", "logging"),
        ("admins: '@a:example.org'", "admins"),
    ],
)
def test_values_that_cannot_stand_are_named(problems: Problems, addition: str, key: str) -> None:
    assert [p.key for p in problems(RIGHT + addition + "\n")] == [key]


@pytest.mark.parametrize(
    ("was", "becomes", "key"),
    [
        ("as-token-0123456789", "hs-token-0123456789", "appservice.hs_token"),
        ("  hs_token", "  bot_localpart: slack_a_b\n  hs_token", "appservice.bot_localpart"),
        ("  hs_token", "  ghost_localpart: '{team}_{user}'\n  hs_token", "appservice.ghost_localpart"),
        ("  hs_token", "  ghost_localpart: 'a_{team}{user}'\n  hs_token", "appservice.ghost_localpart"),
        ("  hs_token", "  ghost_localpart: 'a_{team}'\n  hs_token", "appservice.ghost_localpart"),
        ("  hs_token", "  ghost_localpart: 'A_{team}_{user.x}'\n  hs_token", "appservice.ghost_localpart"),
        ("      app_token: xapp-1-abc\n", "", "slack.workspaces[0].app_token"),
        ("  workspaces", "  mode: events\n  workspaces", "slack.events.url"),
        (
            "  workspaces",
            "  mode: events\n  events: {url: 'https://b.example.org'}\n  workspaces",
            "slack.workspaces[0].signing_secret",
        ),
        ("  workspaces", "  api_url: http://slack.example.org/api\n  workspaces", "slack.api_url"),
        ("slack:\n", "people: {live_direct_messages: true}\nslack:\n", "people.live_direct_messages"),
        ("  domain", "  address: matrix.example.org\n  domain", "homeserver.address"),
        ("  domain", "  address: http://a:b@matrix.example.org\n  domain", "homeserver.address"),
        ("  domain", "  address: http://matrix.example.org:99999\n  domain", "homeserver.address"),
    ],
)
def test_settings_that_contradict_each_other_are_named(problems: Problems, was: str, becomes: str, key: str) -> None:
    assert [p.key for p in problems(RIGHT.replace(was, becomes, 1))] == [key]


def test_two_workspaces_need_names_of_their_own_and_mappings_that_name_one(problems: Problems) -> None:
    second = "    - {bot_token: xoxb-2, app_token: xapp-2}\n"
    assert [p.key for p in problems(RIGHT + second)] == ["slack.workspaces[1].name"]
    named = second.replace("{", "{name: two, ")
    assert [p.key for p in problems(RIGHT + named + "portals: {map: [{slack: '#a'}]}\n")] == [
        "portals.map[0].workspace"
    ]


@given(st.text() | st.text(alphabet="ab:-[]{}&*!|>%@#'\"\n\t 1~?,"))
def test_no_text_whatever_breaks_the_reader(text: str) -> None:
    with pytest.raises(ConfigError):
        parse(text, "config.yaml", Path("/"), {})
