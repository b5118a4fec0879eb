//! Which definition the members of the group work by: partitions that processes with different
//! definitions share would be counted by some of them in one way and by others in another.
//!
//! A member says it by its `client.id`, which Kafka tells everybody who may describe the group. Who
//! finds members that work by another definition waits, as a member without partitions, so that they
//! can see it.

use std::{collections::BTreeMap, fmt};

/// As much is said of the single streams; beyond that, only whether all are the same.
const LONGEST_PARTS: usize = 2_000;

/// What the process does, by the names of its parts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Definition {
    /// The sum of all of it.
    sum: String,
    /// The sum of each part; none where they would be too long.
    parts: BTreeMap<String, String>,
}

/// What a member does with its definition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Works,
    Waits,
}

/// A member of the group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Member {
    pub(crate) host: String,
    role: Role,
    definition: Definition,
}

/// What comes of the definitions of others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The work goes on, or may begin.
    Work,
    /// It does, and something is to be told.
    Tell(String),
    /// It waits, and why.
    Wait(String),
}

impl Role {
    fn name(self) -> &'static str {
        match self {
            Self::Works => "works",
            Self::Waits => "waits",
        }
    }
}

impl Definition {
    /// Of these names and texts.
    pub(crate) fn of(parts: &BTreeMap<String, String>) -> Self {
        let sum_of = |text: &str| format!("{:08x}", crc32fast::hash(text.as_bytes()));
        let parts: BTreeMap<_, _> = parts
            .iter()
            .map(|(name, text)| (name.clone(), sum_of(text)))
            .collect();
        let listed: Vec<_> = parts
            .iter()
            .map(|(name, sum)| format!("{name}={sum}"))
            .collect();
        let listed = listed.join(";");
        let is_short = listed.len() <= LONGEST_PARTS;
        Self {
            sum: sum_of(&listed),
            parts: if is_short { parts } else { BTreeMap::new() },
        }
    }

    /// The `client.id` of a member, after its own one.
    pub(crate) fn mark(&self, client_id: &str, role: Role) -> String {
        let parts = self.parts.iter();
        let parts: String = parts.map(|(name, sum)| format!(";{name}={sum}")).collect();
        format!("{client_id};{};{}{parts}", role.name(), self.sum)
    }

    /// How another one differs.
    fn difference(&self, other: &Self) -> String {
        let names = |of: &Self, in_no: &Self| {
            let only = of.parts.keys();
            let only = only.filter(|name| !in_no.parts.contains_key(*name));
            only.map(|name| format!("`{name}`")).collect::<Vec<_>>()
        };
        let changed = self.parts.iter().filter(|(name, sum)| {
            let theirs = other.parts.get(*name);
            theirs.is_some_and(|theirs| theirs != *sum)
        });
        let changed: Vec<_> = changed.map(|(name, _)| format!("`{name}`")).collect();
        let groups = [
            ("only here", names(self, other)),
            ("only there", names(other, self)),
            ("defined in another way", changed),
        ];
        let said = groups.iter().filter(|(_, names)| !names.is_empty());
        let said: Vec<_> = said
            .map(|(what, names)| format!("{what}: {}", names.join(", ")))
            .collect();
        if said.is_empty() {
            format!("definition {} there, {} here", other.sum, self.sum)
        } else {
            said.join("; ")
        }
    }
}

impl fmt::Display for Definition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sum)
    }
}

impl Member {
    /// What a `client.id` says. None where it says nothing, as with other programs.
    pub(crate) fn parse(client_id: &str, host: &str) -> Option<Self> {
        let mut fields = client_id.split(';');
        let role = fields.find_map(|field| match field {
            "works" => Some(Role::Works),
            "waits" => Some(Role::Waits),
            _ => None,
        })?;
        let sum = fields.next()?.to_owned();
        let parts = fields.filter_map(|field| field.rsplit_once('='));
        let parts = parts.map(|(name, sum)| (name.to_owned(), sum.to_owned()));
        let parts = parts.collect();
        Some(Self {
            host: host.trim_start_matches('/').to_owned(),
            role,
            definition: Definition { sum, parts },
        })
    }
}

/// What is to be done beside these members. Of two that came at once, the one with the lesser sum
/// goes first.
pub(crate) fn judge(
    group: &str,
    own: &Definition,
    members: &[Member],
    is_working: bool,
) -> Verdict {
    let others = members.iter();
    let mut others: Vec<_> = others
        .filter(|member| member.definition.sum != own.sum)
        .collect();
    others.sort_by(|a, b| (&a.definition.sum, &a.host).cmp(&(&b.definition.sum, &b.host)));
    let first = |role| others.iter().find(|member| member.role == role);
    let goes_first = |member: &Member| member.definition.sum < own.sum;
    let about = |member: &Member| {
        let theirs = &member.definition;
        let (host, difference) = (&member.host, own.difference(theirs));
        format!("definition {theirs} (a process at {host}; {difference})")
    };
    match (first(Role::Works), first(Role::Waits)) {
        (Some(member), _) if !is_working || goes_first(member) => Verdict::Wait(format!(
            "group `{group}` runs another definition than this process, {own}: {}; this process waits until those that \
             run it have ended, or give it a `group` of its own",
            about(member)
        )),
        (None, Some(member)) if !is_working && goes_first(member) => Verdict::Wait(format!(
            "a process with another definition than this one, {own}, is about to join group `{group}`: {}; this process \
             waits until it has ended, or give it a `group` of its own",
            about(member)
        )),
        (Some(member), _) | (None, Some(member)) if is_working => Verdict::Tell(format!(
            "another process of group `{group}` has another definition than this one, {own}, and waits: {}",
            about(member)
        )),
        _ => Verdict::Work,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn definition(parts: &[(&str, &str)]) -> Definition {
        let parts = parts.iter();
        let parts = parts.map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
        Definition::of(&parts.collect())
    }

    fn member(definition: &Definition, role: Role) -> Member {
        let mark = definition.mark("footfall;mine", role);
        Member::parse(&mark, "/10.0.0.7").unwrap()
    }

    /// Two definitions, the one that goes first before.
    fn two() -> [Definition; 2] {
        let mut two = [
            definition(&[("s", "one"), ("old", "x")]),
            definition(&[("s", "two"), ("t", "y")]),
        ];
        two.sort_by(|a, b| a.sum.cmp(&b.sum));
        two
    }

    #[test]
    fn a_mark_says_all_of_a_definition() {
        let own = definition(&[("s", "one"), ("t", "two")]);
        let member = member(&own, Role::Waits);
        assert_eq!(member.definition, own);
        assert_eq!((member.role, &*member.host), (Role::Waits, "10.0.0.7"));
        assert_eq!(Member::parse("footfall", "/10.0.0.7"), None);
    }

    #[test]
    fn who_comes_to_a_group_with_another_definition_waits_and_says_what_differs() {
        let [own, theirs] = [
            definition(&[("s", "one"), ("t", "y")]),
            definition(&[("s", "two"), ("old", "x")]),
        ];
        let verdict = judge("g", &own, &[member(&theirs, Role::Works)], false);
        let Verdict::Wait(reason) = verdict else {
            panic!("{verdict:?}")
        };
        let expected = "only here: `t`; only there: `old`; defined in another way: `s`";
        assert!(reason.contains(expected), "{reason}");
        assert!(
            reason.contains(&theirs.sum) && reason.contains("10.0.0.7"),
            "{reason}"
        );
        let same = judge("g", &own, &[member(&own, Role::Works)], false);
        assert_eq!(same, Verdict::Work);
    }

    #[test]
    fn who_works_tells_of_one_that_waits() {
        let [own, theirs] = two();
        for (own, theirs) in [(&own, &theirs), (&theirs, &own)] {
            let verdict = judge("g", own, &[member(theirs, Role::Waits)], true);
            assert!(matches!(verdict, Verdict::Tell(_)), "{verdict:?}");
        }
    }

    #[test]
    fn of_two_that_came_at_once_one_steps_back() {
        let [first, second] = two();
        for role in [Role::Works, Role::Waits] {
            let is_working = role == Role::Works;
            let first_sees = judge("g", &first, &[member(&second, role)], is_working);
            assert!(!matches!(first_sees, Verdict::Wait(_)), "{first_sees:?}");
            let second_sees = judge("g", &second, &[member(&first, role)], is_working);
            assert!(matches!(second_sees, Verdict::Wait(_)), "{second_sees:?}");
        }
    }

    #[test]
    fn what_is_too_long_for_an_id_is_told_as_a_whole() {
        let names: Vec<_> = (0..300).map(|number| format!("stream-{number}")).collect();
        let parts: Vec<_> = names.iter().map(|name| (name.as_str(), "x")).collect();
        let mark = definition(&parts).mark("footfall", Role::Works);
        assert!(mark.len() < 100, "{mark}");
    }
}
