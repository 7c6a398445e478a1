//! From roster and snapshot to verdicts.

use polars::prelude::*;

use super::fitting::Fitting;
use super::holders::{BY_USERNAME, USER, holders};
use super::{Counts, Defaults, Keep, Plan, Policy, SENT, Verdict};
use crate::columns;
use crate::email::Rules;
use crate::error::{Error, Result};
use crate::person::State;
use crate::roster::Roster;
use crate::snapshot::Snapshot;

/// Column: whether a row has what a create needs.
const FIT: &str = "fit";

pub(super) fn build(roster: &Roster, snapshot: &Snapshot, policy: &Policy) -> Result<Plan> {
    let keep = policy.keep;
    let holders = holders(snapshot)?;
    let keyed = roster.frame.select([columns::KEY, columns::ROW])?;
    let keyed = keyed.filter(&keyed.column(columns::KEY)?.is_not_null())?;
    let unfit = unfit(roster, &keyed, &holders, snapshot, policy)?;
    let kept = kept(&keyed, &unfit, keep)?;
    let new = join(&kept, &holders, JoinType::Anti)?;

    let joined = join(&join(&keyed, &kept, JoinType::Left)?, &holders, JoinType::Left)?;
    let mut decided = Decided::new(roster)?;
    decided.keyed(&joined, &unfit, snapshot, keep)?;
    let plan = decided.finish(roster, snapshot, &policy.defaults)?;
    // The law that everything rests on, checked in release builds: new is what the anti-join says, and no row is lost.
    if plan.counts.new != new.height() as u64 || !plan.counts.add_up() {
        return Err(Error::bug(format!("verdicts do not add up: {:?}, anti-join {}", plan.counts, new.height())));
    }
    Ok(plan)
}

fn join(left: &DataFrame, right: &DataFrame, how: JoinType) -> Result<DataFrame> {
    let mut args = JoinArgs::new(how);
    args.maintain_order = MaintainOrderJoin::Left;
    Ok(left.join(right, [columns::KEY], [columns::KEY], args, None)?)
}

/// Why each keyed row that nobody holds cannot be created, if it cannot. Such a row never stands for a key.
fn unfit(
    roster: &Roster,
    keyed: &DataFrame,
    holders: &DataFrame,
    snapshot: &Snapshot,
    policy: &Policy,
) -> Result<Vec<Option<&'static str>>> {
    let mut fitting = Fitting::new(roster, snapshot, policy)?;
    let mut unfit = vec![None; roster.n_rows()];
    for row in join(keyed, holders, JoinType::Anti)?.column(columns::ROW)?.u32()?.iter().flatten() {
        let at = row as usize - 1;
        unfit[at] = fitting.fault(at);
    }
    Ok(keyed.column(columns::ROW)?.u32()?.iter().flatten().map(|row| unfit[row as usize - 1]).collect())
}

/// The row that stands for each key: `key`, `first_row` u32. An unfit row never does.
fn kept(keyed: &DataFrame, unfit: &[Option<&str>], keep: Keep) -> Result<DataFrame> {
    let strategy = match keep {
        Keep::First => UniqueKeepStrategy::First,
        Keep::Last => UniqueKeepStrategy::Last,
        // Here an unfit row still counts as one of several.
        Keep::None => UniqueKeepStrategy::None,
    };
    let fit = unfit.iter().map(Option::is_none).collect::<BooleanChunked>();
    let mut candidates = keyed.clone();
    candidates.with_column(fit.into_series().with_name(FIT.into()).into_column())?;
    let only_fit = |frame: &DataFrame| -> Result<DataFrame> { Ok(frame.filter(frame.column(FIT)?.bool()?)?) };
    if keep != Keep::None {
        candidates = only_fit(&candidates)?;
    }
    let unique = candidates.unique_stable(Some(&[columns::KEY.to_owned()]), strategy, None)?;
    let mut kept = only_fit(&unique)?.select([columns::KEY, columns::ROW])?;
    kept.rename(columns::ROW, columns::FIRST_ROW.into())?;
    Ok(kept)
}

/// Whether an unfit row would stand for its key if it were fit: then it is invalid, otherwise a duplicate.
fn would_stand(row: u32, kept: Option<u32>, n_rows: u32, keep: Keep) -> bool {
    match keep {
        Keep::First => kept.is_none_or(|kept| row < kept),
        Keep::Last => kept.is_none_or(|kept| row > kept),
        Keep::None => n_rows == 1,
    }
}

/// One slot per row, filled verdict by verdict; a slot is filled exactly once.
struct Decided {
    verdict: Vec<Option<Verdict>>,
    reason: Vec<Option<String>>,
    rules: Vec<Rules>,
    first_row: Vec<Option<u32>>,
    user: Vec<Option<u32>>,
    holders: Vec<Option<u32>>,
}

impl Decided {
    fn new(roster: &Roster) -> Result<Self> {
        let reasons = roster.frame.column(columns::REASON)?.str()?;
        let n = roster.n_rows();
        Ok(Self {
            verdict: reasons.iter().map(|r| r.map(|_| Verdict::Invalid)).collect(),
            reason: reasons.iter().map(|r| r.map(str::to_owned)).collect(),
            rules: roster.frame.column(columns::RULES)?.str()?.iter().map(|r| Rules::parse(r.unwrap_or(""))).collect(),
            first_row: vec![None; n],
            user: vec![None; n],
            holders: vec![None; n],
        })
    }

    fn decide(&mut self, row: u32, verdict: Verdict) -> Result<usize> {
        let at = row as usize - 1;
        if let Some(other) = self.verdict[at].replace(verdict) {
            return Err(Error::bug(format!("row {row} got two verdicts, {other:?} and {verdict:?}")));
        }
        Ok(at)
    }

    /// Decides every row that has a key.
    fn keyed(&mut self, joined: &DataFrame, unfit: &[Option<&'static str>], org: &Snapshot, keep: Keep) -> Result<()> {
        let number = |name: &str| joined.column(name).and_then(|c| c.u32().cloned());
        let (rows, first) = (number(columns::ROW)?, number(columns::FIRST_ROW)?);
        let (user, n_holders) = (number(USER)?, number(columns::HOLDERS)?);
        let by_username = joined.column(BY_USERNAME)?.bool()?;
        let alone = joined.select([columns::KEY])?.is_unique()?;
        let states = org.frame.column(columns::STATE)?.str()?;
        let org_rules = org.frame.column(columns::RULES)?.str()?;
        for (i, unfit) in unfit.iter().enumerate() {
            let Some(row) = rows.get(i) else { continue };
            let state = user.get(i).map(|u| State::from_word(states.get(u as usize).unwrap_or_default()));
            let n_rows = if alone.get(i) == Some(true) { 1 } else { 2 };
            let (verdict, reason) = match (first.get(i), state) {
                (kept, _) if unfit.is_some() && would_stand(row, kept, n_rows, keep) => (Verdict::Invalid, *unfit),
                (kept, _) if kept != Some(row) => (Verdict::Duplicate, Some(duplicate_reason(keep))),
                (_, None) => (Verdict::New, None),
                (_, state) => {
                    let verdict = if state == Some(State::Deleted) { Verdict::Deleted } else { Verdict::Present };
                    (verdict, Some(if by_username.get(i) == Some(true) { "held.username" } else { "held.email" }))
                }
            };
            let at = self.decide(row, verdict)?;
            self.reason[at] = reason.map(str::to_owned);
            self.first_row[at] = first.get(i).filter(|_| verdict == Verdict::Duplicate);
            (self.user[at], self.holders[at]) = (user.get(i), n_holders.get(i));
            let theirs = user.get(i).and_then(|u| org_rules.get(u as usize)).map_or_else(Rules::default, Rules::parse);
            self.rules[at] = self.rules[at].union(theirs);
        }
        Ok(())
    }

    fn finish(mut self, roster: &Roster, org: &Snapshot, defaults: &Defaults) -> Result<Plan> {
        let n = roster.n_rows();
        let warnings = roster.frame.column(columns::WARNING)?.str()?;
        let mut counts = Counts { rows: n as u64, ..Counts::default() };
        for (at, verdict) in self.verdict.iter().enumerate() {
            let verdict = verdict.ok_or_else(|| Error::bug(format!("row {} got no verdict", at + 1)))?;
            counts.add(verdict);
            if verdict == Verdict::New {
                self.reason[at] = warnings.get(at).map(str::to_owned);
            }
        }
        let differs = self.differs(roster, org)?;
        let user: IdxCa = self.user.iter().copied().collect();
        let of_user =
            |from: &str, to: &str| -> Result<Column> { Ok(org.frame.column(from)?.take(&user)?.with_name(to.into())) };
        let text = |name: &str, cells: Vec<Option<String>>| Column::new(name.into(), cells);
        let words: Vec<&str> = self.verdict.iter().map(|v| v.map_or("", Verdict::as_str)).collect();
        let sent = self.sent(roster, defaults)?;
        let mut all = vec![
            roster.frame.column(columns::ROW)?.clone(),
            roster.frame.column(columns::LINE)?.clone(),
            roster.frame.column(columns::KEY)?.clone(),
            Column::new(columns::VERDICT.into(), words),
            text(columns::REASON, self.reason),
            text(columns::RULES, self.rules.iter().map(|r| Some(r.to_string())).collect()),
            of_user(columns::ID, columns::USER_ID)?,
            of_user(columns::STATE, columns::USER_STATE)?,
            of_user(columns::EMAIL, columns::USER_EMAIL)?,
            Column::new(columns::HOLDERS.into(), self.holders),
            Column::new(columns::FIRST_ROW.into(), self.first_row),
            text(columns::DIFFERS, differs),
        ];
        all.extend(sent);
        Ok(Plan { frame: DataFrame::new(n, all)?, counts })
    }

    /// What a create sends: the roster's cells, and in new rows the defaults where these are empty.
    fn sent(&self, roster: &Roster, defaults: &Defaults) -> Result<Vec<Column>> {
        let column = |name: &str| -> Result<Column> {
            let cells = roster.frame.column(name)?;
            let Some(default) = defaults.of(name) else { return Ok(cells.clone()) };
            let fill = |(at, cell): (usize, Option<&'_ str>)| {
                let filled = cell.or_else(|| (self.verdict[at] == Some(Verdict::New)).then_some(default));
                filled.map(str::to_owned)
            };
            let filled: Vec<Option<String>> = cells.str()?.iter().enumerate().map(fill).collect();
            Ok(Column::new(name.into(), filled))
        };
        SENT.into_iter().map(column).collect()
    }

    /// Fields in which a duplicate disagrees with the kept row, or a present row with its holder; a field that the
    /// roster leaves empty disagrees with nothing.
    fn differs(&self, roster: &Roster, org: &Snapshot) -> Result<Vec<Option<String>>> {
        let mut differs: Vec<Vec<&str>> = vec![Vec::new(); self.verdict.len()];
        for field in [columns::NAME, columns::DEPARTMENT, columns::TITLE] {
            let (ours, theirs) = (roster.frame.column(field)?.str()?, org.frame.column(field)?.str()?);
            for (at, differs) in differs.iter_mut().enumerate() {
                let other = match (self.verdict[at], self.first_row[at], self.user[at]) {
                    (Some(Verdict::Duplicate), Some(first), _) => ours.get(first as usize - 1),
                    (Some(Verdict::Present), _, Some(user)) => theirs.get(user as usize),
                    _ => continue,
                };
                if ours.get(at).is_some_and(|mine| mine != other.unwrap_or_default().trim()) {
                    differs.push(field);
                }
            }
        }
        Ok(differs.into_iter().map(|d| Some(d.join("+")).filter(|d| !d.is_empty())).collect())
    }
}

const fn duplicate_reason(keep: Keep) -> &'static str {
    match keep {
        Keep::First => "duplicate.first_kept",
        Keep::Last => "duplicate.last_kept",
        Keep::None => "duplicate.none_kept",
    }
}
