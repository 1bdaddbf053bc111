//! Pages, orders, filters.

use serde_json::json;

use super::world::{World, pairs};

#[actix_web::test]
async fn user_list_page_has_totals_and_links() {
    let world = World::new();
    let admin = world.admin().await;
    for name in ["Ada", "Bob", "Cleo", "Dan"] {
        world.employee(name).await;
    }
    let answer = world.get(&admin.token, "/api/users?per_page=2&page=2&sort=name").await;
    let body = answer.is(200);
    assert_eq!(body["pagination"], json!({ "page": 2, "per_page": 2, "total": 5, "total_pages": 3 }));
    let names: Vec<_> = body["data"].as_array().unwrap().iter().map(|user| user["name"].clone()).collect();
    assert_eq!(names, ["Cleo", "Dan"]);
    assert_eq!(
        answer.header("link"),
        "</api/users?per_page=2&sort=name&page=1>; rel=\"first\", </api/users?per_page=2&sort=name&page=1>; \
         rel=\"prev\", </api/users?per_page=2&sort=name&page=3>; rel=\"next\", \
         </api/users?per_page=2&sort=name&page=3>; rel=\"last\""
    );
    let past = world.get(&admin.token, "/api/users?page=99").await.is(200);
    assert_eq!((&past["data"], &past["pagination"]["total"]), (&json!([]), &json!(5)));
    let found =
        world.get(&admin.token, "/api/users?q=CLE&role=employee&status=active&enrolled=false").await.is(200);
    assert_eq!(found["pagination"]["total"], 1);
    let found = world.get(&admin.token, "/api/users?created_from=2026-03-03").await.is(200);
    assert_eq!(found["pagination"]["total"], 0);
    let found =
        world.get(&admin.token, "/api/admin/users?created_to=2026-03-02&never_logged_in=false").await.is(200);
    assert_eq!(found["pagination"]["total"], 5);
}

#[actix_web::test]
async fn unknown_and_repeated_list_parameters_are_refused() {
    let world = World::new();
    let admin = world.admin().await;
    for (query, wrong) in [
        ("limit=5", &[("limit", "unknown")][..]),
        ("a=1&b=2", &[("a", "unknown"), ("b", "unknown")]),
        ("sort=password", &[("sort", "unknown")]),
        ("sort=name,,email", &[("sort", "unknown")]),
    ] {
        let answer = world.get(&admin.token, &format!("/api/users?{query}")).await;
        answer.is_problem(400, "unknown-parameter");
        assert_eq!(answer.wrong(), pairs(wrong), "{query}");
    }
    world.get(&admin.token, "/api/users?page=1&page=2").await.is_problem(400, "duplicate-parameter");
    let thousands = format!("sort={}", vec!["name"; 2_001].join(","));
    for query in ["sort=name,email,name", "sort=name,-name", &thousands] {
        for list in ["/api/users", "/api/admin/users"] {
            let answer = world.get(&admin.token, &format!("{list}?{query}")).await;
            answer.is_problem(400, "duplicate-parameter");
            assert_eq!(answer.wrong(), pairs(&[("sort", "duplicate")]), "{list}");
        }
    }
}

#[actix_web::test]
async fn all_list_parameters_out_of_range_are_told_at_once() {
    let world = World::new();
    let admin = world.admin().await;
    let answer = world.get(&admin.token, "/api/users?page=0&per_page=101&role=boss&enrolled=yes").await;
    answer.is_problem(422, "validation-failed");
    let each = [
        ("enrolled", "wrong-type"),
        ("page", "out-of-range"),
        ("per_page", "out-of-range"),
        ("role", "unknown-value"),
    ];
    assert_eq!(answer.wrong(), pairs(&each));
    for query in ["page=-1", "page=99999999999999999999", "per_page=1.5", "per_page=100000"] {
        world.get(&admin.token, &format!("/api/users?{query}")).await.is_problem(422, "validation-failed");
    }
    for query in ["from=2026-03-02&to=2026-03-01", "from=2025-01-01&to=2026-03-01"] {
        let answer = world.get(&admin.token, &format!("/api/attendance/user/me?{query}")).await;
        assert_eq!(answer.wrong(), pairs(&[("to", "out-of-range")]));
    }
    let reversed = world.get(&admin.token, "/api/users?created_from=2026-03-02&created_to=2026-03-01").await;
    assert_eq!(reversed.wrong(), pairs(&[("created_to", "out-of-range")]));
}

#[actix_web::test]
async fn an_employee_sees_themself_and_may_not_filter() {
    let world = World::new();
    let ada = world.employee("Ada").await;
    world.employee("Bob").await;
    let body = world.get(&ada.token, "/api/users").await.is(200);
    assert_eq!(body["pagination"]["total"], 1);
    assert_eq!(body["data"][0]["id"], ada.id.to_string());
    assert_eq!(body["profile"], body["data"][0]);
    world.get(&ada.token, "/api/users?q=Bob").await.is_problem(403, "filter-forbidden");
    world.get(&ada.token, "/api/users?per_page=5").await.is(200);
}
