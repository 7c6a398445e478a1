//! Behind a socket and behind a direct call.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr};

use tokio::net::TcpStream;
use tokio::time::Instant;

use super::super::{Direct, Server};
use super::*;
use crate::api::wire::Wire;

const LOOPBACK: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

async fn write(stream: &TcpStream, mut bytes: &[u8]) {
    while !bytes.is_empty() {
        stream.writable().await.unwrap();
        match stream.try_write(bytes) {
            Ok(n) => bytes = &bytes[n..],
            Err(why) => assert_eq!(why.kind(), ErrorKind::WouldBlock),
        }
    }
}

/// Reads until the server closes.
async fn read(stream: &TcpStream) -> String {
    let (mut all, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        stream.readable().await.unwrap();
        match stream.try_read(&mut buffer) {
            Ok(0) => return String::from_utf8(all).unwrap(),
            Ok(n) => all.extend_from_slice(&buffer[..n]),
            Err(why) => assert_eq!(why.kind(), ErrorKind::WouldBlock),
        }
    }
}

/// One hand-made call on a connection of its own: head of the reply in lower case, and its body.
async fn exchange(server: &Server, line: &str, headers: &str, body: &[u8]) -> (String, Value) {
    let stream = TcpStream::connect(server.addr()).await.unwrap();
    let length = body.len();
    let head =
        format!("{line} HTTP/1.1\r\nHost: sim\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n");
    write(&stream, head.as_bytes()).await;
    write(&stream, body).await;
    let text = read(&stream).await;
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    (head.to_ascii_lowercase(), serde_json::from_str(body).unwrap())
}

async fn start(change: impl FnOnce(&mut World)) -> (Server, String) {
    let mut world = World::new();
    change(&mut world);
    let auth = format!("Authorization: Bearer {}\r\nContent-Type: application/json\r\n", world.token);
    (Server::start(world.org, LOOPBACK).unwrap(), auth)
}

#[tokio::test]
async fn a_hand_made_call_goes_round() {
    let (server, auth) = start(|world| world.org.seed_users(30)).await;
    assert_eq!(server.base_url(), format!("http://127.0.0.1:{}", server.addr().port()));
    let (head, page) = exchange(&server, "GET /api/v2/users?pageSize=2&state=in%61ctive", &auth, b"").await;
    assert!(head.starts_with("http/1.1 200") && head.contains("content-type: application/json"), "{head}");
    assert!(head.contains("inin-ratelimit-count: 1") && head.contains("inin-correlation-id: "), "{head}");
    assert_eq!(column(&page, "state"), ["inactive", "inactive"]);
    let (head, user) =
        exchange(&server, "POST /api/v2/users", &auth, br#"{"name":"Ada","email":"a@example.com"}"#).await;
    assert!(head.starts_with("http/1.1 200"), "{head}");
    assert_eq!(server.with_org(|org| org.users_with("a@example.com")[0].id.clone()), user["id"].as_str().unwrap());
    server.stop().await;
}

#[tokio::test]
async fn a_token_is_minted_over_the_socket() {
    let (server, _) = start(|_| {}).await;
    let headers =
        "Authorization: Basic ZGVtby1jbGllbnQ6ZGVtby1zZWNyZXQ=\r\nContent-Type: application/x-www-form-urlencoded\r\n";
    let (head, token) = exchange(&server, "POST /oauth/token", headers, b"grant_type=client_credentials").await;
    assert!(head.starts_with("http/1.1 200"), "{head}");
    assert_eq!(token["token_type"], "bearer");
}

#[tokio::test]
async fn what_does_not_fit_is_told_in_json() {
    let (server, auth) = start(|_| {}).await;
    let plain = auth.replace("application/json", "text/plain");
    let long = vec![b' '; 600_000];
    let cases: [(&str, &str, &[u8], &str, &str); 6] = [
        ("GET /nowhere", &auth, b"", "404", "not.found"),
        ("PUT /nowhere", &auth, b"", "404", "not.found"),
        ("PUT /api/v2/users", &auth, b"", "405", "method.not.allowed"),
        ("POST /api/v2/users", &auth, b"{", "400", "bad.request"),
        ("POST /api/v2/users", &plain, b"{}", "415", "unsupported.media.type"),
        ("POST /api/v2/users", &auth, &long, "413", "request.entity.too.large"),
    ];
    for (line, headers, body, status, code) in cases {
        let (head, error) = exchange(&server, line, headers, body).await;
        assert!(head.starts_with(&format!("http/1.1 {status}")), "{line}: {head}");
        assert_eq!(error["code"], code, "{line}");
        assert_eq!(head.contains("allow: get, post"), status == "405", "{line}: {head}");
        assert!(head.contains(error["contextId"].as_str().unwrap()), "{line}: {head}");
    }
}

#[tokio::test]
async fn only_loopback_is_listened_on() {
    let why = Server::start(Org::new(Settings::default()), "0.0.0.0:0".parse().unwrap()).err().unwrap();
    assert_eq!(why.kind(), ErrorKind::InvalidInput);
    assert!(why.to_string().contains("loopback"));
}

#[tokio::test]
async fn a_stopped_server_refuses_connections() {
    let (server, _) = start(|_| {}).await;
    let addr = server.addr();
    server.stop().await;
    assert_eq!(TcpStream::connect(addr).await.unwrap_err().kind(), ErrorKind::ConnectionRefused);
}

#[tokio::test(start_paused = true)]
async fn a_direct_call_takes_its_latency_and_is_carried_out_halfway() {
    let mut world = World::with(|settings| settings.latency = Duration::from_secs(4));
    let request = world.request(Method::Post, "/api/v2/users", &json!({"name": "Ada", "email": "a@example.com"}));
    world.org.before_each(|_, _, now| assert_eq!(now.as_secs(), 2));
    let direct = Direct::new(world.org);
    let began = Instant::now();
    assert_eq!(direct.send(request).await.unwrap().status, 200);
    assert_eq!(began.elapsed().as_secs(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_call_given_up_early_does_nothing_and_given_up_late_did_it() {
    for (patience_s, n_users) in [(1, 0), (3, 1)] {
        let mut world = World::with(|settings| settings.latency = Duration::from_secs(4));
        let request = world.request(Method::Post, "/api/v2/users", &json!({"name": "Ada", "email": "a@example.com"}));
        let direct = Direct::new(std::mem::replace(&mut world.org, Org::new(Settings::default())));
        let patience = Duration::from_secs(patience_s);
        assert!(tokio::time::timeout(patience, direct.send(request)).await.is_err());
        tokio::time::sleep(Duration::from_secs(10)).await;
        assert_eq!(direct.with_org(|org| org.users().len()), n_users);
    }
}

#[tokio::test(start_paused = true)]
async fn listings_in_flight_are_counted_and_forgotten_when_given_up() {
    let world = World::with(|settings| settings.latency = Duration::from_secs(1));
    let request = world.request(Method::Get, "/api/v2/users", &Value::Null);
    let create = world.request(Method::Post, "/api/v2/users", &json!({"name": "Ada", "email": "a@example.com"}));
    let direct = Direct::new(world.org);
    let short = Duration::from_millis(10);
    assert!(tokio::time::timeout(short, direct.send(request.clone())).await.is_err());
    let (a, b, c) = tokio::join!(direct.send(request.clone()), direct.send(request), direct.send(create));
    assert!([a, b, c].iter().all(|reply| reply.as_ref().unwrap().status == 200));
    assert_eq!(direct.with_org(|org| org.counts().n_in_flight_max), 2);
}

#[tokio::test(start_paused = true)]
async fn an_organisation_that_moves_on_keeps_its_time() {
    let direct = Direct::new(World::new().org);
    tokio::time::sleep(Duration::from_secs(100)).await;
    let request = Request::new(Host::Api, Method::Get, "/api/v2/users");
    direct.send(request).await.unwrap();
    let moved = direct.with_org(|org| std::mem::replace(org, Org::new(Settings::default())));
    assert_eq!(Direct::new(moved).shared().now().as_secs(), 100);
}

#[tokio::test]
async fn a_reply_that_is_lost_ends_the_connection_without_a_word() {
    let (server, auth) = start(|world| {
        let network = super::super::Network { lost_after: 1.0, ..Default::default() };
        world.org.beset(super::super::Strangers::default(), network).unwrap();
    })
    .await;
    let stream = TcpStream::connect(server.addr()).await.unwrap();
    let body = r#"{"name":"Ada","email":"a@example.com"}"#;
    let length = body.len();
    write(
        &stream,
        format!("POST /api/v2/users HTTP/1.1\r\nHost: sim\r\nContent-Length: {length}\r\n{auth}\r\n{body}").as_bytes(),
    )
    .await;
    assert_eq!(read(&stream).await, "");
    assert_eq!(server.with_org(|org| org.users_with("a@example.com").len()), 1);
    server.stop().await;
}
