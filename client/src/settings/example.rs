//! A file with every setting and its default, to begin one's own with.
//!
//! Where it stands: made of the tables of keys, and printed for whoever asks for it.
//!
//! What this file must never do: write what the reader of settings would refuse.

use super::Settings;
use super::keys::{KEYS, Key, SERVER_KEYS, ServerDraft};
use crate::toml_file::comment;
use std::fmt::Write as _;

/// Writes the file. Servers are an example, in comments.
pub fn example() -> String {
    let mut file = String::new();
    comment(
        "The settings of the client: every key with its default. It is read from roomful/client.toml in the directory of one's \
         configuration, which is ~/.config unless XDG_CONFIG_HOME says otherwise.",
        &mut file,
    );
    for key in KEYS {
        describe(key, &mut file);
        // Writing to a string cannot fail.
        let _ = match (key.written)(&Settings::default()) {
            Some(default) => writeln!(file, "{} = {default}", key.name),
            None => writeln!(file, "# {} = {}", key.name, key.example),
        };
    }
    file.push('\n');
    comment(
        "A server by a name that `roomful join work` and all other commands know. There may be several.",
        &mut file,
    );
    file.push_str("#\n# [servers.work]\n");
    for key in SERVER_KEYS {
        server_key(key, &mut file);
    }
    file
}

fn describe(key: &Key<Settings>, file: &mut String) {
    file.push('\n');
    comment(&format!("{}.", key.help), file);
    comment(key.more, file);
    for (word, help) in (key.words)() {
        comment(&format!("- {word}: {help}"), file);
    }
    comment(&format!("Write {}.", (key.allowed)()), file);
}

fn server_key(key: &Key<ServerDraft>, file: &mut String) {
    // Writing to a string cannot fail.
    let _ = writeln!(file, "# {} = {} # {}", key.name, key.example, key.help.to_lowercase());
}
