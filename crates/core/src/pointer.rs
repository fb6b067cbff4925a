//! Where something stands in what was sent: JSON pointers (RFC 6901).

/// The pointer to a member within members.
///
/// RFC 6901 section 3: "Because the characters '~' (%x7E) and '/' (%x2F) have special meanings in JSON Pointer, '~' needs to
/// be encoded as '~0' and '/' needs to be encoded as '~1' when these characters appear in a reference token."
pub fn pointer(tokens: &[&str]) -> String {
    let token = |token: &&str| format!("/{}", token.replace('~', "~0").replace('/', "~1"));
    tokens.iter().map(token).collect()
}

/// The reference tokens of a pointer, as they are meant.
pub fn tokens(pointer: &str) -> Vec<String> {
    pointer.split('/').skip(1).map(|token| token.replace("~1", "/").replace("~0", "~")).collect()
}

/// The pointer to a setting: `path` is its members in the record, joined by dots ([`crate::setting::Setting::path`]).
pub fn of_setting(path: &str) -> String {
    let tokens: Vec<&str> = ["settings"].into_iter().chain(path.split('.')).collect();
    pointer(&tokens)
}

/// The pointer to a member of what was sent itself.
pub(crate) fn of_member(name: &str) -> String {
    pointer(&[name])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_escaped_rfc6901_3() {
        let names = ["claims", "https://app.example/~me", "~1", ""];
        assert_eq!(pointer(&names), "/claims/https:~1~1app.example~1~0me/~01/");
        assert_eq!(tokens(&pointer(&names)), names);
        assert_eq!(of_setting("id_token.signed"), "/settings/id_token/signed");
        assert!(tokens("").is_empty());
    }
}
