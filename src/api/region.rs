//! Regions of the service, by host or AWS name.
//!
//! Source: the region maps of the official CLI (`config.go`) and Python SDK (`purecloud_region_hosts.py`). The CLI spells
//! some names with underscores, so both spellings are accepted.

use crate::error::{Error, Kind, Result};

const REGIONS: [(&str, &str); 18] = [
    ("us-east-1", "mypurecloud.com"),
    ("us-east-2", "use2.us-gov-pure.cloud"),
    ("us-west-2", "usw2.pure.cloud"),
    ("ca-central-1", "cac1.pure.cloud"),
    ("sa-east-1", "sae1.pure.cloud"),
    ("mx-central-1", "mxc1.pure.cloud"),
    ("eu-west-1", "mypurecloud.ie"),
    ("eu-west-2", "euw2.pure.cloud"),
    ("eu-central-1", "mypurecloud.de"),
    ("eu-central-2", "euc2.pure.cloud"),
    ("eusc-de-east-1", "edee1.eusc-pure.cloud"),
    ("me-central-1", "mec1.pure.cloud"),
    ("ap-south-1", "aps1.pure.cloud"),
    ("ap-southeast-1", "apse1.pure.cloud"),
    ("ap-southeast-2", "mypurecloud.com.au"),
    ("ap-northeast-1", "mypurecloud.jp"),
    ("ap-northeast-2", "apne2.pure.cloud"),
    ("ap-northeast-3", "apne3.pure.cloud"),
];

/// The host of a region given by host or AWS name, in any case, with `-` or `_`. What people paste from a browser is
/// understood, too.
///
/// # Errors
/// `Usage` for a region that is not known: a typing error must not send a secret to a stranger.
///
/// ```
/// assert_eq!(rosterdiff::api::region::host("eu_central_1").unwrap(), "mypurecloud.de");
/// assert_eq!(rosterdiff::api::region::host("mypurecloud.ie").unwrap(), "mypurecloud.ie");
/// assert_eq!(rosterdiff::api::region::host("https://apps.mypurecloud.jp/directory/").unwrap(), "mypurecloud.jp");
/// ```
pub fn host(region: &str) -> Result<&'static str> {
    let text = region.trim().to_ascii_lowercase();
    let (wanted_name, wanted_host) = (text.replace('_', "-"), bare(&text));
    let hit = REGIONS.iter().find(|(name, host)| *name == wanted_name || *host == wanted_host);
    hit.map(|(_, host)| *host).ok_or_else(|| {
        let names: Vec<&str> = REGIONS.iter().map(|(name, _)| *name).collect();
        Error::new(Kind::Usage, format!("unknown region \"{}\"", region.trim()))
            .hint(format!("GENESYSCLOUD_REGION is a host such as mypurecloud.de, or one of {}", names.join(", ")))
    })
}

/// A host without scheme, path and the service's own first label. Only a whole match with the table counts, so a
/// stranger's host cannot look like one of it.
fn bare(text: &str) -> &str {
    let text = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).unwrap_or(text);
    let text = text.split(['/', '?', '#']).next().unwrap_or_default();
    let text = text.strip_suffix(":443").unwrap_or(text);
    ["api.", "apps.", "login."].iter().find_map(|label| text.strip_prefix(label)).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::error::Kind;

    #[test]
    fn every_region_is_known_by_host_and_by_both_spellings_in_any_case() {
        assert_eq!(REGIONS.len(), 18);
        for (name, wanted) in REGIONS {
            let hyphens = name.to_owned();
            for text in [hyphens.replace('-', "_"), hyphens, wanted.to_owned(), format!(" {wanted}\n")] {
                assert_eq!(host(&text).unwrap(), wanted, "{text}");
                assert_eq!(host(&text.to_ascii_uppercase()).unwrap(), wanted, "{text}");
            }
        }
    }

    #[test]
    fn what_people_paste_is_understood() {
        for (_, wanted) in REGIONS {
            for text in [
                format!("https://api.{wanted}/"),
                format!("https://Login.{wanted}/oauth/token"),
                format!("https://apps.{wanted}:443/directory/#/admin?x=y"),
                format!("api.{wanted}"),
                format!("login.{wanted}"),
            ] {
                assert_eq!(host(&text).unwrap(), wanted, "{text}");
            }
        }
    }

    #[test]
    fn a_stranger_is_not_taken_for_a_region() {
        for text in [
            "mars-north-1",
            "",
            "https://",
            "https://api.mypurecloud.de@stranger.example/",
            "https://api.mypurecloud.de.stranger.example/",
            "https://stranger.example/api.mypurecloud.de",
            "stranger-mypurecloud.de",
            "api.api.mypurecloud.de",
            "mypurecloud.de:8443",
            "api.eu-central-1",
        ] {
            assert_eq!(host(text).unwrap_err().kind(), Kind::Usage, "{text}");
        }
    }
}
