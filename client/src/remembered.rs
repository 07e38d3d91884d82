//! What the client remembers between its runs, for each server and each name that one has there: the secret by which the server
//! knows us again, the rooms, how far they were read, and what was typed but not sent.
//!
//! Where it stands: read before the first connection, saved while the client runs and when it ends. Not from the thread that
//! draws: saving waits for the disk.
//!
//! Two programs that used one secret would take it from each other. So the first one locks the file, and another one works
//! without remembering anything.
//!
//! What this file must never do: keep a text of somebody else, show the secret to other people of the machine, leave half a file,
//! or keep anybody from chatting because something is wrong with it.

use crate::address::Address;
use rustix::fs::{FlockOperation, OFlags, flock};
use serde::{Deserialize, Serialize};
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

/// What a program of another version wrote may mean something else.
const VERSION: u32 = 1;
/// So many rooms and conversations of a server are remembered.
pub(crate) const ROOMS_MAX: usize = 1_000;
/// So much of a draft is: what a message may have.
pub(crate) const DRAFT_BYTES_MAX: usize = hub::TEXT_BYTES_MAX;
/// All drafts at their longest, with every byte escaped as line feeds are, and some room for the rest.
const FILE_BYTES_MAX: u64 = (2 * ROOMS_MAX * DRAFT_BYTES_MAX + 1024 * 1024) as u64;
/// A secret and an epoch have far fewer.
const TOKEN_BYTES_MAX: usize = 128;
/// Longer names of files do not fit once `.damaged` stands behind them.
const NAME_BYTES_MAX: usize = 240;

/// What is remembered of one server.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct State {
    /// By which the server knows us again; as secret as a password.
    pub secret: Option<String>,
    /// Names the history that the sequences are of.
    pub epoch: Option<String>,
    /// What one was called last, which may not be what one wanted to be called.
    pub nick: Option<String>,
    /// Rooms and conversations, in the order in which they stood.
    pub rooms: Vec<Room>,
}

/// What is remembered of a room, or of a conversation.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Room {
    /// Its name, or `@` and the conversation's number.
    pub name: String,
    /// The last sequence that somebody has seen there.
    pub read: Option<u64>,
    /// What was typed there and not sent.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub draft: String,
    /// Whether one had left it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_closed: bool,
}

/// What there was, and where the rest goes.
#[derive(Debug)]
pub(crate) struct Remembered {
    /// Where to save; nothing is remembered without it.
    pub store: Option<Store>,
    /// What was remembered; nothing if this is the first time.
    pub state: State,
    /// What one should be told, once.
    pub remark: Option<String>,
}

/// A file that is ours alone as long as this is there.
#[derive(Debug)]
pub(crate) struct Store {
    file: PathBuf,
    /// As it stands in the file, so that nothing is written twice.
    saved: Vec<u8>,
    /// Locked until it is closed.
    _lock: File,
}

/// The file, with its version in front.
#[derive(Serialize)]
struct Contents {
    version: u32,
    #[serde(flatten)]
    state: State,
}

/// What is looked at before anything else: the rest may mean something else.
#[derive(Deserialize)]
struct Head {
    version: u32,
}

impl Remembered {
    /// Opens what is remembered of the server at this address, for the nick in it, in this directory. It always succeeds: at worst
    /// nothing is remembered, and the remark says why.
    pub(crate) fn open(directory: Option<&Path>, address: &Address) -> Remembered {
        let Some(directory) = directory else {
            return nothing(
                "nothing is remembered: there is no home directory; set HOME or XDG_STATE_HOME".into(),
            );
        };
        let Some(name) = file_name(address) else {
            return nothing(
                "nothing is remembered: the names of host and nick are too long for a file".into(),
            );
        };
        let file = directory.join(name);
        let lock = match make_private(directory).and_then(|()| lock(&with_suffix(&file, "lock"))) {
            Ok(Some(lock)) => lock,
            Ok(None) => {
                let nick = address.nick.as_ref().map_or(String::new(), |nick| format!(" as {nick}"));
                let server = address.server();
                return nothing(format!(
                    "another window is at {server}{nick}; this one remembers nothing when it is closed"
                ));
            }
            Err(error) => {
                return nothing(format!(
                    "nothing is remembered: cannot use {}: {error}",
                    directory.display()
                ));
            }
        };
        let store = Store { file, saved: Vec::new(), _lock: lock };
        match store.read() {
            Ok(state) => Remembered { store: Some(store), state, remark: None },
            Err(why) => store.put_aside(&why),
        }
    }
}

fn nothing(remark: String) -> Remembered {
    Remembered { store: None, state: State::default(), remark: Some(remark) }
}

impl Store {
    /// Saves all of it, or nothing: whatever happens, the file holds the old or the new. Waits for the disk, but only if something
    /// has changed. What is beyond the bounds is left out.
    ///
    /// # Errors
    /// If the file cannot be written; it is as it was then.
    pub(crate) fn save(&mut self, state: &State) -> io::Result<()> {
        let contents = Contents { version: VERSION, state: state.clone().fitted() };
        let bytes = serde_json::to_vec(&contents)?;
        if bytes == self.saved {
            return Ok(());
        }
        let directory = self.file.parent().unwrap_or(Path::new("."));
        // Its mode is 0600 from the beginning.
        let mut next = tempfile::Builder::new().prefix(".saving-").tempfile_in(directory)?;
        next.write_all(&bytes)?;
        next.as_file().sync_data()?;
        next.persist(&self.file)?;
        self.saved = bytes;
        Ok(())
    }

    /// What stands in the file; nothing if there is none.
    fn read(&self) -> Result<State, String> {
        let bytes = match bytes_of(&self.file) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(State::default()),
            Err(error) => return Err(error.to_string()),
        };
        let head: Head = serde_json::from_slice(&bytes).map_err(|error| error.to_string())?;
        if head.version != VERSION {
            return Err(format!("it is of version {}, and this is {VERSION}", head.version));
        }
        let state: State = serde_json::from_slice(&bytes).map_err(|error| error.to_string())?;
        Ok(state.fitted())
    }

    /// Begins anew, and leaves what cannot be read to whoever wants to look at it.
    fn put_aside(self, why: &str) -> Remembered {
        let aside = with_suffix(&self.file, "damaged");
        let remark = format!("what was remembered cannot be read: {why}; it is now {}", aside.display());
        match fs::rename(&self.file, &aside) {
            Ok(()) => Remembered { store: Some(self), state: State::default(), remark: Some(remark) },
            Err(error) => nothing(format!(
                "nothing is remembered: {} cannot be read ({why}) and not be moved away: {error}",
                self.file.display()
            )),
        }
    }
}

impl State {
    /// Without what is beyond the bounds, and what cannot be: somebody may have edited the file.
    fn fitted(mut self) -> State {
        let is_token = |token: &String| {
            token.len() <= TOKEN_BYTES_MAX && token.bytes().all(|byte| byte.is_ascii_alphanumeric())
        };
        self.secret = self.secret.filter(is_token);
        self.epoch = self.epoch.filter(is_token);
        self.nick = self.nick.filter(|nick| hub::Nick::parse(nick).is_ok());
        self.rooms.retain(|room| is_place(&room.name));
        self.rooms.truncate(ROOMS_MAX);
        for room in &mut self.rooms {
            room.draft.retain(|character| matches!(character, '\n' | '\t') || hub::is_showable(character));
            cut(&mut room.draft);
        }
        self
    }
}

/// A room, or a conversation.
fn is_place(name: &str) -> bool {
    match name.strip_prefix('@') {
        Some(number) => number.bytes().all(|byte| byte.is_ascii_digit()) && number.parse::<u64>().is_ok(),
        None => !name.starts_with('#') && hub::RoomName::parse(name).is_ok(),
    }
}

/// Cuts a draft between two characters.
fn cut(draft: &mut String) {
    let fits = |end: &usize| draft.is_char_boundary(*end);
    let end = (0..=DRAFT_BYTES_MAX.min(draft.len())).rev().find(fits).unwrap_or(0);
    draft.truncate(end);
}

/// `ann@chat.example:8008`, however it was typed; none if that cannot be a file's name.
fn file_name(address: &Address) -> Option<String> {
    let server = address.server().to_lowercase();
    let name = match &address.nick {
        Some(nick) => format!("{}@{server}", hub::key_of(nick)),
        None => server,
    };
    let is_possible = name.len() <= NAME_BYTES_MAX && !name.contains(['/', '\0']) && !name.starts_with('.');
    is_possible.then_some(name)
}

/// `with_extension` would take the last part of a host's name away.
fn with_suffix(file: &Path, suffix: &str) -> PathBuf {
    let mut path = file.as_os_str().to_owned();
    path.push(".");
    path.push(suffix);
    path.into()
}

/// Makes the directory, or makes it private if others may look into it.
fn make_private(directory: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    if is_open_to_others(&fs::metadata(directory)?) {
        fs::set_permissions(directory, Permissions::from_mode(0o700))?;
    }
    Ok(())
}

fn is_open_to_others(metadata: &fs::Metadata) -> bool {
    let others = metadata.permissions().mode() & 0o077;
    others != 0
}

/// Locks a file; `None` if somebody else has. It is another file than the one that is locked for, because that one is replaced.
/// It stays there: to remove it would let two programs lock two files of one name.
fn lock(file: &Path) -> io::Result<Option<File>> {
    let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(file)?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(Some(file)),
        Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The bytes of a regular file that nobody else may read from now on.
fn bytes_of(file: &Path) -> io::Result<Vec<u8>> {
    // Somebody may have put a FIFO there, whose opening would wait.
    let without_waiting = OFlags::NONBLOCK.bits().cast_signed();
    let opened = OpenOptions::new().read(true).custom_flags(without_waiting).open(file)?;
    let metadata = opened.metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::other("it is no regular file"));
    }
    if is_open_to_others(&metadata) {
        opened.set_permissions(Permissions::from_mode(0o600))?;
    }
    let mut bytes = Vec::new();
    opened.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(io::Error::other(format!("it has more than {FILE_BYTES_MAX} bytes")));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::ffi::OsString;

    fn address(typed: &str) -> Address {
        Address::parse(typed).unwrap()
    }

    fn open(folder: &Path, typed: &str) -> Remembered {
        Remembered::open(Some(folder), &address(typed))
    }

    fn some_state() -> State {
        let draft = "half a\nthought".to_owned();
        State {
            secret: Some("0123456789abcdef".into()),
            epoch: Some("28t5cy4t".into()),
            nick: Some("ann-2".into()),
            rooms: vec![
                Room { name: "lobby".into(), read: Some(17), draft, is_closed: false },
                Room { name: "@3".into(), read: None, draft: String::new(), is_closed: true },
            ],
        }
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    fn names(folder: &Path) -> Vec<OsString> {
        let mut names: Vec<OsString> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    }

    #[test]
    fn what_was_saved_is_there_at_the_next_start() {
        let folder = tempfile::tempdir().unwrap();
        let mut first = open(folder.path(), "ann@h");
        assert_eq!((first.state, first.remark), (State::default(), None));
        first.store.as_mut().unwrap().save(&some_state()).unwrap();
        drop(first.store);
        let second = open(folder.path(), "Ann@H:8008/ops");
        assert_eq!((second.state, second.remark), (some_state(), None));
        for other in ["ann@h:9", "bob@h", "h", "ann@[::1]"] {
            assert_eq!(open(folder.path(), other).state, State::default(), "{other}");
        }
    }

    #[test]
    fn second_window_remembers_nothing_until_the_first_is_closed() {
        let folder = tempfile::tempdir().unwrap();
        let first = open(folder.path(), "ann@h");
        let second = open(folder.path(), "ann@h");
        assert!(second.store.is_none());
        assert_eq!(
            second.remark.unwrap(),
            "another window is at h:8008 as ann; this one remembers nothing when it is closed"
        );
        assert!(open(folder.path(), "bob@h").store.is_some());
        drop(first);
        assert!(open(folder.path(), "ann@h").store.is_some());
    }

    #[test]
    fn nobody_else_may_look_at_it() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("state/roomful");
        let mut remembered = open(&folder, "ann@h");
        remembered.store.as_mut().unwrap().save(&some_state()).unwrap();
        drop(remembered);
        let file = folder.join("ann@h:8008");
        assert_eq!((mode(&folder), mode(&file)), (0o700, 0o600));
        assert_eq!(names(&folder), ["ann@h:8008", "ann@h:8008.lock"]);
        fs::set_permissions(&folder, Permissions::from_mode(0o755)).unwrap();
        fs::set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
        assert_eq!(open(&folder, "ann@h").state, some_state());
        assert_eq!((mode(&folder), mode(&file)), (0o700, 0o600));
    }

    #[test]
    fn damaged_file_is_put_aside_and_told_once() {
        let whole = serde_json::to_vec(&Contents { version: VERSION, state: some_state() }).unwrap();
        let other_version = serde_json::to_vec(&Contents { version: 2, state: some_state() }).unwrap();
        for (bytes, why) in [
            (&whole[..whole.len() - 1], "EOF while parsing"),
            (&[0, 0xff, 0], "expected value"),
            (b"", "EOF while parsing"),
            (b"{\"version\":1,\"secret\":5}", "invalid type"),
            (&other_version, "it is of version 2, and this is 1"),
        ] {
            let folder = tempfile::tempdir().unwrap();
            let file = folder.path().join("ann@h:8008");
            fs::write(&file, bytes).unwrap();
            let remembered = open(folder.path(), "ann@h");
            let remark = remembered.remark.unwrap();
            assert!(remark.contains(why) && remark.ends_with("ann@h:8008.damaged"), "{remark}");
            assert_eq!(remembered.state, State::default());
            remembered.store.unwrap().save(&some_state()).unwrap();
            assert_eq!(fs::read(folder.path().join("ann@h:8008.damaged")).unwrap(), bytes);
            let next = open(folder.path(), "ann@h");
            assert_eq!((next.state, next.remark), (some_state(), None));
        }
    }

    #[test]
    fn what_is_no_file_is_put_aside_as_well() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("ann@h:8008")).unwrap();
        let remembered = open(folder.path(), "ann@h");
        assert!(remembered.remark.unwrap().contains("it is no regular file"));
        assert!(remembered.store.is_some());
    }

    #[test]
    fn nobody_is_kept_from_chatting() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        let remark = |remembered: Remembered| {
            assert!(remembered.store.is_none());
            remembered.remark.unwrap()
        };
        assert!(remark(Remembered::open(None, &address("h"))).contains("set HOME"));
        assert!(remark(open(&file.join("roomful"), "h")).starts_with("nothing is remembered: cannot use "));
        assert!(remark(open(folder.path(), &"h".repeat(250))).contains("too long"));
        let mut store = open(&folder.path().join("gone"), "h").store.unwrap();
        fs::remove_dir_all(folder.path().join("gone")).unwrap();
        assert!(store.save(&some_state()).is_err());
    }

    #[test]
    fn what_has_not_changed_is_not_written_again() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = open(folder.path(), "h").store.unwrap();
        store.save(&some_state()).unwrap();
        fs::remove_file(folder.path().join("h:8008")).unwrap();
        store.save(&some_state()).unwrap();
        assert!(!folder.path().join("h:8008").exists());
        store.save(&State::default()).unwrap();
        assert!(folder.path().join("h:8008").exists());
    }

    #[test]
    fn only_what_is_within_the_bounds_is_remembered() {
        let room = |name: &str, draft: &str| Room {
            name: name.into(),
            read: None,
            draft: draft.into(),
            is_closed: false,
        };
        let mut rooms: Vec<Room> = (0..2 * ROOMS_MAX).map(|number| room(&format!("r{number}"), "")).collect();
        rooms[0].draft = format!("a{}", "漢".repeat(DRAFT_BYTES_MAX));
        rooms[1].draft = "a\u{1b}[2J\u{202e}b\n\tc".into();
        rooms.insert(2, room("@x", ""));
        rooms.insert(2, room(".no", ""));
        rooms.insert(2, room("#lobby", ""));
        let (secret, nick) = (Some("\u{1b}[2J".into()), Some("2pac".into()));
        let fitted = State { secret, epoch: Some("x".repeat(129)), nick, rooms }.fitted();
        assert_eq!((fitted.secret, fitted.epoch, fitted.nick), (None, None, None));
        assert_eq!(fitted.rooms.len(), ROOMS_MAX);
        assert_eq!(fitted.rooms[0].draft.len(), DRAFT_BYTES_MAX);
        assert_eq!(fitted.rooms[1].draft, "a[2Jb\n\tc");
        assert_eq!(fitted.rooms[2].name, "r2");
    }

    #[test]
    fn as_much_as_can_be_remembered_can_be_read() {
        let folder = tempfile::tempdir().unwrap();
        let room = |number| Room {
            name: format!("r{number}"),
            read: Some(u64::MAX),
            draft: "\n".repeat(DRAFT_BYTES_MAX),
            is_closed: false,
        };
        let state = State { rooms: (0..ROOMS_MAX).map(room).collect(), ..some_state() };
        open(folder.path(), "h").store.unwrap().save(&state).unwrap();
        assert_eq!(open(folder.path(), "h").state, state);
    }

    proptest! {
        #[test]
        fn whatever_stands_in_the_file_somebody_can_chat(
            bytes in prop_oneof![
                any::<Vec<u8>>(),
                "\\{\"version\":[12](,\"(secret|epoch|nick|rooms)\":(null|\"[a-z]{0,3}\"|\\[\\{\"name\":\"@?[0-9]{1,25}\"\\}\\]|[0-9]{1,30}|\\{\\})){0,4}\\}?"
                    .prop_map(String::into_bytes),
            ],
        ) {
            let folder = tempfile::tempdir().unwrap();
            fs::write(folder.path().join("h:8008"), &bytes).unwrap();
            let remembered = open(folder.path(), "h");
            prop_assert!(remembered.store.is_some());
            prop_assert_eq!(remembered.remark.is_some(), folder.path().join("h:8008.damaged").exists());
        }
    }
}
