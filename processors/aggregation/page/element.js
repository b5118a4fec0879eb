// Elements, made and changed only where they must be: what has the focus, or is being read, stays.

export function element(name, className, ...children) {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.append(...children);
  return made;
}

export function text(of, words) {
  if (of.textContent !== words) of.textContent = words;
}

export function attribute(of, name, value) {
  if (of.getAttribute(name) !== value) of.setAttribute(name, value);
}

export function part(name) {
  return document.querySelector(`[data-part=${name}]`);
}

/** The child of `parent` for `key`, made when it is missing. */
export function child(parent, key, make) {
  for (const known of parent.children) {
    if (known.dataset.key === key) return known;
  }
  const made = make();
  made.dataset.key = key;
  parent.append(made);
  return made;
}

/** Takes away the children of `parent` that are for none of `keys`. */
export function keep(parent, keys) {
  for (const known of [...parent.children]) {
    if (!keys.has(known.dataset.key)) known.remove();
  }
}
