use super::Pointer;
use footfall_streams::{Aggregation, Function};

/// Reads one line of `aggregate`: `NAME = "count()"`, `NAME = "sum(/pointer)"`.
///
/// # Errors
/// What was expected instead.
pub fn aggregate(name: &str, text: &str) -> Result<(Aggregation, Option<Pointer>), String> {
    let called = text
        .trim()
        .strip_suffix(')')
        .and_then(|text| text.split_once('('));
    let function = called.and_then(|(called, field)| {
        let function = Function::ALL
            .iter()
            .find(|function| function.name() == called.trim())?;
        Some((*function, field.trim()))
    });
    let (function, field) = function.ok_or_else(|| format!("one of {}", forms()))?;
    let pointer = match function.reads_a_field() {
        true => {
            let pointer = Pointer::parse(field);
            Some(pointer.ok_or_else(|| format!("a JSON pointer in `{}(/…)`", function.name()))?)
        }
        false if field.is_empty() => None,
        false => return Err(format!("`{}()`, which looks at no field", function.name())),
    };
    let aggregation = Aggregation {
        name: name.into(),
        function,
        field: field.into(),
    };
    Ok((aggregation, pointer))
}

fn forms() -> String {
    let forms = Function::ALL
        .iter()
        .map(|function| match function.reads_a_field() {
            true => format!("`{}(/pointer)`", function.name()),
            false => format!("`{}()`", function.name()),
        });
    forms.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_read_with_their_field() {
        let (count, none) = aggregate("views", "count()").unwrap();
        assert_eq!((count.expression().as_str(), none), ("count()", None));
        let (sum, pointer) = aggregate("revenue", " sum( /properties/amount ) ").unwrap();
        assert_eq!(sum.expression(), "sum(/properties/amount)");
        assert_eq!(pointer, Pointer::parse("/properties/amount"));
    }

    #[test]
    fn a_refusal_says_what_was_expected() {
        let refusal = |text| aggregate("x", text).unwrap_err();
        let forms = "one of `count()`, `sum(/pointer)`, `min(/pointer)`, `max(/pointer)`";
        assert_eq!(refusal("count"), forms);
        assert_eq!(refusal("median(/x)"), forms);
        assert_eq!(refusal("sum(amount)"), "a JSON pointer in `sum(/…)`");
        assert_eq!(refusal("count(/x)"), "`count()`, which looks at no field");
    }
}
