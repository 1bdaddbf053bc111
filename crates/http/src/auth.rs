//! `/api/auth`

use actix_web::http::header;
use actix_web::{HttpResponse, web};
use rollcall_domain::access::Actor;
use rollcall_domain::calendar::Zone;
use rollcall_domain::id::DepartmentId;
use rollcall_domain::user::{EmailAddress, FaceSummary, Password, PersonName};
use rollcall_usecases::auth::{Application, Granted, Token};
use rollcall_usecases::users::Profile;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use crate::actor::Authenticated;
use crate::input::{Json, Language, Line, MaybeJson, form};
use crate::options::Api;
use crate::problem::Problem;
use crate::profile::{UserView, utc};

form! {
    body struct RegisterForm as Registration {
        name: Required<PersonName>,
        #[schema(format = "email")]
        email: Required<EmailAddress>,
        #[schema(format = Password)]
        password: Required<Password>,
        phone: Nullable<Line<40>>,
        department_id: Nullable<DepartmentId>,
        /// IANA name.
        timezone: Nullable<Zone>,
        /// Language tag.
        locale: Nullable<Language>,
    }
    const NOT_ALLOWED: &'static [&'static str] = &[
        "role",
        "status",
        "id",
        "is_admin",
        "employee_code",
        "created_at",
        "updated_at",
        "deleted_at",
        "version",
        "join_date",
        "leave_date",
        "default_shift_id",
        "face",
        "department",
        "last_login_at",
    ];
}

impl RegisterForm {
    fn into_application(self) -> Result<Application, Problem> {
        Ok(Application {
            name: self.name.value()?,
            email: self.email.value()?,
            password: self.password.value()?,
            phone: self.phone.value(),
            department: self.department_id.value(),
            timezone: self.timezone.value(),
            locale: self.locale.value(),
        })
    }
}

form! {
    body struct LoginForm as Credentials {
        email: Required<String>,
        #[schema(format = Password)]
        password: Required<Password>,
    }
}

form! {
    body struct RefreshForm as Renewal {
        // Of any length: whatever it is, it is a refresh token or it is none.
        refresh_token: Required<String>,
    }
}

form! {
    body struct InvitationForm as Acceptance {
        /// What follows the `#` of the `invite_url`.
        token: Required<String>,
        #[schema(format = Password)]
        password: Required<Password>,
    }
}

form! {
    #[derive(Default)]
    body struct LogoutForm as Logout {
        /// End all logins of the person instead of this one.
        all: Option<bool>,
    }
}

/// Tokens of a login, and whose it is.
#[derive(Serialize, ToSchema)]
#[schema(as = Login)]
pub(crate) struct LoginView {
    access_token: String,
    /// Is exchanged for the next pair, once. A registration comes without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
    /// `Bearer`
    token_type: &'static str,
    /// Seconds for which the access token is good.
    expires_in: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<UserView>,
}

impl LoginView {
    fn new(granted: Granted, user: Option<UserView>) -> Self {
        Self {
            access_token: granted.access,
            refresh_token: granted.refresh,
            token_type: "Bearer",
            expires_in: granted.expires_in.as_secs(),
            user,
        }
    }
}

/// A person who waits for approval.
#[derive(Serialize, ToSchema)]
#[schema(as = PendingRegistration)]
pub(crate) struct PendingView {
    user: UserView,
}

/// What a good token belongs to.
#[derive(ToSchema)]
#[schema(as = TokenInfo)]
#[expect(dead_code, reason = "the schema of an answer that is written out where it is given")]
pub(crate) struct TokenView {
    /// Always true.
    valid: bool,
    /// `user` or `device`.
    kind: String,
    /// `id`, `name`, `email`, `role` and `status` of the person, as of now; not for kiosks.
    user: Option<serde_json::Value>,
    /// `id` and `name` of the kiosk; not for people.
    device: Option<serde_json::Value>,
    session_id: Option<String>,
    #[schema(format = DateTime)]
    issued_at: Option<String>,
    #[schema(format = DateTime)]
    expires_at: Option<String>,
}

/// Opens an account, as far as the installation lets people do that.
#[utoipa::path(post, path = "", tag = "auth", request_body = RegisterForm,
    responses((status = 201, description = "Opened and logged in.", body = LoginView),
              (status = 202, description = "Waits for approval; no token.", body = PendingView)))]
pub(crate) async fn register(
    api: web::Data<Api>,
    Json(form): Json<RegisterForm>,
) -> Result<HttpResponse, Problem> {
    let (user, granted) = api.usecases.auth.register(form.into_application()?).await?;
    let location = (header::LOCATION, format!("/api/users/{}", user.id));
    let user = UserView::new(&api, Profile { user, face: FaceSummary::default() });
    Ok(match granted {
        Some(granted) => {
            HttpResponse::Created().insert_header(location).json(LoginView::new(granted, Some(user)))
        }
        None => HttpResponse::Accepted().insert_header(location).json(PendingView { user }),
    })
}

/// Logs in. An unknown address and a wrong password look the same.
#[utoipa::path(post, path = "", tag = "auth", request_body = LoginForm,
    responses((status = 200, description = "Logged in.", body = LoginView)))]
pub(crate) async fn login(api: web::Data<Api>, Json(form): Json<LoginForm>) -> Result<HttpResponse, Problem> {
    let email = form.email.value()?;
    let (user, granted) = api.usecases.auth.login(&email, form.password.value()?).await?;
    let actor = Actor::Person { id: user.id, role: user.role, manages: Vec::new(), session: granted.session };
    let profile = api.usecases.users.get(&actor, user.id).await?;
    let user = UserView::new(&api, Profile { user, face: profile.face });
    Ok(HttpResponse::Ok().json(LoginView::new(granted, Some(user))))
}

/// Exchanges a refresh token for the next pair. Using one twice ends the login.
#[utoipa::path(post, path = "", tag = "auth", request_body = RefreshForm,
    responses((status = 200, description = "The next pair, without `user`.", body = LoginView)))]
pub(crate) async fn refresh(
    api: web::Data<Api>,
    Json(form): Json<RefreshForm>,
) -> Result<HttpResponse, Problem> {
    let token = form.refresh_token.value()?;
    let granted = api.usecases.auth.refresh(&token).await?;
    Ok(HttpResponse::Ok().json(LoginView::new(granted, None)))
}

/// Accepts an invitation: the person logs in with this password from now on. Works once.
#[utoipa::path(post, path = "", tag = "auth", request_body = InvitationForm,
    responses((status = 204, description = "The password is set.")))]
pub(crate) async fn invitation(
    api: web::Data<Api>,
    Json(form): Json<InvitationForm>,
) -> Result<HttpResponse, Problem> {
    let token = form.token.value()?;
    api.usecases.auth.accept_invitation(&token, form.password.value()?).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Ends this login, or all of the person's.
#[utoipa::path(post, path = "", tag = "auth", request_body = Option<LogoutForm>,
    responses((status = 204, description = "The token is dead, on every instance.")))]
pub(crate) async fn logout(
    api: web::Data<Api>,
    caller: Authenticated,
    MaybeJson(form): MaybeJson<LogoutForm>,
) -> Result<HttpResponse, Problem> {
    api.usecases.auth.logout(caller.actor(), form.all.unwrap_or(false)).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Whether the token is good, and whose it is. Role and status are read afresh.
#[utoipa::path(get, path = "", tag = "auth",
    responses((status = 200, description = "It is good.", body = TokenView)))]
pub(crate) async fn verify_token(caller: Authenticated) -> HttpResponse {
    HttpResponse::Ok().json(match caller.token() {
        Token::Login { principal, claims } => json!({
            "valid": true,
            "kind": "user",
            "user": {
                "id": principal.user.to_string(),
                "name": principal.name,
                "email": principal.email,
                "role": principal.role.name(),
                "status": principal.status.name(),
            },
            "session_id": claims.session.to_string(),
            "issued_at": utc(claims.issued_at),
            "expires_at": utc(claims.expires_at),
        }),
        Token::Key { device, name } => json!({
            "valid": true,
            "kind": "device",
            "device": { "id": device.to_string(), "name": name },
        }),
    })
}
