//! Reports in each of their forms, and statistics.

use std::io::Read;

use actix_web::http::Method;
use actix_web::test::TestRequest;
use rollcall_domain::access::Role;
use serde_json::{Value, json};

use super::world::{Answer, Somebody, World, bearer, pairs};

const REPORT: &str = "/api/attendance/report?from=2026-03-02&to=2026-03-06";

/// Ada came on Monday and, late, on Tuesday; her name is a formula. It is Saturday.
async fn week() -> (World, Somebody, Somebody) {
    let world = World::new();
    let admin = world.admin().await;
    let ada = world.employee("Ada").await;
    let change = json!({ "name": "=cmd|'/C calc'!A0, \"Ada\"" });
    world.put(&admin.token, &format!("/api/users/{}", ada.id), change).await.is(200);
    world.fakes.clock.set("2026-03-07T12:00:00Z");
    let (admin, ada) = (world.again("Root", admin).await, world.again("Ada", ada).await);
    for (kind, at) in [
        ("check_in", "2026-03-02T09:00:00Z"),
        ("check_out", "2026-03-02T18:00:00Z"),
        ("check_in", "2026-03-03T09:30:00Z"),
        ("check_out", "2026-03-03T18:00:00Z"),
    ] {
        let punch =
            json!({ "user_id": ada.id.to_string(), "type": kind, "at": at, "reason": "from the list" });
        world.post(&admin.token, "/api/attendance/mark", punch).await.is(201);
    }
    (world, admin, ada)
}

fn lines(answer: &Answer) -> Vec<String> {
    let text = String::from_utf8(answer.body.to_vec()).unwrap();
    let text = text.strip_prefix('\u{feff}').expect("a mark, by which Excel knows the encoding");
    assert!(text.ends_with("\r\n"), "{text}");
    text.trim_end().split("\r\n").map(str::to_owned).collect()
}

/// The first sheet of a workbook, as it is written.
fn sheet(answer: &Answer) -> String {
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(&answer.body)).unwrap();
    let mut text = String::new();
    archive.by_name("xl/worksheets/sheet1.xml").unwrap().read_to_string(&mut text).unwrap();
    text
}

async fn accepting(world: &World, who: &Somebody, accept: &'static str) -> Answer {
    let request = TestRequest::get().uri(REPORT).insert_header(("Accept", accept));
    world.call(bearer(request, &who.token)).await
}

#[actix_web::test]
async fn head_request_of_a_report_starts_no_job() {
    let world = World::new();
    let admin = world.admin().await;
    for path in [
        "/api/attendance/report?from=2020-01-01&to=2026-01-01",
        "/api/attendance/report?from=2026-01-01&to=2026-01-02",
    ] {
        let asked = bearer(TestRequest::default().method(Method::HEAD).uri(path), &admin.token);
        let answer = world.call(asked.insert_header(("Prefer", "respond-async"))).await;
        assert_eq!((answer.status.as_u16(), answer.header("location")), (202, ""), "{path}");
    }
    let jobs = world.get(&admin.token, "/api/jobs").await.is(200);
    assert_eq!(jobs["data"], json!([]));
}

#[actix_web::test]
async fn a_file_names_its_dates_and_the_time_zone_and_holds_no_formula() {
    let (world, admin, ada) = week().await;
    let path = format!(
        "{REPORT}&format=csv&timezone=Asia/Kolkata&user_id={}&columns=name,date,status,first_in,worked_seconds",
        ada.id
    );
    let file = world.get(&admin.token, &path).await;
    assert_eq!(file.status, 200, "{file:?}");
    assert!(file.header("content-type").starts_with("text/csv; charset=utf-8"), "{file:?}");
    assert_eq!(
        file.header("content-disposition"),
        "attachment; filename=\"attendance_2026-03-02_2026-03-06.csv\""
    );
    let name = "\"'=cmd|'/C calc'!A0, \"\"Ada\"\"\"";
    assert_eq!(
        lines(&file),
        [
            "name,date,status,first_in (Asia/Kolkata),worked_seconds".to_owned(),
            format!("{name},2026-03-02,present,2026-03-02 14:30:00,32400"),
            format!("{name},2026-03-03,late,2026-03-03 15:00:00,30600"),
            format!("{name},2026-03-04,absent,,"),
            format!("{name},2026-03-05,absent,,"),
            format!("{name},2026-03-06,absent,,"),
        ]
    );
    let all = world.get(&admin.token, &format!("{REPORT}&format=csv")).await;
    assert_eq!(lines(&all).len(), 11, "two people, five days, a header");
    assert!(lines(&all)[0].contains("first_in (UTC),last_out (UTC)"));
    let german = world.get(&admin.token, &format!("{REPORT}&format=csv&locale=de-DE")).await;
    assert!(lines(&german)[0].starts_with("Personalnummer,Name,Abteilung,Datum"), "{german:?}");
    let late = world.get(&admin.token, &format!("{REPORT}&format=csv&status=late&columns=date")).await;
    assert_eq!(lines(&late), ["date", "2026-03-03"]);
}

#[actix_web::test]
async fn a_file_is_separated_and_marked_as_its_reader_wants() {
    let (world, admin, ada) = week().await;
    let change = json!({ "name": "Zoë; Müller-Ærø" });
    world.put(&admin.token, &format!("/api/users/{}", ada.id), change).await.is(200);
    let of = |query: &str| format!("{REPORT}&user_id={}&status=late&columns=name,date&{query}", ada.id);
    let text = async |query: &str| {
        let answer = world.get(&admin.token, &of(query)).await;
        assert_eq!(answer.status, 200, "{query}: {answer:?}");
        String::from_utf8(answer.body.to_vec()).unwrap()
    };
    let plain = text("format=csv&bom=false").await;
    assert_eq!(plain, "name,date\r\nZoë; Müller-Ærø,2026-03-03\r\n");
    assert_eq!(text("format=csv").await, format!("\u{feff}{plain}"));
    assert_eq!(
        text("format=csv&separator=semicolon").await,
        "\u{feff}name;date\r\n\"Zoë; Müller-Ærø\";2026-03-03\r\n"
    );
    assert!(text("format=csv&separator=tab&bom=false").await.starts_with("name\tdate\r\n"));
    let sums = format!("{REPORT}&group_by=user&format=csv");
    let sums = String::from_utf8(world.get(&admin.token, &sums).await.body.to_vec()).unwrap();
    assert!(sums.starts_with("\u{feff}key,label,"), "{sums}");
    for query in
        ["format=json&bom=true", "format=xlsx&separator=tab", "format=csv&separator=;", "format=csv&bom=yes"]
    {
        let path = format!("{REPORT}&{query}");
        world.get(&admin.token, &path).await.is_problem(422, "validation-failed");
    }
}

#[actix_web::test]
async fn a_file_is_entered_as_it_was_exported() {
    let (world, admin, ada) = week().await;
    let change = json!({ "employee_code": "-12" });
    world.put(&admin.token, &format!("/api/users/{}", ada.id), change).await.is(200);
    let columns = "columns=employee_code,date,first_in,last_out&timezone=Asia/Kolkata";
    let path = "/api/admin/attendance/bulk?operation=mark&reason=read+back";
    for dialect in ["bom=true", "bom=false&separator=semicolon", "separator=tab"] {
        let query = format!("{REPORT}&user_id={}&to=2026-03-03&format=csv&{columns}&{dialect}", ada.id);
        let query = query.replacen("&to=2026-03-06", "", 1);
        let file = world.get(&admin.token, &query).await;
        assert!(String::from_utf8_lossy(&file.body).contains("'-12"), "{file:?}");
        let request = TestRequest::post().uri(path).insert_header(("content-type", "text/csv"));
        let answer = world.call(bearer(request.set_payload(file.body.clone()), &admin.token)).await.is(200);
        let outcomes: Vec<_> =
            answer["results"].as_array().unwrap().iter().map(|one| &one["outcome"]).collect();
        assert_eq!(outcomes, ["unchanged", "unchanged"], "{answer}");
        assert_eq!((&answer["results"][0]["line"], &answer["results"][1]["line"]), (&json!(2), &json!(3)));
    }
}

#[actix_web::test]
async fn a_date_that_a_spreadsheet_rewrote_is_told_by_line_and_column() {
    let (world, admin, ada) = week().await;
    let path = "/api/admin/attendance/bulk?operation=mark&reason=by+hand";
    let enter = async |text: String| {
        let request =
            TestRequest::post().uri(path).insert_header(("content-type", "application/vnd.ms-excel"));
        world.call(bearer(request.set_payload(text), &admin.token)).await
    };
    let text = format!(
        "sep=;\r\nUser ID;Date;Check in;Note;\r\n;;;;\r\n{id};2026-03-04;9:00;\"two\nlines\";\r\n\
         {id};02.11.2026;09:00;;\r\n{id};2026-03-05;1:30 PM;;\r\n;;;;\r\n",
        id = ada.id
    );
    let answer = enter(text).await.is(207);
    let results = answer["results"].as_array().unwrap();
    let shown: Vec<_> =
        results.iter().map(|one| (&one["line"], &one["problem"]["errors"][0]["pointer"])).collect();
    assert_eq!(shown[0], (&json!(4), &Value::Null), "{answer}");
    assert_eq!(shown[1..], [(&json!(6), &json!("/date")), (&json!(7), &json!("/check_in"))], "{answer}");
    let why = results[1]["problem"]["errors"][0]["detail"].as_str().unwrap();
    assert!(why.contains("2026-03-02") && why.contains("02.11.2026"), "{why}");
    enter("email;date\r\nM\u{fffd}ller".into()).await.is_problem(422, "nothing-applied");
}

#[actix_web::test]
async fn json_may_begin_with_a_mark() {
    let (world, admin, ada) = week().await;
    let put = async |body: Vec<u8>| {
        let path = format!("/api/users/{}", ada.id);
        let request = TestRequest::put().uri(&path).insert_header(("content-type", "application/json"));
        world.call(bearer(request.set_payload(body), &admin.token)).await
    };
    let marked = "\u{feff}{\"name\":\"علی\u{200c}رضا\",\"address\":\"1 Road\\r\\n\\tTown\"}";
    let ada = put(marked.into()).await.is(200);
    assert_eq!((&ada["name"], &ada["address"]), (&json!("علی\u{200c}رضا"), &json!("1 Road\r\n\tTown")));
    let utf16 = marked.encode_utf16().flat_map(u16::to_le_bytes).collect();
    put(utf16).await.is_problem(400, "malformed-json");
    for (name, part) in
        [("A\\u202Eda", "U+202E"), ("A\\nda", "U+000A"), ("A\\u0000da", "U+0000"), ("\\u200D", "empty")]
    {
        let problem =
            put(format!("{{\"name\":\"{name}\"}}").into()).await.is_problem(422, "validation-failed");
        let detail = problem["errors"][0]["detail"].as_str().unwrap();
        assert!(detail.contains(part), "{detail}");
    }
    put(b"{\"name\":\"A\\ud800\"}".to_vec()).await.is_problem(400, "malformed-json");
    let logout = TestRequest::post().uri("/api/auth/logout").set_payload(b"\xef\xbb\xbf".to_vec());
    assert_eq!(world.call(bearer(logout, &admin.token)).await.status, 204);
}

#[actix_web::test]
async fn the_header_accept_chooses_unless_the_query_does() {
    let (world, admin, _) = week().await;
    let kind = |answer: &Answer| answer.header("content-type").split(';').next().unwrap().to_owned();
    const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
    for (accept, expected) in [
        ("text/csv", "text/csv"),
        (XLSX, XLSX),
        ("*/*", "application/json"),
        ("application/json", "application/json"),
    ] {
        let answer = accepting(&world, &admin, accept).await;
        assert_eq!((answer.status.as_u16(), kind(&answer)), (200, expected.to_owned()), "{accept}");
    }
    accepting(&world, &admin, "image/png").await.is_problem(406, "not-acceptable");
    // Only what comes as a file can be asked for as one.
    let today = TestRequest::get().uri("/api/attendance/today").insert_header(("Accept", "text/csv"));
    world.call(bearer(today, &admin.token)).await.is_problem(406, "not-acceptable");
    let request =
        TestRequest::get().uri(&format!("{REPORT}&format=json")).insert_header(("Accept", "text/csv"));
    assert_eq!(kind(&world.call(bearer(request, &admin.token)).await), "application/json");

    let workbook = world.get(&admin.token, &format!("{REPORT}&format=xlsx")).await;
    assert!(workbook.body.starts_with(b"PK\x03\x04"), "a ZIP archive");
    assert_eq!(
        workbook.header("content-disposition"),
        "attachment; filename=\"attendance_2026-03-02_2026-03-06.xlsx\""
    );
    let sheet = sheet(&workbook);
    assert!(sheet.contains("first_in (UTC)"), "the header row names the time zone: {sheet}");
    assert!(sheet.contains("'=cmd|") && !sheet.contains("<f>"), "no formula: {sheet}");
    assert_eq!(sheet.matches("<row ").count(), 11);
    let sums = world.get(&admin.token, &format!("{REPORT}&format=xlsx&group_by=week")).await;
    assert!(sums.body.starts_with(b"PK\x03\x04"));
}

#[actix_web::test]
async fn records_are_paged_and_sums_have_totals() {
    let (world, admin, ada) = week().await;
    let page = world.get(&admin.token, &format!("{REPORT}&user_id={}&per_page=2&page=2", ada.id)).await;
    assert!(page.header("link").contains("rel=\"next\""), "{page:?}");
    let page = page.is(200);
    assert_eq!(page["pagination"], json!({ "page": 2, "per_page": 2, "total": 5, "total_pages": 3 }));
    let record = &page["data"][0];
    assert_eq!((&record["date"], &record["status"]), (&json!("2026-03-04"), &json!("absent")));
    assert_eq!(
        (&record["user"]["id"], &record["user_id"]),
        (&json!(ada.id.to_string()), &json!(ada.id.to_string()))
    );

    let two = format!("{REPORT}&user_id={}&user_id={}", ada.id, admin.id);
    for (by, groups) in [("user", 2), ("department", 1), ("day", 5), ("week", 1), ("month", 1), ("shift", 1)]
    {
        let sums = world.get(&admin.token, &format!("{two}&group_by={by}")).await.is(200);
        assert_eq!(sums["data"].as_array().map(Vec::len), Some(groups), "{sums}");
        let totals = &sums["totals"];
        assert_eq!(
            (
                &totals["records"],
                &totals["present"],
                &totals["late"],
                &totals["absent"],
                &totals["worked_seconds"]
            ),
            (&json!(10), &json!(1), &json!(1), &json!(8), &json!(63_000)),
            "{sums}"
        );
        let sum = |name: &str| -> i64 {
            sums["data"].as_array().unwrap().iter().map(|group| group[name].as_i64().unwrap()).sum()
        };
        assert_eq!((json!(sum("records")), json!(sum("absent"))), (json!(10), json!(8)));
    }
    let week = world.get(&admin.token, &format!("{two}&group_by=week")).await.is(200);
    assert_eq!(week["data"][0]["key"], "2026-W10");
    assert_eq!(
        (&week["data"][0]["start"], &week["data"][0]["end"]),
        (&json!("2026-03-02"), &json!("2026-03-06"))
    );
    let csv = world.get(&admin.token, &format!("{two}&group_by=day&format=csv&columns=key,records")).await;
    assert_eq!(lines(&csv)[..2], ["key,records", "2026-03-02,2"]);
}

#[actix_web::test]
async fn impossible_report_queries_are_refused() {
    let (world, admin, ada) = week().await;
    let of = async |query: &str| world.get(&admin.token, &format!("/api/attendance/report?{query}")).await;
    for (query, wrong) in [
        ("from=2026-03-02&to=2026-03-01", ("to", "out-of-range")),
        ("from=2015-01-01&to=2026-03-01", ("to", "out-of-range")),
        ("group_by=mood", ("group_by", "unknown-value")),
        ("format=pdf", ("format", "unknown-value")),
        ("format=csv&columns=name,password", ("columns", "unknown-value")),
        ("format=csv&columns=name,name", ("columns", "duplicate")),
        ("format=csv&locale=tlh", ("locale", "unknown-value")),
        ("format=csv&page=2", ("page", "not-applicable")),
        ("columns=name", ("columns", "not-applicable")),
        ("timezone=Mars/Olympus", ("timezone", "unknown-timezone")),
        ("user_id=ada", ("user_id", "does-not-exist")),
    ] {
        let answer = of(query).await;
        answer.is_problem(422, "validation-failed");
        assert_eq!(answer.wrong(), pairs(&[wrong]), "{query}");
    }
    let many = vec![format!("user_id={}", ada.id); 101].join("&");
    assert_eq!(of(&many).await.wrong(), pairs(&[("user_id", "out-of-range")]));
    of("mood=good").await.is_problem(400, "unknown-parameter");
    of("from=2026-03-01&from=2026-03-02").await.is_problem(400, "duplicate-parameter");
    let nobody = "01890000-0000-7000-8000-000000000000";
    for (key, value) in [("user_id", nobody), ("user_id", "nobody"), ("department_id", nobody)] {
        let shown = of(&format!("{key}={value}")).await;
        shown.is_problem(422, "validation-failed");
        assert_eq!(shown.wrong(), pairs(&[(key, "does-not-exist")]));
    }
    let other = format!("{REPORT}&format=csv&user_id={}", admin.id);
    world.get(&ada.token, &other).await.is_problem(422, "validation-failed");
    world.fakes.stores.set_outage(true);
    of("format=csv").await.is_problem(503, "database-unavailable");
}

#[actix_web::test]
async fn rates_trends_and_dashboards_have_the_shapes_that_are_documented() {
    let world = World::new();
    let admin = world.admin().await;
    let manager = world.person("Mia", Role::Manager, None).await;
    let sales = world.department("Sales", Some(manager.id)).await;
    let ada = world.person("Ada", Role::Employee, Some(sales)).await;
    world.fakes.clock.set("2026-03-02T08:58:00Z");
    world.post(&ada.token, "/api/attendance/mark", json!({})).await.is(201);
    world.fakes.clock.set("2026-03-03T12:00:00Z");
    let (admin, manager) = (world.again("Root", admin).await, world.again("Mia", manager).await);
    let ada = world.again("Ada", ada).await;
    let get =
        async |who: &Somebody, path: &str| world.get(&who.token, &format!("/api/statistics/{path}")).await;

    let dates = "from=2026-03-01&to=2026-03-08";
    let rate = get(&manager, &format!("attendance/rate?{dates}&group_by=department")).await.is(200);
    assert_eq!(
        rate["data"],
        json!([{
            "key": sales.to_string(), "label": "Sales", "numerator": 1.0, "denominator": 1, "rate": 1.0, "late_rate": 0.0,
            "punctuality": 1.0, "present": 1, "late": 0, "half_day": 0, "absent": 0
        }])
    );
    assert!(rate["formula"].as_str().unwrap().contains("0.5 * half_day"), "{rate}");
    let sunday = get(&admin, "attendance/rate?from=2026-03-01&to=2026-03-01").await.is(200);
    assert_eq!((&sunday["data"][0]["denominator"], &sunday["data"][0]["rate"]), (&json!(0), &Value::Null));

    let trends =
        format!("attendance/trends?{dates}&interval=week&metrics=rate,avg_check_in&compare=previous");
    let trends = get(&manager, &trends).await.is(200);
    assert_eq!(
        trends["data"][0],
        json!({
            "period": "2026-W09", "start": "2026-03-01", "end": "2026-03-01", "rate": null, "avg_check_in": null
        })
    );
    assert_eq!(
        trends["data"][1],
        json!({
            "period": "2026-W10", "start": "2026-03-02", "end": "2026-03-08", "rate": 1.0, "avg_check_in": "08:58:00"
        })
    );
    assert_eq!(
        (&trends["previous"]["from"], &trends["previous"]["to"]),
        (&json!("2026-02-21"), &json!("2026-02-28"))
    );

    let departments = get(&admin, &format!("departments?{dates}&sort=-rate")).await.is(200);
    let first = &departments["data"][0];
    assert_eq!((&first["department"]["name"], &first["headcount"]), (&json!("Sales"), &json!(1)));
    assert_eq!((&first["present_today"], &first["avg_check_in"]), (&json!(0), &json!("08:58:00")));
    assert_eq!(departments["data"][1]["department"], Value::Null);

    let glance = get(&admin, "dashboard?days=30").await.is(200);
    assert_eq!((&glance["scope"], &glance["users"]["total"]), (&json!("all"), &json!(3)));
    assert_eq!(glance["week"], json!({ "rate": 0.3333, "prev_rate": null, "delta": null }));
    assert_eq!((&glance["recognition"]["attempts"], &glance["alerts"]), (&json!(0), &json!([])));
    let own = get(&ada, "dashboard").await.is(200);
    assert_eq!(
        (&own["scope"], &own["week"]["rate"], &own["recognition"]),
        (&json!("self"), &json!(1.0), &Value::Null)
    );

    for path in ["attendance/rate", "attendance/trends", "departments"] {
        get(&ada, path).await.is_problem(403, "forbidden");
    }
    get(&admin, "dashboard?days=8").await.is_problem(422, "validation-failed");
    get(&admin, "attendance/trends?metrics=mood").await.is_problem(422, "validation-failed");
    get(&admin, "attendance/trends?interval=year").await.is_problem(422, "validation-failed");
    get(&admin, "attendance/rate?group_by=mood").await.is_problem(422, "validation-failed");
    get(&admin, "departments?sort=mood").await.is_problem(400, "unknown-parameter");
}
