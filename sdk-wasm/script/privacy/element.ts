import { allows, reason, set } from "./choice";
import { style } from "./style";
import { text } from "./texts";

/** How often it looks whether something else has changed the choice. */
const LOOK_AGAIN_MS = 500;

const NAME = "footfall-privacy";

/** Defines the element. Not when this is imported: servers import it too, and know no elements. */
export function register(): void {
  if (!customElements.get(NAME)) {
    customElements.define(NAME, create());
  }
}

/** A switch and a sentence, whose parts are called `switch`, `label` and `status`. */
function create(): CustomElementConstructor {
  return class extends HTMLElement {
    #button = document.createElement("button");
    #label = document.createElement("span");
    #status = document.createElement("p");
    #timer: ReturnType<typeof setInterval> | undefined;

    constructor() {
      super();
      const root = this.attachShadow({ mode: "open" });
      const track = document.createElement("span");
      track.className = "track";
      track.setAttribute("aria-hidden", "true");
      this.#label.part.add("label");
      this.#button.type = "button";
      this.#button.part.add("switch");
      this.#button.setAttribute("role", "switch");
      this.#button.setAttribute("aria-describedby", "status");
      this.#button.append(track, this.#label);
      this.#button.addEventListener("click", () => {
        set(!allows(this.#reason()));
        this.#show();
      });
      this.#status.id = "status";
      this.#status.part.add("status");
      this.#status.setAttribute("role", "status");
      const card = document.createElement("div");
      // Whether somebody wants to be watched is not to be watched.
      card.setAttribute("data-no-track", "");
      card.append(this.#button, this.#status);
      root.append(card);
      style(root);
    }

    connectedCallback(): void {
      this.#show();
      this.#timer = setInterval(() => this.#show(), LOOK_AGAIN_MS);
    }

    disconnectedCallback(): void {
      clearInterval(this.#timer);
    }

    /** The site's mode counts where the page has no SDK that knows it. */
    #reason() {
      return reason(this.getAttribute("consent"));
    }

    #show(): void {
      const reason = this.#reason();
      this.#button.setAttribute("aria-checked", String(allows(reason)));
      say(this.#label, text(this, "label"));
      say(this.#status, text(this, `text-${reason}`));
    }
  };
}

/** A sentence is read out when it changes: it must not change when it does not. */
function say(element: Element, words: string): void {
  if (element.textContent !== words) {
    element.textContent = words;
  }
}
