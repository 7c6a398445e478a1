//! New rows that an earlier plan sent and the service refused: how often, why, and whether anything was changed since.

use super::{After, Noted, as_sent};
use crate::error::Result;
use crate::plan::{Room, SENT, Teller};

/// A row to point out: it was refused twice, or it is as it was when it was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Again {
    /// Place of the row in the roster.
    pub row: usize,
    /// In how many earlier plans it was refused.
    pub times: u16,
    /// The service's code, the last time.
    pub code: Option<String>,
    /// Its words, the last time.
    pub words: Option<String>,
    /// Whether anything that is sent was changed since.
    pub is_changed: bool,
}

/// The rows to point out, in the order of rows.
///
/// # Errors
/// `File` if the roster is not what it was.
pub fn find_again(after: &After<'_>, noted: &mut Noted, teller: &Teller<'_>) -> Result<Vec<Again>> {
    let (mut buffer, mut room, mut found) = (Vec::new(), Room::default(), Vec::new());
    for (row, place, times) in &noted.refused {
        let Some(refusal) = after.refusal(*place) else { continue };
        let mut block = teller.roster.records.read(*row..*row + 1, &mut buffer)?;
        let (_, _, said) = teller.tell(&mut block, *row, &mut room)?;
        let sent: [Option<&str>; SENT.len()] = [
            said.email.as_deref(),
            said.name.as_deref(),
            said.department.as_deref(),
            said.title.as_deref(),
            said.division.as_deref(),
            said.phone.as_deref(),
        ];
        let is_changed = as_sent(sent) != refusal.sent;
        if *times > 1 || !is_changed {
            let [code, words] = refusal.said.clone().map(|text| text.map(|text| text.to_string()));
            found.push(Again { row: *row, times: *times, code, words, is_changed });
        }
    }
    noted.counts.again = found.len() as u64;
    Ok(found)
}
