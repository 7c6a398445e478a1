//! Products whose exports and templates are known by several of their columns. Words are squashed, as those of languages.rs.

use super::header::Header;

/// Systems whose exports and templates are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// Genesys Cloud, "Add people with .csv".
    Genesys,
    /// Okta.
    Okta,
    /// Google Workspace.
    Google,
    /// Entra, bulk create.
    Entra,
    /// Microsoft 365 admin centre.
    Microsoft365,
    /// Workday.
    Workday,
    /// `BambooHR`.
    Bamboo,
    /// ADP Workforce Now.
    Adp,
    /// SCIM attribute names.
    Scim,
    /// Active Directory and other directories, by the attribute names of LDAP.
    Ldap,
}

/// Signatures that decide before any rank: all of these columns are there → the first is the key.
const SIGNATURES: [(Family, &[&str]); 13] = [
    (Family::Genesys, &["email", "name", "phonework", "emailmanager", "locationwork"]),
    (Family::Okta, &["email", "login", "firstname", "lastname"]),
    (Family::Google, &["emailaddress", "firstname", "lastname", "orgunitpath"]),
    (Family::Entra, &["userprincipalname", "passwordprofile"]),
    (Family::Microsoft365, &["username", "displayname", "alternateemailaddress"]),
    (Family::Microsoft365, &["username", "displayname", "officenumber", "officephone"]),
    (Family::Workday, &["emailprimarywork"]),
    (Family::Bamboo, &["workemail", "bestemail"]),
    (Family::Bamboo, &["workemail", "employee", "firstname", "lastname"]),
    (Family::Bamboo, &["workemail", "supervisoreid"]),
    (Family::Adp, &["workcontactworkemail"]),
    (Family::Scim, &["emailsvalue", "username"]),
    (Family::Ldap, &["mail", "givenname", SURNAME_LDAP]),
];

/// The family of a file, and the word for its key.
pub(super) fn family(headers: &[Header]) -> Option<(Family, &'static str)> {
    let has = |word: &&str| headers.iter().any(|h| h.is(word));
    let hit = SIGNATURES.iter().find(|(_, signature)| signature.iter().all(has));
    hit.map(|(family, signature)| (*family, signature[0]))
}

/// The family name in a directory; elsewhere the word is short for a serial number.
pub(super) const SURNAME_LDAP: &str = "sn";
/// Workday's name column: it carries marks behind the name.
pub(super) const WORKER: &str = "worker";
/// The division of Genesys' own template; elsewhere the word means something else.
pub(super) const DIVISION: &str = "division";
/// What we call a division that was mapped by position: a division of the organisation, whoever reads it.
pub(super) const DIVISION_OURS: &str = "genesys division";

/// Genesys' template as it is documented: without a header, in fixed order.
pub(super) const TEMPLATES: [&[&str]; 2] = [
    &[
        "name",
        "email",
        "phone_work",
        "extension",
        "title",
        "department",
        "email_manager",
        "location_work",
        "roles_divisions",
        "queues",
        "division",
        "skills",
    ],
    &[
        "name",
        "email",
        "phone_work",
        "title",
        "department",
        "email_manager",
        "location_work",
        "roles",
        "queues",
        "skills",
    ],
];

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::error::Kind;
    use crate::roster::{Mapping, Opening, Wanted, map, open_bytes};

    fn mapped(header: &str, wanted: &[(&str, &str)]) -> crate::error::Result<Mapping> {
        let sheet = open_bytes("hr.csv", format!("{header}\n").into_bytes(), Opening::default()).unwrap();
        let want = |(field, column): &(&str, &str)| Wanted { field: (*field).into(), column: (*column).into() };
        map(&sheet, &wanted.iter().map(want).collect::<Vec<_>>())
    }

    #[test]
    fn an_employee_id_is_known_by_its_header() {
        for header in [
            "Employee ID",
            "employeeNumber",
            "Employee #",
            "Employee No.",
            "Worker_ID",
            "Personnel Number",
            "Staff ID",
            "Associate ID",
            "Employee ID [employeeId] Required",
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber",
        ] {
            assert_eq!(mapped(&format!("Email,{header}"), &[]).unwrap().employee_id, Some(1), "{header}");
        }
        for header in ["Employee", "User ID", "ID", "Manager Employee ID", "Sponsor [employeeId]", "Former Employee ID"]
        {
            assert_eq!(mapped(&format!("Email,{header}"), &[]).unwrap().employee_id, None, "{header}");
        }
    }

    #[test]
    fn of_two_employee_ids_the_first_word_counts_and_of_one_word_none() {
        let found = |header: &str| mapped(header, &[]).unwrap().employee_id;
        assert_eq!(found("Email,Staff ID,Employee Number,Employee ID"), Some(3));
        assert_eq!(found("Email,Employee ID,employee_id,Staff ID"), None);
    }

    #[test]
    fn an_employee_id_is_mapped_as_it_is_wanted_and_never_by_itself_where_it_is_the_key() {
        let header = "Email,Employee ID,Payroll";
        let found = |wanted: &[(&str, &str)]| mapped(header, wanted).unwrap().employee_id;
        assert_eq!(found(&[("employee-id", "payroll")]), Some(2));
        assert_eq!(found(&[("employee-id", "")]), None);
        assert_eq!(found(&[("email", "Employee ID")]), None);
        for wrong in [("employee-id", "Email+Payroll"), ("employee-id", "nope"), ("employee_id", "Payroll")] {
            assert_eq!(mapped(header, &[wrong]).unwrap_err().kind(), Kind::Usage, "{wrong:?}");
        }
    }
}
