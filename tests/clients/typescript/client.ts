// Uses a client made from the contract as a frontend would: what does not compile here does not compile there.
import createClient from "openapi-fetch";
import type { components, paths } from "./contract.js";

type Schemas = components["schemas"];

declare const process: { env: Record<string, string | undefined>; exit(code: number): never };

const env = (name: string): string => process.env[name] ?? "";
const api = createClient<paths>({ baseUrl: env("ROLLCALL_URL"), headers: { Authorization: `Bearer ${env("ROLLCALL_TOKEN")}` } });

function there<T>(what: string, answer: { data?: T; error?: unknown; response: Response }): T {
  if (answer.data === undefined) throw new Error(`${what}: ${answer.response.status} ${JSON.stringify(answer.error)}`);
  return answer.data;
}

function same<T>(what: string, found: T, expected: T): void {
  if (JSON.stringify(found) !== JSON.stringify(expected)) {
    throw new Error(`${what}: ${JSON.stringify(found)} instead of ${JSON.stringify(expected)}`);
  }
}

// A person is added with nothing but what is needed, read, changed by what was read, and changed by one member.
const added = there("add", await api.POST("/api/users", { body: { name: "Ada Byron", email: "ada.byron@example.org" } }));
const path = { user_id: added.id };
const read = there("read", await api.GET("/api/users/{user_id}", { params: { path } }));
const role: "admin" | "manager" | "employee" = read.role;
same("role", role, "employee");
const same_again: Schemas["User"] = there("send back", await api.PUT("/api/users/{user_id}", { params: { path }, body: read }));
same("version", same_again.version, read.version);
const update: Schemas["UserUpdate"] = { phone: "+44 20 7946 0000" };
const updated = there("change", await api.PATCH("/api/users/{user_id}", { params: { path }, body: update }));
same("phone and name", [updated.phone, updated.name], ["+44 20 7946 0000", "Ada Byron"]);

const people = there("list", await api.GET("/api/users", { params: { query: { q: "byron", sort: "-name", per_page: 5 } } }));
same("found", people.data.map((person) => person.id), [added.id]);

// Wrong words do not compile, and what comes back is one of those that are known.
const mark: Schemas["Mark"] = { type: "check_in", user_id: added.id, reason: "forgot the badge" };
const marked = there("mark", await api.POST("/api/attendance/mark", { body: mark }));
const decision: Schemas["Marked"]["decision"] = marked.decision;
same("decision", decision, "checked_in");
same("whose", marked.record.user, { id: added.id, name: "Ada Byron" });

const days = there("days", await api.GET("/api/attendance/user/{user_id}", { params: { path, query: { include: "events" } } }));
const day: Schemas["Record"] | undefined = days.data[0];
same("punches", day?.events?.map((event) => event.type), ["check_in"]);

const report = there("report", await api.GET("/api/attendance/report", { params: { query: { group_by: "user" } } }));
if (typeof report === "string" || !("group_by" in report)) throw new Error("a report in JSON is no file and no job");
same("grouped by", report.group_by, "user");

const leave = there("leave", await api.POST("/api/leaves", { body: { user_id: added.id, from: "2026-07-06", kind: "annual" } }));
const approved = there("approve", await api.POST("/api/leaves/{leave_id}/approve", { params: { path: { leave_id: leave.id } } }));
const state: "pending" | "approved" | "rejected" | "withdrawn" = approved.status;
same("approved", state, "approved");

// A picture without anybody is refused with a code that is known.
const searched = await api.POST("/api/face/recognize", { body: { image: "aGVsbG8=", mark: false } });
const problem: Schemas["Problem"] | undefined = searched.error;
const code: Schemas["Problem"]["code"] | undefined = problem?.code;
same("code", [searched.response.status, code], [415, "unsupported-image"]);

// @ts-expect-error null says nothing of a name
const nobody: Schemas["UserUpdate"] = { name: null };
same("refused", (await api.PATCH("/api/users/{user_id}", { params: { path }, body: nobody })).response.status, 422);

process.exit(0);
