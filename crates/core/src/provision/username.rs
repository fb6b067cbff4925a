//! User names: how they are looked up, which new ones are taken, which people choose themselves, and which stand in mails.

use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory as _};

use super::fault::Refusal;

/// Longest username, in characters.
const MAX_USERNAME: usize = 128;
/// What people may have in a name that they choose themselves, beside letters and digits: enough for an e-mail address.
const BETWEEN: &str = "._-+@'";

/// A username as it is stored and looked up: lower case, without spaces around it. Login uses the same rule. There is no
/// other folding: names that Unicode calls compatible or canonically equal are different names.
pub fn username(text: &str) -> Result<String, Refusal> {
    let name = text.trim().to_lowercase();
    let fits = (1..=MAX_USERNAME).contains(&name.chars().count())
        && !name.chars().any(|c| c.is_control() || c.is_whitespace());
    if fits { Ok(name) } else { Err(refusal(text)) }
}

/// The username of an account that is to be made: as above, and with nothing in it that cannot be seen. Whoever has an older
/// one signs in with it as before.
pub fn new_username(text: &str) -> Result<String, Refusal> {
    let name = username(text)?;
    if name.chars().any(is_unseen) { Err(refusal(text)) } else { Ok(name) }
}

/// A username that somebody chooses for themselves: letters and digits of any script and a few signs, so that no address and
/// no sentence can be made of it, and no name that looks like somebody else's.
pub fn chosen_username(text: &str) -> Result<String, Refusal> {
    let name = new_username(text)?;
    let starts = name.chars().next().is_some_and(|first| is_word(first) && !is_mark(first));
    let fits = name.chars().all(|c| is_word(c) || BETWEEN.contains(c));
    if starts && fits && !is_mixed(&name) { Ok(name) } else { Err(refusal(text)) }
}

/// Whether a username may stand in a mail to `to`: one that somebody could have chosen, and that mail programs make no link
/// of, unless it is the address that the mail goes to.
pub fn may_be_mailed(name: &str, to: &str) -> bool {
    let is_link = name.contains(['.', '@']) && name != to.trim().to_lowercase();
    chosen_username(name).is_ok_and(|fit| fit == name) && !is_link
}

fn refusal(text: &str) -> Refusal {
    Refusal::Username { name: text.chars().take(MAX_USERNAME).collect() }
}

/// Control and format characters, surrogates, private use, what is not assigned; and those of other categories that show
/// nothing (Unicode, `DerivedCoreProperties.txt`, `Default_Ignorable_Code_Point`; U+2800 is an empty pattern of dots).
fn is_unseen(c: char) -> bool {
    c.general_category_group() == GeneralCategoryGroup::Other
        || matches!(
            c,
            '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        )
        || matches!(c, '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{ffa0}' | '\u{e0100}'..='\u{e01ef}')
}

fn is_mark(c: char) -> bool {
    c.general_category_group() == GeneralCategoryGroup::Mark
}

/// Letters, the marks that belong to them in many scripts, and digits; without the forms of other letters that Unicode keeps
/// for compatibility: letterlike, wide, narrow and mathematical ones.
fn is_word(c: char) -> bool {
    let is_form = matches!(c, '\u{2100}'..='\u{214f}' | '\u{ff00}'..='\u{ffef}' | '\u{1d400}'..='\u{1d7ff}');
    let category = c.general_category();
    !is_form
        && (c.general_category_group() == GeneralCategoryGroup::Letter
            || is_mark(c)
            || category == GeneralCategory::DecimalNumber)
}

/// Whether letters of several of the three alphabets are in one name that share most of their forms (Unicode Technical
/// Standard 39 section 5.1, mixed-script confusables): Latin, Greek, Cyrillic.
fn is_mixed(name: &str) -> bool {
    let alphabet = |c: char| match c {
        'a'..='z'
        | '\u{aa}'..='\u{24f}'
        | '\u{1e00}'..='\u{1eff}'
        | '\u{2c60}'..='\u{2c7f}'
        | '\u{a722}'..='\u{a7ff}' => Some(0),
        '\u{370}'..='\u{3ff}' | '\u{1f00}'..='\u{1fff}' => Some(1),
        '\u{400}'..='\u{52f}'
        | '\u{1c80}'..='\u{1c8f}'
        | '\u{2de0}'..='\u{2dff}'
        | '\u{a640}'..='\u{a69f}' => Some(2),
        _ => None,
    };
    let mut found = name.chars().filter_map(alphabet);
    let first = found.next();
    found.any(|other| Some(other) != first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_new_name_has_anything_in_it_that_cannot_be_seen() {
        for unseen in [
            '\0',
            '\u{7f}',
            '\u{ad}',
            '\u{34f}',
            '\u{61c}',
            '\u{115f}',
            '\u{180e}',
            '\u{200b}',
            '\u{200d}',
            '\u{200f}',
            '\u{202e}',
            '\u{2060}',
            '\u{2066}',
            '\u{2800}',
            '\u{3164}',
            '\u{feff}',
            '\u{fe0f}',
            '\u{fff9}',
            '\u{e000}',
            '\u{e0061}',
            '\u{e0101}',
        ] {
            for name in [format!("admin{unseen}"), format!("{unseen}admin"), format!("ad{unseen}min")] {
                assert!(new_username(&name).is_err(), "{name:?}");
            }
        }
        assert_eq!(username("ad\u{ad}min").unwrap(), "ad\u{ad}min", "an older account signs in as before");
        assert_eq!(new_username(" https://Partner.example/Ada ").unwrap(), "https://partner.example/ada");
    }

    #[test]
    fn people_choose_names_of_letters_and_digits_of_any_script_and_e_mail_addresses() {
        for name in [
            "ada",
            "ada.lovelace",
            "a-b_c+d",
            "o'brien",
            "ada@example.org",
            "7of9",
            "äiti",
            "иван",
            "γιώργος",
            "अनुष्का",
            "ปาริชาต",
            "山田太郎",
            "홍길동",
            "יוסף",
            "عائشة",
            "a\u{308}iti",
            "אב1",
        ] {
            assert_eq!(chosen_username(name).as_deref(), Ok(name));
        }
        for name in [
            "https://evil.example/claim",
            "evil.example/claim",
            "javascript:x",
            "a\\b",
            "a?b",
            "a&b",
            "<b>",
            "a\"b",
            "a,b",
            "a;b",
            "a(b",
            ".a",
            "@a",
            "-a",
            "\u{301}a",
            "a|b",
            "a#b",
            "a%2fb",
            "a=b",
            "a*b",
            "a!",
            "€uro",
            "😀",
            // U+0430 for a; wide, mathematical and letterlike forms.
            "\u{430}dmin",
            "adm\u{456}n",
            "\u{3b1}dmin",
            "\u{ff41}dmin",
            "\u{1d41a}dmin",
            "ad\u{217f}in",
            "\u{212a}im\u{212f}",
        ] {
            assert!(chosen_username(name).is_err(), "{name}");
        }
    }

    #[test]
    fn no_name_becomes_a_link_in_a_mail() {
        for (name, told) in [
            ("ada", true),
            ("ada@example.org", true),
            ("bob@example.org", false),
            ("evil.example", false),
            ("https://evil.example/claim", false),
            ("ad\u{ad}min", false),
        ] {
            assert_eq!(may_be_mailed(name, " Ada@example.org"), told, "{name}");
        }
    }
}
