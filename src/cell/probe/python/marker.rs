//! Environment markers of requirements (PEP 508), for Linux. One that can't be understood holds: a requirement too many
//! is seen, one too few is not.

/// Depth of parentheses; real markers have two.
const MAX_DEPTH: usize = 32;

/// Whether a marker holds for a Python of this version, without any extra.
pub(super) fn holds(marker: &str, version: &str) -> bool {
    let tokens = tokens(marker);
    let mut parser = Parser { tokens: &tokens, version, depth: 0 };
    let value = parser.any();
    value.filter(|_| parser.tokens.is_empty()).unwrap_or(true)
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token<'a> {
    Open,
    Close,
    Word(&'a str),
    Text(&'a str),
}

fn tokens(marker: &str) -> Vec<Token<'_>> {
    let mut out = Vec::new();
    let mut rest = marker.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '(' | ')' => {
                out.push(if first == '(' { Token::Open } else { Token::Close });
                1
            }
            '\'' | '"' => {
                let end = rest[1..].find(first).map_or(rest.len() - 1, |end| end);
                out.push(Token::Text(&rest[1..=end]));
                (end + 2).min(rest.len())
            }
            _ => {
                let operator = |c: char| "<>=!~".contains(c);
                let end = rest
                    .find(|c: char| c.is_whitespace() || "()'\"".contains(c) || operator(c) != operator(first))
                    .unwrap_or(rest.len());
                out.push(Token::Word(&rest[..end]));
                end
            }
        };
        rest = rest[length..].trim_start();
    }
    out
}

struct Parser<'a> {
    tokens: &'a [Token<'a>],
    version: &'a str,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn any(&mut self) -> Option<bool> {
        let mut value = self.all()?;
        while self.word("or") {
            value |= self.all()?;
        }
        Some(value)
    }

    fn all(&mut self) -> Option<bool> {
        let mut value = self.one()?;
        while self.word("and") {
            value &= self.one()?;
        }
        Some(value)
    }

    fn one(&mut self) -> Option<bool> {
        if self.tokens.first() == Some(&Token::Open) {
            self.depth += 1;
            if self.depth > MAX_DEPTH {
                return None;
            }
            self.next();
            let value = self.any()?;
            self.depth -= 1;
            return (self.next() == Some(&Token::Close)).then_some(value);
        }
        let left = self.next()?;
        let Token::Word(operator) = self.next()? else { return None };
        let operator = if *operator == "not" {
            self.next().filter(|token| **token == Token::Word("in"))?;
            "not in"
        } else {
            operator
        };
        let right = self.next()?;
        match (left, right) {
            (Token::Word(name), Token::Text(value)) => Some(self.compare(name, operator, value, false)),
            (Token::Text(value), Token::Word(name)) => Some(self.compare(name, operator, value, true)),
            _ => None,
        }
    }

    fn compare(&self, name: &str, operator: &str, value: &str, turned: bool) -> bool {
        let minor: Vec<&str> = self.version.splitn(3, '.').take(2).collect();
        let own = match name {
            "extra" => "",
            "os_name" => "posix",
            "sys_platform" => "linux",
            "platform_system" => "Linux",
            "platform_machine" => std::env::consts::ARCH,
            "implementation_name" => "cpython",
            "platform_python_implementation" => "CPython",
            "python_version" => &minor.join("."),
            "python_full_version" => self.version,
            _ => return true,
        };
        let (left, right) = if turned { (value, own) } else { (own, value) };
        match operator {
            "in" => return right.contains(left),
            "not in" => return !right.contains(left),
            "===" => return left == right,
            _ => {}
        }
        let order = match name {
            "python_version" | "python_full_version" => {
                if let Some(start) = right.strip_suffix(".*") {
                    let same = left == start || left.strip_prefix(start).is_some_and(|rest| rest.starts_with('.'));
                    return same == (operator == "==");
                }
                numbers(left).cmp(&numbers(right))
            }
            _ => left.cmp(right),
        };
        match operator {
            "==" => order.is_eq(),
            "!=" => order.is_ne(),
            "<" => order.is_lt(),
            "<=" => order.is_le(),
            ">" => order.is_gt(),
            ">=" => order.is_ge(),
            // Compatible: at least this, within what its last number but one allows.
            "~=" => {
                order.is_ge() && numbers(right).split_last().is_none_or(|(_, start)| numbers(left).starts_with(start))
            }
            _ => true,
        }
    }

    fn word(&mut self, word: &str) -> bool {
        let is = self.tokens.first() == Some(&Token::Word(word));
        if is {
            self.next();
        }
        is
    }

    fn next(&mut self) -> Option<&'a Token<'a>> {
        let (first, rest) = self.tokens.split_first()?;
        self.tokens = rest;
        Some(first)
    }
}

/// The numbers of a version, without final zeros: `3.10` and `3.10.0` are equal.
fn numbers(version: &str) -> Vec<u64> {
    let mut numbers: Vec<u64> = version
        .split('.')
        .map(|part| {
            part.bytes()
                .take_while(u8::is_ascii_digit)
                .fold(0, |n: u64, digit| n.saturating_mul(10).saturating_add(u64::from(digit - b'0')))
        })
        .collect();
    while numbers.last() == Some(&0) {
        numbers.pop();
    }
    numbers
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::holds;

    #[test]
    fn versions_are_compared_by_number() {
        assert!(holds("python_version >= '3.9'", "3.11.2"));
        assert!(!holds("python_version < '3.9'", "3.11.2"));
        assert!(holds("'3.9' <= python_version", "3.11.2"));
        assert!(holds("python_full_version < '3.11.3' and python_version == '3.*'", "3.11.2"));
        assert!(!holds("python_version ~= '3.12'", "3.11.2"));
        assert!(holds("python_version >= '3.10'", "3.10.0"));
    }

    #[test]
    fn and_binds_tighter_than_or() {
        assert!(holds("os_name == 'posix' or os_name == 'nt' and extra == 'x'", "3.11.2"));
        assert!(!holds("(os_name == 'posix' or os_name == 'nt') and extra == 'x'", "3.11.2"));
        assert!(holds("sys_platform not in 'win32 cygwin'", "3.11.2"));
    }

    #[test]
    fn what_is_not_understood_holds() {
        assert!(holds("whatever == ", "3.11.2"));
        assert!(holds("future_marker > 'x'", "3.11.2"));
    }

    proptest! {
        #[test]
        fn any_text_is_survived(marker in any::<String>(), version in any::<String>()) {
            holds(&marker, &version);
        }

        #[test]
        fn any_tokens_are_survived(marker in "[()'\" <>=!~a-z.0-9]{0,64}") {
            holds(&marker, "3.11.2");
        }
    }
}
