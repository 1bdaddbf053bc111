//! A multipart body, built once: the client must not spend its time on what the server is measured for.

use std::path::Path;

use anyhow::{Context as _, Result, bail};

pub(crate) struct Form {
    pub(crate) content_type: String,
    pub(crate) body: Vec<u8>,
}

impl Form {
    /// The body of `POST /api/face/recognize`.
    pub(crate) fn recognition(photo: &Path, mark: bool) -> Result<Self> {
        let image = std::fs::read(photo).with_context(|| format!("cannot read {}", photo.display()))?;
        let Some(image_type) = image_type(&image) else {
            bail!("{} is neither JPEG, PNG nor WebP", photo.display());
        };
        Ok(Self::new(&image, image_type, mark))
    }

    fn new(image: &[u8], image_type: &str, mark: bool) -> Self {
        let boundary = boundary(image);
        let head = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"mark\"\r\n\r\n{mark}\r\n\
             --{boundary}\r\nContent-Disposition: form-data; name=\"image\"; filename=\"photo\"\r\n\
             Content-Type: {image_type}\r\n\r\n"
        );
        let tail = format!("\r\n--{boundary}--\r\n");
        let body = [head.as_bytes(), image, tail.as_bytes()].concat();
        Self { content_type: format!("multipart/form-data; boundary={boundary}"), body }
    }
}

fn image_type(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [0x89, b'P', b'N', b'G', ..] => Some("image/png"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("image/webp"),
        _ => None,
    }
}

/// A separator that does not occur in the image.
fn boundary(image: &[u8]) -> String {
    let occurs = |boundary: &str| image.windows(boundary.len()).any(|window| window == boundary.as_bytes());
    let mut boundary = "rollcall-load".to_owned();
    while occurs(&boundary) {
        boundary.push('x');
    }
    boundary
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_holds_the_flag_and_the_image() {
        let form = Form::new(b"IMAGE", "image/jpeg", false);
        assert_eq!(form.content_type, "multipart/form-data; boundary=rollcall-load");
        let expected = "--rollcall-load\r\nContent-Disposition: form-data; name=\"mark\"\r\n\r\nfalse\r\n\
                        --rollcall-load\r\nContent-Disposition: form-data; name=\"image\"; filename=\"photo\"\r\n\
                        Content-Type: image/jpeg\r\n\r\nIMAGE\r\n--rollcall-load--\r\n";
        assert_eq!(String::from_utf8(form.body).unwrap(), expected);
    }

    #[test]
    fn the_separator_never_occurs_in_the_image() {
        assert_eq!(boundary(b"..rollcall-load.."), "rollcall-loadx");
    }

    #[test]
    fn pictures_are_known_by_their_first_bytes() {
        assert_eq!(image_type(b"\xff\xd8\xff\xe0"), Some("image/jpeg"));
        assert_eq!(image_type(b"\x89PNG\r\n"), Some("image/png"));
        assert_eq!(image_type(b"RIFF1234WEBPVP8 "), Some("image/webp"));
        assert_eq!(image_type(b"GIF89a"), None);
    }
}
