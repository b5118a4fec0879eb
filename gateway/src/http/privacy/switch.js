// The SDK's own flag: a choice made here holds for its pages of this origin, and one made there shows here.
const CHOICE = "footfall.choice";
const PREFIX = "footfall.";

const button = document.getElementById("switch");
const state = document.getElementById("state");

function isOut() {
  return localStorage.getItem(CHOICE) === "out";
}

function browserSaysNo() {
  return Boolean(navigator.globalPrivacyControl) || ["1", "yes"].includes(navigator.doNotTrack);
}

function show() {
  const out = isOut();
  button.disabled = false;
  button.setAttribute("aria-checked", String(out));
  if (out) {
    state.textContent = "Your visits are not recorded.";
  } else if (browserSaysNo() && localStorage.getItem(CHOICE) !== "in") {
    state.textContent = "Your browser says no for you. The switch would keep it so without the browser's signal.";
  } else {
    state.textContent = "Your visits may be recorded.";
  }
}

function wipe(storage) {
  for (const key of Object.keys(storage)) {
    if (key.startsWith(PREFIX) && key !== CHOICE) {
      storage.removeItem(key);
    }
  }
}

function toggle() {
  if (isOut()) {
    // Back to what holds without a choice: the browser's signal, then the site's own mode.
    localStorage.removeItem(CHOICE);
  } else {
    localStorage.setItem(CHOICE, "out");
    wipe(localStorage);
    wipe(sessionStorage);
    // Where the site keeps the visitor in a cookie instead.
    for (const cookie of document.cookie.split("; ")) {
      const name = cookie.split("=")[0];
      if (name.startsWith(PREFIX)) {
        document.cookie = `${name}=; Max-Age=0; path=/`;
      }
    }
  }
  show();
}

try {
  show();
  button.addEventListener("click", toggle);
  addEventListener("storage", show);
} catch {
  state.textContent = "This browser lets pages store nothing, so no choice can be kept, and no visitor is recognised.";
}
