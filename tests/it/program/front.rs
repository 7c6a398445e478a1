//! Servers on loopback that misbehave, and one that speaks TLS in front of the simulator.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rcgen::{BasicConstraints, Certificate, CertificateParams, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

/// A server that reads one request per connection, keeps it and answers with bytes of its own.
pub struct Raw {
    pub addr: SocketAddr,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Raw {
    pub fn new(answer: impl Fn(&mut TcpStream) + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&heard);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                // A client that sends something else than a request waits for an answer.
                stream.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
                kept.lock().unwrap().push(request(&mut stream));
                stream.set_read_timeout(None).unwrap();
                answer(&mut stream);
            }
        });
        Self { addr, heard }
    }

    /// Answers with these bytes and closes.
    pub fn saying(bytes: Vec<u8>) -> Self {
        // The client may have heard enough and gone.
        Self::new(move |stream| drop(stream.write_all(&bytes)))
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// What it was sent, a text per connection.
    pub fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }
}

/// Head and body of a request, as far as they come.
fn request(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length =
                head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
            if body.len() >= length.unwrap_or(0) {
                return text;
            }
        }
        match stream.read(&mut chunk) {
            Ok(n) if n > 0 => bytes.extend_from_slice(&chunk[..n]),
            _ => return text,
        }
    }
}

/// An authority of our own.
pub struct Authority {
    pub pem: String,
    issuer: Issuer<'static, KeyPair>,
}

/// What a server shows.
pub struct Shown {
    certificate: Certificate,
    key: KeyPair,
}

impl Authority {
    pub fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let pem = params.self_signed(&key).unwrap().pem();
        Self { pem, issuer: Issuer::new(params, key) }
    }

    /// A certificate for `host` that ends in the first days of `year`.
    pub fn sign(&self, host: &str, year: i32) -> Shown {
        let key = KeyPair::generate().unwrap();
        let certificate = leaf(host, year).signed_by(&key, &self.issuer).unwrap();
        Shown { certificate, key }
    }
}

/// A certificate that nobody signed but its own key.
pub fn self_signed(host: &str) -> Shown {
    let key = KeyPair::generate().unwrap();
    let certificate = leaf(host, 2100).self_signed(&key).unwrap();
    Shown { certificate, key }
}

fn leaf(host: &str, year: i32) -> CertificateParams {
    let mut params = CertificateParams::new(vec![host.to_owned()]).unwrap();
    params.not_after = rcgen::date_time_ymd(year, 1, 2);
    params
}

/// Speaks TLS and passes what it hears on to `inner`. Needs a runtime around it.
pub fn tls(shown: &Shown, inner: SocketAddr) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let addr = listener.local_addr().unwrap();
    let listener = tokio::net::TcpListener::from_std(listener).unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config(shown)));
    tokio::spawn(async move {
        loop {
            let (socket, _) = listener.accept().await.unwrap();
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                // A client that does not trust us hangs up.
                let Ok(mut outer) = acceptor.accept(socket).await else { return };
                let mut inner = tokio::net::TcpStream::connect(inner).await.unwrap();
                drop(tokio::io::copy_bidirectional(&mut outer, &mut inner).await);
            });
        }
    });
    addr
}

fn config(shown: &Shown) -> ServerConfig {
    let key = PrivateKeyDer::Pkcs8(shown.key.serialize_der().into());
    ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![shown.certificate.der().clone()], key)
        .unwrap()
}
