//! The organisation behind a socket: HTTP/1.1 on loopback, for clients that nobody here wrote.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, HttpBody, to_bytes};
use axum::http;
use axum::response::Response;
use axum::serve::ListenerExt;
use http_body::Frame;
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::codec::pairs;
use super::org::Org;
use super::settings::READ_OCTETS_MAX;
use super::shared::Shared;
use crate::api::wire::{Host, Lost, Method, Reply, Request};

/// How long a stop waits for calls in flight.
const STOP_WAIT: Duration = Duration::from_secs(2);

/// A listening simulator. Dropping it stops it.
pub struct Server {
    addr: SocketAddr,
    shared: Shared,
    stop: Option<oneshot::Sender<()>>,
    task: Option<JoinHandle<io::Result<()>>>,
}

impl Server {
    /// Listens on `listen` (port 0 for any free one) and serves `org` from a task of the current runtime.
    ///
    /// # Errors
    /// When the address is not loopback (`InvalidInput`), cannot be bound, or there is no tokio runtime.
    pub fn start(org: impl Into<Shared>, listen: SocketAddr) -> io::Result<Self> {
        Self::serve(org, Self::bind(listen)?)
    }

    /// Takes the address; who connects from now on waits for [`Server::serve`].
    ///
    /// # Errors
    /// As [`Server::start`].
    pub fn bind(listen: SocketAddr) -> io::Result<TcpListener> {
        if !listen.ip().is_loopback() {
            let text = format!("the simulator listens on loopback only (127.0.0.1 or [::1]), not on {}", listen.ip());
            return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        }
        Handle::try_current().map_err(io::Error::other)?;
        let listener = std::net::TcpListener::bind(listen)?;
        listener.set_nonblocking(true)?;
        TcpListener::from_std(listener)
    }

    /// Serves `org` from a task of the current runtime.
    ///
    /// # Errors
    /// When the listener has no address, or there is no tokio runtime.
    pub fn serve(org: impl Into<Shared>, listener: TcpListener) -> io::Result<Self> {
        let runtime = Handle::try_current().map_err(io::Error::other)?;
        let addr = listener.local_addr()?;
        let shared = org.into();
        let (stop, stopped) = oneshot::channel();
        let task = runtime.spawn(serve(listener, shared.clone(), stopped));
        Ok(Self { addr, shared, stop: Some(stop), task: Some(task) })
    }

    /// Where it listens.
    #[must_use]
    pub const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// `http://127.0.0.1:PORT`, for both hosts of the service.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// The handle behind it.
    #[must_use]
    pub const fn shared(&self) -> &Shared {
        &self.shared
    }

    /// Runs `look` on the organisation while nobody else can.
    pub fn with_org<T>(&self, look: impl FnOnce(&mut Org) -> T) -> T {
        self.shared.with_org(look)
    }

    /// Stops listening, lets calls in flight end for two seconds, then cuts what is left.
    pub async fn stop(mut self) {
        self.ask_to_stop();
        if let Some(mut task) = self.task.take()
            && tokio::time::timeout(STOP_WAIT, &mut task).await.is_err()
        {
            task.abort();
        }
    }

    fn ask_to_stop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // An error says that it has stopped already.
            stop.send(()).ok();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.ask_to_stop();
    }
}

async fn serve(listener: TcpListener, shared: Shared, stopped: oneshot::Receiver<()>) -> io::Result<()> {
    let router = Router::new().fallback(move |request: http::Request<Body>| {
        let shared = shared.clone();
        async move { answer(shared, request).await }
    });
    // Replies are small: without this they would wait for acknowledgements.
    let listener = listener.tap_io(|socket| {
        socket.set_nodelay(true).ok();
    });
    let stopped = async {
        stopped.await.ok();
    };
    axum::serve(listener, router).with_graceful_shutdown(stopped).await
}

async fn answer(shared: Shared, request: http::Request<Body>) -> Result<Response, Infallible> {
    let (head, body) = request.into_parts();
    let octets_max = shared.with_org(|org| org.settings().body_octets_max);
    let body = match to_bytes(body, READ_OCTETS_MAX).await {
        Ok(body) => body.to_vec(),
        // Whatever it was, it is too long; that is all the organisation looks at.
        Err(_) => vec![b' '; octets_max.min(READ_OCTETS_MAX) + 1],
    };
    let request = Request {
        host: if head.uri.path().starts_with("/oauth/") { Host::Login } else { Host::Api },
        method: method(&head.method).unwrap_or(Method::Get),
        path: head.uri.path().to_owned(),
        query: pairs(head.uri.query().unwrap_or_default()),
        headers: headers(&head.headers),
        body,
    };
    if method(&head.method).is_none() {
        let foreign = |org: &mut Org| org.reply_to_foreign_method(head.method.as_str(), &request, shared.now());
        return Ok(response(shared.with_org(foreign)));
    }
    Ok(carry_out(shared, request).await.map_or_else(|_| Response::new(Body::new(Cut)), response))
}

/// A request whose client goes away is dropped where it stands, unless orphans are to be finished.
async fn carry_out(shared: Shared, request: Request) -> Result<Reply, Lost> {
    if !shared.with_org(|org| org.settings().finishes_orphans) {
        return shared.answer(&request).await;
    }
    let task = tokio::spawn(async move { shared.answer(&request).await });
    let broken = |_| Ok(Reply { status: 500, headers: Vec::new(), body: Vec::new() });
    task.await.unwrap_or_else(broken)
}

/// The body of a reply that is lost: it fails before its head is sent, and with it the connection.
struct Cut;

impl HttpBody for Cut {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        Poll::Ready(Some(Err(io::ErrorKind::ConnectionReset.into())))
    }
}

fn method(method: &http::Method) -> Option<Method> {
    match method.as_str() {
        "GET" => Some(Method::Get),
        "POST" => Some(Method::Post),
        "PATCH" => Some(Method::Patch),
        "DELETE" => Some(Method::Delete),
        _ => None,
    }
}

fn headers(map: &http::HeaderMap) -> Vec<(String, String)> {
    let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    map.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect()
}

fn response(reply: Reply) -> Response {
    let mut response = Response::new(Body::from(reply.body));
    *response.status_mut() = http::StatusCode::from_u16(reply.status).unwrap_or(http::StatusCode::IM_A_TEAPOT);
    for (name, value) in &reply.headers {
        if let (Ok(name), Ok(value)) = (http::HeaderName::try_from(name), http::HeaderValue::try_from(value)) {
            response.headers_mut().append(name, value);
        }
    }
    response
}
