//! Files of settings, good and bad, and what is found by what is typed.

use super::*;
use crate::toml_file::PROBLEMS_MAX;
use proptest::prelude::*;

fn settings(text: &str) -> Settings {
    let contents = file::read(text);
    assert!(contents.problems.is_empty(), "{:?}", contents.problems);
    contents.settings
}

fn problems(text: &str) -> Vec<String> {
    let problems = file::read(text).problems;
    problems.iter().map(|problem| format!("{}: {}", problem.line, problem.words)).collect()
}

const TWO_SERVERS: &str = "nick = 'ann'\n[servers.work]\naddress = '[::1]:9000'\nnick = 'ann_b'\nrooms = ['#ops', 'dev']\n\
                           [servers.home]\naddress = 'chat.example'\n";

#[test]
fn nothing_has_to_be_set() {
    assert_eq!(settings(""), Settings::default());
    assert_eq!(settings("# a comment\n"), Settings::default());
}

#[test]
fn everything_is_put_where_it_belongs() {
    let text = "nick = 'ann'\ntheme = 'high-contrast'\nnotify = ['osc9', 'bell', 'osc9']\nnotify_on = 'message'\n\
                highlight = [' deploy ', 'disk full']\nmouse = true\nplain = true\ntime_format = '%H:%M:%S'\n\
                arrivals = 'none'\nmembers = 'never'\nscrollback = 5_000\n";
    let expected = Settings {
        nick: Some("ann".into()),
        theme: Theme::HighContrast,
        notify: vec![Notify::Osc9, Notify::Bell],
        notify_on: NotifyOn::Message,
        highlight: vec!["deploy".into(), "disk full".into()],
        mouse: true,
        plain: true,
        time_format: TimeFormat::parse("%H:%M:%S").unwrap(),
        arrivals: Arrivals::None,
        members: Members::Never,
        scrollback: 5_000,
        servers: BTreeMap::new(),
    };
    assert_eq!(settings(text), expected);
    assert!(settings("notify = []").notify.is_empty());
    assert_eq!(settings("notify = 'osc777'").notify, [Notify::Osc777]);
}

#[test]
fn defaults_are_written_as_they_are_read() {
    let defaults = Settings::default();
    let written = |key: &keys::Key<Settings>| Some(format!("{} = {}\n", key.name, (key.written)(&defaults)?));
    let text: String = keys::KEYS.iter().filter_map(written).collect();
    assert_eq!(settings(&text), defaults);
}

#[test]
fn servers_have_their_names() {
    let settings = settings(TWO_SERVERS);
    let work = Server {
        host: "::1".into(),
        port: 9000,
        nick: Some("ann_b".into()),
        rooms: vec!["ops".into(), "dev".into()],
    };
    assert_eq!(settings.servers["work"], work);
    assert_eq!(settings.servers["home"].port, crate::address::PORT);
}

#[test]
fn name_of_a_server_stands_where_a_host_would() {
    let settings = settings(TWO_SERVERS);
    let found = |typed: &str| {
        let Destination { name, address, rooms } = settings.find(typed).unwrap();
        format!("{} {address} {}", name.as_deref().unwrap_or("-"), rooms.join(","))
    };
    for (typed, meant) in [
        ("work", "work ann_b@[::1]:9000 ops,dev"),
        ("work/dev", "work ann_b@[::1]:9000/dev dev,ops"),
        ("work/#Ops", "work ann_b@[::1]:9000/Ops Ops,dev"),
        ("bob@work/new", "work bob@[::1]:9000/new new,ops,dev"),
        ("home", "home ann@chat.example "),
        ("work:9000", "- ann@work:9000 "),
        ("bob@other/ops", "- bob@other/ops ops"),
    ] {
        assert_eq!(found(typed), meant, "{typed}");
    }
    assert!(settings.find("2pac@work").is_err());
    assert!(settings.find("work/.x").is_err());
    assert_eq!(settings.nearest_server("wrok"), Some("work"));
    assert_eq!(settings.nearest_server("example.org"), None);
}

#[test]
fn unknown_keys_have_their_line_and_a_suggestion() {
    let text = "\nteme = 'dark'\ncolour = 1\naddress = 'h'\n[server.work]\naddress = 'h'\n[zuhause]\n\
                [servers.x]\naddress = 'h'\nadress = 'h'\nmouse = true\ncolour = 1\n";
    assert_eq!(
        problems(text),
        [
            "2: unknown key 'teme'; did you mean 'theme'?",
            "3: unknown key 'colour'; there are nick, theme, notify, notify_on, highlight, mouse, plain, time_format, \
             arrivals, members, scrollback",
            "4: 'address' belongs to a server; write it below [servers.NAME]",
            "5: unknown key 'server'; did you mean [servers.NAME]?",
            "7: unknown section 'zuhause'; if it is a server, write [servers.zuhause]",
            "10: unknown key 'adress' of the server 'x'; did you mean 'address'?",
            "11: 'mouse' is not about one server; write it before the first section",
            "12: unknown key 'colour' of the server 'x'; there are address, nick, rooms",
        ]
    );
}

#[test]
fn values_that_are_not_possible_say_what_would_be() {
    let text = "nick = '2pac'\ntheme = 'solarized'\nnotify = ['beep']\nmouse = 'yes'\nscrollback = 10\n\
                time_format = '%A, the %d of %B'\nhighlight = ['']\nnotify_on = 5\nmembers = ['auto']\n";
    assert_eq!(
        problems(text),
        [
            "1: nick: '2pac' is no nick: it begins with '2'; a letter goes there",
            "2: theme: 'solarized' is none of \"auto\", \"dark\", \"light\", \"high-contrast\" and \"mono\"",
            "3: notify: 'beep' is none of \"bell\", \"osc9\" and \"osc777\"",
            "4: mouse: a string is not possible; write true or false, without quotes",
            "5: scrollback: 10 is not possible; write a number from 1000 to 1000000",
            "6: time_format: '%A, the %d of %B' is too wide: at most 16 characters are shown",
            "7: highlight: '' cannot be looked for; write 1 to 64 characters in one line",
            "8: notify_on: a number is not possible; write \"mention\", \"message\" or \"never\"",
            "9: members: an array is not possible; write \"auto\", \"always\" or \"never\"",
        ]
    );
    assert_eq!(problems("scrollback = 99999999999999999999999").len(), 1);
    assert_eq!(problems("scrollback = -1").len(), 1);
}

#[test]
fn servers_that_are_not_possible_say_why() {
    let text = "[servers.a]\n[servers.b]\naddress = 'ann@h'\n[servers.c]\naddress = 'h/ops'\nrooms = ['.x']\n\
                [servers.'d e']\naddress = 'h'\n[servers.f]\naddress = '::1'\n";
    assert_eq!(
        problems(text),
        [
            "1: the server 'a' has no address; write address = \"HOST:PORT\" below it",
            "3: address: a nick stands in its own key; write nick = \"ann\"",
            "5: address: a room stands in its own key; write rooms = [\"ops\"]",
            "6: rooms: '.x' is no name for a room: it begins with '.'; a letter goes there",
            "7: 'd e' is no name for a server; write 1 to 64 letters, digits, '-', '_' and '.'",
            "10: address: an address of IPv6 stands in brackets; write [::1], or [::1]:8008",
        ]
    );
    assert_eq!(
        problems("servers = 'h'"),
        ["1: servers: write a section for each server, such as [servers.work]"]
    );
    assert_eq!(
        problems("servers.work = 'h'"),
        ["1: 'work' is no server; write a section [servers.work] with an address"]
    );
}

#[test]
fn file_of_mistakes_is_told_in_part() {
    let rows: Vec<String> = (0..5_000).map(|number| format!("key{number} = 1")).collect();
    let contents = file::read(&rows.join("\n"));
    assert_eq!((contents.problems.len(), contents.untold), (PROBLEMS_MAX, 5_000 - PROBLEMS_MAX));
    let problem = SettingsProblem::Wrong {
        file: "s.toml".into(),
        problems: contents.problems,
        untold: contents.untold,
    };
    assert!(problem.to_string().ends_with("\ns.toml: and 4900 more problems"));
}

#[test]
fn missing_file_is_a_problem_only_if_somebody_named_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("client.toml");
    assert_eq!(Settings::read(&SettingsPlace::Nowhere), Ok(Settings::default()));
    assert_eq!(Settings::read(&SettingsPlace::Usual(file.clone())), Ok(Settings::default()));
    let problem = Settings::read(&SettingsPlace::Named(file.clone())).unwrap_err().to_string();
    assert!(problem.starts_with("cannot read ") && problem.contains("client.toml"), "{problem}");
    std::fs::write(&file, "mouse = true\nx = \n").unwrap();
    let problem = Settings::read(&SettingsPlace::Usual(file.clone())).unwrap_err().to_string();
    assert!(problem.starts_with(&format!("{}:2: this is not TOML: ", file.display())), "{problem}");
}

proptest! {
    #[test]
    fn whatever_stands_in_a_file_is_read_or_told_in_harmless_words(
        text in prop_oneof![
            any::<String>(),
            "((nick|theme|notify|scrollback|rooms|\\[servers\\.[a-c\"\u{1b}]{1,2}\\]|servers|address)( = |\\.)?(\\[|\"|'|1|true|x|\\{)*[\\]\"'\\}]*\n){0,6}",
        ],
    ) {
        let contents = file::read(&text);
        for problem in contents.problems {
            prop_assert!(problem.line > 0);
            prop_assert!(problem.words.chars().all(hub::is_showable), "{:?}", problem.words);
        }
    }
}
