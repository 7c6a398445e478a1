//! Filling an organisation before anybody looks: invented people, or a CSV of users.
//!
//! Seeded users are visible at once, whatever the lag.

use serde_json::{Value, json};

use super::org::Org;
use super::user::{Origin, State, User};

const GIVEN: [&str; 24] = [
    "Ada",
    "Grace",
    "Alan",
    "Edsger",
    "Barbara",
    "Donald",
    "Radia",
    "Ken",
    "Frances",
    "Dennis",
    "Margaret",
    "Niklaus",
    "Sophie",
    "Leslie",
    "Hedy",
    "John",
    "Katherine",
    "Tony",
    "Jean",
    "Claude",
    "Shafi",
    "Edgar",
    "Karen",
    "Robin",
];
const FAMILY: [&str; 26] = [
    "Abel", "Berg", "Castro", "Dubois", "Evans", "Fischer", "Garcia", "Haddad", "Ivanov", "Jensen", "Kowalski",
    "Lopez", "Moreau", "Novak", "Okafor", "Peters", "Quinn", "Rossi", "Sato", "Tanaka", "Ueda", "Vogel", "Weber", "Xu",
    "Yilmaz", "Zhang",
];
/// Reserved for examples (RFC 2606, RFC 6761): nobody lives there.
const DOMAINS: [&str; 4] = ["example.com", "example.org", "example.net", "people.example"];
const DEPARTMENTS: [&str; 6] = ["Support", "Sales", "Billing", "Claims", "Back Office", "Quality"];
const TITLES: [&str; 4] = ["Agent", "Senior Agent", "Team Lead", "Supervisor"];

impl Org {
    /// Adds `n` invented people: of every twenty, 17 active, two inactive and one deleted.
    pub fn seed_users(&mut self, n: usize) {
        for _ in 0..n {
            let number = self.store.all().len();
            let user = self.invented(number);
            self.store.add(user, None);
        }
    }

    /// Adds `n` invented people of that state.
    pub fn seed_state(&mut self, n: usize, state: State) {
        for _ in 0..n {
            let user = User { state, ..self.invented(self.store.all().len()) };
            self.store.add(user, None);
        }
    }

    fn invented(&self, number: usize) -> User {
        let given = GIVEN[number % GIVEN.len()];
        let family = FAMILY[number / GIVEN.len() % FAMILY.len()];
        let domain = DOMAINS[number % DOMAINS.len()];
        let email = format!("{}.{}{number}@{domain}", given.to_lowercase(), family.to_lowercase());
        let state = match number % 20 {
            4 => State::Deleted,
            9 | 14 => State::Inactive,
            _ => State::Active,
        };
        User {
            name: format!("{given} {family}"),
            department: Some(DEPARTMENTS[number % DEPARTMENTS.len()].to_owned()),
            title: Some(TITLES[number % TITLES.len()].to_owned()),
            state,
            ..self.blank_user(&email, Origin::Seed)
        }
    }

    /// Adds the users of a CSV whose header names `email` and any of
    /// `id,name,username,state,department,title,division,employee_id,contacts,roles`; in each line `email` or `username`
    /// is required, an empty cell counts as left out. A division is named as in the settings; contacts are addresses parted by
    /// blanks. Other columns are passed over. How many were added.
    ///
    /// # Errors
    /// Says in which line what is wrong; the users of the lines before it stay added.
    pub fn seed_csv(&mut self, text: &str) -> Result<usize, String> {
        let mut records = records(text.strip_prefix('\u{feff}').unwrap_or(text))?.into_iter();
        let (_, header) = records.next().ok_or("the CSV is empty: line 1 must be a header with `email`")?;
        let header: Vec<String> = header.iter().map(|name| name.trim().to_lowercase()).collect();
        if !header.iter().any(|name| name == "email") {
            return Err("line 1: the header has no column `email`".to_owned());
        }
        let mut n_added = 0;
        for (line, cells) in records {
            let user = self.seeded(&header, &cells).map_err(|why| format!("line {line}: {why}"))?;
            self.store.add(user, None);
            n_added += 1;
        }
        Ok(n_added)
    }

    fn seeded(&self, header: &[String], cells: &[String]) -> Result<User, String> {
        if cells.len() > header.len() {
            return Err(format!("{} cells under {} columns", cells.len(), header.len()));
        }
        let cell = |name: &str| {
            let at = header.iter().position(|column| column == name)?;
            cells.get(at).map(|cell| cell.trim()).filter(|cell| !cell.is_empty())
        };
        let email = cell("email");
        let mut user = self.blank_user(email.or(cell("username")).ok_or("no email and no username")?, Origin::Seed);
        user.email = email.unwrap_or_default().to_owned();
        if let Some(word) = cell("state") {
            user.state =
                State::parse(word).ok_or_else(|| format!("state `{word}` is not active, inactive or deleted"))?;
        }
        user.name = cell("name").map_or(user.name, str::to_owned);
        user.username = cell("username").map_or(user.username, str::to_owned);
        user.id = cell("id").map_or(user.id, str::to_owned);
        user.department = cell("department").map(str::to_owned);
        user.title = cell("title").map(str::to_owned);
        if let Some(name) = cell("division") {
            let at = self.settings.divisions.iter().position(|division| division == name);
            let at = at.ok_or_else(|| format!("there is no division `{name}`"))?;
            user.division_id = self.settings.division_id(at);
        }
        user.employee_id = cell("employee_id").map(str::to_owned);
        user.roles = cell("roles").map(|text| text.split_whitespace().map(str::to_owned).collect()).unwrap_or_default();
        user.addresses = cell("contacts").map(mail_contacts).unwrap_or_default();
        if self.store.find(&user.id).is_some() || self.is_double(&user) {
            return Err("its id, address or username is there already".to_owned());
        }
        Ok(user)
    }

    /// Whether somebody has its address as address, or its username as username. One user's address may be another's
    /// username: organisations that renamed people look like that.
    fn is_double(&self, user: &User) -> bool {
        let same = |a: &str, b: &str| !a.is_empty() && a.to_lowercase() == b.to_lowercase();
        let by_email = self.store.with_key(&user.email).any(|(_, other)| same(&other.email, &user.email));
        by_email || self.store.with_key(&user.username).any(|(_, other)| same(&other.username, &user.username))
    }
}

/// E-mail contacts of these addresses, of one kind after another.
fn mail_contacts(addresses: &str) -> Vec<Value> {
    let kinds = ["WORK", "WORK2", "WORK3", "WORK4"].into_iter().chain(std::iter::repeat("OTHER"));
    let contact = |(address, kind): (&str, &str)| json!({"address": address, "mediaType": "EMAIL", "type": kind});
    addresses.split_whitespace().zip(kinds).map(contact).collect()
}

/// The records of a CSV (RFC 4180) with the line each begins in; blank lines are passed over.
fn records(text: &str) -> Result<Vec<(usize, Vec<String>)>, String> {
    let mut records = Vec::new();
    let (mut line, mut first_line) = (1, 1);
    let (mut cells, mut cell) = (Vec::new(), String::new());
    let (mut quoted, mut was_quoted) = (false, false);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        line += usize::from(c == '\n');
        match c {
            '"' if quoted && chars.next_if_eq(&'"').is_some() => cell.push('"'),
            '"' if quoted => quoted = false,
            '"' if cell.is_empty() => (quoted, was_quoted) = (true, true),
            _ if quoted => cell.push(c),
            ',' => cells.push(std::mem::take(&mut cell)),
            '\r' if chars.peek() == Some(&'\n') => {}
            '\n' => {
                cells.push(std::mem::take(&mut cell));
                end(&mut records, first_line, &mut cells, was_quoted);
                (first_line, was_quoted) = (line, false);
            }
            _ => cell.push(c),
        }
    }
    if quoted {
        return Err(format!("line {first_line}: a quote is never closed"));
    }
    cells.push(cell);
    end(&mut records, first_line, &mut cells, was_quoted);
    Ok(records)
}

fn end(records: &mut Vec<(usize, Vec<String>)>, line: usize, cells: &mut Vec<String>, was_quoted: bool) {
    let cells = std::mem::take(cells);
    if was_quoted || cells.len() > 1 || cells.iter().any(|cell| !cell.trim().is_empty()) {
        records.push((line, cells));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::super::settings::Settings;
    use super::*;

    fn quote(cell: &str) -> String {
        format!("\"{}\"", cell.replace('"', "\"\""))
    }

    proptest! {
        #[test]
        fn quoted_cells_come_back_as_they_went(cells in proptest::collection::vec("[a-z\",\n\r é]{0,6}", 1..5)) {
            let text = cells.iter().map(|cell| quote(cell)).collect::<Vec<_>>().join(",") + "\r\n";
            prop_assert_eq!(records(&text).unwrap(), vec![(1, cells)]);
        }
    }

    #[test]
    fn a_record_is_numbered_by_the_line_it_begins_in() {
        let found = records("a,b\n\n\"x\ny\",2\r\n3,4").unwrap();
        assert_eq!(found.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [1, 3, 5]);
        assert_eq!(found[1].1, ["x\ny", "2"]);
    }

    #[test]
    fn a_seed_needs_only_addresses() {
        let mut org = Org::new(Settings::default());
        assert_eq!(org.seed_csv("email\na@example.com\nb@example.com"), Ok(2));
        let users = org.users();
        assert_eq!((users[0].name.as_str(), users[0].state, users[0].version), ("a", State::Active, 1));
    }

    #[test]
    fn a_seed_keeps_what_it_is_given() {
        let mut org = Org::new(Settings::default());
        let csv = "\u{feff}Id,name,email,username,state,department,title\r\n\
                   x1,\"Abel, Ada\",a@example.com,ada,deleted,Sales,Agent\r\n";
        org.seed_csv(csv).unwrap();
        let user = &org.users()[0];
        assert_eq!((user.id.as_str(), user.name.as_str(), user.username.as_str()), ("x1", "Abel, Ada", "ada"));
        assert_eq!(
            (user.state, user.department.as_deref(), user.title.as_deref()),
            (State::Deleted, Some("Sales"), Some("Agent"))
        );
    }

    #[test]
    fn a_seed_may_bring_employee_ids_and_further_addresses() {
        let mut org = Org::new(Settings::default());
        org.seed_csv("email,employee_id,contacts\na@example.com,0042,b@example.com  c@example.com\nd@example.com,,\n")
            .unwrap();
        let users = org.users();
        let contact = |address, kind| json!({"address": address, "mediaType": "EMAIL", "type": kind});
        assert_eq!(users[0].employee_id.as_deref(), Some("0042"));
        assert_eq!(users[0].addresses, [contact("b@example.com", "WORK"), contact("c@example.com", "WORK2")]);
        assert_eq!((&users[1].employee_id, users[1].addresses.len()), (&None, 0));
    }

    #[test]
    fn a_bad_seed_names_its_line() {
        let seed = |text| Org::new(Settings::default()).seed_csv(text).unwrap_err();
        assert!(seed("name\nAda").contains("line 1"));
        assert!(seed("email,state\na@example.com,active\nb@example.com,gone").starts_with("line 3: state `gone`"));
        assert!(seed("email\na@example.com\nA@EXAMPLE.COM").starts_with("line 3"));
        assert!(seed("email\n\"a@example.com").contains("never closed"));
        assert!(seed("email,name\n,Ada").contains("line 2: no email and no username"));
    }

    #[test]
    fn invented_people_are_unique_and_mixed() {
        let mut org = Org::new(Settings::default());
        org.seed_users(2_000);
        let users = org.users();
        let n = |state| users.iter().filter(|user| user.state == state).count();
        assert_eq!((n(State::Active), n(State::Inactive), n(State::Deleted)), (1_700, 200, 100));
        let emails: std::collections::BTreeSet<_> = users.iter().map(|user| &user.email).collect();
        assert_eq!(emails.len(), 2_000);
    }
}
