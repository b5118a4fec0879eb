// The journal turns its pages without reloading. Every entry is a page of its own as well, so where this
// fails, the link is simply followed.

export function turnPages(window: Window): void {
  const page = window.document;
  if (!isJournal(window.location.pathname)) {
    return;
  }
  let turning = new AbortController();
  const turn = async (url: string, before: () => void): Promise<void> => {
    turning.abort();
    turning = new AbortController();
    try {
      const answer = await fetch(url, { signal: turning.signal });
      const next = new DOMParser().parseFromString(await answer.text(), "text/html");
      before();
      show(next, page);
    } catch {
      if (!turning.signal.aborted) {
        window.location.assign(url);
      }
    }
  };
  page.addEventListener("click", (event) => {
    const link = (event.target as Element).closest("a");
    if (link && isPlain(event, link) && isJournal(link.pathname)) {
      event.preventDefault();
      void turn(link.href, () => window.history.pushState(null, "", link.href));
    }
  });
  window.addEventListener("popstate", () => void turn(window.location.href, () => {}));
}

function show(next: Document, page: Document): void {
  const main = page.querySelector("main");
  page.title = next.title;
  main?.replaceChildren(...(next.querySelector("main")?.childNodes ?? []));
  // As a new page would: from its top, for eyes and for screen readers.
  main?.focus({ preventScroll: true });
  page.defaultView?.scrollTo({ top: 0, behavior: "instant" });
}

function isJournal(path: string): boolean {
  return path === "/journal" || path.startsWith("/journal/");
}

function isPlain(event: MouseEvent, link: HTMLAnchorElement): boolean {
  const asNewTab = event.metaKey || event.ctrlKey || event.shiftKey || event.altKey || link.target !== "";
  return event.button === 0 && !asNewTab && !event.defaultPrevented && link.origin === location.origin;
}
