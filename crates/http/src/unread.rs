//! Bodies that are refused before their end.
//!
//! When nobody holds the rest of a chunked body any more, the server reads and drops it for as long as the client
//! likes to send. While somebody holds it, the connection is closed after the answer instead.

use std::cell::RefCell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::header;
use actix_web::web::Bytes;
use futures_util::{Stream, stream};

/// The rest of a body whose length nobody told.
pub(crate) struct Unread(Option<Rc<RefCell<Payload>>>);

impl Unread {
    /// Lends the body to whoever reads it and keeps hold of it.
    pub(crate) fn of(req: &mut ServiceRequest) -> Self {
        if !req.headers().contains_key(header::TRANSFER_ENCODING) {
            return Self(None);
        }
        let payload = req.parts_mut().1;
        let held = Rc::new(RefCell::new(payload.take()));
        let lent = held.clone();
        let stream = stream::poll_fn(move |cx| Pin::new(&mut *lent.borrow_mut()).poll_next(cx));
        *payload = Payload::Stream { payload: Box::pin(stream) };
        Self(Some(held))
    }

    /// Holds on until the answer is sent.
    pub(crate) fn until_sent(self, answer: ServiceResponse) -> ServiceResponse {
        match self.0 {
            None => answer,
            Some(rest) => answer.map_body(|_, body| BoxBody::new(Holding { body, _rest: rest })),
        }
    }
}

/// An answer that holds the rest of the request.
struct Holding {
    body: BoxBody,
    _rest: Rc<RefCell<Payload>>,
}

impl MessageBody for Holding {
    type Error = Box<dyn std::error::Error>;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.get_mut().body).poll_next(cx)
    }
}
