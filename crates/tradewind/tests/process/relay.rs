//! What stands between a desk and a venue and passes every byte on. Each test says what it notes of them.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::thread;

/// Listens on a free port, passes everything on to `venue` and back, and returns the address to call instead of the venue's. While the
/// venue is not there, callers are hung up on.
///
/// `connected` is asked at each connection for what looks at the pieces of its requests and of its answers before they are passed
/// on. The threads end with their connections, or with the process.
pub(crate) fn relay<Requests, Answers>(
    venue: &str,
    mut connected: impl FnMut() -> (Requests, Answers) + Send + 'static,
) -> String
where
    Requests: FnMut(&[u8]) + Send + 'static,
    Answers: FnMut(&[u8]) + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let venue = venue.to_owned();
    thread::spawn(move || {
        for caller in listener.incoming().flatten() {
            let Ok(called) = TcpStream::connect(&venue) else {
                continue;
            };
            drop((caller.set_nodelay(true), called.set_nodelay(true)));
            let back = (called.try_clone().unwrap(), caller.try_clone().unwrap());
            let (requests, answers) = connected();
            thread::spawn(move || pass_on(caller, called, requests));
            thread::spawn(move || pass_on(back.0, back.1, answers));
        }
    });
    address
}

/// Copies until either side hangs up, and hangs up on the other.
fn pass_on(mut from: TcpStream, mut to: TcpStream, mut look_at: impl FnMut(&[u8])) {
    let mut buffer = [0; 16_384];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        look_at(&buffer[..count]);
        if to.write_all(&buffer[..count]).is_err() {
            break;
        }
    }
    // Either may be closed already.
    drop(from.shutdown(Shutdown::Both));
    drop(to.shutdown(Shutdown::Both));
}
