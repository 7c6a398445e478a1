//! The contract's text as nested loops, with a normaliser of its own.

/// A row as the oracle sees it.
#[derive(Clone, Debug)]
pub struct Row {
    pub email: String,
    pub name: String,
}

/// A user as the oracle sees it.
#[derive(Clone, Debug)]
pub struct User {
    pub id: String,
    pub email: String,
    pub username: String,
    pub state: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    First,
    Last,
    None,
}

/// Verdict, first row, id of the holder that is named.
pub type Decided = (&'static str, Option<u32>, Option<String>);

/// Letter by letter: full-width forms to ASCII, invisible ones dropped, lower case; wrappers off; no final dot.
pub fn key(raw: &str) -> Option<String> {
    let mut text = String::new();
    for c in raw.chars() {
        match c {
            '\u{200b}' | '\u{feff}' | '\u{ad}' => {}
            '\u{ff01}'..='\u{ff5e}' => text.push(char::from_u32(c as u32 - 0xfee0).unwrap()),
            'É' => text.push('é'),
            _ => text.push(c.to_ascii_lowercase()),
        }
    }
    let mut text = text.replace("e\u{301}", "é").trim().to_owned();
    if let (Some(open), true) = (text.rfind('<'), text.ends_with('>')) {
        text = text[open + 1..text.len() - 1].trim().to_owned();
    }
    let text = text.strip_prefix("mailto:").unwrap_or(&text);
    let text = text.strip_suffix('.').unwrap_or(text);
    let parts: Vec<&str> = text.split('@').collect();
    let usable = parts.len() == 2 && !parts[0].is_empty() && parts[1].contains('.') && !text.contains(' ');
    usable.then(|| text.to_owned())
}

fn holders<'u>(users: &'u [User], wanted: &str) -> Vec<&'u User> {
    let mut found = Vec::new();
    for user in users {
        if key(&user.email).as_deref() == Some(wanted) || key(&user.username).as_deref() == Some(wanted) {
            found.push(user);
        }
    }
    let rank = |state: &str| ["active", "inactive", "deleted"].iter().position(|s| *s == state);
    found.sort_by_key(|user| (rank(user.state), user.id.clone()));
    found
}

pub fn verdicts(rows: &[Row], users: &[User], keep: Keep) -> Vec<Decided> {
    (0..rows.len()).map(|at| verdict(at, rows, users, keep)).collect()
}

fn verdict(at: usize, rows: &[Row], users: &[User], keep: Keep) -> Decided {
    let Some(mine) = key(&rows[at].email) else { return ("invalid", None, None) };
    let held = holders(users, &mine);
    let holder = held.first().map(|user| user.id.clone());
    let same: Vec<usize> = (0..rows.len()).filter(|i| key(&rows[*i].email).as_deref() == Some(&mine)).collect();
    let can_stand = |i: usize| !held.is_empty() || !rows[i].name.trim().is_empty();
    let able: Vec<usize> = same.iter().copied().filter(|i| can_stand(*i)).collect();
    let standing = match keep {
        Keep::First => able.first().copied(),
        Keep::Last => able.last().copied(),
        Keep::None if same.len() == 1 => able.first().copied(),
        Keep::None => None,
    };
    // A row is would-be new if it stood for its key, had it a name.
    let would_stand = match (keep, standing) {
        (Keep::None, _) => same.len() == 1,
        (_, None) => true,
        (Keep::First, Some(s)) => at <= s,
        (Keep::Last, Some(s)) => at >= s,
    };
    if !can_stand(at) && would_stand {
        return ("invalid", None, None);
    }
    if standing != Some(at) {
        return ("duplicate", standing.map(|s| u32::try_from(s + 1).unwrap()), holder);
    }
    match held.first().map(|user| user.state) {
        None => ("new", None, None),
        Some("deleted") => ("deleted", None, holder),
        Some(_) => ("present", None, holder),
    }
}
