//! Starting where people were enrolled before.

use rollcall_tests::photos;

use crate::cli::program;

/// The database of another program version, or keys that do not fit, are no reason to lose anything.
#[tokio::test]
async fn the_wrong_data_key_is_refused_when_templates_are_stored() {
    let program = program();
    let folder = program.folder().join("people/Somebody");
    std::fs::create_dir_all(&folder).expect("a folder");
    let person = photos::person("Colin_Powell");
    for (number, photo) in person.enroll.iter().enumerate() {
        std::fs::write(folder.join(format!("{number}.jpg")), photo).expect("a photo");
    }
    let people = program.folder().join("people").display().to_string();
    program.run(&["enroll", "--dir", &people, "--consent", "1"]).await.ended(0);
    let other = program.set("DATA_KEY", rollcall_tests::setup::DATA_KEY);
    let refused = other.run(&["serve", "--port", "0"]).await;
    assert!(refused.ended(1).err.contains("DATA_KEY"), "{}", refused.err);
    assert!(!refused.err.contains(rollcall_tests::setup::DATA_KEY), "{}", refused.err);
}
