use super::{Field, Pointer};
use footfall_streams::{Aggregation, Function, Reads};

/// Reads one line of `aggregate`: `NAME = "count()"`, `NAME = "sum(/pointer)"`,
/// `NAME = "top(/pointer, 10)"`.
///
/// # Errors
/// What was expected instead.
pub fn aggregate(name: &str, text: &str) -> Result<(Aggregation, Option<Field>), String> {
    let called = text
        .trim()
        .strip_suffix(')')
        .and_then(|text| text.split_once('('));
    let (called, arguments) = called.unwrap_or_default();
    let called = called.trim();
    let (field, parameters) = split(arguments);
    let function = Function::read(called, &parameters)?;
    let reads = function.reads();
    let read = match Pointer::parse(field) {
        _ if reads == Reads::Nothing && field.is_empty() => None,
        _ if reads == Reads::Nothing => {
            return Err(format!("`{called}()`, which looks at no field"));
        }
        Some(pointer) => Some(Field { pointer, reads }),
        None => return Err(format!("a JSON pointer in `{called}(/…)`")),
    };
    let aggregation = Aggregation {
        name: name.into(),
        function,
        field: field.into(),
    };
    Ok((aggregation, read))
}

/// The field and the numbers behind it. A pointer may have commas itself.
fn split(arguments: &str) -> (&str, Vec<&str>) {
    let mut field = arguments.trim();
    let mut parameters = Vec::new();
    while let Some((before, last)) = field.rsplit_once(',')
        && last.trim().parse::<f64>().is_ok()
    {
        parameters.insert(0, last.trim());
        field = before.trim();
    }
    (field, parameters)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_read_with_their_field() {
        let (count, none) = aggregate("views", "count()").unwrap();
        assert_eq!((count.expression().as_str(), none), ("count()", None));
        let (sum, field) = aggregate("revenue", " sum( /properties/amount ) ").unwrap();
        assert_eq!(sum.expression(), "sum(/properties/amount)");
        let pointer = Pointer::parse("/properties/amount").unwrap();
        let reads = Reads::Number;
        assert_eq!(field, Some(Field { pointer, reads }));
    }

    #[test]
    fn numbers_behind_the_field_are_parameters() {
        for text in [
            "top(/page/url, 10)",
            "quantile(/properties/value, 0.75)",
            "quantiles(/a,b, 0.5, 0.95)",
            "last(/a,b)",
        ] {
            let (aggregation, _) = aggregate("x", text).unwrap();
            assert_eq!(aggregation.expression(), text);
        }
    }

    #[test]
    fn a_refusal_says_what_was_expected() {
        let refusal = |text| aggregate("x", text).unwrap_err();
        let forms = "one of `count()`, `sum(/pointer)`, `min(/pointer)`, `max(/pointer)`, `mean(/pointer)`, `distinct(/pointer)`, \
             `quantile(/pointer, 0.95)`, `quantiles(/pointer, 0.5, 0.95)`, `first(/pointer)`, `last(/pointer)`, `top(/pointer, 10)`";
        assert_eq!(refusal("count"), forms);
        assert_eq!(refusal("median(/x)"), forms);
        assert_eq!(refusal("sum(amount)"), "a JSON pointer in `sum(/…)`");
        assert_eq!(refusal("count(/x)"), "`count()`, which looks at no field");
        let top = "`top(/pointer, 10)` with a whole number from 1";
        assert_eq!(refusal("top(/x)"), top);
        assert_eq!(refusal("top(/x, 1.5)"), top);
        let quantile = "`quantile(/pointer, 0.95)` with shares from 0 to 1";
        assert_eq!(refusal("quantile(/x, 95)"), quantile);
    }
}
