import type { Options } from "../../index";
import type { say } from "../extras";
import type { Report } from "../vitals";
import { Word } from "../word";

/** Has web vitals measured by what the site gives, or else by the tag's own file. */
export async function measureVitals(
  given: Options["vitals"],
  report: Report,
  tell: typeof say,
): Promise<void> {
  try {
    const file = await (typeof given === "function" ? given() : import("../vitals"));
    file.measure(report);
  } catch (error) {
    tell(Word.NoVitals, error);
  }
}
