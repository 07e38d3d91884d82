//! Commands: what a person at netcat types, and what they and the others read. One conversation for each; the details are
//! the dialect's tests.

use crate::harness::{Client, Ears as _, ann_and_bob};

#[test]
fn direct_message_reaches_one_person_alone() {
    let (server, mut ann, mut bob) = ann_and_bob();
    let mut cat = Client::join(&server, "cat");
    ann.hears("[cat] entered room");
    bob.hears("[cat] entered room");
    ann.says("/msg bob between us");
    bob.hears("<ann to you> between us");
    ann.says("for all");
    bob.hears("<ann> for all");
    cat.hears("<ann> for all");
    ann.says("/msg nobody hi");
    ann.hears("-- nobody here is called 'nobody'; check the spelling, or see who is here");
}

#[test]
fn topic_is_set_read_and_cleared() {
    let (_server, mut ann, mut bob) = ann_and_bob();
    ann.says("/topic today: fish");
    ann.hears("[ann] set the topic: today: fish");
    bob.hears("[ann] set the topic: today: fish");
    bob.says("/topic");
    bob.hears("-- topic of #lobby: today: fish (set by ann)");
    bob.says("/topic -");
    ann.hears("[bob] cleared the topic");
}

#[test]
fn who_names_those_who_are_there() {
    let (_server, mut ann, _bob) = ann_and_bob();
    ann.says("/who");
    ann.hears("-- #lobby has 2: ann, bob");
}

#[test]
fn rooms_are_joined_listed_and_left() {
    let (_server, mut ann, mut bob) = ann_and_bob();
    ann.says("/join kitchen");
    ann.hears("-- you now talk in #kitchen: nobody else is here yet");
    bob.says("/join kitchen");
    bob.hears("-- you now talk in #kitchen: ann is here");
    ann.hears("#kitchen [bob] entered room");
    ann.says("the kettle is on");
    bob.hears("#kitchen <ann> the kettle is on");
    bob.says("/rooms");
    bob.hears("-- #kitchen  2");
    bob.hears("-- #lobby  2");
    ann.says("/leave");
    ann.hears("-- you left #kitchen; you now talk in #lobby");
    bob.hears("#kitchen [ann] left room");
    ann.says("back here");
    bob.hears("<ann> back here");
}

#[test]
fn ignored_member_is_not_heard() {
    let (_server, mut ann, mut bob) = ann_and_bob();
    ann.says("/ignore bob");
    ann.hears("-- you hear nothing of bob any more; /ignore bob again undoes it");
    bob.says("unheard");
    bob.says("/msg ann unheard as well");
    bob.says("/who");
    bob.hears("-- #lobby has 2: ann, bob");
    ann.says("/ignore bob");
    ann.hears("-- you hear bob again");
    bob.says("heard");
    ann.hears("<bob> heard");
}

#[test]
fn who_writes_to_somebody_away_is_told() {
    let (_server, mut ann, mut bob) = ann_and_bob();
    bob.says("/away gone fishing");
    bob.hears("-- you are away: gone fishing");
    ann.says("/msg bob are you there?");
    bob.hears("<ann to you> are you there?");
    ann.hears("-- bob is away: gone fishing");
    ann.says("/who");
    ann.hears("-- #lobby has 2: ann, bob (away)");
}

#[test]
fn help_lists_every_command_and_explains_one() {
    let (_server, mut ann, mut bob) = ann_and_bob();
    ann.says("/help");
    let verbs = [
        "help", "nick", "join", "leave", "msg", "me", "who", "rooms", "topic", "history", "search", "ignore",
        "away", "telnet", "plain", "quit",
    ];
    for verb in verbs {
        let line = ann.line();
        assert!(line.starts_with(&format!("-- /{verb}")), "{line}");
    }
    ann.waits_for("//text");
    ann.says("/help nick");
    ann.hears("-- /nick NAME  changes your name");
    ann.says("/jion dev");
    ann.hears("-- there is no /jion; did you mean /join? see /help");
    ann.says("//help is how one asks");
    bob.hears("<ann> /help is how one asks");
}
