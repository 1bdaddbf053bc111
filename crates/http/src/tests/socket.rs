//! What only a real connection shows: limits that hold while bytes arrive, and how long anybody is waited for.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use actix_web::rt;

use super::world::World;
use crate::options::HttpOptions;
use crate::server::serve;

/// Serves the world; tells where.
fn listen(world: &World) -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let server = serve(listener, world.api.clone()).unwrap();
    rt::spawn(server);
    address
}

/// Sends `head`, then `chunk` again and again for at most that time, until the server closes; tells what it
/// answered and whether it closed.
async fn send(address: SocketAddr, head: String, chunk: &'static [u8], most: Duration) -> (String, bool) {
    let sending = move || {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        stream.write_all(head.as_bytes()).unwrap();
        let begun = Instant::now();
        while begun.elapsed() < most {
            if stream.write_all(chunk).is_err() {
                return (String::new(), true);
            }
        }
        let (mut answer, mut buffer) = (Vec::new(), [0; 4096]);
        while let Ok(read @ 1..) = stream.read(&mut buffer) {
            answer.extend_from_slice(&buffer[..read]);
            if String::from_utf8_lossy(&answer).contains("\"type\":") {
                break;
            }
        }
        (String::from_utf8_lossy(&answer).into_owned(), false)
    };
    rt::task::spawn_blocking(sending).await.unwrap()
}

fn options() -> HttpOptions {
    HttpOptions { workers: 1, body_timeout: Duration::from_millis(300), ..HttpOptions::default() }
}

#[actix_web::test]
async fn an_upload_without_length_is_cut_at_the_limit() {
    let world = World::with(HttpOptions { max_image_bytes: 100_000, ..options() });
    let admin = world.admin().await;
    let address = listen(&world);
    let start = "--XX\r\nContent-Disposition: form-data; name=\"image\"\r\n\r\n";
    let head = format!(
        "POST /api/face/recognize HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nTransfer-Encoding: chunked\r\n\
         Content-Type: multipart/form-data; boundary=XX\r\n\r\n{:x}\r\n{start}\r\n",
        admin.token,
        start.len(),
    );
    static CHUNK: [u8; 0x4000 + 8] = {
        let mut chunk = [b'x'; 0x4000 + 8];
        let (size, end) = (*b"4000\r\n", chunk.len() - 2);
        let mut at = 0;
        while at < size.len() {
            chunk[at] = size[at];
            at += 1;
        }
        chunk[end] = b'\r';
        chunk[end + 1] = b'\n';
        chunk
    };
    let (answer, _) = send(address, head.clone(), &CHUNK, Duration::from_millis(20)).await;
    assert!(answer.starts_with("HTTP/1.1 413") && answer.contains("image-too-large"), "{answer}");
    // Who goes on sending whatever the answer is cut off.
    let (_, closed) = send(address, head, &CHUNK, Duration::from_secs(8)).await;
    assert!(closed);
}

#[actix_web::test]
async fn a_body_that_never_comes_is_not_waited_for() {
    let world = World::with(options());
    let address = listen(&world);
    let begun = Instant::now();
    let head = "POST /api/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{";
    let (answer, _) = send(address, head.into(), b"", Duration::ZERO).await;
    assert!(answer.starts_with("HTTP/1.1 408") && answer.contains("request-timeout"), "{answer}");
    assert!(begun.elapsed() < Duration::from_secs(5));
}

#[actix_web::test]
async fn a_refusal_does_not_wait_for_the_body() {
    let world = World::with(options());
    let address = listen(&world);
    let head = "POST /api/face/recognize HTTP/1.1\r\nHost: x\r\nContent-Length: 60000000\r\n\r\n";
    let (answer, _) = send(address, head.into(), b"", Duration::ZERO).await;
    assert!(answer.starts_with("HTTP/1.1 401") && answer.contains("token-missing"), "{answer}");
    let head = "POST /api/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 60000000\r\n\r\n";
    let (answer, _) = send(address, head.into(), b"", Duration::ZERO).await;
    assert!(answer.starts_with("HTTP/1.1 413") && answer.contains("payload-too-large"), "{answer}");
    assert!(!answer.to_lowercase().contains("\nserver:"), "{answer}");
}
