const CSS = `
  :host { display: block; }
  button {
    display: inline-flex; align-items: center; gap: 0.75em;
    padding: 0.4em 0.2em; border: 0; background: none;
    color: inherit; font: inherit; font-weight: 600; text-align: start; cursor: pointer;
  }
  button:focus-visible { outline: 3px solid; outline-offset: 3px; border-radius: 0.3em; }
  .track {
    flex: none; box-sizing: border-box; width: 2.75em; height: 1.5em; padding: 0.15em;
    border: 2px solid; border-radius: 1em;
  }
  .track::before {
    content: ""; display: block; box-sizing: border-box; width: 0.9em; height: 0.9em;
    border: 0.45em solid; border-radius: 50%;
  }
  [aria-checked="true"] .track { color: var(--footfall-accent, inherit); }
  [aria-checked="true"] .track::before { margin-inline-start: auto; }
  [aria-checked="false"] .track::before { border-width: 2px; }
  p { margin: 0.4em 0 0; max-width: 36em; }
  @media (prefers-reduced-motion: no-preference) { .track::before { transition: border-width 0.15s; } }
`;

/** As an object, which a policy allows that forbids styles in the page. */
export function style(root: ShadowRoot): void {
  try {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(CSS);
    root.adoptedStyleSheets = [sheet];
  } catch {
    // A browser without such sheets shows a plain button.
  }
}
