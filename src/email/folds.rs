//! Rules that only people can know to hold: a plus sign or dots that their provider ignores, a domain that was renamed.
//!
//! None of them is the service's own, so none is part of a key: a fold makes the keys of roster and organisation alike for
//! the comparison only, on both sides. What is looked up, sent and read back is the address itself.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{ADDRESS_OCTETS_MAX, Rules, normalise};

/// Domains of the provider that ignores dots.
const GMAIL: [&str; 2] = ["gmail.com", "googlemail.com"];

/// Which of them hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Folds {
    /// What follows a plus sign in a local part is a note: `ada+news@…` is `ada@…`.
    pub plus: bool,
    /// Dots in local parts of Gmail mean nothing.
    pub gmail_dots: bool,
    /// Domains that became others, in A-labels: old → new.
    pub aliases: BTreeMap<String, String>,
}

impl Folds {
    /// Whether none holds.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        !self.plus && !self.gmail_dots && self.aliases.is_empty()
    }

    /// Adds a domain that became another.
    ///
    /// # Errors
    /// Why not, in words: no domain, the same one, or one that would have to be followed on.
    pub fn add_alias(&mut self, old: &str, new: &str) -> Result<(), String> {
        let domain = |text: &str| {
            let found = normalise(&format!("x@{}", text.trim())).ok();
            let domain = found.and_then(|found| found.key.split_once('@').map(|(_, domain)| domain.to_owned()));
            domain.ok_or_else(|| format!("\"{text}\" is no domain"))
        };
        let (old, new) = (domain(old)?, domain(new)?);
        if old == new {
            return Err(format!("{old} is the same domain on both sides"));
        }
        if self.aliases.contains_key(&new) || self.aliases.values().any(|target| *target == old) {
            return Err(format!("{old}={new} meets another alias: name the last domain of a chain for each of them"));
        }
        match self.aliases.insert(old.clone(), new.clone()) {
            Some(other) if other != new => Err(format!("{old} cannot become both {other} and {new}")),
            _ => Ok(()),
        }
    }

    /// Folds a key; which of the rules changed it.
    pub fn fold(&self, key: &mut String) -> Rules {
        let mut fired = Rules::default();
        let Some((local, domain)) = key.split_once('@') else { return fired };
        let renamed = self.aliases.get(domain).map_or(domain, String::as_str);
        let bare = if self.plus { local.split_once('+').map_or(local, |(bare, _)| bare) } else { local };
        // A plus sign in front is no note behind a name.
        let bare = if bare.is_empty() { local } else { bare };
        let is_dotted = self.gmail_dots && GMAIL.contains(&renamed) && bare.contains('.');
        let plain = if is_dotted { bare.replace('.', "") } else { bare.to_owned() };
        if plain.len() + 1 + renamed.len() > ADDRESS_OCTETS_MAX {
            return fired;
        }
        fired.add(Rules::ALIAS, renamed != domain);
        fired.add(Rules::PLUS, bare != local);
        fired.add(Rules::GMAIL_DOTS, is_dotted);
        if fired != Rules::default() {
            *key = format!("{plain}@{renamed}");
        }
        fired
    }

    /// Which rules fold a key.
    #[must_use]
    pub fn rules(&self, key: &str) -> Rules {
        if self.is_empty() { Rules::default() } else { self.fold(&mut key.to_owned()) }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn folds(plus: bool, gmail_dots: bool, aliases: &[(&str, &str)]) -> Folds {
        let mut folds = Folds { plus, gmail_dots, ..Folds::default() };
        aliases.iter().for_each(|(old, new)| folds.add_alias(old, new).unwrap());
        folds
    }

    #[test]
    fn each_rule_folds_its_own_and_says_so() {
        let all = folds(true, true, &[("old.example", "new.example"), ("Mail.Example", "gmail.com")]);
        for (key, expected, rules) in [
            ("ada@example.com", "ada@example.com", ""),
            ("ada+news@example.com", "ada@example.com", "plus"),
            ("ada+a+b@example.com", "ada@example.com", "plus"),
            // Nothing stands before it, so nothing would be left.
            ("+49@example.com", "+49@example.com", ""),
            ("a.da@example.com", "a.da@example.com", ""),
            ("a.d.a@gmail.com", "ada@gmail.com", "gmail-dots"),
            ("a.da+x.y@googlemail.com", "ada@googlemail.com", "plus+gmail-dots"),
            ("ada@old.example", "ada@new.example", "alias"),
            ("ada@sub.old.example", "ada@sub.old.example", ""),
            ("a.da@mail.example", "ada@gmail.com", "gmail-dots+alias"),
        ] {
            let mut folded = key.to_owned();
            assert_eq!(all.fold(&mut folded).to_string(), rules, "{key}");
            assert_eq!(folded, expected);
            assert_eq!(all.rules(key).to_string(), rules);
            assert_eq!(all.fold(&mut folded), Rules::default(), "{key}: folding again changes nothing more");
        }
        let none = Folds::default();
        assert!(none.is_empty() && !all.is_empty());
        assert_eq!(none.rules("a.da+x@gmail.com"), Rules::default());
    }

    #[test]
    fn a_folded_key_is_still_an_address() {
        let long = format!("{}.example", ["x"; 120].join("."));
        let mut all = folds(false, false, &[]);
        all.add_alias("old.example", &long).unwrap();
        let mut key = format!("{}@old.example", "a".repeat(64));
        assert_eq!((all.fold(&mut key), key.ends_with("@old.example")), (Rules::default(), true));
    }

    #[test]
    fn an_alias_that_cannot_hold_is_refused() {
        let mut folds = folds(false, false, &[("old.example", "new.example")]);
        for (old, new, why) in [
            ("localhost", "new.example", "\"localhost\" is no domain"),
            ("a.example", "b c.example", "\"b c.example\" is no domain"),
            ("A.example", "a.example.", "a.example is the same domain on both sides"),
            ("new.example", "newest.example", "new.example=newest.example meets another alias"),
            ("a.example", "old.example", "a.example=old.example meets another alias"),
            ("old.example", "other.example", "old.example cannot become both new.example and other.example"),
        ] {
            assert!(folds.clone().add_alias(old, new).unwrap_err().starts_with(why), "{old} {new}");
        }
        folds.add_alias("old.example", "new.example").unwrap();
    }
}
