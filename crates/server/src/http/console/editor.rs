//! Records that are edited in a form by several people at once: shown, read, saved, and brought together when somebody else
//! was faster. What the record is, and how its page looks, is for [`Edited`] to say.

use axum::response::Response;
use serde_json::Value;
use signet_core::fault::Fault;
use signet_core::params::Params;
use signet_core::setting::Group;

use super::fields::{self, Meanwhile};
use super::problems::{self, Target};
use super::{Posted, Visit};
use crate::desk::{Refused, Write};
use crate::pages::console::Problem;

/// A page over some groups of the table of settings.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tab {
    /// The last part of the address; empty for the first page.
    pub(super) name: &'static str,
    pub(super) title: &'static str,
    pub(super) groups: &'static [Group],
}

impl Tab {
    /// Its address below that of the first page.
    pub(super) fn address(self, first: &str) -> String {
        if self.name.is_empty() { first.to_owned() } else { format!("{first}/{}", self.name) }
    }
}

/// What stands in a form.
#[derive(Debug)]
pub(super) struct Filled {
    pub(super) values: Value,
    pub(super) problems: Vec<Problem>,
    pub(super) meanwhile: Vec<Meanwhile>,
    /// Whether the problems are those of another form of the page, so that nothing in this one waits to be saved.
    pub(super) elsewhere: bool,
    /// Why the form is shown again instead of being done.
    pub(super) fault: Option<Fault>,
}

impl Filled {
    /// A form that has these values and waits for somebody.
    pub(super) fn with(values: Value) -> Self {
        Self { values, problems: Vec::new(), meanwhile: Vec::new(), elsewhere: false, fault: None }
    }
}

/// A record that is edited in a form. It is its JSON form here.
pub(super) trait Edited {
    /// What is stored.
    type View;

    /// Reads what is stored now.
    async fn load(&self, visit: &Visit) -> Result<Self::View, Refused>;

    /// The version of what is stored.
    fn version(view: &Self::View) -> i64;

    /// What is stored, as the form has it.
    fn record(view: &Self::View) -> Value;

    /// The groups of the table that the form is made of; none if it is made by hand.
    fn groups(&self) -> &'static [Group] {
        &[]
    }

    /// Puts what was sent into a record, and tells what cannot be read.
    fn read(&self, form: &Params, record: &mut Value) -> Vec<Problem> {
        fields::read(self.groups(), form, record)
    }

    /// Brings together what the form was made from, what is stored, and what was sent.
    fn merge(&self, base: &Value, stored: &Value, sent: &mut Value) -> Vec<Meanwhile> {
        fields::merge(self.groups(), base, stored, sent)
    }

    /// Whether the form is only to be looked at.
    fn is_tried(&self, _form: &Params) -> bool {
        false
    }

    /// Stores a record, and answers.
    async fn replace(&self, visit: &Visit, record: Value, write: &Write) -> Result<Response, Refused>;

    /// Where the field or page is that a pointer leads to.
    fn target(&self, visit: &Visit, pointer: &str) -> Option<Target>;

    /// The form.
    async fn page(&self, visit: &Visit, view: Self::View, filled: Filled) -> Result<Response, Refused>;
}

/// The form for what is stored.
pub(super) async fn show<E: Edited>(edited: &E, visit: &Visit) -> Response {
    let shown = async {
        let view = edited.load(visit).await?;
        let filled = Filled::with(E::record(&view));
        edited.page(visit, view, filled).await
    };
    visit.answer(shown.await)
}

/// Saves what was sent, or shows why not.
pub(super) async fn save<E: Edited>(edited: &E, posted: &Posted) -> Response {
    posted.visit.answer(saved(edited, posted).await)
}

async fn saved<E: Edited>(edited: &E, posted: &Posted) -> Result<Response, Refused> {
    let Posted { visit, form } = posted;
    let view = edited.load(visit).await?;
    let write = Write { seen: Some(posted.seen().ok_or(Refused::VersionMissing)?), ..posted.write() };
    if write.seen != Some(E::version(&view)) {
        return outrun(edited, posted, view).await;
    }
    let mut values = E::record(&view);
    let problems = edited.read(form, &mut values);
    if !problems.is_empty() {
        let filled = Filled { problems, fault: Some(Fault::AdminRecordInvalid), ..Filled::with(values) };
        return edited.page(visit, view, filled).await;
    }
    if edited.is_tried(form) {
        return edited.page(visit, view, Filled::with(values)).await;
    }
    match edited.replace(visit, values.clone(), &write).await {
        Err(Refused::Stale { .. }) => outrun(edited, posted, edited.load(visit).await?).await,
        Err(refused) => {
            let problems = problems::of(&refused, "", |pointer| edited.target(visit, pointer));
            let Some(problems) = problems else { return Err(refused) };
            let filled = Filled { problems, fault: Some(refused.fault()), ..Filled::with(values) };
            edited.page(visit, view, filled).await
        }
        done => done,
    }
}

/// Somebody else saved meanwhile: says what they changed, and keeps what was typed. Saving again is up to the person.
async fn outrun<E: Edited>(edited: &E, posted: &Posted, view: E::View) -> Result<Response, Refused> {
    let fault = Fault::AdminVersionStale;
    let problem = |text: &str| vec![Problem::of_code(fault.code(), text)];
    let stored = E::record(&view);
    let base = posted.form.get("base").and_then(|text| serde_json::from_str::<Value>(text).ok());
    // Without what the form was made from, nobody can tell what the person changed: nothing of it may go on as theirs.
    let Some(base) = base.filter(Value::is_object) else {
        let text = "Somebody else changed this meanwhile, and the form does not say what it was made from. What is \
                    stored now stands in it; make your changes again.";
        let filled = Filled { problems: problem(text), fault: Some(fault.clone()), ..Filled::with(stored) };
        return edited.page(&posted.visit, view, filled).await;
    };
    let mut values = base.clone();
    let mut problems = edited.read(&posted.form, &mut values);
    let meanwhile = edited.merge(&base, &stored, &mut values);
    if meanwhile.is_empty() {
        problems.extend(problem(
            "Somebody else changed another part of this meanwhile. What you typed is still here; save it again.",
        ));
    }
    let filled = Filled { problems, meanwhile, fault: Some(fault.clone()), ..Filled::with(values) };
    edited.page(&posted.visit, view, filled).await
}
