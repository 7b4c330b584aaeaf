//! A desk that says what a test wants it to, on a socket of its own, and remembers what it was asked.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};

/// The token it asks for.
pub(crate) const TOKEN: &str = "0123456789abcdef";

/// What it was asked: method and path with query, then the body.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) line: String,
    pub(crate) body: String,
}

/// What it answers to a request line.
pub(crate) enum Answer {
    /// A status and a JSON body.
    Json(u16, &'static str),
    /// A piece of an event stream, which then stays open until the client leaves.
    Stream(&'static str),
    /// Nothing at all, for as long as the client waits.
    Silence,
}

/// Starts one whose address and token lie in `data_dir`, as a desk leaves them.
pub(crate) fn start(
    data_dir: &Path,
    answer: impl Fn(&str) -> Answer + Send + Sync + 'static,
) -> Receiver<Asked> {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let desk = format!(r#"{{"pid":{},"url":"{url}"}}"#, std::process::id());
    std::fs::write(data_dir.join("desk.json"), desk).unwrap();
    std::fs::write(data_dir.join("token"), TOKEN).unwrap();
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        let answer = &answer;
        std::thread::scope(|scope| {
            for stream in listener.incoming().map_while(Result::ok) {
                let sender = sender.clone();
                scope.spawn(move || serve(stream, answer, &sender));
            }
        });
    });
    receiver
}

/// Serves one connection until the client leaves. A client that leaves early is none of our business.
fn serve(stream: TcpStream, answer: &impl Fn(&str) -> Answer, asked: &Sender<Asked>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut writer = stream;
    while let Some((request, authorized)) = read(&mut reader) {
        let answer = if authorized {
            answer(&request.line)
        } else {
            Answer::Json(
                401,
                r#"{"error":{"code":"unauthorized","message":"no such token","hint":""}}"#,
            )
        };
        drop(asked.send(request));
        let text = match answer {
            Answer::Json(status, body) => {
                let length = body.len();
                format!(
                    "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
                )
            }
            Answer::Stream(events) => {
                format!("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n{events}")
            }
            Answer::Silence => String::new(),
        };
        drop(writer.write_all(text.as_bytes()));
    }
}

fn read(reader: &mut BufReader<TcpStream>) -> Option<(Asked, bool)> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if line == "\r\n" {
            break;
        }
        lines.push(line.trim_end().to_owned());
    }
    let header = |name: &str| {
        lines.iter().skip(1).find_map(|line| {
            let (key, value) = line.split_once(": ")?;
            key.eq_ignore_ascii_case(name).then(|| value.to_owned())
        })
    };
    let length = header("content-length")
        .and_then(|text| text.parse().ok())
        .unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let authorized = header("authorization") == Some(format!("Bearer {TOKEN}"));
    let asked = Asked {
        line: lines.first()?.trim_end_matches(" HTTP/1.1").to_owned(),
        body: String::from_utf8(body).ok()?,
    };
    Some((asked, authorized))
}
