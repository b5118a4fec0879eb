/** So many states of what is typed are remembered, in this page's memory alone, and so much of each. */
const MOST = 200;
const LONGEST = 999;

let texts: string[] = [];

/** Somebody types, or chooses. */
export function typing(event: Event): void {
  const [field] = event.composedPath() as [HTMLInputElement];
  if (!/select|check|radio|range|color|file|pass/.test(field.type)) {
    const text = field.value ?? field.textContent;
    texts = [text.trimStart().toLowerCase().slice(0, LONGEST), ...texts].slice(0, MOST);
  }
}

/** Whether people have typed a text here, and perhaps typed on. It is in lower case. */
export function isTyped(text: string): boolean {
  return !!text && texts.some((typed) => typed.startsWith(text));
}
