//! Pages from templates. A template's undefined name is an error, never a gap in a page.

use crate::site::Addresses;
use anyhow::Context as _;
use axum::response::Html;
use minijinja::{Environment, UndefinedBehavior, Value};
use std::{fs, path::Path};

/// The compiled templates.
#[derive(Debug)]
pub(crate) struct Pages {
    templates: Environment<'static>,
}

impl Pages {
    /// Compiles every template of the folder; each is named by its path in there, as in `journal/knots.html`.
    ///
    /// # Errors
    /// When a file cannot be read or is not a template.
    pub(crate) fn read(folder: &Path, addresses: Addresses) -> anyhow::Result<Self> {
        let mut templates = Environment::new();
        templates.set_undefined_behavior(UndefinedBehavior::Strict);
        // `Addresses` are without what HTML must escape, and are easier to read as they are.
        let as_it_is = Value::from_safe_string;
        templates.add_global("gateway", as_it_is(addresses.gateway));
        templates.add_global("aggregation", as_it_is(addresses.aggregation));
        add_all(&mut templates, folder, "")?;
        Ok(Self { templates })
    }

    /// Fills a template.
    ///
    /// # Errors
    /// When there is no such template, or it asks for a name that `context` does not have.
    pub(crate) fn render(&self, name: &str, context: Value) -> Result<Html<String>, Error> {
        let template = self.templates.get_template(name)?;
        Ok(Html(template.render(context)?))
    }
}

/// A page could not be made.
#[derive(Debug, thiserror::Error)]
#[error("render a page")]
pub(crate) struct Error(#[from] minijinja::Error);

fn add_all(templates: &mut Environment<'_>, folder: &Path, prefix: &str) -> anyhow::Result<()> {
    let entries = fs::read_dir(folder).with_context(|| format!("read {}", folder.display()))?;
    for entry in entries {
        let entry = entry?;
        let path = entry.path();
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if path.is_dir() {
            add_all(templates, &path, &format!("{name}/"))?;
        } else {
            let source = fs::read_to_string(&path);
            let source = source.with_context(|| format!("read {}", path.display()))?;
            templates
                .add_template_owned(name, source)
                .with_context(|| format!("compile {}", path.display()))?;
        }
    }
    Ok(())
}
