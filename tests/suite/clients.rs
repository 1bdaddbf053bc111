//! A client that is made from the contract compiles and works.

use std::path::{Path, PathBuf};
use std::process::Command;

use rollcall_tests::{TestApp, setup};

/// The folder with the check and what it is made with.
fn prepared() -> PathBuf {
    let folder = setup::workspace().join("tests/clients/typescript");
    // `cargo xtask test` has done so before.
    if !folder.join("node_modules/.bin/tsc").exists() {
        run(&folder, "npm", &["ci", "--no-audit", "--no-fund"], &[]);
    }
    folder
}

fn run(folder: &Path, program: &str, args: &[&str], variables: &[(&str, &str)]) {
    let mut command = Command::new(program);
    let output = command.args(args).envs(variables.iter().copied()).current_dir(folder).output();
    let output = output
        .unwrap_or_else(|error| panic!("{program} cannot be run ({error}): install Node.js 20.19 or newer"));
    let body = [String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr)].concat();
    assert!(output.status.success(), "{program} {}: {body}", args.join(" "));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_typescript_client_compiles_strictly_and_works() {
    let app = TestApp::setup().drawn().setting("CORS_ORIGINS", "").start().await;
    let admin = app.admin().await;
    let made = tempfile::tempdir().expect("a folder");
    let (url, out) = (format!("http://{}", app.address), made.path().display().to_string());
    tokio::task::spawn_blocking(move || {
        let folder = prepared();
        for file in ["client.ts", "package.json"] {
            std::fs::copy(folder.join(file), Path::new(&out).join(file)).expect("a copy");
        }
        std::os::unix::fs::symlink(folder.join("node_modules"), Path::new(&out).join("node_modules"))
            .expect("a link");
        let contract = setup::workspace().join("crates/http/openapi.json").display().to_string();
        let tool = |name: &str| folder.join("node_modules/.bin").join(name).display().to_string();
        let types = format!("{out}/contract.ts");
        run(&folder, &tool("openapi-typescript"), &[contract.as_str(), "--output", &types], &[]);
        std::fs::copy(folder.join("tsconfig.json"), format!("{out}/tsconfig.json")).expect("a copy");
        run(Path::new(&out), &tool("tsc"), &["--project", "tsconfig.json"], &[]);
        let variables = [("ROLLCALL_URL", url.as_str()), ("ROLLCALL_TOKEN", admin.token.as_str())];
        run(Path::new(&out), "node", &["client.js"], &variables);
    })
    .await
    .expect("the client works");
}
