//! A server on this machine that answers as it is told, well or badly.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// How a request is answered.
#[derive(Debug, Clone)]
pub enum Answer {
    /// The bytes, or the range of them that is asked for where `If-Range` fits; at most so many before the connection
    /// is cut.
    Serve { tag: Option<&'static str>, at_most: usize },
    /// The bytes from the start, whatever is asked for; at most so many.
    IgnoreRange { at_most: usize },
    /// A head that announces a length, and then the bytes, whatever their number.
    Announce(usize),
    /// A head and some bytes, and then nothing for as long as the client waits.
    Stall(usize),
    /// A status without anything.
    Status(u16),
    /// A web page with status 200.
    Page { kind: &'static str },
    /// A part that was not asked for.
    OtherPart,
}

/// A server, and the `Range` of each request that it had.
pub struct Server {
    /// Its address, with the name of a file.
    pub url: String,
    ranges: Arc<Mutex<Vec<Option<String>>>>,
}

impl Server {
    /// Serves bytes: each request has the next answer, the last one all further ones.
    pub fn new(bytes: Vec<u8>, answers: Vec<Answer>) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let url = format!("http://{}/data.bin", listener.local_addr().expect("it is bound"));
        let ranges = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&ranges);
        std::thread::spawn(move || {
            for (index, stream) in listener.incoming().enumerate() {
                let Ok(stream) = stream else { continue };
                let answer = answers[index.min(answers.len() - 1)].clone();
                let (bytes, seen) = (bytes.clone(), Arc::clone(&seen));
                // What the client does not want any more ends with an error here, as it should.
                std::thread::spawn(move || respond(stream, &bytes, &answer, &seen).ok());
            }
        });
        Server { url, ranges }
    }

    /// The `Range` of each request.
    pub fn ranges(&self) -> Vec<Option<String>> {
        self.ranges.lock().expect("no thread panics").clone()
    }
}

fn respond(
    mut stream: TcpStream,
    bytes: &[u8],
    answer: &Answer,
    seen: &Mutex<Vec<Option<String>>>,
) -> std::io::Result<()> {
    let (mut range, mut if_range) = (None, None);
    for line in BufReader::new(stream.try_clone()?).lines() {
        let line = line?;
        if line.is_empty() {
            break;
        }
        let (name, value) = line.split_once(':').unwrap_or((&line, ""));
        match name.to_lowercase().as_str() {
            "range" => range = Some(value.trim().to_string()),
            "if-range" => if_range = Some(value.trim().to_string()),
            _ => {}
        }
    }
    seen.lock().expect("no thread panics").push(range.clone());
    let length = bytes.len();
    match answer {
        Answer::Serve { tag, at_most } => {
            let fits = if_range.is_none() || if_range.as_deref() == *tag;
            let start =
                range.filter(|_| fits).and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok());
            let tag = tag.map_or_else(String::new, |tag| format!("etag: {tag}\r\n"));
            let from = start.unwrap_or(0).min(length);
            let head = match start {
                Some(start) if start >= length => {
                    format!("HTTP/1.1 416 no\r\ncontent-range: bytes */{length}\r\ncontent-length: 0\r\n\r\n")
                }
                Some(start) => format!(
                    "HTTP/1.1 206 part\r\n{tag}content-range: bytes {start}-{}/{length}\r\ncontent-length: {}\r\n\r\n",
                    length - 1,
                    length - start
                ),
                None => format!("HTTP/1.1 200 ok\r\n{tag}content-length: {length}\r\n\r\n"),
            };
            stream.write_all(head.as_bytes())?;
            stream.write_all(&bytes[from..length.min(from.saturating_add(*at_most))])
        }
        Answer::IgnoreRange { at_most } => {
            write!(stream, "HTTP/1.1 200 ok\r\netag: \"a\"\r\ncontent-length: {length}\r\n\r\n")?;
            stream.write_all(&bytes[..length.min(*at_most)])
        }
        Answer::Announce(length) => {
            write!(stream, "HTTP/1.1 200 ok\r\ncontent-length: {length}\r\n\r\n")?;
            stream.write_all(bytes)
        }
        Answer::Stall(count) => {
            write!(stream, "HTTP/1.1 200 ok\r\netag: \"a\"\r\ncontent-length: {length}\r\n\r\n")?;
            stream.write_all(&bytes[..*count])?;
            std::thread::sleep(Duration::from_secs(20));
            Ok(())
        }
        Answer::Status(status) => write!(stream, "HTTP/1.1 {status} x\r\ncontent-length: 0\r\n\r\n"),
        Answer::Page { kind } => {
            let page = "<!DOCTYPE html><html>quota exceeded</html>";
            write!(stream, "HTTP/1.1 200 ok\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\r\n{page}", page.len())
        }
        Answer::OtherPart => {
            write!(stream, "HTTP/1.1 206 part\r\ncontent-range: bytes 1-2/{length}\r\ncontent-length: 2\r\n\r\n")?;
            stream.write_all(&bytes[1..3])
        }
    }
}
