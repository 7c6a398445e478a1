//! What codes mean, and what to do about each: for whoever reads them for the first time.

/// A code in words: what it means, and what to do. Of several that are joined each, in their order.
#[must_use]
pub fn reason(code: &str) -> (String, String) {
    let known = |code| of_address(code).or_else(|| of_row(code)).or_else(|| of_wave(code));
    let (means, todo): (Vec<&str>, Vec<&str>) = code.split('+').filter_map(known).unzip();
    (means.join("; "), todo.join("; "))
}

fn of_address(code: &str) -> Option<(&'static str, &'static str)> {
    Some(match code {
        "email.missing" => ("No e-mail address", "Fill it in, or leave the row out"),
        "email.no_at" => ("No @ in the address", "Correct the address"),
        "email.several_at" => ("More than one @ in the address", "Correct the address"),
        "email.several" => ("Several addresses in one cell", "Keep the one that the person logs in with"),
        "email.blank_inside" => ("A blank or a line break inside the address", "Take it out"),
        "email.quoted_local" => ("Quotes before the @", "The service takes none: use a plain address"),
        "email.local_empty" => ("Nothing before the @", "Correct the address"),
        "email.local_too_long" => ("More than 64 bytes before the @", "Correct the address"),
        "email.local_dots" => ("A dot at an edge before the @, or two in a row", "Correct the address"),
        "email.local_character" => ("A character before the @ that no address can have", "Correct the address"),
        "email.domain_empty" => ("Nothing after the @", "Add the domain"),
        "email.domain_single_label" => ("The domain has no dot", "Write the whole domain, such as example.com"),
        "email.domain_dots" => ("Two dots in a row in the domain, or one at its start", "Correct the domain"),
        "email.domain_label_too_long" => ("A part of the domain has more than 63 characters", "Correct the domain"),
        "email.domain_hyphen" => ("A hyphen at the edge of a part of the domain", "Correct the domain"),
        "email.domain_character" => ("A character that no domain can have", "Correct the domain"),
        "email.domain_numeric" => ("The domain ends in digits: that is an IP address", "Use a domain name"),
        "email.domain_idna" => ("International letters in the domain that are not valid", "Correct the domain"),
        "email.too_long" => ("More than 254 bytes", "Correct the address"),
        _ => return None,
    })
}

fn of_row(code: &str) -> Option<(&'static str, &'static str)> {
    Some(match code {
        "csv.ragged" => ("More or fewer cells than the header has", "Look for a lost delimiter or quote in that line"),
        "csv.nul" => ("A NUL byte in the row", "Export the file again: this is no text"),
        "csv.stray_quote" => ("A quote where none can be", "Double it, or put the whole cell in quotes"),
        "row.example" => ("The example row of the template", "Nothing: it is nobody"),
        "name.missing" => ("No name, and a user cannot be created without one", "Fill the name in"),
        "division.unknown" => ("A division that does not exist", "Correct it, or create the division first"),
        "division.several" => ("A division name that several divisions have", "Write the id of the one that is meant"),
        "request.too_large" => ("More text than a request can hold", "Shorten name, department or title"),
        "duplicate.first_kept" => ("Another row with this address stands first", "Nothing, if both are one person"),
        "duplicate.last_kept" => ("Another row with this address stands last", "Nothing, if both are one person"),
        "duplicate.none_kept" => ("Several rows with this address, and none was to stand", "Leave one of them"),
        "held.email" => ("Somebody has this e-mail", "Nothing"),
        "held.username" => ("Somebody logs in with this address", "Nothing"),
        "phone.not_e164" => ("The phone number has no country code: it is not sent", "Write it as +49 30 …"),
        "suspect.held" => ("Resembles somebody, and is held back", "Look at it; plan without --hold-suspects frees it"),
        _ => return None,
    })
}

fn of_wave(code: &str) -> Option<(&'static str, &'static str)> {
    Some(match code {
        "after.created" => ("Created by an earlier plan, and not in the snapshot yet", "Nothing"),
        "after.restored" => ("Restored by an earlier plan, and not in the snapshot yet", "Nothing"),
        "after.renamed" => ("Created by an earlier plan, and has another address since", "Correct the roster"),
        "after.taken" => ("Somebody held the address when an earlier plan looked", "Nothing"),
        "after.rolled_back" => ("Created by an earlier plan, and rolled back", "Nothing"),
        "after.gone" => ("Created by an earlier plan, and not there any more", "Look who took the user away"),
        "after.refused" => ("Refused in an earlier plan", "Read the service's words in again.csv, if the row is there"),
        "after.unknown" => {
            ("An earlier plan may have created it, and is held back", "Finish that plan, then plan again")
        }
        "after.at_work" => ("A run of an earlier plan is about to create it", "Let that run end, then plan again"),
        _ => return None,
    })
}

/// What to do about what the service refused.
#[must_use]
pub const fn refusal(http: Option<u16>) -> &'static str {
    match http {
        Some(413) => "Shorten the row's cells in refused.csv and plan that file again",
        Some(410) => "Ask Genesys: the operation is gone",
        _ => "Correct these rows in refused.csv and plan that file again",
    }
}

/// In what a row resembles somebody.
#[must_use]
pub fn likeness(code: &str) -> &'static str {
    match code {
        "confusable" => "addresses look the same",
        "plus_or_dots" => "differs by dots or a plus sign",
        "sister_domain" => "same local part, sister domain",
        "name_and_employee_id" => "same name and employee id",
        "other_contact" => "another contact of that user",
        _ => "",
    }
}

/// What a run did without while it waited.
#[must_use]
pub fn waited(why: &str) -> String {
    match why {
        "throttled" => "The service throttled (429)".to_owned(),
        "settling" => "Nobody was left to create, and some rows were looked up".to_owned(),
        other => format!("No {other} left"),
    }
}

/// How a run ended.
#[must_use]
pub fn ending(why: Option<&str>, is_last_at_work: bool) -> String {
    let told = match why {
        None if is_last_at_work => "goes on",
        None => "was cut off",
        Some("done") => "came to its end",
        Some("interrupted") => "was interrupted",
        Some("credentials") => "stopped: credentials or permission",
        Some("unreachable") => "stopped: the service was out of reach",
        Some("unsafe") => "stopped for safety",
        Some("file") => "stopped: a file could not be written",
        Some("error") => "stopped by an error",
        Some(other) => other,
    };
    told.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::email::Refusal;
    use crate::plan::suspects::Likeness;
    use crate::reason::Reason;

    #[test]
    fn every_code_has_words_and_a_way_out() {
        let ours = (0..=u8::MAX).filter_map(|bits| Reason::from_bits(bits).code());
        let all: Vec<&str> = ours.chain(Refusal::ALL.map(Refusal::code)).collect();
        assert!(all.len() > 30);
        for code in all {
            let (means, todo) = reason(code);
            assert!(!means.is_empty() && !todo.is_empty(), "{code}");
        }
        for kind in Likeness::ALL {
            assert!(!likeness(kind.code()).is_empty(), "{kind:?}");
        }
    }
}
