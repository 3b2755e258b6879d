//! The commands beside serving.

use crate::support::TestKurir;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// Runs a command on a data directory with `input` on standard input.
fn kurir(dir: &Path, arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_kurir"))
        .env_clear()
        .args(arguments)
        .arg("--data-dir")
        .arg(dir)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    // A command that refuses early does not read.
    let _ = child.stdin.take().expect("standard input is piped").write_all(input.as_bytes());
    child.wait_with_output().expect("it ends")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn administrators_are_made_and_get_new_passwords_on_the_command_line() {
    let mut service = TestKurir::options().unclaimed().start();
    let dir = service.data_dir().to_owned();
    let create = ["admin", "create", "--email", "melati@example.com"];
    let refused = kurir(&dir, &create, "12345678x\n");
    assert_eq!(refused.status.code(), Some(1), "the service runs");
    service.stop();
    let short = kurir(&dir, &create, "short\n");
    assert_eq!(short.status.code(), Some(1));
    assert!(
        text(&short.stderr).contains("Password must have 8 to 128 characters"),
        "{}",
        text(&short.stderr)
    );
    let made = kurir(&dir, &create, "12345678x\n");
    assert!(made.status.success(), "{}", text(&made.stderr));
    assert!(text(&made.stdout).contains("`melati`"), "{}", text(&made.stdout));
    assert_eq!(kurir(&dir, &create, "12345678x\n").status.code(), Some(1), "the name is taken");

    service.launch();
    assert!(!service.out().iter().any(|line| line.contains("/claim?")), "it is claimed now");
    let before = service.login("melati@example.com", "12345678x");
    service.stop();
    assert_eq!(kurir(&dir, &["admin", "reset-password", "nobody"], "87654321x\n").status.code(), Some(1));
    let reset = kurir(&dir, &["admin", "reset-password", "melati"], "87654321x\n");
    assert!(reset.status.success(), "{}", text(&reset.stderr));
    let list = text(&kurir(&dir, &["admin", "list"], "").stdout);
    assert!(list.contains("melati@example.com") && list.contains("admin"), "{list}");
    for output in [&made, &reset] {
        let all = text(&output.stdout) + &text(&output.stderr);
        assert!(!all.contains("12345678x") && !all.contains("87654321x"), "a password is shown: {all}");
    }

    service.launch();
    service.with_token(&before).get("/api/auth/profile").refused(401, "Token tidak valid atau kedaluwarsa");
    service.login("melati@example.com", "87654321x");
}

#[test]
fn the_doctor_reads_every_row_and_notices_a_wrong_key() {
    let mut service = TestKurir::start();
    let dir = service.data_dir().to_owned();
    service.link(&service.phones(), "toko-1", "6281211110011");
    service.send("toko-1", "6281211110022", "halo");
    assert_eq!(kurir(&dir, &["doctor"], "").status.code(), Some(1), "the service runs");
    service.stop();
    let healthy = kurir(&dir, &["doctor"], "");
    assert!(healthy.status.success(), "{}", text(&healthy.stderr));
    assert!(text(&healthy.stdout).contains("all rows can be read"), "{}", text(&healthy.stdout));
    let key = dir.join("master.key");
    let size = std::fs::metadata(&key).expect("the key").len();
    let another = "0".repeat(usize::try_from(size).expect("a short file"));
    std::fs::write(&key, another).expect("written");
    let wrong = kurir(&dir, &["doctor"], "");
    assert_eq!(wrong.status.code(), Some(1));
    assert!(text(&wrong.stderr).starts_with("kurir: "), "{}", text(&wrong.stderr));
}

#[test]
fn the_data_directory_is_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let service = TestKurir::start();
    for file in ["master.key", "kurir.redb"] {
        let mode = std::fs::metadata(service.data_dir().join(file)).expect(file).permissions().mode();
        assert_eq!(mode & 0o077, 0, "{file}: {mode:o}");
    }
}
