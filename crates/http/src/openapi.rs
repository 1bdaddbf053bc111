//! The REST contract, written down from the code: handlers describe what they take and give, the URL table
//! who may call them, the code table what can go wrong.

mod answers;
mod conflicts;
mod samples;
mod shapes;
mod words;

use actix_web::http::Method;
use rollcall_domain::access::{Action, Actor, Role, SelfService, permit};
use rollcall_domain::id::{DeviceId, SessionId, UserId};
use serde_json::{Value, json};
use utoipa::openapi::extensions::ExtensionsBuilder;
use utoipa::openapi::path::{Operation, Parameter, ParameterIn};
use utoipa::openapi::schema::Schema;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{Content, Ref, RefOr, Response};
use utoipa::{OpenApi, ToSchema};
use uuid::Uuid;

use crate::entry::{Access, Entry, Limited};
use crate::naming::NamedPersonView;
use crate::problem::{Code, ProblemView};
use crate::routes::TABLE;

const BEARER: &str = "bearer";

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Rollcall",
        description = "Face-recognition attendance.",
        license(name = "MIT", identifier = "MIT")
    ),
    components(schemas(ProblemView, NamedPersonView))
)]
struct Contract;

/// The whole contract; its members are sorted, so that it is always the same for the same code.
#[must_use]
pub fn openapi() -> Value {
    let mut document = Contract::openapi();
    describe(&mut document);
    let mut document = serde_json::to_value(document).unwrap_or_default();
    shapes::shape(&mut document);
    answers::complete(&mut document);
    samples::add(&mut document);
    document
}

/// The same as text.
#[must_use]
pub fn openapi_json() -> String {
    serde_json::to_string_pretty(&openapi()).unwrap_or_default() + "\n"
}

/// Adds what the handlers say, where the table has them, and what the tables know besides.
fn describe(document: &mut utoipa::openapi::OpenApi) {
    document.info.version = env!("CARGO_PKG_VERSION").to_owned();
    let components = document.components.get_or_insert_default();
    let bearer = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
    components.add_security_scheme(BEARER, bearer);
    let problem = components.schemas.get_mut(ProblemView::name().as_ref());
    if let Some(RefOr::T(Schema::Object(problem))) = problem
        && let Some(RefOr::T(Schema::Object(code))) = problem.properties.get_mut("code")
    {
        code.enum_values = Some(Code::ALL.iter().map(|code| json!(code.slug())).collect());
    }
    for entry in TABLE {
        let mut described = (entry.described)();
        for (name, schema) in described.components.take().map(|own| own.schemas).unwrap_or_default() {
            components.schemas.entry(name).or_insert(schema);
        }
        for mut said in described.paths.paths.into_values() {
            let path = document.paths.paths.entry(entry.path.to_owned()).or_default();
            let (operation, said) = match entry.method {
                Method::GET => (&mut path.get, said.get.take()),
                Method::HEAD => (&mut path.head, said.head.take()),
                Method::POST => (&mut path.post, said.post.take()),
                Method::PUT => (&mut path.put, said.put.take()),
                Method::PATCH => (&mut path.patch, said.patch.take()),
                _ => (&mut path.delete, said.delete.take()),
            };
            *operation = said.map(|mut said| {
                complete(&mut said, entry);
                said
            });
        }
    }
}

fn complete(operation: &mut Operation, entry: &Entry) {
    let tag = operation.tags.as_ref().and_then(|tags| tags.first()).cloned().unwrap_or_default();
    let name = operation.operation_id.take().unwrap_or_default();
    // Several nouns share this tag.
    let noun = entry.path.split('/').nth(2).filter(|_| tag == "planning").unwrap_or(&tag).replace('-', "_");
    operation.operation_id = Some(format!("{noun}_{name}"));
    let roles = ExtensionsBuilder::new().add("x-roles", json!(roles(entry.access))).build();
    operation.extensions.get_or_insert_default().merge(roles);
    let open = matches!(entry.access, Access::Public | Access::People | Access::Password);
    let needed =
        if open { SecurityRequirement::default() } else { SecurityRequirement::new(BEARER, [""; 0]) };
    operation.security = Some(vec![needed]);

    let conflicts = conflicts::describe(entry);
    let mut answers: Vec<(u16, &str)> =
        vec![(500, "Something went wrong here."), (503, "Not ready, too busy, or the database is away.")];
    if operation.request_body.is_some() {
        answers.extend([
            (400, "Malformed, or with unknown members."),
            (408, "Too slow."),
            (413, "Too large."),
        ]);
        answers.extend([(415, "Of the wrong type."), (422, "Understood but invalid.")]);
    }
    let in_query = |parameter: &RefOr<Parameter>| matches!(parameter, RefOr::T(of) if of.parameter_in == ParameterIn::Query);
    let asks = entry.method == Method::GET || operation.parameters.iter().flatten().any(in_query);
    if operation.parameters.is_some() && operation.request_body.is_none() && asks {
        answers.extend([
            (400, "With unknown or duplicate keys in the query."),
            (422, "Understood but invalid."),
        ]);
    }
    match entry.access {
        Access::Public => {}
        Access::People | Access::Password => answers.extend([(401, "Refused."), (403, "Not for you.")]),
        Access::May(_) | Access::MayOrMonitor(_) => {
            answers.extend([
                (
                    401,
                    "`token-missing`, `token-malformed`, `token-expired`, `token-revoked`, `user-disabled`.",
                ),
                (403, "Not for your role."),
                (406, "`not-acceptable`: the answer has no type that `Accept` names."),
            ]);
        }
    }
    if entry.path.contains('{') || entry.notes.names_somebody {
        answers.push((404, "Absent, or not for you to see."));
    }
    if [Method::POST, Method::PUT, Method::PATCH, Method::DELETE].contains(&entry.method) {
        answers.push((409, &conflicts));
    }
    let changes = [Method::PUT, Method::PATCH, Method::DELETE].contains(&entry.method);
    let is_version =
        |parameter: &RefOr<Parameter>| matches!(parameter, RefOr::T(of) if of.name == "If-Match");
    if operation.parameters.iter().flatten().any(is_version) {
        answers.push((400, "An `If-Match` that names no version."));
        answers.push((412, "`precondition-failed`: it changed since it was read."));
        if changes {
            answers.push((428, "`precondition-required`: this installation asks for `If-Match`."));
        }
    }
    if entry.notes.limited != Limited::No {
        answers.push((429, "Too many; `Retry-After` says how long to wait."));
    }
    for (status, description) in answers {
        let problem = || {
            let schema = Ref::from_schema_name(ProblemView::name());
            let content = Content::new(Some(schema));
            let mut response = Response::new(description);
            response.content.insert("application/problem+json".to_owned(), content.into());
            RefOr::T(response)
        };
        operation.responses.responses.entry(status.to_string()).or_insert_with(problem);
    }
}

/// Who may call it at all, on an installation that leaves everything to its employees that can be left.
fn roles(access: Access) -> Vec<&'static str> {
    let all = Role::ALL.into_iter();
    match access {
        Access::Public => std::iter::once("anonymous").chain(all.map(Role::name)).collect(),
        Access::People | Access::Password => {
            std::iter::once("anonymous").chain(Role::OF_PEOPLE.into_iter().map(Role::name)).collect()
        }
        Access::May(action) => all.filter(|role| may(*role, action)).map(Role::name).collect(),
        Access::MayOrMonitor(action) => {
            all.filter(|role| may(*role, action)).map(Role::name).chain(["monitor"]).collect()
        }
    }
}

fn may(role: Role, action: Action) -> bool {
    let actor = match role {
        Role::Device => Actor::Device { id: DeviceId::new(Uuid::nil()), may_enroll: true },
        Role::Admin | Role::Manager | Role::Employee => Actor::Person {
            id: UserId::new(Uuid::nil()),
            role,
            manages: Vec::new(),
            session: SessionId::new(Uuid::nil()),
        },
    };
    permit(&actor, action, SelfService { enroll: true, check_in: true }).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_describes_exactly_the_url_table() {
        let document = openapi();
        let mut described: Vec<(String, String)> = Vec::new();
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                assert!(operation["x-roles"].is_array(), "{method} {path} has no x-roles");
                described.push((path.clone(), method.to_uppercase()));
            }
        }
        let mut routed: Vec<_> =
            TABLE.iter().map(|entry| (entry.path.to_owned(), entry.method.to_string())).collect();
        described.sort();
        routed.sort();
        assert_eq!(described, routed);
    }

    #[test]
    fn every_code_is_listed() {
        let document = openapi();
        let codes = &document["components"]["schemas"]["Problem"]["properties"]["code"]["enum"];
        assert_eq!(codes.as_array().map(Vec::len), Some(Code::ALL.len()));
    }

    #[test]
    fn the_document_is_the_one_that_was_reviewed() {
        let same = openapi_json() == include_str!("../openapi.json");
        assert!(same, "the contract changed; run: rollcall openapi > crates/http/openapi.json");
    }
}
