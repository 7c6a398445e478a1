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

/// The host of a region given by host or AWS name, in any case, with `-` or `_`.
///
/// # Errors
/// `Usage` for a region that is not known: a typing error must not send a secret to a stranger.
///
/// ```
/// assert_eq!(rosterdiff::api::region::host("eu_central_1").unwrap(), "mypurecloud.de");
/// assert_eq!(rosterdiff::api::region::host("mypurecloud.ie").unwrap(), "mypurecloud.ie");
/// ```
pub fn host(region: &str) -> Result<&'static str> {
    let wanted = region.trim().to_ascii_lowercase().replace('_', "-");
    let hit = REGIONS.iter().find(|(name, host)| *name == wanted || *host == wanted);
    hit.map(|(_, host)| *host).ok_or_else(|| {
        let names: Vec<&str> = REGIONS.iter().map(|(name, _)| *name).collect();
        Error::new(Kind::Usage, format!("unknown region \"{}\"", region.trim()))
            .hint(format!("GENESYSCLOUD_REGION is a host such as mypurecloud.de, or one of {}", names.join(", ")))
    })
}
