//! Which columns are the name.
//!
//! `Name`, `Nom`, `Nome` is the whole name where it stands alone, and one half of it beside the other half: `Name;Vorname`,
//! `Nome;Cognome`. English is in doubt: some systems write the whole name and beside it what to call people by, others
//! translate `Name;Vorname`. And in Brazil an `Apelido` is no family name but a nickname. So where one half stands beside
//! such a column, what stands in both decides, and where that tells nothing, no name is taken: half a name would be somebody
//! else, while of a missing one the user is asked.

use super::families::{Family, SURNAME_LDAP};
use super::header::Header;
use super::languages::{LANGUAGES, Language, words_of};
use super::{first_of, words_in};
use crate::error::Result;
use crate::name;
use crate::roster::chunks::{Gather, Raw};
use crate::roster::sheet::Sheet;

/// The name columns, and a whole name for rows in which they are all empty.
pub(super) type Names = (Vec<usize>, Option<usize>);

/// The columns of a name in one language.
struct Parts {
    language: &'static Language,
    name: Option<usize>,
    given: Option<usize>,
    between: Vec<usize>,
    family: Option<usize>,
    behind: Vec<usize>,
    /// A pair of another kind: preferred or legal names.
    also: [Option<usize>; 2],
    is_beside: bool,
}

impl Parts {
    fn of(headers: &[Header], language: &'static Language) -> Self {
        let first = |words: &'static str| first_of(headers, words_in(words));
        let all = |words: &'static str| words_in(words).filter_map(|word| first_of(headers, [word])).collect();
        Self {
            language,
            name: first(language.name),
            given: first(language.given),
            between: all(language.between),
            family: first(language.family),
            behind: all(language.behind),
            also: language.also.map(first),
            is_beside: first(language.beside).is_some(),
        }
    }

    /// Given and family name, if there are both.
    fn pair(&self) -> Option<(usize, usize)> {
        self.given.or(self.also[0]).zip(self.family.or(self.also[1]))
    }

    /// Whether anything stands here beside which a `name` of whatever language is in doubt.
    fn is_partial(&self) -> bool {
        let has_part = self.given.or(self.family).is_some() || self.is_beside;
        has_part || !self.between.is_empty() || !self.behind.is_empty()
    }

    /// A given and a family name as they are joined, whatever the order of the columns.
    fn joined(&self, (given, family): (usize, usize)) -> Vec<usize> {
        let mut columns = vec![given];
        columns.extend(self.between.iter().chain([&family]).chain(&self.behind));
        columns
    }
}

/// Finds the name columns of a file.
///
/// # Errors
/// As reading any of its records, where they have to decide.
pub(super) fn find(sheet: &Sheet, headers: &[Header], family: Option<Family>, email: usize) -> Result<Names> {
    // Microsoft demands a display name and leaves the others open.
    if matches!(family, Some(Family::Microsoft365 | Family::Entra))
        && let Some(shown) = first_of(headers, ["displayname"])
    {
        return Ok((vec![shown], None));
    }
    // What is called `name` there may be a login.
    if family == Some(Family::Ldap)
        && let [Some(given), Some(surname)] = ["givenname", SURNAME_LDAP].map(|word| first_of(headers, [word]))
    {
        return Ok((vec![given, surname], first_of(headers, ["displayname"])));
    }
    // What we call the parts of a name that was joined by position.
    let ours: Vec<usize> = (1..).map_while(|n| first_of(headers, [&*format!("namepart{n}")])).collect();
    if ours.len() > 1 {
        return Ok((ours, None));
    }
    let all: Vec<Parts> = LANGUAGES.iter().map(|language| Parts::of(headers, language)).collect();
    let whole = first_of(headers, words_of(|language| language.whole)).or_else(|| sure_whole(&all));
    if let Some(whole) = whole {
        return Ok((vec![whole], None));
    }
    let shown = first_of(headers, words_of(|language| language.shown));
    if let Some((parts, pair)) = all.iter().find_map(|parts| Some((parts, parts.pair()?))) {
        return Ok((parts.joined(pair), shown));
    }
    for parts in &all {
        if let Some(found) = doubtful(sheet, parts, email)? {
            let spare = shown.filter(|_| found.len() > 1);
            return Ok((found, spare));
        }
    }
    let shown = shown.or_else(|| first_of(headers, words_of(|language| language.shown_else)));
    Ok((shown.into_iter().collect(), None))
}

/// A `name` that is surely the whole: nothing stands beside it that could be a part; or, in English, both halves do, as
/// products write it that repeat a name in parts.
fn sure_whole(all: &[Parts]) -> Option<usize> {
    let name = all.iter().find_map(|parts| parts.name)?;
    let repeats = |parts: &Parts| parts.language.code == "en" && parts.name.is_some() && parts.pair().is_some();
    (!all.iter().any(Parts::is_partial) || all.iter().any(repeats)).then_some(name)
}

/// A `name` beside one half in its language: the whole, or the other half; none if nobody can tell.
fn doubtful(sheet: &Sheet, parts: &Parts, email: usize) -> Result<Option<Vec<usize>>> {
    let (Some(name), Some(half)) = (parts.name, parts.given.or(parts.family)) else { return Ok(None) };
    let mut tally = Tally::default();
    // English is what directories write, too, and their `name` may be a login.
    let email = Some(email).filter(|_| parts.language.code == "en");
    let new = || Pairs { at: [name, half], email, widths: sheet.widths(), tally: Tally::default() };
    sheet.scan(new, |part, _| {
        tally.add(&part.tally);
        Ok(())
    })?;
    Ok(match tally.says() {
        Some(Says::Whole) => Some(vec![name]),
        Some(Says::Half) if parts.given.is_some() => Some(parts.joined((half, name))),
        Some(Says::Half) => Some(parts.joined((name, half))),
        None => None,
    })
}

/// What the name may be of, where none was taken: a column that may be the whole, and what may be its halves, joined. Of
/// whatever languages they are: for people to look at.
#[must_use]
pub fn name_candidates(header: &[String]) -> Vec<Vec<usize>> {
    let headers: Vec<Header> = header.iter().map(|text| Header::of(text)).collect();
    let first = |field: fn(&Language) -> &'static str| first_of(&headers, words_of(field));
    let (name, given, family) = (first(|l| l.name), first(|l| l.given), first(|l| l.family));
    let between: Vec<usize> = words_of(|l| l.between).filter_map(|word| first_of(&headers, [word])).collect();
    let halves = given.or(name).zip(family.or(name)).filter(|(given, family)| given != family);
    let joined = halves.map(|(given, family)| [vec![given], between, vec![family]].concat());
    name.map(|name| vec![name]).into_iter().chain(joined).collect()
}

/// What a column called `Name` is.
#[derive(Debug, PartialEq, Eq)]
enum Says {
    Whole,
    Half,
}

/// From so many records on a share of them tells something.
const SHARE_MIN: usize = 20;

/// What stands in a column called `Name`, and in one half beside it.
#[derive(Default)]
struct Tally {
    /// Records with both.
    n: usize,
    /// Those of them whose `Name` holds a word of the half: not all of them, since `Ada M.` may be called `Ada Lovelace`.
    n_holding: usize,
    /// Those whose `Name` is several words, or a login: no half is.
    n_no_half: usize,
}

impl Tally {
    fn add(&mut self, other: &Self) {
        self.n += other.n;
        self.n_holding += other.n_holding;
        self.n_no_half += other.n_no_half;
    }

    /// `email` is the address that a login may be the beginning of.
    fn push(&mut self, name: &str, half: &str, email: &str) {
        let [name, half, email] = [name, half, email].map(name::folded);
        let (own, other) = (words(&name), words(&half));
        if own.is_empty() || other.is_empty() {
            return;
        }
        self.n += 1;
        // `de`, `van` and `dos` may stand in both halves; beside a longer word they do not count.
        let has_long = other.iter().any(|word| is_long(word));
        let holds = |word: &&str| (is_long(word) || !has_long) && own.contains(word);
        self.n_holding += usize::from(other.iter().any(holds));
        // `O'Brien` and `Müller-Lüdenscheidt` are one.
        let is_login = email.split_once('@').is_some_and(|(local, _)| local == name) || name.contains(char::is_numeric);
        self.n_no_half += usize::from(name.contains(' ') || is_login);
    }

    /// The whole name holds the half of it in most records. A half of a name hardly ever holds the other, and is one word in
    /// a good part of them, `van der Berg` and `Ana Maria` allowed for; where it always is several, the column beside it may
    /// be a nickname.
    fn says(&self) -> Option<Says> {
        if 2 * self.n_holding > self.n {
            return Some(Says::Whole);
        }
        // Of few records one that is a word is enough: they may be what is left of many.
        let is_short = match self.n {
            0 => true,
            n if n < SHARE_MIN => self.n_no_half < n,
            n => 4 * self.n_no_half <= 3 * n,
        };
        (10 * self.n_holding <= self.n && is_short).then_some(Says::Half)
    }
}

/// Whether a word is longer than those between names are.
fn is_long(word: &str) -> bool {
    word.chars().count() > 3
}

/// The words of a name: of `Lovelace, Ada` two.
fn words(name: &str) -> Vec<&str> {
    name.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect()
}

/// Both columns of the records of one chunk, and their addresses.
struct Pairs {
    at: [usize; 2],
    email: Option<usize>,
    widths: [usize; 2],
    tally: Tally,
}

impl Gather for Pairs {
    fn push(&mut self, record: &Raw<'_>) {
        if record.wrong(self.widths).is_none() {
            let [name, half] = self.at.map(|at| record.cell(at));
            let email = self.email.map(|at| record.cell(at)).unwrap_or_default();
            self.tally.push(&name, &half, &email);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::name_candidates;
    use crate::roster::{Opening, map, open_bytes};

    /// The columns that a file's names are joined of, and what stands in for them.
    fn names(text: &str) -> String {
        let sheet = open_bytes("hr.csv", text.as_bytes().to_vec(), Opening::default()).unwrap();
        let named = map(&sheet, &[]).unwrap().named(&sheet.header);
        named.name_else.into_iter().fold(named.name.join("+"), |name, spare| format!("{name}|{spare}"))
    }

    #[test]
    fn a_name_beside_the_other_half_in_its_language_is_a_half_whatever_the_order() {
        for (header, expected) in [
            ("Vorname;Nachname;E-Mail", "Vorname+Nachname"),
            ("Name;Vorname;E-Mail", "Vorname+Name"),
            ("Vorname;Name;E-Mail", "Vorname+Name"),
            ("Nom;Prénom;E-mail", "Prénom+Nom"),
            ("NOM;PRENOM;EMAIL", "PRENOM+NOM"),
            ("Naam;Voornaam;E-mail", "Voornaam+Naam"),
            ("Nome;Cognome;Email", "Nome+Cognome"),
            ("Cognome;Nome;Email", "Nome+Cognome"),
            ("Apellidos;Nombre;Correo", "Nombre+Apellidos"),
            ("Nombres;Apellido paterno;Apellido materno;Correo", "Nombres+Apellido paterno+Apellido materno"),
            ("Nome;Apelido;E-mail", "Nome+Apelido"),
            ("Nome;Sobrenome;E-mail", "Nome+Sobrenome"),
            ("Navn;Fornavn;E-post", "Fornavn+Navn"),
            ("Efternavn;Fornavn;E-mail", "Fornavn+Efternavn"),
            ("Namn;Förnamn;E-post", "Förnamn+Namn"),
            ("Nazwisko;Imię;E-mail", "Imię+Nazwisko"),
            ("Sukunimi;Etunimi;Sähköposti", "Etunimi+Sukunimi"),
            ("Name;First Name;Email", "First Name+Name"),
            ("Achternaam;Tussenvoegsel;Roepnaam;E-mail", "Roepnaam+Tussenvoegsel+Achternaam"),
            ("Naam;Voorvoegsel;Voornaam;E-mail", "Voornaam+Voorvoegsel+Naam"),
            ("Nachname;Anzeigename;Vorname;E-Mail", "Vorname+Nachname|Anzeigename"),
            ("Name;Nachname;Vorname;E-Mail", "Vorname+Nachname"),
            ("sAMAccountName;givenName;sn;mail;department;title;telephoneNumber;manager", "givenName+sn"),
            ("name;sn;givenName;displayName;mail", "givenName+sn|displayName"),
        ] {
            assert_eq!(names(&format!("{header}\n")), expected, "{header}");
        }
    }

    #[test]
    fn a_name_alone_is_the_whole_and_beside_both_halves_in_english_too() {
        for (header, expected) in [
            ("Name;E-Mail", "Name"),
            ("Nom;E-mail;Service", "Nom"),
            ("Naam;E-mail", "Naam"),
            ("Nome;Email", "Nome"),
            ("Nombre;Correo", "Nombre"),
            ("Navn;E-post", "Navn"),
            ("Namn;E-post", "Namn"),
            ("Name;First Name;Last Name;Email", "Name"),
            ("Name;Preferred First Name;Email", "Name"),
            ("Name;SN;Email", "Name"),
            ("Vor- und Nachname;E-Mail", "Vor- und Nachname"),
            ("Nombre completo;Nombre;Correo", "Nombre completo"),
            ("Imię i nazwisko;E-mail", "Imię i nazwisko"),
        ] {
            assert_eq!(names(&format!("{header}\n")), expected, "{header}");
        }
    }

    #[test]
    fn no_half_of_a_name_is_ever_taken_for_the_whole() {
        for header in [
            "Vorname;E-Mail",
            "Nachname;E-Mail",
            "Name;Prénom;E-Mail",
            "Vorname;Last Name;E-Mail",
            "Naam;Voorletters;E-mail",
            "Naam;Tussenvoegsel;E-mail",
            "Nom;Prénom usuel;E-mail",
            "Nom de naissance;Nom d'usage;Prénom;E-mail",
            "\"Name, Vorname\";E-Mail",
            "Nazwisko i imię;E-mail",
            "Name Vorgesetzter;E-Mail",
            "givenName;Email;SN",
            "Manager [sn];givenName;mail",
        ] {
            assert_eq!(names(&format!("{header}\n")), "", "{header}");
        }
        assert_eq!(names("Vorname;Anzeigename;E-Mail\n"), "Anzeigename");
    }

    /// A file of these columns with so many records of these cells.
    fn filled(header: &str, cells: &[&str], n: usize) -> String {
        let rows: Vec<String> = (0..n).map(|n| format!("{};{n}@example.com\n", cells[n % cells.len()])).collect();
        format!("{header};Email\n{}", rows.concat())
    }

    #[test]
    fn what_stands_in_both_columns_decides_whether_a_name_is_the_whole() {
        let whole = ["Ada Lovelace;Ada", "Lovelace, Ada;Ada", "William Gates;Bill"];
        let halves = ["O'Brien;Ada", "van der Berg;Bob", "Thomas;Tom", "Ba-Yi;William"];
        for header in ["Name;First Name", "Name;Vorname", "Nom;Prénom"] {
            let half = names(&format!("{header};Email\n"));
            for n in [3, 30] {
                assert_eq!(names(&filled(header, &whole, n)), header.split(';').next().unwrap(), "{header}");
                assert_eq!(names(&filled(header, &halves, n)), half, "{header}");
            }
        }
        // What stands in the half need not be all in the whole.
        let fuller = ["Ada Lovelace;Ada M.", "Bob van der Berg;Robert Bob", "Day, Fay;Fay Ann"];
        let double = ["Ada Lovelace;Lovelace-Byron", "Bob Day;de la Day"];
        for n in [3, 30] {
            assert_eq!(names(&filled("Name;First Name", &fuller, n)), "Name");
            assert_eq!(names(&filled("Name;Last Name", &double, n)), "Name");
        }
        let devout = ["dos Santos;Maria dos Anjos", "de Souza;Maria de Jesus", "Lima;Rui", "Costa;Eva"];
        assert_eq!(names(&filled("Apelido;Nome", &devout, 30)), "Nome+Apelido");
        let surnames = ["Ada Lovelace;Lovelace", "Bob van der Berg;van der Berg"];
        assert_eq!(names(&filled("Name;Last Name", &surnames, 2)), "Name");
        assert_eq!(names(&filled("Nombre;Apellidos", &["Ada Byron King;Byron King"], 2)), "Nombre");
    }

    #[test]
    fn where_nothing_tells_what_a_name_is_none_is_taken() {
        // In Brazil: whole names, and what friends say.
        let nicknames = ["José da Silva;Zé", "Ana Maria Lima;Aninha", "João Souza;João", "Rui Costa;Ruizinho"];
        for n in [1, 2, 40] {
            assert_eq!(names(&filled("Nome;Apelido", &nicknames, n)), "");
        }
        assert_eq!(names(&filled("Nome;Apelido", &["Ana Maria;Lima", "Rui;Costa"], 40)), "Nome+Apelido");
        assert_eq!(names(&filled("Name;Vorname", &["Ada Lovelace;Ada", "Day;Bob"], 40)), "");
        // Directories call a login so.
        assert_eq!(names(&filled("Name;GivenName", &["blovelace7;Ada", "cday12;Bob"], 40)), "");
        let logins = "alovelace;Ada;ALovelace@example.com\nbday;Bob;bday@example.com\n";
        assert_eq!(names(&format!("Name;GivenName;Email\n{logins}")), "");
        // In German a surname may well be all that stands before the `@`.
        assert_eq!(names("Name;Vorname;E-Mail\nDay;Ada;day@example.com\nLee;Bob;lee@example.com\n"), "Vorname+Name");
        let spared = filled("Name;Vorname;Anzeigename", &["Ada Lovelace;Ada;Ada L.", "Day;Bob;Bob D."], 40);
        assert_eq!(names(&spared), "Anzeigename");
    }

    #[test]
    fn what_may_be_a_name_is_told_in_whatever_languages_it_is() {
        let told = |header: &str| {
            let names: Vec<String> = header.split(';').map(str::to_owned).collect();
            let joined = |columns: &Vec<usize>| columns.iter().map(|at| &*names[*at]).collect::<Vec<_>>().join("+");
            name_candidates(&names).iter().map(joined).collect::<Vec<_>>().join("|")
        };
        for (header, expected) in [
            ("Nome;Apelido;E-mail", "Nome|Nome+Apelido"),
            ("Prénom;Name;E-Mail", "Name|Prénom+Name"),
            ("Last Name;Tussenvoegsel;Vorname", "Vorname+Tussenvoegsel+Last Name"),
            ("Naam;Voorletters", "Naam"),
            ("Vorname;Team", ""),
        ] {
            assert_eq!(told(header), expected);
        }
    }

    #[test]
    fn records_that_are_not_sound_or_lack_a_half_decide_nothing() {
        let text = "Name;Vorname;Email\n;Ada;a@example.com\nDay;;b@example.com\nBob Day;Bob\nBerg;Cy;c@example.com\n";
        assert_eq!(names(text), "Vorname+Name");
    }

    #[test]
    fn the_template_of_entra_in_german_is_called_by_its_display_name() {
        let header = "Name [displayName] Erforderlich;Benutzername [userPrincipalName] Erforderlich;\
            Anfängliches Kennwort [passwordProfile] Erforderlich;Vorname [givenName];Nachname [surname]\n";
        assert_eq!(names(header), "Name [displayName] Erforderlich");
    }
}
