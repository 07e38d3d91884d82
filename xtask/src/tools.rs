//! What the checks need from outside Rust's own world, and how it gets here.
//!
//! On a build machine (root, Debian) what is missing is installed. On a person's machine nothing is: we say
//! exactly what to type. Whether a tool is there is asked of the tool itself, not of a package list, so that any
//! way of installing it counts. Must never install over something that works.

use crate::command::{answer, cargo, run, self_description};
use anyhow::{Context, Result, bail};
use std::process::Command;

struct Tool {
    /// What a person calls it.
    name: &'static str,
    /// How it is asked about itself.
    program: &'static str,
    flag: &'static str,
    /// What its answer must contain to be the right one: there are several programs called `nc`.
    says: &'static str,
    source: Source,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    /// A package of Debian.
    Debian(&'static str),
    /// A component of the Rust toolchain.
    Rustup(&'static str),
}

const TOOLS: [Tool; 10] = [
    Tool {
        name: "rustfmt",
        program: "rustfmt",
        flag: "--version",
        says: "rustfmt 1",
        source: Source::Rustup("rustfmt"),
    },
    Tool {
        name: "clippy",
        program: "cargo-clippy",
        flag: "--version",
        says: "clippy 0",
        source: Source::Rustup("clippy"),
    },
    // People at netcat are the first plug, and this is the netcat that they have.
    Tool {
        name: "OpenBSD's nc",
        program: "nc",
        flag: "-h",
        says: "OpenBSD",
        source: Source::Debian("netcat-openbsd"),
    },
    Tool { name: "socat", program: "socat", flag: "-V", says: "socat", source: Source::Debian("socat") },
    // People at telnet have their line edited; this is the telnet that Debian has.
    Tool {
        name: "GNU's telnet",
        program: "telnet",
        flag: "--version",
        says: "GNU inetutils",
        source: Source::Debian("inetutils-telnet"),
    },
    // What the servers among the examples are asked with.
    Tool { name: "curl", program: "curl", flag: "--version", says: "curl ", source: Source::Debian("curl") },
    // Whose servers ours are compared with.
    Tool {
        name: "Python",
        program: "python3",
        flag: "--version",
        says: "Python 3",
        source: Source::Debian("python3"),
    },
    // Makes the network in which peers vanish.
    Tool { name: "ip", program: "ip", flag: "-V", says: "iproute2", source: Source::Debian("iproute2") },
    // Has the disk fail under a server.
    Tool {
        name: "strace",
        program: "strace",
        flag: "--version",
        says: "strace -- version",
        source: Source::Debian("strace"),
    },
    // Its callgrind counts instructions.
    Tool {
        name: "valgrind",
        program: "valgrind",
        flag: "--version",
        says: "valgrind-3",
        source: Source::Debian("valgrind"),
    },
];

/// Makes sure that every tool is there.
///
/// # Errors
/// When one is missing and cannot be installed from here; the text says what to type.
pub(crate) fn provide() -> Result<()> {
    let missing = missing();
    if missing.is_empty() {
        println!("everything is there");
        return Ok(());
    }
    let components = rustup_components(&missing);
    if !components.is_empty() {
        install_components(&components)?;
    }
    let packages = debian_packages(&missing);
    if !packages.is_empty() {
        install_packages(&packages)?;
    }
    let still: Vec<_> = self::missing().iter().map(|tool| tool.name).collect();
    if !still.is_empty() {
        bail!("installed, but still not found on the PATH: {}", still.join(", "));
    }
    Ok(())
}

fn missing() -> Vec<&'static Tool> {
    TOOLS.iter().filter(|tool| !is_there(tool)).collect()
}

fn is_there(tool: &Tool) -> bool {
    self_description(tool.program, tool.flag).is_some_and(|text| text.contains(tool.says))
}

fn rustup_components(tools: &[&Tool]) -> Vec<&'static str> {
    tools
        .iter()
        .filter_map(|tool| match tool.source {
            Source::Rustup(component) => Some(component),
            Source::Debian(_) => None,
        })
        .collect()
}

fn debian_packages(tools: &[&Tool]) -> Vec<&'static str> {
    tools
        .iter()
        .filter_map(|tool| match tool.source {
            Source::Debian(package) => Some(package),
            Source::Rustup(_) => None,
        })
        .collect()
}

fn install_components(components: &[&str]) -> Result<()> {
    let typed = format!("rustup component add {}", components.join(" "));
    run(Command::new("rustup").args(["component", "add"]).args(components))
        .with_context(|| format!("install them with your toolchain, or with: {typed}"))
}

fn install_packages(packages: &[&str]) -> Result<()> {
    let names = packages.join(" ");
    if self_description("apt-get", "--version").is_none() {
        bail!("missing, and there is no apt here: install what Debian calls {names}");
    }
    if !is_root()? {
        bail!("missing, and only root may install it\nhint: sudo apt-get install {names}");
    }
    // Mirrors have bad moments. A second try costs nothing; a third would hide a real fault.
    let first = update_and_install(packages);
    first.or_else(|error| {
        println!("{error:#}\ntrying once more");
        update_and_install(packages)
    })
}

fn update_and_install(packages: &[&str]) -> Result<()> {
    run(apt_get().args(["--quiet", "--quiet", "update"]))?;
    run(apt_get().args(["--quiet", "--quiet", "--yes", "--no-install-recommends", "install"]).args(packages))
}

fn apt_get() -> Command {
    let mut command = Command::new("apt-get");
    command.env("DEBIAN_FRONTEND", "noninteractive");
    command
}

fn is_root() -> Result<bool> {
    Ok(answer(Command::new("id").arg("-u"))?.trim() == "0")
}

/// Makes sure that `cargo deny` is there; building it takes minutes, so only the long run asks for it.
///
/// # Errors
/// When it is missing and cannot be built.
pub(crate) fn provide_cargo_deny() -> Result<()> {
    if self_description("cargo-deny", "--version").is_some() {
        return Ok(());
    }
    run(&mut cargo(&["install", "cargo-deny", "--locked"]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tool(program: &'static str, flag: &'static str, says: &'static str) -> Tool {
        Tool { name: program, program, flag, says, source: Source::Debian("none") }
    }

    #[test]
    fn program_that_does_not_exist_is_missing() {
        assert!(!is_there(&tool("no-program-has-this-name", "-h", "")));
    }

    #[test]
    fn program_of_the_same_name_that_is_another_one_counts_as_missing() {
        assert!(is_there(&tool("rustc", "--version", "rustc")));
        assert!(!is_there(&tool("rustc", "--version", "OpenBSD")));
    }

    #[test]
    fn each_missing_tool_is_asked_of_the_source_that_has_it() {
        let all: Vec<&Tool> = TOOLS.iter().collect();
        let packages = [
            "netcat-openbsd",
            "socat",
            "inetutils-telnet",
            "curl",
            "python3",
            "iproute2",
            "strace",
            "valgrind",
        ];
        assert_eq!(debian_packages(&all), packages);
        assert_eq!(rustup_components(&all), ["rustfmt", "clippy"]);
    }
}
