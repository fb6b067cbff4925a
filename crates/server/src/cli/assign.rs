//! Settings on the command line: `NAME=VALUE`, where NAME is a path such as `id_token.signed`.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::output::Problem;

/// `settings` with each assignment made. The value is JSON; what is not JSON is text. An empty value removes a setting
/// that may be absent.
pub(super) fn assigned<T: Serialize + DeserializeOwned>(
    settings: &T,
    assignments: &[String],
) -> Result<T, Problem> {
    let wrong = |text: String| Problem::new("setting", text);
    let mut value = serde_json::to_value(settings).map_err(|error| wrong(error.to_string()))?;
    for assignment in assignments {
        let (path, text) = assignment
            .split_once('=')
            .ok_or_else(|| wrong(format!("\"{assignment}\" is not of the form NAME=VALUE")))?;
        let place = path
            .split('.')
            .try_fold(&mut value, |at, name| {
                at.as_object_mut().map(|map| map.entry(name).or_insert(Value::Null))
            })
            .ok_or_else(|| wrong(format!("\"{path}\" leads into something that has no members")))?;
        *place = match text {
            "" => Value::Null,
            // A name such as 1234 is text where text stands, and a number elsewhere.
            text if place.is_string() => {
                serde_json::from_str::<String>(text).unwrap_or_else(|_| text.to_owned()).into()
            }
            text => serde_json::from_str(text).unwrap_or_else(|_| text.into()),
        };
    }
    serde_json::from_value(value).map_err(|error| {
        wrong(error.to_string())
            .hint("See all settings with `show`. Lists are JSON, as in scope='[\"openid\"]'.")
    })
}

#[cfg(test)]
mod tests {
    use signet_core::records::{ClientSettings, TenantSettings};

    use super::*;

    fn set(assignments: &[&str]) -> Result<ClientSettings, Problem> {
        let all: Vec<String> = assignments.iter().map(|one| (*one).to_owned()).collect();
        assigned(&ClientSettings::default(), &all)
    }

    #[test]
    fn settings_are_assigned_by_path() {
        let settings = set(&[
            "client_name=1234",
            "require_pkce=false",
            "id_token.signed=ES256",
            r#"id_token.encrypted={"alg":"RSA-OAEP-256","enc":"A256GCM"}"#,
            "lifetimes.code=30",
            r#"scope=["openid","email"]"#,
            "jwks_uri=https://rp.example/jwks",
            "jwks_uri=",
        ])
        .unwrap();
        assert_eq!((settings.client_name.as_str(), settings.require_pkce), ("1234", false));
        assert_eq!(settings.id_token.signed.name(), "ES256");
        assert!(settings.id_token.encrypted.is_some() && settings.jwks_uri.is_none());
        assert_eq!((settings.lifetimes.code, settings.scope.len()), (30, 2));
        let tenant: TenantSettings =
            assigned(&TenantSettings::default(), &["registration=open".to_owned()]).unwrap();
        assert_eq!(tenant.registration.name(), "open");
    }

    #[test]
    fn what_is_no_setting_is_refused() {
        for bad in [
            "client_name",
            "nonsense=1",
            "require_pkce=perhaps",
            "client_name.x=1",
            "lifetimes.code=x",
            "client_name=",
        ] {
            assert!(set(&[bad]).is_err(), "{bad}");
        }
    }
}
