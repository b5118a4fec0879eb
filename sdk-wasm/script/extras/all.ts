// What few sites ask for, in one file, which only their pages load. It holds no state of the core's: what it needs
// of that it is given.

export { CLICK_IDS } from "./click-ids";
export { readCookie, writeCookie } from "./cookies";
export { recordError } from "./errors";
export { remember } from "./sent";
export { measureVitals } from "./vitals";
export { tell } from "./words";
