//! A web site of somebody else, from which Kurir is asked to fetch files.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// What a site answers to a path.
#[derive(Clone)]
pub enum Page {
    /// A file of this type.
    File(String, Vec<u8>),
    /// A redirect.
    To(String),
    /// A picture that never ends.
    Endless,
    /// A file of this type that never ends.
    EndlessOf(&'static str),
    /// Nothing at all, for as long as the client waits.
    Silent,
    /// A status without a body.
    Status(u16),
}

/// A web site on this machine.
pub struct Site {
    addr: SocketAddr,
    asked: Arc<AtomicUsize>,
}

impl Site {
    /// Starts a site; `page` decides what stands under a path.
    pub fn start(page: impl Fn(&str) -> Page + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let addr = listener.local_addr().expect("an address");
        let asked = Arc::new(AtomicUsize::new(0));
        let (page, counter) = (Arc::new(page), asked.clone());
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (page, counter) = (page.clone(), counter.clone());
                thread::spawn(move || serve(stream, &*page, &counter));
            }
        });
        Self { addr, asked }
    }

    /// Returns the address of a path.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.addr)
    }

    /// Returns its port.
    pub fn port(&self) -> u16 {
        self.addr.port()
    }

    /// Returns how many requests came.
    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

/// A client that leaves in the middle ends it.
fn serve(stream: TcpStream, page: &dyn Fn(&str) -> Page, counter: &AtomicUsize) {
    let mut reader = BufReader::new(&stream);
    let mut line = String::new();
    if reader.read_line(&mut line).is_err() {
        return;
    }
    let path = line.split(' ').nth(1).unwrap_or("/").to_owned();
    loop {
        let mut header = String::new();
        if reader.read_line(&mut header).unwrap_or(0) <= 2 {
            break;
        }
    }
    counter.fetch_add(1, Ordering::SeqCst);
    let _ = answer(&stream, page(&path));
}

fn answer(mut stream: &TcpStream, page: Page) -> std::io::Result<()> {
    match page {
        Page::File(kind, bytes) => {
            let length = bytes.len();
            write!(
                stream,
                "HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
            )?;
            stream.write_all(&bytes)
        }
        Page::To(url) => {
            write!(
                stream,
                "HTTP/1.1 302 Found\r\nlocation: {url}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
            )
        }
        Page::Status(status) => {
            write!(stream, "HTTP/1.1 {status} No\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        }
        Page::Endless => answer(stream, Page::EndlessOf("image/jpeg")),
        Page::Silent => stream.read(&mut [0; 1]).map(drop),
        Page::EndlessOf(kind) => {
            write!(stream, "HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\nconnection: close\r\n\r\n")?;
            loop {
                stream.write_all(&[0xff; 64 << 10])?;
            }
        }
    }
}
