//! HTML and SVG, written so that nothing out of a file can become markup: only literals are markup.

use std::fmt::{Display, Write};

/// Characters of a cell that are shown; of more the number is told.
pub const SHOWN_CHARS_MAX: usize = 120;

/// A growing piece of a page.
#[derive(Debug, Default)]
pub struct Html(String);

impl Html {
    /// Adds markup: what the program's own text says, and nothing else can.
    pub fn raw(&mut self, markup: &'static str) -> &mut Self {
        self.0.push_str(markup);
        self
    }

    /// Adds a piece that was written by the same rules.
    pub fn piece(&mut self, piece: &Self) -> &mut Self {
        self.0.push_str(&piece.0);
        self
    }

    /// Adds text; marks that turn the direction of what follows are shown as such.
    pub fn text(&mut self, text: impl Display) -> &mut Self {
        for c in text.to_string().chars() {
            self.push(if is_turn(c) { '\u{fffd}' } else { c });
        }
        self
    }

    /// Adds what people wrote: cut where it is long, and kept from turning the direction of anything around it.
    pub fn people(&mut self, text: &str) -> &mut Self {
        self.people_within(text, SHOWN_CHARS_MAX)
    }

    /// The same with another width.
    pub fn people_within(&mut self, text: &str, n_chars: usize) -> &mut Self {
        let cut = text.char_indices().nth(n_chars).map(|(at, _)| &text[..at]);
        let shown = cut.unwrap_or(text);
        let is_plain = shown.is_ascii();
        self.raw(if is_plain { "" } else { "<bdi>" });
        shown.chars().for_each(|c| self.push(c));
        self.raw(if is_plain { "" } else { "</bdi>" });
        if cut.is_some() {
            self.raw(" <i>… ").text(crate::number::Number(text.chars().count() as u64)).raw(" characters</i>");
        }
        self
    }

    /// Adds an attribute, with the blank before it.
    pub fn attr(&mut self, name: &'static str, value: impl Display) -> &mut Self {
        self.raw(" ").raw(name).raw("=\"").text(value).raw("\"")
    }

    /// Adds an attribute that is a length in a drawing: one decimal.
    pub fn length(&mut self, name: &'static str, value: f64) -> &mut Self {
        let rounded = (value * 10.0).round() / 10.0;
        self.attr(name, rounded)
    }

    /// Adds a number of a path.
    pub fn point(&mut self, value: f64) -> &mut Self {
        let _written = write!(self.0, "{}", (value * 10.0).round() / 10.0);
        self
    }

    /// Bytes so far.
    #[must_use]
    pub const fn n_bytes(&self) -> usize {
        self.0.len()
    }

    /// Cuts off what was added since there were so many bytes.
    pub fn truncate(&mut self, n_bytes: usize) {
        self.0.truncate(n_bytes);
    }

    /// The page so far.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn push(&mut self, c: char) {
        match c {
            '&' => self.0.push_str("&amp;"),
            '<' => self.0.push_str("&lt;"),
            '>' => self.0.push_str("&gt;"),
            '"' => self.0.push_str("&quot;"),
            '\'' => self.0.push_str("&#39;"),
            '\n' | '\t' => self.0.push(c),
            // NUL and its like are no text; what a reader must not miss is shown.
            c if c.is_control() => self.0.push('\u{fffd}'),
            c => self.0.push(c),
        }
    }
}

/// Marks that turn the direction of text.
const fn is_turn(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl Fn(&mut Html)) -> String {
        let mut html = Html::default();
        write(&mut html);
        html.as_str().to_owned()
    }

    #[test]
    fn nothing_out_of_a_file_becomes_markup() {
        for evil in ["</script><img onerror=alert(1)>", "\"><svg onload='x'>", "&lt;b&gt;", "<!--", "]]>"] {
            for said in [
                written(|h| {
                    h.text(evil);
                }),
                written(|h| {
                    h.people(evil);
                }),
            ] {
                assert!(!said.contains(['<', '>', '"', '\'']), "{said}");
                let back = said.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&#39;", "'");
                assert_eq!(back.replace("&amp;", "&"), evil);
            }
        }
        let attribute = written(|h| {
            h.attr("title", "\" onclick=\"x");
        });
        assert_eq!(attribute, " title=\"&quot; onclick=&quot;x\"");
    }

    #[test]
    fn no_text_turns_the_direction_of_what_is_around_it() {
        assert_eq!(
            written(|h| {
                h.people("a\u{202e}b");
            }),
            "<bdi>a\u{202e}b</bdi>"
        );
        assert_eq!(
            written(|h| {
                h.text("a\u{202e}b\u{2067}");
            }),
            "a\u{fffd}b\u{fffd}"
        );
        assert_eq!(
            written(|h| {
                h.people("plain");
            }),
            "plain"
        );
    }

    #[test]
    fn a_long_cell_is_cut_between_characters_and_its_length_told() {
        let long = "ü".repeat(10_000);
        let said = written(|h| {
            h.people(&long);
        });
        assert!(said.len() < 500 && said.ends_with(" <i>… 10,000 characters</i>"), "{said}");
        assert_eq!(said.matches('ü').count(), SHOWN_CHARS_MAX);
        let just = "x".repeat(SHOWN_CHARS_MAX);
        assert_eq!(
            written(|h| {
                h.people(&just);
            }),
            just
        );
    }

    #[test]
    fn what_is_no_text_is_shown_as_such() {
        assert_eq!(
            written(|h| {
                h.people("a\0b\u{1b}[2J");
            }),
            "a\u{fffd}b\u{fffd}[2J"
        );
    }
}
