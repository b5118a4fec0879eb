//! From the text of an expression to its parts.

/// A part of an expression.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    /// As it is written.
    Name(String),
    /// In backticks, with any characters.
    Quoted(String),
    Whole(i128),
    Double(f64),
    Text(String),
    Bytes(Vec<u8>),
    Sign(&'static str),
    End,
}

/// With its place in the text, in bytes.
#[derive(Clone, Debug)]
pub(super) struct Placed {
    pub(super) token: Token,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// The longer ones first.
const SIGNS: [&str; 24] = [
    "&&", "||", "==", "!=", "<=", ">=", "<", ">", "+", "-", "*", "/", "%", "!", "?", ":", ".", ",",
    "(", ")", "[", "]", "{", "}",
];

/// All of them, and an end behind the last one.
pub(super) fn tokens(text: &str) -> Result<Vec<Placed>, String> {
    let mut reader = Reader { text, at: 0 };
    let mut tokens = Vec::new();
    loop {
        reader.skip();
        let start = reader.at;
        let token = reader.token()?;
        let is_end = token == Token::End;
        let end = reader.at;
        tokens.push(Placed { token, start, end });
        if is_end {
            return Ok(tokens);
        }
    }
}

struct Reader<'t> {
    text: &'t str,
    /// The first byte that is not read yet.
    at: usize,
}

impl<'t> Reader<'t> {
    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    /// Reads for as long as they are such.
    fn take(&mut self, is_one: impl Fn(char) -> bool) -> &'t str {
        let rest = self.rest();
        let end = rest.find(|char| !is_one(char)).unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    fn take_text(&mut self, text: &str) -> bool {
        let is_next = self.rest().starts_with(text);
        self.at += if is_next { text.len() } else { 0 };
        is_next
    }

    /// White space, and comments to the end of their line.
    fn skip(&mut self) {
        loop {
            self.take(char::is_whitespace);
            if !self.rest().starts_with("//") {
                return;
            }
            self.take(|char| char != '\n');
        }
    }

    fn token(&mut self) -> Result<Token, String> {
        let Some(first) = self.rest().chars().next() else {
            return Ok(Token::End);
        };
        if let Some(string) = self.string()? {
            return Ok(string);
        }
        let mut two = self.rest().chars();
        let is_fraction = two.next() == Some('.') && two.next().is_some_and(|c| c.is_ascii_digit());
        if first.is_ascii_digit() || is_fraction {
            return self.number();
        }
        if is_name_start(first) {
            return Ok(Token::Name(self.take(is_in_name).to_owned()));
        }
        if first == '`' {
            return self.quoted();
        }
        let sign = SIGNS.into_iter().find(|sign| self.take_text(sign));
        sign.map(Token::Sign).ok_or_else(|| match first {
            '=' => "expected `==`, which compares, found `=`".to_owned(),
            '&' => "expected `&&`, found `&`".to_owned(),
            '|' => "expected `||`, found `|`".to_owned(),
            _ => format!(
                "found `{}`: a member whose name is not of `A-Z a-z 0-9 _` is written in backticks, and a text in quotes",
                first.escape_debug()
            ),
        })
    }

    fn quoted(&mut self) -> Result<Token, String> {
        self.take_text("`");
        let name = self.take(|char| char != '`').to_owned();
        if !self.take_text("`") {
            return Err("found a name without its closing backtick".to_owned());
        }
        Ok(Token::Quoted(name))
    }

    fn number(&mut self) -> Result<Token, String> {
        let start = self.at;
        let is_hex = self.rest().starts_with("0x") || self.rest().starts_with("0X");
        let whole = if is_hex {
            self.at += 2;
            i128::from_str_radix(self.take(|char| char.is_ascii_hexdigit()), 16).ok()
        } else {
            self.take(|char| char.is_ascii_digit());
            self.fraction();
            self.text[start..self.at].parse().ok()
        };
        let digits = &self.text[start..self.at];
        if self.rest().starts_with(is_in_name) && !self.take_text("u") && !self.take_text("U") {
            self.take(is_in_name);
            return Err(format!(
                "expected a number, found `{}`",
                &self.text[start..self.at]
            ));
        }
        let double = || digits.parse().ok().filter(|_| !is_hex).map(Token::Double);
        let number = whole.map(Token::Whole).or_else(double);
        number.ok_or_else(|| format!("expected a number, found `{digits}`"))
    }

    /// What may follow the digits before the point.
    fn fraction(&mut self) {
        let digits = |text: &str| text.starts_with(|char: char| char.is_ascii_digit());
        if self.rest().strip_prefix('.').is_some_and(digits) {
            self.at += 1;
            self.take(|char| char.is_ascii_digit());
        }
        if let Some(exponent) = self.rest().strip_prefix(['e', 'E'])
            && digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent))
        {
            self.at += 2;
            self.take(|char| char.is_ascii_digit());
        }
    }

    /// A text or bytes, if that is what comes.
    fn string(&mut self) -> Result<Option<Token>, String> {
        let rest = self.rest();
        let unprefixed = rest.trim_start_matches(['r', 'R', 'b', 'B']);
        let prefix = &rest[..rest.len() - unprefixed.len()];
        let has = |letter: char| prefix.to_ascii_lowercase().matches(letter).count();
        let (is_raw, is_bytes) = (has('r') == 1, has('b') == 1);
        let quotes = ["\"\"\"", "'''", "\"", "'"].into_iter();
        let quote = quotes
            .into_iter()
            .find(|quote| unprefixed.starts_with(quote));
        let Some(quote) = quote.filter(|_| has('r') < 2 && has('b') < 2) else {
            return Ok(None);
        };
        self.at += prefix.len() + quote.len();
        let mut bytes = Vec::new();
        while !self.take_text(quote) {
            let next = self.rest().chars().next();
            let Some(next) = next.filter(|char| quote.len() == 3 || *char != '\n') else {
                return Err("found a text without its closing quote".to_owned());
            };
            self.at += next.len_utf8();
            if next == '\\' && !is_raw {
                self.escape(is_bytes, &mut bytes)?;
            } else {
                bytes.extend(next.encode_utf8(&mut [0; 4]).as_bytes());
                if next == '\\'
                    && let Some(next) = self.rest().chars().next()
                {
                    // In a raw text a quote behind a backslash does not end it.
                    self.at += next.len_utf8();
                    bytes.extend(next.encode_utf8(&mut [0; 4]).as_bytes());
                }
            }
        }
        if is_bytes {
            return Ok(Some(Token::Bytes(bytes)));
        }
        let text = String::from_utf8(bytes);
        text.map(|text| Some(Token::Text(text)))
            .map_err(|_| "expected a text".to_owned())
    }

    /// What follows a backslash.
    fn escape(&mut self, is_bytes: bool, bytes: &mut Vec<u8>) -> Result<(), String> {
        let wrong =
            |what: &str| format!("expected an escape such as `\\n` or `\\\\`, found `\\{what}`");
        let Some(letter) = self.rest().chars().next() else {
            return Err(wrong(""));
        };
        self.at += letter.len_utf8();
        let (count, radix) = match letter {
            'x' | 'X' => (2, 16),
            'u' if !is_bytes => (4, 16),
            'U' if !is_bytes => (8, 16),
            '0'..='3' => (3, 8),
            _ => {
                let plain = match letter {
                    'a' => '\u{7}',
                    'b' => '\u{8}',
                    'f' => '\u{c}',
                    'n' => '\n',
                    'r' => '\r',
                    't' => '\t',
                    'v' => '\u{b}',
                    '\\' | '?' | '"' | '\'' | '`' => letter,
                    _ => return Err(wrong(&letter.escape_debug().to_string())),
                };
                bytes.extend(plain.encode_utf8(&mut [0; 4]).as_bytes());
                return Ok(());
            }
        };
        // An octal number has begun with its first digit.
        self.at -= usize::from(radix == 8);
        let digits = self.rest().get(..count).unwrap_or_default();
        self.at += digits.len();
        let is_all = digits.len() == count && digits.chars().all(|char| char.is_digit(radix));
        let code = u32::from_str_radix(digits, radix).ok().filter(|_| is_all);
        match code.map(|code| (code, u8::try_from(code).ok(), char::from_u32(code))) {
            Some((_, Some(byte), _)) if is_bytes => bytes.push(byte),
            Some((_, _, Some(char))) if !is_bytes => {
                bytes.extend(char.encode_utf8(&mut [0; 4]).as_bytes());
            }
            _ => return Err(wrong(&format!("{letter}{digits}"))),
        }
        Ok(())
    }
}

fn is_name_start(char: char) -> bool {
    char.is_ascii_alphabetic() || char == '_'
}

fn is_in_name(char: char) -> bool {
    char.is_ascii_alphanumeric() || char == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<Token> {
        let placed = tokens(text).unwrap().into_iter();
        placed
            .map(|placed| placed.token)
            .filter(|token| *token != Token::End)
            .collect()
    }

    #[test]
    fn texts_are_what_is_between_their_quotes() {
        for (text, expected) in [
            (r#""a'b""#, "a'b"),
            (r"'a\'b\n\u00e9\x41\101\U0001F600'", "a'b\né\u{41}A😀"),
            (r#"r"\d\"x""#, r#"\d\"x"#),
            ("'''a'\nb'''", "a'\nb"),
            ("\"\"", ""),
        ] {
            assert_eq!(read(text), [Token::Text(expected.to_owned())], "{text}");
        }
        assert_eq!(read(r"b'a\xff\377'"), [Token::Bytes(vec![b'a', 255, 255])]);
        for text in ["'a", "\"a\nb\"", r"'\q'", r"'\u12'", r"'\ud800'", "'''a''"] {
            assert!(tokens(text).is_err(), "{text}");
        }
    }

    #[test]
    fn numbers_are_whole_or_doubles() {
        let numbers = [
            Token::Whole(7),
            Token::Whole(255),
            Token::Whole(5),
            Token::Double(1.5),
            Token::Double(0.5),
            Token::Double(1e3),
        ];
        assert_eq!(read("7 0xFF 5u 1.5 .5 1e3"), numbers);
        for text in ["7x", "0x", "1.5.5e"] {
            assert!(tokens(text).is_err() || read(text).len() > 1, "{text}");
        }
    }

    #[test]
    fn names_may_be_in_backticks_and_comments_are_left_out() {
        let expected = [
            Token::Name("b".into()),
            Token::Sign("."),
            Token::Quoted("c-d".into()),
        ];
        assert_eq!(read("b // a comment\n .`c-d`"), expected);
    }
}
