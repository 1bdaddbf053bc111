//! What a person is called: names, codes and addresses, each valid because it exists.

use crate::text::{TextError, canonical, line};

/// A person's name: 1 to 200 printable characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonName(String);

impl PersonName {
    /// Trims and checks a name.
    ///
    /// # Errors
    /// [`TextError`] naming the rule that is broken.
    pub fn parse(text: &str) -> Result<Self, TextError> {
        line(text, 200).map(Self)
    }

    /// As written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The organization's own number for a person: 1 to 64 printable characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmployeeCode(String);

impl EmployeeCode {
    /// Trims and checks a code.
    ///
    /// # Errors
    /// [`TextError`] naming the rule that is broken.
    pub fn parse(text: &str) -> Result<Self, TextError> {
        line(text, 64).map(Self)
    }

    /// As written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form in which codes are compared.
    #[must_use]
    pub fn canonical(&self) -> String {
        canonical(&self.0)
    }
}

/// An e-mail address: something before and a domain after one `@`, at most 254 bytes.
///
/// Deliverability is for a mail server to find out; what matters here is that two spellings of one address
/// are one account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmailAddress(String);

/// The text is no e-mail address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an e-mail address")]
pub struct InvalidEmail;

impl EmailAddress {
    /// Trims and checks an address.
    ///
    /// # Errors
    /// [`InvalidEmail`] otherwise.
    pub fn parse(text: &str) -> Result<Self, InvalidEmail> {
        let text = line(text, 254).map_err(|_| InvalidEmail)?;
        let (local, domain) = text.rsplit_once('@').ok_or(InvalidEmail)?;
        let sound_local =
            (1..=64).contains(&local.len()) && !local.contains('@') && !local.contains(char::is_whitespace);
        let label =
            |l: &str| !l.is_empty() && l.len() <= 63 && l.chars().all(|c| c.is_alphanumeric() || c == '-');
        let sound_domain = domain.split('.').all(label) && domain.contains('.');
        if text.len() <= 254 && sound_local && sound_domain { Ok(Self(text)) } else { Err(InvalidEmail) }
    }

    /// As written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form in which addresses are compared.
    #[must_use]
    pub fn canonical(&self) -> String {
        canonical(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_compared_without_case_and_look_alikes() {
        let a = EmailAddress::parse(" Bob@X.com ").unwrap();
        assert_eq!(a.as_str(), "Bob@X.com");
        assert_eq!(a.canonical(), EmailAddress::parse("bob@x.COM").unwrap().canonical());
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for bad in ["", "a", "@x.com", "a@", "a@x", "a b@x.com", "a@x..com", "a@b@x.com", "a\r\n@x.com"] {
            assert_eq!(EmailAddress::parse(bad), Err(InvalidEmail), "{bad:?}");
        }
    }
}
