//! The check: silent about what is sound, and each damage has its words.

use super::*;
use history::check;
use std::fs;

/// What is found in a sound file after this was done to it.
fn found_after(sql: &str) -> Vec<String> {
    let directory = written(&eventful());
    tamper(&directory, sql);
    check(directory.path()).unwrap()
}

#[test]
fn sound_file_gives_no_findings_with_and_without_a_journal() {
    let log = eventful();
    let directory = written(&log);
    assert_eq!(check(directory.path()).unwrap(), [""; 0]);
    let _journal = journal(directory.path());
    assert_eq!(check(directory.path()).unwrap(), [""; 0]);
}

#[test]
fn file_after_a_kill_is_sound() {
    let log = eventful();
    let directory = Directory::new();
    let mut journal = journal(directory.path());
    for begin in 0..log.kept.len() {
        journal.commit(&log.batch(begin)).unwrap();
        assert_eq!(check(directory.as_killed().path()).unwrap(), [""; 0]);
    }
}

#[test]
fn file_of_which_the_oldest_was_let_go_is_sound() {
    let log = eventful();
    let directory = written(&log);
    let mut journal = journal(directory.path());
    for facts_max in (0..log.kept.len() as u64).rev() {
        let policy = history::Retention { facts_max: Some(facts_max), ..Default::default() };
        while journal.forget(&policy, hub::Time(0)).unwrap().1 == Remaining::Something {}
        assert_eq!(check(directory.path()).unwrap(), [""; 0], "{facts_max}");
    }
}

#[test]
fn every_damage_is_found() {
    let id = |sequence: u64| 1_u64 << 32 | sequence;
    let table = [
        (
            format!("DELETE FROM facts WHERE id = {}", id(2)),
            "#lobby (room 1): message 2 is neither there nor known to be lost",
        ),
        (
            format!("DELETE FROM facts WHERE id IN ({}, {})", id(4), id(5)),
            "messages 4 to 5 are neither there nor known to be lost",
        ),
        (
            format!("DELETE FROM facts WHERE id = {}", id(15)),
            "message 15 is neither there nor known to be lost",
        ),
        (
            format!("DELETE FROM facts WHERE id = {}", id(14)),
            "messages 9 to 14 are neither there nor known to be lost",
        ),
        (
            "UPDATE facts SET target = target - 2 WHERE kind = 8".into(),
            "message 14 says that something is lost which is there",
        ),
        ("UPDATE rooms SET sequence = 14".into(), "there is a message 15, but its last number is 14"),
        ("UPDATE rooms SET reserved = 3".into(), "its last number is 15, but only 3 are reserved"),
        ("UPDATE rooms SET indexed = 99".into(), "indexed up to 99, but its last number is 15"),
        ("UPDATE rooms SET forgotten = 2".into(), "message 1 is still there, but should have been let go of"),
        ("UPDATE rooms SET facts = 1".into(), "it counts 1 messages of "),
        ("UPDATE rooms SET bytes = 1".into(), "messages of 1 bytes, and has "),
        ("UPDATE rooms SET key = 'other'".into(), "it cannot be found by its name"),
        ("UPDATE rooms SET number = 2".into(), "there are messages of a room 1, which there is not"),
        ("UPDATE facts SET kind = 9 WHERE kind = 5".into(), "message 5 makes no sense"),
        (
            "UPDATE facts SET nick = NULL WHERE kind = 5".into(),
            "message 5 lacks something without which it cannot be shown",
        ),
        (
            "UPDATE facts SET revised = NULL WHERE text = 'a tyop'".into(),
            "message 3 does not show its last change",
        ),
        (
            "UPDATE facts SET revised = 5 WHERE text = 'a tyop'".into(),
            "message 3 is said to be changed by 5, which is no such change",
        ),
        (
            format!("UPDATE facts SET text = 'x' WHERE id = {}", id(6)),
            "message 6 was erased, but its text is still there",
        ),
        (
            format!("UPDATE facts SET text = 'x' WHERE id = {}", id(7)),
            "message 7 changes something that was erased, but its text is still there",
        ),
        (
            format!("UPDATE facts SET target = {} WHERE id = {}", id(1), id(4)),
            "message 4 changes something that nobody said",
        ),
        (
            format!("UPDATE facts SET target = {} WHERE id = {}", id(8), id(4)),
            "message 4 changes something that was not said before it",
        ),
        (
            "UPDATE nonces SET fact = fact + 1".into(),
            "1 nonces name something that their clients did not say",
        ),
        ("UPDATE server SET written = 1".into(), "messages stand behind position 1"),
        ("UPDATE server SET next_room = 1".into(), "there is a room 1, but the next one would be 1"),
        ("UPDATE server SET position = 1".into(), "only 1 are given out"),
        ("UPDATE server SET epoch = -1".into(), "the epoch -1 is none"),
        ("DELETE FROM server".into(), "the file cannot be read"),
        ("DROP TABLE nonces".into(), "the nonces cannot be read any further"),
        ("UPDATE words_data SET block = zeroblob(8) WHERE id > 100".into(), "the file: "),
    ];
    for (sql, expected) in table {
        let found = found_after(&sql);
        assert!(found.iter().any(|finding| finding.contains(expected)), "{sql}: {found:#?}");
    }
}

#[test]
fn findings_show_nothing_that_was_said() {
    let found = found_after("UPDATE facts SET kind = 7; UPDATE rooms SET topic = NULL, indexed = 0");
    let shown = found.join("\n");
    for said in ["morning", "typo", "password", "what is new", "two"] {
        assert!(!shown.contains(said), "{shown}");
    }
}

#[test]
fn endless_damage_is_told_in_bounds() {
    let mut log = Log::open();
    for _ in 0..1_000 {
        log.say("ann", "hello");
    }
    let directory = written(&log);
    tamper(&directory, "UPDATE facts SET kind = 9");
    let found = check(directory.path()).unwrap();
    assert_eq!(found.len(), 101);
    assert!(found[100].starts_with("and ") && found[100].ends_with(" more"), "{}", found[100]);
}

/// Whatever bytes are damaged: it is found or harmless, and nothing panics or hangs.
#[test]
fn any_page_may_be_damaged() {
    let directory = written(&eventful());
    let bytes = fs::read(directory.file()).unwrap();
    let mut found = 0;
    for page in 0..bytes.len() / 4096 {
        for (place, length) in [(0, 4096), (0, 8), (100, 16), (4000, 96)] {
            let mut damaged = bytes.clone();
            let place = page * 4096 + place;
            damaged[place..place + length].fill(0xff);
            let other = Directory::new();
            fs::create_dir_all(other.path()).unwrap();
            fs::write(other.file(), damaged).unwrap();
            match check(other.path()) {
                Ok(findings) => found += usize::from(!findings.is_empty()),
                Err(error) => assert!(!error.to_string().is_empty()),
            }
        }
    }
    assert!(found > bytes.len() / 4096, "{found}");
}

#[test]
fn what_is_no_data_file_cannot_be_checked() {
    let directory = Directory::new();
    assert!(check(directory.path()).unwrap_err().to_string().contains("there is no "));
    fs::create_dir_all(directory.path()).unwrap();
    rusqlite::Connection::open(directory.file()).unwrap().execute_batch("CREATE TABLE a (b)").unwrap();
    assert!(check(directory.path()).unwrap_err().to_string().contains("is no data file of roomful"));
}

#[test]
fn directory_in_which_one_may_not_write_is_said_to_be_one() {
    let directory = written(&eventful());
    let permit = |mode| std::os::unix::fs::PermissionsExt::from_mode(mode);
    fs::set_permissions(directory.path(), permit(0o500)).unwrap();
    let may_write_everywhere = fs::write(directory.path().join("x"), "").is_ok();
    let checked = check(directory.path());
    fs::set_permissions(directory.path(), permit(0o700)).unwrap();
    if may_write_everywhere {
        println!("skipped: whoever runs the tests may write everywhere");
        return;
    }
    let error = checked.unwrap_err().to_string();
    assert!(error.contains("lies in a directory in which you may not write"), "{error}");
}
