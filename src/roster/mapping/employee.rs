//! The column of employee ids: no part of a plan, but what people can be compared by.

use super::families::EMPLOYEE_ID;
use super::header::Header;
use super::positions::positions;
use super::{Wanted, find_wanted, quoted_list, single};
use crate::error::{Error, Kind, Result};
use crate::roster::sheet::{Headline, Sheet};

/// The column of employee ids: the one that `wanted` says, else the one that is called so; none if none is.
///
/// # Errors
/// `Usage` if the wanted column does not exist; `File` if two columns are called so equally well.
pub fn employee_id(sheet: &Sheet, headline: Headline, wanted: Option<&Wanted>) -> Result<Option<usize>> {
    if let Some(wanted) = wanted {
        let found = match headline {
            Headline::Named => find_wanted(sheet, wanted)?,
            Headline::Missing => positions(sheet, wanted)?,
        };
        return single(&wanted.field, &found).map(Some);
    }
    let headers: Vec<Header> = sheet.header.iter().map(|h| Header::of(h)).collect();
    let called = |word: &&str| (0..headers.len()).filter(|at| headers[*at].is_own(word)).collect::<Vec<_>>();
    let best = EMPLOYEE_ID.iter().map(called).find(|columns| !columns.is_empty()).unwrap_or_default();
    match best[..] {
        [] => Ok(None),
        [one] => Ok(Some(one)),
        [first, ..] => {
            let names = quoted_list(best.iter().map(|at| sheet.header[*at].clone()));
            let what = format!("{}: which of {names} is the employee id?", sheet.origin);
            Err(Error::new(Kind::File, what)
                .hint(format!("say so with --map employee-id=\"{}\", or rename the other", sheet.header[first])))
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::roster::{Opening, open_bytes};

    fn found(header: &str, wanted: Option<&str>) -> Result<Option<usize>> {
        let sheet = open_bytes("hr.csv", format!("{header}\n").into_bytes(), Opening::default()).unwrap();
        let wanted = wanted.map(|column| Wanted { field: "employee-id".into(), column: column.into() });
        employee_id(&sheet, Headline::Named, wanted.as_ref())
    }

    #[test]
    fn an_employee_id_is_found_by_what_hr_systems_call_it_and_never_a_managers() {
        for header in ["Email,Employee ID", "a,employeeId", "a,Employee Number", "a,Worker ID", "a,Personnel Number"] {
            assert_eq!(found(header, None).unwrap(), Some(1), "{header}");
        }
        for header in ["Email,Name", "Email,Manager Employee ID", "Email,ID", "Email,Supervisor [employeeId]"] {
            assert_eq!(found(header, None).unwrap(), None, "{header}");
        }
        // The better word wins, whichever column comes first.
        assert_eq!(found("Worker ID,Employee ID", None).unwrap(), Some(1));
    }

    #[test]
    fn two_equal_columns_are_a_question_and_the_user_decides() {
        let error = found("Employee ID,Employee-ID", None).unwrap_err();
        assert_eq!(error.to_string(), "hr.csv: which of \"Employee ID\", \"Employee-ID\" is the employee id?");
        assert_eq!((error.kind(), error.hint_text().is_some()), (Kind::File, true));
        assert_eq!(found("Employee ID,Employee-ID,Badge", Some("badge")).unwrap(), Some(2));
        assert_eq!(found("Employee ID", Some("Badge")).unwrap_err().kind(), Kind::Usage);
        assert_eq!(found("First,Last", Some("First+Last")).unwrap_err().kind(), Kind::Usage);
    }
}
