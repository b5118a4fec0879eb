use super::*;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};

const HEAD: &[u8] = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n";
const PATIENCE: Patience = Patience {
    head: Duration::from_secs(5),
    idle: Duration::from_secs(60),
    rest: Duration::from_secs(2),
};

fn guarded(begun: &[u8]) -> (DuplexStream, Guard<DuplexStream>) {
    let (sender, io) = duplex(1 << 16);
    (sender, Guard::http_1(io, begun.to_vec(), 1024, PATIENCE))
}

async fn read(guard: &mut Guard<DuplexStream>) -> Vec<u8> {
    let mut bytes = vec![0; 4096];
    let len = guard.read(&mut bytes).await.unwrap();
    bytes.truncate(len);
    bytes
}

#[tokio::test(start_paused = true)]
async fn a_head_goes_on_once_it_is_whole_and_the_next_one_waits() {
    let (mut sender, mut guard) = guarded(b"GET / HT");
    sender.write_all(&HEAD[8..]).await.unwrap();
    sender.write_all(&HEAD[..10]).await.unwrap();
    assert_eq!(read(&mut guard).await, HEAD);
    let next = tokio::join!(read(&mut guard), async {
        tokio::time::sleep(Duration::from_secs(4)).await;
        sender.write_all(&HEAD[10..]).await.unwrap();
    });
    assert_eq!(next.0, HEAD);
    assert!(guard.held.capacity() == 0);
}

#[tokio::test(start_paused = true)]
async fn a_small_buffer_gets_the_same_bytes() {
    let (_sender, mut guard) = guarded(HEAD);
    let mut bytes = Vec::new();
    while bytes.len() < HEAD.len() {
        bytes.push(guard.read_u8().await.unwrap());
    }
    assert_eq!(bytes, HEAD);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_looks_like_the_end_after_what_came_before() {
    let (mut sender, mut guard) = guarded(&[]);
    sender.write_all(HEAD).await.unwrap();
    sender.write_all(b"GET / HTTP/1.1\n\n").await.unwrap();
    assert_eq!(read(&mut guard).await, HEAD);
    assert_eq!(read(&mut guard).await, b"");
    assert_eq!(guard.end, Some(End::Refused(Refusal::Malformed)));
}

#[tokio::test(start_paused = true)]
async fn a_head_that_dribbles_is_late_after_its_time_and_no_byte_of_it_gives_it_more() {
    let (mut sender, mut guard) = guarded(&[]);
    let start = Instant::now();
    let dribbling = tokio::spawn(async move {
        for byte in HEAD {
            tokio::time::sleep(Duration::from_secs(1)).await;
            sender.write_u8(*byte).await?;
        }
        std::io::Result::Ok(())
    });
    assert_eq!(read(&mut guard).await, b"");
    assert_eq!(guard.end, Some(End::Late));
    assert_eq!(start.elapsed().as_secs(), 6);
    dribbling.abort();
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_says_nothing_ends_quietly_and_each_request_gives_it_more_time() {
    let (mut sender, mut guard) = guarded(&[]);
    let start = Instant::now();
    let first = read(&mut guard).await;
    let later = tokio::spawn(async move {
        tokio::time::sleep(Duration::from_secs(48)).await;
        sender.write_all(HEAD).await.unwrap();
        // Open until the other side has had enough.
        tokio::time::sleep(Duration::from_secs(600)).await;
    });
    assert_eq!(first, b"");
    assert_eq!(guard.end, Some(End::Rested));
    assert!(guard.begins_again().await);
    assert_eq!(read(&mut guard).await, HEAD);
    assert_eq!(read(&mut guard).await, b"");
    assert_eq!(guard.end, Some(End::Rested));
    assert!(!guard.begins_again().await);
    assert_eq!(guard.end, Some(End::Quiet));
    assert_eq!(start.elapsed().as_secs(), 112);
    later.abort();
}

#[tokio::test(start_paused = true)]
async fn whoever_takes_no_answer_is_given_up() {
    let (_sender, mut guard) = guarded(&[]);
    let start = Instant::now();
    let error = guard.write_all(&[0; 1 << 17]).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    assert_eq!(start.elapsed(), PATIENCE.idle);
}
