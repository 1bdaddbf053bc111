//! The two files settings are kept in. What they say is taken as it is written, or refused with its line: a password that
//! was altered in silence is found out by nobody.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::Path;

use toml::{Spanned, Value};

use super::BadSetting;
use super::bad::Place;

/// A setting of a file, or why its value cannot be told; what is not a setting of ours may be written as it likes.
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) value: Result<String, &'static str>,
    pub(super) line: usize,
}

/// The lines of `.env`: `KEY=value`, perhaps after `export`.
///
/// A value without quotes is everything after the `=` but for space around it, one in single quotes everything between
/// them, and in double quotes `\"`, `\\` and `\$` stand for the sign after the backslash. Nothing is put in for `$NAME`. What
/// other programs that read such a file would take for something else is refused.
pub(super) fn dotenv(text: &str, file: &'static str, bad: &mut Vec<BadSetting>) -> Vec<Entry> {
    let mut entries = Vec::new();
    for (line, written) in (1..).zip(text.lines()) {
        let written = written.trim();
        if written.is_empty() || written.starts_with('#') {
            continue;
        }
        let bare = written.strip_prefix("export").filter(|rest| rest.starts_with([' ', '\t']));
        let pair = bare.unwrap_or(written).split_once('=');
        // The line itself is not shown: it may be half of a secret.
        match pair.map(|(key, value)| (key.trim(), value.trim())).filter(|(key, _)| is_name(key)) {
            Some((key, value)) => entries.push(Entry { key: key.into(), value: unquoted(value), line }),
            None => bad.push(BadSetting::at(Place { file, line }, "is not KEY=value".into())),
        }
    }
    entries
}

fn is_name(key: &str) -> bool {
    let sound = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    key.chars().all(sound) && key.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
}

fn unquoted(written: &str) -> Result<String, &'static str> {
    let value = match written.chars().next() {
        Some(quote @ ('\'' | '"')) => quoted(&written[1..], quote)?,
        _ => {
            let comment =
                written.starts_with('#') || written.contains([' ', '\t']) && ends_in_comment(written);
            if comment {
                return Err("has a # that may begin a comment. \
                            Put the value in single quotes, or the comment on a line of its own");
            }
            if written.contains("${") {
                return Err("has ${, and nothing is put in for it. \
                            Write out what is meant, or put it in single quotes to mean the signs themselves");
            }
            written.to_owned()
        }
    };
    if value.chars().any(char::is_control) { Err("has a control character") } else { Ok(value) }
}

/// Whether a `#` follows a space.
fn ends_in_comment(written: &str) -> bool {
    written.char_indices().any(|(at, c)| c == '#' && written[..at].ends_with(char::is_whitespace))
}

/// What is between quotes, the first of which has been read.
fn quoted(written: &str, quote: char) -> Result<String, &'static str> {
    let mut value = String::new();
    let mut rest = written.chars();
    loop {
        match rest.next() {
            None => return Err("begins with a quotation mark and has none at its end, in the same line"),
            Some(c) if c == quote => break,
            Some('\\') if quote == '"' => match rest.next() {
                Some(c @ ('"' | '\\' | '$')) => value.push(c),
                _ => {
                    return Err("has a backslash between double quotes that is not before \", \\ or $. \
                                Write two, or use single quotes");
                }
            },
            Some('$') if quote == '"' && rest.as_str().starts_with('{') => {
                return Err("has ${, and nothing is put in for it. \
                            Write out what is meant, or use single quotes to mean the signs themselves");
            }
            Some(c) => value.push(c),
        }
    }
    let after = rest.as_str();
    let comment = after.starts_with(char::is_whitespace) && after.trim_start().starts_with('#');
    if after.is_empty() || comment {
        Ok(value)
    } else {
        Err("goes on after its closing quotation mark. Use the other kind of quotation marks around it")
    }
}

/// The keys of `rollcall.toml`, each with one value.
pub(super) fn toml(text: &str, file: &'static str, bad: &mut Vec<BadSetting>) -> Vec<Entry> {
    let line_of =
        |offset: usize| text.as_bytes()[..offset.min(text.len())].iter().filter(|b| **b == b'\n').count() + 1;
    let table: BTreeMap<Spanned<String>, Spanned<Value>> = match toml::from_str(text) {
        Ok(table) => table,
        Err(error) => {
            // Its own text would show the line.
            let line = error.span().map_or(1, |span| line_of(span.start));
            bad.push(BadSetting::at(Place { file, line }, error.message().replace('\n', " ")));
            return Vec::new();
        }
    };
    let entry = |(key, value): (Spanned<String>, Spanned<Value>)| Entry {
        line: line_of(key.span().start),
        key: key.into_inner(),
        value: match value.into_inner() {
            Value::String(text) => Ok(text),
            Value::Integer(number) => Ok(number.to_string()),
            Value::Float(number) => Ok(number.to_string()),
            Value::Boolean(flag) => Ok(flag.to_string()),
            // They would vanish otherwise, and with them what somebody wanted to be set.
            Value::Datetime(_) | Value::Array(_) | Value::Table(_) => {
                Err("is not one value. A list is one text, with commas")
            }
        },
    };
    let mut entries: Vec<_> = table.into_iter().map(entry).collect();
    entries.sort_by_key(|entry| entry.line);
    entries
}

/// The text of a file, without the mark that some editors begin it with; `None` if there is no such file.
pub(super) fn text(path: &Path, file: &'static str) -> Result<Option<String>, BadSetting> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(BadSetting::of_file(file, format!("cannot be read: {error}"))),
    };
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") || bytes.contains(&0) {
        return Err(BadSetting::of_file(file, "is not UTF-8 but, it seems, UTF-16. Save it as UTF-8".into()));
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let line = error.as_bytes()[..valid].iter().filter(|byte| **byte == b'\n').count() + 1;
        BadSetting::at(Place { file, line }, "is not UTF-8. Save the file as UTF-8".into())
    })?;
    Ok(Some(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn value(line: &str) -> Result<String, &'static str> {
        let (mut bad, text) = (Vec::new(), format!("# first\n{line}\n"));
        let mut entries = dotenv(&text, ".env", &mut bad);
        assert!(bad.is_empty(), "{bad:?}");
        let entry = entries.pop().expect("an entry");
        assert!(entries.is_empty() && entry.key == "K" && entry.line == 2, "{line:?}");
        entry.value
    }

    #[test]
    fn dotenv_values_are_read_as_written() {
        for (written, meant) in [
            ("K=pa$word", "pa$word"),
            ("K=pa$$w#rd", "pa$$w#rd"),
            ("K=$PATH", "$PATH"),
            ("K=a#b", "a#b"),
            (r"K=a\b\n\$c", r"a\b\n\$c"),
            ("K=it's 5\" long", "it's 5\" long"),
            ("K = spaced out \r", "spaced out"),
            ("export K=x", "x"),
            ("  export\tK = 'x'", "x"),
            ("K=", ""),
            ("K=''", ""),
            ("K=a=b==", "a=b=="),
            ("K=' $x #y ${z} \\ \" '", " $x #y ${z} \\ \" "),
            (r#"K="a $b # c 'd'""#, "a $b # c 'd'"),
            (r#"K="\"\\\$""#, r#""\$"#),
            (r#"K="x" # why"#, "x"),
            ("K='x'\t# why", "x"),
            ("K=${x}".replace("${x}", "$x}").as_str(), "$x}"),
            ("K=пароль☃", "пароль☃"),
        ] {
            assert_eq!(value(written).as_deref(), Ok(meant), "{written}");
        }
    }

    #[test]
    fn ambiguous_dotenv_values_are_refused() {
        for written in [
            "K=a #b",
            "K=5000 # the port",
            "K=a\t#b",
            "K= # nothing",
            "K=#a",
            "K=${HOME}/x",
            "K=\"${HOME}\"",
            "K='a",
            "K=\"a",
            "K='it''s'",
            "K=\"a\"b",
            "K='a'#b",
            r#"K="a\nb""#,
            r#"K="C:\data""#,
            r#"K="a\"#,
            "K='a\u{7}'",
            "K=a\0b",
        ] {
            assert!(value(written).is_err(), "{written}");
        }
    }

    #[test]
    fn a_line_that_sets_nothing_is_told_by_its_number_and_not_shown() {
        let mut bad = Vec::new();
        dotenv("A=1\r\nhunter2\r\n\r\nB 2\r\n=3\n1A=4\nexport\n", ".env", &mut bad);
        let messages: Vec<_> = bad.iter().map(ToString::to_string).collect();
        assert_eq!(messages, [2, 4, 5, 6, 7].map(|line| format!(".env, line {line}: is not KEY=value")));
    }

    #[test]
    fn a_key_of_toml_has_one_value_and_a_line() {
        let mut bad = Vec::new();
        let text = "# first\nport = 80\nlog = \"a$b # c\"\nself_enroll = false\nrecognition_margin = 0.1\n\n[x]\ny = 1\n";
        let entries = toml(text, "rollcall.toml", &mut bad);
        let read: Vec<_> =
            entries.iter().map(|e| (e.key.as_str(), e.value.as_deref().ok(), e.line)).collect();
        assert_eq!(
            read,
            [
                ("port", Some("80"), 2),
                ("log", Some("a$b # c"), 3),
                ("self_enroll", Some("false"), 4),
                ("recognition_margin", Some("0.1"), 5),
                ("x", None, 7),
            ]
        );
        assert!(bad.is_empty());
        toml("port = 1\n\njwt_secret_key = hunter2\n", "rollcall.toml", &mut bad);
        let message = bad[0].to_string();
        assert!(message.starts_with("rollcall.toml, line 3: ") && !message.contains("hunter2"), "{message}");
    }

    #[test]
    fn files_are_utf_8_with_or_without_a_mark() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".env");
        let read = |bytes: &[u8]| {
            std::fs::write(&path, bytes).unwrap();
            text(&path, ".env").map_err(|bad| bad.to_string())
        };
        assert_eq!(read(b"\xef\xbb\xbfPORT=1\r\n"), Ok(Some("PORT=1\r\n".into())));
        assert_eq!(read(b"A=1\nB=\xe4\n"), Err(".env, line 2: is not UTF-8. Save the file as UTF-8".into()));
        for utf16 in [b"\xff\xfeP\0=\0".as_slice(), b"\xfe\xff\0P", b"P\0=\0"] {
            assert!(read(utf16).unwrap_err().contains("UTF-16"));
        }
        assert_eq!(text(&folder.path().join("none"), ".env"), Ok(None));
    }
}
