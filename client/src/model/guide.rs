//! The tables in `docs/client.md`: made of those of the program by tests, which then hold the page to them. To write them anew:
//!
//! ```text
//! REWRITE_REFERENCE=1 cargo test -p client in_the_guide
//! ```
//!
//! What this file must never do: be part of the program.

/// What stands between the marks of this name is this table.
pub(super) fn check(mark: &str, table: &str) {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/client.md");
    let page = || std::fs::read_to_string(path).expect("the page is part of the repository");
    let (begin, end) = (format!("<!-- {mark} -->\n"), format!("<!-- /{mark} -->"));
    let written = |page: &str| {
        let (_, behind) = page.split_once(&begin).expect("the table has a beginning");
        behind.split_once(&end).expect("the table has an end").0.to_owned()
    };
    // Two tests may write at the same time: each keeps what is the other's.
    let alone = std::fs::File::open(path).expect("the page is part of the repository");
    alone.lock().expect("the page can be locked");
    if std::env::var_os("REWRITE_REFERENCE").is_some() {
        let page = page();
        let right =
            page.replacen(&format!("{begin}{}{end}", written(&page)), &format!("{begin}{table}{end}"), 1);
        std::fs::write(path, right).expect("the folder can be written to");
    }
    let is_right = written(&page()) == table;
    assert!(is_right, "write it anew: REWRITE_REFERENCE=1 cargo test -p client in_the_guide");
}
