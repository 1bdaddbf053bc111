//! What a person is called: names, codes and addresses, each valid because it exists.

use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};

use crate::id::UserId;
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

    /// As a store has it, also if the rules for what people enter are stricter by now: what is stored must be shown and can be
    /// changed.
    #[must_use]
    pub fn stored(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// What is left of the name of somebody who was erased.
    pub(super) fn erased() -> Self {
        Self("Erased person".into())
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

    /// As a store has it, also if the rules for what people enter are stricter by now: what is stored must be shown and can be
    /// changed.
    #[must_use]
    pub fn stored(text: &str) -> Self {
        Self(text.to_owned())
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

/// An e-mail address: something before and a domain after one `@`, at most 64 and 254 bytes (RFC 5321, RFC 6531).
///
/// Deliverability is for a mail server to find out; what matters here is that two spellings of one address
/// are one account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmailAddress {
    written: String,
    canonical: String,
}

/// The text is no e-mail address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an e-mail address")]
pub struct InvalidEmail;

impl EmailAddress {
    /// Trims and checks an address. Names of other scripts are accepted on both sides of the `@`; quoted names, comments and
    /// numbers of machines in place of a domain are not.
    ///
    /// # Errors
    /// [`InvalidEmail`] otherwise.
    pub fn parse(text: &str) -> Result<Self, InvalidEmail> {
        let written = line(text, 254).map_err(|_| InvalidEmail)?;
        let (local, domain) = written.rsplit_once('@').ok_or(InvalidEmail)?;
        let plain = canonical(local);
        // The canonical form is looked at, too: there are signs that are an `@` or a space only in it.
        let sound = |local: &str| (1..=64).contains(&local.len()) && !local.contains(is_special);
        let domain = ascii_domain(domain).ok_or(InvalidEmail)?;
        let form = format!("{plain}@{domain}");
        if sound(local) && sound(&plain) && written.len() <= 254 && form.len() <= 254 {
            return Ok(Self { canonical: form, written });
        }
        Err(InvalidEmail)
    }

    /// As a store has it, also if the rules for what people enter are stricter by now. What is no address by them is compared as
    /// [`Self::canonical_of`] has it, so that its owner can still log in with it.
    #[must_use]
    pub fn stored(text: &str) -> Self {
        Self::parse(text).unwrap_or_else(|_| Self { canonical: canonical(text), written: text.to_owned() })
    }

    /// As written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.written
    }

    /// What is left of the address of somebody who was erased; `.invalid` belongs to nobody (RFC 2606).
    pub(super) fn erased(id: UserId) -> Self {
        let text = format!("erased.{}@erased.invalid", id.uuid().simple());
        Self { canonical: text.clone(), written: text }
    }

    /// The form in which addresses are compared: the name as [`canonical`] has it, the domain in ASCII as the network has
    /// it (UTS #46), so that `müller@bücher.example` and `müller@xn--bcher-kva.example` are one account.
    #[must_use]
    pub fn canonical(&self) -> &str {
        &self.canonical
    }

    /// The canonical form of an address that somebody claims to have; of a text that is none, what names are compared by,
    /// which is nobody's address.
    #[must_use]
    pub fn canonical_of(text: &str) -> String {
        Self::parse(text).map_or_else(|_| canonical(text), |address| address.canonical)
    }

    /// By which parts of it the address is found: as people read it and, if that differs, as the network has it.
    #[must_use]
    pub fn searchable(&self) -> Vec<String> {
        let Some((local, domain)) = self.canonical.rsplit_once('@') else {
            return vec![self.canonical.clone()];
        };
        let (read, _) = Uts46::new().to_unicode(domain.as_bytes(), AsciiDenyList::STD3, Hyphens::Allow);
        let mut forms = vec![canonical(&format!("{local}@{read}"))];
        if forms[0] != self.canonical {
            forms.push(self.canonical.clone());
        }
        forms
    }
}

/// A domain of at least two parts as the network has it, if it can be one. Machines that are named by their number have
/// mail, if at all, in another form.
fn ascii_domain(domain: &str) -> Option<String> {
    let (stops, hyphens) = (DnsLength::Verify, Hyphens::CheckFirstLast);
    let ascii = Uts46::new().to_ascii(domain.as_bytes(), AsciiDenyList::STD3, hyphens, stops).ok()?;
    let (_, top) = ascii.rsplit_once('.')?;
    (!top.bytes().all(|byte| byte.is_ascii_digit())).then(|| ascii.into_owned())
}

/// Characters that stand in the name of a mailbox only between quotes (RFC 5322, section 3.2.3).
fn is_special(c: char) -> bool {
    c.is_whitespace() || "()<>[]:;@\\,\"".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn canonical_form(text: &str) -> String {
        EmailAddress::parse(text).unwrap_or_else(|_| panic!("{text:?} is an address")).canonical().to_owned()
    }

    #[test]
    fn addresses_are_compared_without_case_and_look_alikes() {
        let a = EmailAddress::parse(" Bob@X.com ").unwrap();
        assert_eq!(a.as_str(), "Bob@X.com");
        for (one, other) in [
            ("Bob@X.com", "bob@x.COM"),
            ("müller@bücher.example", "müller@xn--bcher-kva.example"),
            ("MÜLLER@BÜCHER.example", "Mu\u{308}ller@XN--BCHER-KVA.Example"),
            ("ल@अ.भारत", "ल@xn--l1b.xn--h2brj9c"),
            ("user@例え.テスト", "user@例え。テスト"),
            ("ａｄａ@ｘ.com", "ada@x.com"),
            ("a\u{200B}da@x.com", "ada@x.com"),
            ("علی\u{200C}رضا@مثال.ایران", "علیرضا@مثال.ایران"),
        ] {
            assert_eq!(canonical_form(one), canonical_form(other), "{one:?} and {other:?}");
        }
        // Two registrants may own these.
        assert_ne!(canonical_form("a@faß.de"), canonical_form("a@fass.de"));
        assert_ne!(canonical_form("a@\u{430}pple.com"), canonical_form("a@apple.com"));
    }

    #[test]
    fn an_address_is_known_by_its_canonical_form_and_that_by_itself() {
        for text in
            ["Müller@Bücher.example", "अ@अ.भारत", "a@faß.de", "δοκιμή@παράδειγμα.ΕΛ", "δ\u{345}@x.com"]
        {
            let address = EmailAddress::parse(text).unwrap();
            assert_eq!(canonical_form(address.canonical()), address.canonical());
            assert_eq!(canonical(address.canonical()), address.canonical(), "stores may take it for a name");
            assert_eq!(EmailAddress::canonical_of(text), address.canonical());
        }
        assert_eq!(EmailAddress::canonical_of(" Not an ADDRESS"), "not an address");
        assert_eq!(EmailAddress::canonical_of("ada＠X.com"), "ada@x.com");
    }

    #[test]
    fn an_address_is_found_as_it_is_read_and_as_it_is_sent() {
        let found = |text| EmailAddress::parse(text).unwrap().searchable();
        assert_eq!(found("Ada@x.com"), ["ada@x.com"]);
        let both = ["müller@bücher.example", "müller@xn--bcher-kva.example"];
        assert_eq!(found("Müller@Bücher.example"), both);
        assert_eq!(found("müller@XN--bcher-kva.example"), both);
    }

    #[test]
    fn stored_names_and_addresses_are_read_even_if_refused_now() {
        for text in ["admin@192.168.1.10", "Ada,b@x.com", "Nobody", "a@x.com."] {
            let address = EmailAddress::stored(text);
            assert_eq!(address.as_str(), text);
            assert_eq!(address.canonical(), EmailAddress::canonical_of(text), "its owner can log in");
            assert_eq!(address.searchable()[0], address.canonical());
        }
        assert_eq!(Ok(EmailAddress::stored("Bob@Bücher.example")), EmailAddress::parse("Bob@Bücher.example"));
        for text in ["Ada\u{2028}Byron", "\u{3164}"] {
            assert!(PersonName::parse(text).is_err());
            assert_eq!(PersonName::stored(text).as_str(), text);
            assert_eq!(EmployeeCode::stored(text).as_str(), text);
        }
    }

    #[test]
    fn name_and_address_of_an_erased_person_are_valid() {
        let address = EmailAddress::erased(UserId::new(uuid::Uuid::from_u128(u128::MAX)));
        assert_eq!(EmailAddress::parse(address.as_str()), Ok(address));
        assert_eq!(PersonName::parse(PersonName::erased().as_str()), Ok(PersonName::erased()));
    }

    #[test]
    fn addresses_of_any_script_are_addresses() {
        for good in [
            "o'neill+x@mail.example.org",
            "a.b..c.@docomo.example",
            "用户@例子.广告",
            "θσερ@εχαμπλε.ψομ",
            "Dörte@Sörensen.example.com",
            "коля@пример.рф",
            "נועה@דוגמה.ישראל",
            "สมชาย@ตัวอย่าง.ไทย",
            "x@r3---sn-4g5e.example",
            "a@1und1.de",
            "a@123.example",
        ] {
            assert!(EmailAddress::parse(good).is_ok(), "{good:?}");
        }
        let longest = format!("{}@{}.example", "a".repeat(64), "b".repeat(63));
        assert!(EmailAddress::parse(&longest).is_ok());
        assert!(EmailAddress::parse(&format!("{}@x.com", "अ".repeat(21))).is_ok(), "63 bytes");
    }

    #[test]
    fn malformed_email_addresses_are_refused() {
        let too_long = format!("{}@x.com", "अ".repeat(22));
        let long_label = format!("a@{}.com", "ü".repeat(60));
        for bad in [
            "",
            "a",
            "@x.com",
            "a@",
            "a@x",
            "a b@x.com",
            "a@x..com",
            "a@b@x.com",
            "a\r\n@x.com",
            "a@x.com.",
            "a@.x.com",
            "a@[192.0.2.1]",
            "a@192.0.2.1",
            "a@[IPv6:2001:db8::1]",
            "\"a b\"@x.com",
            "\"ab\"@x.com",
            "Ada <a@x.com>",
            "mailto:a@x.com",
            "a@x_y.com",
            "a@-x.com",
            "a@x-.com",
            "a@xn--.com",
            "a@xn--a.com",
            "a@x.com,b@y.com",
            "a@x com",
            "a@ex\u{200D}ample.com\u{202E}",
            "\u{200D}@x.com",
            "a＠b@x.com",
            "a\u{2100}@x y.com",
            "a@\u{200D}.com",
            "a@x.com/",
            "a@x.com:25",
            "a@\u{5D0}a1.com",
            too_long.as_str(),
            long_label.as_str(),
        ] {
            assert_eq!(EmailAddress::parse(bad), Err(InvalidEmail), "{bad:?}");
        }
    }
}
