//! An actor with a connection: requests in, answers out.

use std::net::SocketAddr;

use reqwest::header::HeaderMap;
use reqwest::multipart::{Form, Part};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

/// The version of the consent text to which everybody in the stories agrees.
pub const CONSENT: &str = "2026-01";

/// Somebody who asks.
#[derive(Debug, Clone)]
pub struct Client {
    /// The person's or kiosk's id; empty for somebody without a token.
    pub id: String,
    /// The department a manager answers for; empty for everybody else.
    pub department: String,
    /// The bearer token; empty for none.
    pub token: String,
    /// What renews the login; empty for none.
    pub refresh: String,
    /// Where the person logs in; empty for others.
    pub email: String,
    http: reqwest::Client,
    base: String,
}

impl Client {
    pub(crate) fn new(http: reqwest::Client, address: SocketAddr) -> Self {
        let none = String::new;
        Self {
            id: none(),
            department: none(),
            token: none(),
            refresh: none(),
            email: none(),
            http,
            base: format!("http://{address}"),
        }
    }

    /// The same with another bearer token; an empty one is none.
    #[must_use]
    pub fn with_token(&self, token: &str) -> Self {
        Self { token: token.to_owned(), ..self.clone() }
    }

    /// The same with what a login, registration or renewal granted.
    ///
    /// # Panics
    /// When the answer has no access token.
    #[must_use]
    pub fn logged_in(&self, granted: &Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        assert!(granted["access_token"].is_string(), "no access token in {granted}");
        let mut client = self.with_token(&text(&granted["access_token"]));
        client.refresh = text(&granted["refresh_token"]);
        if granted["user"].is_object() {
            client.id = text(&granted["user"]["id"]);
            client.email = text(&granted["user"]["email"]);
        }
        client
    }

    /// A request about to be sent, for headers and bodies of one's own.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.base));
        if self.token.is_empty() { request } else { request.bearer_auth(&self.token) }
    }

    /// `GET`
    pub async fn get(&self, path: &str) -> Response {
        send(self.request(Method::GET, path)).await
    }

    /// Follows a stream of server-sent events, from where another one ended unless that is empty.
    ///
    /// # Panics
    /// When there is none.
    pub async fn follow(&self, path: &str, last_id: &str) -> Following {
        let request = self.request(Method::GET, path).header("accept", "text/event-stream");
        let request = if last_id.is_empty() { request } else { request.header("last-event-id", last_id) };
        let answer = request.send().await.expect("an answer");
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        Following { answer, read: String::new(), last_id: last_id.to_owned() }
    }

    /// `POST` with JSON.
    pub async fn post(&self, path: &str, body: Value) -> Response {
        send(self.request(Method::POST, path).json(&body)).await
    }

    /// `PUT` with JSON.
    pub async fn put(&self, path: &str, body: Value) -> Response {
        send(self.request(Method::PUT, path).json(&body)).await
    }

    /// `DELETE`
    pub async fn delete(&self, path: &str) -> Response {
        send(self.request(Method::DELETE, path)).await
    }

    /// `POST` without a body.
    pub async fn post_nothing(&self, path: &str) -> Response {
        send(self.request(Method::POST, path)).await
    }

    /// `POST` with a form of files and fields.
    pub async fn upload(&self, path: &str, form: Form) -> Response {
        send(self.request(Method::POST, path).multipart(form)).await
    }

    /// Enrolls photos of a person, who agrees to it.
    pub async fn enroll(&self, user: &str, photos: &[Vec<u8>]) -> Response {
        self.enroll_with(user, photos, &[("consent_version", CONSENT)]).await
    }

    /// Enrolls photos of a person with these further fields.
    pub async fn enroll_with(&self, user: &str, photos: &[Vec<u8>], fields: &[(&str, &str)]) -> Response {
        let mut form = with_fields(Form::new().text("user_id", user.to_owned()), fields);
        for photo in photos {
            form = form.part("images", file(photo));
        }
        self.upload("/api/face/enroll", form).await
    }

    /// Who is in the photo? A match is a punch.
    pub async fn recognize(&self, photo: &[u8]) -> Response {
        self.recognize_with(photo, &[]).await
    }

    /// Who is in the photo? Nobody is marked.
    pub async fn look_up(&self, photo: &[u8]) -> Response {
        self.recognize_with(photo, &[("mark", "false")]).await
    }

    /// Who is in the photo, with these further fields?
    pub async fn recognize_with(&self, photo: &[u8], fields: &[(&str, &str)]) -> Response {
        let form = with_fields(Form::new().part("image", file(photo)), fields);
        self.upload("/api/face/recognize", form).await
    }

    /// Marks the actor's own attendance.
    pub async fn mark(&self, kind: &str) -> Response {
        self.post("/api/attendance/mark", json!({ "type": kind })).await
    }
}

/// A stream of server-sent events that is open.
#[derive(Debug)]
pub struct Following {
    answer: reqwest::Response,
    read: String,
    /// The last `id` that was sent; empty before the first.
    pub last_id: String,
}

/// A server-sent event.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// What kind it is.
    pub event: String,
    /// What it tells.
    pub data: Value,
}

impl Following {
    /// The next event; `None` once the stream has ended.
    ///
    /// # Panics
    /// When what comes is no event, or the connection breaks.
    pub async fn next(&mut self) -> Option<Message> {
        loop {
            while let Some((block, rest)) = self.read.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.read = rest;
                if let Some(message) = self.take(&block) {
                    return Some(message);
                }
            }
            let more = self.answer.chunk().await.expect("the stream goes on")?;
            self.read.push_str(std::str::from_utf8(&more).expect("UTF-8"));
        }
    }

    fn take(&mut self, block: &str) -> Option<Message> {
        let (mut event, mut data) = (String::new(), None);
        for line in block.lines() {
            let (field, value) = line.split_once(": ").unwrap_or_else(|| panic!("no field: {line:?}"));
            match field {
                "event" => value.clone_into(&mut event),
                "data" => data = Some(serde_json::from_str(value).expect("JSON")),
                "id" => value.clone_into(&mut self.last_id),
                "retry" => {}
                _ => panic!("unknown field: {line:?}"),
            }
        }
        data.map(|data| Message { event, data })
    }

    /// The next event, which tells of a change.
    ///
    /// # Panics
    /// When the stream ends, or the next event is another.
    pub async fn change(&mut self) -> Value {
        let message = self.next().await.expect("the stream goes on");
        assert_eq!(message.event, "attendance", "{message:?}");
        message.data
    }
}

fn with_fields(form: Form, fields: &[(&str, &str)]) -> Form {
    fields.iter().fold(form, |form, (name, value)| form.text((*name).to_owned(), (*value).to_owned()))
}

/// A file of a form. Its name and type say nothing: the server goes by the bytes.
#[must_use]
pub fn file(bytes: &[u8]) -> Part {
    Part::bytes(bytes.to_vec()).file_name("photo")
}

/// Sends a request.
///
/// # Panics
/// When no answer comes.
pub async fn send(request: RequestBuilder) -> Response {
    let answer = request.send().await.unwrap_or_else(|error| panic!("no answer: {error:?}"));
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    // It has no end; whoever wants to read it follows it.
    if headers.get("content-type").is_some_and(|kind| kind == "text/event-stream") {
        return Response { status, headers, body: Vec::new() };
    }
    let body = answer.bytes().await.unwrap_or_else(|error| panic!("half an answer: {error:?}"));
    Response { status, headers, body: body.to_vec() }
}

/// An answer, read to its end.
#[derive(Debug, Clone)]
pub struct Response {
    /// Its status.
    pub status: u16,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Vec<u8>,
}

impl Response {
    /// A header, empty if it is absent.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// When it is none.
    #[must_use]
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|_| panic!("{} is not JSON: {}", self.status, self.text()))
    }

    /// The body of an answer with this status; `null` if it has none.
    ///
    /// # Panics
    /// When the status is another.
    #[track_caller]
    pub fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text());
        if self.body.is_empty() { Value::Null } else { self.json() }
    }

    /// The body of a problem with this status and code.
    ///
    /// # Panics
    /// When it is no problem (RFC 9457), or another one.
    #[track_caller]
    pub fn problem(&self, status: u16, code: &str) -> Value {
        assert_eq!(self.status, status, "expected {code}: {}", self.text());
        let kind = self.header("content-type");
        assert!(kind.starts_with("application/problem+json"), "{kind:?}: {}", self.text());
        let body = self.json();
        assert_eq!(body["code"], code, "{body}");
        assert_eq!(body["status"], status, "{body}");
        assert_eq!(body["type"], format!("/problems/{code}"), "{body}");
        assert!(body["request_id"].as_str().is_some_and(|id| !id.is_empty()), "{body}");
        body
    }
}
