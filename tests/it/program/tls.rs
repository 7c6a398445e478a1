//! Whom the program believes to be the service, and through whom it goes there.

use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::process::Command;

use rosterdiff::api::http::{Hosts, Http, Route, base};
use rosterdiff::api::wire::{Host, Lost, Method, Request, Wire};

use super::front::{Authority, Raw, Shown, self_signed, tls};
use super::world::{World, fast};
use crate::support::Ran;

const HERE: &str = "127.0.0.1";
const PROXY_SECRET: &str = "canary-proxy-77d0";

/// A world with a TLS front before it, and the authority's certificate as `ca.pem`.
fn behind(shown: &Shown, authority: &Authority) -> (World, SocketAddr) {
    let world = World::new(fast());
    world.write("ca.pem", &authority.pem);
    let _inside = world.enter();
    let front = tls(shown, world.server.addr());
    (world, front)
}

fn snapshot(world: &World, front: SocketAddr, flags: &str) -> Command {
    world.command(&format!("snapshot -v --api-url https://{front} --login-url https://{front} {flags}"))
}

fn n_requests(world: &World) -> u64 {
    world.server.with_org(|org| org.counts().n("POST", "/oauth/token") + org.counts().n("GET", "/api/v2/users"))
}

fn refused(shown: &Shown, authority: &Authority, flags: &str, cause: &str) {
    let (world, front) = behind(shown, authority);
    let ran = Ran::of(snapshot(&world, front, flags).output().unwrap());
    assert_eq!(ran.code, Some(6), "{cause}: {ran:?}");
    for part in ["not trusted", cause, "nothing was sent", "--ca-file"] {
        assert!(ran.err.contains(part), "{part}: {ran:?}");
    }
    assert_eq!(n_requests(&world), 0);
    assert!(!world.path("org.parquet").exists());
}

// N5, row 39
#[test]
fn an_own_authority_is_believed_when_it_is_named_and_not_before() {
    let authority = Authority::new();
    let shown = authority.sign(HERE, 2100);
    refused(&shown, &authority, "", "UnknownIssuer");
    let (world, front) = behind(&shown, &authority);
    assert_eq!(Ran::of(snapshot(&world, front, "--ca-file ca.pem").output().unwrap()).code, Some(0));
    let ran = Ran::of(snapshot(&world, front, "-o b.parquet").env("ROSTERDIFF_CA_FILE", "ca.pem").output().unwrap());
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(n_requests(&world) > 0);
}

// N5, row 39
#[test]
fn a_wrong_host_an_expired_a_self_signed_and_a_strangers_certificate_are_refused_whoever_is_trusted() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    let trust = "--ca-file ca.pem";
    refused(&authority.sign("api.mypurecloud.de", 2100), &authority, trust, "not valid for name");
    refused(&authority.sign(HERE, 2020), &authority, trust, "expired");
    refused(&self_signed(HERE), &authority, trust, "certificate");
    refused(&stranger.sign(HERE, 2100), &authority, trust, "certificate");
}

// N5, row 39: downgrade.
#[tokio::test]
async fn a_server_that_speaks_no_tls_hears_nothing_that_can_be_read() {
    let server = Raw::saying(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}".to_vec());
    let url = base(&format!("https://{}", server.addr)).unwrap();
    let wire = Http::new(Hosts { login: url.clone(), api: url }, &Route::default()).unwrap();
    let mut request = Request::new(Host::Api, Method::Post, "/api/v2/users");
    request.headers.push(("authorization".to_owned(), "Bearer canary".to_owned()));
    request.body = b"canary".to_vec();
    let lost = wire.send(request).await.unwrap_err();
    assert!(matches!(lost, Lost::NotSent(_)), "{lost:?}");
    assert!(!server.heard().concat().contains("canary"), "{:?}", server.heard());
}

#[test]
fn a_file_of_authorities_that_is_missing_empty_or_no_pem_is_named() {
    let authority = Authority::new();
    let (world, front) = behind(&authority.sign(HERE, 2100), &authority);
    let broken = "-----BEGIN CERTIFICATE-----\nMIIBcanary\n-----END CERTIFICATE-----\n";
    for (name, text) in
        [("gone.pem", None), ("empty.pem", Some("")), ("poem.pem", Some("a rose")), ("cut.pem", Some(broken))]
    {
        if let Some(text) = text {
            world.write(name, text);
        }
        let ran = Ran::of(snapshot(&world, front, &format!("--ca-file {name}")).output().unwrap());
        assert_eq!(ran.code, Some(3), "{ran:?}");
        assert!(ran.err.contains(name) && ran.err.contains("hint: "), "{ran:?}");
        assert!(!ran.err.contains("canary") && !ran.err.contains("rose"), "{ran:?}");
    }
    assert_eq!(n_requests(&world), 0);
}

/// A proxy that agrees to every CONNECT and passes the rest on to `inner`.
fn proxy(inner: SocketAddr) -> Raw {
    Raw::new(move |client| {
        client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
        let server = TcpStream::connect(inner).unwrap();
        let (mut from, mut to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
        std::thread::spawn(move || drop(std::io::copy(&mut from, &mut to)));
        drop(std::io::copy(&mut &server, client));
    })
}

// N6
#[test]
fn a_proxy_is_used_for_a_real_host_and_named_without_its_password() {
    let authority = Authority::new();
    // Nobody real is asked: behind the proxy stands one that cannot prove to be the service.
    let (world, front) = behind(&authority.sign(HERE, 2100), &authority);
    for name in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"] {
        let proxy = proxy(front);
        let mut command = world.command("snapshot -v");
        command.env_remove("ROSTERDIFF_API_URL").env("GENESYSCLOUD_REGION", "eu-central-1");
        command.env(name, format!("http://ada:{PROXY_SECRET}@{}", proxy.addr));
        let ran = Ran::of(command.output().unwrap());
        assert_eq!(ran.code, Some(6), "{ran:?}");
        assert!(ran.err.contains("not trusted"), "{ran:?}");
        assert_eq!(ran.err.matches(&format!("http://{} ({name})", proxy.addr)).count(), 1, "{ran:?}");
        assert!(!format!("{ran:?}").contains(PROXY_SECRET), "{ran:?}");
        let heard = proxy.heard();
        assert!(heard[0].starts_with("CONNECT login.mypurecloud.de:443 HTTP/1.1\r\n"), "{heard:?}");
        assert!(heard[0].to_lowercase().contains("proxy-authorization: basic "), "{heard:?}");
        assert!(!heard.concat().contains("demo-"), "credentials in clear: {heard:?}");
    }
    assert_eq!(n_requests(&world), 0);
}

// N6
#[test]
fn no_proxy_is_asked_for_loopback() {
    let authority = Authority::new();
    let (world, front) = behind(&authority.sign(HERE, 2100), &authority);
    let proxy = Raw::saying(b"HTTP/1.1 502 Bad Gateway\r\n\r\n".to_vec());
    let through = |command: &mut Command| {
        for name in ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"] {
            command.env(name, proxy.url());
        }
        Ran::of(command.output().unwrap())
    };
    for ran in [
        through(&mut world.command("snapshot -o plain.parquet")),
        through(&mut snapshot(&world, front, "--ca-file ca.pem")),
    ] {
        assert_eq!(ran.code, Some(0), "{ran:?}");
        assert!(!ran.err.contains("proxy"), "{ran:?}");
    }
    assert!(proxy.heard().is_empty());
}

// N6
#[test]
fn a_proxy_that_cannot_be_used_is_not_passed_by() {
    let world = World::new(fast());
    let mut command = world.command("snapshot");
    command.env_remove("ROSTERDIFF_API_URL").env("GENESYSCLOUD_REGION", "eu-central-1");
    let ran = Ran::of(command.env("HTTPS_PROXY", format!("socks5://ada:{PROXY_SECRET}@127.0.0.1:9")).output().unwrap());
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.err.contains("HTTPS_PROXY") && !ran.err.contains(PROXY_SECRET), "{ran:?}");
}

// N6
#[test]
fn a_proxy_that_wants_other_credentials_is_asked_once() {
    let world = World::new(fast());
    let proxy = Raw::saying(b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n".to_vec());
    let mut command = world.command("snapshot");
    command.env_remove("ROSTERDIFF_API_URL").env("GENESYSCLOUD_REGION", "eu-central-1");
    command.env("HTTPS_PROXY", format!("http://ada:{PROXY_SECRET}@{}", proxy.addr));
    let ran = Ran::of(command.output().unwrap());
    assert_eq!((ran.code, proxy.heard().len()), (Some(5), 1), "{ran:?}");
    assert!(ran.err.contains("the proxy wants other credentials") && !ran.err.contains(PROXY_SECRET), "{ran:?}");
}
