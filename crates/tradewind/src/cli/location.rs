//! Finds a desk: its folder, its address, its token.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, bail};
use secrecy::SecretString;
use tradewind_journal::{DeskFile, Disk, LatchFile, RunningDesk};
use tradewind_venues::{Address, Scheme};

use super::Global;
use super::exit::NoDesk;

/// The variable that holds a token, in place of the desk's own file.
const TOKEN_VARIABLE: &str = "TRADEWIND_TOKEN";

/// Where to look for a desk.
#[derive(Clone, Debug)]
pub(super) struct Location {
    pub(super) data_dir: PathBuf,
    url: Option<Address>,
}

impl Location {
    /// What the command line says, or the platform's data home.
    pub(super) fn new(global: &Global) -> anyhow::Result<Self> {
        let data_dir = match &global.data_dir {
            Some(dir) => dir.clone(),
            None => default_data_dir()?,
        };
        let url = global
            .url
            .as_deref()
            .map(|url| Address::parse(url, Scheme::Http));
        Ok(Self {
            data_dir,
            url: url.transpose().context("--url")?,
        })
    }

    /// The desk of a data folder.
    pub(super) const fn local(data_dir: PathBuf) -> Self {
        Self {
            data_dir,
            url: None,
        }
    }

    /// Whether the desk meant is the one of the data folder, not one that was named by its address.
    pub(super) const fn is_local(&self) -> bool {
        self.url.is_none()
    }

    /// Address of the desk: the one given, or the one that the running desk announced.
    pub(super) fn address(&self) -> anyhow::Result<Address> {
        if let Some(url) = &self.url {
            return Ok(url.clone());
        }
        let Some(desk) = self.announced() else {
            return Err(self.no_desk("no desk is running").into());
        };
        Address::parse(&desk.url, Scheme::Http).context("desk.json")
    }

    /// The desk in `desk.json`; it may have ended since.
    pub(super) fn announced(&self) -> Option<RunningDesk> {
        DeskFile::new(Arc::new(Disk), &self.data_dir).read()
    }

    /// The error for a missing desk.
    pub(super) fn no_desk(&self, problem: &str) -> NoDesk {
        let dir = self.data_dir.display();
        NoDesk {
            problem: format!("{problem} in {dir}"),
            cure: format!("start one with: tradewind run --data-dir {dir}"),
        }
    }

    /// The token for the desk at `address`. The file's is only shown to this machine.
    pub(super) fn token(&self, address: &Address) -> anyhow::Result<SecretString> {
        if let Some(token) = std::env::var(TOKEN_VARIABLE)
            .ok()
            .filter(|token| !token.is_empty())
        {
            return Ok(SecretString::from(token));
        }
        if !matches!(address.host(), "127.0.0.1" | "::1" | "localhost") {
            bail!(
                "{address} is another machine and its token is not on this one; set {TOKEN_VARIABLE}"
            );
        }
        self.token_from_file()
    }

    /// The token in the data folder.
    pub(super) fn token_from_file(&self) -> anyhow::Result<SecretString> {
        let path = self.token_path();
        let text = std::fs::read_to_string(&path).with_context(|| {
            let path = path.display();
            format!("cannot read the token in {path}; a desk writes it at its first start, or set {TOKEN_VARIABLE}")
        })?;
        Ok(SecretString::from(text.trim().to_owned()))
    }

    /// Where the token is kept.
    pub(super) fn token_path(&self) -> PathBuf {
        self.data_dir.join("token")
    }

    /// The kill latch of the data folder.
    pub(super) fn latch(&self) -> LatchFile {
        let journal = self.data_dir.join("journal");
        LatchFile::new(Arc::new(Disk), &self.data_dir, &journal)
    }
}

/// The platform's home for data: `$XDG_DATA_HOME/tradewind`, `~/.local/share/tradewind`, or on macOS
/// `~/Library/Application Support/tradewind`.
///
/// # Errors
/// There is no home directory.
pub fn default_data_dir() -> anyhow::Result<PathBuf> {
    let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    if let Some(data_home) = variable("XDG_DATA_HOME") {
        return Ok(Path::new(&data_home).join("tradewind"));
    }
    let home = variable("HOME").context("HOME is not set; name a folder with --data-dir")?;
    let below = if cfg!(target_os = "macos") {
        "Library/Application Support"
    } else {
        ".local/share"
    };
    Ok(Path::new(&home).join(below).join("tradewind"))
}
