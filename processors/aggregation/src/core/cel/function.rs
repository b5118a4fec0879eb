/// What can be called, beside the loops and `has`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Function {
    Size,
    Contains,
    StartsWith,
    EndsWith,
    Matches,
    Int,
    Uint,
    Double,
    String,
    Bytes,
    Bool,
    Timestamp,
    Duration,
    Type,
    Dyn,
    Part(Part),
}

/// A part of a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    FullYear,
    Month,
    DayOfYear,
    DayOfMonth,
    Date,
    DayOfWeek,
    Hours,
    Minutes,
    Seconds,
    Milliseconds,
}

/// What is known of a value before there is a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Nothing: it is of the record.
    Any,
    Null,
    Bool,
    Number,
    Text,
    Bytes,
    Timestamp,
    Duration,
    Type,
    List,
    Map,
}

/// How a function is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// `size(x)`.
    Plain,
    /// `x.startsWith(y)`.
    OfValue,
    /// As one likes.
    Both,
}

/// How a function is called, and with what.
#[derive(Debug)]
pub(super) struct Signature {
    pub(super) name: &'static str,
    pub(super) function: Function,
    pub(super) form: Form,
    /// The kinds of each argument, beginning with the value that it is called of.
    pub(super) takes: &'static [&'static [Kind]],
    /// How many of them may be left out, from the last one on.
    pub(super) optional: usize,
    pub(super) result: Kind,
}

const ANY: &[Kind] = &[];
const TEXT: &[Kind] = &[Kind::Text];
const TIME: &[Kind] = &[Kind::Timestamp];
const TIME_OR_SPAN: &[Kind] = &[Kind::Timestamp, Kind::Duration];
const NUMBERS: &[Kind] = &[Kind::Number, Kind::Text, Kind::Timestamp];

const fn of_value(
    name: &'static str,
    function: Function,
    takes: &'static [&'static [Kind]],
    optional: usize,
    result: Kind,
) -> Signature {
    Signature {
        name,
        function,
        form: Form::OfValue,
        takes,
        optional,
        result,
    }
}

const fn plain(
    name: &'static str,
    function: Function,
    takes: &'static [&'static [Kind]],
    result: Kind,
) -> Signature {
    Signature {
        name,
        function,
        form: Form::Plain,
        takes,
        optional: 0,
        result,
    }
}

/// Of a time, in UTC or in the time zone that is named.
const fn part(name: &'static str, part: Part) -> Signature {
    of_value(name, Function::Part(part), &[TIME, TEXT], 1, Kind::Number)
}

/// Of a time as above, or of a duration as a whole.
const fn part_or_whole(name: &'static str, part: Part) -> Signature {
    of_value(
        name,
        Function::Part(part),
        &[TIME_OR_SPAN, TEXT],
        1,
        Kind::Number,
    )
}

/// Each function once.
pub(super) const SIGNATURES: &[Signature] = &[
    Signature {
        name: "size",
        function: Function::Size,
        form: Form::Both,
        takes: &[&[Kind::Text, Kind::Bytes, Kind::List, Kind::Map]],
        optional: 0,
        result: Kind::Number,
    },
    of_value("contains", Function::Contains, &[TEXT, TEXT], 0, Kind::Bool),
    of_value(
        "startsWith",
        Function::StartsWith,
        &[TEXT, TEXT],
        0,
        Kind::Bool,
    ),
    of_value("endsWith", Function::EndsWith, &[TEXT, TEXT], 0, Kind::Bool),
    Signature {
        name: "matches",
        function: Function::Matches,
        form: Form::Both,
        takes: &[TEXT, TEXT],
        optional: 0,
        result: Kind::Bool,
    },
    plain("int", Function::Int, &[NUMBERS], Kind::Number),
    plain("uint", Function::Uint, &[NUMBERS], Kind::Number),
    plain(
        "double",
        Function::Double,
        &[&[Kind::Number, Kind::Text]],
        Kind::Number,
    ),
    plain(
        "string",
        Function::String,
        &[&[
            Kind::Text,
            Kind::Bool,
            Kind::Number,
            Kind::Bytes,
            Kind::Timestamp,
            Kind::Duration,
        ]],
        Kind::Text,
    ),
    plain(
        "bytes",
        Function::Bytes,
        &[&[Kind::Text, Kind::Bytes]],
        Kind::Bytes,
    ),
    plain(
        "bool",
        Function::Bool,
        &[&[Kind::Bool, Kind::Text]],
        Kind::Bool,
    ),
    plain(
        "timestamp",
        Function::Timestamp,
        &[&[Kind::Text, Kind::Number, Kind::Timestamp]],
        Kind::Timestamp,
    ),
    plain(
        "duration",
        Function::Duration,
        &[&[Kind::Text, Kind::Duration]],
        Kind::Duration,
    ),
    plain("type", Function::Type, &[ANY], Kind::Type),
    plain("dyn", Function::Dyn, &[ANY], Kind::Any),
    part("getFullYear", Part::FullYear),
    part("getMonth", Part::Month),
    part("getDayOfYear", Part::DayOfYear),
    part("getDayOfMonth", Part::DayOfMonth),
    part("getDate", Part::Date),
    part("getDayOfWeek", Part::DayOfWeek),
    part_or_whole("getHours", Part::Hours),
    part_or_whole("getMinutes", Part::Minutes),
    part_or_whole("getSeconds", Part::Seconds),
    part_or_whole("getMilliseconds", Part::Milliseconds),
];

impl Function {
    pub(super) fn signature(self) -> Option<&'static Signature> {
        SIGNATURES
            .iter()
            .find(|signature| signature.function == self)
    }
}

impl Kind {
    /// For people.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Any => "a value of the record",
            Self::Null => "null",
            Self::Bool => "true or false",
            Self::Number => "a number",
            Self::Text => "a text",
            Self::Bytes => "bytes",
            Self::Timestamp => "a timestamp",
            Self::Duration => "a duration",
            Self::Type => "a type",
            Self::List => "a list",
            Self::Map => "a map",
        }
    }

    /// Whether a value of this kind may be one of those.
    pub(super) fn may_be(self, kinds: &[Self]) -> bool {
        self == Self::Any || kinds.is_empty() || kinds.contains(&self)
    }
}
