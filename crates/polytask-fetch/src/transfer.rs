//! What happens in one attempt to get the rest of a file?
//!
//! The rest is asked for with `Range`, and with `If-Range` where the server has named the version, so that bytes of two
//! versions are never joined. A server that answers with the whole file is taken at its word: the bytes of before go.
//!
//! Reference: Fielding, Nottingham and Reschke, "HTTP Semantics", RFC 9110, 2022, sections 13.1.5 and 14.

use std::error::Error as StdError;
use std::io::{ErrorKind, Read, Write};

use ureq::http::{HeaderMap, Response};
use ureq::{Agent, Body};

use crate::error::Error;
use crate::fetch::{Event, Tell};
use crate::partial::{Partial, Version};

/// Why an attempt did not bring the whole file.
pub(crate) enum Failed {
    /// Another attempt may bring it.
    Again(String),
    /// The server has trouble or wants rest; another attempt may bring it.
    Trouble(u16),
    /// No attempt will.
    Final(Error),
}

impl From<Error> for Failed {
    fn from(error: Error) -> Failed {
        Failed::Final(error)
    }
}

/// Whether bytes may be added to those of before where the server has not named their version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Blind {
    /// A hash will tell whether they fit.
    Allowed,
    /// Nothing would.
    Refused,
}

/// Asks for what is missing of a file and takes what comes.
///
/// # Errors
/// Where the file is not whole afterwards; what came is kept.
pub(crate) fn attempt(agent: &Agent, partial: &mut Partial, blind: Blind, tell: Tell<'_>) -> Result<(), Failed> {
    if partial.received > 0 && partial.version.validator.is_none() && blind == Blind::Refused {
        let url = partial.version.url.clone();
        partial.restart(Version { url, ..Version::default() })?;
    }
    let (from, url) = (partial.received, partial.version.url.clone());
    if from > 0 && partial.version.total == Some(from) {
        return Ok(());
    }
    let mut request = agent.get(&url);
    if from > 0 {
        request = request.header("range", format!("bytes={from}-"));
        if let Some(validator) = &partial.version.validator {
            request = request.header("if-range", validator);
        }
    }
    let response = request.call().map_err(|error| failure(&url, error))?;
    if begin(&response, partial)? == Begun::Whole {
        return Ok(());
    }
    let headers = response.headers();
    let is_page = text_of(headers, "content-type").is_some_and(|kind| kind.starts_with("text/html"));
    if is_page && !url.ends_with("html") {
        return Err(Error::Page { url }.into());
    }
    let total = partial.version.total;
    tell(Event::Begins { from: partial.received, total });
    receive(response, partial, tell)?;
    match total {
        Some(total) if partial.received < total => {
            Err(Failed::Again(format!("the connection ends after {} of {total} bytes", partial.received)))
        }
        _ => Ok(()),
    }
}

#[derive(PartialEq, Eq)]
enum Begun {
    /// Bytes will come.
    Body,
    /// All bytes have come before.
    Whole,
}

/// Looks at the answer, and makes the file ready for what comes.
fn begin(response: &Response<Body>, partial: &mut Partial) -> Result<Begun, Failed> {
    let (headers, url) = (response.headers(), partial.version.url.clone());
    let range = text_of(headers, "content-range").and_then(Range::parse);
    let validator = validator(headers);
    match response.status().as_u16() {
        200 => {
            let total = text_of(headers, "content-length").and_then(|length| length.parse().ok());
            partial.restart(Version { url, validator, total })?;
            Ok(Begun::Body)
        }
        206 => {
            let fits = range.is_some_and(|range| range.start == Some(partial.received))
                && (validator.is_none()
                    || partial.version.validator.is_none()
                    || validator == partial.version.validator);
            let total = range.and_then(|range| range.total);
            let same = partial.version.total.is_none() || total.is_none() || partial.version.total == total;
            if !(fits && same) {
                partial.restart(Version { url, ..Version::default() })?;
                return Err(Failed::Again("the server sends another part than it was asked for".to_string()));
            }
            let total = total.or(partial.version.total);
            if total != partial.version.total {
                let validator = partial.version.validator.clone();
                partial.describe(Version { url, validator, total })?;
            }
            Ok(Begun::Body)
        }
        416 if partial.received > 0 => {
            if range.is_some_and(|range| range.start.is_none() && range.total == Some(partial.received)) {
                return Ok(Begun::Whole);
            }
            partial.restart(Version { url, ..Version::default() })?;
            Err(Failed::Again("the file there is shorter than what has come of it".to_string()))
        }
        status @ (408 | 425 | 429 | 500..=599) => Err(Failed::Trouble(status)),
        status => Err(Error::Status { url, status }.into()),
    }
}

/// Takes the bytes of an answer.
fn receive(response: Response<Body>, partial: &mut Partial, tell: Tell<'_>) -> Result<(), Failed> {
    let url = partial.version.url.clone();
    let mut body = response.into_body().into_reader();
    let mut buffer = vec![0; 1 << 16];
    loop {
        let count = match body.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(count) => count,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(failure(&url, ureq::Error::from(error))),
        };
        let bytes = &buffer[..count];
        if partial.received == 0 && looks_like_page(bytes) && !url.ends_with("html") {
            return Err(Error::Page { url }.into());
        }
        partial.file.write_all(bytes).map_err(|source| {
            // What a disk without room took of them counts too.
            partial.received = partial.file.metadata().map_or(partial.received, |about| about.len());
            Error::io(partial.path(), source, partial.received)
        })?;
        partial.received += count as u64;
        tell(Event::Receives { received: partial.received, total: partial.version.total });
    }
}

/// Whether bytes begin as a web page does.
fn looks_like_page(bytes: &[u8]) -> bool {
    let start = bytes.trim_ascii_start();
    let starts = |with: &str| start.get(..with.len()).is_some_and(|start| start.eq_ignore_ascii_case(with.as_bytes()));
    starts("<!doctype html") || starts("<html")
}

/// What an error of the client means.
fn failure(url: &str, error: ureq::Error) -> Failed {
    let url = url.to_string();
    match error {
        ureq::Error::HostNotFound => Error::Host { url }.into(),
        ureq::Error::BadUri(reason) => Error::Address { url, reason }.into(),
        ureq::Error::RequireHttpsOnly(to) => {
            Error::Address { url, reason: format!("it leads to {to}, which is not encrypted") }.into()
        }
        ureq::Error::Tls(reason) => Error::Tls { url, reason: reason.to_string() }.into(),
        ureq::Error::Rustls(reason) => Error::Tls { url, reason: reason.to_string() }.into(),
        ureq::Error::Timeout(_) => Failed::Again("the server sends nothing".to_string()),
        ureq::Error::Io(error) => match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
            Some(reason) => Error::Tls { url, reason: reason.to_string() }.into(),
            None if error.kind() == ErrorKind::TimedOut => Failed::Again("the server sends nothing".to_string()),
            None if error.kind() == ErrorKind::UnexpectedEof => {
                Failed::Again("the connection ends too early".to_string())
            }
            None => Failed::Again(whole_reason(&error)),
        },
        other => Failed::Again(whole_reason(&other)),
    }
}

/// What an error says, and what caused it.
fn whole_reason(error: &dyn StdError) -> String {
    let mut reason = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let text = cause.to_string();
        if !reason.contains(&text) {
            reason = format!("{reason}: {text}");
        }
        source = cause.source();
    }
    reason
}

fn text_of<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim)
}

/// What the server calls the version of the file, where that tells versions apart byte by byte.
fn validator(headers: &HeaderMap) -> Option<String> {
    let tag = text_of(headers, "etag").filter(|tag| tag.starts_with('"'));
    tag.or_else(|| text_of(headers, "last-modified")).map(str::to_string)
}

/// What `Content-Range` says: `bytes START-END/TOTAL`, or `bytes */TOTAL`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Range {
    start: Option<u64>,
    total: Option<u64>,
}

impl Range {
    fn parse(text: &str) -> Option<Range> {
        let (range, total) = text.strip_prefix("bytes")?.trim_start().split_once('/')?;
        let start = range.split_once('-').map(|(start, _)| start.trim().parse());
        Some(Range { start: start.transpose().ok()?, total: total.trim().parse().ok() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read() {
        let range = |start, total| Some(Range { start, total });
        assert_eq!(Range::parse("bytes 5-9/10"), range(Some(5), Some(10)));
        assert_eq!(Range::parse("bytes */10"), range(None, Some(10)));
        assert_eq!(Range::parse("bytes 0-9/*"), range(Some(0), None));
        for other in ["", "bytes", "items 0-1/2", "bytes x-1/2"] {
            assert_eq!(Range::parse(other), None, "{other}");
        }
    }

    #[test]
    fn weak_tags_do_not_name_a_version() {
        let headers = |pairs: &[(&'static str, &str)]| {
            pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect::<HeaderMap>()
        };
        let time = ("last-modified", "Tue, 02 Jan 2018 00:00:00 GMT");
        assert_eq!(validator(&headers(&[("etag", "\"a\""), time])), Some("\"a\"".into()));
        assert_eq!(validator(&headers(&[("etag", "W/\"a\""), time])), Some(time.1.into()));
        assert_eq!(validator(&headers(&[("etag", "W/\"a\"")])), None);
    }

    #[test]
    fn pages_are_told_by_their_start() {
        assert!(looks_like_page(b"\n <!DOCTYPE html><p>") && looks_like_page(b"<HTML lang=en>"));
        assert!(!looks_like_page(b"<review>") && !looks_like_page(b"PK\x03\x04") && !looks_like_page(b"<"));
    }
}
